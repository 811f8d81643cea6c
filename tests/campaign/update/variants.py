"""Builds what tests/campaign/updates installs: the same servers from edited copies of the tree, and damaged ones.

Beside the build's own programs (`present`) there are, for each server: `rebuilt`, the same layout from another optimisation level, so that code and
constants lie elsewhere, with a migration from `wide`; and `wide`, with the changes of edits.py and a migration from the present layout. Migrations are
made as docs/guide/update.md says: definitions and conversions by tools/layout, the rest by hand in NAME.c here.
"""
import hashlib
import os
import sys

from edits import EDITS, FOLDER, SERVERS

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.join(TOP, 'tests'))
from harness import tree  # noqa: E402
from harness.tree import checked as command, write  # noqa: E402

BUILD = os.environ.get('PORTICO_BUILD', os.path.join(TOP, 'build'))
LAYOUT = os.path.join(TOP, 'tools', 'layout')


def program(build, server):
    return os.path.join(build, FOLDER[server], server)


class Tree(tree.Tree):
    """A copy of the sources of which the servers are built."""

    def __init__(self, name):
        super().__init__(os.path.join(BUILD, 'updates', name))

    def build(self):
        super().build(*(os.path.relpath(program(self.build_folder, s), self.build_folder) for s in SERVERS))

    def program(self, server):
        return program(self.build_folder, server)

    def add_migration(self, server, old):
        """From the layout of the program `old`; this tree is built once already."""
        folder = FOLDER[server]
        self.files[f'{folder}/was.h'] = command(LAYOUT, '--header', old, 'was_').encode()
        self.files[f'{folder}/convert.h'] = command(LAYOUT, '--convert', old, self.program(server), 'was_').encode()
        self.files[f'{folder}/migrate.c'] = open(os.path.join(HERE, f'{server}.c'), 'rb').read()
        self.edit(f'{folder}/meson.build', f"executable('{server}-linked',", f"executable('{server}-linked', 'migrate.c',")


def patch(source, target, symbols, code):
    """A copy of a program in which functions begin with this code."""
    data = bytearray(open(source, 'rb').read())
    headers = [line.split() for line in command('readelf', '-lW', source).splitlines()]
    for address in (address_of(source, symbol) for symbol in symbols.split()):
        for offset, start, size in ((int(h[1], 16), int(h[2], 16), int(h[4], 16)) for h in headers if h[:1] == ['LOAD']):
            if start <= address < start + size:
                data[address - start + offset:address - start + offset + len(code)] = code
    with open(target, 'wb') as file:
        file.write(data)


def address_of(source, symbol):
    for line in command('nm', source).splitlines():
        words = line.split()
        if len(words) == 3 and words[2] == symbol:
            return int(words[0], 16)
    raise RuntimeError(f'{source}: no symbol {symbol}')


def damaged(server, wide, without, other, folder):
    """The updates that must fail, and what svc says then."""
    text = address_of(wide, 'server_layout') - 16  # "portico.layout"
    cases = {
        'faults': ('migrate_layout', b'\x0f\x0b', 'the migration faulted'),
        'loops': ('migrate_layout', b'\xeb\xfe', 'the migration did not end'),
        'gives-up': ('migrate_layout', b'\xb8\x05\x00\x00\x00\xc3', 'the migration gave up'),
        'unchecked': ('check', b'\xb8' + text.to_bytes(4, 'little') + b'\xc3', 'the check refused'),
        'dies-then': ('server_main', b'\x0f\x0b', 'failed before it answered'),
        # In the first message of any kind. Only where there is no timer, and where there are messages all the time.
        'dies-later': ('results_begin transaction_query', b'\x0f\x0b', 'failed before it answered'),
    }
    expected = {}
    if server not in ('vfs', 'proc'):
        del cases['dies-later']
    for name, (symbol, code, why) in cases.items():
        patch(wide, os.path.join(folder, name), symbol, code)
        expected[name] = why
    expected['cut'] = 'lies beyond the file'
    for name, path, why in (('stranger', other, 'no migration from the present one'), ('silent', without, 'no migration from the present one')):
        with open(path, 'rb') as file, open(os.path.join(folder, name), 'wb') as copy:
            copy.write(file.read())
        expected[name] = why
    return expected


def prepare(overlay, say=print):
    """Fills OVERLAY/u/SERVER/; returns what each damaged program must be refused with, by server."""
    wide, rebuilt = Tree('wide'), Tree('rebuilt')
    for server in SERVERS:
        for edit in EDITS[server]:
            wide.edit(*edit)
    rebuilt.edit('meson.build', "'-O2', '-g',", "'-O1', '-g',")
    build(wide, rebuilt, say)
    return {server: fill(overlay, server, wide, rebuilt) for server in SERVERS}


def digest(*trees):
    """Of all that the programs are made of."""
    sum_ = hashlib.sha256()
    for tree in trees:
        for path in sorted(tree.files):
            sum_.update(path.encode() + b'\0' + hashlib.sha256(tree.files[path]).digest())
    for server in SERVERS:
        sum_.update(command(LAYOUT, '--fingerprint', program(BUILD, server)).encode())
    return sum_.hexdigest()


def build(wide, rebuilt, say):
    stamp, made_of = os.path.join(BUILD, 'updates', 'made-of'), digest(wide, rebuilt)
    if os.path.exists(stamp) and open(stamp).read() == made_of:
        return
    say('building: another layout, without a migration')
    wide.build()
    for server in SERVERS:
        with open(wide.program(server), 'rb') as file:
            write(silent(server), file.read())
    say('building: the same layout')
    rebuilt.build()
    for server in SERVERS:
        wide.add_migration(server, program(BUILD, server))
    say('building: migrations')
    wide.build()
    for server in SERVERS:
        rebuilt.add_migration(server, wide.program(server))
    rebuilt.build()
    write(stamp, made_of)


def silent(server):
    """The one that has another layout and no migration."""
    return os.path.join(BUILD, 'updates', 'silent', server)


def fill(overlay, server, wide, rebuilt):
    folder = os.path.join(overlay, 'u', server)
    os.makedirs(folder)
    for name, path in (('present', program(BUILD, server)), ('rebuilt', rebuilt.program(server)), ('wide', wide.program(server))):
        with open(path, 'rb') as file:
            write(os.path.join(folder, name), file.read())
    other = program(BUILD, SERVERS[(SERVERS.index(server) + 1) % len(SERVERS)])
    expected = damaged(server, wide.program(server), silent(server), other, folder)
    for name in os.listdir(folder):
        command('objcopy', '--strip-debug', os.path.join(folder, name))
    with open(os.path.join(folder, 'wide'), 'rb') as file:
        data = file.read()
    write(os.path.join(folder, 'cut'), data[:len(data) // 3])
    return expected
