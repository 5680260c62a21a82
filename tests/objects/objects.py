# SPDX-License-Identifier: BSD-2-Clause
"""Objects of C programs: compiled, listed, and verified by skep or by Linux. For main.py and tools/versus."""
import fcntl
import json
import os
import pathlib
import re
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent
KERNEL_TYPES = pathlib.Path("/sys/kernel/btf/vmlinux")
TIMEOUT = 120


class Failure(Exception):
    """Why an object could not be made or read."""


class Missing(Exception):
    """What this machine lacks to make it."""


def run(*command):
    got = subprocess.run(command, capture_output=True, text=True)
    if got.returncode:
        raise Failure(f"{pathlib.Path(command[0]).name}: {got.stderr or got.stdout}")
    return got.stdout


def is_current(made, *sources):
    return made.exists() and all(made.stat().st_mtime >= source.stat().st_mtime for source in sources)


class Workshop:
    """Makes objects in a folder, each again when its source is newer; one process at a time."""

    def __init__(self, folder, clang="clang-19"):
        self.folder, self.clang = folder, clang
        folder.mkdir(parents=True, exist_ok=True)
        self.lock = open(folder / ".lock", "w")

    def __enter__(self):
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_):
        fcntl.flock(self.lock, fcntl.LOCK_UN)

    def kernel_header(self):
        """vmlinux.h, made anew for each kernel that is booted."""
        header, version = self.folder / "vmlinux.h", self.folder / "vmlinux.version"
        if not os.access(KERNEL_TYPES, os.R_OK):
            raise Missing("the kernel's types cannot be read")
        if not header.exists() or not version.exists() or version.read_text() != os.uname().version:
            header.write_text(run("bpftool", "btf", "dump", "file", str(KERNEL_TYPES), "format", "c"))
            version.write_text(os.uname().version)
        return header

    def compile(self, source):
        """The object's path."""
        object_file = self.folder / (source.name.removesuffix(".c") + ".o")
        needed = [source, *FOLDER.glob("*.h"), *source.parent.glob("*.h")]
        if "vmlinux.h" in source.read_text():
            needed.append(self.kernel_header())
        if not is_current(object_file, *needed):
            run(self.clang, "-target", "bpf", "-mcpu=v4", "-g", "-O2", "-Wall", "-Wno-unused-function",
                "-Wno-missing-declarations", "-I", str(self.folder), "-I", str(FOLDER),
                "-I/usr/include/x86_64-linux-gnu", "-c", str(source), "-o", str(object_file))
        return object_file


def tags(object_file):
    """{function: [declaration tag, ...]} as the object's BTF has them."""
    types = json.loads(run("bpftool", "-j", "btf", "dump", "file", str(object_file)))["types"]
    functions = {row["id"]: row["name"] for row in types if row["kind"] == "FUNC"}
    found = {}
    for row in types:
        if row["kind"] == "DECL_TAG" and row["type_id"] in functions and row["component_idx"] == -1:
            found.setdefault(functions[row["type_id"]], []).append(row["name"])
    return found


def programs(object_file):
    """The global functions in the sections of programs, in the order of the symbol table."""
    found = []
    for line in run("readelf", "-sW", str(object_file)).splitlines():
        fields = line.split()
        if len(fields) == 8 and fields[3] == "FUNC" and fields[4] == "GLOBAL":
            found.append((int(fields[6]), fields[7]))
    sections = dict(re.findall(r"^\s*\[\s*(\d+)\]\s+(\S+)", run("readelf", "-SW", str(object_file)), re.M))
    return [name for section, name in found if sections[str(section)] != ".text"]


class Verdict:
    """What `skep verify` said: word is accept, reject or none."""

    def __init__(self, got):
        self.word = {0: "accept", 1: "reject", 2: "none"}.get(got.returncode, f"exit {got.returncode}")
        self.message = got.stderr.split("\n", 1)[0] if got.returncode else ""
        self.log = got.stdout + got.stderr

    def processed(self):
        """How many instructions were, as the log of level 4 says."""
        return int(re.search(r"^processed (\d+) insns", self.log, re.MULTILINE)[1])

    def __str__(self):
        return f"{self.word}{': ' if self.message else ''}{self.message}"


def verify(skep, object_file, program, target, *options):
    command = [str(skep), "verify", "--target", target, "--program", program, *options, str(object_file)]
    try:
        return Verdict(subprocess.run(command, capture_output=True, text=True, errors="replace",
                                      stdin=subprocess.DEVNULL, timeout=TIMEOUT))
    except subprocess.TimeoutExpired:
        return Verdict(subprocess.CompletedProcess(command, "timeout", "", f"more than {TIMEOUT} s"))
