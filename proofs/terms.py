# SPDX-License-Identifier: BSD-2-Clause
"""Bit-vector terms: made once each, folded where constants decide, printed as SMT-LIB.

A term of one bit is of SMT's sort Bool, any other of (_ BitVec width). Equal terms are the same
object, so that a value computed twice is printed, and solved, once.
"""

SYMMETRIC = {"bvadd", "bvmul", "bvand", "bvor", "bvxor", "=", "and", "or", "xor"}
# The low bits of the result are those of the operands' low bits.
FROM_LOW_BITS = {"bvadd", "bvsub", "bvmul", "bvand", "bvor", "bvxor"}
COMPARISONS = {"=", "bvult", "bvule", "bvslt", "bvsle"}


class Term:
    __slots__ = ("op", "args", "width", "value", "number")

    def __init__(self, op, args, width, value, number):
        self.op, self.args, self.width, self.value, self.number = op, args, width, value, number


_terms = {}


def _make(op, args, width, value=None):
    key = (op, tuple(id(arg) if isinstance(arg, Term) else arg for arg in args), width, value)
    term = _terms.get(key)
    if term is None:
        term = _terms[key] = Term(op, args, width, value, len(_terms))
    return term


def const(width, value):
    return _make("const", (), width, value & ((1 << width) - 1))


def variable(name, width):
    return _make("var", (), width, name)


FALSE, TRUE = const(1, 0), const(1, 1)


def is_const(term):
    return term.op == "const"


def signed(value, width):
    return value - (1 << width) if value >> (width - 1) else value


def ones(width):
    return (1 << width) - 1


# --- truth ---


def not_(term):
    if is_const(term):
        return FALSE if term.value else TRUE
    if term.op == "not":
        return term.args[0]
    return _make("not", (term,), 1)


def and_(a, b):
    if a is FALSE or b is FALSE or a is not_(b):
        return FALSE
    if a is TRUE or a is b:
        return b
    if b is TRUE:
        return a
    return _symmetric("and", a, b, 1)


def or_(a, b):
    return not_(and_(not_(a), not_(b)))


def ite(condition, a, b):
    if a is b or condition is TRUE:
        return a
    if condition is FALSE:
        return b
    if condition.op == "not":
        return ite(condition.args[0], b, a)
    if a.op == "ite" and a.args[0] is condition:
        a = a.args[1]
    if b.op == "ite" and b.args[0] is condition:
        b = b.args[2]
    if a is b:
        return a
    if a.width == 1:
        if is_const(a):
            return or_(condition, b) if a.value else and_(not_(condition), b)
        if is_const(b):
            return or_(not_(condition), a) if b.value else and_(condition, a)
    return _make("ite", (condition, a, b), a.width)


# --- numbers ---


def _fold(op, a, b, width):
    signed_a, signed_b = signed(a, width), signed(b, width)
    if op in ("bvudiv", "bvurem", "bvsdiv", "bvsrem") and not b:
        return None
    match op:
        case "bvadd": return a + b
        case "bvsub": return a - b
        case "bvmul": return a * b
        case "bvand" | "and": return a & b
        case "bvor": return a | b
        case "bvxor" | "xor": return a ^ b
        case "bvshl": return a << b if b < width else 0
        case "bvlshr": return a >> b if b < width else 0
        case "bvashr": return signed_a >> min(b, width - 1)
        case "bvudiv": return a // b
        case "bvurem": return a % b
        case "bvsdiv": return abs(signed_a) // abs(signed_b) * (1 if (signed_a < 0) == (signed_b < 0) else -1)
        case "bvsrem": return abs(signed_a) % abs(signed_b) * (-1 if signed_a < 0 else 1)
        case "=": return int(a == b)
        case "bvult": return int(a < b)
        case "bvule": return int(a <= b)
        case "bvslt": return int(signed_a < signed_b)
        case "bvsle": return int(signed_a <= signed_b)
    raise ValueError(op)


def _symmetric(op, a, b, width):
    if a.number > b.number:
        a, b = b, a
    return _make(op, (a, b), width)


def _with_zero(op, a, b):
    """What is left where one operand is 0, else None."""
    if is_const(b) and not b.value:
        if op in ("bvadd", "bvsub", "bvor", "bvxor", "bvshl", "bvlshr", "bvashr", "xor"):
            return a
        if op in ("bvand", "bvmul"):
            return b
    if is_const(a) and not a.value:
        if op in ("bvadd", "bvor", "bvxor", "xor"):
            return b
        if op in ("bvand", "bvmul", "bvshl", "bvlshr", "bvashr", "bvudiv", "bvurem"):
            return a
    return None


def _with_ones(op, a, b):
    full = ones(a.width)
    for one, other in ((a, b), (b, a)):
        if is_const(one) and one.value == full:
            if op == "bvand":
                return other
            if op == "bvor":
                return one
    return None


def _with_low_ones(op, a, b):
    """A mask of low bits cuts and extends: so both ways to write it are one."""
    for one, other in ((a, b), (b, a)):
        if op == "bvand" and is_const(one) and one.value > 1 and not one.value & (one.value + 1):
            return zero_extend(extract(other, 0, one.value.bit_length()), one.width)
    return None


def _with_itself(op, a, width):
    if op in ("bvand", "bvor"):
        return a
    if op in ("bvsub", "bvxor", "xor"):
        return const(width, 0)
    if op in ("=", "bvule", "bvsle"):
        return TRUE
    if op in ("bvult", "bvslt"):
        return FALSE
    return None


def _decided_branches(op, a, b, width):
    """A comparison of a choice between constants with a constant is about the choice."""
    for one, other, swapped in ((a, b, False), (b, a, True)):
        if is_const(other) and one.op == "ite" and is_const(one.args[1]) and is_const(one.args[2]):
            outcomes = [binary(op, other, arm) if swapped else binary(op, arm, other)
                        for arm in one.args[1:]]
            return ite(one.args[0], *outcomes)
    return None


def _shift_twice(op, a, b):
    """Shifts by constants, one after the other, are one: loops that shift to nothing end."""
    if op in ("bvshl", "bvlshr") and is_const(b):
        if b.value >= a.width:
            return const(a.width, 0)
        if a.op == op and is_const(a.args[1]):
            return binary(op, a.args[0], const(a.width, a.args[1].value + b.value))
    return None


def binary(op, a, b):
    """`op` as SMT-LIB calls it."""
    width = 1 if op in COMPARISONS else a.width
    if is_const(a) and is_const(b):
        value = _fold(op, a.value, b.value, a.width)
        if value is not None:
            return const(width, value)
    if a.width == 1 and op != "=":
        return _binary_truth(op, a, b)
    if op == "=" and a.width == 1:
        return not_(binary("bvxor", a, b))
    for known in (_with_zero(op, a, b), _with_ones(op, a, b), _with_low_ones(op, a, b), _shift_twice(op, a, b),
                  _with_itself(op, a, width) if a is b else None):
        if known:
            return known
    if op in COMPARISONS:
        known = _decided_branches(op, a, b, width)
        if known is not None:
            return known
    return _symmetric(op, a, b, width) if op in SYMMETRIC else _make(op, (a, b), width)


def _binary_truth(op, a, b):
    if op == "bvand":
        return and_(a, b)
    if op == "bvor":
        return or_(a, b)
    if op == "bvxor":
        if is_const(a) or is_const(b):
            known, other = (a, b) if is_const(a) else (b, a)
            return not_(other) if known.value else other
        return FALSE if a is b else _symmetric("xor", a, b, 1)
    if op == "bvult":
        return and_(not_(a), b)
    raise ValueError(op)


# --- widths ---


def zero_extend(term, width):
    if width == term.width:
        return term
    if is_const(term):
        return const(width, term.value)
    if term.width == 1:
        return ite(term, const(width, 1), const(width, 0))
    if term.op == "zero_extend":
        return zero_extend(term.args[0], width)
    return _make("zero_extend", (term,), width)


def sign_extend(term, width):
    if width == term.width:
        return term
    if is_const(term):
        return const(width, signed(term.value, term.width))
    if term.width == 1:
        return ite(term, const(width, -1), const(width, 0))
    return _make("sign_extend", (term,), width)


def extract(term, low, width):
    """`width` bits from bit `low` on."""
    if width == term.width:
        return term
    if is_const(term):
        return const(width, term.value >> low)
    if term.op == "extract":
        return extract(term.args[0], term.args[1] + low, width)
    if term.op in ("zero_extend", "sign_extend"):
        inner = term.args[0]
        if low + width <= inner.width:
            return extract(inner, low, width)
        if term.op == "zero_extend" and low >= inner.width:
            return const(width, 0)
        if not low:
            return (zero_extend if term.op == "zero_extend" else sign_extend)(inner, width)
    if term.op == "concat":
        upper, lower = term.args
        if low >= lower.width:
            return extract(upper, low - lower.width, width)
        if low + width <= lower.width:
            return extract(lower, low, width)
    # Wider ones are exact sums, whose carries the claims are about.
    if not low and term.op in FROM_LOW_BITS and term.width <= 64:
        return binary(term.op, *(extract(arg, 0, width) for arg in term.args))
    if term.op == "ite" and (is_const(term.args[1]) or is_const(term.args[2])):
        return ite(term.args[0], extract(term.args[1], low, width), extract(term.args[2], low, width))
    if width == 1:
        return _bit(term, low)
    return _make("extract", (term, low), width)


def _bit(term, low):
    mask = const(term.width, 1 << low)
    return not_(binary("=", binary("bvand", term, mask), const(term.width, 0)))


def concat(upper, lower):
    if is_const(upper) and is_const(lower):
        return const(upper.width + lower.width, upper.value << lower.width | lower.value)
    if upper.op == lower.op == "extract" and upper.args[0] is lower.args[0] and \
            upper.args[1] == lower.args[1] + lower.width:
        return extract(lower.args[0], lower.args[1], upper.width + lower.width)
    return _make("concat", (upper, lower), upper.width + lower.width)


def byte_swap(term):
    result = extract(term, 0, 8)
    for low in range(8, term.width, 8):
        result = concat(result, extract(term, low, 8))
    return result


def count_zeros(term, leading):
    """Zeros before the first one; by halves. Of 0: the width."""
    width = term.width
    if is_const(term):
        value = term.value
        if not value:
            return const(width, width)
        return const(width, width - value.bit_length() if leading else (value & -value).bit_length() - 1)
    count, step = const(width, 0), width // 2
    rest = term
    while step:
        part = extract(rest, width - step, step) if leading else extract(rest, 0, step)
        empty = not_(part) if step == 1 else binary("=", part, const(step, 0))
        moved = binary("bvshl" if leading else "bvlshr", rest, const(width, step))
        rest = ite(empty, moved, rest)
        count = binary("bvadd", count, ite(empty, const(width, step), const(width, 0)))
        step //= 2
    return ite(binary("=", term, const(width, 0)), const(width, width), count)


# --- printing ---


def _in_order(roots):
    """Every term below `roots`, arguments first."""
    done, order = set(), []
    stack = [(root, False) for root in roots]
    while stack:
        term, is_ready = stack.pop()
        if is_ready:
            order.append(term)
        elif id(term) not in done:
            done.add(id(term))
            stack.append((term, True))
            stack.extend((arg, False) for arg in term.args if isinstance(arg, Term))
    return order


def _sort(term):
    return "Bool" if term.width == 1 else f"(_ BitVec {term.width})"


def _print(term, names):
    if term.op == "const":
        if term.width == 1:
            return "true" if term.value else "false"
        return f"(_ bv{term.value} {term.width})"
    arguments = " ".join(names[id(arg)] for arg in term.args if isinstance(arg, Term))
    if term.op in ("zero_extend", "sign_extend"):
        return f"((_ {term.op} {term.width - term.args[0].width}) {arguments})"
    if term.op == "extract":
        low = term.args[1]
        return f"((_ extract {low + term.width - 1} {low}) {arguments})"
    return f"({term.op} {arguments})"


def smt_lib(goal):
    """A script that asks whether `goal` can be true, and for the variables then."""
    names, lines, variables = {}, ["(set-logic QF_BV)"], []
    for term in _in_order([goal]):
        if term.op == "var":
            lines.append(f"(declare-const {term.value} {_sort(term)})")
            names[id(term)] = term.value
            variables.append(term.value)
        elif term.op == "const":
            names[id(term)] = _print(term, names)
        else:
            names[id(term)] = f"t{len(names)}"
            lines.append(f"(define-fun {names[id(term)]} () {_sort(term)} {_print(term, names)})")
    lines += [f"(assert {names[id(goal)]})", "(check-sat)"]
    if variables:
        lines.append(f"(get-value ({' '.join(variables)}))")
    return "\n".join(lines) + "\n"
