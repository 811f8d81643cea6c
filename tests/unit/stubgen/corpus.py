#!/usr/bin/python3
"""The interface compiler's corpus: one line a case, and a summary.

good/*.idl must compile without a word, and write files. bad/*.idl each say what is wrong with them, where:

    //! LINE:COLUMN: text that the message must contain

All expected errors must be reported and no others, in the form file:line:column: error: what; expected ...; the exit status
must be 1 and nothing may be written.
"""

import os
import re
import subprocess
import sys
import tempfile

from in_process import run

HERE = os.path.dirname(os.path.abspath(__file__))


def good(path):
    with tempfile.TemporaryDirectory() as out:
        result = run("compile", "--out", out, "--depfile", os.path.join(out, "d"), path)
        if result.returncode or result.stderr or result.stdout:
            return f"exit {result.returncode}: {result.stderr or result.stdout}"
        made = {f: os.stat(os.path.join(out, f)).st_mtime_ns for f in os.listdir(out) if f != "d"}
        if not any(f.endswith("_types.h") for f in made):
            return "no types header"
        run("compile", "--out", out, path)
        for name, time in made.items():
            if os.stat(os.path.join(out, name)).st_mtime_ns != time:
                return f"{name} was written again without a change"
    return None


def bad(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        wanted = re.findall(r"//! (\d+):(\d+): (.*)", f.read())
    if not wanted:
        return "the file does not say what is wrong with it"
    with tempfile.TemporaryDirectory() as out:
        result = run("compile", "--out", os.path.join(out, "made"), path)
        if os.listdir(out):
            return "files were written"
    if result.returncode != 1:
        return f"exit {result.returncode}: {result.stderr}"
    lines = result.stderr.splitlines()
    for line in lines:
        if not re.match(r"[^:]+\.idl:\d+:\d+: error: ", line):
            return f"not the form of an error: {line}"
    left = list(lines)
    for row, column, text in wanted:
        found = [x for x in left if f":{row}:{column}: error: " in x and text in x]
        if not found:
            return f"no error {row}:{column}: {text}; got\n" + "\n".join(lines)
        left.remove(found[0])
    return "unexpected: " + "\n".join(left) if left else None


def command():
    """The two ways to start it, once each: exit status and messages must come out of the process."""
    root = os.path.join(HERE, "..", "..", "..")
    broken = os.path.join(HERE, "bad", "enum_twice.idl")
    for start in ([os.path.join(root, "stubgen", "stubgen.py")], ["-m", "stubgen"]):
        result = subprocess.run([sys.executable, "-B", *start, "compile", "--out", "never", broken], cwd=root, capture_output=True, text=True,
                                check=False)
        if result.returncode != 1 or "declared twice" not in result.stderr:
            return f"{start[-1]}: exit {result.returncode}: {result.stderr}"
    return None


def main():
    failed = total = 0
    problem = command()
    print(f"{'FAIL' if problem else 'ok  '} command line" + (f": {problem}" if problem else ""))
    failed += problem is not None
    for folder, check in (("good", good), ("bad", bad)):
        for name in sorted(os.listdir(os.path.join(HERE, folder))):
            if not name.endswith(".idl") or (folder == "bad" and name.startswith("imported_")):
                continue  # imported_*: good files that bad ones import
            total += 1
            problem = check(os.path.join(HERE, folder, name))
            failed += problem is not None
            print(f"{'FAIL' if problem else 'ok  '} {folder}/{name}" + (f": {problem}" if problem else ""))
    print(f"{total} files, {failed} failed")
    return 1 if failed or total < 65 else 0


if __name__ == "__main__":
    sys.exit(main())
