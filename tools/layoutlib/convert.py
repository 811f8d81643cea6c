"""C functions that convert the types that changed between two layouts, field by field: the part of a migration that needs no thought.

What is left to the author: to find the objects, to give those that became larger a place, and the pointers to these.
"""
from .model import Array, Base, Enum, Record, body, key_of, reference


def inner_records(type_):
    """Named records that lie inside of a type."""
    if isinstance(type_, Array):
        return inner_records(type_.element)
    if isinstance(type_, Record):
        return [type_] if type_.name else [r for f in type_.fields for r in inner_records(f.type)]
    return []


class Converter:
    def __init__(self, old, new, prefix):
        self.old, self.new = ({key_of(t): t for t in layout.keep if isinstance(t, Record)} for layout in (old, new))
        self.prefix = prefix
        self.changed = {}

    def differs(self, key):
        """Does a type look different, or something in it?"""
        if key not in self.changed:
            before, after = self.old.get(key), self.new.get(key)
            self.changed[key] = False
            self.changed[key] = before is None or after is None or body(before) != body(after) or any(
                self.differs(key_of(r)) for f in after.fields for r in inner_records(f.type))
        return self.changed[key]

    def same(self, old, new):
        return reference(old.type) == reference(new.type) and not any(self.differs(key_of(r)) for r in inner_records(new.type))

    def field(self, old, new):
        name = new.name
        if old.bits or new.bits or isinstance(new.type, (Base, Enum)) and isinstance(old.type, (Base, Enum)):
            return f'\tto->{name} = from->{name};'
        if self.same(old, new) and not (isinstance(new.type, Array) and new.type.count is None):
            return f'\tMIGRATION_SAME(to, from, {name});'
        if isinstance(new.type, Record) and reference(old.type) == reference(new.type) and new.type.name:
            return f'\tconvert_{new.type.name}(&to->{name}, &from->{name});'
        if isinstance(new.type, Array) and isinstance(new.type.element, Record) and reference(old.type) == reference(new.type) and new.type.count:
            return (f'\tfor (unsigned long i = 0; i < {new.type.count}; i++)\n'
                    f'\t\tconvert_{new.type.element.name}(&to->{name}[i], &from->{name}[i]);')
        return f'\t/* yours: {name} was {reference(old.type)}, is {reference(new.type)} */'

    def function(self, key):
        old, new = self.old[key], self.new[key]
        fields = {f.name: f for f in old.fields}
        lines = [f'static inline void convert_{new.name}({new.kind} {new.name} *to, const {old.kind} {self.prefix}{old.name} *from)', '{']
        for number, field in enumerate(new.fields):
            if field.name is None:
                lines.append(f'\t/* yours: the {field.type.kind} without a name, number {number} */')
            elif field.name in fields:
                lines.append(self.field(fields[field.name], field))
            else:
                lines.append(f'\t/* new: {field.name} stays as it is */')
        lines += [f'\t/* gone: {name} */' for name in fields if name and name not in {f.name for f in new.fields}]
        return '\n'.join(lines + ['}', ''])

    def order(self):
        """Changed types that both have, those inside before those around."""
        done = []

        def visit(key):
            if key in done or key not in self.old or key not in self.new or not self.differs(key):
                return
            for field in self.new[key].fields:
                for record in inner_records(field.type):
                    visit(key_of(record))
            done.append(key)
        for key in self.new:
            visit(key)
        return done


def text(old, new, prefix):
    converter = Converter(old, new, prefix)
    keys = converter.order()
    functions = '\n'.join(converter.function(key) for key in keys)
    return f'/* Written by tools/layout --convert. */\n#include <portico/server_migration.h>\n#include <portico/strings.h>\n\n{functions}'
