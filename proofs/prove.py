#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Proves the obligations (obligations/) of the verifier's arithmetic with z3, as TAP.

usage: prove.py [--clang CLANG] [--seconds N] [--long] [--only TEXT] [--save DIR] SOURCE...

The sources are compiled to LLVM's text form without optimisation, each obligation is executed on
terms (execute.py), and what it claims is put to z3, claim by claim. Obligations are the functions
`proof_NAME`; `long_NAME` are tried with --long only; of `refuted_NAME` a claim must be found false.
"""
import argparse
import io
import multiprocessing
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

import execute
import ir
import terms

TRAPS = "signed-integer-overflow,shift,integer-divide-by-zero,builtin,array-bounds"
KINDS = ("proof_", "long_", "refuted_")


def compile_source(clang, path):
    root = pathlib.Path(__file__).resolve().parent.parent
    # Without passes, functions that are always inlined stay functions, which contracts can stand for.
    command = [clang, "-std=gnu17", "-O0", "-Xclang", "-disable-llvm-passes", "-S", "-emit-llvm",
               "-fno-discard-value-names", "-w",
               f"-fsanitize={TRAPS}", f"-fsanitize-trap={TRAPS}", "-D_GNU_SOURCE",
               f"-I{root}", f"-I{root / 'include'}", f"-I{root / 'src'}", "-o", "-", str(path)]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return ir.read_module(text)


def ask(counter, seconds, save):
    """z3's answer: unsat (the claim holds), sat with a counterexample, or unknown."""
    if counter is terms.FALSE:
        return "unsat", ""
    script = terms.smt_lib(counter)
    if save:
        save.write_text(script)
    limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    result = subprocess.run(["z3", "-in"], input=script, capture_output=True, text=True, preexec_fn=limit)
    answer, _, model = result.stdout.partition("\n")
    return (answer, model) if answer in ("sat", "unsat") else ("unknown", "")


class Prover:
    """Obligations do not depend on each other: as many are proved at a time as there are processors."""

    def __init__(self, options):
        self.options = options
        self.modules = [compile_source(options.clang, source) for source in options.sources]

    def obligations(self):
        kinds = [kind for kind in KINDS if self.options.long or kind != "long_"]
        for module in self.modules:
            for name in module.functions:
                if any(name.startswith("@" + kind) for kind in kinds) and self.options.only in name:
                    yield name[1:]

    def prove(self, name):
        """Whether the obligation is met, the answers to its claims, what there is to say, and the seconds."""
        start = time.time()
        execution = execute.Execution(self.modules)
        answers, notes = [], io.StringIO()
        for number, claim in enumerate(execution.run("@" + name)):
            save = self.options.save and self.options.save / f"{name}_{number}.smt2"
            answer, model = ask(claim.counter, self.options.seconds, save)
            answers.append(answer)
            if answer == "unknown":
                print(f"# {name}: no answer on claim {number} ({claim.text})", file=notes)
            elif answer == "sat" and name.startswith("refuted_"):
                break
            elif answer == "sat":
                print(f"# {name}: claim {number} ({claim.text}) is false for", file=notes)
                print("".join(f"#   {line}\n" for line in model.splitlines()), end="", file=notes)
        is_met = "sat" in answers if name.startswith("refuted_") else set(answers) <= {"unsat"}
        return is_met, answers, notes.getvalue(), time.time() - start

    def run(self):
        global prover
        prover = self
        names = list(self.obligations())
        print(f"1..{len(names)}")
        failures, given = 0, []
        with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as pool:
            for number, result in enumerate(pool.imap(prove_by_name, names), 1):
                is_met, answers, notes, seconds = result
                failures += not is_met
                given += answers
                print(f"{notes}{'ok' if is_met else 'not ok'} {number} - {names[number - 1].replace('_', ' ')}"
                      f" # {seconds:.1f} s", flush=True)
            pool.close()
            pool.join()
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"# {len(given)} claims, {given.count('unsat')} proved, {given.count('unknown')} without an answer;"
              f" {cpu.ru_utime:.0f} s of processor time")
        return failures != 0


prover = None  # the one of the processes that are forked


def prove_by_name(name):
    return prover.prove(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clang", default="clang")
    parser.add_argument("--seconds", type=int, default=60, help="of z3 for one claim")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", default="", metavar="TEXT")
    parser.add_argument("--save", type=pathlib.Path, metavar="DIR")
    parser.add_argument("sources", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    if not shutil.which("z3") or not shutil.which(options.clang):
        print("1..0 # SKIP z3 and clang are needed")
        return 0
    return Prover(options).run()


if __name__ == "__main__":
    sys.exit(main())
