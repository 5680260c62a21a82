#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""examples/freplace under `skep exec`: a libbpf program that replaces a function of another. Prints TAP.

usage: freplace.py SKEP FREPLACE DIRECTORY-OF-OBJECTS
"""
import os
import pathlib
import subprocess
import sys

OWN = "40 bytes 2, 100 bytes 2"
# A program that throws is interpreted; the others are machine code.
CASES = [
    ("service", "plugin", "40 bytes 1, 100 bytes 2"),
    ("service", "throwing", "40 bytes 1, 100 bytes 3"),
    ("throwing_service", "plugin", "40 bytes 1, 100 bytes 2"),
    ("throwing_service", "throwing", "40 bytes 1, 100 bytes 3"),
]


def main():
    skep, freplace, objects = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    # A sanitizer's library comes behind the one that `skep exec` preloads, which is well.
    env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
    print(f"1..{len(CASES)}")
    for number, (service, plugin, replaced) in enumerate(CASES, 1):
        got = subprocess.run([skep, "exec", "--", freplace, objects / f"freplace_{service}.elf",
                              objects / f"freplace_{plugin}.elf"], text=True, capture_output=True, env=env)
        good = not got.returncode and got.stdout.splitlines() == [
            f"its own function: {OWN}", f"replaced: {replaced}", f"without the link: {OWN}"]
        if not good:
            for line in (got.stdout + got.stderr).splitlines():
                print(f"# {line}")
        print(f"{'ok' if good else 'not ok'} {number} - {plugin} in {service}")


if __name__ == "__main__":
    main()
