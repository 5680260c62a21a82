# SPDX-License-Identifier: BSD-2-Clause
"""`skep run --forward` between two namespaces, beside Linux as the router in the same place; `skep route`, `neigh`, `address`."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from harness import Skip, matches, same

ADDRESSES = ("10.0.1.1/24 dev r0", "10.0.2.1/24 dev r1", "fd00:1::1/64 dev r0", "fd00:2::1/64 dev r1")
ROUTES = ("10.3.0.0/16 via 10.0.2.2 dev r1", "fd03::/32 via fd00:2::2 dev r1", "blackhole 10.5.0.0/16",
          "unreachable 10.6.0.0/16", "prohibit 10.7.0.0/16", "10.8.0.0/16 via 10.0.2.77 dev r1",
          "blackhole fd05::/32", "unreachable fd06::/32", "prohibit fd07::/32", "fd08::/32 via fd00:2::77 dev r1")
PATIENCE = 60


# --- the file ---

def test_routes_are_rows_of_a_file(skep):
    file = ("--routes", "rows")
    skep.ok("address", "add", "10.0.0.1/24", "dev", "lan", *file)
    skep.ok("route", "add", "10.1.2.3/16", "via", "10.0.0.7", "dev", "lan", *file)
    skep.ok("route", "add", "blackhole", "10.2.0.0/16", *file)
    skep.ok("route", "add", "default", "via", "10.0.0.9", "dev", "lan", "metric", "5", *file)
    skep.ok("route", "add", "10.4.0.0/16", "via", "10.0.0.7", "encap", "bpf", "xmit", "prog", "dev", "lan", *file)
    skep.ok("neigh", "add", "10.0.0.7", "lladdr", "02:00:00:00:00:07", "dev", "lan", *file)
    skep.fails(1, "route add: '10.1.0.0/16' is there already: '10.1.2.3/16 via", "route", "add", "10.1.0.0/16", "dev", "lan", *file)
    skep.ok("route", "add", "10.1.0.0/16", "dev", "lan", "metric", "9", *file)
    skep.ok("route", "replace", "10.1.0.0/16", "via", "10.0.0.8", "dev", "lan", *file)
    same(skep.ok("route", "get", "10.1.9.9", *file).split(), "10.1.9.9 via 10.0.0.8 dev lan src 10.0.0.1".split())
    same(skep.ok("route", "get", "10.0.0.1", *file).split()[0], "local")
    same(skep.json("route", "get", "10.2.0.1", "-j", *file)["type"], "blackhole")
    skep.ok("route", "del", "10.1.0.0/16", "metric", "9", *file)
    skep.fails(1, "route del: '10.1.0.0/16': there is none like it", "route", "del", "10.1.0.0/16", "via", "10.0.0.7", *file)
    same([row["dst"] for row in skep.json("route", "list", "-j", *file)], ["10.1.0.0/16", "10.2.0.0/16", "default", "10.4.0.0/16"])
    same(skep.json("neigh", "list", "-j", *file), [{"address": "10.0.0.7", "lladdr": "02:00:00:00:00:07", "dev": "lan"}])
    same(skep.json("address", "list", "-j", *file), [{"address": "10.0.0.1/24", "dev": "lan"}])
    skep.ok("neigh", "del", "10.0.0.7", *file)
    skep.ok("address", "del", "10.0.0.1/24", *file)
    same(skep.path("rows").read_text().count("\n"), 4)


def test_changes_at_once_are_all_made(skep):
    file = ("--routes", "shared/rows")
    skep.path("shared").mkdir()
    skep.ok("route", "add", "10.0.0.0/24", "dev", "lan", *file)
    rows = [f"10.0.{number}.0/24" for number in range(1, 17)]
    changes = [skep.command("route", "add", row, "dev", "lan", *file) for row in rows]
    changes.append(skep.command("route", "del", "10.0.0.0/24", *file))
    processes = [subprocess.Popen(change, cwd=skep.work) for change in changes]
    same([process.wait(PATIENCE) for process in processes], [0] * len(changes))
    same(sorted(row["dst"] for row in skep.json("route", "list", "-j", *file)), sorted(rows))
    same([path.name for path in skep.path("shared").iterdir()], ["rows"])
    skep.fails(2, "--routes gone/rows: its directory cannot be locked: No such file", "route", "add", "10.0.0.0/8", "dev", "lan",
               "--routes", "gone/rows")


def test_what_is_wrong_with_a_row(skep):
    skep.path("empty").write_text("")
    file = ("--routes", "empty")
    for pattern, words in (
            ("route add: 'somewhere': expected \\[TYPE\\] PREFIX", ("route", "add", "somewhere", "dev", "lan")),
            ("route add: 'end of line': expected dev DEVICE", ("route", "add", "10.0.0.0/8")),
            ("route add: '10.0.0.256': expected an address", ("route", "add", "10.0.0.0/8", "via", "10.0.0.256", "dev", "lan")),
            ("route add: 'colour': expected via, dev", ("route", "add", "10.0.0.0/8", "dev", "lan", "colour", "red")),
            ("route add: expected \\[TYPE\\] PREFIX", ("route", "add")),
            ("route add: 'rule': expected \\[TYPE\\] PREFIX", ("route", "add", "rule", "1")),
            ("address add: '10.0.0.1/33': expected|address add: '10.0.0.1': expected", ("address", "add", "10.0.0.1/33", "dev", "lan")),
            ("neigh add: '02:00': expected an address like", ("neigh", "add", "10.0.0.1", "lladdr", "02:00", "dev", "lan")),
            ("route get: 'x': expected an address", ("route", "get", "x")),
            ("route list: takes no arguments", ("route", "list", "x"))):
        skep.fails(2, pattern, *words, *file)
    same(skep.path("empty").read_text(), "")
    skep.fails(1, "route get: 10.0.0.1: no route", "route", "get", "10.0.0.1", *file)
    skep.fails(2, "route list: --routes FILE is missing", "route", "list")
    skep.fails(2, "route list: --routes FILE is missing; the host's", "route", "list", "--routes", "host")
    skep.fails(2, "--routes nowhere: No such file", "route", "list", "--routes", "nowhere")
    skep.fails(2, "--forward: --routes FILE|host is missing", "run", "--forward", "--on", "gen:count=1")
    skep.fails(2, "run: --on PORT is missing", "run", "--forward", *file)


def test_a_router_counts(skep):
    # generated packets are each for the station of its destination's number
    skep.path("gen.routes").write_text("device 1 name lan address 02:00:c0:a8:00:28\naddress 192.168.0.1/24 dev lan\n"
                                       "blackhole 192.168.0.32/27\n")
    records = skep.lines("run", "--forward", "--on", "gen:count=1000,out=none.pcap", "--routes", "gen.routes", "-j")
    counts = next(record for record in records if record["event"] == "forwarding")
    same((counts["packets"], counts["blackhole"] + counts["other_host"]), (1000, 1000))
    same(counts["blackhole"] > 0, True)


# --- two namespaces and a router ---

def shell(pid, line, **options):
    return subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "sh", "-c", line], text=True, capture_output=True,
                          timeout=PATIENCE, **options)


def must(pid, line):
    got = shell(pid, line)
    same(got.returncode, 0, f"{line}: {got.stderr}")
    return got.stdout


class Place:
    """Client c0 -- r0 router r1 -- s0 server; nothing of the router is configured but its interfaces."""

    def __init__(self, stack):
        self.client, self.router, self.server = (self.namespace(stack) for _ in range(3))
        # Each probe has a source of its own: errors to one address are few a second.
        many = " && ".join(f"ip addr add 10.0.1.{n}/24 dev c0 && ip addr add fd00:1::{n}/64 dev c0 nodad" for n in range(2, 40))
        must(self.router, f"ip link add r0 type veth peer name c0 netns {self.client} && "
             f"ip link add r1 mtu 1400 type veth peer name s0 mtu 1400 netns {self.server} && ip link set r0 up && ip link set r1 up")
        must(self.client, f"{many} && ip link set lo up && ip link set c0 up && ip route add default via 10.0.1.1 && "
             "ip route add default via fd00:1::1")
        must(self.server, "sysctl -qw net.ipv4.conf.s0.arp_notify=1; ip link set lo up && ip addr add 10.0.2.2/24 dev s0 && "
             "ip addr add 10.0.2.3/24 dev s0 && ip addr add fd00:2::2/64 dev s0 nodad && ip addr add 10.3.0.1/32 dev lo && "
             "ip addr add fd03::1/128 dev lo nodad && ip link set s0 up && ip route add default via 10.0.2.1 && "
             "ip route add default via fd00:2::1")
        for pid, interface in ((self.client, "c0"), (self.server, "s0")):
            must(pid, f"{sys.executable} {pathlib.Path(__file__).parent}/router_probe.py offload {interface}")

    @staticmethod
    def namespace(stack):
        process = subprocess.Popen(["unshare", "-n", "sleep", "900"])
        stack.callback(process.wait)
        stack.callback(process.kill)
        while os.readlink(f"/proc/{process.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            time.sleep(0.01)
        return process.pid


@contextlib.contextmanager
def place():
    if os.geteuid():
        raise Skip("not root")
    if subprocess.run(["unshare", "-n", "ip", "link", "add", "out0", "type", "veth"], capture_output=True).returncode:
        raise Skip("no network namespace with a veth pair")
    with contextlib.ExitStack() as stack:
        yield Place(stack)


def probe(place, *arguments):
    return json.loads(must(place.client, f"{sys.executable} {pathlib.Path(__file__).parent}/router_probe.py {' '.join(arguments)}"))


def linux_routes(place):
    must(place.router, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    for address in ADDRESSES:
        must(place.router, f"ip addr add {address} {'nodad' if ':' in address else ''}")
    for route in ROUTES:
        must(place.router, f"ip route add {route}")


@contextlib.contextmanager
def skep_routes(skep, place, kind, *objects):
    """The router, running; at the end what it says is in the list."""
    must(place.router, "sysctl -qw net.ipv6.conf.r0.disable_ipv6=1 net.ipv6.conf.r1.disable_ipv6=1")
    skep.path("routes").unlink(missing_ok=True)
    for address in ADDRESSES:
        skep.ok("address", "add", *address.split(), "--routes", "routes")
    for route in ROUTES:
        skep.ok("route", "add", *route.split(), "--routes", "routes")
    records = []
    process = subprocess.Popen(["nsenter", f"--net=/proc/{place.router}/ns/net",
                                *skep.command("run", *objects, "--forward", "--on", f"{kind}:r0,{kind}:r1", "--routes", "routes", "-j")],
                               cwd=skep.work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        while shell(place.client, "ping -c1 -W1 10.0.1.1 && ping -c1 -W1 fd00:1::1").returncode:
            if process.poll() is not None:
                said = process.stderr.read()
                raise Skip(said.splitlines()[0]) if "AF_XDP" in said else AssertionError(said)
        yield records
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        same((process.returncode, err), (0, ""))
        records.extend(json.loads(line) for line in out.splitlines())
    finally:
        process.kill()
        process.wait()


def counts_add_up(skep, records):
    ends = [fields for fields in skep.path("ends").read_text().split()]
    counts = [record for record in records if record["event"] == "forwarding"]
    same(len(counts), 2)
    for record in counts:
        same(sum(record[name] for name in ends), record["packets"])


def keep_ends(skep):
    """The names of what is one packet's end."""
    import re
    text = (skep.source / "include/skep/forward.def").read_text()
    skep.path("ends").write_text(" ".join(re.findall(r'^FORWARD\(\w+, "(\w+)", true', text, re.M)))


def test_a_router_tells_what_linux_tells(skep):
    """ICMP errors: of whom, of what type, with what in them. Linux first, then skep at the same interfaces."""
    with place() as here:
        linux_routes(here)
        want = probe(here, "errors")
        for address in ADDRESSES:
            must(here.router, f"ip addr del {address}")
        must(here.router, "sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")
        must(here.client, "ip neigh flush all; ip -6 neigh flush all")
        with skep_routes(skep, here, "packet"):
            got = probe(here, "errors")
    for name in want:
        same(got[name], want[name], name)
    same([name for name in want if not want[name]], ["blackhole", "blackhole 6"])


def test_a_router_between_two_networks(skep):
    keep_ends(skep)
    with place() as here:
        with skep_routes(skep, here, "xdp") as records:
            for to in ("10.0.2.2", "10.3.0.1", "fd00:2::2", "fd03::1"):
                must(here.client, f"ping -c2 -W5 {to}")
            server = subprocess.Popen(["nsenter", f"--net=/proc/{here.server}/ns/net", sys.executable,
                                       str(pathlib.Path(__file__).parent / "router_probe.py"), "serve"], stdout=subprocess.PIPE, text=True)
            try:
                same(server.stdout.readline(), "ready\n")
                for prefix in ("10.3.0.0/16 via 10.0.2.2", "fd03::/32 via fd00:2::2"):
                    skep.ok("route", "replace", *prefix.split(), "dev", "r1", "mtu", "1300", "--routes", "routes")
                time.sleep(0.5)  # the router looks at the file several times a second
                same(probe(here, "transfer"), {to: True for to in ("10.0.2.2", "10.3.0.1", "fd00:2::2", "fd03::1", "cut")})
                # path MTU discovery: the transfer's segments came to fit
                for to in ("10.3.0.1", "fd03::1"):
                    matches("mtu 1300", must(here.client, f"ip route get {to}"))
                # another station has the address now, and says so
                must(here.server, "ip link set s0 down && ip link set s0 address 02:00:00:00:00:99 && ip link set s0 up && "
                     "ip route replace default via 10.0.2.1")
                must(here.client, "ping -c5 -i 0.3 -W5 10.0.2.2")
                replaced_under_traffic(skep, here, server)
            finally:
                server.kill()
                server.wait()
    counts_add_up(skep, records)
    states = {record["address"]: record["state"] for record in records if record["event"] == "neighbour"}
    same(states["10.0.2.2"] in ("reachable", "stale", "probe"), True)


def replaced_under_traffic(skep, here, server):
    """A thousand packets, while their route changes from one next hop to another: none is lost."""
    client = subprocess.Popen(["nsenter", f"--net=/proc/{here.client}/ns/net", sys.executable,
                               str(pathlib.Path(__file__).parent / "router_probe.py"), "stream"], stdout=subprocess.PIPE, text=True)
    number = 0
    while client.poll() is None:
        number += 1
        skep.ok("route", "replace", "10.3.0.0/16", "via", f"10.0.2.{2 + number % 2}", "dev", "r1", "--routes", "routes")
        time.sleep(0.1)
    same(client.stdout.read(), "all\n")
    same(number > 3, True)
