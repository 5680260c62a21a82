#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is installed, and a foreign program that is built with nothing else. Prints TAP.

usage: package.py SOURCE-ROOT BUILD-ROOT PREFIX LIBDIR
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HEADERS = ("capture", "error", "inspect", "port", "skep")
CFLAGS = ("-Wall", "-Wextra", "-Werror")
EMBED_SAYS = re.compile(r"gen:\S+: 10000 packets, (\d+) dropped, (\d+) passed\n")


def run(*command, **environment):
    return subprocess.run([str(word) for word in command], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, **environment})


class Package:
    """skep as `meson install` puts it below a temporary root."""

    def __init__(self, source, build, prefix, libdir, root):
        self.source, self.root = source, root
        self.top = root / prefix.lstrip("/")
        self.libdir = self.top / libdir
        self.installed = run("meson", "install", "-C", build, "--no-rebuild", "--destdir", root)

    def files(self):
        headers = [f"include/skep/{name}.h" for name in HEADERS]
        libraries = ["libskep.so", "libskep.so.0", "libskep-preload.so", "pkgconfig/skep.pc"]
        wanted = [self.top / name for name in
                  ("bin/skep", *headers, "share/man/man1/skep.1", "share/man/man1/skep-app-firewall.1",
                   "share/bash-completion/completions/skep")]
        wanted += [self.libdir / name for name in libraries]
        missing = [str(path) for path in wanted if not path.exists()]
        return not missing, self.installed.stdout + "missing: " + " ".join(missing)

    def soname(self):
        got = run("readelf", "-d", self.libdir / "libskep.so")
        return "[libskep.so.0]" in got.stdout, got.stdout

    def command(self):
        got = run(self.top / "bin/skep", "exec", "--", "sh", "-c", "echo $LD_PRELOAD", LD_PRELOAD="")
        wanted = self.libdir / "libskep-preload.so"
        return pathlib.Path(got.stdout.strip() or "/").resolve() == wanted.resolve(), got.stdout

    def embed(self):
        program = self.root / "embed"
        flags = run("pkg-config", "--cflags", "--libs", "skep",
                    PKG_CONFIG_PATH=str(self.libdir / "pkgconfig"),
                    PKG_CONFIG_SYSROOT_DIR=str(self.root))
        got = run("cc", *CFLAGS, self.source / "examples/embed/embed.c", "-o", program,
                  *flags.stdout.split())
        if not got.returncode:
            got = run(program, LD_LIBRARY_PATH=str(self.libdir))
        said = EMBED_SAYS.fullmatch(got.stdout)
        counts = [int(count) for count in said.groups()] if said else [0]
        return min(counts) > 0 and sum(counts) == 10000, flags.stdout + got.stdout

    def header_alone(self, compiler, language, name):
        source = self.root / f"{name}.{language}"
        source.write_text(f"#include <skep/{name}.h>\n")
        got = run(compiler, *CFLAGS, "-fsyntax-only", "-I", self.top / "include", source)
        return not got.returncode, got.stdout

    def headers(self, compiler, language):
        results = [self.header_alone(compiler, language, name) for name in HEADERS]
        return all(ok for ok, _ in results), "".join(text for _, text in results)


def main():
    source, build = (pathlib.Path(argument) for argument in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as root:
        package = Package(source, build, *sys.argv[3:5], pathlib.Path(root))
        checks = [("all files are installed", package.files),
                  ("the library's name", package.soname),
                  ("the installed command finds the preload library", package.command),
                  ("examples/embed is built with pkg-config and runs", package.embed),
                  ("each header stands alone in C", lambda: package.headers("cc", "c")),
                  ("each header stands alone in C++", lambda: package.headers("c++", "cc"))]
        print(f"1..{len(checks)}")
        for number, (title, check) in enumerate(checks, 1):
            if "C++" in title and not shutil.which("c++"):
                print("ok", number, "-", title, "# SKIP no C++ compiler")
                continue
            passed, details = check()
            if not passed:
                print("\n".join("# " + line for line in details.splitlines()))
            print("ok" if passed else "not ok", number, "-", title)


if __name__ == "__main__":
    main()
