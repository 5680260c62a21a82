# SPDX-License-Identifier: BSD-2-Clause
"""Reads IPFIX messages (RFC 7011), by the templates that are in them."""
import ipaddress
import struct

ADDRESSES = {8, 12, 27, 28}
NAMES = {1: "bytes", 2: "packets", 4: "protocol", 6: "flags", 7: "source_port", 8: "source", 10: "ingress", 11: "destination_port",
         12: "destination", 27: "source", 28: "destination", 136: "reason", 152: "start", 153: "end", 302: "selector", 304: "algorithm",
         305: "interval", 306: "space", 311: "probability", 42: "sent", 166: "lost_flows", 167: "lost_packets"}


class Collected:
    """Messages one after another: `flows`, `options`, and whether sequence numbers counted all records."""

    def __init__(self):
        self.templates, self.flows, self.options = {}, [], []
        self.records = self.gaps = self.messages = 0

    def message(self, data):
        version, length, _, sequence, _ = struct.unpack_from(">HHIII", data)
        if version != 10 or length != len(data):
            raise AssertionError(f"version {version}, length {length} of {len(data)}")
        self.messages += 1
        self.gaps += sequence != self.records
        self.records = sequence
        at = 16
        while at < length:
            kind, size = struct.unpack_from(">HH", data, at)
            self.read_set(kind, data[at + 4:at + size])
            at += size

    def stream(self, data):
        """What is whole at the beginning of `data`; the rest."""
        while len(data) >= 4 and len(data) >= struct.unpack_from(">H", data, 2)[0]:
            size = struct.unpack_from(">H", data, 2)[0]
            self.message(data[:size])
            data = data[size:]
        return data

    def read_set(self, kind, data):
        if kind in (2, 3):
            self.read_template(kind == 3, data)
            return
        fields, is_option = self.templates[kind]
        size = sum(length for _, length in fields)
        for at in range(0, len(data) - size + 1, size):
            record = {}
            for element, length in fields:
                value, at = data[at:at + length], at + length
                if element in ADDRESSES:
                    record[NAMES[element]] = str(ipaddress.ip_address(value))
                else:
                    record[NAMES.get(element, element)] = (struct.unpack(">d", value)[0] if element == 311 else int.from_bytes(value, "big"))
            (self.options if is_option else self.flows).append(record)
            self.records += 1

    def read_template(self, is_option, data):
        at = 0
        while at + 4 <= len(data):
            number, count = struct.unpack_from(">HH", data, at)
            at += 6 if is_option else 4
            self.templates[number] = ([struct.unpack_from(">HH", data, at + 4 * i) for i in range(count)], is_option)
            at += 4 * count


def read(path):
    collected = Collected()
    rest = collected.stream(path.read_bytes())
    if rest:
        raise AssertionError(f"{len(rest)} bytes of a message that is not whole")
    return collected
