"""Tree -> symbols: resolves names, evaluates constants, computes the sizes of types, and holds every rule of the language
that does not need a message layout (those are in ir.py). All errors of a file are collected."""

import os
import re
from dataclasses import dataclass, field

from . import errno_names, limits, tree
from .diagnostics import Position
from .parse import parse

C_KEYWORDS = set("""auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof
bool true false""".split())
BUILTIN = {"string", "bytes", "array", "port", "region", "struct", "enum", "any"}
DISPOSITIONS = {"copy_send": "send", "move_send": "send", "make_send": "send", "make_send_once": "once",
                "move_send_once": "once", "move_receive": "receive"}
_DISPOSITION_TEXT = "copy_send, make_send, make_send_once, move_receive, move_send or move_send_once"


@dataclass
class Scalar:
    name: str
    c_type: str
    size: int
    signed: bool
    kind = "scalar"

    @property
    def align(self):
        return self.size

    @property
    def low(self):
        return -(1 << (8 * self.size - 1)) if self.signed else 0

    @property
    def high(self):
        return (1 << (8 * self.size - (1 if self.signed else 0))) - 1


SCALARS = {f"{letter}{bits}": Scalar(f"{letter}{bits}", f"{c}{bits}_t", bits // 8, letter == "i")
           for letter, c in (("u", "uint"), ("i", "int")) for bits in (8, 16, 32, 64)}


@dataclass
class EnumSymbol:
    node: tree.Enum
    name: str
    c_name: str
    base: Scalar
    members: list = field(default_factory=list)  # (name, value, doc)
    kind = "enum"

    @property
    def size(self):
        return self.base.size

    align = size


@dataclass
class FieldSymbol:
    name: str
    type: object
    count: int  # 0: not an array
    offset: int
    doc: str = ""
    pad: bool = False


@dataclass
class StructSymbol:
    node: tree.Struct
    name: str
    c_name: str
    fields: list = field(default_factory=list)
    size: int = 0
    align: int = 1
    checked: bool = False  # has enums or bitsets inside
    state: str = "new"     # new, under way, done
    kind = "struct"


class Module:
    """One .idl file: its tree and its symbols."""

    def __init__(self, path, file):
        self.path, self.file = path, file
        self.stem = os.path.splitext(os.path.basename(path))[0]
        self.interface = file.interfaces[0] if file.interfaces else None
        prefix = self.interface.name.text if self.interface else ("" if self.stem == "types" else self.stem)
        self.prefix = prefix + "_" if prefix else ""
        self.imports = {}    # stem -> Module
        self.constants = {}  # name -> (node, value or None while evaluated)
        self.types = {}      # name -> EnumSymbol or StructSymbol
        self.struct_order = []
        self.failed = False


class Loader:
    """Loads a file and what it imports; the public entry is load()."""

    def __init__(self, diagnostics):
        self.diagnostics = diagnostics
        self.modules = {}  # real path -> Module, None while it is being loaded

    def load(self, path, position=None):
        """position: of the import that asks, or None. Returns the Module or None."""
        key = os.path.realpath(path)
        if key in self.modules:
            if self.modules[key] is None:
                self.diagnostics.error(position, f"'{os.path.basename(path)}' imports itself, directly or through others",
                                       "imports without a cycle")
            return self.modules[key]
        try:
            with open(path, encoding="utf-8") as f:
                text = f.read()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            self.diagnostics.error(position or Position(path, 1, 1), f"cannot read '{os.path.basename(path)}': {reason}",
                                   "an .idl file beside this one" if position else "a readable .idl file")
            return None
        self.modules[key] = None
        before = len(self.diagnostics.errors)
        module = Module(path, parse(path, text, self.diagnostics))
        _Checker(self, module).run()
        module.failed = len(self.diagnostics.errors) > before
        self.modules[key] = module
        return module


class _Checker:
    def __init__(self, loader, module):
        self.loader, self.module, self.file = loader, module, module.file
        self.error = loader.diagnostics.error

    def run(self):
        self.imports()
        self.declare()
        for name in list(self.module.constants):
            self.constant(name)
        for symbol in self.module.types.values():
            if symbol.kind == "enum":
                self.enum(symbol)
        for symbol in list(self.module.types.values()):
            if symbol.kind == "struct":
                self.struct(symbol)
        for extra in self.file.interfaces[1:]:
            self.error(extra.name.position, f"a second interface '{extra.name.text}'", "one interface a file")
        if self.module.interface:
            InterfaceChecker(self).run(self.module.interface)

    # Names

    def imports(self):
        folder = os.path.dirname(self.module.path)
        for node in self.file.imports:
            if not re.fullmatch(r"[a-z][a-z0-9_]*\.idl", node.file):
                self.error(node.position, f"cannot import '{node.file}'", "a file name such as \"types.idl\", without a folder")
                continue
            stem = node.file[:-4]
            if stem in self.module.imports:
                self.error(node.position, f"'{node.file}' is imported twice", "one import of each file")
                continue
            loaded = self.loader.load(os.path.join(folder, node.file), node.position)
            if loaded is None:
                self.module.failed = True
                self.file.poisoned.add("*")
            else:
                self.module.imports[stem] = loaded
                if loaded.failed:
                    self.file.poisoned.add("*")

    def good_name(self, name, what):
        """Names become C identifiers; ones that end in _ belong to the generated code."""
        if not re.fullmatch(r"[a-z](_?[a-z0-9])*", name.text):
            self.error(name.position, f"bad {what} name '{name.text}'", "lower case letters, digits and single underscores between them")
        elif name.text in C_KEYWORDS and what not in ("constant", "enumerator", "routine"):
            self.error(name.position, f"{what} name '{name.text}' is a C keyword", "another name")

    def declare(self):
        seen = {}

        def new(name, what):
            self.good_name(name, what)
            if name.text in BUILTIN or name.text in SCALARS:
                self.error(name.position, f"'{name.text}' is built in", "another name")
                return False
            if name.text in seen:
                self.error(name.position, f"'{name.text}' is declared twice (first on line {seen[name.text]})", "one declaration of a name")
                return False
            seen[name.text] = name.position.line
            return True

        for node in self.file.constants:
            if new(node.name, "constant"):
                self.module.constants[node.name.text] = [node, None, False]
        for node in self.file.enums:
            if new(node.name, node.kind):
                self.module.types[node.name.text] = EnumSymbol(node, node.name.text, self.module.prefix + node.name.text, SCALARS["u8"])
        for node in self.file.structs:
            if new(node.name, "struct"):
                self.module.types[node.name.text] = StructSymbol(node, node.name.text, self.module.prefix + node.name.text)

    def lookup(self, table, name, position, what):
        """A local name, else one of an import; qualified: stem.name. None after an error."""
        if "." in name:
            stem, _, rest = name.partition(".")
            module = self.module.imports.get(stem)
            if module and rest in getattr(module, table):
                return module, getattr(module, table)[rest]
        else:
            if name in getattr(self.module, table):
                return self.module, getattr(self.module, table)[name]
            found = [(m, getattr(m, table)[name]) for m in self.module.imports.values() if name in getattr(m, table)]
            if len(found) > 1:
                choices = " or ".join(f"{m.stem}.{name}" for m, _ in found)
                self.error(position, f"{what} '{name}' is declared by more than one import", choices)
            if found:
                return found[0]
        if name not in self.file.poisoned and "*" not in self.file.poisoned:
            other = "types" if table == "constants" else "constants"
            if name in getattr(self.module, other):
                self.error(position, f"'{name}' is not a {what}", f"a {what}")
            else:
                self.error(position, f"unknown {what} '{name}'", f"a {what} of this file or of an import")
        return None

    # Constants

    def constant(self, name, module=None):
        """Value of a constant of this module, evaluated on first use."""
        entry = self.module.constants[name]
        node, value, under_way = entry
        if value is not None:
            return value
        if under_way:
            self.error(node.name.position, f"constant '{name}' is defined by itself", "a value that does not need it")
            return 1
        entry[2] = True
        value = self.value(node.value)
        entry[1] = 1 if value is None else value
        if value is not None and not limits.I64_MIN <= value <= limits.U64_MAX:
            self.error(node.value.position, f"{value} does not fit into 64 bits", "a value from -2^63 to 2^64-1")
        return entry[1]

    def value(self, node):
        if isinstance(node, tree.Number):
            return node.value
        if isinstance(node, tree.Reference):
            found = self.lookup("constants", node.name, node.position, "constant")
            if found is None:
                return None
            module, entry = found
            return self.constant(entry[0].name.text) if module is self.module else entry[1]
        operands = [self.value(o) for o in node.operands]
        if None in operands:
            return None
        return self.operate(node, *operands)

    def operate(self, node, left, right=0):
        if node.operator == "/" and right == 0:
            self.error(node.position, "division by zero", "a divisor that is not 0")
            return None
        if node.operator == "<<" and not 0 <= right < 64:
            self.error(node.position, f"shift by {right}", "0 to 63")
            return None
        return {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right, "/": lambda: left // right,
                "<<": lambda: left << right, "&": lambda: left & right, "|": lambda: left | right,
                "negate": lambda: -left}[node.operator]()

    def bound(self, node, what, highest):
        """A count or length from 1 to highest; None after an error."""
        value = self.value(node)
        if value is not None and not 1 <= value <= highest:
            self.error(node.position, f"{what} {value} is out of range", f"1 to {highest}")
            return None
        return value

    # Types

    def enum(self, symbol):
        node, bits = symbol.node, symbol.node.kind == "bitset"
        base = SCALARS.get(node.base.text)
        if base is None or (bits and base.signed):
            self.error(node.base.position, f"{node.kind} '{symbol.name}' has the type '{node.base.text}'",
                       "u8, u16, u32 or u64" if bits else "u8 to u64 or i8 to i64")
            base = SCALARS["u64"]
        symbol.base = base
        names, values, following = {}, {}, 0
        for member in node.members:
            value = following if member.value is None else self.value(member.value)
            if bits and member.value is None:
                self.error(member.name.position, f"bit '{member.name.text}' has no value", "'= value'")
                value = None
            self.good_name(member.name, "enumerator")
            if member.name.text in names:
                self.error(member.name.position, f"'{member.name.text}' is declared twice in '{symbol.name}'", "one enumerator of a name")
            elif value in values:
                self.error(member.name.position, f"'{member.name.text}' has the value of '{values[value]}': {value}", "distinct values")
            elif value is not None and (not base.low <= value <= base.high or (bits and value == 0)):
                self.error(member.name.position, f"value {value} of '{member.name.text}' does not fit {node.kind} '{symbol.name}'",
                           f"{1 if bits else base.low} to {base.high}")
            names[member.name.text] = value
            if value is not None:
                values[value] = member.name.text
                symbol.members.append((member.name.text, value, member.doc))
            following = (value or 0) + 1

    def struct(self, symbol):
        if symbol.state == "done":
            return
        if symbol.state == "under way":
            self.error(symbol.node.name.position, f"struct '{symbol.name}' contains itself", "a struct of finite size")
            return
        symbol.state = "under way"
        if not symbol.node.fields:
            self.error(symbol.node.name.position, f"struct '{symbol.name}' is empty", "at least one field")
        names = set()
        for node in symbol.node.fields:
            self.good_name(node.name, "field")
            if node.name.text in names:
                self.error(node.name.position, f"field '{node.name.text}' is declared twice in '{symbol.name}'", "one field of a name")
                continue
            names.add(node.name.text)
            self.field(symbol, node)
        self.pad(symbol, -symbol.size % symbol.align)
        if symbol.size > limits.STRUCT_MAX:
            self.error(symbol.node.name.position, f"struct '{symbol.name}' has {symbol.size} bytes", f"at most {limits.STRUCT_MAX}")
        symbol.state = "done"
        self.module.struct_order.append(symbol)

    def field(self, symbol, node):
        if node.type.kind != "named":
            self.error(node.type.position, f"a struct cannot hold '{node.type.kind}'", "an integer, enum, bitset, struct or a fixed array of them")
            return
        kind = self.named_type(node.type)
        count = self.bound(node.count, "array size", limits.STRUCT_MAX) if node.count is not None else 0
        if kind is None or count is None:
            return
        self.pad(symbol, -symbol.size % kind.align)
        symbol.fields.append(FieldSymbol(node.name.text, kind, count, symbol.size, node.doc))
        symbol.size += kind.size * (count or 1)
        symbol.align = max(symbol.align, kind.align)
        symbol.checked |= kind.kind == "enum" or (kind.kind == "struct" and kind.checked)

    @staticmethod
    def pad(symbol, size):
        """A hole gets a name, so that an initialiser clears it and nothing leaks through it."""
        if size:
            number = sum(f.pad for f in symbol.fields)
            symbol.fields.append(FieldSymbol(f"pad{number}_", SCALARS["u8"], size, symbol.size, "", True))
            symbol.size += size

    def named_type(self, node):
        """Scalar, EnumSymbol or a finished StructSymbol; None after an error."""
        if node.name in SCALARS:
            return SCALARS[node.name]
        found = self.lookup("types", node.name, node.position, "type")
        if found is None:
            return None
        module, symbol = found
        if symbol.kind == "struct" and module is self.module:
            self.struct(symbol)
        return symbol


class InterfaceChecker:
    """Rules of an interface: ordinals, names, objects, parameters."""

    def __init__(self, checker):
        self.checker, self.module = checker, checker.module
        self.error, self.good_name = checker.error, checker.good_name

    def run(self, node):
        self.good_name(node.name, "interface")
        if node.name.text != self.module.stem:
            self.error(node.name.position, f"interface '{node.name.text}' in the file {self.module.stem}.idl", f"'{self.module.stem}'")
        for number, what in ((node.number, "interface number"), (node.revision, "revision")):
            if not 1 <= number.value <= limits.INTERFACE_MAX:
                self.error(number.position, f"{what} {number.value} is out of range", f"1 to {limits.INTERFACE_MAX}")
        self.objects(node)
        self.ordinals(node)
        names = {}
        for routine in node.routines:
            self.good_name(routine.name, "routine")
            if routine.name.text in names:
                self.error(routine.name.position, f"routine '{routine.name.text}' is declared twice (first on line {names[routine.name.text]})",
                           "one routine of a name")
            names.setdefault(routine.name.text, routine.name.position.line)
            self.routine(node, routine)
        self.generated_names(node, names)
        if not node.routines and not self.module.file.poisoned:
            self.error(node.name.position, f"interface '{node.name.text}' has no routines", "at least one")

    def objects(self, node):
        names = set()
        for item in node.objects:
            self.good_name(item.name, "object")
            self.good_name(item.struct, "struct")
            if item.name.text in names or item.name.text == "any":
                self.error(item.name.position, f"object '{item.name.text}' is declared twice or built in", "one object of a name")
            names.add(item.name.text)

    def ordinals(self, node):
        seen = {}
        for number in node.reserved:
            self.ordinal(number, "a reserved ordinal", seen)
        for routine in node.routines:
            self.ordinal(routine.ordinal, f"routine '{routine.name.text}'", seen)

    def ordinal(self, number, owner, seen):
        if not 1 <= number.value <= limits.ORDINAL_MAX:
            self.error(number.position, f"ordinal {number.value} is out of range", f"1 to {limits.ORDINAL_MAX}")
        elif number.value in seen:
            self.error(number.position, f"ordinal {number.value} is that of {seen[number.value]}", "an ordinal that was never used")
        else:
            seen[number.value] = owner

    def generated_names(self, node, names):
        """What stubgen makes of the names must not meet."""
        for routine in node.routines:
            name = routine.name.text
            if name.endswith("_until") and name[:-6] in names:
                self.error(routine.name.position, f"'{name}' is also the stub with deadline of '{name[:-6]}'", "another name")
            for ending in ("request", "reply"):
                if f"{name}_{ending}" in self.module.types:
                    self.error(routine.name.position, f"struct '{name}_{ending}' is also a message of routine '{name}'", "another name")
        special = {"dispatch", "interface", "decode", "fake", "fuzz"}
        for item in node.objects:
            special |= {f"{item.name.text}_get", f"{item.name.text}_put"}
        for routine in node.routines:
            name = routine.name.text
            if name in special or name.startswith(("serve_", "reply_")):
                self.error(routine.name.position, f"routine name '{name}' belongs to the generated code", "another name")

    def routine(self, node, routine):
        for name in routine.errors + ([routine.once_error] if routine.once_error else []):
            if not errno_names.known(name.text):
                self.error(name.position, f"unknown error '{name.text}'", "an errno name of Linux")
        seen = set()
        for name in routine.errors:
            if name.text in seen:
                self.error(name.position, f"error '{name.text}' is listed twice", "each error once")
            seen.add(name.text)
        if routine.object and routine.object.text not in {o.name.text for o in node.objects}:
            self.unknown_object(routine.object.text, routine.object.position)
        if routine.kind == "oneway":
            self.oneway(routine)
        for parameter in routine.parameters:
            self.parameter(node, routine, parameter)
        self.parameter_names(routine)

    def unknown_object(self, name, position):
        if name not in self.module.file.poisoned and "*" not in self.module.file.poisoned:
            self.error(position, f"unknown object '{name}'", "an object of the interface")

    def oneway(self, routine):
        for parameter in routine.parameters:
            if parameter.direction != "in":
                self.error(parameter.name.position, f"oneway '{routine.name.text}' has '{parameter.direction}' parameter '{parameter.name.text}'",
                           "only 'in': nothing comes back, and windows end with the reply")
        if routine.errors:
            self.error(routine.errors[0].position, f"oneway '{routine.name.text}' declares errors", "none: nothing comes back")

    def parameter(self, node, routine, parameter):
        kind, window = parameter.type, parameter.direction.startswith("window")
        self.good_name(parameter.name, "parameter")
        if window:
            if kind.kind != "bytes":
                self.error(kind.position, f"window '{parameter.name.text}' is not bytes", "bytes<N>")
            else:
                parameter.limit = self.checker.bound(kind.bound, "window size", limits.WINDOW_MAX)
            return
        if kind.kind == "named":
            parameter.symbol = self.checker.named_type(kind)
        elif kind.kind in ("string", "bytes"):
            parameter.limit = self.checker.bound(kind.bound, f"length of {kind.kind}", limits.INLINE_MAX)
        elif kind.kind == "array":
            self.array(parameter)
        elif kind.kind == "port":
            self.port(node, kind)
        else:
            parameter.limit = self.checker.bound(kind.bound, "region size", limits.WINDOW_MAX) if kind.bound is not None else 0

    def array(self, parameter):
        kind = parameter.type
        parameter.limit = self.checker.bound(kind.bound, "array size", limits.INLINE_MAX)
        parameter.symbol = None
        if kind.element.kind != "named":
            self.error(kind.element.position, f"an array cannot hold '{kind.element.kind}'", "an integer, enum, bitset or struct")
        else:
            parameter.symbol = self.checker.named_type(kind.element)

    def port(self, node, kind):
        if kind.disposition.text not in DISPOSITIONS:
            self.error(kind.disposition.position, f"unknown disposition '{kind.disposition.text}'", _DISPOSITION_TEXT)
        known = {"any"} | {o.name.text for o in node.objects}
        for stem, module in self.module.imports.items():
            if module.interface:
                known |= {o.name.text for o in module.interface.objects} | {f"{stem}.{o.name.text}" for o in module.interface.objects}
        if kind.name not in known:
            self.unknown_object(kind.name, kind.position)

    def parameter_names(self, routine):
        """Parameters and what the C prototypes add to them (x_size, x_count, ...)."""
        seen = {}
        for parameter in routine.parameters:
            name = parameter.name.text
            for made in c_names(parameter):
                if made in seen and seen[made] == made == name:
                    self.error(parameter.name.position, f"parameter '{name}' is declared twice", "one parameter of a name")
                elif made in seen:
                    self.error(parameter.name.position, f"parameters '{seen[made]}' and '{name}' both need the C name '{made}'", "another name")
                seen.setdefault(made, name)


def c_names(parameter):
    """C identifiers that a parameter takes in the prototypes."""
    name, kind = parameter.name.text, parameter.type
    if parameter.direction.startswith("window") or kind.kind == "region":
        return [name, f"{name}_size"]
    if kind.kind == "string":
        return [name, f"{name}_size"] if parameter.direction == "out" else [name]
    if kind.kind in ("bytes", "array"):
        return [name, f"{name}_count"] + ([f"{name}_max"] if parameter.direction == "out" else [])
    if kind.kind == "port" and kind.disposition and kind.disposition.text == "make_send" and parameter.direction == "in":
        return [name, f"{name}_badge", f"{name}_flags"]
    return [name]
