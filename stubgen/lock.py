"""The ABI lock: what of an interface is visible on the wire, and what an edit means for programs that are already built.

COMPATIBLE    old and new clients and servers work together in every combination.
SERVER_FIRST  everything works if the server is updated before its clients.
BREAKING      something that is already built stops working.
"""

import json

COMPATIBLE = "compatible"
SERVER_FIRST = "compatible once the server is updated first"
BREAKING = "breaking"
_ORDER = [COMPATIBLE, SERVER_FIRST, BREAKING]


class BadLock(Exception):
    pass


def make(ir):
    """The part of the IR that crosses the wire."""
    interface = ir["interface"]
    return {
        "format": ir["format"], "stem": ir["stem"],
        "enums": {e["name"]: {"kind": e["kind"], "base": e["base"], "values": {m["name"]: m["value"] for m in e["members"]}} for e in ir["enums"]},
        "structs": {s["name"]: _struct(s) for s in ir["structs"]},
        "interface": interface and {
            "name": interface["name"], "number": interface["number"], "rev": interface["rev"], "reserved": interface["reserved"],
            "routines": {str(r["ordinal"]): _routine(r) for r in interface["routines"]},
        },
    }


def _struct(s):
    return {"size": s["size"], "fields": [{"name": f["name"], "offset": f["offset"], "type": f["value"]["idl"], "count": f["count"]}
                                          for f in s["fields"] if not f["pad"]]}


def _routine(r):
    return {"name": r["name"], "kind": r["kind"], "once_error": r["once_error"], "object": r["object"], "fast": r["fast"],
            "interruptible": r["interruptible"], "errors": sorted(r["errors"]),
            "request": _message(r, "request", "in"), "reply": _message(r, "reply", "out")}


def _message(r, which, direction):
    offsets = {m["name"]: m["offset"] for m in r[which]["members"]}
    result = []
    for p in r["parameters"]:
        if p["direction"] != direction:
            continue
        item = {"name": p["name"], "kind": p["kind"], "at": p["index"] if "index" in p else offsets[p["name"]]}
        if p["kind"] in ("scalar", "struct"):
            item["type"], item["size"] = p["value"]["idl"], p["value"]["size"]
        if p["kind"] == "array":
            item["type"], item["size"] = p["element"]["idl"], p["element"]["size"]
        if p["kind"] == "port":
            item["right"], item["target"], item["optional"] = p["right"], p["target"], p["optional"]
        if p["kind"] == "window":
            item["access"] = p["access"]
        if p["limit"] is not None:
            item["limit"] = p["limit"]
        result.append(item)
    return result


def text(lock):
    return json.dumps(lock, indent=1, sort_keys=True) + "\n"


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            lock = json.load(f)
    except ValueError as error:
        raise BadLock(f"{path}: not a lock: {error}") from error
    if not isinstance(lock, dict) or not {"format", "stem", "enums", "structs", "interface"} <= set(lock):
        raise BadLock(f"{path}: not a lock: it lacks parts that `stubgen lock` writes")
    return lock


def compare(old, new):
    """(verdict, reasons), the reasons most serious first."""
    comparison = _Comparison(old, new)
    try:
        comparison.run()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadLock(f"the lock lacks parts that `stubgen lock` writes ({error!r})") from error
    findings = sorted(comparison.findings, key=lambda f: -_ORDER.index(f[0]))
    return (findings[0][0] if findings else COMPATIBLE), [f"{verdict}: {reason}" for verdict, reason in findings]


class _Comparison:
    def __init__(self, old, new):
        self.old, self.new, self.findings = old, new, []

    def say(self, verdict, reason):
        self.findings.append((verdict, reason))

    def run(self):
        self.use = {"in": set(), "out": set()}
        for lock in (self.old, self.new):
            self.uses(lock)
        self.enums()
        self.structs()
        old, new = self.old["interface"], self.new["interface"]
        if old and not new:
            self.say(BREAKING, f"interface '{old['name']}' is gone")
        elif old and new:
            self.interfaces(old, new)

    def uses(self, lock):
        """Which types travel to servers, which to clients. Types of a file without interface may travel both ways."""
        if not lock["interface"]:
            for direction in self.use.values():
                direction |= set(lock["enums"]) | set(lock["structs"])
            return
        for routine in lock["interface"]["routines"].values():
            for which, direction in (("request", "in"), ("reply", "out")):
                for item in routine[which]:
                    self.mark(lock, item.get("type"), direction)

    def mark(self, lock, name, direction):
        self.use[direction].add(name)
        for field in lock["structs"].get(name, {"fields": []})["fields"]:
            self.mark(lock, field["type"], direction)

    def enums(self):
        for name, old in self.old["enums"].items():
            new = self.new["enums"].get(name)
            used = name in self.use["in"] or name in self.use["out"]
            if new is None:
                self.say(BREAKING if used else COMPATIBLE, f"{old['kind']} '{name}' is gone")
            elif (old["kind"], old["base"]) != (new["kind"], new["base"]):
                self.say(BREAKING, f"'{name}' was {old['kind']} : {old['base']}, is {new['kind']} : {new['base']}")
            else:
                self.values(name, old["values"], new["values"])

    def values(self, name, old, new):
        sent, received = name in self.use["in"], name in self.use["out"]
        for member, value in old.items():
            if member in new and new[member] != value:
                self.say(BREAKING, f"'{name}.{member}' was {value}, is {new[member]}")
        for value in sorted(set(new.values()) - set(old.values())):
            member = next(m for m, v in new.items() if v == value)
            verdict = BREAKING if received else SERVER_FIRST if sent else COMPATIBLE
            why = "old clients do not know it when it comes back" if received else "old servers refuse it" if sent else "nothing carries it"
            self.say(verdict, f"'{name}.{member}' = {value} is new: {why}")
        for value in sorted(set(old.values()) - set(new.values())):
            member = next(m for m, v in old.items() if v == value)
            verdict = BREAKING if sent else SERVER_FIRST if received else COMPATIBLE
            why = "old clients still send it" if sent else "old servers still answer it" if received else "nothing carries it"
            self.say(verdict, f"'{name}.{member}' = {value} is gone: {why}")

    def structs(self):
        for name, old in self.old["structs"].items():
            new = self.new["structs"].get(name)
            used = name in self.use["in"] or name in self.use["out"]

            def wire(s):
                return s["size"], [(f["offset"], f["type"], f["count"]) for f in s["fields"]]

            if new is None:
                self.say(BREAKING if used else COMPATIBLE, f"struct '{name}' is gone")
            elif wire(old) != wire(new):
                self.say(BREAKING if used else COMPATIBLE, f"struct '{name}' has another layout")

    def interfaces(self, old, new):
        if old["number"] != new["number"]:
            self.say(BREAKING, f"interface number was {old['number']}, is {new['number']}")
        if new["rev"] < old["rev"]:
            self.say(BREAKING, f"revision fell from {old['rev']} to {new['rev']}")
        for ordinal in sorted(set(old["reserved"]) - set(new["reserved"])):
            self.say(BREAKING, f"ordinal {ordinal} is no longer reserved: programs may exist that use it in its old sense")
        for ordinal, routine in sorted(old["routines"].items(), key=lambda x: int(x[0])):
            if ordinal not in new["routines"]:
                kept = int(ordinal) in new["reserved"]
                self.say(BREAKING, f"routine '{routine['name']}' @{ordinal} is gone: old clients get ENOSYS"
                         + ("" if kept else f"; and @{ordinal} is not reserved"))
            else:
                self.routine(f"'{routine['name']}' @{ordinal}", routine, new["routines"][ordinal])
        for ordinal, routine in sorted(new["routines"].items(), key=lambda x: int(x[0])):
            if ordinal not in old["routines"]:
                self.say(SERVER_FIRST, f"routine '{routine['name']}' @{ordinal} is new: an old server answers ENOSYS")
        if self.findings and old["rev"] == new["rev"]:
            self.say(COMPATIBLE, f"the revision is still {new['rev']}")

    def routine(self, name, old, new):
        if old["name"] != new["name"]:
            self.say(COMPATIBLE, f"{name} is now called '{new['name']}'")
        if (old["kind"] == "oneway") != (new["kind"] == "oneway"):
            self.say(BREAKING, f"{name} was {old['kind']}, is {new['kind']}: one of them is not answered")
        elif old["kind"] != new["kind"]:
            self.say(COMPATIBLE, f"{name} was {old['kind']}, is {new['kind']}")
        if old["object"] != new["object"]:
            self.say(BREAKING, f"{name} was on {old['object'] or 'nothing'}, is on {new['object'] or 'nothing'}")
        for what in ("errors", "once_error", "fast", "interruptible"):
            if old[what] != new[what]:
                self.say(COMPATIBLE, f"{name}: {what} changed")
        self.message(name, "request", old["request"], new["request"])
        self.message(name, "reply", old["reply"], new["reply"])

    def message(self, name, which, old, new):
        if len(old) != len(new):
            self.say(BREAKING, f"{name}: the {which} has {len(new)} parameters, had {len(old)}")
            return
        for before, after in zip(old, new):
            item = f"{name}: parameter '{after['name']}'"
            loose = ("name", "limit", "optional", "target")
            if {k: v for k, v in before.items() if k not in loose} != {k: v for k, v in after.items() if k not in loose}:
                self.say(BREAKING, f"{item} has another type or place in the {which}")
                continue
            if before["name"] != after["name"]:
                self.say(COMPATIBLE, f"{item} was called '{before['name']}'")
            if before.get("target") != after.get("target"):
                self.say(BREAKING, f"{item} was a right of '{before['target']}', is one of '{after['target']}'")
            self.looser(item, which, "bound", before.get("limit"), after.get("limit"))
            if which == "request":
                self.looser(item, which, "optional", before.get("optional"), after.get("optional"))

    def looser(self, item, which, what, before, after):
        """A bound of 0 (regions) is no bound."""
        if before == after:
            return
        wide = (after or 1 << 64) > (before or 1 << 64) if what == "bound" else after
        text = f"{item}: {what} was {before}, is {after}"
        if wide == (which == "request"):
            self.say(SERVER_FIRST, text + (": old servers refuse more" if wide else ": old servers answer more"))
        else:
            self.say(BREAKING, text + (": old clients do not take more" if wide else ": old clients send more"))
