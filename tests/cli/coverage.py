# SPDX-License-Identifier: BSD-2-Clause
"""Runs last: every row of the command's tables was used by some test."""
from harness import rows, same


def test_every_command_is_used(skep):
    unused = [fields[0] for _, fields in rows(skep.source / "src/cli/commands.def", "COMMAND")
              if fields[0] not in skep.used]
    same(unused, [])


def test_every_option_is_used(skep):
    unused = [fields[0] for _, fields in rows(skep.source / "src/cli/options.def", "OPTION")
              if "--" + fields[0] not in skep.used]
    same(unused, [])
