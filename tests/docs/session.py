#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the terminal sessions of a document and compares what it shows. Prints TAP.

usage: session.py DOCUMENT BUILD-DIR

A session is a ```console block: "$ command" lines ("> " continues one), each followed by
its output. In the output "..."
stands for anything within a line, and a line "..." for any lines. A block that begins with a comment
"# not run: reason" is counted as skipped. Commands see build/ as a link to BUILD-DIR.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TIMEOUT = 120


def sessions(text):
    """Each command with its expected output, and the reason not to run it or None."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        reason = re.match(r"# not run: (.*)\n", block)
        for step in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = step.partition("\n")
            while output.startswith("> ") or output.startswith(">\n"):
                more, _, output = output.partition("\n")
                command += "\n" + more[2:]
            yield command, output, reason and reason.group(1)


def pattern(expected):
    lines = []
    for line in expected.rstrip("\n").split("\n"):
        if line.strip() == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            lines.append(r"[^\n]*?".join(map(re.escape, line.rstrip().split("..."))) + r"[ \t]*\n")
    return re.compile("".join(lines) + r"\Z")


def prepare(root, build):
    """A folder that looks like the repository, with build/ and out/ of its own."""
    work = pathlib.Path(tempfile.mkdtemp(prefix="skep-session-"))
    for entry in root.iterdir():
        if entry.name not in ("build", "out", ".git"):
            (work / entry.name).symlink_to(entry)
    (work / "build").symlink_to(build)
    (work / "out").mkdir()
    return work


def main():
    document, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    work = prepare(document.parent, build)
    steps = list(sessions(document.read_text()))
    print(f"1..{len(steps)}")
    for number, (command, expected, reason) in enumerate(steps, 1):
        title = command.split("\n")[0].replace("#", "")
        if reason:
            print(f"ok {number} - {title} # SKIP {reason}")
            continue
        got = subprocess.run(command, shell=True, cwd=work, text=True, capture_output=True,
                             timeout=TIMEOUT, env={**os.environ, "LC_ALL": "C.UTF-8"})
        shown = got.stdout + got.stderr
        good = bool(pattern(expected).match(shown)) if expected.strip() else not shown.strip()
        print(f"{'ok' if good else 'not ok'} {number} - {title}")
        if not good:
            print("\n".join("# " + line for line in ["expected:", *expected.split("\n"), "shown:",
                                                      *shown.split("\n")]))
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
