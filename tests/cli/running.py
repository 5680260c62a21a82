# SPDX-License-Identifier: BSD-2-Clause
"""`skep run`: packets, records, lines, times, signals, the terminal."""
import json
import os
import pty
import re
import signal
import subprocess
import time

from harness import Skip, matches, same


def by_event(lines, event):
    return [line for line in lines if line["event"] == event]


def test_run_with_replaced_functions(skep):
    run = ["run", "replaced.bpf.c", "-P", "replaceable"]
    for jit in ("off", "base", "full"):
        same(skep.ok(*run, "--jit", jit, "--data", "00" * 64), "retval 2\n")
        same(skep.ok(*run, "--jit", jit, "--replace", "replacing.bpf.c", "--data", "00" * 64), "retval 1\n")
        same(skep.ok(*run, "--jit", jit, "--replace", "replacing.bpf.c", "--data", "00" * 14), "retval 2\n")
    skep.fails(2, "^skep: replaced.bpf.c: 'replaceable' cannot be attached: Invalid argument", *run,
               "--replace", "replaced.bpf.c", "--data", "00" * 64)


def test_run_generated_packets(skep):
    text = skep.ok("run", "firewall.bpf.o", "--on", "gen:flows=5,count=100,proto=udp", "--top", "2")
    matches(r"^gen:flows=5,count=100,proto=udp\n\tpackets 100  bytes 6400  ", text)
    matches(r"\n\tpass 100\n\tout_packets 100\n", text)
    matches(r"\n  \.\.\. and \d+ more \(--top 0 shows all\)\n", text)
    same([line for line in text.splitlines() if len(line) > 80], [])


def test_run_shows_what_has_no_type(skep):
    matches(r"\n  00 00 00 00  00 00 00 00 00 00 00 00\n  01 00 00 00  05 04 03 02 01 00 00 00\n",
            skep.ok("run", "untyped.bpf.c", "--on", "gen:count=10"))


def test_run_several_ports(skep):
    skep.ok("run", "counter.bpf.o", "--on", "gen:count=50,out=in.pcap")
    lines = skep.lines("run", "counter.bpf.o", "--on", "gen:count=7,seed=2,pcap:in.pcap", "-j")
    same([port["packets"] for port in by_event(lines, "port")], [7, 50])
    lines = skep.lines("run", "counter.bpf.o", "--on", "pcap:in.pcap:out.pcap,gen:count=9", "-j", "--count", "5")
    same([port["packets"] for port in by_event(lines, "port")], [5, 5])
    same(skep.path("out.pcap").stat().st_size, 24 + 5 * (16 + 64))


def test_several_programs_at_a_port(skep):
    arguments = ("run", "sizes.bpf.c", "size.bpf.c", "drop.bpf.c", "--on", "gen:flows=50,count=9000,seed=3,proto=udp")
    for more in ((), ("--xdp-mode", "generic", "--stats")):
        lines = skep.lines(*arguments, "-j", *more)
        programs = by_event(lines, "program")
        same([(program["place"], program["name"], program["priority"]) for program in programs],
             [("xdp", "drop_dns", 10), ("xdp", "note_size", 20), ("tc ingress", "count_sizes", 1)])
        dropped = programs[0]["drop"]
        same(dropped > 0, True)
        same([programs[0]["pass"], programs[1]["pass"], programs[2]["ok"], by_event(lines, "port")[0]["pass"]],
             [9000 - dropped] * 4)
        same(by_event(lines, "map")[0]["entries"], [{"key": 64, "value": 9000 - dropped}])
        same(["ns" in program for program in programs], [bool(more)] * 3)
    matches(r"\nxdp  drop_dns  priority 10  drop \d+  pass \d+\nxdp  note_size  priority 20  pass \d+\n"
            r"tc ingress  count_sizes  priority 1  ok \d+\n", skep.ok(*arguments))


def test_named_programs_at_a_port(skep):
    lines = skep.lines("run", "tailcall.bpf.o", "--on", "gen:count=100", "-j", "--program", "parse_ipv4,parse_ipv6")
    same([program["name"] for program in by_event(lines, "program")], ["parse_ipv4", "parse_ipv6"])
    skep.fails(2, r"no program named 'parse_ipv5'$", "run", "tailcall.bpf.o", "--on", "gen:count=1", "--program",
               "parse_ipv4,parse_ipv5")


def test_what_passes_leaves_by_another_port(skep):
    lines = skep.lines("run", "counter.bpf.o", "--on", "gen:count=20,gen:count=1,out=behind.pcap", "-j", "--pass-to", "2")
    same([port["out_packets"] for port in by_event(lines, "port")], [0, 21])


def test_what_a_port_knows_of_packets(skep):
    lines = skep.lines("run", "known.bpf.c", "--on", "gen:count=3,pps=1000", "-j")
    known = by_event(lines, "map")[0]["entries"][0]["value"]
    same((known["time_result"], known["time"]), (0, 2000000))
    same((known["hash_result"], known["hash_type"]), (0, 8))
    same(known["vlan_result"], -95)
    skep.fails(2, r"known\.bpf\.c: asks what a port knows", "run", "known.bpf.c", "--on", "gen:count=1,gen:count=1")
    skep.fails(2, r"known: cannot be attached to port 1: ", "run", "known.bpf.c", "--on", "gen:count=1", "--xdp-mode",
               "generic")


def test_cpumaps_hand_packets_to_other_workers(skep):
    if os.sysconf("SC_NPROCESSORS_CONF") < 2:
        raise Skip("one CPU: the map takes no entry for another")
    arguments = ("run", "spread.bpf.c", "--on", "gen:count=300,out=spread.pcap", "--set")
    for value, left, counted in (("512", 300, {}), ("512,one_of_three", 100, {"entry_drop": 200})):
        lines = skep.lines(*arguments, f"cpus[1]={value}", "--workers", "2", "-j")
        same(by_event(lines, "port")[0]["out_packets"], left)
        same(by_event(lines, "exceptions"), [{"event": "exceptions", "port": 1, **counted}] if counted else [])
    skep.fails(2, r"has no program 'nobody'$", *arguments, "cpus[1]=512,nobody")
    skep.fails(2, r"expected a number at 'x'$", *arguments, "cpus[1]=x")
    skep.fails(1, r"17 workers: expected at most 16$", *arguments, "cpus[1]=8", "--workers", "17")
    skep.fails(2, r"--workers is for the skep target", "run", "spread.bpf.c", "--on", "lo", "--target", "linux", "--workers", "2")


def test_exceptions_have_names(skep):
    lines = skep.lines("run", "lost.bpf.c", "--on", "gen:count=20", "-j")
    same(by_event(lines, "exceptions"), [{"event": "exceptions", "port": 1, "redirect_no_port": 20}])
    same(by_event(lines, "port")[0]["redirect_failed"], 20)
    matches(r"\nredirect_no_port 20  the engine has no port of this ifindex\n",
            skep.ok("run", "lost.bpf.c", "--on", "gen:count=20"))


def test_settings_and_ring_buffer_records(skep):
    arguments = ("run", "firewall.bpf.o", "--on", "gen:count=4", "--set", "report_drops=true", "--set",
                 "blocklist[{8, 10.0.0.0}]=0")
    lines = skep.lines(*arguments, "--json")
    records = by_event(lines, "record")
    same((len(records), records[0]["map"], records[0]["value"]["outcome"], records[0]["value"]["length"]),
         (4, "drop_event", "DROPPED_BY_BLOCKLIST", 64))
    same(by_event(lines, "port")[0]["drop"], 4)
    matches(r"(?m)^drop_event  source 10\.0\.0\.0  destination 192\.168\.\S+  .*  outcome DROPPED_BY_BLOCKLIST  length 64$", skep.ok(*arguments))


def test_printk_and_perf_buffer(skep):
    lines = skep.lines("run", "events.bpf.c", "--on", "gen:count=3", "--set", "verdict=1", "-j")
    same([line["text"] for line in by_event(lines, "printk")], ["packet 1", "packet 2", "packet 3"])
    same([line["value"] for line in by_event(lines, "record")],
         [{"number": number, "name": "packet"} for number in (1, 2, 3)])
    same(by_event(lines, "port")[0]["drop"], 3)
    matches(r"(?m)^sample  number 1  name packet$", skep.ok("run", "events.bpf.c", "--on", "gen:count=1"))


def test_pretty_output_is_json(skep):
    text, decoder, count = skep.ok("run", "events.bpf.c", "--on", "gen:count=2", "--pretty"), json.JSONDecoder(), 0
    while text.strip():
        _, end = decoder.raw_decode(text.lstrip())
        text, count = text.lstrip()[end:], count + 1
    same(count >= 6, True)


def test_run_once_on_data(skep):
    same(skep.ok("run", "firewall.bpf.o", "--data", "00" * 64), "retval 1\n")
    same(json.loads(skep.ok("run", "firewall.bpf.o", "--data", "00 01:02" + "00" * 20, "-j")), {"retval": 1})
    same(skep.ok("run", "firewall.bpf.o", "--data", "00" * 14, "--checked").startswith("retval "), True)


def test_routes(skep):
    run = ["run", "route.bpf.c", "--data", "00" * 64]
    skep.path("routes").write_text("device 1 name lan\n10.0.0.0/8 dev 7\nprohibit 10.2.0.0/16\n")
    same(skep.ok(*run, "--routes", "routes"), "retval 1004\n")
    skep.path("routes").write_text("device 1 name lan\ndevice 7\n10.0.0.0/8 dev 7\nprohibit 10.2.0.0/16\n")
    same(skep.ok(*run, "--routes", "routes"), "retval 7\n")
    same(skep.ok(*run, "--routes", "host").startswith("retval "), True)
    skep.path("routes").write_text("device 1\n10.0.0.0/8 dev lan\n")
    skep.fails(2, r"--routes routes: routes, line 2: 'lan': expected a device's number", *run, "--routes", "routes")
    skep.fails(2, r"--routes none: No such file", *run, "--routes", "none")
    skep.fails(2, r"--routes is for the skep target", *run, "--routes", "routes", "--target", "linux")


def test_duration_and_interval(skep):
    start = time.monotonic()
    lines = skep.lines("run", "counter.bpf.o", "--on", "gen:count=0,flows=3", "--duration", "0.7", "--interval", "0.2", "-j")
    took = time.monotonic() - start
    same(0.6 < took < 20, True, f"{took} s")
    names = [line["name"] for line in by_event(lines, "map")]
    same(len(names) > 2 * len(set(names)), True, str(names))


def interrupted(skep, *arguments, sig=signal.SIGINT, **options):
    child = subprocess.Popen(skep.command(*arguments), cwd=skep.work, text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, **options)
    time.sleep(0.7)
    child.send_signal(sig)
    out, err = child.communicate(timeout=30)
    return child.returncode, out, err


def test_interrupt_ends_with_the_summary(skep):
    for sig in (signal.SIGINT, signal.SIGTERM):
        code, out, err = interrupted(skep, "run", "counter.bpf.o", "--on", "gen:count=0", sig=sig)
        same((code, err), (0, ""))
        matches(r"\n\tpackets [1-9]\d*  bytes ", out)
        matches(r"\n\S+  \(\S+, \d+ entr", out)


def on_terminal(skep, *arguments):
    """What appears on a terminal that is stderr."""
    master, slave = pty.openpty()
    child = subprocess.Popen(skep.command(*arguments), cwd=skep.work, stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 4096):
            shown += chunk
    except OSError:
        pass
    os.close(master)
    same(child.wait(timeout=30), 0)
    return shown.decode()


def test_progress_only_on_a_terminal(skep):
    arguments = ("run", "counter.bpf.o", "--on", "gen:count=0", "--duration", "0.8")
    shown = on_terminal(skep, *arguments)
    matches(r"\r[\d,]+ packets, \d+\.\d\d M/s\x1b\[K", shown)
    same(re.search(r"\r\x1b\[K\Z", shown) is not None, True, shown[-40:])
    same(skep(*arguments).stderr, "")


def test_dump(skep):
    """Beside tcpdump in tests/dump; here what each option is for."""
    skep.ok("run", "counter.bpf.o", "--on", "gen:flows=5,count=50,proto=udp,out=dump.pcap")
    matches(r"^\d\d:\d\d:\d\d\.\d{6} IP [\d.]+ > [\d.]+: UDP, length 22\n$",
            skep.ok("dump", "--read", "dump.pcap", "--packets", "1", "--numeric"))
    line = skep.ok("dump", "--read", "dump.pcap", "--packets", "1", "--no-time", "--ether", "--verbose", "--hex")
    matches(r"^[\da-f:]{17} > [\da-f:]{17}, ethertype IPv4 \(0x0800\), length 64: \(tos 0x0, .*\n    .*\n\t0x0000:  4500", line)
    matches(r"\n\t0x0000:  4500 .*  E\.", skep.ok("dump", "--read", "dump.pcap", "--packets", "1", "--text"))
    skep.ok("dump", "--interface", "pcap:dump.pcap", "--write", "again.pcap")
    same(skep.ok("dump", "--read", "again.pcap", "--count"), "50 packets\n")
