# SPDX-License-Identifier: BSD-2-Clause
"""`--target linux`: only in a network namespace of the test's own, with its own veth pair and process."""
import ctypes
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import time

from harness import Skip, matches, rows, same

NOBODY = ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "--inh-caps=-all")
SETUP = ("ip link add out0 type veth peer name in0 && sysctl -qw net.ipv6.conf.all.disable_ipv6=1 && "
         "ip addr add 10.9.9.1/24 dev out0 && ip link set out0 up && ip link set in0 up && "
         "ip neigh add 10.9.9.2 lladdr 02:00:00:00:00:02 dev out0")


@functools.cache
def refusal(skep):
    """Why bpf(2) or namespaces cannot be used here; "": they can."""
    if os.geteuid():
        return "not root"
    if skep("verify", "--target", "linux", "counter.bpf.o").returncode:
        return "bpf(2) is refused"
    if subprocess.run(["unshare", "-n", "sh", "-c", SETUP], capture_output=True).returncode:
        return "no network namespace with a veth pair"
    return ""


def need_linux(skep):
    if refusal(skep):
        raise Skip(refusal(skep))


def in_namespace(skep, traffic, *arguments):
    """`skep run` on Linux with an own veth pair: traffic is a shell line that runs meanwhile."""
    command = " ".join(f"'{word}'" for word in skep.command(*arguments))
    script = (f"{SETUP} || exit 77\n{command} >out 2>err & pid=$!\n"
              f"sleep 1.2; {traffic}\nsleep 0.3; kill -INT $pid; wait $pid; echo $? >code; ip -d link show in0 >link")
    subprocess.run(["unshare", "-n", "sh", "-c", script], cwd=skep.work, capture_output=True, timeout=60)
    read = lambda name: skep.path(name).read_text()
    return int(read("code")), read("out"), read("err"), read("link")


SEND = ("python3 -c \"import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
        "[s.sendto(b'x' * 22, ('10.9.9.2', 9)) for _ in range(5)]\"")


def run_at_pair(skep, *arguments):
    """`skep run` in a namespace with a veth pair, to its end."""
    script = f"{SETUP} || exit 77\nexec \"$@\""
    return subprocess.run(["unshare", "-n", "sh", "-c", script, "sh", *skep.command(*arguments)], cwd=skep.work,
                          capture_output=True, text=True, timeout=60)


def test_the_best_way_to_an_interface(skep):
    need_linux(skep)
    arguments = ("run", "counter.bpf.o", "--on", "in0", "--duration", "0.1")
    got = run_at_pair(skep, *arguments)
    same(got.returncode, 0, got.stderr)
    if "without libxdp" not in got.stderr and "needs libxdp" not in got.stderr:
        matches(r"^in0: AF_XDP copy; cost: one copy of each packet\n"
                r"  not AF_XDP zero-copy: xdp:in0: queue 0: the driver has no zero-copy\n\Z", got.stderr)
    matches(r"\n\tpackets \d+  bytes ", got.stdout)
    got = run_at_pair(skep, *arguments, "--target", "linux")
    matches(r"^in0: native; cost: little: .*\n  not offload: the interface cannot run programs itself", got.stderr)
    got = run_at_pair(skep, *arguments, "-j")
    line = json.loads(got.stdout.splitlines()[0])
    same((line["event"], line["interface"], got.stderr), ("interface", "in0", ""))


def test_kinds_of_ports(skep):
    kinds = skep.json("port", "-j")
    same([kind["usage"] for kind in kinds], [texts[0] for _, texts in rows(skep.source / "src/net/ports.def", "PORT")])
    same(all(kind["can"] or not kind["usable"] for kind in kinds), True)
    matches(r"(?m)^gen:KEY=VALUE,\.\.\.\n\tgenerates packets", skep.ok("port"))
    skep.fails(2, "takes no arguments", "port", "gen")
    if os.geteuid():
        raise Skip("not root, so that nothing can be taken away")
    got = skep("port", prefix=NOBODY)
    matches(r"\n\tnot here: no AF_PACKET socket: .*needs CAP_NET_RAW", got.stdout)


def test_same_verdicts_on_linux(skep):
    need_linux(skep)
    got = skep.fails(1, "^invalid access to packet", "verify", "--target=linux", "rejected.bpf.c")
    matches(r"\n   --> rejected\.bpf\.c:18\n 18 \| return data\[0\];\n  in: .*, instruction 1\n", got.stderr)
    got = skep.fails(1, "^invalid access to packet", "verify", "--target=linux", "rejected_late.bpf.c")
    matches(r"\n 14 \| return data\[0\];\n", got.stderr)
    same(skep.json("prog", "show", "--target=linux", "firewall.bpf.o", "-j")[0]["tag"],
         skep.json("prog", "show", "firewall.bpf.o", "-j")[0]["tag"])
    matches("memlock", skep.ok("map", "show", "--target=linux", "firewall.bpf.o"))
    matches("Return value: 1", skep.ok("prog", "run", "--target=linux", "firewall.bpf.o", "-P", "firewall"))
    same(skep.json("map", "update", "--target=linux", "events.bpf.c", "per_cpu", "3", "4", "-j"),
         skep.json("map", "update", "events.bpf.c", "per_cpu", "3", "4", "-j"))


PINNED = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} kept SEC(".maps");
SEC("xdp") int uses_it(struct xdp_md *ctx) { int key = 0; return bpf_map_lookup_elem(&kept, &key) ? 2 : 1; }
"""


def test_verify_pins_nothing(skep):
    need_linux(skep)
    skep.path("pinned.bpf.c").write_text(PINNED)
    verify = " ".join(f"'{word}'" for word in skep.command("verify", "--target=linux", "pinned.bpf.c"))
    got = subprocess.run(["unshare", "-m", "sh", "-c", f"mount -t bpf none /sys/fs/bpf && {verify} && ls /sys/fs/bpf"],
                         cwd=skep.work, capture_output=True, text=True, timeout=60)
    same((got.returncode, got.stderr), (0, ""))
    matches("accepted", got.stdout)
    same("kept" in got.stdout, False, "the map was pinned")


def test_xdp_modes(skep):
    need_linux(skep)
    for mode in ("native", "generic"):
        code, out, err, link = in_namespace(skep, SEND, "run", "firewall.bpf.o", "--target", "linux", "--on", "in0",
                                            "--xdp-mode", mode, "--set", "report_drops=true", "--set",
                                            "blocklist[{32, 10.9.9.1}]=0", "-j")
        same((code, err), (0, ""), mode)
        events = [json.loads(line) for line in out.splitlines()]
        records = [event["value"] for event in events if event["event"] == "record"]
        same([record["outcome"] for record in records], ["DROPPED_BY_BLOCKLIST"] * 5, mode)
        blocked, = (event["entries"] for event in events if event.get("name") == "blocklist")
        same(blocked[0]["value"], 5)
        same("xdp" in link.split("veth")[0], False, "the program stayed")


def test_xdp_offload_is_refused(skep):
    need_linux(skep)
    code, _, err, _ = in_namespace(skep, "true", "run", "firewall.bpf.o", "--target", "linux", "--on", "in0",
                                   "--xdp-mode", "offload")
    same(code, 2)
    same(err, "skep: in0 cannot run programs itself (--xdp-mode offload): Linux says Invalid argument; "
              "use --xdp-mode native or generic\n")


def test_tc(skep):
    need_linux(skep)
    code, out, err, _ = in_namespace(skep, SEND, "run", "sections.bpf.c", "--target", "linux", "--on", "in0")
    same((code, err), (0, ""))
    matches(r"\n +0 +5  █", out)


def test_programs_attached_by_section(skep):
    need_linux(skep)
    child = subprocess.Popen(skep.command("run", "sections.bpf.c", "--target", "linux", "--program", "on_getppid",
                                          "--set", f"process={os.getpid()}"),
                             cwd=skep.work, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1.5)
    for _ in range(7):
        ctypes.CDLL(None).getppid()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    same((child.returncode, err), (0, ""))
    matches(r"calls  \(array, 1 entry\)\n.*\n +0 +[789] ", out)


def test_nothing_to_attach_by_section(skep):
    need_linux(skep)
    skep.fails(2, r"nothing to attach by section name \(tc\): XDP and tc need an interface", "run", "sections.bpf.c",
               "--target", "linux", "-P", "on_packet")
    skep.fails(2, "no program named 'nobody'", "run", "sections.bpf.c", "--target", "linux", "-P", "nobody")


def test_missing_rights_are_named(skep):
    need_linux(skep)
    for command in (("verify", "firewall.bpf.o"), ("run", "firewall.bpf.o", "--on", "lo"), ("feature",)):
        skep.fails(2, r"CAP_BPF", *command, "--target", "linux", prefix=NOBODY)


def test_unknown_interface(skep):
    need_linux(skep)
    skep.fails(2, "nonsense: no such interface", "run", "firewall.bpf.o", "--target", "linux", "--on", "nonsense")


def test_features_of_linux(skep):
    need_linux(skep)
    answers = {(row["kind"], row["name"]): row["answer"] for row in skep.json("feature", "--target", "linux", "-j")}
    same(answers[("prog_type", "xdp")], "available")


def log_lines(skep, source, *options):
    """The path that led to a rejection, without what is no property of the program."""
    text = skep("verify", "--log-level", "1", *options, source, env={**os.environ, "SKEP_CLANG": "clang-19"}).stderr
    text = text[text.index("\n0: R1=ctx()"):]
    text = re.sub(r"(?m)^(\d+: \(18\) r\d = 0x)[0-9a-f]+ +;", r"\1 ;", text)
    return re.sub(r"processed .*|unknown func .*\n", "", text).splitlines()


def test_the_log_is_that_of_linux(skep):
    need_linux(skep)
    if not shutil.which("clang-19"):
        raise Skip("no clang-19")
    for name in ("check_before_change", "context_field", "context_moved", "helper_of_other_type", "misaligned",
                 "narrow_spill", "null_unchecked", "off_by_one", "packet_check_lost", "packet_unchecked",
                 "register_unset", "result_range", "signed_index", "size_too_large", "size_zero", "variable_packet"):
        skep.path(name + ".bpf.c").write_text((skep.source / "tests/explain" / (name + ".bpf.c")).read_text())
        same(log_lines(skep, name + ".bpf.c"), log_lines(skep, name + ".bpf.c", "--target", "linux"), name)
