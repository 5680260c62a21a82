# SPDX-License-Identifier: BSD-2-Clause
"""Commands that show something: text, and JSON with bpftool's keys."""
import json
import os
import platform
import re
import subprocess

from harness import Skip, matches, rows, same


def test_version(skep):
    matches(r"^skep \d+\.\d+\.\d+\nusing libbpf v\d", skep.ok("version"))
    same(sorted(skep.json("version", "--json")), ["libbpf_version", "version"])
    same(skep.ok("--version"), skep.ok("version"))


def test_help_of_every_command(skep):
    text = skep.ok("--help")
    for _, fields in rows(skep.source / "src/cli/commands.def", "COMMAND"):
        matches(rf"(?m)^  {fields[0]}\b", text)
        page = skep.ok(*fields[0].split(), "--help")
        matches(rf"^usage: skep {fields[0]} ", page)
        same([line for line in (text + page).splitlines() if len(line) > 80], [])


def test_verify(skep):
    matches("^accepted  name firewall  section xdp  insns [0-9]+\nmaps on [0-9]+ slots: [0-9.]+ [KM]iB$",
            skep.ok("verify", "firewall.bpf.o").rstrip())
    verdicts = skep.json("verify", "-p", "tailcall.bpf.o")
    same({verdict["verdict"] for verdict in verdicts}, {"accepted"})
    same(len(verdicts), 5)
    skep.ok("verify", "--section", "xdp", "--program", "firewall", "--flags=strict-alignment,state-freq",
            "firewall.bpf.o")


def test_verify_of_replacing_functions(skep):
    skep.fails(2, "'drops' replaces a function of another program: name that with --attach-prog FILE",
               "verify", "replacing.bpf.c")
    target = ("--attach-prog", "replaced.bpf.c:replaceable")
    matches("^accepted  name drops  section freplace/verdict", skep.ok("verify", "replacing.bpf.c", *target))
    matches("exit", skep.ok("inspect", "replacing.bpf.c", *target))
    skep.fails(2, "^skep: replaced.bpf.c: 2 programs: choose the one whose function is replaced",
               "verify", "replacing.bpf.c", "--attach-prog", "replaced.bpf.c")
    skep.fails(2, "^skep: replaced.bpf.c: no program named 'nobody'",
               "verify", "replacing.bpf.c", "--attach-prog", "replaced.bpf.c:nobody")
    skep.fails(2, "^skep: nowhere.bpf.o: No such file", "verify", "replacing.bpf.c", "--attach-prog", "nowhere.bpf.o")
    skep.fails(1, "^Subprog verdict doesn't exist", "verify", "replacing.bpf.c", "--attach-prog",
               "replaced.bpf.c:without_functions")


def test_what_maps_take(skep):
    firewall, = skep.json("verify", "--slots", "64", "-p", "firewall.bpf.o")
    shown = skep.json("map", "show", "-p", "firewall.bpf.o")
    per_cpu, = (row for row in shown if row["type"] == "percpu_array")
    same(firewall["maps"]["slots"], 64)
    matches("^[0-9]+$", str(firewall["maps"]["bytes"]))
    matches(r"\nmaps on 64 slots: [0-9.]+ MiB\n$", skep.ok("verify", "--slots", "64", "firewall.bpf.o"))
    words = ["type", "percpu_array", "key", "4", "value", "16", "entries", "4", "flags", "0", "name", "outcomes"]
    made, = skep.json("map", "create", "--dry-run", *words, "-p")
    same(made["bytes_memlock"], per_cpu["bytes_memlock"])
    wide, = skep.json("map", "create", "--dry-run", "--slots", "64", *words, "-p")
    same(wide["bytes_memlock"] - made["bytes_memlock"], 64 * (64 - made["slots"]))
    skep.fails(1, r"^skep: map create: map 'm' needs 16777216 bytes more: \d+ of the engine's limit of 2097152 bytes",
               "map", "create", "--dry-run", "--memory", "2M", "type", "percpu_array", "key", "4", "value", "8",
               "entries", "1000000", "name", "m")
    skep.fails(2, "^skep: map create: expected PIN, or --dry-run", "map", "create", "type", "hash")
    skep.fails(2, "^skep: map create: unknown word 'keys'", "map", "create", "--dry-run", "type", "hash", "keys", "4")
    skep.fails(2, "^skep: map create: unknown type 'has'", "map", "create", "--dry-run", "type", "has")
    skep.fails(2, "^skep: map create: key x: expected a number", "map", "create", "--dry-run", "type", "hash", "key", "x")
    skep.fails(2, "^skep: --memory 12Q: expected a size", "verify", "--memory", "12Q", "firewall.bpf.o")
    skep.fails(2, "^skep: --slots 0: expected 1 to 256", "verify", "--slots", "0", "firewall.bpf.o")


def test_one_program_of_a_chain(skep):
    same([verdict["name"] for verdict in skep.json("verify", "tailcall.bpf.o", "-P", "parse_tcp", "-j")], ["parse_tcp"])
    matches(r"^parse_tcp:\nsubprogram 0", skep.ok("inspect", "--stage=cfg", "tailcall.bpf.o", "-P", "parse_tcp"))


def test_rejection(skep):
    got = skep.fails(1, r"^invalid access to packet, off=0 size=1, R\d\(id=0,off=0,r=0\)$", "verify", "rejected.bpf.c")
    matches(r"\n   --> rejected\.bpf\.c:18:9\n 18 \| \treturn data\[0\];\n    \| \t       \^\^\^\^\^\^\^\n", got.stderr)
    matches(r"\nnote: r1 is loaded from ctx->data: data\n 16 \| ", got.stderr)
    matches(r"\n    = needs: data_end - data >= 1 here\n    = known: data_end - data >= 0\n    = hint: .*data_end", got.stderr)
    matches(r"\n    = reason: packet_range\n  in: rejected\.bpf\.c, program wrong, instruction 1: .*\n$", got.stderr)
    verdict, = json.loads(skep("verify", "rejected.bpf.c", "-j").stdout)
    same((verdict["verdict"], verdict["name"], verdict["insn"], verdict["reason"]),
         ("rejected", "wrong", 1, "packet_range"))
    same((verdict["errno"], verdict["needs"], verdict["source"]["line"]), (13, "data_end - data >= 1 here", 18))
    same([(step["kind"], step["place"], step["after"]) for step in verdict["steps"]], [("born", "r1", "data")])
    skep.ok("verify", "rejected.bpf.c", "-P", "right")


def test_cost(skep):
    text = skep.ok("verify", "--cost", "--top", "3", "firewall.bpf.o")
    matches(r"\n\tprocessed \d+  states \d+  at most at a time \d+  \d+us\n\t +processed +states +insns  functions\n", text)
    same(len(text.split("lines\n")[1].split("maps on")[0].splitlines()), 3)
    cost = skep.json("verify", "--cost", "-j", "firewall.bpf.o")[0]["cost"]
    same(cost["processed"], sum(row["processed"] for row in cost["functions"]))
    matches(r"^rejected  name wrong\n\tprocessed 2 ", skep("verify", "--cost", "rejected.bpf.c", "-P", "wrong").stdout)


def test_color(skep):
    matches(r"^\x1b\[1;31minvalid access.*\x1b\[0m\n", skep("verify", "--color", "always", "rejected.bpf.c").stderr)
    same("\x1b" in skep("verify", "--color=auto", "rejected.bpf.c").stderr, False)
    same("\x1b" in skep("verify", "--color=never", "rejected.bpf.c").stderr, False)
    skep.fails(2, "--color pink: expected auto, always or never", "verify", "--color", "pink", "rejected.bpf.c")


def test_verifier_log(skep):
    log = skep("verify", "--log-level", "1", "rejected.bpf.c").stderr
    matches(r"(?s)^invalid access.*\nwrong:\n0: R1=ctx\(\) R10=fp0\n; char \*data = .* @ rejected\.bpf\.c:16\n0: \(61\)", log)
    matches(r"(?m)^func#0 @0$", skep.ok("verify", "--log-level=2", "firewall.bpf.o"))
    same(skep.ok("verify", "--log-level", "4", "tailcall.bpf.o").count("verification time"), 5)


def test_fewer_rights(skep):
    skep.ok("verify", "--rights", "bpf,perfmon,net-admin", "firewall.bpf.o")
    skep.fails(2, "a program of type xdp needs rights", "verify", "--rights=bpf", "firewall.bpf.o")
    skep.fails(2, "needs CAP_BPF|needs rights", "verify", "--rights", "none", "firewall.bpf.o")


def test_verdict_on_what_skep_cannot_run(skep):
    matches(r"^accepted  name casts .*\n\tskep cannot run it yet: no kernel function bpf_cast_to_kern_ctx\n",
            skep.ok("verify", "lacking.bpf.c"))
    same(skep.json("verify", "-j", "lacking.bpf.c")[0]["lacks"], ["kernel function bpf_cast_to_kern_ctx"])
    same("lacks" in skep.json("verify", "-j", "firewall.bpf.o")[0], False)
    skep.fails(1, "bpf_cast_to_kern_ctx", "prog", "show", "lacking.bpf.c")


def test_sections_of_newer_loaders(skep):
    names = re.findall(r'^SECTION\("([^"+]+)', (skep.source / "src/cli/sections.def").read_text(), re.M)
    names = [name for name in names if not name.startswith("struct_ops")]
    skep.path("newer.bpf.c").write_text("\n".join(
        f'__attribute__((section("{name}"), used)) int program{number}(void *ctx) {{ return 1; }}'
        for number, name in enumerate(names)) + '\n__attribute__((section("license"))) char _license[] = "GPL";')
    same([row["section"] for row in skep.json("verify", "-j", "newer.bpf.c")], names)


def test_inspect(skep):
    matches(r"(?m)^ +0: r\d = ", skep.ok("inspect", "firewall.bpf.o"))
    matches(r"(?m)^subprogram 0 firewall: insns 0", skep.ok("inspect", "--stage=cfg", "firewall.bpf.o"))
    matches(r"; context data_end\n", skep.ok("inspect", "--stage", "facts", "firewall.bpf.o"))
    same(list(skep.json("inspect", "--stage", "cfg", "-j", "firewall.bpf.o")[0]), ["name", "cfg"])
    built, optimised = (skep.ok("inspect", "--stage", stage, "firewall.bpf.o") for stage in ("ir:build", "ir"))
    matches(r"(?m)^block 0:\n", built)
    matches(r"(?m)^ +\d+  v\d+ = load\.u32 v\d+", optimised)
    same(len(optimised.splitlines()) < len(built.splitlines()), True)
    skep.fails(2, "ir:nothing", "inspect", "--stage", "ir:nothing", "firewall.bpf.o")


def test_prog_show_and_dump(skep):
    program, = skep.json("prog", "show", "firewall.bpf.o", "-j")
    same({"id", "type", "name", "tag", "gpl_compatible", "bytes_xlated", "jited", "map_ids", "btf_id"} - set(program),
         set())
    matches(r"^\d+: xdp  name firewall  tag [0-9a-f]{16}  gpl .*\n\txlated \d+B ", skep.ok("prog", "show", "firewall.bpf.o"))
    matches(r"(?m)^ +0: ", skep.ok("prog", "dump", "xlated", "firewall.bpf.o"))
    matches(r"exit", skep.ok("prog", "dump", "xlated", "tailcall.bpf.o", "--program", "parse_tcp"))


def test_how_programs_are_executed(skep):
    for choice, has_code in (("off", False), ("base", platform.machine() == "x86_64"), ("full", platform.machine() == "x86_64")):
        program, = skep.json("prog", "show", "firewall.bpf.o", f"--jit={choice}", "-j")
        same(program["jited"], has_code)
        same(program.get("bytes_jited", 0) > program["bytes_xlated"] // 8, has_code)
        same(skep.ok("run", "firewall.bpf.o", "--data", "00" * 64, f"--jit={choice}"), "retval 1\n")
    skep.fails(2, "^skep: --jit half: expected off, base or full$", "run", "firewall.bpf.o", "--jit", "half")


def test_fuel(skep):
    same(skep.ok("run", "firewall.bpf.o", "--data", "00" * 64, "--fuel=1000"), "retval 1\n")
    skep.fails(2, "^skep: --fuel is for the skep target", "run", "firewall.bpf.o", "--fuel", "1", "--target", "linux")


def test_prog_run(skep):
    packet = bytes(range(64))
    skep.path("packet").write_bytes(packet)
    matches(r"^Return value: 2, duration: \d+ns\n$", skep.ok("prog", "run", "events.bpf.c", "--data-in", "packet",
                                                             "--data-out", "after").split("packet 1\n")[-1])
    same(skep.path("after").read_bytes(), packet)
    same(skep.json("prog", "run", "firewall.bpf.o", "--repeat", "10", "--checked", "-j")["retval"], 1)


def test_map_commands(skep):
    maps = {row["name"]: row for row in skep.json("map", "show", "firewall.bpf.o", "-j")}
    same(maps["rules"], {**maps["rules"], "type": "hash", "flags": 0, "bytes_key": 16, "bytes_value": 8,
                         "max_entries": 65536})
    matches(r"hash  name rules  flags 0x0\n\tkey 16B  value 8B  max_entries 65536  memlock [0-9]+B\n",
            skep.ok("map", "show", "firewall.bpf.o"))
    matches(r"top_talkers  \(lru_hash, 0 entries\)", skep.ok("map", "dump", "firewall.bpf.o", "top_talkers"))
    matches(r"(?m)^  10\.0\.0\.1 +7 +9  █+$", skep.ok("map", "update", "firewall.bpf.o", "top_talkers", "10.0.0.1", "{7, 9}"))
    entry, = skep.json("map", "update", "firewall.bpf.o", "blocklist", "{8, 10.0.0.0}", "5", "-j")
    same(entry, {"key": ["0x08", "0x00", "0x00", "0x00", "0x0a", "0x00", "0x00", "0x00"],
                 "value": ["0x05"] + ["0x00"] * 7,
                 "formatted": {"key": {"length": 8, "address": 10}, "value": 5}})
    same(skep.ok("map", "lookup", "events.bpf.c", "counters", "1"), "0\n")
    skep.fails(1, "no such key", "map", "lookup", "firewall.bpf.o", "blocklist", "{8, 10.0.0.0}")
    skep.fails(1, "no such key", "map", "delete", "firewall.bpf.o", "rules", "{}")


def test_per_cpu_values_and_maps_of_maps(skep):
    entry, = skep.json("map", "update", "events.bpf.c", "per_cpu", "3", "4", "-j")
    same({value["value"] for value in entry["formatted"]["values"]}, {4})
    same([value["cpu"] for value in entry["values"]], list(range(len(entry["values"]))))
    same(len(skep.ok("map", "dump", "firewall.bpf.o", "outcomes", "--top", "2").splitlines()), 5)
    matches(r"inner_map_id\n  01 00 00 00 +\d+\n$", skep.ok("map", "dump", "events.bpf.c", "outer"))
    matches(r"prog_id\n", skep.ok("map", "dump", "tailcall.bpf.o", "stages"))
    skep.fails(2, "queue", "map", "dump", "events.bpf.c", "queue")


def bpftool(*arguments):
    try:
        return subprocess.run(["bpftool", *arguments], capture_output=True, text=True, check=True,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Skip(f"no bpftool: {error}") from error


def test_btf_dump_is_bpftools(skep):
    path = str(skep.path("firewall.bpf.o"))
    same(skep.ok("btf", "dump", "firewall.bpf.o"), bpftool("btf", "dump", "file", path))
    same(skep.json("btf", "dump", "firewall.bpf.o", "-j"), json.loads(bpftool("-j", "btf", "dump", "file", path)))
    same(skep.ok("btf", "dump", "--format", "c", "firewall.bpf.o").split(),
         bpftool("btf", "dump", "file", path, "format", "c").split())


def test_feature(skep):
    text = skep.ok("feature")
    matches(r"(?m)^program types: \d+ available, \d+ not$", text)
    matches(r"(?m)^helpers of xdp: \d+ available, \d+ not$", text)
    same([line for line in text.splitlines() if len(line) > 84], [])
    rows_of = skep.json("feature", "-j")
    answers = {(row["kind"], row["name"]): row["answer"] for row in rows_of}
    same(answers[("prog_type", "xdp")], "available")
    same(answers[("map_type", "hash")], "available")
    same(answers[("xdp", "bpf_map_lookup_elem")], "available")


def test_pinned_maps_live_on(skep):
    pins = ["--pin-dir", str(skep.path("pins"))]
    for _ in range(3):
        skep.ok("run", "pinned.bpf.c", "--data", "00" * 14, *pins)
    same(skep.json("map", "dump", "pinned.bpf.c", "runs", "-p", *pins)[0]["value"][0], "0x03")
    same(skep.json("map", "dump", "pinned.bpf.c", "runs", "-p"), [])
    words = ["type", "hash", "key", "4", "value", "8", "entries", "10"]
    skep.ok("map", "create", "/sys/fs/bpf/mine", *words, *pins)
    skep.fails(1, "^skep: map create: .*'/sys/fs/bpf/mine': is taken$", "map", "create", "/sys/fs/bpf/mine", *words, *pins)
    (skep.path("pins") / "region").write_bytes(b"something else")
    skep.fails(2, "^skep: region '.*/pins/region': too short for a region of skep$",
               "map", "show", "pinned.bpf.c", *pins)


def test_exec(skep):
    bpftool("version")
    if b"__asan_init" in skep.binary.read_bytes():
        raise Skip("a sanitizer's library cannot be preloaded this way; tests/shim does it")
    skep.path("batch").write_text("map create /sys/fs/bpf/mine type hash key 4 value 4 entries 4 name mine\n"
                                  "map show name mine\n")
    command = ["exec", "--", "bpftool", "batch", "file", "batch"]
    made, = skep.json("map", "create", "--dry-run", "type", "hash", "key", "4", "value", "4", "entries", "4", "-p")
    matches(rf"hash  name mine(?s:.*)memlock {made['bytes_memlock']}B", skep.ok(*command))
    matches("map 'mine' needs [0-9]+ bytes more", skep(*command, env={**os.environ, "SKEP_MEMORY": "1K"}).stderr)
    skep.path("batch").write_text("map update pinned /sys/fs/bpf/mine key 1 0 0 0 value 2 0 0 0\n"
                                  "map dump pinned /sys/fs/bpf/mine\n")
    skep.path("first").write_text("map create /sys/fs/bpf/mine type hash key 4 value 4 entries 4 name mine\n")
    place = {"env": {**os.environ, "SKEP_PIN_DIR": str(skep.path("other-pins"))}}
    skep.ok("exec", "--", "bpftool", "batch", "file", "first", **place)
    matches("\"?key\"?", skep.ok(*command, **place))
    matches("SKEP_MEMORY=much: expected a size", skep(*command, env={**os.environ, "SKEP_MEMORY": "much"}).stderr)
    skep.fails(2, "no-such-program", "exec", "--", "no-such-program")


def complete(skep, *words):
    """What bash offers for the last of the words."""
    script = ('PATH="$1:$PATH"; eval "$(skep completion)"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
              '_skep; printf "%s\\n" "${COMPREPLY[@]}"')
    got = subprocess.run(["bash", "-c", script, "bash", str(skep.binary.parent), *words], capture_output=True, text=True,
                         cwd=skep.work, timeout=20)
    same(got.stderr, "")
    return got.stdout.split()


def test_completion(skep):
    skep.ok("completion")
    same(complete(skep, "skep", "ver"), ["verify", "version"])
    same(complete(skep, "skep", "map", "de"), ["delete"])
    same(complete(skep, "skep", "verify", "--s"), ["--section", "--slots"])
    same(complete(skep, "skep", "map", "dump", "--t"), ["--target", "--top"])
    same(complete(skep, "skep", "verify", "fire"), ["firewall.bpf.o"])


def test_manual(skep):
    pages = sorted((skep.build / "man").glob("skep*.1"))
    text = pages[-1].read_text().replace("\\-", "-")
    for table, macro in (("commands", "COMMAND"), ("options", "OPTION")):
        for _, fields in rows(skep.source / f"src/cli/{table}.def", macro):
            matches(r"\b" + fields[0], text)
    for name, _ in rows(skep.source / "src/cli/apps.def", "APP"):
        matches(rf"skep-app-{name}\.1 ", " ".join(page.name for page in pages) + " ")
    try:
        got = subprocess.run(["groff", "-ww", "-man", "-Tutf8", *map(str, pages)], capture_output=True, text=True)
    except OSError as error:
        raise Skip("no groff") from error
    same(got.stderr, "")
