# SPDX-License-Identifier: BSD-2-Clause
"""`skep app balancer`: packets of all kinds go to the backend that they should, as the bytes that they should be."""
import collections
import ipaddress
import json
import struct
import subprocess
import sys

import frames
import on_linux
from frames import ACK, SYN, UDP, checksum, ethernet, icmp, ip, pseudo, tcp, udp
from harness import TIMEOUT, same

VIP, VIP6 = "192.0.2.80", "2001:db8::80"
COMMON = "connections 1024\nsource 10.9.0.0/16\nsource 2001:db8:9::/64\n"
THREE = "backend 10.1.0.1\nbackend 10.1.0.2\nbackend 10.1.0.3\n"

# Of a configuration: {text, the message}
MISTAKES = [
    ("backend 10.0.0.1\n", r"^skep: b\.conf:1: expected a line 'vip ADDRESS tcp\|udp PORT' above$"),
    ("vip 10.0.0.1 tcp\n", r"^skep: b\.conf:1: expected port behind 'tcp'$"),
    ("vip 10.0.0.1 tcp 80 quic\n", r"^skep: b\.conf:1: quic needs udp$"),
    ("vip 10.0.0.1 tcp 80\n", r"^skep: b\.conf:1: expected lines 'backend ADDRESS' below$"),
    ("vip 10.0.0.1 tcp 80\nbackend 10.0.0.2\nvip 10.0.0.1 tcp 80\n",
     r"^skep: b\.conf:3: this virtual address is in line 1, too$"),
    ("vip 10.0.0.1 tcp 80\nbackend 10.0.0.2\nbackend 10.0.0.2\n", r"^skep: b\.conf:3: this backend is there already$"),
    ("vip 10.0.0.1 tcp 80\nbackend 10.0.0.2 quic-id 1\n", r"^skep: b\.conf:2: quic-id needs 'quic' behind the virtual address$"),
    ("vip 10.0.0.1 udp 80 quic\nbackend 10.0.0.2 quic-id 1\nbackend 10.0.0.3 quic-id 1\n",
     r"^skep: b\.conf:3: quic-id 1 is another backend's$"),
    ("vip 10.0.0.1 tcp 80\nbackend 10.0.0.2\n", r"^skep: b\.conf: backend 10\.0\.0\.2 needs a line 'source ADDRESS' of IPv4$"),
    ("vip 10.0.0.1 tcp 80\nbackend 10.0.0.2 weight 2000\n", r"^skep: b\.conf:2: '2000' is no weight; expected a number from 0 to 1000$"),
    ("vip 10.0.0.1 tcp any\nbackend 10.0.0.2\ncheck tcp\n", r"^skep: b\.conf:3: expected 'port N': the virtual address has any$"),
    ("vip 10.0.0.1 tcp 80\nbackend 10.0.0.2\ncheck http path up\n", r"^skep: b\.conf:3: 'up' is no path of at most 255 bytes"),
    ("next-hop 02:00:00:00:01\n", r"^skep: b\.conf:1: '02:00:00:00:01', expected sender, route or an Ethernet address"),
    ("", r"^skep: b\.conf: expected a line 'vip ADDRESS tcp\|udp PORT'$"),
]


def balance(skep, config, packets, *more):
    """What left (all packets, in order), and the JSON lines."""
    skep.path("b.conf").write_text(config)
    frames.write_capture(skep.path("in.pcap"), [ethernet(packet) for packet in packets])
    lines = skep.lines("app", "balancer", "b.conf", "--on", "pcap:in.pcap:out.pcap", "-j", *more)
    return frames.read_capture(skep.path("out.pcap")), lines


def one(skep, config, packet):
    out, _ = balance(skep, config, [packet])
    return out[0] if out else None


def outer_destination(frame):
    return str(ipaddress.ip_address(frame[30:34] if frame[12:14] == b"\x08\x00" else frame[38:54]))


def check_outer(frame, inner, protocol, source, destination):
    """An outer header of IPv4 or IPv6 whose fields, lengths and sums are right, and the inner packet as it came."""
    same(frame[:12], frames.CLIENT_MAC + frames.OWN_MAC)
    packet = frame[14:]
    if packet[0] >> 4 == 4:
        same(checksum(packet[:20]), 0)
        same((struct.unpack(">H", packet[2:4])[0], packet[9]), (len(packet), protocol))
        addresses, payload = (packet[12:16], packet[16:20]), packet[20:]
    else:
        same((struct.unpack(">H", packet[4:6])[0], packet[6]), (len(packet) - 40, protocol))
        addresses, payload = (packet[8:24], packet[24:40]), packet[40:]
    same(ipaddress.ip_address(addresses[0]) in ipaddress.ip_network(source), True)
    same(str(ipaddress.ip_address(addresses[1])), destination)
    if protocol == UDP:
        same(struct.unpack(">HHH", payload[2:8]), (6080, len(inner) + 8, 0))
        payload = payload[8:]
    same(payload, inner)


def test_balancer_mistakes(skep):
    for text, message in MISTAKES:
        skep.path("b.conf").write_text(text)
        skep.fails(2, message, "app", "balancer", "b.conf", "--check")


def test_balancer_outer_headers(skep):
    """Both families outside and inside, IPIP and GUE."""
    inners = [(VIP, tcp("198.51.100.7", VIP, 4000, 443), 4), (VIP6, tcp("2001:db8:7::7", VIP6, 4000, 443), 41)]
    outers = [("10.1.0.1", "10.9.0.0/16"), ("2001:db8:1::1", "2001:db8:9::/64")]
    for vip, inner, number in inners:
        for backend, source in outers:
            for encapsulation, protocol in (("ipip", number), ("gue", UDP)):
                config = f"{COMMON}encapsulation {encapsulation}\nvip {vip} tcp 443\nbackend {backend}\n"
                check_outer(one(skep, config, inner), inner, protocol, source, backend)
    config = f"{COMMON}next-hop 02:00:00:00:00:09\nvip {VIP} tcp 443\nbackend 10.1.0.1\n"
    same(one(skep, config, inners[0][1])[:12].hex(), "020000000009" + frames.OWN_MAC.hex())


def many(count, flags=SYN, port=443):
    return [tcp(f"198.51.{i >> 8 & 255}.{i & 255}", VIP, 1024 + i % 50000, port, flags) for i in range(count)]


def choices(skep, backends, packets):
    out, _ = balance(skep, f"{COMMON}vip {VIP} tcp 443\n{backends}", packets)
    return [outer_destination(frame) for frame in out]


def test_balancer_two_instances_choose_alike(skep):
    """In proportion to weights, whatever the order of lines; when one goes, the others' connections stay."""
    packets = many(20000)
    lines = [f"backend 10.1.0.{i}\n" for i in range(1, 11)]
    first = choices(skep, "".join(lines), packets)
    same(choices(skep, "".join(reversed(lines)), packets), first)
    shares = collections.Counter(first)
    same(max(shares.values()) < 1.15 * min(shares.values()), True, shares)
    for change, limit in ((lambda text: text.replace("10.1.0.4\n", "10.1.0.4 drain\n"), 0),
                          (lambda text: text.replace("backend 10.1.0.4\n", ""), 0.02 * len(packets))):
        after = choices(skep, change("".join(lines)), packets)
        same("10.1.0.4" in after, False)
        moved = sum(old != new for old, new in zip(first, after) if old != "10.1.0.4")
        same(moved <= limit, True, moved)
    heavy = collections.Counter(choices(skep, "backend 10.1.0.1 weight 3\nbackend 10.1.0.2\n", packets))
    same(2.8 < heavy["10.1.0.1"] / heavy["10.1.0.2"] < 3.2, True, heavy)


def test_balancer_quic(skep):
    """The client's first packets go by the flow, later ones by the server's id, from wherever they come."""
    config = (f"{COMMON}vip {VIP} udp 443 quic\nbackend 10.1.0.1 quic-id 1\nbackend 10.1.0.2 quic-id 513\n")
    server = b"\x0b\x02\x01" + bytes(8)
    unknown = b"\x0b\x33\x33" + bytes(8)
    long = lambda kind, cid, version=1: bytes([0xc0 | kind << 4]) + struct.pack(">IB", version, len(cid)) + cid + bytes(20)
    short = lambda cid: b"\x40" + cid + bytes(20)
    send = lambda payload, port: udp("198.51.100.7", VIP, port, 443, payload)
    for payload in (short(server), long(2, server), long(3, server, 0x6b3343cf)):
        out, _ = balance(skep, config, [send(payload, port) for port in range(2000, 2040)])
        same({outer_destination(frame) for frame in out}, {"10.1.0.2"})
    for payload in (long(0, server), long(1, server, 0x6b3343cf), short(unknown), b"", b"\x40"):
        out, _ = balance(skep, config, [send(payload, port) for port in range(2000, 2040)])
        same({outer_destination(frame) for frame in out}, {"10.1.0.1", "10.1.0.2"})


def test_balancer_icmp(skep):
    """Errors go where the connection goes; echo requests are answered; what is too big is told."""
    config = f"{COMMON}vip {VIP} tcp 443\n{THREE}vip {VIP6} tcp 443\n{THREE}"
    for client, vip, error in (("198.51.100.7", VIP, (3, 4)), ("2001:db8:7::7", VIP6, (2, 0))):
        is6 = ":" in vip
        packets = []
        for port in range(3000, 3020):
            packets += [tcp(client, vip, port, 443),
                        icmp("2001:db8:3::1" if is6 else "203.0.113.1", vip, *error, 1400, tcp(vip, client, 443, port, ACK))]
        out, _ = balance(skep, config, packets)
        same([outer_destination(frame) for frame in out[::2]], [outer_destination(frame) for frame in out[1::2]])
        echo = (128, 129) if is6 else (8, 0)
        request = icmp(client, vip, echo[0], 0, 0x00010002, b"abcdefg")
        want = icmp(vip, client, echo[1], 0, 0x00010002, b"abcdefg")
        got = one(skep, config, request)
        same((got[:12], got[-15:]), (frames.CLIENT_MAC + frames.OWN_MAC, want[-15:]))
        big = tcp(client, vip, 3000, 443, ACK, bytes(1500 - (60 if is6 else 40)))
        got = one(skep, config, big)[14:]
        quoted = big[:104 if is6 else 84]
        same(got[-len(quoted) - 8:], icmp(vip, client, *error, 1480, quoted)[-len(quoted) - 8:])


def test_balancer_other_packets(skep):
    """What is not for a virtual address passes; fragments and what lies about its length do not; all are counted."""
    packets = [udp("198.51.100.7", VIP, 1, 443), tcp("198.51.100.7", "192.0.2.81", 1, 443),
               udp("198.51.100.7", VIP, 1, 443, b"x" * 64, 0x2000), tcp("198.51.100.7", VIP, 1, 443)[:30],
               ip("198.51.100.7", VIP, 47, bytes(20)), tcp("198.51.100.7", VIP, 5, 443)]
    out, lines = balance(skep, f"{COMMON}vip {VIP} tcp 443\n{THREE}", packets)
    counts = {line["what"]: line["packets"] for line in lines if line["event"] == "counter"}
    same((len(out), counts["not for a virtual address"], counts["fragments"], counts["malformed"]), (4, 3, 1, 1))
    vip = next(line for line in lines if line["event"] == "vip")
    same((vip["packets"], vip["connections"], vip["bytes"]), (1, 1, 40))
    out, lines = balance(skep, f"{COMMON}vip {VIP} tcp any\n{THREE}", many(10), "--dry-run")
    same([frame[14:] for frame in out], many(10))
    same(next(line for line in lines if line["event"] == "vip")["packets"], 10)


def test_balancer_before_three_web_servers(skep):
    """On both targets, with Linux's stacks as peers: of those connections that there were, only a killed server's are lost."""
    on_linux.need_linux(skep)
    for name in ("decap.bpf.c", "pass.bpf.c"):
        skep.path(name).write_text((skep.source / "tests/apps" / name).read_text())
    for target in ("linux", "skep"):
        script = str(skep.source / "tests/apps/balancer_peers.py")
        got = subprocess.run(["unshare", "-n", sys.executable, "-B", script, target, str(skep.binary)], cwd=skep.work,
                             capture_output=True, text=True, timeout=3 * TIMEOUT)
        same(got.returncode, 0, got.stderr)
        seen = json.loads(got.stdout)
        same(seen["lost"], seen["before"].get(seen["killed"], 0), seen)
        same(sum(seen["after"].values()) - seen["after"].get(seen["killed"], 0), sum(seen["before"].values()), seen)
        same([seen["states"][address] for address in sorted(seen["states"])], ["up", "down", "up"], seen)
