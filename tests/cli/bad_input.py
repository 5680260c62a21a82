# SPDX-License-Identifier: BSD-2-Clause
"""Whatever is wrong with the input: one clear first line, the right exit code, no crash, nothing lost."""
import os
import struct

from harness import Skip, matches, same


def test_usage(skep):
    for pattern, *arguments in (
            (r"^usage: skep", ),
            (r"no command 'nonsense'", "nonsense"),
            (r"prog: expected one of show, dump, run", "prog"),
            (r"map: expected one of create, show, dump, lookup, update, delete", "map", "nonsense"),
            (r"expected one FILE", "verify"),
            (r"map dump: expected FILE MAP$", "map", "dump", "firewall.bpf.o"),
            (r"--repeat 9999999999: expected at most", "prog", "run", "firewall.bpf.o", "--repeat", "9999999999"),
            (r"cannot be run on 0 bytes", "prog", "run", "firewall.bpf.o", "--data-in", "/dev/null"),
            (r"expected one FILE", "verify", "a", "b"),
            (r"unknown option '--nonsense'", "verify", "--nonsense"),
            (r"'--section' needs an argument", "verify", "--section"),
            (r"--log-level x: expected a number", "verify", "--log-level", "x", "firewall.bpf.o"),
            (r"--log-level 8: expected a sum", "verify", "--log-level", "8", "firewall.bpf.o"),
            (r"unknown flag 'x': expected strict-alignment", "verify", "--flags", "x", "firewall.bpf.o"),
            (r"unknown right 'x': expected bpf", "verify", "--rights", "bpf,x", "firewall.bpf.o"),
            (r"--target x: expected skep or linux", "verify", "--target", "x", "firewall.bpf.o"),
            (r"--stage x: expected insns", "inspect", "--stage", "x", "firewall.bpf.o"),
            (r"--format x: expected raw or c", "btf", "dump", "--format", "x", "firewall.bpf.o"),
            (r"--on PORT is missing", "run", "firewall.bpf.o"),
            (r"--duration -1: expected", "run", "firewall.bpf.o", "--on", "gen:", "--duration", "-1"),
            (r"--xdp-mode x: expected native, generic or offload", "run", "firewall.bpf.o", "--on", "gen:", "--xdp-mode", "x"),
            (r"--pass-to 2: expected the number of a port", "run", "firewall.bpf.o", "--on", "gen:", "--pass-to", "2"),
            (r"run: expected FILE\.\.\.", "run"),
            (r"run: --set is for one FILE", "run", "firewall.bpf.o", "counter.bpf.o", "--set", "x=1"),
            (r"--data: .* at character 3: expected hex", "run", "firewall.bpf.o", "--data", "00zz")):
        got = skep(*arguments)
        same(got.returncode, 2, str(arguments))
        matches(pattern, (got.stderr or got.stdout).split("\n")[0])


def test_files(skep):
    skep.path("empty.bpf.o").write_bytes(b"")
    skep.path("text.bpf.o").write_text("This is no object, whatever its name says.\n")
    skep.path("syntax.bpf.c").write_text("int x(")
    skep.path("unreadable.bpf.o").write_bytes(skep.path("firewall.bpf.o").read_bytes())
    skep.path("unreadable.bpf.o").chmod(0)
    skep.fails(2, r"none\.bpf\.o: No such file or directory$", "verify", "none.bpf.o")
    skep.fails(2, r"none\.bpf\.c: No such file or directory$", "verify", "none.bpf.c")
    skep.fails(2, r"\.: a directory", "verify", ".")
    skep.fails(2, r"empty\.bpf\.o: ", "verify", "empty.bpf.o")
    skep.fails(2, r"text\.bpf\.o: ", "verify", "text.bpf.o")
    same(skep("verify", "syntax.bpf.c").returncode, 2)
    matches(r"skep: syntax\.bpf\.c: \S*clang\S* could not compile it\n$", skep("verify", "syntax.bpf.c").stderr)
    skep.fails(2, r"no program in section 'tc'", "verify", "--section", "tc", "firewall.bpf.o")
    skep.fails(2, r"no program named 'nobody'", "verify", "-P", "nobody", "firewall.bpf.o")
    skep.fails(2, r"no program named 'nobody'", "run", "-P", "nobody", "firewall.bpf.o", "--on", "gen:count=1")
    got = skep.fails(2, r"several programs could be attached \(parse_.*choose one with --program, or several with commas$", "run", "tailcall.bpf.o",
                     "--on", "gen:count=1")
    same(got.stderr.count("\n"), 1)
    skep.fails(2, r"no XDP or tc program to attach", "run", "sections.bpf.c", "--on", "gen:count=1", "-P",
               "on_getppid")
    skep.fails(2, r"no map named 'nowhere'", "map", "dump", "firewall.bpf.o", "nowhere")


def test_no_permission(skep):
    if os.geteuid():
        raise Skip("not root, so that nothing can be taken away")
    nobody = ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "--inh-caps=-all")
    skep.path("secret.bpf.o").write_bytes(skep.path("firewall.bpf.o").read_bytes())
    skep.path("secret.bpf.o").chmod(0o600)
    skep.fails(2, r"secret\.bpf\.o: Permission denied$", "verify", "secret.bpf.o", prefix=nobody)
    skep.ok("verify", "firewall.bpf.o", prefix=nobody)
    skep.fails(2, r"passed\.pcap: cannot be written: Permission denied", "run", "firewall.bpf.o", "--on",
               "gen:count=1,out=passed.pcap", prefix=nobody)


def expect_graceful(skep, *arguments):
    """An exit code of the list, a first line that names the file or gives a reason."""
    got = skep(*arguments, text=False)
    same(got.returncode in (0, 1, 2), True, f"{arguments} ended with {got.returncode}: {got.stderr[-300:]!r}")
    if got.returncode:
        same(len(got.stderr.split(b"\n")[0]) > 10, True, f"{arguments}: {got.stderr!r}")


def test_truncated_objects(skep):
    whole = skep.path("firewall.bpf.o").read_bytes()
    for size in [*range(0, 200, 13), *range(200, len(whole), len(whole) // 25)]:
        skep.path("cut.bpf.o").write_bytes(whole[:size])
        expect_graceful(skep, "verify", "cut.bpf.o")


def test_damaged_objects(skep):
    whole = skep.path("tailcall.bpf.o").read_bytes()
    for number in range(40):
        damaged = bytearray(whole)
        for byte in range(4):
            at = (number * 7919 + byte * 104729) * 31 % len(whole)
            damaged[at] ^= 1 << (number + byte) % 8 | 0x40
        skep.path("damaged.bpf.o").write_bytes(damaged)
        expect_graceful(skep, "verify", "damaged.bpf.o")


def test_damaged_types(skep):
    whole = skep.path("firewall.bpf.o").read_bytes()
    start = whole.index(struct.pack("<HBBI", 0xeb9f, 1, 0, 24))
    for at in range(start, start + 400, 9):
        damaged = bytearray(whole)
        damaged[at] ^= 0xff
        skep.path("types.bpf.o").write_bytes(damaged)
        expect_graceful(skep, "verify", "types.bpf.o")
        expect_graceful(skep, "btf", "dump", "types.bpf.o")


def test_settings(skep):
    for pattern, setting in ((r"expected NAME=VALUE or MAP\[KEY\]=VALUE", ""), (r"no global variable 'x'", "x=1"),
                             (r"no map 'x'", "x[1]=1"), (r"'maybe'", "report_drops=maybe"),
                             (r"'1 2'|'2'|' 2'", "report_drops=1 2"), (r"expected", "rules[{]=1"),
                             (r"expected", "rules[{}]={DENY"), (r"expected", "rules[{}]"), (r"expected", "rules[{.none = 1}]={}"),
                             (r"", "\x01\x02[\x03]=\x04"), (r"", "rules[" * 40), (r"", "blocklist[{99, 1.2.3.4}]=0")):
        skep.fails(2, pattern, "run", "firewall.bpf.o", "--on", "gen:count=1", "--set", setting)


def test_updates_that_a_map_refuses(skep):
    skep.fails(1, r"no such index, or no room: max_entries is 4$", "map", "update", "firewall.bpf.o", "outcomes", "77", "{1, 2}")
    skep.fails(2, r"expected ',' or '}'", "map", "update", "firewall.bpf.o", "rules", "{1,2", "{1,2}")
    skep.fails(2, r"has no types", "map", "update", "firewall.bpf.o", "drop_event", "1", "2")


def test_ports(skep):
    for pattern, port in ((r"expected one of pcap:", "nonsense"), (r"unknown key 'x'", "gen:x=1"),
                          (r"gen: ", "gen:count=many"), (r"none\.pcap: No such file", "pcap:none.pcap"),
                          (r"\.: ", "pcap:."), (r"expected an interface name", "tap:"),
                          (r"no such interface|not permitted", "packet:nonsense"), (r"", "pcap:"), (r"", ",")):
        skep.fails(2, pattern, "run", "firewall.bpf.o", "--on", port)


def test_broken_captures(skep):
    skep.ok("run", "counter.bpf.o", "--on", "gen:count=20,out=whole.pcap")
    whole = skep.path("whole.pcap").read_bytes()
    skep.path("cut.pcap").write_bytes(whole[:10])
    skep.fails(2, r"cut\.pcap: the file has 10 bytes, a pcap header has 24", "run", "counter.bpf.o", "--on", "pcap:cut.pcap")
    skep.path("magic.pcap").write_bytes(b"abcd" + whole[4:])
    skep.fails(2, r"magic\.pcap: starts with 61626364, expected", "run", "counter.bpf.o", "--on", "pcap:magic.pcap")
    skep.path("cut.pcap").write_bytes(whole[:24 + 12 * 80 + 20])
    got = skep.fails(1, r"cut\.pcap: packet 13 at byte 984: length 64, but only 4 bytes are left", "run", "counter.bpf.o",
                     "--on", "pcap:cut.pcap:kept.pcap")
    matches(r"\n\tpackets 12  bytes 768", got.stdout)
    same(skep.path("kept.pcap").read_bytes(), whole[:24 + 12 * 80])
    skep.path("cut.pcap").write_bytes(whole[:24 + 80 + 8] + struct.pack("<I", 0x7fffffff) + whole[24 + 80 + 12:])
    got = skep.fails(1, r"cut\.pcap: packet 2 ", "run", "counter.bpf.o", "--on", "pcap:cut.pcap")
    matches(r"\n\tpackets 1  ", got.stdout)


def test_output_that_cannot_be_written(skep):
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full")
    with open("/dev/full", "w") as full:
        got = skep("btf", "dump", "firewall.bpf.o", stdout=full, capture_output=False, stderr=-1)
    same(got.returncode, 2)
    matches(r"standard output: No space left on device", got.stderr)
