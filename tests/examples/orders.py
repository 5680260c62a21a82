#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""An application's own functions and hook, with fuel: what examples/orders prints. Prints TAP.

usage: orders.py ORDERS DIRECTORY-OF-OBJECTS
"""
import pathlib
import subprocess
import sys

LONG = "refused, the program ran for too long"
CASES = [
    ("limit", 0, ["order 1: taken", "order 2: refused", "order 3: taken", "order 4: refused"], ""),
    ("busy", 0, [f"order 1: {LONG}", "order 2: taken", f"order 3: {LONG}", "order 4: taken"], ""),
    ("leak", 1, [], "Unreleased reference"),
]


def main():
    orders, objects = sys.argv[1], pathlib.Path(sys.argv[2])
    print(f"1..{len(CASES)}")
    for number, (name, code, lines, said) in enumerate(CASES, 1):
        got = subprocess.run([orders, objects / f"orders_{name}.elf"], text=True,
                             capture_output=True)
        good = (got.returncode == code and got.stdout.splitlines() == lines
                and said in got.stderr and "still in use" not in got.stderr)
        if not good:
            for line in (got.stdout + got.stderr).splitlines():
                print(f"# {line}")
        print(f"{'ok' if good else 'not ok'} {number} - {name}.bpf.c")


if __name__ == "__main__":
    main()
