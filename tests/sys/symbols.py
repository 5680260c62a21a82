#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""symbols.py LIBRARY SKEP_MAP HEADER...: headers, version script and library name the same
functions; as TAP."""
import pathlib
import re
import subprocess
import sys

DECLARATION = re.compile(r"SKEP_API[^;(]*?\b(skep_\w+)\s*\(")


def main():
    library, script, *headers = sys.argv[1:]
    declared = {name for header in headers
                for name in DECLARATION.findall(pathlib.Path(header).read_text())}
    listed = set(re.findall(r"^\t(skep_\w+);", pathlib.Path(script).read_text(), re.M))
    output = subprocess.run(["nm", "-D", "--defined-only", library], check=True,
                            capture_output=True, text=True).stdout
    exported = set(re.findall(r" T (\w+)@@", output))
    for number, (name, other) in enumerate((("version script", listed), ("library", exported)), 1):
        print("ok" if other == declared else "not ok", number, "- the", name,
              "has the headers' functions", *sorted(other ^ declared))
    print("1..2")


if __name__ == "__main__":
    main()
