#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every program of FOLDER/*.bpf.c, run by skep and by the running kernel (RUN, the folder's run.c). Prints TAP.

usage: bodies.py RUN FOLDER BUILD-ROOT [PART-OF-FILE]
"""
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "objects"))

import objects

TIMEOUT = 120


def test_object(runner, object_file):
    """[(verdict, title)], the lines in between printed."""
    got = subprocess.run([str(runner), str(object_file)], capture_output=True, text=True, errors="replace",
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
    runner, folder, build = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    part = (sys.argv[4:] + [""])[0]
    count = 0
    for source in sorted(folder.glob("*.bpf.c")):
        if part not in source.name:
            continue
        name = source.name.removesuffix(".bpf.c")
        try:
            with objects.Workshop(build / "tests" / folder.name) as workshop:
                results = test_object(runner, workshop.compile(source))
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
