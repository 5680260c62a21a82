# SPDX-License-Identifier: BSD-2-Clause
"""`skep app`: what there is, configurations and their mistakes, a reload while packets flow."""
import json
import re
import signal
import subprocess
import time

from harness import TIMEOUT, matches, rows, same

# Of a configuration, and of the list that it names: {files, the message}
MISTAKES = [
    ({"a.conf": "default pass\n\ndeny-lst x\n"}, r"^skep: a\.conf:3: 'deny-lst' is no statement; expected one of default, "),
    ({"a.conf": "# one\n" * 16 + "default maybe\n"}, r"^skep: a\.conf:17: 'maybe', expected one of pass, drop$"),
    ({"a.conf": "default\n"}, r"^skep: a\.conf:1: expected one of pass, drop behind 'default'$"),
    ({"a.conf": "default pass drop\n"}, r"^skep: a\.conf:1: 'drop' is left over$"),
    ({"a.conf": "deny-list\n"}, r"^skep: a\.conf:1: expected a file behind 'deny-list'$"),
    ({"a.conf": "deny-list no.txt\n"}, r"^skep: no\.txt: No such file"),
    ({"a.conf": "deny-list b.txt\n", "b.txt": "10.0.0.0/8\n\n10.1.2.3/8\n"},
     r"^skep: b\.txt:3: '10\.1\.2\.3/8' has bits behind its length; is 10\.0\.0\.0/8 meant\?$"),
    ({"a.conf": "deny-list b.txt\n", "b.txt": "2001:db8::1/129\n"}, r"^skep: b\.txt:1: .*expected a length of 0 to 128 behind /$"),
    ({"a.conf": "deny-list b.txt\n", "b.txt": "10.0.0.256\n"}, r"^skep: b\.txt:1: '10\.0\.0\.256' is no address or prefix"),
    ({"a.conf": "deny-list b.txt\n", "b.txt": "10.0.0.1 10.0.0.2\n"}, r"^skep: b\.txt:1: '10\.0\.0\.2' is left over$"),
    ({"a.conf": "default pass\0\n"}, r"^skep: a\.conf:1: a zero byte"),
    ({"a.conf": " ".join(["default"] * 65)}, r"^skep: a\.conf:1: more than 64 words$"),
]


def test_network_functions_are_listed(skep):
    names = [name for name, _ in rows(skep.source / "src/cli/apps.def", "APP")]
    same([app["name"] for app in skep.json("app", "-j")], names)
    for name in names:
        # What needs no configuration has no statements.
        if not (skep.source / f"apps/{name}/{name}.def").exists():
            skep.ok("app", name, "gen:count=10", "--once")
            continue
        words = [texts[0] for _, texts in rows(skep.source / f"apps/{name}/{name}.def", "CONFIG")]
        same([row["statement"].split()[0] for row in skep.json("app", name, "-j")], words)
        skep.ok("app", name, str(skep.source / f"apps/{name}/{name}.conf"), "--check")


def test_a_wrong_configuration(skep):
    for files, message in MISTAKES:
        for name, text in files.items():
            skep.path(name).write_text(text)
        skep.fails(2, message, "app", "firewall", "a.conf", "--check")
    skep.fails(2, "no network function 'wall'", "app", "wall")
    skep.fails(2, "expected one CONFIG", "app", "firewall", "a.conf", "b.conf")
    skep.fails(2, "expected CONFIG, a file", "app", "firewall", "--on", "gen:count=1")
    skep.path("a.conf").write_text("default pass\n")
    skep.fails(2, "--on PORT is missing", "app", "firewall", "a.conf")


def dropped(skep, *more):
    lines = skep.lines("app", "firewall", "a.conf", "--on", "gen:flows=5,count=9000,seed=3,proto=udp", "-j", *more)
    port = next(line for line in lines if line["event"] == "port")
    return port["drop"], {line["rule"]: line["packets"] for line in lines if line["event"] == "rule"}


def test_dry_run(skep):
    skep.path("a.conf").write_text("deny-list b.txt\n")
    skep.path("b.txt").write_text("0.0.0.0/0\n")
    same([dropped(skep)[0], dropped(skep, "--dry-run")[0]], [9000, 0])
    same(dropped(skep)[1], dropped(skep, "--dry-run")[1])


def wait_for(text, lines):
    for line in lines:
        if re.search(text, line):
            return
    raise AssertionError(f"no {text!r}")


def test_reload_while_packets_flow(skep):
    """All pass, all drop, a mistake that changes nothing; what is counted adds up."""
    skep.path("a.conf").write_text("default pass\n")
    command = skep.command("app", "firewall", "a.conf", "--on", "gen:flows=5,seed=3", "-j", "--duration", str(TIMEOUT))
    with subprocess.Popen(command, cwd=skep.work, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        # Before it catches the signal, SIGHUP would end it.
        while not int(re.search(r"SigCgt:\s*(\w+)", open(f"/proc/{process.pid}/status").read())[1], 16) & 1:
            time.sleep(0.01)
        for text, said in (("default drop\n", "a.conf: read again"), ("default dropp\n", "a.conf: not taken"),
                           ("deny-list b.txt\n", "a.conf: read again")):
            skep.path("a.conf").write_text(text)
            skep.path("b.txt").write_text("0.0.0.0/1\n128.0.0.0/1\n")
            process.send_signal(signal.SIGHUP)
            wait_for(said, process.stderr)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=TIMEOUT)
    lines = [json.loads(line) for line in out.splitlines()]
    port = next(line for line in lines if line["event"] == "port")
    rules = {line["rule"]: line["packets"] for line in lines if line["event"] == "rule"}
    same(rules["passed"], port["pass"])
    same(rules["dropped by default"] + rules["deny-list b.txt"], port["drop"])
    same(min(rules["passed"], rules["dropped by default"]) > 0, True)
