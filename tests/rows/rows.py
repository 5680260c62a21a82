#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every row of every .def table has a test. Prints TAP: one line per table.

A table is either NAMED: some file of tests, fuzz targets or examples uses each row's name; or
WHOLE: the test given walks the table itself and compares each row with the running kernel, or with
what it is made of. A table that is in neither list fails.

usage: rows.py SOURCE-ROOT
"""
import pathlib
import re
import sys

NAMED = [
    "src/btf/kinds.def",
    "src/catalog/maps.def",
    "src/helper/bodies.def",
    "src/helper/kfuncs.def",
    "src/isa/alias.def",
    "src/isa/isa.def",
    "src/net/ports.def",
    "src/sys/iterator_targets.def",
    "src/verify/reasons.def",
]

WHOLE = {
    "bench/datapath/cases.def": "bench/datapath/main.c",
    "bench/modes.def": "bench/main.c",
    "src/btf/fields.def": "tests/btf/test_btf_fields.c",
    "src/catalog/attach.def": "tests/catalog/test_prog.c",
    "src/catalog/ctx.def": "tests/catalog/test_ctx.c",
    "src/catalog/ctx_since.def": "tests/catalog/test_ctx.c",
    "src/catalog/functions.def": "tests/catalog/test_tracing.c",
    "src/catalog/helper_limits.def": "tests/catalog/test_catalog_helper.c",
    "src/catalog/helper_variants.def": "tests/catalog/test_catalog_helper.c",
    "src/catalog/helpers.def": "tests/catalog/test_catalog_helper.c",
    "src/catalog/iterators.def": "tests/catalog/test_tracing.c",
    "src/catalog/kfuncs.def": "tests/catalog/test_kfunc.c",
    "src/catalog/linux.def": "tests/catalog/test_linux_need.c",
    "src/catalog/lsm_hooks.def": "tests/catalog/test_struct_ops.c",
    "src/catalog/progs.def": "tests/catalog/test_prog.c",
    "src/catalog/struct_ops.def": "tests/catalog/test_struct_ops.c",
    "src/catalog/tracepoints.def": "tests/catalog/test_tracing.c",
    "src/catalog/writable_fields.def": "tests/catalog/test_kernel_field.c",
    "src/cli/apps.def": "tests/cli/apps.py",
    "src/cli/commands.def": "tests/cli/coverage.py",
    "src/cli/options.def": "tests/cli/coverage.py",
    "src/cli/sections.def": "tests/cli/showing.py",
    "src/device/messages.def": "tests/device/test_device_hostile.c",
    "src/helper/absent.def": "tests/helper/test_helper_run.c",
    "src/helper/kernel_members.def": "tests/helper/test_kernel_object.c",
    "src/ir/fold.def": "tests/ir/test_rule.c",
    "src/ir/ir.def": "tests/ir/test_rule.c",
    "src/jit/arm64.def": "tests/jit/test_arm64.c",
    "src/jit/avx.def": "tests/jit/test_avx.c",
    "src/jit/x86.def": "tests/jit/test_x86.c",
    "src/run/fused.def": "tests/run/test_interpreter.c",
    "src/run/ops.def": "tests/run/test_interpreter.c",
    "src/sys/kernel_types.def": "tests/sys/test_kernel_types.c",
    "src/sys/commands.def": "tests/sys/test_linux_attr.c",
}

ROW = re.compile(r"^[A-Z_0-9]+\(\s*(?:\d+\s*,\s*)?\"?([A-Za-z_][A-Za-z_0-9]*)", re.M)


def rows(table):
    return ROW.findall(table.read_text())


def used_words(root):
    words = set()
    for folder in ("tests", "fuzz", "examples"):
        for path in (root / folder).rglob("*"):
            if path.is_file() and path.name != "rows.py":
                words |= set(re.findall(r"[a-z0-9]+(?:_[a-z0-9]+)*",
                                        path.read_text(errors="replace").lower()))
    return words


def is_used(name, words):
    """As a word of its own or at the end of a longer one: helper_NAME, BPF_MAP_TYPE_NAME."""
    return name in words or any(word.endswith("_" + name) for word in words)


REASON = re.compile(r'^REASON\((\w+),[^,]+,\s*((?:"(?:[^"\\]|\\.)*"\s*)+),', re.M)
MESSAGE = re.compile(r'REJECTS?\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)')
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
CONVERSION = re.compile(r"%[-+.*0-9]*[a-z]+")


def text_of(literals):
    return "".join(LITERAL.findall(literals))


def expected_messages(root):
    for path in (root / "tests/objects").glob("*.bpf.c"):
        yield from map(text_of, MESSAGE.findall(path.read_text()))
    for path in (root / "tests/verify").glob("*.c"):
        yield from (text for text in LITERAL.findall(path.read_text()) if len(text) >= 12)


def expected_reasons(root):
    """Reasons whose message, or a telling part of it, a test of the verifier expects."""
    wanted = set(expected_messages(root))
    for name, literals in REASON.findall((root / "src/verify/reasons.def").read_text()):
        pieces = CONVERSION.split(text_of(literals))
        longest = max(pieces, key=len)
        if any(longest in message or any(message in piece for piece in pieces)
               for message in wanted):
            yield name


def listed(root, heading):
    """Names in the first column of the table under a heading of docs/differences.md."""
    text = (root / "docs/differences.md").read_text().partition(f"\n## {heading}")[2].partition("\n## ")[0]
    return {name for line in text.splitlines() if line.startswith("| `")
            for name in re.findall(r"`([a-z0-9_]+)`", line.split("|")[1])}


def undocumented(root):
    """Rows of absent.def and the list in docs/differences.md: what is in one of them only."""
    return sorted(listed(root, "Helpers that answer") ^ set(rows(root / "src/helper/absent.def")))


def undocumented_functions(root):
    """The same of kernel functions without a body. Executors and compilers see to two of them."""
    lacking = set(rows(root / "src/catalog/kfuncs.def")) - set(rows(root / "src/helper/kfuncs.def"))
    return sorted(listed(root, "Kernel functions that skep has not") ^ (lacking - {"bpf_throw", "__bpf_trap"}))


def main():
    root = pathlib.Path(sys.argv[1])
    words = used_words(root) | set(expected_reasons(root))
    tables = sorted(str(path.relative_to(root)) for folder in ("src", "bench")
                    for path in (root / folder).rglob("*.def"))
    print(f"1..{len(tables)}")
    for number, table in enumerate(tables, 1):
        if table in NAMED:
            missing = [row for row in rows(root / table) if not is_used(row.lower(), words)]
        else:
            test = WHOLE.get(table)
            missing = [] if test and (root / test).exists() else [f"no test of the table ({test})"]
        if table == "src/helper/kfuncs.def":
            missing += [f"{name}: docs/differences.md" for name in undocumented_functions(root)]
        if table == "src/helper/absent.def":
            missing += [f"{name} is not also in docs/differences.md" for name in undocumented(root)]
        print(f"{'not ok' if missing else 'ok'} {number} - {table} ({len(rows(root / table))} rows)"
              + (f": {', '.join(missing)}" if missing else ""))


if __name__ == "__main__":
    main()
