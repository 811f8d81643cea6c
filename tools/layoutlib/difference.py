"""What changed between two layouts, in words."""
from .model import Enum, field_place, key_of, reference


def of_enum(key, old, new):
    before, after = dict(old.constants), dict(new.constants)
    for name in before.keys() | after.keys():
        if name not in after:
            yield f'{key}: constant {name} is gone'
        elif name not in before:
            yield f'{key}: constant {name} = {after[name]} is new'
        elif before[name] != after[name]:
            yield f'{key}: constant {name} was {before[name]}, is {after[name]}'


def of_field(key, old, new):
    was, is_ = reference(old.type), reference(new.type)
    place, now = field_place(old), field_place(new)
    name = f'{key}: field {old.name or "(without a name)"}'
    if was != is_ and place != now:
        return f'{name} was {was} at {place}, is {is_} at {now}'
    if was != is_:
        return f'{name} was {was}, is {is_}'
    return f'{name} moved from {place} to {now}' if place != now else None


def of_record(key, old, new):
    def named(record):
        return {f.name or f'{{{i}}}': f for i, f in enumerate(record.fields)}
    before, after = named(old), named(new)
    for name, field in before.items():
        if name not in after:
            yield f'{key}: field {name} ({reference(field.type)} at {field_place(field)}) is gone'
        else:
            change = of_field(key, field, after[name])
            if change:
                yield change
    for name, field in after.items():
        if name not in before:
            yield f'{key}: field {name} ({reference(field.type)} at {field_place(field)}) is new'
    if old.size != new.size:
        yield f'{key}: its size was {old.size}, is {new.size}'


def of_types(old, new):
    before, after = {key_of(t): t for t in old}, {key_of(t): t for t in new}
    for key, type_ in before.items():
        if key not in after:
            yield f'{key} is not in the keep any more'
        elif isinstance(type_, Enum):
            yield from sorted(of_enum(key, type_, after[key]))
        else:
            yield from of_record(key, type_, after[key])
    for key in after:
        if key not in before:
            yield f'{key} is new in the keep'


def words(old, new):
    """Lines; none: the same layout."""
    lines = []
    if reference(old.root) != reference(new.root):
        lines.append(f'the root was {reference(old.root)}, is {reference(new.root)}: programs of two servers?')
    lines += of_types(old.keep, new.keep)
    return lines + [f'transaction log: {line}' for line in of_types(old.log, new.log)]
