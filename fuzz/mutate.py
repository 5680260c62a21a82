#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Changes programs that skep and Linux accept, and compares what both say then (mutate.c).

usage: fuzz/mutate.py [--build DIR] [--count N] [--seed N] [--rights R] [--program NAME] [--show] [OBJECT...]

Each program of the objects, or of tests/objects and tests/programs when none is named. The last line is the sum.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/objects"))

import objects

SUM = re.compile(r"mutate: (\d+) accepted, (\d+) rejected, (\d+) only by Linux, (\d+) only by skep, "
                 r"(\d+) by its arithmetic, (\d+) by a bug of Linux, (\d+) took long")
CELLS = ("accepted", "rejected", "only by Linux", "only by skep", "by its arithmetic", "by a bug of Linux",
         "took long")


class Mutator:
    def __init__(self, arguments):
        self.sums = [0] * len(CELLS)
        self.environment = os.environ | {
            "LD_PRELOAD": str(arguments.build.resolve() / "fuzz/libskep-mutate.so"),
            "MUTATE_COUNT": str(arguments.count), "MUTATE_SEED": str(arguments.seed)}
        if arguments.show:
            self.environment["MUTATE_SHOW"] = "1"

    def run(self, name, *command):
        """A program that loads what is to be changed."""
        got = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, errors="replace")
        if got.returncode < 0:
            print(f"{name}: died of signal {-got.returncode}")
        for line in got.stderr.splitlines():
            counts = SUM.match(line)
            if counts:
                self.sums = [a + int(b) for a, b in zip(self.sums, counts.groups())]
            elif "MUTATE_SHOW" in self.environment or line.startswith("mutate: "):
                print(f"{name}: {line}" if line.startswith("mutate: ") else line, flush=True)


def every_object(arguments):
    for path in arguments.objects:
        yield path
    for source in [] if arguments.objects else sorted(objects.FOLDER.glob("*.bpf.c")):
        with objects.Workshop(arguments.build / "tests/objects") as workshop:
            yield workshop.compile(source)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[2].removeprefix("usage: "))
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rights", default="admin")
    parser.add_argument("--program")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("objects", type=pathlib.Path, nargs="*")
    arguments = parser.parse_args()
    mutator = Mutator(arguments)
    for path in every_object(arguments):
        for program in objects.programs(path):
            if arguments.program in (None, program):
                mutator.run(f"{path.name} {program}", arguments.build / "skep", "verify", "--target", "linux",
                            "--rights", arguments.rights, "--program", program, path)
    if not arguments.objects and not arguments.program:
        mutator.run("tests/programs", arguments.build / "tests/programs/programs", "linux",
                    str(ROOT / "tests/programs"))
    print(", ".join(f"{count} {cell}" for count, cell in zip(mutator.sums, CELLS)))


if __name__ == "__main__":
    main()
