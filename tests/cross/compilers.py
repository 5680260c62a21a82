#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What this build's compiler takes, the other one takes too, with the same warnings as errors.

usage: compilers.py BUILD COMPILER

One TAP line for each folder of sources. Nothing is generated: the files are only read.
"""
import collections
import concurrent.futures
import json
import pathlib
import shlex
import shutil
import subprocess
import sys

WITH_VALUE = ("-o", "-MQ", "-MF")
WITHOUT = ("-MD", "-c", "ccache")
WAITING = 300


def reading(command, compiler):
    """The command that reads the file as the one of the build does."""
    words, kept = iter(shlex.split(command)), []
    for word in words:
        if word in WITH_VALUE:
            next(words)
        elif word not in WITHOUT:
            kept.append(word)
    return [compiler, *kept[1:], "-fsyntax-only", "-fno-color-diagnostics", "-Wno-unknown-warning-option"]


def complaints(entry, compiler):
    got = subprocess.run(reading(entry["command"], compiler), cwd=entry["directory"], capture_output=True, text=True,
                         timeout=WAITING)
    return got.stderr if got.returncode else ""


def main():
    build, compiler = pathlib.Path(sys.argv[1]), sys.argv[2]
    if not shutil.which(compiler):
        print(f"1..0 # SKIP {compiler} is not installed")
        return
    files = {entry["file"]: entry for entry in json.loads((build / "compile_commands.json").read_text())
             if not pathlib.PurePath(entry["file"]).is_absolute() and entry["file"].startswith("../")}
    folders = collections.defaultdict(list)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, said in zip(files, pool.map(lambda entry: complaints(entry, compiler), files.values())):
            folders[str(pathlib.PurePath(name).parent).removeprefix("../")].append(said)
    for number, (folder, texts) in enumerate(sorted(folders.items()), 1):
        bad = [line for said in texts for line in said.splitlines()]
        for line in bad:
            print(f"# {line}")
        print(f"{'not ' if bad else ''}ok {number} - {folder}, {len(texts)} files")
    print(f"1..{len(folders)}")


if __name__ == "__main__":
    main()
