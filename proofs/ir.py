# SPDX-License-Identifier: BSD-2-Clause
"""Reads LLVM's text form of a C file that was compiled without optimisation.

Only what clang makes of integer code is known; anything else is an error. A module is types,
constants and functions; a function is blocks in the order of the text, each a list of Insn.
"""
import re
from dataclasses import dataclass, field

TOKEN = re.compile(r'c"[^"]*"|[%@]"[^"]*"|[%@][\w.$-]+|\.\.\.|-?\d+|[A-Za-z_][\w.]*|[!#]\d*|[=,()\[\]{}<>*:]|"[^"]*"')
ARITHMETIC = {"add": "bvadd", "sub": "bvsub", "mul": "bvmul", "udiv": "bvudiv", "sdiv": "bvsdiv",
              "urem": "bvurem", "srem": "bvsrem", "shl": "bvshl", "lshr": "bvlshr", "ashr": "bvashr",
              "and": "bvand", "or": "bvor", "xor": "bvxor"}
CASTS = {"zext", "sext", "trunc", "bitcast"}
FLAGS = {"nuw", "nsw", "exact", "inbounds", "volatile", "tail", "notail", "musttail", "nneg", "disjoint", "samesign"}
NOT_ATTRIBUTE = re.compile(r"i\d+|ptr|void|true|false|null|undef|poison|zeroinitializer|getelementptr|bitcast")


@dataclass(frozen=True)
class Type:
    kind: str  # int, ptr, struct, array, void
    bits: int = 0
    members: tuple = ()
    count: int = 0

    def size(self):
        if self.kind == "int":
            return max(1, self.bits // 8)
        if self.kind == "ptr":
            return 8
        if self.kind == "array":
            return self.count * self.members[0].size()
        end = self.offset(len(self.members) - 1) + self.members[-1].size() if self.members else 0
        return -(-end // self.align()) * self.align()

    def align(self):
        if self.kind in ("struct", "array"):
            return max((member.align() for member in self.members), default=1)
        return min(self.size(), 8)

    def offset(self, index):
        """Of a member of a struct."""
        at = 0
        for i, member in enumerate(self.members):
            at = -(-at // member.align()) * member.align()
            if i == index:
                return at
            at += member.size()
        return 0

    def parts(self):
        """(offset, type) of what a struct or an array consists of."""
        if self.kind == "struct":
            return [(self.offset(i), member) for i, member in enumerate(self.members)]
        if self.kind == "array":
            return [(i * self.members[0].size(), self.members[0]) for i in range(self.count)]
        return []


VOID = Type("void")
POINTER = Type("ptr")


@dataclass
class Value:
    """An operand: `kind` is int, name, global, aggregate, undef, zero or member."""
    type: Type
    kind: str
    what: object = None
    index: tuple = ()


@dataclass
class Insn:
    op: str
    dst: str = ""
    type: Type = VOID
    operands: list = field(default_factory=list)
    detail: object = None


@dataclass
class Function:
    name: str
    parameters: list  # of (type, name, byval type or None)
    blocks: list = field(default_factory=list)  # of (label, [Insn])
    labels: dict = field(default_factory=dict)


@dataclass
class Module:
    types: dict = field(default_factory=dict)
    constants: dict = field(default_factory=dict)
    variables: dict = field(default_factory=dict)
    functions: dict = field(default_factory=dict)


class Reader:
    """The tokens of one line (or of one statement of several lines)."""

    def __init__(self, text, module):
        self.text, self.module = text, module
        self.tokens, self.at = TOKEN.findall(text), 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def accept(self, token):
        if self.peek() != token:
            return False
        self.at += 1
        return True

    def expect(self, token):
        if not self.accept(token):
            raise SyntaxError(f"{token!r} expected before {self.tokens[self.at:]} in: {self.text}")

    def skip_flags(self):
        while self.peek() in FLAGS:
            self.next()

    # --- types ---

    def type(self):
        result = self._plain_type()
        while True:
            if self.accept("*"):
                result = POINTER
            elif self.peek() == "(":
                self._skip_parentheses()  # a function's type
            else:
                return result

    def _plain_type(self):
        token = self.next()
        if re.fullmatch(r"i\d+", token):
            return Type("int", bits=int(token[1:]))
        if token == "ptr":
            return POINTER
        if token == "void":
            return VOID
        if token == "[":
            count = int(self.next())
            self.expect("x")
            element = self.type()
            self.expect("]")
            return Type("array", members=(element,), count=count)
        if token == "{":
            return Type("struct", members=tuple(self._list(self.type, "}")))
        if token.startswith("%"):
            return self.module.types.get(token, Type("struct"))
        raise SyntaxError(f"type {token!r} in: {self.text}")

    def _list(self, item, end):
        result = []
        while not self.accept(end):
            result.append(item())
            self.accept(",")
        return result

    def _skip_parentheses(self):
        depth = 0
        while True:
            token = self.next()
            depth += (token == "(") - (token == ")")
            if not depth:
                return

    # --- operands ---

    def attributes(self):
        """Those of a parameter; the type that byval names, else None."""
        byval = None
        while re.fullmatch(r"[a-z]\w*", self.peek()) and not NOT_ATTRIBUTE.fullmatch(self.peek()):
            name = self.next()
            if name == "align":
                self.next()
            elif self.peek() == "(":
                if name == "byval":
                    self.expect("(")
                    byval = self.type()
                    self.expect(")")
                else:
                    self._skip_parentheses()
        return byval

    def typed_value(self):
        kind = self.type()
        self.attributes()
        return self.value(kind)

    def value(self, kind):
        token = self.next()
        if re.fullmatch(r"-?\d+", token):
            return Value(kind, "int", int(token))
        if token in ("true", "false"):
            return Value(kind, "int", int(token == "true"))
        if token in ("undef", "poison"):
            return Value(kind, "undef")
        if token in ("zeroinitializer", "null"):
            return Value(kind, "zero")
        if token.startswith("%"):
            return Value(kind, "name", token)
        if token.startswith("@"):
            return Value(kind, "global", token)
        if token in ("{", "["):
            return Value(kind, "aggregate", self._list(self.typed_value, "}" if token == "{" else "]"))
        if token.startswith('c"'):
            return Value(kind, "undef")
        if token == "bitcast":
            return self._constant_cast(kind)
        if token == "getelementptr":
            return self._constant_member(kind)
        raise SyntaxError(f"operand {token!r} in: {self.text}")

    def _constant_cast(self, kind):
        self.expect("(")
        inner = self.typed_value()
        self.expect("to")
        self.type()
        self.expect(")")
        return Value(kind, inner.kind, inner.what, inner.index)

    def _constant_member(self, kind):
        self.skip_flags()
        self.expect("(")
        source = self.type()
        self.expect(",")
        operands = self._list(self.typed_value, ")")
        return Value(kind, "member", (source, operands[0]), tuple(operands[1:]))

    # --- instructions ---

    def instruction(self):
        dst = ""
        if self.tokens[1:2] == ["="]:
            dst = self.next()
            self.expect("=")
        self.skip_flags()
        op = self.next()
        self.skip_flags()
        insn = Insn(op, dst)
        if op in ARITHMETIC:
            insn.op, insn.detail, insn.type = "arithmetic", ARITHMETIC[op], self.type()
            insn.operands = self._pair(insn.type)
        elif op in CASTS:
            insn.operands = [self.typed_value()]
            self.expect("to")
            insn.type = self.type()
        else:
            getattr(self, "_read_" + op)(insn)
        return insn

    def _pair(self, kind):
        first = self.value(kind)
        self.expect(",")
        return [first, self.value(kind)]

    def _read_alloca(self, insn):
        insn.type = self.type()

    def _read_load(self, insn):
        insn.type = self.type()
        self.expect(",")
        insn.operands = [self.typed_value()]

    def _read_store(self, insn):
        insn.operands = [self.typed_value()]
        self.expect(",")
        insn.operands.append(self.typed_value())

    def _read_getelementptr(self, insn):
        insn.detail = self.type()
        self.expect(",")
        insn.operands = [self.typed_value()]
        while self.accept(","):
            insn.operands.append(self.typed_value())

    def _read_icmp(self, insn):
        insn.detail = self.next()
        insn.operands = self._pair(self.type())

    def _read_select(self, insn):
        insn.operands = self._typed_list(3)

    def _typed_list(self, count):
        result = []
        for _ in range(count):
            result.append(self.typed_value())
            self.accept(",")
        return result

    def _read_freeze(self, insn):
        insn.operands = [self.typed_value()]

    def _read_phi(self, insn):
        insn.type, insn.detail = self.type(), {}
        while self.accept("["):
            value = self.value(insn.type)
            self.expect(",")
            insn.detail[self.next()[1:]] = value
            self.expect("]")
            self.accept(",")

    def _read_extractvalue(self, insn):
        insn.operands = [self.typed_value()]
        self.expect(",")
        insn.detail = int(self.next())

    def _read_insertvalue(self, insn):
        insn.operands = self._typed_list(2)
        insn.detail = int(self.next())

    def _read_br(self, insn):
        if self.accept("label"):
            insn.detail = [self.next()[1:]]
            return
        insn.operands = [self.typed_value()]
        insn.detail = []
        while self.accept(","):
            self.expect("label")
            insn.detail.append(self.next()[1:])

    def _read_switch(self, insn):
        insn.operands = [self.typed_value()]
        self.expect(",")
        self.expect("label")
        default, cases = self.next()[1:], []
        self.expect("[")
        while not self.accept("]"):
            case = self.typed_value()
            self.expect(",")
            self.expect("label")
            cases.append((case.what, self.next()[1:]))
        insn.detail = (default, cases)

    def _read_ret(self, insn):
        if self.peek() != "void":
            insn.operands = [self.typed_value()]

    def _read_unreachable(self, insn):
        pass

    def _read_call(self, insn):
        self.attributes()
        insn.type = self.type()
        insn.detail = self.next()
        self.expect("(")
        insn.operands = self._list(self.typed_value, ")")


def _read_header(line, module):
    line = line[len("define "):]
    name = re.search(r"@[\w.$-]+|@\"[^\"]*\"", line).group()
    reader = Reader(line[line.index(name):], module)
    reader.next()
    reader.expect("(")
    parameters = []
    while not reader.accept(")"):
        kind = reader.type()
        byval = reader.attributes()
        parameters.append((kind, reader.next(), byval))
        reader.accept(",")
    return Function(name, parameters)


def _read_global(line, module):
    match = re.match(r"(@\S+) = (.*?)\b(constant|global) (.*)", line)
    if match and not re.search(r"\bexternal\b", match.group(2)):
        table = module.constants if match.group(3) == "constant" else module.variables
        table[match.group(1)] = Reader(match.group(4), module).typed_value()


def _read_types(lines, module):
    """Types may be named before they are defined: until nothing changes."""
    rows = [line.split(" = type ", 1) for line in lines if line.startswith("%") and " = type {" in line]
    for _ in range(len(rows) + 1):
        for name, text in rows:
            module.types[name] = Reader(text, module).type()


def read_module(text):
    module, function, statement = Module(), None, ""
    lines = [line.split(" ; preds")[0].split(", !")[0].rstrip() for line in text.splitlines()]
    _read_types(lines, module)
    for line in lines:
        if function is None:
            if line.startswith("define "):
                function = _read_header(line, module)
            elif line.startswith("@"):
                _read_global(line, module)
        elif line == "}":
            module.functions[function.name] = function
            function.labels = {label: i for i, (label, _) in enumerate(function.blocks)}
            function = None
        elif re.match(r"[\w.$-]+:$", line):
            function.blocks.append((line[:-1], []))
        elif line.strip() and not line.startswith(";"):
            statement += line
            if statement.lstrip().startswith("switch") and "]" not in statement:
                continue
            function.blocks[-1][1].append(Reader(statement, module).instruction())
            statement = ""
    return module
