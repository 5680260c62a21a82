#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's test_verifier, unmodified, on Linux and under `skep exec`: what passes there passes
here. It is built from Debian's linux-source-6.1; nothing of it is kept. Prints TAP.

usage: verifier.py BUILD-DIR SKEP
"""
import pathlib
import re
import shutil
import subprocess
import sys

import selftests
from selftests import Missing

RESULT = re.compile(r"#(\d+/[up]) (.*?)(?: Did not run the program.*?)? (OK|FAIL|SKIP)\b")

# What skep does otherwise by design, or has not yet: each with a pattern of what the test prints then.
DIFFERENT = {
    "instructions are not rewritten": "can't find expected subsequence of instructions",
    "a helper that skep does not have": "invalid func bpf_",
    "structures that only a kernel has": "Operation not supported",
}


def build(folder):
    """The program; its makefile would build the whole of the kernel's tests first."""
    program = folder / "test_verifier"
    if program.exists():
        return program
    if not shutil.which("cc"):
        raise Missing("no C compiler")
    tests = selftests.unpack(folder / "linux")
    (folder / "verifier").mkdir(exist_ok=True)
    files = sorted((tests / "verifier").glob("*.c"))
    (folder / "verifier/tests.h").write_text(
        "#ifdef FILL_ARRAY\n" + "".join(f'#include "{name}"\n' for name in files) + "#endif\n")
    (folder / "autoconf.h").write_text("")
    include = folder / "linux/tools/include"
    subprocess.run(["cc", "-O1", "-w", "-I", folder, "-I", tests, "-I", include, "-I", include / "uapi",
                    tests / "test_verifier.c", tests / "cap_helpers.c", tests / "testing_helpers.c",
                    "-lbpf", "-lelf", "-lz", "-o", program], check=True)
    return program


def run(*command):
    """{test: (verdict, all that it printed)}"""
    text = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=600).stdout
    starts = list(RESULT.finditer(text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return {f"{match[1]} {match[2]}": (match[3], text[match.start():end]) for match, end in zip(starts, ends)}


def difference(output):
    return next((why for why, part in DIFFERENT.items() if re.search(part, output)), "")


def main():
    build_folder, skep = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    folder = build_folder / "tests/kernel"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        program = build(folder)
        linux = run(program)
        passed = [name for name, (verdict, _) in linux.items() if verdict == "OK"]
        if not passed:
            raise Missing("bpf(2) is not allowed here")
    except Missing as reason:
        print(f"1..0 # SKIP {reason}")
        return
    ours = run(skep, "exec", "--", program)
    counts = dict.fromkeys(DIFFERENT, 0)
    failed = []
    for name in passed:
        verdict, output = ours.get(name, ("lost", ""))
        why = "" if verdict == "OK" else difference(output)
        if why:
            counts[why] += 1
        elif verdict != "OK":
            failed.append((name, output))
    print(f"{'not ok' if failed else 'ok'} 1 - passes what Linux passes: "
          f"{len(passed) - len(failed) - sum(counts.values())} of {len(passed)}")
    for name, output in failed:
        print("# " + "\n# ".join((name + ": " + output).splitlines()[:6]))
    for number, (why, count) in enumerate(counts.items(), 2):
        print(f"ok {number} - {count} differ: {why}")
    print(f"1..{1 + len(counts)}")


if __name__ == "__main__":
    main()
