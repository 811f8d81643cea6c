"""C definitions of a keep's types as an older program has them, with checks that this compiler lays them out in the same way."""
from .model import Array, Base, Enum, Outside, Pointer, Record, key_of


class Printer:
    def __init__(self, prefix):
        self.prefix = prefix

    def declare(self, type_, name):
        """`name` declared as a variable of this type."""
        if type_ is None:
            return f'void {name}'
        if isinstance(type_, Base):
            return f'{type_.c_name} {name}'
        if isinstance(type_, Outside):
            return f'void *{name}'
        if isinstance(type_, Pointer):
            return self.declare(type_.target, f'(*{name})' if isinstance(type_.target, Array) else f'*{name}')
        if isinstance(type_, Array):
            return self.declare(type_.element, f'{name}[{"" if type_.count is None else type_.count}]')
        if isinstance(type_, Enum):
            return f'{"" if type_.signed else "u"}int{type_.size * 8}_t {name}'
        if type_.name is not None:
            return f'{type_.kind} {self.prefix}{type_.name} {name}'
        return f'{type_.kind} {{\n{self.fields(type_)}}} {name}'

    def fields(self, record):
        lines = ''
        for field in record.fields:
            bits = f' : {field.bits[1]}' if field.bits else ''
            lines += '\t' + self.declare(field.type, field.name or '').rstrip().replace('\n', '\n\t') + bits + ';\n'
        return lines

    def define(self, type_):
        if isinstance(type_, Enum):
            constants = ''.join(f'\t{self.prefix}{name} = {value},\n' for name, value in type_.constants)
            return f'enum {self.prefix}{type_.name} {{\n{constants}}};\n' if constants else ''
        if type_.size is None:
            return ''
        name = f'{type_.kind} {self.prefix}{type_.name}'
        checks = f'_Static_assert(sizeof({name}) == {type_.size}, "as it was");\n'
        checks += ''.join(f'_Static_assert(__builtin_offsetof({name}, {f.name}) == {f.offset}, "as it was");\n'
                          for f in type_.fields if f.name and not f.bits)
        return f'{name} {{\n{self.fields(type_)}}};\n{checks}'


def needs(type_):
    """Named records that must be defined before this one: those that it contains."""
    if isinstance(type_, Array):
        return needs(type_.element)
    if isinstance(type_, Record):
        return [type_] if type_.name else [n for f in type_.fields for n in needs(f.type)]
    return []


def sorted_by_need(types):
    done, order = set(), []

    def visit(type_):
        if key_of(type_) in done:
            return
        done.add(key_of(type_))
        for field in type_.fields if isinstance(type_, Record) else []:
            for inner in needs(field.type):
                visit(inner)
        order.append(type_)
    for type_ in types:
        visit(type_)
    return order


def text(layout, prefix, fingerprint):
    printer = Printer(prefix)
    guard = f'{prefix}layout_h'.upper()
    types = sorted_by_need(layout.keep)
    forward = ''.join(f'{t.kind} {prefix}{t.name};\n' for t in types if isinstance(t, Record))
    definitions = '\n'.join(filter(None, (printer.define(t) for t in types)))
    return (f'/*\n * A keep as the program with this fingerprint has it. Written by tools/layout --header; for migrations from it.\n */\n'
            f'#ifndef {guard}\n#define {guard}\n\n#include <stdint.h>\n\n#define {prefix.upper()}LAYOUT "{fingerprint}"\n\n'
            f'{forward}\n{definitions}\n#endif\n')
