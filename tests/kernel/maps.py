#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's tests of maps, unmodified, on Linux and under `skep exec`: what passes there passes here.
They are built from Debian's linux-source-6.1; nothing of it is kept. Each function of test_maps,
test_lru_map, test_lpm_map and map_tests/ runs in a process of its own, so that one that fails does not
hide the others. Prints TAP.

usage: maps.py BUILD-DIR SKEP [NAME...]
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import selftests
from selftests import Missing

# What skep does otherwise by design, or has not yet: tests -> why.
DIFFERENT = {
    "lru_sanity3(/percpu)?": "a common LRU list evicts when the map is full, not some time before",
    "lru_sanity5(/percpu)?": "after fork() parent and child have an engine each",
}
# Not run: hooks every system call of the machine; a hundred processes, for minutes.
LEFT_OUT_FILES = ("task_storage_map.c",)
LEFT_OUT = ("map_stress", "map_parallel")
OBJECTS = ("sockmap_parse_prog", "sockmap_verdict_prog", "sockmap_tcp_msg_prog", "test_map_in_map",
           "test_map_in_map_invalid")
ENVIRONMENT = {**os.environ, "BPF_SK_STORAGE_MAP_RUNTIME_S": "1"}
SECONDS = 60

LRU = """int map_types[] = {BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH};
int map_flags[] = {0, BPF_F_NO_COMMON_LRU};
unsigned int tgt_free = f ? PERCPU_FREE_TARGET : LOCAL_FREE_TARGET;
nr_cpus = bpf_num_possible_cpus();"""


def calls(text):
    """The calls of test functions in a body, in their order."""
    found = dict.fromkeys(re.findall(r"^\s+(test_\w+\([^;]*\));", text, re.M))
    return [call for call in found if name_of(call) not in LEFT_OUT]


def name_of(call):
    return call.split("(")[0].removeprefix("test_")


def map_cases(tests):
    body = re.search(r"^static void run_all_tests\(void\)\n\{(.*?)^\}", (tests / "test_maps.c").read_text(), re.M | re.S)[1]
    for flags in ("0", "BPF_F_NO_PREALLOC"):
        for call in calls(body):
            suffix = "" if flags == "0" else "/no_prealloc"
            yield name_of(call) + suffix, f"map_opts.map_flags = {flags}; {call};"
    for path in map_files(tests):
        for name in re.findall(r"^void (test_\w+)\(void\)", path.read_text(), re.M):
            yield name_of(name), f"void {name}(void); {name}();"


def lru_cases(tests):
    body = (tests / "test_lru_map.c").read_text().split("int main(")[1]
    for flags, common in enumerate(("", "/no_common")):
        for kind, per_cpu in enumerate(("", "/percpu")):
            for call in calls(body):
                yield name_of(call) + per_cpu + common, f"int t = {kind}, f = {flags}; {LRU} {call};"


def lpm_cases(tests):
    body = (tests / "test_lpm_map.c").read_text().split("int main(")[1]
    for call in calls(body):
        if call.endswith("(i)"):
            for bytes_of_key in (1, 4, 16):
                yield f"{name_of(call)}/{bytes_of_key}", f"int i = {bytes_of_key}; {call};"
        else:
            yield name_of(call), f"{call};"


def map_files(tests):
    return [path for path in sorted((tests / "map_tests").glob("*.c")) if path.name not in LEFT_OUT_FILES]


PROGRAMS = {"test_maps": map_cases, "test_lru_map": lru_cases, "test_lpm_map": lpm_cases}


def build_objects(folder, tests):
    """Of those that clang and this libbpf still take; the tests of the others fail on Linux, too."""
    clang = shutil.which("clang-19") or shutil.which("clang")
    if not clang:
        raise Missing("no clang")
    for name in OBJECTS:
        subprocess.run([clang, "-O2", "-g", "-w", "-target", "bpf", "-idirafter",
                        f"/usr/include/{os.uname().machine}-linux-gnu", "-c", tests / f"progs/{name}.c", "-o",
                        folder / f"{name}.bpf.o"], capture_output=True, check=False)


def build(folder, tests, program, cases):
    """The program with a main function that runs the test whose number it is given."""
    source = folder / f"{program}_each.c"
    output = folder / f"{program}_each"
    text = f'#define main main_of_all\n#include "{tests}/{program}.c"\n#undef main\n'
    text += "int main(int argc, char **argv)\n{\nswitch (atoi(argv[1])) {\n"
    text += "".join(f"case {number}: {{ {code} return 0; }}\n" for number, (_, code) in enumerate(cases))
    source.write_text(text + "}\nreturn 99;\n}\n")
    (folder / "map_tests").mkdir(exist_ok=True)
    (folder / "map_tests/tests.h").write_text("")
    include = folder / "linux/tools/include"
    more = [*map_files(tests), tests / "testing_helpers.c"] if program == "test_maps" else []
    subprocess.run(["cc", "-O1", "-w", "-I", folder, "-I", tests, "-I", include, "-I", include / "uapi", source,
                    *more, "-lbpf", "-lelf", "-lz", "-lpthread", "-o", output], check=True)
    return output


def run(folder, command):
    """Empty when it passed, else what it said last."""
    try:
        done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, errors="replace",
                              timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"no end in {SECONDS} s"
    if done.returncode == 0:
        return ""
    said = (done.stdout + done.stderr).strip().splitlines()
    return f"exit {done.returncode}: " + (said[-1] if said else "")


def difference(name):
    return next((why for pattern, why in DIFFERENT.items() if re.fullmatch(pattern, name)), "")


def main():
    folder, skep = pathlib.Path(sys.argv[1]).resolve() / "tests/kernel", pathlib.Path(sys.argv[2]).resolve()
    only = sys.argv[3:]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        tests = selftests.unpack(folder / "linux")
        build_objects(folder, tests)
        programs = {name: list(cases(tests)) for name, cases in PROGRAMS.items()}
        built = {name: build(folder, tests, name, cases) for name, cases in programs.items()}
    except Missing as reason:
        print(f"1..0 # SKIP {reason}")
        return
    number = 0
    for program, cases in programs.items():
        passed, failed, different, not_here = 0, [], [], []
        for index, (name, _) in enumerate(cases):
            if only and name not in only:
                continue
            if said := run(folder, [built[program], str(index)]):
                not_here.append(f"{name}: {said}")
            elif not (said := run(folder, [skep, "exec", "--", built[program], str(index)])):
                passed += 1
            elif why := difference(name):
                different.append(f"{name}: {why}")
            else:
                failed.append(f"{name}: {said}")
        number += 1
        print(f"{'not ok' if failed else 'ok'} {number} - {program}: {passed} pass, {len(different)} differ, "
              f"{len(failed)} fail of {passed + len(different) + len(failed)} that pass on Linux")
        for kind, lines in (("fails", failed), ("differs", different), ("not on this Linux", not_here)):
            for line in lines:
                print(f"# {kind}: {line}")
    print(f"1..{number}")


if __name__ == "__main__":
    main()
