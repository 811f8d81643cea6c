"""Servers' programs as the campaign sees them: instructions, functions, and where in the file they are."""
import bisect
import hashlib
import itertools
import os
import re
import subprocess

from . import checks

SERVERS = ('vfs', 'proc', 'sig', 'ipcd', 'tty', 'serial')
LINE = re.compile(r'^\s+([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t?(.*)$')


class Instruction:
    """address, bytes, text as objdump gives it, name of the function."""
    __slots__ = ('address', 'bytes', 'text', 'function')

    def __init__(self, address, data, text, function):
        self.address, self.bytes, self.text, self.function = address, data, text, function


class Program:
    """A server: `path` is the stripped copy, which is what is changed and put in."""

    def __init__(self, build, name, folder):
        self.name = name
        source = os.path.join(build, 'drivers' if name == 'serial' else 'servers', name, name)
        self.path = os.path.join(folder, name)
        subprocess.run(['strip', '-o', self.path, source], check=True)
        with open(self.path, 'rb') as f:
            self.data = f.read()
        self.digest = hashlib.sha256(self.data).hexdigest()[:12]
        self.segments = segments(self.path)
        self.instructions = disassemble(source)
        self.checks = checks.find(self.instructions)
        self.engine = engine(self.instructions, self.checks, engine_functions(build))
        self.by_address = {i.address: i for i in self.instructions}
        self.addresses = [i.address for i in self.instructions]

    def offset(self, address):
        for offset, start, size in self.segments:
            if start <= address < start + size:
                return address - start + offset
        raise ValueError(f'{self.name}: {address:x} is not in the file')

    def part(self, instruction):
        """'engine', 'check' (before a store, by the compiler) or 'server': the first two are the recovery, not what is recovered."""
        if instruction.address in self.checks:
            return 'check'
        return 'engine' if instruction.address in self.engine else 'server'

    def after(self, instruction, count):
        """The next instructions, but for checks."""
        at = bisect.bisect_right(self.addresses, instruction.address)
        return [i for i in self.instructions[at:at + 8 * count] if i.address not in self.checks][:count]

    def has(self, address, data):
        """Whether these bytes are there."""
        try:
            at = self.offset(address)
        except ValueError:
            return False
        return self.data[at:at + len(data)] == data


def segments(path):
    text = subprocess.run(['readelf', '-lW', path], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in text.splitlines() if line.split()[:1] == ['LOAD']]
    return [(int(r[1], 16), int(r[2], 16), int(r[4], 16)) for r in rows]


def engine_functions(build):
    """Functions of the recovery engine: faults there are outside of what any recovery can promise."""
    archives = [os.path.join(build, 'libserver', f'libserver-engine{part}.a') for part in ('', '-undo')]
    text = subprocess.run(['nm', '--defined-only', *archives], check=True, capture_output=True, text=True).stdout
    return {line.split()[2] for line in text.splitlines() if len(line.split()) == 3 and line.split()[1] in 'tT'}


def engine(instructions, checked, names):
    """Addresses of the engine's code: it has no checks, but a server's static function may have the same name."""
    found = set()
    for name, group in itertools.groupby(instructions, key=lambda i: i.function):
        addresses = {i.address for i in group}
        if name in names and not addresses & checked:
            found |= addresses
    return found


def disassemble(path):
    text = subprocess.run(['objdump', '-dw', '-j', '.text', path], check=True, capture_output=True, text=True).stdout
    found, function = [], ''
    for line in text.splitlines():
        start = re.match(r'^[0-9a-f]+ <(.*)>:$', line)
        if start:
            function = start.group(1)
        elif m := LINE.match(line):
            found.append(Instruction(int(m.group(1), 16), bytes.fromhex(m.group(2)), m.group(3).strip(), function))
    return found
