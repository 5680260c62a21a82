# SPDX-License-Identifier: BSD-2-Clause
"""`skep app sampler`: flows as IPFIX with exact totals, samples in captures, and what happens when others fail."""
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import frames
import ipfix
from frames import ACK, SYN, ethernet, icmp, ip, tcp, udp
from harness import TIMEOUT, Skip, matches, same

A, B, A6, B6 = "198.51.100.7", "192.0.2.1", "2001:db8:7::7", "2001:db8::1"
IN_ALL = ["in flows", "pushed out of the flow table", "not sampled", "not IP", "shorter than they say", "no room for their flow"]

MISTAKES = [
    ("sample 100\n", r"^skep: s\.conf:1: expected '1-in N' behind 'sample'$"),
    ("sample 1-in 0\n", r"^skep: s\.conf:1: '0' is no N; expected a number from 1 to 1000000000$"),
    ("\nactive soon\n", r"^skep: s\.conf:2: 'soon' is no number of seconds; expected a number from 1 to 86400$"),
    ("flows 10\n", r"^skep: s\.conf:1: '10' is no number of flows; expected a number from 1024 to 16777216$"),
    ("capture a.pcapng\n", r"^skep: s\.conf:1: expected '1-in N' behind 'a\.pcapng'$"),
    ("capture a.pcapng by-size 9 snap 0\n", r"^skep: s\.conf:1: '0' is no number of bytes; expected a number from 1 to 9216$"),
    ("capture a 1-in 9\ncapture b 1-in 9\n", r"^skep: s\.conf:2: there is a capture already: a$"),
    ("collector sctp 10.0.0.1\n", r"^skep: s\.conf:1: 'sctp', expected one of udp, tcp$"),
    ("collector udp host\n", r"^skep: s\.conf:1: 'host' is no address such as 10\.0\.0\.1$"),
    ("ipfix f\n" * 9, r"^skep: s\.conf:9: more than 8 collectors and files$"),
    ("treshold 9\n", r"^skep: s\.conf:1: 'treshold' is no statement; expected one of sample, flows, active, inactive, capture, "),
]


class Result:
    def __init__(self, text, errors):
        lines = [json.loads(line) for line in text.splitlines()]
        kind = lambda name: [line for line in lines if line["event"] == name]
        self.counters = {line["what"]: line["packets"] for line in kind("counter")}
        self.exports = {line["to"]: line for line in kind("export")}
        self.captures, self.flows, self.port = kind("capture"), kind("flows")[0], (kind("port") or [None])[0]
        self.errors = errors

    def counted(self):
        return sum(self.counters[name] for name in IN_ALL)


def run(skep, config, *arguments):
    skep.path("s.conf").write_text(config)
    got = skep("app", "sampler", "s.conf", *arguments, "-j")
    same(got.returncode, 0, got.stderr)
    result = Result(got.stdout, got.stderr)
    if result.port:
        same(result.counted(), result.port["packets"], "what comes in is counted once")
        same(result.port["pass"], result.port["packets"])
    return result


def need_fixbuf(skep):
    """Whether libfixbuf was there when skep was built, and is now."""
    skep.path("s.conf").write_text("ipfix probe.ipfix\n")
    got = skep("app", "sampler", "s.conf", "--on", "gen:count=1")
    if "libfixbuf" in got.stderr:
        raise Skip("IPFIX needs libfixbuf")


def test_sampler_mistakes(skep):
    for text, message in MISTAKES:
        skep.path("s.conf").write_text(text)
        skep.fails(2, message, "app", "sampler", "s.conf", "--check")
    skep.path("s.conf").write_text("flows 2048\n")
    skep.fails(2, "this network function changes no packet", "app", "sampler", "s.conf", "--on", "gen:count=1", "--dry-run")


# --- flows ---

VLAN = ethernet(udp(A, B, 7, 8, b"tagged"))
VLAN = VLAN[:12] + b"\x81\x00\x00\x05" + VLAN[12:]
HOPS = struct.pack(">BB6x", 17, 0)
TRAFFIC = [ethernet(packet) for packet in (
    tcp(A, B, 4000, 80), tcp(B, A, 80, 4000, SYN | ACK), tcp(A, B, 4000, 80, ACK, b"x" * 100), tcp(A, B, 4000, 80, ACK | 1),
    tcp(A6, B6, 4000, 443), tcp(A6, B6, 4000, 443, ACK, b"yz"), udp(A, B, 53, 5353, b"q"), udp(A6, B6, 53, 5353, b"qqq"),
    icmp(A, B, 8, 0, 1, b"ping"), icmp(A6, B6, 128, 0, 1, b"ping"), ip(A, B, 17, bytes(16), flags=185),
    ip(A6, B6, 0, HOPS + udp(A6, B6, 1, 2)[40:]), ip(A, B, 132, struct.pack(">HH", 5, 6) + bytes(8)), ip(A, B, 47, bytes(8)),
)] + [VLAN]
# By protocol, source, destination and ports: packets, bytes of IP, TCP flags
FLOWS = {
    (6, A, B, 4000, 80): (3, 220, 0x13), (6, B, A, 80, 4000): (1, 40, 0x12), (6, A6, B6, 4000, 443): (2, 122, 0x12),
    (17, A, B, 53, 5353): (1, 29, 0), (17, A6, B6, 53, 5353): (1, 51, 0), (1, A, B, 0, 0x800): (1, 32, 0),
    (58, A6, B6, 0, 0x8000): (1, 52, 0), (17, A, B, 0, 0): (1, 36, 0), (17, A6, B6, 1, 2): (1, 56, 0),
    (132, A, B, 5, 6): (1, 32, 0), (47, A, B, 0, 0): (1, 28, 0), (17, A, B, 7, 8): (1, 34, 0),
}


def flows_of(collected):
    got = collections.defaultdict(lambda: [0, 0, 0])
    for flow in collected.flows:
        sums = got[flow["protocol"], flow["source"], flow["destination"], flow["source_port"], flow["destination_port"]]
        sums[0] += flow["packets"]
        sums[1] += flow["bytes"]
        sums[2] |= flow["flags"]
        same(flow["end"] >= flow["start"] and flow["reason"] in (1, 2, 3, 4, 5) and flow["ingress"] > 0, True, str(flow))
    return {key: tuple(sums) for key, sums in got.items()}


def test_sampler_counts_flows(skep):
    need_fixbuf(skep)
    frames.write_capture(skep.path("in.pcap"), TRAFFIC + [frames.OWN_MAC + frames.CLIENT_MAC + b"\x08\x06" + bytes(28)])
    result = run(skep, "ipfix f.ipfix\n", "--on", "pcap:in.pcap:out.pcap")
    collected = ipfix.read(skep.path("f.ipfix"))
    same(flows_of(collected), FLOWS)
    same(collected.gaps, 0)
    same((result.counters["in flows"], result.counters["not IP"]), (len(TRAFFIC), 1))
    same(result.exports["f.ipfix"]["flows"], len(FLOWS))
    same(frames.read_capture(skep.path("out.pcap"))[:len(TRAFFIC)], TRAFFIC)
    same(collected.options[-1]["sent"], len(FLOWS))
    same([option["probability"] for option in collected.options if "probability" in option][0], 1.0)


def test_sampler_counts_much(skep):
    need_fixbuf(skep)
    result = run(skep, "ipfix f.ipfix\n", "--on", "gen:flows=3000,count=300000,seed=4")
    flows = ipfix.read(skep.path("f.ipfix")).flows
    same(sum(flow["packets"] for flow in flows), 300000)
    same(result.counters["in flows"], 300000)
    same(len({tuple(sorted((name, flow[name]) for name in ("source", "destination", "source_port", "destination_port", "protocol")))
              for flow in flows}), result.flows["told"])


def test_sampler_does_not_lose_count_of_what_a_flood_pushes_out(skep):
    need_fixbuf(skep)
    result = run(skep, "flows 1024\nipfix f.ipfix\n", "--on", "gen:flows=100000,zipf=0,count=200000,seed=4")
    same(result.counters["pushed out of the flow table"] > 0, True)
    same(sum(flow["packets"] for flow in ipfix.read(skep.path("f.ipfix")).flows), result.counters["in flows"])


def test_sampler_cut_and_random_packets(skep):
    """Each is counted once, whatever it is."""
    rng = random.Random(5)
    cut = [frame[:size] for frame in TRAFFIC for size in range(1, len(frame))]
    wild = []
    for _ in range(3000):
        frame = bytearray(rng.choice(TRAFFIC))
        for _ in range(rng.randrange(1, 6)):
            frame[rng.randrange(12, len(frame))] = rng.randrange(256)
        wild.append(bytes(frame[:rng.randrange(14, len(frame) + 1)]))
    noise = [rng.randbytes(rng.randrange(1, 200)) for _ in range(1000)]
    frames.write_capture(skep.path("in.pcap"), cut + wild + noise)
    result = run(skep, "capture s.pcapng 1-in 1\n", "--on", "pcap:in.pcap:out.pcap")
    same(result.counters["captured"], len(cut + wild + noise))
    same([data for data, _, _ in samples(skep.path("s.pcapng"))], cut + wild + noise)


# --- samples ---

def samples(path):
    """Of a pcapng file: (bytes, length on the wire, comment)."""
    data, at, got = path.read_bytes(), 0, []
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 6:
            captured, length = struct.unpack_from("<II", data, at + 20)
            options = at + 28 + (captured + 3) // 4 * 4
            code, long = struct.unpack_from("<HH", data, options)
            same(code, 1)
            got.append((data[at + 28:at + 28 + captured], length, data[options + 4:options + 4 + long].decode()))
        at += size
    return got


def within(got, count, probability):
    """As many as chance allows: nine deviations."""
    mean, deviation = count * probability, (count * probability * (1 - probability)) ** 0.5
    if abs(got - mean) > 9 * deviation:
        raise AssertionError(f"{got} of {count}, want about {mean:.0f}")


def test_sampler_by_chance(skep):
    result = run(skep, "sample 1-in 10\ncapture s.pcapng 1-in 100 snap 40\n", "--on", "gen:flows=100,count=200000")
    within(result.counters["in flows"], 200000, 0.1)
    same(result.counters["in flows"] + result.counters["not sampled"], 200000)
    within(result.captures[0]["packets"], 200000, 0.01)
    got = samples(skep.path("s.pcapng"))
    same(len(got), result.counters["captured"])
    same({(len(data), length) for data, length, _ in got}, {(40, 64)})
    matches(r"^(tcp|udp|icmp) 10\.\d+\.\d+\.\d+(:\d+)? > 192\.168\.0\.\d+(:\d+)?; .*random 1-in-100, stands for 100 packets$", got[0][2])


def test_sampler_by_size(skep):
    """Large packets always; small ones as their size says, and what they stand for is right in the mean."""
    small, large = ethernet(udp(A, B, 1, 2, bytes(58))), ethernet(udp(A, B, 3, 4, bytes(1000)))
    frames.write_capture(skep.path("in.pcap"), [small] * 40000 + [large] * 50)
    run(skep, "capture s.pcapng by-size 1000\n", "--on", "pcap:in.pcap")
    got = collections.Counter(length for _, length, _ in samples(skep.path("s.pcapng")))
    same(got[len(large)], 50)
    within(got[len(small)], 40000, len(small) / 1000)
    comments = {length: comment for _, length, comment in samples(skep.path("s.pcapng"))}
    matches(r"by size: probability 100/1000, stands for 1000 bytes$", comments[len(small)])
    matches(r"by size: 1000 bytes or more$", comments[len(large)])


def test_sampler_selects_flows_by_their_size(skep):
    need_fixbuf(skep)
    frames.write_capture(skep.path("in.pcap"), [ethernet(udp(A, B, port, 9, bytes(72))) for port in range(1, 20001)] +
                         [ethernet(udp(A, B, 30000, 9, bytes(972)))] * 5)
    result = run(skep, "threshold 1000\nipfix f.ipfix\n", "--on", "pcap:in.pcap")
    flows = ipfix.read(skep.path("f.ipfix")).flows
    large = [flow for flow in flows if flow["source_port"] == 30000]
    same([(flow["packets"], flow["bytes"]) for flow in large], [(5, 5000)])
    within(len(flows) - 1, 20000, 0.1)
    same({(flow["packets"], flow["bytes"]) for flow in flows if flow["source_port"] != 30000}, {(10, 1000)})
    same(result.counters["in flows not selected for export"], 20001 - len(flows))


# --- collectors ---

class TcpCollector(threading.Thread):
    """Takes what is sent by one connection."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.collected = self.listener.getsockname()[1], ipfix.Collected()
        self.start()

    def run(self):
        connection, data = self.listener.accept()[0], b""
        while more := connection.recv(65536):
            data = self.collected.stream(data + more)


def test_sampler_tells_tcp_collectors(skep):
    need_fixbuf(skep)
    collectors = [TcpCollector(), TcpCollector()]
    lines = "".join(f"collector tcp 127.0.0.1 {collector.port}\n" for collector in collectors)
    run(skep, lines + "domain 7\n", "--on", "gen:flows=2000,count=100000")
    for collector in collectors:
        collector.join(TIMEOUT)
        same(sum(flow["packets"] for flow in collector.collected.flows), 100000)
        same(collector.collected.gaps, 0)


def socket_line(port):
    """What Linux says of the datagram socket at this port; None: there is none."""
    return next((line.split() for line in open("/proc/net/udp") if f":{port:04X} " in line), None)


def wait_until(condition):
    for _ in range(TIMEOUT * 20):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it takes too long")


def collect(skep, config, frames_in):
    """What nfcapd has of these packets, and the result."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=skep.work))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    frames.write_capture(skep.path("in.pcap"), frames_in)
    command = ["nfcapd", "-w", str(folder), "-b", "127.0.0.1", "-p", str(port), "-t", "3600", "-B", "4000000"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as nfcapd:
        try:
            wait_until(lambda: socket_line(port))
            result = run(skep, f"{config}collector udp 127.0.0.1 {port}\n", "--on", "pcap:in.pcap")
            # What is in its socket is read before it ends.
            wait_until(lambda: socket_line(port)[4].endswith(":00000000"))
        finally:
            nfcapd.terminate()
            nfcapd.wait(TIMEOUT)
    text = "".join(subprocess.run(["nfdump", "-r", str(path), "-I"], capture_output=True, text=True, timeout=TIMEOUT).stdout
                   for path in folder.glob("nfcapd.2*"))
    got = {name: sum(int(value) for value in re.findall(rf"^{name}: (\d+)$", text, re.M))
           for name in ("Flows", "Packets", "Bytes", "Sequence failures")}
    return got, result


def test_sampler_totals_are_those_of_nfcapd(skep):
    need_fixbuf(skep)
    if not shutil.which("nfcapd") or not shutil.which("nfdump"):
        raise Skip("needs nfcapd (nfdump)")
    got, result = collect(skep, "", TRAFFIC * 20)
    packets, total = [sum(flow[i] for flow in FLOWS.values()) * 20 for i in (0, 1)]
    same(got, {"Flows": len(FLOWS), "Packets": packets, "Bytes": total, "Sequence failures": 0})
    same(next(iter(result.exports.values()))["packets"], packets)
    got, result = collect(skep, "sample 1-in 10\n", TRAFFIC * 2000)
    same(got["Packets"], 10 * result.counters["in flows"], "nfcapd scales")
    within(result.counters["in flows"], len(TRAFFIC) * 2000, 0.1)


def test_sampler_goes_on_when_others_fail(skep):
    """Nobody listens, and disks are full: one message each, everything is counted, and the file that can be written is whole."""
    need_fixbuf(skep)
    for name in ("full.pcapng", "full.ipfix"):
        if not skep.path(name).is_symlink():
            skep.path(name).symlink_to("/dev/full")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    config = f"capture full.pcapng 1-in 1\nipfix full.ipfix\nipfix f.ipfix\ncollector tcp 127.0.0.1 {port}\n"
    result = run(skep, config, "--on", "gen:flows=50,count=20000")
    same(len(result.errors.splitlines()), 3, result.errors)
    matches(r"skep: full\.pcapng: No space left on device; samples are lost from now on\n", result.errors)
    matches(r"skep: full\.ipfix: No space left on device; flow records are lost from now on\n", result.errors)
    matches(rf"skep: collector tcp 127\.0\.0\.1 port {port}: Connection refused; ", result.errors)
    same(sum(flow["packets"] for flow in ipfix.read(skep.path("f.ipfix")).flows), 20000)
    same(result.captures[0]["packets"], 0)
    same(result.captures[0]["lost"] + result.counters["not captured: the ring was full"], 20000)
    for name in ("full.ipfix", f"collector tcp 127.0.0.1 port {port}"):
        same((result.exports[name]["flows"], result.exports[name]["lost_packets"]), (0, 20000), name)
    skep.path("s.conf").write_text("capture no/s.pcapng 1-in 1\n")
    skep.fails(2, r"^skep: no/s\.pcapng: cannot be written: No such file or directory$", "app", "sampler", "s.conf", "--on", "gen:count=1")


# --- reloads ---

def test_sampler_reads_its_configuration_again(skep):
    """What is in both configurations goes on, what is wrong changes nothing, and nothing is counted twice or lost."""
    need_fixbuf(skep)
    skep.path("s.conf").write_text("ipfix a.ipfix\ncapture a.pcapng 1-in 1000\n")
    command = skep.command("app", "sampler", "s.conf", "--on", "gen:flows=50,count=100000000000", "-j", "--duration", str(TIMEOUT))
    with subprocess.Popen(command, cwd=skep.work, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until(lambda: int(re.search(r"SigCgt:\s*(\w+)", open(f"/proc/{process.pid}/status").read())[1], 16) & 1)
        for text, said in (("ipfix a.ipfix\nipfix b.ipfix\ncapture no/b.pcapng 1-in 9\n", "s.conf: not taken"),
                           ("ipfix a.ipfix\nipfix b.ipfix\ncapture b.pcapng 1-in 1000\nsample 1-in 2\n", "s.conf: read again"),
                           ("ipfix a.ipfix\nflows 5000\n", "s.conf: not taken"), ("ipfix a.ipfix\n", "s.conf: read again")):
            skep.path("s.conf").write_text(text)
            process.send_signal(signal.SIGHUP)
            same(any(said in line for line in iter(process.stderr.readline, "")), True, said)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=TIMEOUT)
    result = Result(out, errors)
    same(result.counted(), result.port["packets"])
    same(sum(flow["packets"] for flow in ipfix.read(skep.path("a.ipfix")).flows), result.counters["in flows"])
    written = sum(len(samples(skep.path(name))) for name in ("a.pcapng", "b.pcapng"))
    same((written, result.captures[0]["packets"]), (written, written))
    same(written + result.captures[0]["lost"], result.counters["captured"])


# --- Linux ---

PEERS = """
ip link set lo up; mount -t tmpfs none /run || exit 77
ip link add a0 type veth peer name b0 || exit 77
ip netns add peer && ip link set b0 netns peer || exit 77
ip link set a0 up; ip addr add 10.9.8.1/24 dev a0; ip addr add fd00:9::1/64 nodad dev a0
ip netns exec peer sh -c 'ip link set b0 up; ip addr add 10.9.8.2/24 dev b0; ip addr add fd00:9::2/64 nodad dev b0'
{skep} app sampler s.conf --on a0 {target} -j --duration 60 >out 2>err & pid=$!
n=0; until grep -q "attached" ready 2>/dev/null || ip link show a0 | grep -q {mark}; do
    n=$((n + 1)); [ $n -lt 400 ] || exit 1; kill -0 $pid || exit 1; sleep 0.05; done
ip netns exec peer ping -c 5 -i 0.2 -W 5 10.9.8.1 >/dev/null && ip netns exec peer ping -c 3 -i 0.2 -W 5 fd00:9::1 >/dev/null
echo $? >pinged
kill -INT $pid; wait $pid
"""


def test_sampler_on_linux(skep):
    """Pings through an interface of the kernel are the flows that ping says."""
    need_fixbuf(skep)
    if os.geteuid():
        raise Skip("needs root")
    skep.path("s.conf").write_text("ipfix f.ipfix\n")
    script = PEERS.format(skep=skep.binary, target="--target linux", mark="xdp")
    got = subprocess.run(["unshare", "-nm", "sh", "-c", script], cwd=skep.work, capture_output=True, text=True, timeout=2 * TIMEOUT)
    if got.returncode == 77:
        raise Skip("no namespace with a pair of interfaces")
    errors = skep.path("err").read_text()
    if re.search("Operation not permitted|not supported", errors):
        raise Skip(errors.splitlines()[0])
    same((got.returncode, skep.path("pinged").read_text()), (0, "0\n"), got.stderr + errors)
    flows = flows_of(ipfix.read(skep.path("f.ipfix")))
    same(flows[1, "10.9.8.2", "10.9.8.1", 0, 0x800][:2], (5, 5 * 84))
    same(flows[58, "fd00:9::2", "fd00:9::1", 0, 0x8000][:2], (3, 3 * 104))
    result = Result(skep.path("out").read_text(), errors)
    same(sum(sums[0] for sums in flows.values()), result.counters["in flows"])
    same(result.counters["pushed out of the flow table"], 0)
