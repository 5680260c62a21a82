#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the kernel's own cases (lib/test_bpf.c) by all executors, as TAP.

usage: main.py RUNNER CC CACHE

They are read from Debian's package linux-source-6.1, and nothing of it is kept but in the folder CACHE.
"""
import os
import pathlib
import subprocess
import sys
import tarfile

TARBALL = pathlib.Path("/usr/src/linux-source-6.1.tar.xz")
FILES = {"lib/test_bpf.c": "test_bpf.c", "tools/include/linux/filter.h": "suite_filter.h"}
# Where the table ends, and what runs it in the kernel begins.
END = "\nstatic struct net_device dev;"


def unpack(cache):
    wanted = {name: cache / to for name, to in FILES.items() if not (cache / to).exists()}
    if not wanted:
        return
    with tarfile.open(TARBALL) as archive:
        for member in archive:
            to = wanted.pop(member.name.partition("/")[2], None)
            if to:
                part = to.with_suffix(".part")
                part.write_bytes(archive.extractfile(member).read())
                part.rename(to)
            if not wanted:
                return
    raise FileNotFoundError(f"{TARBALL} has no {', '.join(wanted)}")


def write_table(cache):
    text = (cache / "test_bpf.c").read_text()
    head = text[: text.index(END)]
    lines = [line for line in head.splitlines() if not line.startswith("#include")]
    (cache / "suite_table.h").write_text("\n".join(lines) + "\n")


def make_cases(compiler, cache):
    here = pathlib.Path(__file__).resolve().parent
    program, cases = cache / "cases", cache / "cases.bin"
    subprocess.run([*compiler.split(), "-O0", "-w", "-std=gnu17", f"-I{cache}", f"-I{here}", here / "cases.c",
                    "-o", program], check=True)
    with open(cases, "wb") as out:
        subprocess.run([program], stdout=out, check=True)
    return cases


def main():
    runner, compiler, cache = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    if not TARBALL.exists():
        print("1..0 # SKIP no linux-source-6.1")
        return 0
    cache.mkdir(parents=True, exist_ok=True)
    unpack(cache)
    write_table(cache)
    return subprocess.run([runner, os.fspath(make_cases(compiler, cache))], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
