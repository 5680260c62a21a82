# SPDX-License-Identifier: BSD-2-Clause
"""Calls that are not C: what obligations call (obligations.h), and what clang makes of operators.

Each takes (execution, name, arguments, state) and gives (state, value), as Execution.call().
"""
import terms
from terms import FALSE, TRUE, and_, binary, const, not_


def _any_unsigned(execution, name, arguments, state):
    variable = execution.new_variable(arguments[0].value)
    return state, terms.zero_extend(variable, 64)


def _any_signed(execution, name, arguments, state):
    variable = execution.new_variable(arguments[0].value)
    return state, terms.sign_extend(variable, 64)


def _assume(execution, name, arguments, state):
    execution.assume(state, arguments[0])
    return state, None


def _check(execution, name, arguments, state):
    execution.claim(state, arguments[0], "check")
    return state, None


def _rely_on(execution, name, arguments, state):
    function, contract = (pointer.places[0][1] for pointer in arguments)
    execution.replaced[function] = contract
    return state, None


def _bound_loops(execution, name, arguments, state):
    execution.loop_bound = arguments[0].value
    return state, None


def _copy(execution, name, arguments, state):
    execution.copy(state, arguments[0], arguments[1], arguments[2].value)
    return state, None


def _fill(execution, name, arguments, state):
    to, byte, size = arguments[:3]
    for at in range(0, size.value, 8):
        part = min(8, size.value - at)
        word = const(8 * part, byte.value * 0x0101010101010101)
        execution.store(state, to.moved(at), word)
    return state, None


def _memcmp(execution, name, arguments, state):
    """Whether memory differs, not which is greater."""
    are_equal = TRUE
    for at, size in execution.cell_offsets(state, arguments[0], arguments[2].value):
        one, other = (execution.load(state, pointer.moved(at), size) for pointer in arguments[:2])
        are_equal = and_(are_equal, binary("=", one, other))
    return state, terms.ite(are_equal, const(32, 0), const(32, 1))


def _count_zeros(execution, name, arguments, state):
    return state, terms.count_zeros(arguments[0], leading=".ctlz." in name)


def _byte_swap(execution, name, arguments, state):
    return state, terms.byte_swap(arguments[0])


def _with_overflow(execution, name, arguments, state):
    """{result, whether it does not fit}."""
    kind, width = name.split(".")[1], arguments[0].width
    wide = 2 * width if kind[1:] == "mul" else width + 1
    extend = terms.sign_extend if kind[0] == "s" else terms.zero_extend
    exact = binary("bv" + kind[1:], *(extend(argument, wide) for argument in arguments))
    result = terms.extract(exact, 0, width)
    return state, [result, not_(binary("=", extend(result, wide), exact))]


def _trap(execution, name, arguments, state):
    execution.claim(state, FALSE, "undefined behaviour")
    return None, None


def _expect(execution, name, arguments, state):
    return state, arguments[0]


def _choose_extreme(execution, name, arguments, state):
    """llvm.umin, umax, smin, smax."""
    kind = name.split(".")[1]
    is_less = binary("bvslt" if kind[0] == "s" else "bvult", *arguments)
    return state, terms.ite(is_less, *(arguments if kind[1:] == "min" else reversed(arguments)))


CALLS = {"@any_unsigned": _any_unsigned, "@any_signed": _any_signed, "@assume": _assume,
         "@check": _check, "@rely_on": _rely_on,
         "@bound_loops": _bound_loops, "@memcmp": _memcmp, "@bcmp": _memcmp}
INTRINSICS = {"memcpy": _copy, "memset": _fill, "ctlz": _count_zeros, "cttz": _count_zeros,
              "bswap": _byte_swap, "sadd": _with_overflow, "ssub": _with_overflow,
              "smul": _with_overflow, "uadd": _with_overflow, "usub": _with_overflow,
              "umul": _with_overflow, "ubsantrap": _trap, "expect": _expect,
              "umin": _choose_extreme, "umax": _choose_extreme, "smin": _choose_extreme,
              "smax": _choose_extreme}


def find(name):
    if name.startswith("@llvm."):
        return INTRINSICS[name.split(".")[1]]
    return CALLS.get(name)
