# SPDX-License-Identifier: BSD-2-Clause
"""Runs `skep` and keeps account of the commands and options that were used; a small TAP writer."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import traceback

TIMEOUT = 60


class Skip(Exception):
    """The reason why a test cannot run here."""


class Skep:
    """One scratch folder with the test's objects, and `skep` run in it."""

    def __init__(self, source, build, binary):
        self.source, self.build, self.binary = source, build, binary
        self.scratch = tempfile.TemporaryDirectory(prefix="skep-cli-")
        self.work = pathlib.Path(self.scratch.name)
        self.used = set()
        os.chmod(self.work, 0o755)
        for name in ("firewall", "tailcall", "counter"):
            self.path(name + ".bpf.o").write_bytes(
                (build / "tests" / "examples" / (name + ".bpf.elf")).read_bytes())
        for name in ("events", "known", "lacking", "lost", "offloaded", "pinned", "rejected",
                     "rejected_late", "replaced", "replacing", "route", "sections", "spread",
                     "untyped"):
            self.path(name + ".bpf.c").write_text((source / "tests/cli" / (name + ".bpf.c")).read_text())
        for path in (source / "examples/chain").glob("*.bpf.c"):
            self.path(path.name).write_text(path.read_text())

    def path(self, name):
        return self.work / name

    def command(self, *arguments):
        """The command line; its words and options count as used."""
        self.used.update(re.match(r"-+[a-z-]+", word).group() for word in arguments
                         if re.match(r"--?[a-z]", word))
        words = [word for word in arguments if not word.startswith("-")]
        self.used.update((" ".join(words[:1]), " ".join(words[:2])))
        return [str(self.binary), *arguments]

    def __call__(self, *arguments, prefix=(), **options):
        options = {"capture_output": True, "text": True, "timeout": TIMEOUT, "cwd": self.work,
                   "stdin": subprocess.DEVNULL, **options}
        return subprocess.run([*prefix, *self.command(*arguments)], **options)

    def ok(self, *arguments, **options):
        """What a command prints that must succeed."""
        got = self(*arguments, **options)
        same(got.returncode, 0, got.stderr)
        return got.stdout

    def json(self, *arguments):
        return json.loads(self.ok(*arguments))

    def lines(self, *arguments):
        """The objects of NDJSON."""
        return [json.loads(line) for line in self.ok(*arguments).splitlines()]

    def fails(self, code, pattern, *arguments, **options):
        """The first line of stderr matches, no signal ended it, and the exit code is right."""
        got = self(*arguments, **options)
        first = got.stderr.split("\n")[0] if isinstance(got.stderr, str) else ""
        same(got.returncode, code, f"{arguments}: {got.stderr}")
        matches(pattern, first)
        return got


def same(got, want, note=""):
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r} {note}")


def matches(pattern, text):
    if not re.search(pattern, text):
        raise AssertionError(f"no {pattern!r} in {text!r}")


def rows(path, macro):
    """The string arguments of each row of a .def table, by its id."""
    for line in path.read_text().splitlines():
        match = re.match(rf"{macro}\((\w+), (.*)\)\s*$", line)
        if match:
            yield match.group(1), re.findall(r'"((?:[^"\\]|\\.)*)"', match.group(2))


def run_all(skep, modules):
    tests = [(name, function) for module in modules for name, function in vars(module).items()
             if name.startswith("test_")]
    print(f"1..{len(tests)}")
    for number, (name, function) in enumerate(tests, 1):
        title = name.removeprefix("test_").replace("_", " ")
        try:
            function(skep)
            print(f"ok {number} - {title}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {title} # SKIP {reason}", flush=True)
        except Exception:
            print(f"not ok {number} - {title}")
            print("\n".join("# " + line for line in traceback.format_exc().splitlines()[-12:]), flush=True)
