#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The two sides of a ring as two processes: examples/ring and `skep run`. Prints TAP.

usage: ring.py RING SKEP OBJECT
"""
import json
import pathlib
import subprocess
import sys
import tempfile

COUNT = 100000


def both(ring, skep, program, path, words=""):
    """What examples/ring printed, and the port's line of skep."""
    port = subprocess.Popen([skep, "run", program, "--on", f"ring:{path}{words}", "-j"], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    peer = subprocess.run([ring, path, str(COUNT)], text=True, capture_output=True, timeout=120)
    out, err = port.communicate(timeout=120)
    lines = [json.loads(line) for line in out.splitlines()]
    return peer.stdout + peer.stderr, next((line for line in lines if line["event"] == "port"), err)


def main():
    ring, skep, program = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        # Whoever comes first makes the file; the program passes all packets, which end there.
        shown, port = both(ring, skep, program, str(pathlib.Path(folder) / "bees"))
    good = shown == f"{COUNT} given, 0 came back\n" and port["packets"] == port["pass"] == COUNT
    print("1..1")
    print(f"{'ok' if good else 'not ok'} 1 - two processes exchange packets through a ring")
    if not good:
        print(f"# {shown!r} {port}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
