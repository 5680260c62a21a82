#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `skep verify` says of common mistakes, word for word. Prints TAP.

usage: explain.py FOLDER SKEP [--rewrite]

Each NAME.bpf.c of the folder is rejected with the text in NAME.txt; a line "/* options: ... */" in it has options for
`skep verify`. --rewrite makes the texts anew:
look at what `git diff` shows of them.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

COMPILER = "clang-19"  # others put other columns into the line info


def said(folder, skep, source):
    """The text on stderr, with the exit code."""
    options = re.search(r"/\* options: (.*) \*/", source.read_text())
    got = subprocess.run([skep, "verify", "--color=never", *(options.group(1).split() if options else []), source.name], cwd=folder, text=True, capture_output=True,
                         timeout=120, env={**os.environ, "SKEP_CLANG": COMPILER})
    return f"{got.stderr}exit code {got.returncode}\n"


def main():
    folder, skep = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    sources = sorted(folder.glob("*.bpf.c"))
    if not shutil.which(COMPILER):
        print(f"1..0 # SKIP no {COMPILER}")
        return
    if "--rewrite" in sys.argv:
        for source in sources:
            pathlib.Path(str(source).replace(".bpf.c", ".txt")).write_text(said(folder, skep, source))
        return
    print(f"1..{len(sources)}")
    for number, source in enumerate(sources, 1):
        want = pathlib.Path(str(source).replace(".bpf.c", ".txt")).read_text()
        got = said(folder, skep, source)
        print(f"{'ok' if got == want else 'not ok'} {number} - {source.name.removesuffix('.bpf.c')}", flush=True)
        if got != want:
            print("\n".join("# " + line for line in ["expected:", *want.split("\n"), "said:", *got.split("\n")]))


main()
