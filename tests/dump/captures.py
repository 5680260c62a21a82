# SPDX-License-Identifier: BSD-2-Clause
"""Captures with many protocols, the same for the same seed: VLANs, IPv6, fragments, options, packets that
are cut off at any place; written as pcap of both byte orders, or pcapng."""
import random
import struct

CUT = 0.15  # of the packets


def checksum(data):
    words = struct.unpack(f"!{len(data) // 2}H", data)
    total = sum(words)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Traffic:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def bytes(self, count):
        return bytes(self.random.randrange(256) for _ in range(count))

    def word(self):
        return self.random.randrange(1 << 16)

    def ethernet(self, ethertype, payload):
        pick = self.random.random()
        target = b"\xff" * 6 if pick < 0.05 else b"\x01\x00\x5e\0\0\x01" if pick < 0.1 else \
            bytes([2, 0, 0, 0, 0, self.random.randrange(4)])
        pick = self.random.random()
        tags = [(0x8100, self.random.randrange(4))] if pick < 0.1 else \
            [(0x88a8, self.random.randrange(4)), (0x8100, 7)] if pick < 0.13 else []
        source = bytes([2, 0, 0, 0, 1, self.random.randrange(4)])
        return target + source + b"".join(struct.pack("!HH", *tag) for tag in tags) + \
            struct.pack("!H", ethertype) + payload

    def ipv4(self, protocol, payload, fragment=0, options=b""):
        words = 5 + len(options) // 4
        header = struct.pack("!BBHHHBBH4B4B", 0x40 | words, self.random.choice([0, 0, 0x10, 0xb8]),
                             words * 4 + len(payload), self.word(), fragment,
                             self.random.choice([64, 63, 1]), protocol, 0,
                             10, 0, 0, self.random.randrange(6),
                             192, 168, self.random.randrange(2), self.random.randrange(6)) + options
        return self.ethernet(0x0800, header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload)

    def ipv6(self, protocol, payload):
        return self.ethernet(0x86dd, struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) +
                             bytes.fromhex("fe80") + bytes(13) + bytes([self.random.randrange(4)]) +
                             bytes.fromhex("20010db8") + bytes(11) + bytes([self.random.randrange(4)]) + payload)

    def tcp(self):
        flags = self.random.choice([0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0x29])
        options = b""
        if flags & 2:
            options = bytes.fromhex("020405b40402080a0000000a0000000001030307")
        elif self.random.random() < 0.5:
            options = bytes.fromhex("0101080a0000000b00000001")
        ports = (self.random.choice([80, 443, 22, self.random.randrange(1024, 65536)]),
                 self.random.choice([80, 443, 22, 25, 8080]))
        return struct.pack("!HHIIBBHHH", *ports, self.random.randrange(1 << 32),
                           self.random.randrange(1 << 32) if flags & 16 else 0,
                           5 + len(options) // 4 << 4, flags, self.word(), 0, 0) + options + \
            b"y" * self.random.choice([0, 0, 5, 100])

    def dns(self):
        name = b"\x03www\x07example\x03com\0"
        question = name + struct.pack("!HH", self.random.choice([1, 28, 15, 16]), 1)
        if self.random.random() < 0.5:
            return struct.pack("!HHHHHH", self.word(), 0x100, 1, 0, 0, 0) + question
        flags = self.random.choice([0x8180, 0x8183, 0x8580])
        return struct.pack("!HHHHHH", self.word(), flags, 1, 1, 0, 0) + question + \
            b"\xc0\x0c" + struct.pack("!HHIH4B", 1, 1, 60, 4, 1, 2, 3, 4)

    def udp(self):
        payload, port = self.bytes(self.random.randrange(60)), \
            self.random.choice([123, 161, 514, 4789, self.random.randrange(1024, 65536)])
        if self.random.random() < 0.4:
            payload, port = self.dns(), 53
        ports = [self.random.randrange(1024, 65536), port]
        self.random.shuffle(ports)
        return struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload

    def icmp(self):
        kind = self.random.choice([(8, 0), (0, 0), (3, 1), (3, 3), (11, 0), (5, 1), (3, 4)])
        quoted = b"\x45\0\0\x24" + bytes(5) + b"\x11" + bytes(2) + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + self.udp()[:8]
        rest = quoted if kind[0] in (3, 11, 5) else b"a" * self.random.randrange(56)
        return bytes(kind) + bytes(2) + struct.pack("!HH", self.word(), self.random.randrange(100)) + rest

    def icmp6(self):
        return bytes([self.random.choice([128, 129, 133, 135, 136]), 0, 0, 0]) + self.bytes(4) + \
            bytes.fromhex("fe80") + bytes(13) + b"\x01" + bytes.fromhex("0101020000000001")

    def arp(self):
        operation = self.random.choice([1, 1, 2])
        return self.ethernet(0x0806, struct.pack("!HHBBH", 1, 0x800, 6, 4, operation) +
                             bytes([2, 0, 0, 0, 0, 1, 10, 0, 0, 1]) +
                             (bytes(6) if operation == 1 else bytes([2, 0, 0, 0, 0, 2])) +
                             bytes([10, 0, 0, self.random.randrange(6)]))

    def usual(self):
        """What `skep dump` shows as tcpdump does."""
        port = lambda segment: struct.unpack_from("!HH", segment)
        pick = self.random.random()
        if pick < 0.1:
            return self.arp()
        if pick < 0.2:
            return self.ipv4(1, self.icmp())
        if pick < 0.3:
            return self.ipv6(58, self.icmp6())
        segment = self.tcp() if pick < 0.6 else self.udp()
        # Ports of protocols that tcpdump knows more of.
        while any(known in port(segment) for known in (25, 80, 123, 161, 514, 4789, 8080)):
            segment = self.tcp() if pick < 0.6 else self.udp()
        protocol = 6 if pick < 0.6 else 17
        return self.ipv6(protocol, segment) if self.random.random() < 0.3 else self.ipv4(protocol, segment)

    def any(self):
        pick = self.random.random()
        if pick < 0.65:
            return self.ipv4(6, self.tcp()) if pick < 0.4 else self.usual()
        if pick < 0.75:
            return self.ipv4(17, self.udp(), self.random.choice([0x2000, 0x2005, 0x0005, 0x4000]))
        if pick < 0.80:
            return self.ipv4(6, self.tcp(), options=b"\x94\4\0\0")
        if pick < 0.85:
            return self.ipv6(44, struct.pack("!BBHI", 17, 0, self.random.choice([1, 8, 9]), 5) + self.udp())
        if pick < 0.92:
            return self.ipv4(self.random.choice([17, 47, 132, 2, 50, 51, 89, 103, 41]), self.udp() + self.bytes(32))
        if pick < 0.97:
            return self.ethernet(self.random.choice([0x88cc, 0x8863, 0x8864, 0x8847, 0x1234, 0x8035]),
                                 self.bytes(40))
        return self.ethernet(self.random.randrange(3, 60), b"\x42\x42\x03" + bytes(57))

    def cut(self, packet):
        return packet[:self.random.randrange(len(packet) + 1)] if self.random.random() < CUT else packet


def pcap(packets, order="<"):
    """Of (captured, length on the wire), each at a time of its own."""
    yield struct.pack(order + "IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    for number, (packet, length) in enumerate(packets):
        yield struct.pack(order + "IIII", 1700000000 + number // 1000, number % 1000 * 1000 + 7,
                          len(packet), length) + packet


def pcapng(packets):
    yield struct.pack("<IIIHHqI", 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0, -1, 28)
    yield struct.pack("<IIHHII", 1, 20, 1, 0, 65535, 20)
    for number, (packet, length) in enumerate(packets):
        padded = packet + bytes(-len(packet) % 4)
        time = (1700000000 + number // 1000) * 1000000 + number % 1000 * 1000 + 7
        yield struct.pack("<IIIIIII", 6, 32 + len(padded), 0, time >> 32, time & 0xffffffff, len(packet),
                          length) + padded + struct.pack("<I", 32 + len(padded))


def records(path):
    """The packets of a pcap file that this machine wrote: (time in microseconds, length, bytes)."""
    data = path.read_bytes()
    divisor = 1000 if struct.unpack_from("<I", data)[0] == 0xa1b23c4d else 1
    at = 24
    while at < len(data):
        seconds, fraction, captured, length = struct.unpack_from("<IIII", data, at)
        yield seconds * 1000000 + fraction // divisor, length, data[at + 16:at + 16 + captured]
        at += 16 + captured
