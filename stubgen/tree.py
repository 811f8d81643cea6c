"""The syntax tree: what was written, where. Names are not resolved and numbers not computed here."""

from dataclasses import dataclass, field
from typing import Optional

from .diagnostics import Position


@dataclass
class Name:
    text: str
    position: Position


@dataclass
class Number:
    value: int
    position: Position


@dataclass
class Reference:
    """A constant's name in an expression."""
    name: str
    position: Position


@dataclass
class Operation:
    operator: str  # + - * / << & | or "negate"
    operands: list
    position: Position


@dataclass
class Type:
    """kind: named, string, bytes, array, port, region."""
    kind: str
    position: Position
    name: Optional[str] = None        # named: type; port: object, interface.object or any
    bound: object = None              # expression
    element: Optional["Type"] = None  # array
    disposition: Optional[Name] = None
    optional: bool = False
    move: bool = False


@dataclass
class Import:
    file: str
    position: Position


@dataclass
class Constant:
    name: Name
    value: object
    doc: str = ""


@dataclass
class Enumerator:
    name: Name
    value: object
    doc: str = ""


@dataclass
class Enum:
    kind: str  # enum or bitset
    name: Name
    base: Name
    members: list
    doc: str = ""


@dataclass
class Field:
    type: Type
    name: Name
    count: object = None
    doc: str = ""


@dataclass
class Struct:
    name: Name
    fields: list
    doc: str = ""


@dataclass
class Object:
    name: Name
    struct: Name
    doc: str = ""


@dataclass
class Parameter:
    direction: str  # in, out, window in, window out
    name: Name
    type: Type
    doc: str = ""


@dataclass
class Routine:
    kind: str  # routine, query, oneway, once
    name: Name
    ordinal: Number
    once_error: Optional[Name] = None
    fast: bool = False
    object: Optional[Name] = None
    parameters: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    interruptible: bool = False
    doc: str = ""


@dataclass
class Interface:
    name: Name
    number: Number
    revision: Number
    objects: list
    routines: list
    reserved: list
    doc: str = ""


@dataclass
class File:
    path: str
    imports: list
    constants: list
    enums: list
    structs: list
    interfaces: list
    poisoned: set = field(default_factory=set)  # words in text that did not parse: not reported as unknown
