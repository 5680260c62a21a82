# SPDX-License-Identifier: BSD-2-Clause
"""`skep app prefilter`: each kind of packet is counted as what it is, and tunnels' contents leave as they were."""
import struct

import frames
from frames import ACK, SYN, TCP, UDP, checksum, ethernet, ip, tcp, udp
from harness import same

OWN, CLIENT, OWN6, CLIENT6 = "192.0.2.1", "198.51.100.7", "2001:db8::1", "2001:db8:7::7"
DECLARED = "accept tcp 80,443\naccept udp 5000-5001\naccept icmp\nanswers udp 53\nanswers tcp 1-65535\n"

MISTAKES = [
    ("accept tcp\n", r"^skep: p\.conf:1: expected ports behind 'tcp'$"),
    ("accept 6\n", r"^skep: p\.conf:1: expected ports: accept tcp PORTS, accept udp PORTS$"),
    ("accept quic\n", r"^skep: p\.conf:1: 'quic' is no protocol \(tcp, udp, icmp, icmp6, sctp, esp\); expected a number from 1 to 255$"),
    ("decapsulate vxlan 0\n", r"^skep: p\.conf:1: '0' is no port; expected a number from 1 to 65535$"),
    ("decapsulate l2tp\n", r"^skep: p\.conf:1: 'l2tp', expected one of ipip, gre, vxlan, geneve$"),
    ("address 10.0.0.1/8\n", r"^skep: p\.conf:1: .* is 10\.0\.0\.0/8 meant\?$"),
]


def judge(skep, config, packets, *more):
    """The frames that passed, and what was counted."""
    skep.path("p.conf").write_text(config)
    frames.write_capture(skep.path("in.pcap"), packets)
    lines = skep.lines("app", "prefilter", "p.conf", "--on", "pcap:in.pcap:out.pcap", "-j", *more)
    counts = {line["what"].removeprefix("dropped: "): line["packets"] for line in lines
              if line["event"] == "counter" and line["packets"]}
    return frames.read_capture(skep.path("out.pcap")), counts


def header4(packet, at, data):
    """Bytes of an IPv4 header replaced, its checksum right again."""
    header = bytearray(packet[:20])
    header[at:at + len(data)] = data
    header[10:12] = b"\0\0"
    header[10:12] = struct.pack(">H", checksum(bytes(header)))
    return bytes(header) + packet[20:]


def fragments(first, *later):
    """Fragments of a UDP datagram to an accepted port: (offset, size, whether more follow)."""
    data = udp(CLIENT, OWN, 1, 5000, bytes(70000 % 3000))[20:]
    return [ethernet(ip(CLIENT, OWN, UDP, (data * 30)[offset:offset + size], offset // 8 | 0x2000 * more))
            for offset, size, more in (first, *later)]


SYN80 = tcp(CLIENT, OWN, 4000, 80)

# Packets, and what they are counted as
CASES = [
    ([SYN80, tcp(CLIENT6, OWN6, 4000, 443), udp(CLIENT, OWN, 9, 5001, b"x")], {"accepted": 3}),
    ([tcp(CLIENT, OWN, 80, 4000, SYN | ACK), udp(CLIENT, OWN, 53, 4000)], {"answers": 2}),
    ([tcp(CLIENT, OWN, 4000, 22), tcp(CLIENT6, OWN6, 53, 22), udp(CLIENT, OWN, 54, 4999), ip(CLIENT, OWN, 132, bytes(20))],
     {"not declared": 4}),
    ([SYN80[:39], header4(SYN80, 2, b"\x00\x29"), tcp(CLIENT6, OWN6, 1, 80)[:50]], {"shorter than they say": 3}),
    ([header4(SYN80, 0, b"\x46\0\0\x17"), header4(SYN80, 8, b"\0"), header4(SYN80, 2, b"\x00\x13"), header4(SYN80, 0, b"\x44")],
     {"impossible IP header": 4}),
    ([SYN80[:10] + b"\x12\x34" + SYN80[12:]], {"wrong IP checksum": 1}),
    ([tcp(source, OWN, 4000, 80) for source in (OWN, "127.0.0.1", "224.0.0.1", "255.255.255.255", "0.1.2.3")] +
     [tcp("ff02::1", OWN6, 1, 80), tcp(OWN6, OWN6, 1, 80)], {"impossible address": 7}),
    ([tcp(CLIENT, OWN, 4000, 80, flags) for flags in (0, 3, 6, 1, 0x29)] + [tcp(CLIENT, OWN, 0, 80), ip(CLIENT, OWN, TCP, bytes(19)),
     ip(CLIENT, OWN, TCP, SYN80[20:32] + b"\xf0" + SYN80[33:])], {"impossible TCP header": 8}),
    ([ip(CLIENT, OWN, UDP, bytes(7)), ip(CLIENT, OWN, UDP, struct.pack(">HHHH", 1, 5000, 9, 0)),
      ip(CLIENT, OWN, UDP, struct.pack(">HHHH", 1, 5000, 7, 0)), udp(CLIENT, OWN, 1, 0)], {"impossible UDP header": 4}),
]

# Fragments, and what they are counted as
FRAGMENT_CASES = [
    (fragments((0, 1480, 1), (1480, 1480, 1), (2960, 48, 0)), {"fragments": 3}),
    (fragments((0, 1480, 1), (2960, 48, 0), (1480, 1480, 1)), {"fragments": 3}),
    (fragments((0, 1480, 1), (1472, 8, 1), (1480, 8, 0)), {"fragments": 1, "overlapping fragments": 2}),
    (fragments((0, 1480, 1), (0, 1480, 1)), {"fragments": 1, "overlapping fragments": 1}),
    (fragments((0, 1480, 1), (1480, 20, 0), (1504, 8, 1)), {"fragments": 2, "overlapping fragments": 1}),
    (fragments((1480, 1480, 1), (0, 1480, 1)), {"fragments without a first one": 1, "fragments": 1}),
    (fragments((0, 1480, 1), (65528, 100, 0)), {"fragments": 1, "impossible fragment": 1}),
    (fragments((0, 1477, 1)), {"impossible fragment": 1}),
    ([ethernet(ip(CLIENT, OWN, TCP, SYN80[20:36], 0x2000)), ethernet(ip(CLIENT, OWN, TCP, bytes(24), 1))],
     {"impossible TCP header": 1, "impossible fragment": 1}),
    ([ethernet(ip(CLIENT, OWN, TCP, tcp(CLIENT, OWN, 1, 22)[20:] + bytes(12), 0x2000)), ethernet(ip(CLIENT, OWN, TCP, bytes(24), 4))],
     {"not declared": 1, "fragments without a first one": 1}),
]


def test_prefilter_mistakes(skep):
    for text, message in MISTAKES:
        skep.path("p.conf").write_text(text)
        skep.fails(2, message, "app", "prefilter", "p.conf", "--check")


def test_prefilter_counts_packets_as_what_they_are(skep):
    for packets, want in CASES:
        passed, counts = judge(skep, DECLARED, [ethernet(packet) for packet in packets])
        same(counts, want, packets)
        same(len(passed), sum(counts.get(name, 0) for name in ("accepted", "answers")))
    for packets, want in FRAGMENT_CASES:
        passed, counts = judge(skep, DECLARED, packets)
        same(counts, want)
        same(len(passed), counts.get("fragments", 0))
    same(judge(skep, DECLARED + "fragments drop\n", fragments((0, 1480, 1)))[1], {"not declared": 1})
    arp = frames.OWN_MAC + frames.CLIENT_MAC + b"\x08\x06" + bytes(28)
    same(judge(skep, DECLARED, [arp])[1], {"not IP": 1})
    same(judge(skep, DECLARED + "other drop\n", [arp])[1], {"not declared": 1})
    own = f"address {OWN}\naddress 2001:db8::/64\n"
    same(judge(skep, DECLARED + own, [ethernet(packet) for packet in (SYN80, tcp(CLIENT, "192.0.2.2", 1, 80), tcp(CLIENT6, OWN6, 1, 80),
                                                                      tcp(CLIENT6, "2001:db8:0:1::1", 1, 80))])[1],
         {"accepted": 2, "to other addresses": 2})
    same(len(judge(skep, DECLARED, [ethernet(tcp(CLIENT, OWN, 1, 22))], "--dry-run")[0]), 1)


def tunnelled(inner, kind):
    """The inner packet in this tunnel, from CLIENT6 or CLIENT."""
    frame = ethernet(inner, b"\2\0\0\0\0\7", b"\2\0\0\0\0\x08")
    ether_type = frame[12:14]
    return ethernet({
        "ipip": lambda: ip("203.0.113.1", OWN, 4 if inner[0] >> 4 == 4 else 41, inner),
        "ipip6": lambda: ip(CLIENT6, OWN6, 4 if inner[0] >> 4 == 4 else 41, inner),
        "gre": lambda: ip("203.0.113.1", OWN, 47, b"\0\0" + ether_type + inner),
        "gre key": lambda: ip("203.0.113.1", OWN, 47, b"\xb0\0" + ether_type + b"\0\0\0\0" + b"\0\0\0\5" + b"\0\0\0\1" + inner),
        "gre teb": lambda: ip("203.0.113.1", OWN, 47, b"\0\0\x65\x58" + frame),
        "vxlan": lambda: udp("203.0.113.1", OWN, 999, 4789, b"\x08\0\0\0\0\0\x07\0" + frame),
        "geneve": lambda: udp("203.0.113.1", OWN, 999, 6081, b"\x01\0\x65\x58\0\0\x09\0" + bytes(4) + frame),
    }[kind]())


def test_prefilter_opens_tunnels(skep):
    config = DECLARED + "decapsulate ipip\ndecapsulate gre\ndecapsulate vxlan\ndecapsulate geneve\n"
    kinds = ["ipip", "ipip6", "gre", "gre key", "gre teb", "vxlan", "geneve"]
    for inner in (SYN80, tcp(CLIENT6, OWN6, 4000, 80)):
        passed, counts = judge(skep, config, [tunnelled(inner, kind) for kind in kinds])
        same(counts, {"accepted": len(kinds), "out of tunnels": len(kinds)})
        same([frame[14:] for frame in passed], [inner] * len(kinds))
        same([frame[:6].hex() for frame in passed[4:]], ["020000000008"] * 3)
    same(judge(skep, config, [tunnelled(tcp(CLIENT, OWN, 1, 22), kind) for kind in kinds])[1],
         {"not declared": len(kinds), "out of tunnels": len(kinds)})
    same(judge(skep, DECLARED, [tunnelled(SYN80, "vxlan")])[1], {"not declared": 1})
    same(judge(skep, config, [ethernet(ip(CLIENT, OWN, 47, b"\x40\0\x08\0" + SYN80)),
                              ethernet(udp(CLIENT, OWN, 9, 4789, bytes(8) + SYN80))])[1], {"impossible tunnel header": 2})


def test_prefilter_cut_at_every_byte(skep):
    """Nothing that is cut passes, and what is counted adds up."""
    config = DECLARED + "decapsulate vxlan\n"
    whole = [ethernet(SYN80), ethernet(tcp(CLIENT6, OWN6, 4000, 80)), tunnelled(SYN80, "vxlan")]
    cut = [frame[:size] for frame in whole for size in range(14, len(frame))]
    passed, counts = judge(skep, config, cut)
    same(len(passed), 0)
    same(sum(counts.values()), len(cut))
