#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every program of FOLDER/*.bpf.c, run by skep and by the running kernel (RUN, the folder's run.c). Prints TAP.

usage: bodies.py [--hide-types] RUN FOLDER BUILD-ROOT [PART-OF-FILE]
	--hide-types	where the kernel's BTF cannot be seen, and so without the kernel
"""
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "objects"))

import objects

TIMEOUT = 120
HIDE = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh"]

OF_KERNEL = ["btf_text.bpf.c", "syscall.bpf.c"]  # these name types that only the kernel has


def can_hide():
    return subprocess.run([*HIDE, "true"], capture_output=True).returncode == 0


def test_object(runner, object_file, hidden):
    """[(verdict, title)], the lines in between printed."""
    command = [*HIDE, runner, str(object_file), "alone"] if hidden else [runner, str(object_file)]
    got = subprocess.run(command, capture_output=True, text=True, errors="replace",
                         timeout=TIMEOUT)
    results = []
    for line in got.stdout.splitlines():
        match = re.fullmatch(r"(ok|not ok) (\w+)", line)
        if match:
            results.append(match.groups())
        else:
            print(line if line.startswith("#") else "# " + line)
    if got.returncode not in (0, 1) or not results:
        print("# " + got.stderr.replace("\n", "\n# "))
        results.append(("not ok", f"exit code {got.returncode}"))
    return results


def main():
    hidden = sys.argv[1] == "--hide-types"
    arguments = sys.argv[1 + hidden:]
    runner, folder, build = arguments[0], pathlib.Path(arguments[1]), pathlib.Path(arguments[2])
    part = (arguments[3:] + [""])[0]
    count = 0
    if hidden and not can_hide():
        print("1..1\nok 1 # SKIP the kernel's types cannot be hidden: that needs root")
        return
    for source in sorted(folder.glob("*.bpf.c")):
        if part not in source.name or (hidden and source.name in OF_KERNEL):
            continue
        name = source.name.removesuffix(".bpf.c")
        try:
            with objects.Workshop(build / "tests" / folder.name) as workshop:
                results = test_object(runner, workshop.compile(source), hidden)
        except objects.Missing as reason:
            results = [("ok", f" # SKIP {reason}")]
        except objects.Failure as trouble:
            print("# " + str(trouble).replace("\n", "\n# "))
            results = [("not ok", "compile")]
        for verdict, title in results:
            count += 1
            print(f"{verdict} {count} - {name}/{title}")
        sys.stdout.flush()
    print(f"1..{count}")


if __name__ == "__main__":
    main()
