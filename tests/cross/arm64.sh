#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# skep for arm64 under qemu: the programs of tests/programs and random ones, as machine code of
# both tiers, on a processor with LSE and on one without.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

missing=$(tools/cross arm64 missing)
if [ -n "$missing" ]; then
	echo "1..0 # SKIP missing:$missing (tools/cross arm64 setup)"
	exit 0
fi
targets="skep tests/programs/programs fuzz/tiers"
number=0 failed=0

# What qemu's user mode has not, process_vm_readv(2), reads memory that may not be there.
qemu_lacks='^not ok [0-9]* - helper/probe-read.asm'

# report NAME STATUS LOG
report() {
	number=$((number + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $number - $1"
		return
	fi
	failed=1
	echo "not ok $number - $1"
	tail -40 "$3" | sed 's/^/# /'
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

run_programs() {
	QEMU_CPU=$1 timeout 600 tools/cross arm64 run build-arm64/tests/programs/programs "$2" tests/programs >"$log" 2>&1
	if grep -q '^1\.\.' "$log" && ! grep '^not ok' "$log" | grep -qv "$qemu_lacks"; then
		report "programs ($2) on $1: $(grep -c '^ok' "$log")" 0
	else
		report "programs ($2) on $1" 1 "$log"
	fi
}

run_tiers() {
	QEMU_CPU=$1 timeout 600 tools/cross arm64 run build-arm64/fuzz/tiers --count 4000 --seed "$2" >"$log" 2>&1
	report "random programs in both tiers on $1" $? "$log"
}

echo 1..7
# shellcheck disable=SC2086
tools/cross arm64 build $targets >"$log" 2>&1
report "skep is built for arm64" $? "$log"
[ "$failed" -eq 0 ] || exit 1
run_programs max skep
run_programs max checked
run_programs cortex-a53 skep
run_tiers max 1
run_tiers cortex-a53 5000
tools/cross arm64 run build-arm64/skep --version >"$log" 2>&1
report "the command runs" $? "$log"
exit $failed
