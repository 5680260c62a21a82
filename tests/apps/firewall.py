#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The firewall: rules beside a model of them, limits, amplifiers, challenges with real clients. Prints TAP.

usage: firewall.py SKEP
"""
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "cli"), str(HERE.parent / "dump")]

import captures
from harness import Skip, matches, run_all, same

PACKETS = 2000
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmp6": 58}
FLAGS = ["fin", "syn", "rst", "psh", "ack", "urg"]


class Firewall:
    def __init__(self, binary, scratch):
        self.binary, self.work = binary, pathlib.Path(scratch)

    def path(self, name):
        return self.work / name

    def config(self, *lines):
        self.path("a.conf").write_text("".join(line + "\n" for line in lines))

    def run(self, *arguments):
        return subprocess.run([str(self.binary), "app", "firewall", "a.conf", *arguments], cwd=self.work,
                              capture_output=True, text=True, timeout=120)

    def ok(self, *arguments):
        """What was counted by rule, and the first port."""
        got = self.run(*arguments, "-j")
        same((got.returncode, got.stderr), (0, ""))
        lines = [json.loads(line) for line in got.stdout.splitlines()]
        rules = {line["rule"]: line["packets"] for line in lines if line["event"] == "rule"}
        return rules, next(line for line in lines if line["event"] == "port")


# --- a model of rules ---

def fields(packet):
    """Of a packet that is no fragment: family, addresses, protocol, ports and flags (None: it has none)."""
    at = 12
    while packet[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    kind, ip = packet[at:at + 2], packet[at + 2:]
    if kind == b"\x08\x00":
        family, source, target, protocol, header = 4, ip[12:16], ip[16:20], ip[9], (ip[0] & 15) * 4
    elif kind == b"\x86\xdd":
        family, source, target, protocol, header = 6, ip[8:24], ip[24:40], ip[6], 40
    else:
        return None
    ports = struct.unpack_from("!HH", ip, header) if protocol in (6, 17) else None
    return family, source, target, protocol, ports, ip[header + 13] & 63 if protocol == 6 else None


def has_prefix(address, prefix):
    """`prefix`: (bytes, length)."""
    number = lambda data: int.from_bytes(data, "big") >> (8 * len(data) - prefix[1])
    return len(address) == len(prefix[0]) and number(address) == number(prefix[0])


def text_of(prefix):
    if len(prefix[0]) == 4:
        return ".".join(map(str, prefix[0])) + f"/{prefix[1]}"
    return ":".join(prefix[0][i:i + 2].hex() for i in range(0, 16, 2)) + f"/{prefix[1]}"


def cut(address, length):
    bits = 8 * len(address)
    return ((int.from_bytes(address, "big") >> (bits - length)) << (bits - length)).to_bytes(len(address), "big"), length


class Rule:
    def __init__(self, rng, packet):
        """Conditions that this packet mostly meets."""
        family, source, target, protocol, ports, flags = packet
        self.action = rng.choice(["pass", "drop"])
        pick = lambda: rng.random() < 0.4
        bits = 8 * len(source)
        self.source = cut(source, rng.randrange(bits - 4, bits + 1)) if pick() else None
        self.target = cut(target, rng.randrange(bits - 4, bits + 1)) if pick() else None
        self.protocol = protocol if pick() or pick() else None
        self.ports = [None, None]
        self.flags = None
        if ports and self.protocol in (None, 6, 17):
            self.ports = [(max(port - rng.randrange(500), 0), port) if pick() else None for port in ports]
        if flags and pick() and self.protocol in (None, 6):
            self.flags = (rng.randrange(64) | 2, flags)

    def text(self):
        words = [self.action]
        words += ["from", text_of(self.source)] if self.source else []
        words += ["to", text_of(self.target)] if self.target else []
        words += ["proto", str(self.protocol)] if self.protocol is not None else []
        for name, ports in zip(("sport", "dport"), self.ports):
            words += [name, f"{ports[0]}-{ports[1]}"] if ports else []
        if self.flags:
            words += ["flags", ",".join(("" if self.flags[1] >> i & 1 else "!") + FLAGS[i] for i in range(6)
                                        if self.flags[0] >> i & 1)]
        return " ".join(words)

    def is_met(self, packet):
        _, source, target, protocol, ports, flags = packet
        return all((not self.source or has_prefix(source, self.source),
                    not self.target or has_prefix(target, self.target),
                    self.protocol is None or protocol == self.protocol,
                    all(not wanted or (ports and wanted[0] <= ports[i] <= wanted[1])
                        for i, wanted in enumerate(self.ports)),
                    not self.flags or (flags is not None and flags & self.flags[0] == self.flags[1] & self.flags[0])))


def test_rules_beside_a_model(firewall):
    traffic = captures.Traffic(3)
    packets = [traffic.usual() for _ in range(PACKETS)]
    # What no stack sends is dropped before rules.
    packets = [packet for packet in packets if not fields(packet) or fields(packet)[5] != 0x29]
    firewall.path("in.pcap").write_bytes(b"".join(captures.pcap([(packet, len(packet)) for packet in packets])))
    for seed in range(4):
        rng = random.Random(seed)
        like = [packet for packet in map(fields, packets) if packet]
        rules = [Rule(rng, rng.choice(like)) for _ in range(200)]
        firewall.config("default drop", *(rule.text() for rule in rules))
        want = []
        for packet in packets:
            met = fields(packet) and next((rule for rule in rules if rule.is_met(fields(packet))), None)
            if not fields(packet) or (met and met.action == "pass"):
                want.append(packet)
        firewall.ok("--on", "pcap:in.pcap:out.pcap")
        got = [packet for _, _, packet in captures.records(firewall.path("out.pcap"))]
        same(len(got), len(want), f"seed {seed}")
        same(got == want, True, f"seed {seed}")


def test_malformed_packets_are_dropped(firewall):
    """Cut at any place, or with wild bytes: all that comes in goes out or is counted."""
    traffic = captures.Traffic(4)
    packets = []
    for _ in range(PACKETS):
        packet = bytearray(traffic.any())
        for _ in range(traffic.random.randrange(4)):
            packet[traffic.random.randrange(len(packet))] = traffic.random.randrange(256)
        packets.append(bytes(packet[:traffic.random.randrange(len(packet) + 1)]))
    firewall.path("in.pcap").write_bytes(b"".join(captures.pcap([(packet, len(packet)) for packet in packets])))
    firewall.config("amplifiers", "challenge proto tcp", "limit 1000000 proto udp", "drop proto icmp")
    rules, port = firewall.ok("--on", "pcap:in.pcap")
    same(port["packets"], PACKETS)
    same(port["pass"] + port["drop"] + port["tx"], PACKETS)
    same(rules["malformed"] > 0, True)
    same(port["tx"] <= rules["challenged"], True)


def test_limits(firewall):
    firewall.config("limit 1 burst 10", "pass")
    on = ("--on", "gen:flows=20,count=90000,proto=udp,seed=9")
    rules, port = firewall.ok(*on)
    same(port["pass"] >= 10 and port["drop"] > 0, True)
    same(port["pass"] + rules["limit 1 burst 10"], 90000)
    same(port["pass"] <= 20 * (11 + port["ns"] // 1000000000), True)
    same(firewall.ok(*on, "--dry-run")[1]["pass"], 90000)


def test_amplifiers(firewall):
    udp = lambda port, size: struct.pack("!HHHH", port, 4000, 8 + size, 0) + bytes(size)
    traffic = captures.Traffic(5)
    packets = [traffic.ipv4(17, udp(*row)) for row in ((53, 100), (53, 1300), (11211, 1), (123, 48), (123, 440), (7, 30))]
    firewall.path("in.pcap").write_bytes(b"".join(captures.pcap([(packet, len(packet)) for packet in packets])))
    for lines, dropped in ((["amplifiers"], 3), (["amplifiers", "amplifier 53 longer 2000"], 2),
                           (["amplifier 7,123 longer 29"], 3), (["default pass"], 0)):
        firewall.config(*lines)
        same(firewall.ok("--on", "pcap:in.pcap")[0]["answers of amplifiers"], dropped, str(lines))


MISTAKES = [
    ("drop proto icmp dport 80", "a.conf:1: only tcp and udp have ports"),
    ("drop proto udp flags syn", "a.conf:1: flags are TCP's"),
    ("drop flags sin", "a.conf:1: 'sin' is no flag"),
    ("drop dport 80,x", "a.conf:1: '80,x' are no ports"),
    ("drop dport 90-80", "a.conf:1: '90-80' are no ports"),
    ("drop from 10.0.0.0/8 to 2001:db8::/32", "a.conf:1: from IPv4 to IPv6"),
    ("drop when 10.0.0.0/8", "a.conf:1: 'when', expected one of from, to, proto"),
    ("limit 0", "a.conf:1: '0' is no packets per second"),
    ("limit", "a.conf:1: expected packets per second behind 'limit'"),
    ("amplifier 53", "a.conf:1: expected 'longer BYTES' behind the ports"),
    ("\n" * 16 + "pass proto 256", "a.conf:17: '256' is no protocol"),
    ("pass\n" * 257, "a.conf:257: more than 256 rules"),
]


def test_mistakes(firewall):
    for text, message in MISTAKES:
        firewall.config(text)
        got = firewall.run("--check")
        same(got.returncode, 2, text)
        matches("^skep: " + message.replace(".", r"\."), got.stderr)


# --- real clients ---

def in_namespace(firewall, script, timeout=100):
    if os.geteuid():
        raise Skip("not root")
    got = subprocess.run(["unshare", "-n", "-m", "sh", "-c", script], cwd=firewall.work, capture_output=True, text=True,
                         timeout=timeout)
    if got.returncode == 77:
        raise Skip("no network namespace with such interfaces: " + got.stderr.strip()[-80:])
    return got


def counted(firewall, name):
    lines = [json.loads(line) for line in firewall.path(name).read_text().splitlines()]
    return {line["rule"]: line["packets"] for line in lines if line["event"] == "rule"}


WAIT = """
wait_for() { n=0; until eval "$1" >/dev/null 2>&1; do n=$((n + 1)); [ $n -lt 400 ] || { echo "no: $1" >&2; exit 1; }; sleep 0.05; done; }
"""


def test_a_client_is_challenged_by_skep(firewall):
    """The host's own stack is the client, behind a TAP: its SYN passes once it has proven itself."""
    firewall.config("challenge proto tcp dport 80", "pass proto tcp dport 80", "default drop")
    got = in_namespace(firewall, WAIT + f"""
ip tuntap add t0 mode tap && ip link set t0 up && ip addr add 10.9.0.1/24 dev t0 &&
ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev t0 || exit 77
'{firewall.binary}' app firewall a.conf --on tap:t0 -j --duration 60 >out 2>err & pid=$!
wait_for "grep -q LOWER_UP /proc/self/net/dev || ip link show t0 | grep -q LOWER_UP"
timeout 20 python3 -c "
import socket
s = socket.socket()
s.settimeout(15)
try: s.connect(('10.9.0.2', 80))
except OSError: pass
" & client=$!
wait_for "ip -s link show t0 | awk '/TX:/ {{getline; exit !(\\$2 >= 3)}}'"
sleep 0.3
kill $client; kill -INT $pid; wait $pid; echo $?""")
    same(got.stdout.strip(), "0", got.stderr + firewall.path("err").read_text())
    rules = counted(firewall, "out")
    same(rules["challenged"] >= 1, True, str(rules))
    same(rules["proven"], 1)
    same(rules["pass proto tcp dport 80"] >= 1, True, str(rules))


FLOOD = """
import os, random, socket, struct
rng = random.Random(1)
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("out0", 0))
for number in range(20000):
    tcp = struct.pack("!HHIIBBHHH", rng.randrange(1024, 65536), 80, rng.getrandbits(32), 0, 0x50, 2, 1024, 0, 0)
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, 40, number, 0, 64, 6, 0, rng.getrandbits(32), 0x0a090902)
    words = struct.unpack("!10H", ip)
    total = sum(words)
    total = (total & 0xffff) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", ~((total & 0xffff) + (total >> 16)) & 0xffff) + ip[12:]
    s.send(bytes.fromhex(open("mac").read().strip().replace(":", "")) + bytes([2, 0, 0, 0, 9, 9]) + b"\\x08\\x00" + ip + tcp)
"""


def test_clients_through_a_flood_on_linux(firewall):
    """The same object in the kernel, native on a veth in front of a web server: ping and curl beside a flood of SYNs."""
    firewall.config("limit 1000 proto icmp", "pass proto icmp", "challenge proto tcp dport 80", "pass proto tcp dport 80",
                    "default drop")
    firewall.path("pass.conf").write_text("default pass\n")
    firewall.path("flood.py").write_text(FLOOD)
    firewall.path("page").write_bytes(b"x" * 300000)
    got = in_namespace(firewall, WAIT + f"""
mount -t sysfs none /sys 2>/dev/null
mkdir -p /run/netns && mount -t tmpfs none /run/netns && ip netns add server && ip link set lo up &&
ip link add out0 type veth peer name in0 netns server && ip addr add 10.9.9.1/24 dev out0 && ip link set out0 up &&
ip netns exec server sh -c 'ip link set lo up; ip addr add 10.9.9.2/24 dev in0; ip link set in0 up' || exit 77
ip netns exec server cat /sys/class/net/in0/address >mac 2>/dev/null ||
  ip netns exec server ip -o link show in0 | sed 's/.*link.ether //; s/ .*//' >mac
ip netns exec server python3 -m http.server 80 >/dev/null 2>&1 & web=$!
wait_for "ip netns exec server ss -ltn | grep -q :80"
ping -c 1 -W 5 10.9.9.2 >/dev/null
ip netns exec server '{firewall.binary}' app firewall a.conf --on in0 --target linux -j --duration 80 >out 2>err & pid=$!
wait_for "ip netns exec server ip link show in0 | grep -q xdp || ! kill -0 $pid"
kill -0 $pid || {{ kill $web; cat err >&2; exit 78; }}
# What a program sends back over a veth arrives only where there is a program, too.
'{firewall.binary}' app firewall pass.conf --on out0 --target linux --duration 80 >/dev/null 2>&1 & peer=$!
wait_for "ip link show out0 | grep -q xdp"
python3 flood.py & flood=$!
ping -c 3 -i 0.2 -W 5 10.9.9.2 >/dev/null && echo pinged
for n in 1 2 3; do curl -s --max-time 20 -o got http://10.9.9.2/page && cmp got page && echo fetched; done
wait $flood
kill -INT $pid; wait $pid; echo $?; kill $web $peer""")
    if got.returncode == 78:
        raise Skip("Linux does not take it here: " + got.stderr.strip()[-80:])
    same(got.stdout.split(), ["pinged", "fetched", "fetched", "fetched", "0"], got.stderr)
    rules = counted(firewall, "out")
    same(rules["challenged"] >= 15000, True, str(rules))
    same(1 <= rules["proven"] <= 3, True, str(rules))
    same(rules["pass proto tcp dport 80"] > 3, True, str(rules))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="skep-firewall-") as folder:
        os.chmod(folder, 0o755)
        run_all(Firewall(pathlib.Path(sys.argv[1]).resolve(), folder), [sys.modules["__main__"]])
