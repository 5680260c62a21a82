#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Proves with z3 that what src/ir/idiom.c looks for counts bits, for 64 and 32 bits, as TAP.

usage: idioms.py [--seconds N]

Each pattern is a list of steps, of which later ones name earlier ones; the last one must be equal to the
count written down plainly. That a table has the right entries is looked up in the table itself; what is
proved here is that no other than those of single bits is ever asked for.
"""
import argparse
import shutil
import sys

import fold


class Steps:
    def __init__(self, width):
        self.width, self.lines = width, [f"(declare-const x (_ BitVec {width}))"]

    def do(self, name, a, b=None):
        """One operation; its name."""
        b = fold.number(b, self.width) if isinstance(b, int) else b or fold.number(0, self.width)
        step = f"s{len(self.lines)}"
        self.lines.append(f"(define-fun {step} () (_ BitVec {self.width}) {fold.operate(name, self.width, a, b)})")
        return step

    def refuted(self, result, wanted, seconds):
        query = "\n".join([*self.lines, f"(assert (not (= {result} {wanted})))", "(check-sat)"])
        return fold.ask([query], seconds)


def repeated(byte, width):
    return int.from_bytes(bytes([byte]) * (width // 8), "little")


def counted(steps, x):
    width = steps.width
    pairs = steps.do("sub", x, steps.do("and", steps.do("shr", x, 1), repeated(0x55, width)))
    fours = repeated(0x33, width)
    nibbles = steps.do("add", steps.do("and", pairs, fours), steps.do("and", steps.do("shr", pairs, 2), fours))
    sums = steps.do("and", steps.do("add", nibbles, steps.do("shr", nibbles, 4)), repeated(0x0F, width))
    return steps.do("shr", steps.do("mul", sums, repeated(0x01, width)), width - 8)


def spread(steps, x):
    by = 1
    while by < steps.width:
        x, by = steps.do("or", x, steps.do("shr", x, by)), by * 2
    return x


def bit(x, at):
    return f"((_ extract {at} {at}) {x})"


def ones(x, width):
    return f"(bvadd {' '.join(fold.resize(bit(x, at), 1, width) for at in range(width))})"


def zeros(x, width, order):
    """In the order of the bits, up to the first that is set."""
    term = fold.number(width, width)
    for count, at in reversed(list(enumerate(order))):
        term = f"(ite (= {bit(x, at)} #b1) {fold.number(count, width)} {term})"
    return term


def popcnt(steps):
    return counted(steps, "x"), ones("x", steps.width)


# How bits are counted is proved above: here, that the right ones are.
def clz(steps):
    inverse = steps.do("not", spread(steps, "x"))
    return ones(inverse, steps.width), zeros("x", steps.width, range(steps.width - 1, -1, -1))


def ctz(steps):
    below = steps.do("and", steps.do("not", "x"), steps.do("add", "x", -1))
    return ones(below, steps.width), zeros("x", steps.width, range(steps.width))


def lowest_bit(steps):
    lowest = steps.do("and", "x", steps.do("neg", "x"))
    wanted = fold.number(0, steps.width)
    for at in reversed(range(steps.width)):
        wanted = f"(ite (= {bit('x', at)} #b1) {fold.number(1 << at, steps.width)} {wanted})"
    return lowest, wanted


def wrong(steps):
    return steps.do("add", "x", 1), "x"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=300)
    arguments = parser.parse_args()
    if not shutil.which("z3"):
        print("1..0 # SKIP no z3")
        return 0
    cases = [(pattern, width) for pattern in (popcnt, clz, ctz, lowest_bit) for width in (64, 32)]
    print(f"1..{len(cases) + 1}")
    steps = Steps(64)
    failed = steps.refuted(*wrong(steps), arguments.seconds) != ["sat"]
    print(f"{'not ok' if failed else 'ok'} 1 - what is wrong is refuted", flush=True)
    for at, (pattern, width) in enumerate(cases, 2):
        steps = Steps(width)
        answer = steps.refuted(*pattern(steps), arguments.seconds)
        failed |= answer != ["unsat"]
        print(f"{'ok' if answer == ['unsat'] else 'not ok'} {at} - {pattern.__name__}, {width} bits: {' '.join(answer)}",
              flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
