"""Symbols -> the intermediate representation: one dictionary of plain values (X.json) with every size, offset, check and C
name. Templates only print it. Errors that need a message's layout are found here."""

from . import errno_names, limits
from .check import C_KEYWORDS, DISPOSITIONS, c_names

FORMAT = 1
_RIGHTS = {"send": "WIRE_SEND", "once": "WIRE_SEND_ONCE", "receive": "WIRE_RECEIVE"}
KINDS = {"routine": "SERVER_ROUTINE", "query": "SERVER_QUERY", "oneway": "SERVER_ONEWAY", "once": "SERVER_ONCE"}


def build(module, diagnostics):
    """The IR of a checked module, or None if there are errors."""
    result = {
        "format": FORMAT, "stem": module.stem, "prefix": module.prefix, "upper": module.prefix.upper(),
        "imports": sorted(module.imports),
        "constants": [_constant(module, name, entry) for name, entry in module.constants.items()],
        "enums": [_enum(module, s) for s in module.types.values() if s.kind == "enum"],
        "structs": [_struct(s) for s in module.struct_order],
        "interface": None,
    }
    if module.interface and not diagnostics:
        result["interface"] = _Interface(module, diagnostics).build()
    return None if diagnostics else result


def c_integer(value):
    """A value as a C constant expression."""
    if value > 0x7fffffffffffffff:
        return f"UINT64_C({value})"
    if value == limits.I64_MIN:
        return "INT64_MIN"
    if not -0x80000000 < value <= 0x7fffffff:
        return f"INT64_C({value})" if value >= 0 else f"(-INT64_C({-value}))"
    return str(value) if value >= 0 else f"({value})"


def _constant(module, name, entry):
    prefix = module.prefix.upper() or "PORTICO_"  # limits.h has a PATH_MAX of its own
    return {"name": name, "c_name": prefix + name.upper(), "value": entry[1], "c_value": c_integer(entry[1]), "doc": entry[0].doc}


def _enum(module, symbol):
    base, values = symbol.base, sorted(v for _, v, _ in symbol.members)
    upper = (module.prefix + symbol.name).upper()
    mask = 0
    for value in values:
        mask |= value
    dense = symbol.node.kind == "enum" and values[-1] - values[0] == len(values) - 1
    return {
        "name": symbol.name, "c_name": symbol.c_name, "kind": symbol.node.kind, "base": base.name, "c_type": base.c_type, "size": base.size,
        "members": [{"name": n, "c_name": f"{upper}_{n.upper()}", "value": v, "c_value": c_integer(v), "doc": d} for n, v, d in symbol.members],
        "narrow": all(-0x80000000 < v <= 0x7fffffff for v in values),
        "mask": mask if symbol.node.kind == "bitset" else None, "all_bits": mask == base.high,
        "mask_c": c_integer(mask) if symbol.node.kind == "bitset" else None,
        "dense": dense,
        "low": c_integer(values[0]) if values[0] > base.low else None, "high": c_integer(values[-1]) if values[-1] < base.high else None,
        "doc": symbol.node.doc,
    }


def _value_type(symbol):
    """How a scalar, enum, bitset or struct looks in C and on the wire."""
    if symbol.kind == "struct":
        return {"kind": "struct", "idl": symbol.name, "c_type": f"struct {symbol.c_name}", "size": symbol.size, "align": symbol.align,
                "valid": f"{symbol.c_name}_valid" if symbol.checked else None, "type": symbol.c_name, "signed": False}
    if symbol.kind == "enum":
        return {"kind": symbol.node.kind, "idl": symbol.name, "c_type": symbol.base.c_type, "size": symbol.size, "align": symbol.size,
                "valid": f"{symbol.c_name}_valid", "type": symbol.c_name, "signed": symbol.base.signed}
    return {"kind": "scalar", "idl": symbol.name, "c_type": symbol.c_type, "size": symbol.size, "align": symbol.size,
            "valid": None, "type": None, "signed": symbol.signed}


def _struct(symbol):
    fields = []
    for f in symbol.fields:
        fields.append({"name": f.name, "offset": f.offset, "count": f.count, "size": f.type.size * (f.count or 1), "pad": f.pad,
                       "value": _value_type(f.type), "doc": f.doc})
    return {"name": symbol.name, "c_name": symbol.c_name, "size": symbol.size, "align": symbol.align, "fields": fields,
            "checked": symbol.checked, "doc": symbol.node.doc}


class _Interface:
    def __init__(self, module, diagnostics):
        self.module, self.diagnostics = module, diagnostics
        # Members of struct X_fake that are not hooks of routines, and words that C keeps for itself.
        self.hooks_taken = {"error", "fill", "no_object", "gets", "puts", "calls", "badge", "principal"} | C_KEYWORDS

    def build(self):
        node = self.module.interface
        routines = [self.routine(r) for r in sorted(node.routines, key=lambda r: r.ordinal.value)]
        return {
            "name": node.name.text, "number": node.number.value, "rev": node.revision.value, "doc": node.doc,
            "objects": [{"name": o.name.text, "struct": o.struct.text, "doc": o.doc} for o in node.objects],
            "reserved": sorted(n.value for n in node.reserved),
            "table": max([r["ordinal"] for r in routines] or [0]) + 1,
            "routines": routines,
            "tables": self.tables(routines),
        }

    def tables(self, routines):
        """The enums and structs that messages carry, imported ones included, each after what it is made of."""
        made, order = {}, []

        def add(module_types, c_name):
            symbol = module_types.get(c_name)
            if c_name is None or c_name in made or symbol is None:
                return
            made[c_name] = True
            if symbol.kind == "struct":
                for f in symbol.fields:
                    add(module_types, getattr(f.type, "c_name", None))
            order.append(_struct(symbol) if symbol.kind == "struct" else _enum(self.owner[c_name], symbol))

        types = self.all_types()
        for routine in routines:
            for p in routine["parameters"]:
                value = p.get("value") or p.get("element")
                if value:
                    add(types, value["type"])
        return order

    def all_types(self):
        """C name -> symbol, of this module and of everything that it imports, directly or not."""
        types, self.owner, todo = {}, {}, [self.module]
        while todo:
            module = todo.pop()
            for symbol in module.types.values():
                if symbol.c_name not in types:
                    types[symbol.c_name], self.owner[symbol.c_name] = symbol, module
            todo += module.imports.values()
        return types

    def routine(self, node):
        name, c_name = node.name.text, self.module.prefix + node.name.text
        parameters = [self.parameter(p) for p in node.parameters]
        request = self.message(node, parameters, "request", lambda p: p["direction"] != "out")
        reply = self.message(node, parameters, "reply", lambda p: p["direction"] == "out")
        objects = {o.name.text: o.struct.text for o in self.module.interface.objects}
        result = {
            "name": name, "c_name": c_name, "ordinal": node.ordinal.value, "kind": node.kind, "c_kind": KINDS[node.kind],
            "once_error": node.once_error.text if node.once_error else None, "fast": node.fast, "interruptible": node.interruptible,
            "object": node.object.text if node.object else None, "object_struct": objects.get(node.object.text) if node.object else None,
            "errors": [e.text for e in node.errors], "parameters": parameters, "request": request, "reply": reply, "doc": node.doc,
            "ordinal_c": f"{self.module.prefix.upper()}ORDINAL_{name.upper()}",
        }
        result["once_number"] = errno_names.number(node.once_error.text) if node.once_error else 0
        result["hook"] = name if name not in self.hooks_taken else name + "_"
        result["names"] = _fixed_names(node)
        # Can encoding fail after the handler gave rights or regions to move away?
        result["releases"] = (bool(reply["variable"]) or any(p["kind"] == "region" and p["limit"] for p in parameters if p["direction"] == "out")) \
            and any(p.get("moves") or p.get("move") for p in parameters if p["direction"] == "out")
        return result

    def parameter(self, node):
        kind, direction = node.type, node.direction
        result = {"name": node.name.text, "direction": "out" if direction == "out" else "in", "doc": node.doc, "limit": getattr(node, "limit", None)}
        if direction.startswith("window"):
            access = direction.split()[1]
            result.update(kind="window", access=access, c_flags="MSG_WINDOW_READ" if access == "in" else "MSG_WINDOW_WRITE",
                          idl=f"bytes<{node.limit}>")
        elif kind.kind == "named":
            value = _value_type(node.symbol)
            result.update(kind="struct" if value["kind"] == "struct" else "scalar", value=value, idl=value["idl"])
        elif kind.kind == "string":
            result.update(kind="string", unit=1, idl=f"string<{node.limit}>")
        elif kind.kind == "bytes":
            result.update(kind="bytes", unit=1, element=None, idl=f"bytes<{node.limit}>")
        elif kind.kind == "array":
            element = _value_type(node.symbol)
            result.update(kind="array", unit=element["size"], element=element, idl=f"array<{element['idl']}, {node.limit}>")
        elif kind.kind == "port":
            disposition = kind.disposition.text
            result.update(kind="port", target=kind.name, disposition=disposition, c_disposition="MSG_" + disposition.upper(),
                          right=DISPOSITIONS[disposition], c_right=_RIGHTS[DISPOSITIONS[disposition]], optional=kind.optional or direction == "out",
                          make=disposition.startswith("make_"), moves=disposition.startswith("move_"),
                          idl=f"port<{kind.name}> {disposition}" + (" optional" if kind.optional else ""))
        else:
            result.update(kind="region", move=kind.move, c_flags="MSG_REGION_MOVE" if kind.move else "0",
                          idl="region" + (f"<{node.limit}>" if node.limit else "") + (" move" if kind.move else ""))
        result.update(_prototypes(result))
        return result

    def message(self, node, parameters, which, chosen):
        """Layout of one direction: a fixed part without holes (members by falling alignment), then the variable parts."""
        members, variable, descriptors = [], [], []
        for p in filter(chosen, parameters):
            if p["kind"] in ("scalar", "struct"):
                members.append({"name": p["name"], "size": p["value"]["size"], "align": p["value"]["align"],
                                "c_type": p["value"]["c_type"], "span": False})
            elif p["kind"] in ("string", "bytes", "array"):
                members.append({"name": p["name"], "size": 4, "align": 2, "c_type": "struct wire_span", "span": True})
                variable.append({"name": p["name"], "kind": p["kind"], "limit": p["limit"], "unit": p["unit"],
                                 "c_type": p["element"]["c_type"] if p["kind"] == "array" else "void",
                                 "space": -(-(p["limit"] * p["unit"] + (p["kind"] == "string")) // 8) * 8})
            else:
                p["index"] = len(descriptors)
                descriptors.append(p["name"])
        members.sort(key=lambda m: -m["align"])
        offset = 0
        for m in members:
            m["offset"] = offset
            offset += m["size"]
        pads = []
        while offset % 8:
            size = next(s for s in (4, 2, 1) if offset % s == 0 and offset % 8 + s <= 8)
            pads.append({"name": f"pad{len(pads)}_", "size": size, "offset": offset, "c_type": f"uint{8 * size}_t"})
            offset += size
        largest = offset
        for v in variable:
            v["place"] = largest  # where it begins if all before it are full
            largest += v["space"]
        result = {
            "c_name": f"{self.module.prefix}{node.name.text}_{which}", "members": members, "pads": pads, "size": offset,
            "variable": variable, "max": largest, "descriptors": len(descriptors),
        }
        self.fits(node, which, result)
        return result

    def fits(self, node, which, message):
        name, position, error = node.name.text, node.name.position, self.diagnostics.error
        if message["max"] > limits.INLINE_MAX:
            error(position, f"the {which} of '{name}' may have {message['max']} inline bytes", f"at most {limits.INLINE_MAX}: "
                  "smaller bounds, or a window or region")
        if message["descriptors"] > limits.DESCRIPTORS_MAX:
            error(position, f"the {which} of '{name}' has {message['descriptors']} ports, regions and windows",
                  f"at most {limits.DESCRIPTORS_MAX}")
        if node.fast and message["descriptors"]:
            error(position, f"the {which} of fast '{name}' carries ports, regions or windows", "only inline data")
        if node.fast and message["max"] > limits.FAST_INLINE_MAX:
            error(position, f"the {which} of fast '{name}' may have {message['max']} inline bytes", f"at most {limits.FAST_INLINE_MAX}")


def _fixed_names(node):
    """Names of the stubs' own arguments and locals: plain, unless a parameter has the name; then with _ at the end,
    which no IDL name has."""
    taken = {made for p in node.parameters for made in c_names(p)}
    own = ["to", "deadline", "call", "object", "error", "page", "request", "reply", "status", "at", "in", "out", "token"]
    return {name: name + "_" if name in taken else name for name in own}


def _prototypes(p):
    """C declarations of a parameter: client stub, server handler, parked reply."""
    name, out, kind = p["name"], p["direction"] == "out", p["kind"]
    if kind in ("scalar", "struct"):
        c = p["value"]["c_type"]
        pointer = f"{c} *{name}"
        if out:
            return {"client": [pointer], "server": [pointer], "reply": [f"const {pointer}" if kind == "struct" else f"{c} {name}"]}
        value = [f"const {pointer}" if kind == "struct" else f"{c} {name}"]
        return {"client": value, "server": value, "reply": []}
    if kind == "string":
        text = [f"const char *{name}"]
        return ({"client": [f"char *{name}", f"size_t {name}_size"], "server": [f"char *{name}"], "reply": text} if out
                else {"client": text, "server": text, "reply": []})
    if kind in ("bytes", "array"):
        c = p["element"]["c_type"] if kind == "array" else "void"
        value = [f"const {c} *{name}", f"size_t {name}_count"]
        if not out:
            return {"client": value, "server": value, "reply": []}
        return {"client": [f"{c} *{name}", f"size_t {name}_max", f"size_t *{name}_count"],
                "server": [f"{c} *{name}", f"size_t *{name}_count"], "reply": value}
    if kind == "port":
        if out:
            return {"client": [f"port_name_t *{name}"], "server": [f"struct server_port *{name}"], "reply": [f"const struct server_port *{name}"]}
        made = [f"uint64_t {name}_badge", f"uint32_t {name}_flags"] if p["disposition"] == "make_send" else []
        return {"client": [f"port_name_t {name}"] + made, "server": [f"port_name_t *{name}"], "reply": []}
    if kind == "region":
        if out:
            return {"client": [f"void **{name}", f"size_t *{name}_size"], "server": [f"struct server_region *{name}"],
                    "reply": [f"const struct server_region *{name}"]}
        return {"client": [f"void *{name}", f"size_t {name}_size"], "server": [f"struct server_region *{name}"], "reply": []}
    const = "const " if p["access"] == "in" else ""
    return {"client": [f"{const}void *{name}", f"size_t {name}_size"], "server": [f"struct server_window *{name}"], "reply": []}
