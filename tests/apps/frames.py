# SPDX-License-Identifier: BSD-2-Clause
"""Packets as bytes, and captures of them."""
import ipaddress
import struct

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
SYN, ACK = 2, 16
CLIENT_MAC, OWN_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def pseudo(source, destination, protocol, length):
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if source.version == 4:
        return source.packed + destination.packed + struct.pack(">BBH", 0, protocol, length)
    return source.packed + destination.packed + struct.pack(">IHBB", length, 0, 0, protocol)


def ip(source, destination, protocol, payload, flags=0, ttl=63):
    """An IP packet of the addresses' family."""
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if source.version == 6:
        return struct.pack(">IHBB", 6 << 28, len(payload), protocol, ttl) + source.packed + destination.packed + payload
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 7, flags, ttl, protocol, 0) + source.packed + destination.packed
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def tcp(source, destination, source_port, destination_port, flags=SYN, payload=b""):
    segment = struct.pack(">HHIIBBHHH", source_port, destination_port, 1, 0, 0x50, flags, 1000, 0, 0) + payload
    total = checksum(pseudo(source, destination, TCP, len(segment)) + segment)
    return ip(source, destination, TCP, segment[:16] + struct.pack(">H", total) + segment[18:])


def udp(source, destination, source_port, destination_port, payload=b"", flags=0):
    datagram = struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0) + payload
    total = checksum(pseudo(source, destination, UDP, len(datagram)) + datagram) or 0xffff
    return ip(source, destination, UDP, datagram[:6] + struct.pack(">H", total) + datagram[8:], flags)


def icmp(source, destination, kind, code, rest, payload):
    is6 = ipaddress.ip_address(source).version == 6
    message = struct.pack(">BBHI", kind, code, 0, rest) + payload
    covered = pseudo(source, destination, ICMP6, len(message)) + message if is6 else message
    message = message[:2] + struct.pack(">H", checksum(covered)) + message[4:]
    return ip(source, destination, ICMP6 if is6 else ICMP, message)


def ethernet(packet, source=CLIENT_MAC, destination=OWN_MAC):
    return destination + source + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00") + packet


def write_capture(path, frames):
    parts = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 1 << 18, 1)]
    parts += [struct.pack("<IIII", 1, number % 1000000, len(frame), len(frame)) + frame for number, frame in enumerate(frames)]
    path.write_bytes(b"".join(parts))


def read_capture(path):
    """The frames of a capture with microseconds or nanoseconds."""
    data, at, frames = path.read_bytes(), 24, []
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + size])
        at += 16 + size
    return frames
