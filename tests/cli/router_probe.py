# SPDX-License-Identifier: BSD-2-Clause
"""What router.py runs in its namespaces: probes that make a router tell errors, a server, transfers.

usage: router_probe.py offload IFACE | errors | serve | transfer | stream
"""
import array
import fcntl
import hashlib
import json
import select
import socket
import struct
import sys
import threading
import time

PATIENCE = 20
BYTES = 2000000
UDP, TCP, ICMP, ICMP6 = 17, 6, 1, 58

# name: source's last number, destination, hop limit, length, may it be cut (IPv4)
ERRORS = {
    "ttl": (3, "10.0.2.2", 1, 100, False),
    "ttl of a long one": (4, "10.0.2.2", 1, 1300, False),
    "no route": (5, "192.0.2.1", 64, 100, False),
    "unreachable": (6, "10.6.0.1", 64, 100, False),
    "prohibited": (7, "10.7.0.1", 64, 800, False),
    "too big": (8, "10.0.2.2", 64, 1450, False),
    "no neighbour": (9, "10.0.2.99", 64, 100, False),
    "no gateway": (10, "10.8.0.1", 64, 100, False),
    "port": (11, "10.0.1.1", 64, 100, False),
    "port behind": (12, "10.0.2.1", 64, 100, False),
    "ttl 6": (13, "fd00:2::2", 1, 100, False),
    "ttl of a long one 6": (14, "fd00:2::2", 1, 1300, False),
    "no route 6": (15, "2001:db8::1", 64, 100, False),
    "prohibited 6": (17, "fd07::1", 64, 1300, False),
    "too big 6": (18, "fd00:2::2", 64, 1450, False),
    "no neighbour 6": (19, "fd00:2::99", 64, 100, False),
    "no gateway 6": (20, "fd08::1", 64, 100, False),
    "port 6": (21, "fd00:1::1", 64, 100, False),
}
# These are told of nothing.
SILENT = {"blackhole": (22, "10.5.0.1", 64, 100, False), "blackhole 6": (23, "fd05::1", 64, 100, False)}


def offload(interface):
    """Checksums and segments are made before packets leave (ETHTOOL_STXCSUM, STSO, SGSO)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for command in (0x17, 0x1f, 0x24):
            data = array.array("B", struct.pack("II", command, 0))
            fcntl.ioctl(s, 0x8946, struct.pack("16sP", interface.encode(), data.buffer_info()[0]))


def packet(source, to, limit, length, cut):
    udp = length - (40 if ":" in to else 20)
    body = struct.pack("!HHHH", 4000, 33434, udp, 0) + bytes(n % 251 for n in range(udp - 8))
    if ":" in to:
        pair = socket.inet_pton(socket.AF_INET6, f"fd00:1::{source}") + socket.inet_pton(socket.AF_INET6, to)
        total = sum(struct.unpack(f"!{(len(pair) + len(body)) // 2}H", pair + body)) + udp + UDP
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        body = body[:6] + struct.pack("!H", ~total & 0xffff) + body[8:]
        return struct.pack("!IHBB", 6 << 28, udp, UDP, limit) + pair + body
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0x08, length, 7, 0 if cut else 0x4000, limit, UDP, 0,
                       socket.inet_aton(f"10.0.1.{source}"), socket.inet_aton(to)) + body


def describe(ip):
    """An error: who it is for, and all that says what it is."""
    if ip[0] >> 4 == 4:
        header, kind = (ip[0] & 15) * 4, ip[9] == ICMP
        source, to = socket.inet_ntoa(ip[12:16]), int(ip[19])
        head = {"tos": ip[1], "ttl": ip[8], "flags": ip[6] >> 5}
    else:
        header, kind = 40, ip[6] == ICMP6
        last = f"{ip[38]:x}{ip[39]:02x}"  # of a probe's source: its number, as it is written
        source, to = socket.inet_ntop(socket.AF_INET6, ip[8:24]), int(last) if last.isdecimal() else 0
        head = {"limit": ip[7], "class": ip[0] & 15}
    icmp = ip[header:]
    if not kind or icmp[0] not in ((3, 11) if ip[0] >> 4 == 4 else (1, 2, 3, 4)):
        return None
    quoted = icmp[8:]
    # a header's checksum that the sender left to the kernel is part of it
    return to, {**head, "source": source, "type": icmp[0], "code": icmp[1], "info": icmp[4:8].hex(), "quoted": len(quoted),
                "digest": hashlib.sha1(quoted).hexdigest()}


def errors():
    listener = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    listener.bind(("c0", 0))
    raw = {4: socket.socket(socket.AF_INET, socket.SOCK_RAW, 255), 6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, 255)}
    probes = {**ERRORS, **SILENT}
    raw[4].setsockopt(socket.IPPROTO_IP, 10, 3)  # IP_MTU_DISCOVER, IP_PMTUDISC_PROBE
    for source, to, *rest in probes.values():
        raw[6 if ":" in to else 4].sendto(packet(source, to, *rest), (to, 0))
    names = {values[0]: name for name, values in probes.items()}
    found, end = {}, time.monotonic() + PATIENCE
    while len(found) < len(ERRORS) and time.monotonic() < end:
        if not select.select([listener], [], [], 0.2)[0]:
            continue
        data, address = listener.recvfrom(65536)
        error = describe(data) if address[2] != socket.PACKET_OUTGOING and data and address[1] in (0x800, 0x86dd) else None
        if error and error[0] in names:
            found.setdefault(names[error[0]], error[1])
    return {name: found.get(name) for name in probes}


def serve():
    """Gives as many bytes as it gets, and sends datagrams back."""
    tcp = socket.create_server(("::", 8000), family=socket.AF_INET6, dualstack_ipv6=True)
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    udp.bind(("::", 8000))

    def answer(connection):
        with connection:
            got = 0
            while more := connection.recv(65536):
                got += len(more)
            connection.sendall(b"x" * got)

    def accept():
        while True:
            threading.Thread(target=answer, args=(tcp.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print("ready", flush=True)
    while True:
        data, sender = udp.recvfrom(65536)
        udp.sendto(data, sender)


def fetch(to):
    with socket.create_connection((to, 8000), timeout=PATIENCE) as connection:
        connection.sendall(b"x" * BYTES)
        connection.shutdown(socket.SHUT_WR)
        got = 0
        while more := connection.recv(65536):
            got += len(more)
    return got == BYTES


def cut():
    """A datagram that may be cut, and is, on the way there."""
    data = bytes(n % 250 for n in range(1460))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, 10, 0)
        s.settimeout(1)
        for _ in range(PATIENCE):
            s.sendto(data, ("10.3.0.1", 8000))
            try:
                return s.recv(65536) == data
            except TimeoutError:
                continue
    return False


def stream():
    """Packets one after another, each of which is answered (from the server's own address)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(PATIENCE)
        for number in range(1000):
            s.sendto(struct.pack("I", number), ("10.3.0.1", 8000))
            if s.recv(100) != struct.pack("I", number):
                return "another"
            time.sleep(0.002)
    return "all"


if __name__ == "__main__":
    what = sys.argv[1]
    if what == "offload":
        offload(sys.argv[2])
    elif what == "errors":
        print(json.dumps(errors()))
    elif what == "serve":
        serve()
    elif what == "transfer":
        print(json.dumps({**{to: fetch(to) for to in ("10.0.2.2", "10.3.0.1", "fd00:2::2", "fd03::1")}, "cut": cut()}))
    else:
        print(stream())
