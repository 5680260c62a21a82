#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The programs of *.bpf.c against what their sources expect (verdict.h). Prints TAP: one line per
program and set of rights.

usage: main.py skep|linux [PART-OF-FILE/PROGRAM] [--build DIR]
"""
import argparse
import pathlib
import sys

sys.dont_write_bytecode = True

import objects

RIGHTS = {"verdict": "admin", "unprivileged": "none", "cap_bpf": "bpf"}


class Expectation:
    """One program with one set of rights: what its tags ask for on a target."""

    def __init__(self, kind, tags, target):
        values = dict(tag.split(":", 1) for tag in tags if tag.split(":", 1)[0] in RIGHTS | {"linux": 0})
        is_other = target == "linux" and kind == "verdict" and "linux" in values
        self.word, _, self.message = values["linux" if is_other else kind].partition(":")
        self.log = [tag.removeprefix("log:") for tag in tags if tag.startswith("log:")]
        self.options = ["--rights", RIGHTS[kind]]
        for name in ("flags", "log_level"):
            self.options += [word for tag in tags if tag.startswith(name + ":")
                             for word in ("--" + name.replace("_", "-"), tag.split(":", 1)[1])]
        self.processed = min((int(tag.removeprefix("processed:")) for tag in tags
                              if tag.startswith("processed:") and target == "skep"), default=None)
        if self.processed:
            self.options += ["--log-level", "4"]

    def miss(self, got):
        """What is not as expected; "": nothing."""
        if got.word != self.word or self.message not in got.message:
            return f"want {self.word}{': ' if self.message else ''}{self.message}\n got {got}"
        if self.processed and got.processed() > self.processed:
            return f"want at most {self.processed} processed instructions\n got {got.processed()}"
        missing = [part for part in self.log if part not in got.log]
        return f"the log lacks {missing}:\n{got.log}" if missing else ""


class Report:
    def __init__(self):
        self.count = 0

    def line(self, name, trouble="", skip=""):
        self.count += 1
        print(f"{'not ok' if trouble else 'ok'} {self.count} - {name}{' # SKIP ' if skip else ''}{skip}")
        for line in trouble.splitlines():
            print("# " + line)
        sys.stdout.flush()


def is_host_refusal(target, want, got):
    """Linux gave no verdict: it refused the program before it looked at it."""
    return target == "linux" and got.word == "none" and want.word != "none"


def test_object(report, skep, object_file, target, part):
    for program, tags in sorted(objects.tags(object_file).items()):
        name = f"{object_file.name.removesuffix('.bpf.o')}/{program}"
        kinds = [kind for kind in RIGHTS if any(tag.startswith(kind + ":") for tag in tags)]
        for kind in kinds if part in name else []:
            want = Expectation(kind, tags, target)
            got = objects.verify(skep, object_file, program, target, *want.options)
            title = name if kind == "verdict" else f"{name} {kind}"
            if is_host_refusal(target, want, got):
                report.line(title, skip=got.message)
            else:
                report.line(title, want.miss(got))


def test_all(report, arguments):
    for source in sorted(objects.FOLDER.glob("*.bpf.c")):
        try:
            with objects.Workshop(arguments.build / "tests/objects") as workshop:
                object_file = workshop.compile(source)
            test_object(report, arguments.build / "skep", object_file, arguments.target, arguments.part)
        except objects.Missing as reason:
            report.line(source.name, skip=str(reason))
        except objects.Failure as trouble:
            report.line(source.name, str(trouble))


def has_bpf(skep, build):
    with objects.Workshop(build / "tests/objects") as workshop:
        smallest = workshop.compile(objects.FOLDER / "least.bpf.c")
    return objects.verify(skep, smallest, "least", "linux").word == "accept"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target", choices=("skep", "linux"))
    parser.add_argument("part", nargs="?", default="")
    parser.add_argument("--build", type=pathlib.Path, default=objects.FOLDER.parents[1] / "build")
    arguments = parser.parse_args()
    report = Report()
    if arguments.target == "linux" and not has_bpf(arguments.build / "skep", arguments.build):
        print("1..0 # SKIP bpf(2) is not allowed here")
        return
    test_all(report, arguments)
    print(f"1..{report.count}")


if __name__ == "__main__":
    main()
