# SPDX-License-Identifier: BSD-2-Clause
"""Executes functions of C on terms, all paths at once.

Where paths meet, their memories are merged: a cell becomes a choice by the condition that told
the paths apart. Loops are walked as often as their condition can hold, LOOP_BOUND times at most:
that no path is left then is one of the things to be proved, as is that no trap of the undefined
behaviour sanitizer can be reached.
"""
from dataclasses import dataclass

import intrinsics
import memory
import terms
from memory import choose, pointer_to
from terms import FALSE, TRUE, and_, binary, const, not_

LOOP_BOUND = 66
# SMT's comparison, whether the operands are exchanged, whether it is negated.
COMPARE = {"eq": ("=", False, False), "ne": ("=", False, True),
           "ult": ("bvult", False, False), "ule": ("bvule", False, False),
           "ugt": ("bvult", True, False), "uge": ("bvule", True, False),
           "slt": ("bvslt", False, False), "sle": ("bvsle", False, False),
           "sgt": ("bvslt", True, False), "sge": ("bvsle", True, False)}


def conjunction(conditions):
    result = TRUE
    for condition in conditions:
        result = and_(result, condition)
    return result


@dataclass(frozen=True)
class Claim:
    text: str
    counter: terms.Term  # what is false if it holds


@dataclass
class State:
    """What holds on a path, and its memory."""
    path: tuple
    objects: dict  # object -> cells

    def assuming(self, condition):
        """None where that cannot be."""
        if condition is FALSE or not_(condition) in self.path:
            return None
        if condition is TRUE or condition in self.path:
            return State(self.path, self.objects)
        return State(self.path + (condition,), self.objects)


def merge_states(a, b):
    """One state of two that exclude each other, and the condition of the first."""
    shared = 0
    while shared < min(len(a.path), len(b.path)) and a.path[shared] is b.path[shared]:
        shared += 1
    when, other = conjunction(a.path[shared:]), conjunction(b.path[shared:])
    either = terms.or_(when, other)
    path = a.path[:shared] + (() if either is TRUE else (either,))
    objects = {what: memory.merge_cells(when, cells, b.objects[what], what)
               for what, cells in a.objects.items() if what in b.objects}
    return State(path, objects), when


class Frame:
    """One call of one function."""

    def __init__(self, module, function):
        self.module, self.function = module, function
        self.names, self.visits, self.pending = {}, {}, {}
        self.results = []  # of (state, value)
        self.made = set()


class Execution:
    """One obligation: what was claimed on its paths is in `claims`."""

    def __init__(self, modules):
        self.modules = modules
        self.replaced = {}  # function -> contract
        self.claims = []
        self.facts = TRUE
        self.loop_bound = LOOP_BOUND
        self.variables = 0
        self.object_count = 0
        self.constants = {}

    def run(self, name):
        """Everything that the function `name` claims."""
        objects = {}
        for module in self.modules:
            for variable, value in module.variables.items():
                self._fill(objects.setdefault((id(module), variable), {}), 0, value)
        self.call(name, [], State((), objects), self.modules[0])
        return self.claims

    # --- functions ---

    def find(self, name, module):
        name = self.replaced.get(name, name)
        for candidate in [module, *self.modules]:
            if name in candidate.functions:
                return candidate, candidate.functions[name]
        raise NameError(f"{name} is not in the code")

    def call(self, name, arguments, state, module):
        """(state, value); the state is None where no path returns."""
        special = intrinsics.find(name)
        if special:
            return special(self, name, arguments, state)
        module, function = self.find(name, module)
        frame = Frame(module, function)
        for (_, parameter, byval), argument in zip(function.parameters, arguments):
            if byval:
                argument = self._copied(frame, state, argument, byval.size())
            frame.names[parameter] = argument
        self._arrive(frame, function.blocks[0][0], state, "")
        self._run(frame)
        return self._returned(frame)

    def _copied(self, frame, state, pointer, size):
        copy = pointer_to(self._new_object(frame, state))
        self.copy(state, copy, pointer, size)
        return copy

    def _new_object(self, frame, state):
        self.object_count += 1
        frame.made.add(self.object_count)
        state.objects = {**state.objects, self.object_count: {}}
        return self.object_count

    def _returned(self, frame):
        if not frame.results:
            return None, None
        state, value = frame.results.pop()
        while frame.results:
            other, other_value = frame.results.pop()
            state, when = merge_states(other, state)
            value = choose(when, other_value, value) if value is not None else None
        state.objects = {what: cells for what, cells in state.objects.items()
                         if what not in frame.made}
        return state, value

    def _run(self, frame):
        """Blocks in the order of the text, in which a loop's blocks stand together."""
        blocks, labels = frame.function.blocks, frame.function.labels
        while frame.pending:
            label = min(frame.pending, key=labels.get)
            state = self._meet(frame, frame.pending.pop(label))
            frame.visits[label] = frame.visits.get(label, 0) + 1
            if frame.visits[label] > self.loop_bound:
                self.claim(state, FALSE, f"a loop in {frame.function.name} ends")
                continue
            for insn in blocks[labels[label]][1]:
                if insn.op != "phi":
                    state = self._step(frame, label, insn, state)
                if state is None:
                    break

    def _meet(self, frame, arrivals):
        state, values = arrivals.pop()
        while arrivals:
            other, other_values = arrivals.pop()
            state, when = merge_states(other, state)
            values = {name: choose(when, other_values[name], value)
                      for name, value in values.items()}
        frame.names.update(values)
        return state

    def _arrive(self, frame, label, state, source):
        if state is None:
            return
        values = {}
        for insn in frame.function.blocks[frame.function.labels[label]][1]:
            if insn.op != "phi":
                break
            values[insn.dst] = self._value(frame, insn.detail[source])
        frame.pending.setdefault(label, []).append((state, values))

    # --- what is claimed ---

    def claim(self, state, condition, text):
        counter = and_(conjunction(state.path), not_(condition))
        self.claims.append(Claim(text, and_(counter, self.facts)))

    def assume(self, state, condition):
        """What is claimed later may rely on it. Paths are not told apart by it."""
        known = terms.or_(not_(conjunction(state.path)), condition)
        self.facts = and_(self.facts, known)

    def new_variable(self, width):
        self.variables += 1
        return terms.variable(f"v{self.variables}", width)

    # --- memory ---

    def cells(self, state, what):
        return state.objects[what] if what in state.objects else self.constants[what]

    def cell_offsets(self, state, pointer, size):
        """(distance, size) of the cells behind a pointer; its places are alike."""
        _, what, start = pointer.places[0]
        return [(at - start, memory.size_of(cell)) for at, cell in self.cells(state, what).items()
                if start <= at < start + size]

    def load(self, state, pointer, size):
        result = None
        for when, what, at in reversed(pointer.places):
            cell = memory.read_cell(self.cells(state, what), at, size, what)
            result = cell if result is None else choose(when, cell, result)
        return result

    def store(self, state, pointer, cell):
        objects = dict(state.objects)
        for when, what, at in pointer.places:
            old, new = objects[what], cell
            if when is not TRUE:
                before = memory.read_cell(old, at, memory.size_of(cell), what)
                new = choose(when, cell, before)
            objects[what] = memory.write_cell(old, at, new)
        state.objects = objects

    def _load_typed(self, state, pointer, kind):
        """A struct is loaded as a list: so clang passes small ones."""
        if kind.parts():
            return [self._load_typed(state, pointer.moved(at), member) for at, member in kind.parts()]
        loaded = self.load(state, pointer, kind.size())
        is_partial = kind.kind == "int" and kind.bits < 8
        return terms.extract(loaded, 0, kind.bits) if is_partial else loaded

    def _store_typed(self, state, pointer, value, kind):
        if kind.kind == "int":
            self.store(state, pointer, terms.zero_extend(value, 8 * kind.size()))
        elif kind.kind == "ptr":
            self.store(state, pointer, value)
        for i, (at, member) in enumerate(kind.parts()):
            self._store_typed(state, pointer.moved(at), value[i], member)

    def copy(self, state, to, source, size):
        if len(to.places) == len(source.places) == 1:
            _, what, at = to.places[0]
            _, other, other_at = source.places[0]
            cells = memory.copy_cells(state.objects[what], at, size, self.cells(state, other),
                                      other_at, other)
            state.objects = {**state.objects, what: cells}
            return
        for at, cell_size in self.cell_offsets(state, source, size):
            self.store(state, to.moved(at), self.load(state, source.moved(at), cell_size))

    # --- operands ---

    def _value(self, frame, value):
        if value.kind == "name":
            return frame.names[value.what]
        if value.type.kind == "int":
            if value.kind == "undef":
                return self.new_variable(value.type.bits)
            return const(value.type.bits, value.what or 0)
        if value.kind == "global":
            return pointer_to(self._global(frame.module, value.what))
        if value.kind == "member":
            source, base = value.what
            return self._value(frame, base).moved(self._distance(frame, source, value.index))
        if value.kind == "undef" and value.type.kind == "struct":
            return [None] * len(value.type.members)
        raise TypeError(f"operand {value}")

    def _global(self, module, name):
        """An object of static duration, or a function."""
        for candidate in [module, *self.modules]:
            if name in candidate.variables:
                return (id(candidate), name)
            if name in candidate.constants:
                key = (id(candidate), name)
                if key not in self.constants:
                    self.constants[key] = {}
                    self._fill(self.constants[key], 0, candidate.constants[name])
                return key
        return name

    def _fill(self, cells, at, value):
        kind = value.type
        if value.kind == "undef":
            return
        if kind.kind == "int":
            cells[at] = const(8 * kind.size(), value.what or 0)
        for i, (distance, member) in enumerate(kind.parts()):
            inner = value.what[i] if value.kind == "aggregate" else type(value)(member, "zero")
            self._fill(cells, at + distance, inner)

    def _distance(self, frame, source, indexes):
        """Of a getelementptr: all its indexes are constant after unrolling."""
        distance, kind = 0, None
        for index in indexes:
            number = self._value(frame, index)
            if not terms.is_const(number):
                raise ValueError("an array's index is not constant")
            step = terms.signed(number.value, number.width)
            if kind is None:
                distance, kind = step * source.size(), source
            elif kind.kind == "struct":
                distance, kind = distance + kind.offset(step), kind.members[step]
            else:
                kind = kind.members[0]
                distance += step * kind.size()
        return distance

    # --- instructions ---

    def _step(self, frame, label, insn, state):
        """The state behind the instruction, None where the path ends here."""
        operands = [self._value(frame, operand) for operand in insn.operands]
        match insn.op:
            case "store":
                self._store_typed(state, operands[1], operands[0], insn.operands[0].type)
                return state
            case "call":
                state, result = self.call(insn.detail, operands, state, frame.module)
            case "ret" | "br" | "switch" | "unreachable":
                self._leave(frame, label, insn, operands, state)
                return None
            case _:
                result = self._result(frame, insn, operands, state)
        if insn.dst:
            frame.names[insn.dst] = result
        return state

    def _result(self, frame, insn, operands, state):
        match insn.op:
            case "alloca":
                return pointer_to(self._new_object(frame, state))
            case "load":
                return self._load_typed(state, operands[0], insn.type)
            case "getelementptr":
                return operands[0].moved(self._distance(frame, insn.detail, insn.operands[1:]))
            case "arithmetic":
                return binary(insn.detail, *operands)
            case "icmp":
                op, is_swapped, is_negated = COMPARE[insn.detail]
                result = binary(op, *(reversed(operands) if is_swapped else operands))
                return not_(result) if is_negated else result
            case "zext":
                return terms.zero_extend(operands[0], insn.type.bits)
            case "sext":
                return terms.sign_extend(operands[0], insn.type.bits)
            case "trunc":
                return terms.extract(operands[0], 0, insn.type.bits)
            case "bitcast" | "freeze":
                return operands[0]
            case "select":
                return choose(*operands)
            case "extractvalue":
                return operands[0][insn.detail]
            case "insertvalue":
                members = list(operands[0])
                members[insn.detail] = operands[1]
                return members
        raise TypeError(f"instruction {insn.op}")

    def _leave(self, frame, label, insn, operands, state):
        if insn.op == "ret":
            frame.results.append((state, operands[0] if operands else None))
        elif insn.op == "br" and not operands:
            self._arrive(frame, insn.detail[0], state, label)
        elif insn.op == "br":
            self._arrive(frame, insn.detail[0], state.assuming(operands[0]), label)
            self._arrive(frame, insn.detail[1], state.assuming(not_(operands[0])), label)
        elif insn.op == "switch":
            self._switch(frame, label, insn, operands[0], state)
        else:
            self.claim(state, FALSE, f"undefined behaviour in {frame.function.name}")

    def _switch(self, frame, label, insn, number, state):
        default, cases = insn.detail
        for case, target in cases:
            is_case = binary("=", number, const(number.width, case))
            self._arrive(frame, target, state.assuming(is_case), label)
            state = state.assuming(not_(is_case))
            if state is None:
                return
        self._arrive(frame, default, state, label)
