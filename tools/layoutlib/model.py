"""Types as C has them, and what is reachable from a server's keep.

A program says with variables what the debug information cannot (libserver/include/portico/keep.h): what the root is, what a `void *` points to, and
which pointers lead out of the keep. Everything else is followed by type. What cannot be followed is an error here, and not a surprise at an update.
"""


class LayoutError(Exception):
    """What is wrong with a program's keep, in words for its author."""


class Base:
    def __init__(self, text, c_name):
        self.text, self.c_name = text, c_name


class Stored(Base):
    """A number that holds a constant of an enumeration: declared."""

    def __init__(self, base, enum):
        super().__init__(f'{base.text} of enum {enum.name}', base.c_name)
        self.enum = enum


class Enum:
    def __init__(self, name, size, signed, constants):
        self.name, self.size, self.signed, self.constants = name, size, signed, constants


class Record:
    """A struct or union. `fields` is filled after the object is made: types are recursive. size None: the program only has its name."""

    def __init__(self, kind, name, size):
        self.kind, self.name, self.size, self.fields = kind, name, size, []


class Field:
    def __init__(self, name, offset, type_, bits=None):
        self.name, self.offset, self.type, self.bits = name, offset, type_, bits  # bits: (first, count), of a bit field


class Pointer:
    def __init__(self, target, constant=False):
        self.target, self.constant = target, constant  # target None: void; constant: to const


class Array:
    def __init__(self, element, count):
        self.element, self.count = element, count  # count None: a flexible array


class Function:
    pass


class Outside:
    """A pointer that does not lead into the keep: declared."""


class Layout:
    """keep: list of named types, roots first, in the order in which they are found; log: the same of the transaction log."""

    def __init__(self, root, keep, log):
        self.root, self.keep, self.log = root, keep, log


class Walk:
    """Collects the named types that can be reached, and resolves declared pointers."""

    def __init__(self, declared):
        self.declared = declared  # variable name -> type
        self.order, self.seen, self.errors = [], {}, []

    def from_roots(self, roots):
        queue = list(roots)
        while queue:
            type_ = queue.pop(0)
            queue += self.named(type_)
        if self.errors:
            raise LayoutError('\n'.join(self.errors))
        return self.order

    def named(self, type_):
        """Enters a named type; returns those that it leads to."""
        key = key_of(type_)
        if key in self.seen:
            return []
        self.seen[key] = type_
        self.order.append(type_)
        return self.inside(type_, key) + self.begun(type_) if isinstance(type_, Record) else []

    def begun(self, record):
        """The structs that begin with this one and are found by pointers to it: declared."""
        return [self.declared[name].target for name in sorted(self.declared) if name.startswith(f'keep_begins_{record.name}__')]

    def inside(self, record, path):
        found = []
        for field in record.fields:
            where = f'{path}.{field.name}' if field.name else path
            field.type = self.resolve(field.type, record, field, where)
            found += self.lead(field.type, where)
        return found

    def resolve(self, type_, record, field, where):
        """A pointer of this field, as declared if it is; arrays of pointers likewise."""
        if isinstance(type_, Array):
            return Array(self.resolve(type_.element, record, field, where), type_.count)
        name = f'{path_name(where)}_{field.name}' if record.name is None else f'{record.name}_{field.name}'
        enum = self.declared.get(f'keep_enum_{name}')
        if isinstance(type_, Base) and enum is not None:
            return type_ if isinstance(type_, Stored) else Stored(type_, enum)
        if not isinstance(type_, Pointer):
            return type_
        if f'keep_outside_{name}' in self.declared:
            return Outside()
        target = self.declared.get(f'keep_pointer_{name}')
        if target is not None:
            return Pointer(target.target)
        if type_.target is None:
            self.errors.append(f'{where}: what does this void * point to? Say SERVER_KEEP_POINTER({record.name}, {field.name}, TYPE), or '
                               f'SERVER_KEEP_OUTSIDE({record.name}, {field.name}) if not into the keep')
            return Outside()
        if isinstance(type_.target, Function):
            self.errors.append(f'{where}: a pointer to code: another program has its functions elsewhere; keep a number that finds it in a constant table')
            return Outside()
        if type_.constant:
            self.errors.append(f'{where}: a pointer to const may lead to constants of the program: keep a number that finds it, take the const away, or '
                               f'say SERVER_KEEP_POINTER({record.name}, {field.name}, TYPE)')
            return Outside()
        return type_

    def lead(self, type_, where):
        if isinstance(type_, (Pointer, Array)):
            inner = type_.target if isinstance(type_, Pointer) else type_.element
            if isinstance(type_, Pointer) and isinstance(inner, Pointer):
                if inner.target is None or isinstance(inner.target, Function) or inner.constant:
                    self.errors.append(f'{where}: a pointer to a pointer of unknown kind: give it a struct')
                    return []
            return self.lead(inner, where) if inner is not None else []
        if isinstance(type_, Stored):
            return [type_.enum]
        if isinstance(type_, (Record, Enum)):
            if type_.name is not None:
                return [type_]
            return self.inside(type_, where) if isinstance(type_, Record) else []
        return []


def path_name(where):
    """struct data.memory.x -> data: the named type in which an anonymous one lies."""
    return where.split(' ', 1)[1].split('.')[0]


def key_of(type_):
    return f'enum {type_.name}' if isinstance(type_, Enum) else f'{type_.kind} {type_.name}'


def reference(type_):
    """A type in the words of the canonical text."""
    if type_ is None:
        return 'void'
    if isinstance(type_, Base):
        return type_.text
    if isinstance(type_, Outside):
        return 'outside'
    if isinstance(type_, Function):
        return 'code'
    if isinstance(type_, Pointer):
        return '*' + reference(type_.target)
    if isinstance(type_, Array):
        return f'[{"" if type_.count is None else type_.count}] {reference(type_.element)}'
    if type_.name is not None:
        return key_of(type_)
    return ' '.join(line.strip() for line in body(type_))


def field_place(field):
    return str(field.offset) if field.bits is None else f'{field.offset}:{field.bits[0]}+{field.bits[1]}'


def body(type_):
    """Lines of a definition."""
    if isinstance(type_, Record) and type_.size is None:
        return [f'{key_of(type_)} is never made']
    if isinstance(type_, Enum):
        lines = [f'enum {type_.name or ""} size {type_.size} {{'.replace('  ', ' ')]
        lines += [f'\t{name} = {value}' for name, value in type_.constants]
    else:
        lines = [f'{type_.kind} {type_.name or ""} size {type_.size} {{'.replace('  ', ' ')]
        lines += [f'\t{field_place(f)} {f.name or "-"}: {reference(f.type)}' for f in type_.fields]
    return lines + ['}']


def keep_text(layout):
    lines = ['portico keep layout 1', f'root {reference(layout.root)}']
    for type_ in layout.keep:
        lines += body(type_)
    return '\n'.join(lines) + '\n'


def log_text(layout):
    lines = ['portico log layout 1']
    for type_ in layout.log:
        lines += body(type_)
    return '\n'.join(lines) + '\n'
