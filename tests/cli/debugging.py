# SPDX-License-Identifier: BSD-2-Clause
"""Machine code as perf and gdb are told of it (--jit-debug)."""
import os
import pathlib
import platform
import re
import shutil
import struct
import subprocess
import tempfile

from harness import Skip, matches, same

OBJECT = "firewall.bpf.o"
DATA = "00" * 64
SYMBOL = r"bpf_prog_[0-9a-f]{16}_firewall"


def needs_machine_code():
    if platform.machine() != "x86_64":
        raise Skip("no machine code on this machine")


def run_with_id(skep, *options, env=None):
    """Runs the command, and returns its process id and result."""
    process = subprocess.Popen([*skep.command("run"), str(skep.path(OBJECT)), "--data", DATA, *options],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, **(env or {})})
    out, err = process.communicate()
    same((process.returncode, out, err), (0, "retval 1\n", ""))
    return process.pid


def test_perf_map(skep):
    needs_machine_code()
    path = pathlib.Path(f"/tmp/perf-{run_with_id(skep, '--jit-debug=perf-map')}.map")
    try:
        matches(rf"(?m)^[0-9a-f]+ [0-9a-f]+ {SYMBOL}$", path.read_text())
    finally:
        path.unlink()


def dump_records(data):
    magic, version, size, machine, _, pid, _, flags = struct.unpack_from("<6I2Q", data)
    same((magic, version, size, machine, flags), (0x4a695444, 1, 40, 62, 0))
    at, records = size, []
    while at < len(data):
        kind, length, _ = struct.unpack_from("<2IQ", data, at)
        records.append((kind, data[at + 16:at + length]))
        at += length
    same(at, len(data))
    return pid, records


def lines_of(record):
    address, count = struct.unpack_from("<2Q", record)
    at, lines = 16, []
    for _ in range(count):
        start, line, _ = struct.unpack_from("<Q2I", record, at)
        end = record.index(b"\0", at + 16)
        lines.append((start - address, line, record[at + 16:end].decode()))
        at = end + 1
    same(at, len(record))
    return lines


def test_perf_dump(skep):
    needs_machine_code()
    with tempfile.TemporaryDirectory() as folder:
        pid = run_with_id(skep, "--jit-debug", "perf-dump", env={"JITDUMPDIR": folder})
        path, = pathlib.Path(folder).glob(f".debug/jit/skep-*/jit-{pid}.dump")
        owner, records = dump_records(path.read_bytes())
        same(owner, pid)
        same(records[-1], (3, b""))
        loads = [record for kind, record in records if kind == 0]
        names = [record[40:record.index(b"\0", 40)].decode() for record in loads]
        number = next(i for i, name in enumerate(names) if re.fullmatch(SYMBOL, name))
        size, = struct.unpack_from("<Q", loads[number], 24)
        same(len(loads[number]), 40 + len(names[number]) + 1 + size)
        lines = lines_of(next(record for kind, record in records if kind == 2))
        same({pathlib.Path(file).name for _, _, file in lines} - {"firewall.bpf.c"},
             {pathlib.Path(file).name for _, _, file in lines if file.endswith(".h")})
        same([start for start, _, _ in lines], sorted({start for start, _, _ in lines}))
        source = (skep.source / "examples/firewall.bpf.c")
        if source.exists():
            same([line for _, line, file in lines
                  if file.endswith("firewall.bpf.c") and line > len(source.read_text().splitlines())], [])


def test_perf_inject(skep):
    """perf makes an ELF file of each function."""
    needs_machine_code()
    if not shutil.which("perf"):
        raise Skip("no perf")
    with tempfile.TemporaryDirectory() as folder:
        data, jitted = (os.path.join(folder, name) for name in ("perf.data", "jitted.data"))
        command = ["perf", "record", "-q", "-k", "mono", "-e", "cpu-clock", "-o", data, *skep.command("run"),
                   str(skep.path(OBJECT)), "--data", DATA, "--jit-debug=perf-dump"]
        if subprocess.run(command, env={**os.environ, "JITDUMPDIR": folder}, capture_output=True).returncode:
            raise Skip("perf cannot record here")
        done = subprocess.run(["perf", "inject", "--jit", "-i", data, "-o", jitted], capture_output=True, text=True)
        same(done.returncode, 0)
        files = list(pathlib.Path(folder).glob(".debug/jit/skep-*/jitted-*.so"))
        symbols = "".join(subprocess.run(["nm", file], capture_output=True, text=True).stdout for file in files)
        matches(rf"(?m) {SYMBOL}$", symbols)


def test_gdb(skep):
    """A breakpoint at the program's name stops there; gdb shows the line, and the way back to C."""
    needs_machine_code()
    if not shutil.which("gdb"):
        raise Skip("no gdb")
    process = subprocess.run(
        ["gdb", "-q", "-nx", "-batch", "-ex", "set breakpoint pending on", "-ex", "set debuginfod enabled off",
         "-ex", "break firewall.bpf.c:1", "-ex", "run", "-ex", "backtrace", "-ex", "kill", "--args", *skep.command("run"),
         str(skep.path(OBJECT)), "--data", DATA, "--jit-debug=gdb"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if "ptrace" in process.stderr:
        raise Skip("gdb may not trace here")
    matches(rf"(?s)#0 .*{SYMBOL}.* at .*firewall\.bpf\.c:\d+.*\n#1 .* skep_enter_program .*\n#2 (?s:.*) prog_test_run",
            process.stdout)


def test_how_code_is_made(skep):
    """The same results: made in the background, and with its constants hidden."""
    for options in (["--jit-background", "1"], ["--jit-harden=2"], ["--jit-harden", "1", "--jit=base"]):
        same(skep.ok("run", OBJECT, "--data", DATA, *options), "retval 1\n")
    skep.fails(2, "^skep: --jit-harden: expected 0, 1 or 2", "run", OBJECT, "--data", DATA, "--jit-harden", "3")
    skep.fails(2, "^skep: --jit-background and --jit-harden are for the skep target", "run", OBJECT, "--target",
               "linux", "--jit-harden", "2", "--data", DATA)


def test_what_is_refused(skep):
    skep.fails(2, "^skep: --jit-debug perf: expected perf-map, perf-dump or gdb, with commas between them",
               "run", OBJECT, "--data", DATA, "--jit-debug", "perf")
    skep.fails(2, "^skep: --jit-debug is for the skep target", "run", OBJECT, "--target", "linux",
               "--jit-debug", "gdb", "--data", DATA)
    if platform.machine() == "x86_64" and os.geteuid() == 0:
        skep.fails(2, r"^skep: jit_debug: jit-\d+.dump cannot be made below '': Not a directory",
                   "run", OBJECT, "--data", DATA, "--jit-debug", "perf-dump", env={"JITDUMPDIR": "/dev/null"})
