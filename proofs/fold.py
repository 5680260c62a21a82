#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Proves the rows of the optimiser's fold.def with z3, for operations of 64 and of 32 bits, as TAP.

usage: fold.py [--seconds N] [--only TEXT] FOLD.DEF

A row holds when no values of x, y, z and no constants A, B, C that fulfil its condition make both
sides differ. What operations do is written down here a second time (ir.def says it in C), with z3's
own operations. A row that only z3's patience decides (unknown) fails.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

NAMES = "xyzABC"
ROW = re.compile(r'^FOLD\("([^"]*)", "([^"]*)", "([^"]*)"\)', re.M)
TOKEN = re.compile(r"[()\[\]]|[^\s()\[\]]+")


def read(text):
    """A term: a word, or a list that begins with the operation."""
    tokens = TOKEN.findall(text)

    def term(at):
        if tokens[at] not in "([":
            return tokens[at], at + 1
        items, at = [], at + 1
        while tokens[at] not in ")]":
            item, at = term(at)
            items.append(item)
        return items, at + 1

    result, end = term(0)
    if end != len(tokens):
        raise ValueError(f"{text!r}: more than one term")
    return result


def number(value, width):
    return f"(_ bv{value % (1 << width)} {width})"


def resize(term, width, to):
    """The low bits, or zeros above."""
    if to < width:
        return f"((_ extract {to - 1} 0) {term})"
    return f"((_ zero_extend {to - width}) {term})" if to > width else term


def sign_extend(term, low, width):
    if low > width:
        return term
    part = f"((_ extract {low - 1} 0) {term})"
    return f"((_ sign_extend {width - low}) {part})"


def swap(term, bits, width):
    term = resize(term, width, bits)
    parts = " ".join(f"((_ extract {at + 7} {at}) {term})" for at in range(0, bits, 8))
    return resize(f"(concat {parts})", bits, width)


def is_true(claim, width):
    return f"(ite {claim} {number(1, width)} {number(0, width)})"


def operate(name, width, a, b):
    """The operation on terms of its width."""
    zero, ones = number(0, width), number(-1, width)
    count = f"(bvand {b} {number(width - 1, width)})"
    plain = {"add": "bvadd", "sub": "bvsub", "mul": "bvmul", "and": "bvand", "or": "bvor", "xor": "bvxor"}
    if name in plain:
        return f"({plain[name]} {a} {b})"
    extension = re.fullmatch(r"(zext|sext|bswap)(\d+)", name)
    if extension:
        bits = int(extension.group(2))
        if extension.group(1) == "zext":
            return resize(resize(a, width, min(bits, width)), min(bits, width), width)
        return sign_extend(a, bits, width) if extension.group(1) == "sext" else swap(a, bits, width)
    return {
        "udiv": f"(ite (= {b} {zero}) {zero} (bvudiv {a} {b}))",
        "sdiv": f"(ite (= {b} {zero}) {zero} (ite (= {b} {ones}) (bvneg {a}) (bvsdiv {a} {b})))",
        "umod": f"(ite (= {b} {zero}) {a} (bvurem {a} {b}))",
        "smod": f"(ite (= {b} {zero}) {a} (ite (= {b} {ones}) {zero} (bvsrem {a} {b})))",
        "mulhi": f"((_ extract {2 * width - 1} {width}) (bvmul ((_ zero_extend {width}) {a}) "
                 f"((_ zero_extend {width}) {b})))",
        "shl": f"(bvshl {a} {count})",
        "shr": f"(bvlshr {a} {count})",
        "sar": f"(bvashr {a} {count})",
        "rotl": f"(bvor (bvshl {a} {count}) (bvlshr {a} (bvand (bvneg {b}) {number(width - 1, width)})))",
        "neg": f"(bvneg {a})",
        "not": f"(bvnot {a})",
    }[name]


def function(name, width, a, b):
    """What conditions and calculated constants have beside the operations (rule.c)."""
    bits, ones = number(width, width), number(-1, width)
    both = f"(bvult {a} {bits}) (bvult {b} {bits})"
    if name == "ctz":
        term = bits
        for bit in reversed(range(width)):
            term = f"(ite (= ((_ extract {bit} {bit}) {a}) #b1) {number(bit, width)} {term})"
        return term
    claims = {
        "pow2": f"(and (not (= {a} {number(0, width)})) (= (bvand {a} (bvsub {a} {number(1, width)})) "
                f"{number(0, width)}))",
        "covers": f"(= (bvand {a} {number(width - 1, width)}) {number(width - 1, width)})",
        "fits": f"(and {both} (bvult (bvadd {a} {b}) {bits}))",
        "below": f"(bvult {a} {b})",
        "whole": f"(and {both} (= (bvadd {a} {b}) {bits}))",
        "is_width": f"(= {a} {bits})",
        "keeps_high": f"(and (bvult {b} {bits}) (= (bvor {a} (bvnot (bvshl {ones} {b}))) {ones}))",
        "keeps_low": f"(and (bvult {b} {bits}) (= (bvor {a} (bvnot (bvlshr {ones} {b}))) {ones}))",
    }
    return is_true(claims[name], width) if name in claims else None


def operation(name, whole):
    """`add32` is add with a width of its own, `zext32` a name."""
    if re.fullmatch(r"(zext|sext|bswap)\d+", name) or name[-2:] not in ("32", "64"):
        return name, whole
    return name[:-2], int(name[-2:])


def build(term, whole):
    """A term of 64 bits."""
    if isinstance(term, str):
        if term in NAMES[:3]:
            return term
        narrow = resize(term, 64, whole) if term in NAMES else number(int(term, 0), whole)
        return resize(narrow, whole, 64)
    name, width = operation(term[0], whole)
    values = [resize(build(child, whole), 64, width) for child in term[1:]]
    a, b = values[0], values[1] if len(values) > 1 else number(0, width)
    result = function(name, width, a, b) or operate(name, width, a, b)
    return resize(result, width, 64)


def cases_of(condition, width):
    """A constant of few values is tried as each of them: z3 divides and shifts by numbers at once."""
    value = {"pow2": lambda bit: 1 << bit, "fits": lambda bit: bit}.get(condition and condition[0])
    if not value:
        return [""]
    return [f"(assert (= {resize(condition[1], 64, width)} {number(value(bit), width)}))" for bit in range(width)]


def widths_of(pattern):
    """Those of the whole: an operation with a width of its own has no other."""
    plain, width = operation(pattern[0], 0)
    return (64, 32) if not width or plain == pattern[0] else (width,)


def refute(row, width, case):
    """Asserts a counterexample: unsat when the row holds."""
    pattern, result, condition = row
    left = build(pattern, width)
    right = resize(resize(build(result, width), 64, width), width, 64)
    lines = [f"(declare-const {name} (_ BitVec 64))" for name in NAMES]
    if condition:
        lines.append(f"(assert (not (= {build(condition, width)} {number(0, 64)})))")
    lines += [case, f"(assert (not (= {left} {right})))", "(check-sat)"]
    return "\n".join(lines)


def holds_sometimes(row, width):
    """A condition that nothing fulfils would make any row true."""
    lines = [f"(declare-const {name} (_ BitVec 64))" for name in NAMES]
    return "\n".join([*lines, f"(assert (not (= {build(row[2], width)} {number(0, 64)})))", "(check-sat)"])


def ask(queries, seconds):
    script = "\n(reset)\n".join(queries)
    done = subprocess.run(["z3", f"-t:{seconds * 1000}", "-smt2", "-in"], input=script, capture_output=True, text=True)
    return done.stdout.split()


def prove(row, seconds):
    """What keeps the row from being proved; None: nothing does."""
    possible = False
    for width in widths_of(row[0]):
        cases = cases_of(row[2], width)
        answers = ask([refute(row, width, case) for case in cases], seconds)
        if answers != ["unsat"] * len(cases):
            return f"{width} bits: {' '.join(sorted(set(answers)))}"
        possible |= not row[2] or ask([holds_sometimes(row, width)], seconds) == ["sat"]
    return None if possible else "nothing fulfils its condition"


def refuses_what_is_wrong(seconds):
    wrong = [read("(sub x y)"), read("(sub y x)"), ""]
    return prove(wrong, seconds) == "64 bits: sat"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--only", default="")
    parser.add_argument("rows", type=pathlib.Path)
    arguments = parser.parse_args()
    texts = [row for row in ROW.findall(arguments.rows.read_text()) if arguments.only in row[0]]
    if not shutil.which("z3"):
        print("1..0 # SKIP no z3")
        return 0
    print(f"1..{len(texts) + 1}")
    failed = not refuses_what_is_wrong(arguments.seconds)
    print(f"{'not ok' if failed else 'ok'} 1 - what is wrong is refuted")
    for at, text in enumerate(texts, 2):
        row = [read(text[0]), read(text[1]), read(text[2]) if text[2] else ""]
        reason = prove(row, arguments.seconds)
        failed |= reason is not None
        print(f"{'not ok' if reason else 'ok'} {at} - {text[0]} is {text[1]}{': ' + reason if reason else ''}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
