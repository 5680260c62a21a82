# SPDX-License-Identifier: BSD-2-Clause
"""`skep device` and its hosts: processes of their own, over unix and tcp."""
import contextlib
import json
import os
import signal
import socket
import subprocess

from harness import Skip, matches, same

TIMEOUT = 60


def free_port():
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


@contextlib.contextmanager
def device(skep, address, *options, prefix=(), on="gen:count=3000,size=64-100"):
    """A device that listens; afterwards it was interrupted, and what it printed is its `report`."""
    process = subprocess.Popen([*prefix, *skep.command("device", "--listen", address, "--on", on, *options, "-j")],
                               cwd=skep.work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        if not line:
            raise AssertionError(process.stderr.read())
        same(json.loads(line), {"event": "device", "listening": address})
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT)
        process.report = [json.loads(text) for text in out.splitlines()]
        process.errors = err


def check_run(lines, count=3000):
    port = next(line for line in lines if line["event"] == "port")
    same((port["packets"], port["drop"]), (count, count))
    maps = {line["name"]: line["entries"] for line in lines if line["event"] == "map"}
    same([entry["value"] for entry in maps["totals"]], [0, count])
    same(sum(entry["value"] for entry in maps["lengths"]), count)


def test_device_over_unix_and_tcp(skep):
    for address in (f"unix:{skep.path('socket')}", f"tcp:127.0.0.1:{free_port()}"):
        with device(skep, address) as process:
            check_run(skep.lines("run", "offloaded.bpf.c", "--on", "device:" + address, "-j"))
        same(process.returncode, 0, process.errors)
        same([port["packets"] for port in process.report if port["event"] == "port"], [3000])
        same(skep.path("socket").exists(), False)


def test_device_that_is_interrupted_while_packets_flow(skep):
    address = f"unix:{skep.path('socket')}"
    with device(skep, address, on="gen:count=0") as process:
        lines = skep.lines("run", "offloaded.bpf.c", "--on", "device:" + address, "-j", "--duration", "0.5")
    same(process.returncode, 0, process.errors)
    port, = (line for line in lines if line["event"] == "port")
    same(port["packets"] > 0, True)
    same(process.report[0]["packets"] >= port["packets"], True)


def test_device_that_is_killed(skep):
    """One message; what was counted is shown."""
    address = f"unix:{skep.path('socket')}"
    with device(skep, address, on="gen:count=0") as process:
        host = subprocess.Popen(skep.command("run", "offloaded.bpf.c", "--on", "device:" + address, "--interval", "0.1",
                                             "-j"),
                                cwd=skep.work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while True:
            line = json.loads(host.stdout.readline())
            if line["name"] == "totals" and line["entries"][1]["value"] > 0:
                break
        process.kill()
        out, err = host.communicate(timeout=TIMEOUT)
    same(host.returncode, 1)
    same(err, f"skep: device {address}: the channel is broken: the device is gone (what was counted stays)\n")
    port, = (line for line in map(json.loads, out.splitlines()) if line["event"] == "port")
    same(port["packets"] > 0, True)
    skep.fails(2, f"^skep: device '{address}': Connection refused$", "run", "offloaded.bpf.c", "--on", "device:" + address)
    with device(skep, address):
        check_run(skep.lines("run", "offloaded.bpf.c", "--on", "device:" + address, "-j"))


def test_device_lacks(skep):
    address = f"unix:{skep.path('socket')}"
    run = ["run", "offloaded.bpf.c", "--on", "device:" + address]
    for without, message in (("bpf_map_update_elem", r"instruction \d+: it has no helper bpf_map_update_elem\(\)"),
                             ("ktime_get_ns,hash", "it has no maps of type hash")):
        with device(skep, address, "--without", without):
            skep.fails(2, f"^skep: offloaded.bpf.c: device {address}: {message}$", *run)
    with device(skep, address):
        skep.fails(2, "devices have maps of type array and hash only$", "run", "firewall.bpf.o", *run[2:])
    skep.fails(2, "without 'no_such': expected the name of a helper or map type", "device", "--listen", address, "--on",
               "gen:count=1", "--without", "no_such")


def test_device_usage(skep):
    for pattern, *words in (
            ("device: --listen unix:PATH or tcp:HOST:PORT is missing", "--on", "gen:count=1"),
            (r"device: --on PORT is missing", "--listen", "unix:x"),
            ("device: takes no arguments", "firewall.bpf.o", "--listen", "unix:x"),
            ("device 'pipe:x': expected unix:PATH or tcp:HOST:PORT", "--listen", "pipe:x", "--on", "gen:count=1")):
        skep.fails(2, f"^skep: {pattern}", "device", *words)
    skep.fails(2, "^skep: offload: a program is for one port of kind device:", "run", "offloaded.bpf.c", "--on",
               "gen:count=1", "--xdp-mode", "offload")


def test_device_and_native_programs(skep):
    """The modes do not mix up: a device's port on the host has no packets for native programs."""
    address = f"unix:{skep.path('socket')}"
    with device(skep, address):
        lines = skep.lines("run", "offloaded.bpf.c", "--on", "device:" + address, "--xdp-mode", "native", "-j",
                           "--duration", "0.2")
        port, = (line for line in lines if line["event"] == "port")
        same(port["packets"], 0)


def test_device_by_unmodified_bpftool(skep):
    if b"__asan_init" in skep.binary.read_bytes():
        raise Skip("a sanitizer's library cannot be preloaded this way")
    if subprocess.run(["which", "bpftool"], capture_output=True).returncode:
        raise Skip("there is no bpftool")
    address = f"unix:{skep.path('socket')}"
    subprocess.run(["clang", "-g", "-O2", "-target", "bpf", f"-I/usr/include/{os.uname().machine}-linux-gnu", "-c",
                    "offloaded.bpf.c", "-o", "offloaded.bpf.o"], cwd=skep.work, check=True)
    skep.path("batch").write_text("prog load offloaded.bpf.o /sys/fs/bpf/offloaded type xdp dev lo\n"
                                  "prog show\n"
                                  "map update name totals key 1 0 0 0 value 7 0 0 0 0 0 0 0\n"
                                  "map show\n"
                                  "map dump name totals\n")
    with device(skep, address):
        # the host's interface 1 is lo, and so is the engine's port 1 to bpftool
        got = skep.ok("exec", "--on", "device:" + address, "--", "bpftool", "batch", "file", "batch")
    matches(r"xdp  name offloaded .* offloaded_to lo  gpl\n.*\n\txlated \d+B  jited \d+B", got)
    matches(r"array  name totals  flags 0x0  offloaded_to lo\n", got)
    matches(r'"key": 1,\s*"value": 7', got)


def test_arm64_device(skep):
    tool = skep.source / "tools/cross"
    missing = subprocess.run([tool, "arm64", "missing"], capture_output=True, text=True).stdout.strip()
    built = skep.source / "build-arm64" / "skep"
    if missing:
        raise Skip(f"missing: {missing} (tools/cross arm64 setup)")
    if not built.exists():
        raise Skip("build-arm64 is not there (the test cross_arm64 builds it)")
    if b"skep device" not in built.read_bytes() and b"listening" not in built.read_bytes():
        raise Skip("build-arm64 is older than `skep device`")
    address = f"unix:{skep.path('socket')}"
    process = subprocess.Popen([tool, "arm64", "run", built, "device", "--listen", address, "--on", "gen:count=3000"],
                               cwd=skep.source, stdout=subprocess.PIPE, text=True)
    try:
        same(process.stdout.readline(), f"listening {address}\n")
        check_run(skep.lines("run", "offloaded.bpf.c", "--on", "device:" + address, "-j"))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT)
