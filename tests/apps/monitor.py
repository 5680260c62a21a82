# SPDX-License-Identifier: BSD-2-Clause
"""`skep app monitor`: lines, JSON, another process's sampler, and a picture on a terminal that answers keys."""
import contextlib
import os
import re
import signal
import subprocess
import time

import frames
from frames import ethernet, tcp, udp
from harness import TIMEOUT, Skip, matches, same
from terminal import Terminal

FLOWS = [ethernet(udp("10.1.0.1", "10.2.0.1", 1000, 53, bytes(100)))] * 30 + [ethernet(tcp("10.1.0.2", "10.2.0.2", 2000, 80))] * 20


def by_event(lines, name):
    return [line for line in lines if line["event"] == name]


def test_monitor_once(skep):
    frames.write_capture(skep.path("in.pcap"), FLOWS)
    lines = skep.lines("app", "monitor", "pcap:in.pcap", "--once", "-j", "--top", "1")
    same([(line["flows"], line["packets"], line["bytes"]) for line in by_event(lines, "total")], [(2, 50, 30 * 128 + 20 * 40)])
    same([(line["protocol"], line["packets"]) for line in by_event(lines, "protocol")], [("udp", 30), ("tcp", 20)] if
         by_event(lines, "protocol")[0]["protocol"] == "udp" else [("tcp", 20), ("udp", 30)])
    same([(line["port"], line["packets"]) for line in by_event(lines, "ingress")], [(1, 50)])
    same([(line["source"], line["destination"], line["packets"]) for line in by_event(lines, "flow")], [("10.1.0.1:1000", "10.2.0.1:53", 30)])
    text = skep.ok("app", "monitor", "pcap:in.pcap", "--once")
    matches(r"(?m)^2 +flows +\S+ +[kMG]?bit/s +\S+ +[kMG]?packets/s +4\.64 kB$", text)
    matches(r"(?m)^    udp   10\.1\.0\.1:1000 +> 10\.2\.0\.1:53 ", text)
    skep.fails(2, r"^skep: app monitor: expected PORT, or --pin-dir DIR", "app", "monitor")


def wait_until(condition, process):
    for _ in range(TIMEOUT * 20):
        if condition():
            return
        if process.poll() is not None:
            raise AssertionError(f"it ended: {process.returncode}")
        time.sleep(0.05)
    raise AssertionError("it takes too long")


def test_monitor_of_another_process(skep):
    pins = str(skep.path("flow-pins"))
    skep.fails(2, r"^skep: .*/flow-pins/sampler: No such file or directory; is `skep app sampler --pin-dir .*` running\?$",
               "app", "monitor", "--pin-dir", pins)
    command = skep.command("app", "sampler", "--on", "gen:flows=7,seed=2,count=100000000000,pps=20000", "--pin-dir", pins, "--duration", str(TIMEOUT))
    with subprocess.Popen(command, cwd=skep.work, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as sampler:
        wait_until(lambda: skep("app", "monitor", "--pin-dir", pins, "--once", "-j", "--duration", "5").stdout, sampler)
        lines = skep.lines("app", "monitor", "--pin-dir", pins, "--once", "-j")
        same(by_event(lines, "total")[0]["flows"], 7)
        watching = subprocess.Popen(skep.command("app", "monitor", "--pin-dir", pins, "-j"), cwd=skep.work, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        watching.stdout.readline()
        sampler.send_signal(signal.SIGINT)
        _, errors = watching.communicate(timeout=TIMEOUT)
        same((watching.returncode, errors), (0, "the sampler has ended\n"))
        sampler.communicate(timeout=TIMEOUT)
    same(sampler.returncode, 0)


def test_monitor_on_a_terminal(skep):
    """Sorted, filtered, paused, with other sizes, ended by its key."""
    command = skep.command("app", "monitor", "gen:flows=5,seed=3,count=100000000000,pps=20000", "--interval", "0.2", "--duration", str(TIMEOUT))
    terminal = Terminal(command, skep.work)
    try:
        terminal.expect(r"5 +flows")
        if "skep monitor" not in terminal.text():
            raise Skip("needs ncurses when skep is built")
        terminal.expect(r"\n udp +█+")
        terminal.expect("BIT/S▼")
        terminal.expect("PACKETS/S▼", "s")
        terminal.expect("PACKETS/S▲", "r")
        terminal.expect("PAUSED", "p")
        terminal.expect("filter: tcp_", "/tcp")
        terminal.expect(r"(?s)filter: tcp +/ changes it", "\n")
        same(re.findall(r"(?m)^ udp +10\.", terminal.text()), [])
        terminal.expect("q quit", "\x1b")
        terminal.expect(r"(?m)^ udp +10\.")
        for size in ((3, 10), (1, 1), (24, 80), (60, 200)):
            terminal.resize(*size)
            terminal.read(0.3)
        terminal.expect("q quit +p pause")
        same(terminal.end("q"), 0)
    finally:
        with contextlib.suppress(OSError):
            os.kill(terminal.pid, signal.SIGKILL)
