#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The plugin's protocol: arguments, instructions, result or refusal. protocol.sh PLUGIN
plugin=$1
number=0
failed=0

# check WANTED-OUTPUT INSTRUCTIONS ARGUMENT...; "refused": a failure with a text
check() {
	wanted=$1 insns=$2
	shift 2
	number=$((number + 1))
	if got=$(echo "$insns" | "$plugin" "$@" 2>&1); then
		[ "$got" = "$wanted" ] && result=ok || result="not ok"
	else
		[ "$wanted" = refused ] && [ -n "$got" ] && result=ok || result="not ok"
	fi
	[ "$result" = ok ] || failed=1
	echo "$result $number - $wanted"
	[ "$result" = ok ] || echo "# got: $got"
}

exit_="95 00 00 00 00 00 00 00"
echo 1..9
check 5 "b7 00 00 00 05 00 00 00 $exit_"
check 2a "71 10 01 00 00 00 00 00 $exit_" "01 2a"
check 2a "71 10 01 00 00 00 00 00 $exit_" "01 2a" --checked
check 2 "bf 20 00 00 00 00 00 00 $exit_" "01 2a" --interpreter
check refused "71 10 02 00 00 00 00 00 $exit_" "01 2a"
check refused "ff 00 00 00 00 00 00 00 $exit_"
check refused "95 00 00"
check 7 "06 00 00 00 07 00 00 00" "01" --classic
check refused "06 00 00 00 07 00 00 00" --unknown
exit $failed
