# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's own tests of bpf(2), from Debian's linux-source-6.1."""
import pathlib
import subprocess

SOURCE = pathlib.Path("/usr/src/linux-source-6.1.tar.xz")
NEEDED = ("*/tools/testing/selftests/bpf/*", "*/tools/include/*", "*/tools/arch/*/include/*",
          "*/include/linux/filter.h")


class Missing(Exception):
    """Why they cannot be run here."""


def unpack(folder):
    """Their folder."""
    if not SOURCE.exists():
        raise Missing(f"no {SOURCE}: apt-get install linux-source-6.1")
    tests = folder / "tools/testing/selftests/bpf"
    if not (tests / "test_verifier.c").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "xf", SOURCE, "-C", folder, "--strip-components=1", "--wildcards", *NEEDED], check=True)
    return tests
