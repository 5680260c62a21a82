# SPDX-License-Identifier: BSD-2-Clause
"""Memory as the symbolic execution sees it: objects of cells at known offsets.

A cell is a Term of whole bytes or a Pointer. Cells of an object are never changed in place: a
write makes a new dictionary, so that states share what they have in common. A pointer is a
choice among known places, each under a condition.
"""
from dataclasses import dataclass

import terms
from terms import TRUE, and_, ite, not_


@dataclass(frozen=True)
class Pointer:
    places: tuple  # of (condition, object, offset); exactly one condition holds

    def moved(self, distance):
        return Pointer(tuple((when, what, at + distance) for when, what, at in self.places))


def pointer_to(what, at=0):
    return Pointer(((TRUE, what, at),))


def choose(condition, a, b):
    """`a` where the condition holds, else `b`: terms, pointers or lists of them."""
    if a is b or condition is TRUE:
        return a
    if condition is terms.FALSE:
        return b
    if isinstance(a, Pointer):
        return a if a == b else _choose_pointer(condition, a, b)
    if isinstance(a, list):
        return [choose(condition, x, y) for x, y in zip(a, b)]
    return ite(condition, a, b)


def _choose_pointer(condition, a, b):
    places = {}
    for when, pointer in ((condition, a), (not_(condition), b)):
        for inner, what, at in pointer.places:
            place = (what, at)
            places[place] = terms.or_(places.get(place, terms.FALSE), and_(when, inner))
    return Pointer(tuple((when, *place) for place, when in places.items()))


def size_of(cell):
    return 8 if isinstance(cell, Pointer) else cell.width // 8


def _byte(cells, at, name):
    for start, cell in cells.items():
        if start <= at < start + size_of(cell):
            return terms.extract(cell, 8 * (at - start), 8)
    return terms.variable(f"uninitialised_{name}_{at}", 8)


def read_cell(cells, at, size, name):
    cell = cells.get(at)
    if cell is not None and size_of(cell) == size:
        return cell
    result = _byte(cells, at, name)
    for i in range(1, size):
        result = terms.concat(_byte(cells, at + i, name), result)
    return result


def _without(cells, at, size):
    """A copy in which nothing lies at these bytes: cells that reach out of them are cut."""
    result = {}
    for start, cell in cells.items():
        end = start + size_of(cell)
        if end <= at or start >= at + size:
            result[start] = cell
            continue
        if start < at:
            result[start] = terms.extract(cell, 0, 8 * (at - start))
        if end > at + size:
            result[at + size] = terms.extract(cell, 8 * (at + size - start), 8 * (end - at - size))
    return result


def write_cell(cells, at, cell):
    size = size_of(cell)
    old = cells.get(at)
    result = dict(cells) if old is not None and size_of(old) == size else _without(cells, at, size)
    result[at] = cell
    return result


def copy_cells(cells, at, size, source, source_at, name):
    result, end = _without(cells, at, size), source_at + size
    for start, cell in source.items():
        if source_at <= start and start + size_of(cell) <= end:
            result[at + start - source_at] = cell
        elif start < end and start + size_of(cell) > source_at:
            for byte in range(max(start, source_at), min(start + size_of(cell), end)):
                result[at + byte - source_at] = _byte(source, byte, name)
    return result


def merge_cells(condition, a, b, name):
    if a is b:
        return a
    result = {}
    for start in a.keys() | b.keys():
        one, other = a.get(start), b.get(start)
        if one is not None and other is not None and size_of(one) == size_of(other):
            result[start] = choose(condition, one, other)
            continue
        for cell in (one, other):
            if cell is None or isinstance(cell, Pointer):
                continue
            for at in range(start, start + size_of(cell)):
                result[at] = ite(condition, _byte(a, at, name), _byte(b, at, name))
    return result
