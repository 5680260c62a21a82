# SPDX-License-Identifier: BSD-2-Clause
"""Runs in a network namespace of its own, which has the client; balancer and backends get theirs on a bridge.

usage: balancer_peers.py TARGET SKEP...
Prints one JSON object: how many requests each backend answered, how many connections were lost when one was killed.
"""
import collections
import fcntl
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

VIP, CLIENT, BALANCER = "192.0.2.80", "10.9.9.1", "10.9.9.2"
BACKENDS = ["10.9.9.11", "10.9.9.12", "10.9.9.13"]
SIOCETHTOOL, ETHTOOL_STXCSUM = 0x8946, 0x17
CONNECTIONS, PATIENCE = 30, 40

CONFIG = f"""connections 4096
source 10.9.9.2
next-hop route
vip {VIP} tcp 80
""" + "".join(f"backend {backend}\n" for backend in BACKENDS) + """check http path /up
check-timing every 100 timeout 5000 fall 2 rise 1
"""

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = sys.argv[1].encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *arguments): pass
http.server.ThreadingHTTPServer.daemon_threads = True
http.server.ThreadingHTTPServer(("0.0.0.0", 80), Handler).serve_forever()
"""

started = []


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


def start(namespace, *command, **options):
    process = subprocess.Popen(["nsenter", f"--net=/proc/{namespace}/ns/net", *command], start_new_session=True, **options)
    started.append(process)
    return process


def ethtool(interface, command, value):
    """Through ioctl(2), so that no package is needed."""
    import array
    data = array.array("B", struct.pack("II", command, value))
    request = struct.pack("16sP", interface.encode(), data.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCETHTOOL, request)


def namespace():
    process = subprocess.Popen(["unshare", "-n", "sleep", "600"], start_new_session=True)
    started.append(process)
    while os.readlink(f"/proc/{process.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
        time.sleep(0.01)
    return process.pid


def host(name, number, address, *more):
    """A namespace on the bridge; its interface is eth0, its Ethernet address tells the number."""
    pid = namespace()
    run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "address", f"02:00:00:00:00:{number:02x}", "netns", str(pid))
    run("ip", "link", "set", name, "master", "br0", "up")
    for line in ("ip link set lo up", f"ip addr add {address}/24 dev eth0", "ip link set eth0 up", *more):
        run("nsenter", "-n", "-t", str(pid), *line.split())
    return pid


def neighbours(pid):
    """Known to all, so that nothing waits for ARP."""
    for number, address in enumerate([BALANCER, *BACKENDS], 2):
        run("nsenter", "-n", "-t", str(pid), "ip", "neigh", "replace", address, "lladdr", f"02:00:00:00:00:{number:02x}", "dev", "eth0")


def build():
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "addr", "add", f"{CLIENT}/24", "dev", "br0")
    run("ip", "link", "set", "br0", "up")
    ethtool("br0", ETHTOOL_STXCSUM, 0)
    run("ip", "route", "add", f"{VIP}/32", "via", BALANCER)
    balancer = host("b0", 2, BALANCER, "sysctl -qw net.ipv4.conf.all.forwarding=1 net.ipv4.conf.eth0.forwarding=1")
    backends = [host(f"b{number}", number + 2, address, f"ip addr add {VIP}/32 dev lo")
                for number, address in enumerate(BACKENDS, 1)]
    neighbours(balancer)
    return balancer, backends


def serve(skep, backends):
    servers = []
    for pid, address in zip(backends, BACKENDS):
        start(pid, *skep, "run", "decap.bpf.c", "--target", "linux", "--on", "eth0", stdout=subprocess.DEVNULL)
        servers.append(start(pid, sys.executable, "-c", SERVER, address))
    for address in BACKENDS:
        connect(address)
    return servers


def ask(connection):
    connection.request("GET", "/")
    return connection.getresponse().read().decode()


def connect(address=VIP):
    """A connection that was answered, and by whom. Until all is up, one is tried again."""
    end = time.monotonic() + PATIENCE
    while True:
        connection = http.client.HTTPConnection(address, 80, timeout=5)
        try:
            return connection, ask(connection)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def keeps(connection, backend):
    try:
        return ask(connection) == backend
    except (OSError, http.client.HTTPException):
        return False


def wait_for(process, text):
    for line in process.stderr:
        if text in line:
            return
    raise SystemExit(f"no {text!r}")


def balance(target, skep, balancer):
    open("peers.conf", "w").write(CONFIG)
    if target == "linux":
        # The other end of a veth pair receives what XDP sends only when it has a program, too.
        start("self", *skep, "run", "pass.bpf.c", "--target", "linux", "--on", "b0", stdout=subprocess.DEVNULL)
        where = ["eth0"]
    else:
        # The stack sees the packets, too: for it, the address is nowhere.
        run("nsenter", "-n", "-t", str(balancer), "ip", "route", "add", "blackhole", f"{VIP}/32")
        where = ["packet:eth0", "--routes", "host"]
    return start(balancer, *skep, "app", "balancer", "peers.conf", "--target", target, "--on", *where, "-j",
                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def main():
    target, *skep = sys.argv[1:]
    balancer, backends = build()
    servers = serve(skep, backends)
    app = balance(target, skep, balancer)
    connections = [connect() for _ in range(CONNECTIONS)]
    before = collections.Counter(backend for _, backend in connections)
    killed = BACKENDS[1]
    os.killpg(servers[1].pid, signal.SIGKILL)
    wait_for(app, f"backend {killed} of {VIP} tcp 80 is down")
    lost = sum(not keeps(connection, backend) for connection, backend in connections)
    after = collections.Counter(connect()[1] for _ in range(CONNECTIONS))
    app.send_signal(signal.SIGINT)
    out, _ = app.communicate(timeout=60)
    shown = [json.loads(line) for line in out.splitlines()]
    print(json.dumps({"before": before, "killed": killed, "lost": lost, "after": after,
                      "states": {line["address"]: line["state"] for line in shown if line["event"] == "backend"},
                      "connections": sum(line["connections"] for line in shown if line["event"] == "vip")}))


if __name__ == "__main__":
    try:
        main()
    finally:
        for process in reversed(started):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
