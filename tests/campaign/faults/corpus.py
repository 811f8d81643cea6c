"""The faults of a campaign: chosen by a seed among the instructions of a server, and bits of its keep."""
import os
import random
import subprocess
import tempfile

from .mutate import KINDS

EXECUTED = 0.9  # share of faults at instructions that the load executes
SKIPPED = ('_start', 'server_hang_here')


def candidates(program, kind, executed, part, rng):
    """Faults of a kind: (at executed instructions, at others), each in the seed's order."""
    chosen = ([], [])
    for i in program.instructions:
        if program.part(i) != part or i.function in SKIPPED or len(i.bytes) < 2 or len(i.bytes) > 15:
            continue
        new = KINDS[kind](i, program, rng)
        if new is not None and new != i.bytes:
            chosen[i.address not in executed].append((i, new))
    rng.shuffle(chosen[0])
    rng.shuffle(chosen[1])
    return chosen


def pick(program, executed, count, part, rng):
    """`count` faults, the kinds in equal parts as far as there are enough."""
    lists = {kind: candidates(program, kind, executed, part, rng) for kind in KINDS}
    picked, used = [], set()
    while len(picked) < count and any(a or b for a, b in lists.values()):
        for kind, (hot, cold) in lists.items():
            source = hot if hot and (not cold or rng.random() < EXECUTED) else cold
            if not source or len(picked) == count:
                continue
            i, new = source.pop()
            if (i.address, new) in used:
                continue
            used.add((i.address, new))
            picked.append((kind, i, new))
    return picked


def decodes(faults):
    """Drops those whose bytes are no instructions of exactly that length."""
    if not faults:
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'bytes')
        with open(path, 'wb') as f:
            f.write(b''.join(new.ljust(32, b'\x90') for _, _, new in faults))
        text = subprocess.run(['objdump', '-D', '-w', '-b', 'binary', '-m', 'i386:x86-64', path], check=True, capture_output=True, text=True).stdout
    starts, bad = set(), set()
    for line in text.splitlines():
        parts = line.split('\t')
        if len(parts) >= 2 and parts[0].strip().rstrip(':'):
            address = int(parts[0].strip().rstrip(':'), 16)
            starts.add(address)
            if '(bad)' in line:
                bad.add(address // 32)
    return [f for n, f in enumerate(faults) if n not in bad and n * 32 + len(f[2]) in starts]


def mutants(program, executed, count, engine, seed, mode):
    """`count` of the server's own code, `engine` of the recovery's: half of them of its functions, half of the checks before stores."""
    rng = random.Random(f'{seed} {program.name} {mode}')
    faults = []
    for part, wanted in (('server', count), ('engine', (engine + 1) // 2), ('check', engine // 2)):
        for kind, i, new in decodes(pick(program, executed, wanted, part, rng)):
            faults.append({'id': f'{program.name}-{i.address:x}-{kind}-{new.hex()}', 'server': program.name, 'kind': kind, 'function': i.function,
                           'address': i.address, 'offset': program.offset(i.address), 'old': i.bytes.hex(), 'new': new.hex(), 'text': i.text,
                           'engine': part != 'server', 'part': part, 'program': program.digest, 'executed': i.address in executed, 'mode': mode})
    for n, f in enumerate(faults):
        f['id'] = f'{program.name}-{mode[0]}{n}'
    rng.shuffle(faults)
    return faults


def flips(program, count, seed):
    server = program.name
    rng = random.Random(f'{seed} {server} flip')
    return [{'id': f'{server}-f{n}', 'server': server, 'kind': 'flip', 'fraction': rng.randrange(1 << 32), 'where': ('any', 'used')[n % 2], 'mode': 'flip',
             'program': program.digest, 'engine': False} for n in range(count)]


def controls(vfs, proc):
    """Planted faults of which it is known what must become of them: (fault, class)."""
    def first(program, function):
        return next(i for i in program.instructions if i.function == function)

    def planted(name, program, function, new, mode, expected):
        i = first(program, function)
        offset = program.offset(i.address)
        return {'id': f'control-{mode[0]}{name}', 'server': program.name, 'kind': 'control', 'function': function, 'address': i.address, 'offset': offset,
                'old': program.data[offset:offset + len(new)].hex(), 'new': new.hex(), 'text': i.text, 'program': program.digest, 'engine': False, 'executed': True, 'mode': mode}, expected

    same = vfs.data[vfs.offset(first(vfs, 'vfs_serve_rename').address):][:3]
    return [planted(0, vfs, 'vfs_serve_rename', same, 'trial', 'not activated'),
            planted(1, vfs, 'vfs_serve_rename', b'\x0f\x0b', 'trial', 'recovered'),               # ud2: faults at once
            planted(2, vfs, 'vfs_serve_make_directory', b'\xeb\xfe', 'trial', 'recovered'),       # jmp .: never ends
            planted(3, vfs, 'vfs_serve_rename', b'\xb8\xff\xff\xff\xff\xc3', 'trial', 'recovered'),  # return SERVER_PARKED, which is not true
            planted(4, vfs, 'vfs_serve_rename', b'\x31\xc0\xc3', 'trial', 'silent corruption'),   # return 0: says that it was done
            planted(5, proc, 'proc_reply_wait', b'\xc3\x90', 'trial', 'caller never answered'),   # forgets who waits
            planted(6, vfs, 'vfs_serve_rename', b'\x0f\x0b', 'permanent', 'request refused')]
