#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The balancer, the pre-stack filter and the sampler, packet by packet, and before real servers. Prints TAP.

usage: functions.py SOURCE-DIR BUILD-DIR SKEP
"""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))

import balancer
import harness
import monitor
import prefilter
import sampler

if __name__ == "__main__":
    source, build, binary = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
    harness.run_all(harness.Skep(source, build, binary), [balancer, prefilter, sampler, monitor])
