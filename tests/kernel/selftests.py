# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's own tests of bpf(2), from Debian's linux-source-6.1."""
import fcntl
import pathlib
import shutil
import subprocess

SOURCE = pathlib.Path("/usr/src/linux-source-6.1.tar.xz")
NEEDED = ("*/tools/testing/selftests/bpf/*", "*/tools/include/*", "*/tools/arch/*/include/*",
          "*/include/linux/filter.h")


class Missing(Exception):
    """Why they cannot be run here."""


def unpack(folder):
    """Their folder, which is there as a whole or not at all: several tests may ask for it at once."""
    if not SOURCE.exists():
        raise Missing(f"no {SOURCE}: apt-get install linux-source-6.1")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "unpacking").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            subprocess.run(["tar", "xf", SOURCE, "-C", part, "--strip-components=1", "--wildcards", *NEEDED], check=True)
            part.rename(folder)
    return folder / "tools/testing/selftests/bpf"
