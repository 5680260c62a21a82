#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How many instructions the benchmarks execute on another machine, under qemu's user mode.

usage: bench/count/count.py BUILD [TEXT]

Of each benchmark that computes: skep's machine code beside what clang -O2 makes of the same C file.
One run is the difference of many runs and twice as many. TEXT chooses by name.
"""
import math
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RUNS = 200


def executed(build, plugin, name, mode, runs):
    """Instructions of the whole process; None: it failed."""
    command = ["qemu-aarch64", "-plugin", plugin, "-d", "plugin", f"{build}/bench/bench", "--list",
               f"{HERE.parent}/bench.list", "--objects", f"{build}/bench", "--only", f"={name}",
               "--modes", mode, "--runs", str(runs)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    match = re.search(r"executed (\d+)", result.stderr + result.stdout)
    return int(match.group(1)) if match and result.returncode == 0 else None


def one_run(build, plugin, name, mode):
    few, many = (executed(build, plugin, name, mode, runs) for runs in (RUNS, 2 * RUNS))
    return (many - few) / RUNS if few and many else None


def names(text):
    for line in (HERE.parent / "bench.list").read_text().splitlines():
        fields = line.split()
        if fields and fields[0] == "compute" and text in fields[1]:
            yield fields[1]


def main():
    build, text = sys.argv[1], (sys.argv[2:] or [""])[0]
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        plugin = f"{folder}/count.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", f"{HERE}/plugin.c", "-o", plugin], check=True)
        print(f"{'':16}{'clang':>12}{'skep':>12}  ratio")
        for name in names(text):
            clang, skep = (one_run(build, plugin, name, mode) for mode in ("clang", "skep"))
            if not clang or not skep:
                print(f"{name:16} did not run")
                continue
            ratios.append(skep / clang)
            print(f"{name:16}{clang:12.0f}{skep:12.0f}{skep / clang:7.2f}")
    if not ratios:
        sys.exit("bench/count: nothing was counted")
    print(f"geometric mean {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f} of {len(ratios)}")


main()
