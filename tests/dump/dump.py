#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`skep dump` beside tcpdump: the same packets for each of expressions.txt, the same lines. Prints TAP.

usage: dump.py SKEP
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))

import captures
from harness import Skip, matches, run_all, same

PACKETS = 3000
NO_EXPRESSIONS = "built without libpcap"


class Dump:
    def __init__(self, binary, scratch):
        self.binary, self.work = binary, pathlib.Path(scratch)
        traffic = captures.Traffic(1)
        whole = [traffic.any() for _ in range(PACKETS)]
        packets = [(traffic.cut(packet), len(packet)) for packet in whole]
        usual = [(packet, len(packet)) for packet in (traffic.usual() for _ in range(PACKETS))]
        for name, parts in (("any.pcap", captures.pcap(packets)), ("swapped.pcap", captures.pcap(packets, ">")),
                            ("any.pcapng", captures.pcapng(packets)), ("usual.pcap", captures.pcap(usual))):
            self.path(name).write_bytes(b"".join(parts))

    def path(self, name):
        return self.work / name

    def run(self, *command):
        return subprocess.run([str(word) for word in command], cwd=self.work, capture_output=True, text=True,
                              timeout=60, env={**os.environ, "TZ": "UTC"})

    def skep(self, *arguments):
        return self.run(self.binary, "dump", *arguments)

    def tcpdump(self, *arguments):
        if not shutil.which("tcpdump"):
            raise Skip("no tcpdump")
        return self.run("tcpdump", *arguments)

    def need_expressions(self):
        if NO_EXPRESSIONS in self.skep("-r", "any.pcap", "ip").stderr:
            raise Skip(NO_EXPRESSIONS)


def test_expressions_select_the_same_packets(dump):
    dump.need_expressions()
    lines = [line for line in (HERE / "expressions.txt").read_text().splitlines() if not line.startswith("#")]
    same(len(lines) >= 200, True)
    for line in lines:
        expected = dump.tcpdump("-r", "any.pcap", "-w", "tcpdump.pcap", "--", line)
        got = dump.skep("-r", "any.pcap", "-w", "skep.pcap", "--", line)
        same((got.returncode, expected.returncode), (0, 0), f"{line}: {got.stderr}{expected.stderr}")
        want = list(captures.records(dump.path("tcpdump.pcap")))
        same(list(captures.records(dump.path("skep.pcap"))) == want, True, line)


def test_kinds_of_captures(dump):
    dump.need_expressions()
    for line in ("tcp port 80", "vlan and udp port 53", "ip6", "greater 100"):
        counts = {dump.skep("-r", name, "--count", line).stdout for name in ("any.pcap", "swapped.pcap", "any.pcapng")}
        same(len(counts), 1, line)
        matches(r"^[1-9]\d* packets\n$", counts.pop())


def test_lines(dump):
    for options in ("-nt", "-ne", "-nx", "-nX", "-net"):
        expected = dump.tcpdump("-S", options, "-r", "usual.pcap").stdout.splitlines()
        got = dump.skep(options, "-r", "usual.pcap").stdout.splitlines()
        same([pair for pair in zip(got, expected) if pair[0] != pair[1]][:3], [], options)
        same(len(got), len(expected))


def test_everything_is_shown(dump):
    got = dump.skep("-vnr", "any.pcap", "-t")
    same((got.returncode, got.stderr), (0, ""))
    same(dump.skep("-r", "any.pcap", "--count").stdout, f"{PACKETS} packets\n")
    same(len(dump.skep("-r", "any.pcap").stdout.splitlines()), PACKETS)
    same(len(dump.skep("-r", "any.pcap", "-c", "7").stdout.splitlines()), 7)
    same(dump.skep("-r", "any.pcap", "-j", "--count").stdout, '{"event":"count","packets":%d}\n' % PACKETS)
    matches(r'^\{"event":"packet","time_ns":1700000000000007000,"length":\d+,"captured":\d+,"text":"',
            dump.skep("-r", "any.pcap", "-j", "-c", "1").stdout)


def test_ports(dump):
    got = dump.skep("-i", "gen:flows=5,count=90,proto=udp", "-w", "gen.pcap")
    same((got.returncode, got.stderr), (0, ""))
    same(dump.skep("-r", "gen.pcap", "--count").stdout, "90 packets\n")
    same(dump.skep("-i", "gen:flows=5,count=90,proto=udp", "--count", "-c", "8").stdout, "8 packets\n")
    dump.need_expressions()
    same(dump.skep("-i", "gen:flows=5,count=90,proto=udp", "--count", "tcp").stdout, "0 packets\n")
    same(dump.skep("-i", "gen:flows=5,proto=udp", "--count", "-c", "3", "udp").stdout, "3 packets\n")


def test_mistakes(dump):
    dump.path("cut.pcap").write_bytes(dump.path("any.pcap").read_bytes()[:-1])
    for arguments, message in (
            (["-r", "no.pcap"], "^skep: no.pcap: No such file"),
            ([], "^skep: dump: expected -r FILE or -i PORT"),
            (["-r", "any.pcap", "-i", "gen:count=1"], "^skep: dump: expected -r FILE or -i PORT"),
            (["-i", "nothing"], "^skep: .*nothing"),
            (["-r", "any.pcap", "-w", "/no/file"], "^skep: /no/file: cannot be written"),
            (["-r", "any.pcap", "-c", "x"], "expected a number")):
        got = dump.skep(*arguments)
        same(got.returncode, 2, str(arguments))
        matches(message, got.stderr)
    got = dump.skep("-r", "cut.pcap", "--count")
    same((got.returncode, got.stdout), (2, f"{PACKETS - 1} packets\n"))
    matches(r"^skep: cut\.pcap: packet 3000 at byte \d+: length", got.stderr)
    dump.need_expressions()
    for line, message in (("tcp prt 80", "^skep: expression 'tcp prt 80': .*syntax error"),
                          ("ip6 protochain 17", "^skep: the expression cannot be converted: ")):
        got = dump.skep("-r", "any.pcap", "--count", "--", line)
        same((got.returncode, got.stdout), (2, ""))
        matches(message, got.stderr)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="skep-dump-") as folder:
        run_all(Dump(pathlib.Path(sys.argv[1]).resolve(), folder), [sys.modules["__main__"]])
