#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Drives the built `skep` as a user does. Prints TAP.

usage: command.py SOURCE-DIR BUILD-DIR SKEP
"""
import pathlib
import sys

sys.dont_write_bytecode = True

import apps
import bad_input
import coverage
import debugging
import device
import harness
import on_linux
import router
import running
import showing

if __name__ == "__main__":
    source, build, binary = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
    harness.run_all(harness.Skep(source, build, binary),
                    [showing, running, debugging, bad_input, device, apps, on_linux, router, coverage])
