#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The examples on real traffic: skep's verdicts and bytes against the live kernel's. Prints TAP.

usage: examples.py SOURCE-ROOT BUILD-ROOT COMPARE SKEP
"""
import json
import pathlib
import subprocess
import sys

PROGRAMS = {"firewall": "firewall", "counter": "counter", "nat": "nat", "encap": "encap",
            "tailcall": "parse_ethernet"}
GENERATED = "gen:flows=500,count=20000,udpflood=10,synflood=10,ipv6=20,vlan=10,size=60-1500,out="


def run(*command):
    return subprocess.run([str(word) for word in command], text=True, capture_output=True)


def capture(root, path):
    """Real traffic where namespaces may be made; the reason when not."""
    if path.exists():
        return None
    got = run(root / "tools/capture", path, 2)
    return None if got.returncode == 0 else got.stderr.strip() or "tools/capture failed"


def main():
    root, build, compare, skep = (pathlib.Path(a).resolve() for a in sys.argv[1:])
    out = build / "tests" / "examples"
    real, generated = out / "traffic.pcap", out / "generated.pcap"
    reason = capture(root, real)
    made = run(skep, "run", root / "examples/counter/counter.bpf.c", "-j", "--on",
               GENERATED + str(generated))
    lines = [json.loads(line) for line in made.stdout.splitlines()]
    ports = [line for line in lines if line.get("event") == "port"]
    results = [(made.returncode == 0 and ports and ports[0]["packets"] == 20000,
                "the generator makes what it was asked for", made.stderr)]
    for name, program in PROGRAMS.items():
        for path, missing in ((real, reason), (generated, None)):
            title = f"{name} on {path.stem}"
            if missing:
                print(f"# {missing}")
                results.append((None, title, missing))
                continue
            got = run(compare, out / f"{name}.bpf.elf", program, path)
            results.append((None if got.returncode == 77 else got.returncode == 0, title,
                            got.stdout if got.returncode != 77 else "no bpf(2) here"))
    print(f"1..{len(results)}")
    for number, (good, title, text) in enumerate(results, 1):
        if good is None:
            print(f"ok {number} - {title} # SKIP {text}")
            continue
        print("\n".join(line if line.startswith("#") else "# " + line for line in text.splitlines()))
        print(f"{'ok' if good else 'not ok'} {number} - {title}")


if __name__ == "__main__":
    main()
