"""Command line.

    stubgen compile --out DIR [--depfile F] X.idl    write X_types.h, X_client.[ch], X_server.[ch], ... into DIR
    stubgen check X.idl [--lock F]                   compare X.idl with its lock: exit 0 compatible, or compatible once the
                                                     server is updated first; 2 breaking
    stubgen lock X.idl [--lock F]                    write the lock; default idl/abi/X.lock beside X.idl

Exit 1: the .idl file has errors (all are printed, nothing is written) or a file cannot be read or written.
"""

import argparse
import os
import sys

from . import ir, lock, render
from .check import Loader
from .diagnostics import Diagnostics


def _load(path):
    """(module, ir, loader), or exit with every error of the file and its imports."""
    diagnostics = Diagnostics()
    loader = Loader(diagnostics)
    module = loader.load(path)
    result = ir.build(module, diagnostics) if module and not diagnostics else None
    if diagnostics:
        print("\n".join(diagnostics.lines()), file=sys.stderr)
        sys.exit(1)
    return module, result, loader


def _compile(arguments):
    module, result, loader = _load(arguments.file)
    files = render.render(result)
    os.makedirs(arguments.out, exist_ok=True)
    for name, text in files.items():
        render.write(os.path.join(arguments.out, name), text)
    if arguments.depfile:
        target = os.path.join(arguments.out, next(iter(files)))
        sources = " ".join(sorted(m.path.replace(" ", "\\ ") for m in loader.modules.values()))
        with open(arguments.depfile, "w", encoding="utf-8") as f:
            f.write(f"{target}: {sources}\n")
    return 0


def _lock_path(arguments):
    if arguments.lock:
        return arguments.lock
    folder, file = os.path.split(arguments.file)
    return os.path.join(folder, "abi", os.path.splitext(file)[0] + ".lock")


def _lock(arguments):
    path = _lock_path(arguments)
    _, result, _ = _load(arguments.file)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    render.write(path, lock.text(lock.make(result)))
    return 0


def _check(arguments):
    _, result, _ = _load(arguments.file)
    old = lock.read(_lock_path(arguments))
    verdict, reasons = lock.compare(old, lock.make(result))
    print(f"{arguments.file}: {verdict}")
    for reason in reasons:
        print(f"  {reason}")
    return 2 if verdict == lock.BREAKING else 0


def main(argv):
    parser = argparse.ArgumentParser(prog="stubgen", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in (("compile", _compile), ("check", _check), ("lock", _lock)):
        command = commands.add_parser(name)
        command.add_argument("file", metavar="X.idl")
        command.set_defaults(function=function)
        if name == "compile":
            command.add_argument("--out", required=True, metavar="DIR")
            command.add_argument("--depfile", metavar="F")
        else:
            command.add_argument("--lock", metavar="F")
    arguments = parser.parse_args(argv)
    try:
        return arguments.function(arguments)
    except (OSError, lock.BadLock) as error:
        print(f"stubgen: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
