#!/usr/bin/python3
"""`stubgen lock` and `stubgen check`: what an edit means for programs that are already built. One line a case, and a summary."""

import os
import sys
import tempfile

from in_process import run

COMPATIBLE, SERVER_FIRST, BREAKING = "compatible", "compatible once the server is updated first", "breaking"

BASE = """
const bound = 20;
enum sent : u8 { a = 0, b = 1 }
enum answered : u8 { a = 0, b = 1 }
enum unused : u8 { a = 0 }
bitset bits : u32 { x = 1, y = 2 }
struct record { u32 id; u64 size; }
interface edit 5 rev 1 {
  object file : struct file;
  object dir : struct dir;
  reserved @9;
  routine open @1 on dir (in path : string<bound>, in how : sent, in b : bits, out state : answered, out data : bytes<100>) errors(ENOENT);
  routine send @2 on file (in r : record, in p : port<file> copy_send, out q : port<any> make_send);
  oneway tell @3 (in value : u64);
  query read @4 on file (window out data : bytes<1M>, in memory : region, out done : u64) errors(EIO) interruptible;
  once(EIO) beep @5 ();
}
"""

# name, verdict, text of a reason, (old, new) ...
CASES = [
    ("nothing", COMPATIBLE, "", []),
    ("comment", COMPATIBLE, "", [("const bound", "// text\nconst bound")]),
    ("routine added", SERVER_FIRST, "'more' @6 is new", [("  once(", "  routine more @6 ();\n  once(")]),
    ("routine removed", BREAKING, "'beep' @5 is gone", [("  once(EIO) beep @5 ();\n", "")]),
    ("routine removed and reserved", BREAKING, "old clients get ENOSYS", [("  once(EIO) beep @5 ();\n", "  reserved @5;\n")]),
    ("reservation dropped", BREAKING, "no longer reserved", [("  reserved @9;\n", "")]),
    ("reservation added", COMPATIBLE, "", [("@9;", "@9, @10;")]),
    ("routine renamed", COMPATIBLE, "now called 'sound'", [("beep", "sound")]),
    ("ordinal changed", BREAKING, "@5 is gone", [("beep @5", "beep @7")]),
    ("interface number changed", BREAKING, "interface number was 5", [("edit 5", "edit 6")]),
    ("revision raised", COMPATIBLE, "", [("rev 1", "rev 2")]),
    ("revision lowered", BREAKING, "revision fell", [("rev 1", "rev 3"), ("rev 3", "rev 1")]),
    ("request bound raised", SERVER_FIRST, "bound was 20, is 30", [("bound = 20", "bound = 30")]),
    ("request bound lowered", BREAKING, "old clients send more", [("bound = 20", "bound = 10")]),
    ("reply bound raised", BREAKING, "old clients do not take more", [("bytes<100>", "bytes<101>")]),
    ("reply bound lowered", SERVER_FIRST, "old servers answer more", [("bytes<100>", "bytes<99>")]),
    ("window bound raised", SERVER_FIRST, "bound was 1048576", [("bytes<1M>", "bytes<2M>")]),
    ("region bounded", BREAKING, "old clients send more", [("memory : region", "memory : region<1M>")]),
    ("parameter added", BREAKING, "has 2 parameters, had 1", [("in value : u64", "in value : u64, in more : u8")]),
    ("parameter removed", BREAKING, "has 0 parameters, had 1", [("in value : u64", "")]),
    ("parameter renamed", COMPATIBLE, "was called 'value'", [("in value : u64", "in number : u64")]),
    ("parameter of another type", BREAKING, "another type or place", [("in value : u64", "in value : i64")]),
    ("parameters swapped", BREAKING, "another type or place", [("in r : record, in p : port<file> copy_send", "in p : port<file> copy_send, in r : bits")]),
    ("port of another object", BREAKING, "was a right of 'file'", [("p : port<file>", "p : port<dir>")]),
    ("another kind of right", BREAKING, "another type or place", [("p : port<file> copy_send", "p : port<file> make_send_once")]),
    ("another way to get a send right", COMPATIBLE, "", [("p : port<file> copy_send", "p : port<file> move_send")]),
    ("port made optional", SERVER_FIRST, "optional was False", [("p : port<file> copy_send", "p : port<file> copy_send optional")]),
    ("object changed", BREAKING, "was on dir, is on file", [("open @1 on dir", "open @1 on file")]),
    ("query made a routine", COMPATIBLE, "was query, is routine", [("query read", "routine read")]),
    ("oneway made a routine", BREAKING, "one of them is not answered", [("oneway tell", "routine tell")]),
    ("errors changed", COMPATIBLE, "errors changed", [("errors(EIO)", "errors(EIO, EPERM)")]),
    ("interruptible dropped", COMPATIBLE, "interruptible changed", [(" interruptible", "")]),
    ("sent enumerator added", SERVER_FIRST, "old servers refuse it", [("sent : u8 { a = 0, b = 1", "sent : u8 { a = 0, b = 1, c = 2")]),
    ("sent enumerator removed", BREAKING, "old clients still send it", [("sent : u8 { a = 0, b = 1", "sent : u8 { a = 0")]),
    ("answered enumerator added", BREAKING, "old clients do not know it", [("answered : u8 { a = 0, b = 1", "answered : u8 { a = 0, b = 1, c = 2")]),
    ("answered enumerator removed", SERVER_FIRST, "old servers still answer it", [("answered : u8 { a = 0, b = 1", "answered : u8 { a = 0")]),
    ("enumerator of another value", BREAKING, "'sent.b' was 1, is 2", [("sent : u8 { a = 0, b = 1", "sent : u8 { a = 0, b = 2")]),
    ("enumerator renamed", COMPATIBLE, "", [("sent : u8 { a = 0, b = 1", "sent : u8 { a = 0, z = 1")]),
    ("unused enumerator added", COMPATIBLE, "nothing carries it", [("unused : u8 { a = 0", "unused : u8 { a = 0, b = 1")]),
    ("bit added", SERVER_FIRST, "'bits.z' = 4 is new", [("y = 2 }", "y = 2, z = 4 }")]),
    ("base changed", BREAKING, "was bitset : u32", [("bits : u32", "bits : u64")]),
    ("field added", BREAKING, "another layout", [("u64 size; }", "u64 size; u8 more; }")]),
    ("field renamed", COMPATIBLE, "", [("u64 size; }", "u64 length; }")]),
    ("interface gone", BREAKING, "is gone", [("interface edit", "@")]),
]


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def case(verdict, reason, edits):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "edit.idl")
        text = BASE
        for old, _ in edits[:-1]:
            text = text.replace(*edits[0])
        write(path, text)
        if run("lock", path).returncode:
            return "cannot be locked"
        for old, new in edits[-1:]:
            if old not in text:
                return f"the case is wrong: no '{old}'"
            text = text[:text.index("interface edit")] if new == "@" else text.replace(old, new)
        write(path, text)
        result = run("check", path)
    lines = result.stdout.splitlines()
    if not lines or not lines[0].endswith(f"edit.idl: {verdict}"):
        return f"{result.stdout}{result.stderr}"
    if reason not in result.stdout:
        return f"no reason '{reason}': {result.stdout}"
    return None if result.returncode == (2 if verdict == BREAKING else 0) else f"exit {result.returncode}"


def broken_locks():
    with tempfile.TemporaryDirectory() as folder:
        path, lock = os.path.join(folder, "edit.idl"), os.path.join(folder, "l")
        write(path, BASE)
        for text in ("", "{", "[]", "{}", '{"format": 1}', '{"format": 1, "stem": "edit", "enums": 3, "structs": {}, "interface": {}}'):
            write(lock, text)
            result = run("check", path, "--lock", lock)
            if result.returncode != 1 or "lock" not in result.stderr or "Traceback" in result.stderr:
                return f"a lock of '{text}': exit {result.returncode} {result.stderr}"
        result = run("check", path, "--lock", os.path.join(folder, "none"))
        if result.returncode != 1 or "Traceback" in result.stderr:
            return f"no lock: exit {result.returncode} {result.stderr}"
    return None


def main():
    results = [(name, case(verdict, reason, edits)) for name, verdict, reason, edits in CASES] + [("broken locks", broken_locks())]
    for name, problem in results:
        print(f"{'FAIL' if problem else 'ok  '} {name}" + (f": {problem}" if problem else ""))
    failed = sum(problem is not None for _, problem in results)
    print(f"{len(results)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
