"""Boots that try one fault after the other; what was seen is kept, and a boot that is lost is followed by another at the next fault."""
import json
import os
import re
import select
import signal
import subprocess
import tempfile
import time

from . import programs

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get('PORTICO_BUILD', os.path.join(TOP, 'build'))
FOLDER = os.path.join(BUILD, 'faults')
SILENCE = {'trial': 75, 'permanent': 150, 'flip': 150}  # seconds without a line: nobody there will say anything any more
BOOT = 200        # faults in one boot at most: the plan and the journal stay small
FIELDS = ('what', 'problem', 'incident_count', 'incidents', 'operations', 'bad', 'first', 'stuck', 'healthy', 'activated', 'after', 'answer', 'ms')
NUMBERS = ('incident_count', 'operations', 'bad', 'stuck', 'healthy', 'activated', 'ms')
INCIDENT = ('server', 'cause', 'action', 'request', 'requests', 'rip', 'vector', 'address', 'delay_ms')
SOURCES = ('mutants', 'operations', 'operations_ipc', 'operations_net', 'standing', 'device')


class State:
    """The faults that are done: by id, in a file that is only appended to. Those of another build of the server do not count."""

    def __init__(self, mode, server, seed, folder=FOLDER):
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, f'{seed}-{mode}-{server}.jsonl')
        self.done = {}
        if os.path.exists(self.path):
            with open(self.path) as f:
                for line in f:
                    self.note(json.loads(line))

    def note(self, fault):
        program = fault.get('program')
        self.done = {i: f for i, f in self.done.items() if f['server'] != fault['server'] or f.get('program') == program}
        self.done[fault['id']] = fault

    def add(self, fault):
        self.note(fault)
        with open(self.path, 'a') as f:
            f.write(json.dumps(fault) + '\n')


def parse(parts):
    """The fields of a line of observations."""
    seen = dict(zip(FIELDS, parts))
    for name in NUMBERS:
        seen[name] = int(seen[name])
    seen['incidents'] = [dict(zip(INCIDENT, i.split(','))) for i in seen['incidents'].split(';') if i]
    return seen


class Workshop:
    """The compiled load, the programs and the profile, for as long as it is open."""

    def __init__(self, smp=1):
        self.smp = smp
        self.folder = tempfile.TemporaryDirectory()

    def __enter__(self):
        subprocess.run([os.path.join(TOP, 'run'), '--build-only'], check=True)
        self.overlay = self.folder.name
        os.chmod(self.overlay, 0o755)
        os.makedirs(self.overlay + '/faults')
        subprocess.run(['musl-gcc', '-static', '-O2', '-Wall', '-Wextra', '-Werror', '-o', self.overlay + '/mutants',
                        *(os.path.join(TOP, 'tests', 'campaign', f'{s}.c') for s in SOURCES)], check=True)
        self.programs = {s: programs.Program(BUILD, s, self.overlay + '/faults') for s in programs.SERVERS}
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def command(self, plan, seconds, *options):
        with open(self.overlay + '/faults/plan', 'w') as f:
            f.write('\n'.join(plan) + '\n')
        return [os.path.join(TOP, 'run'), '--timeout', str(seconds), '--smp', str(self.smp), '--overlay', self.overlay, *options, '--', '/mutants', '/faults']

    # ---- the profile ----

    def executed(self):
        """Addresses that the undisturbed load executes, for each server, by QEMU's log of what it translates."""
        log = self.overlay + '.asm'
        options = [w for word in ('-d', 'in_asm', '-D', log, '-dfilter', '0x400000..0x480000') for w in ('--qemu', word)]
        result = subprocess.run(self.command(['profile'], 120, *options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        if result.returncode != 0 or result.stdout.count(b'\tgood\t') != 3 * len(programs.SERVERS):
            raise RuntimeError('the profile failed: ' + result.stdout.decode(errors='replace')[-2000:])
        found = {s: set() for s in self.programs}
        with open(log) as f:
            for block in f.read().split('----------------'):
                lines = re.findall(r'^0x0*([0-9a-f]+):  ((?:[0-9a-f]{2} )+)', block, re.M)
                self.attribute([(int(a, 16), bytes.fromhex(b)) for a, b in lines], found)
        os.unlink(log)
        return found

    def attribute(self, block, found):
        """All servers lie at the same addresses: a block is theirs who have its bytes there."""
        for name, program in self.programs.items():
            if block and all(program.has(a, b) for a, b in block):
                found[name].update(a for a, _ in block if a in program.by_address)

    # ---- boots ----

    def run(self, faults, state, say=print, seconds=None):
        """Tries those that are not done yet; not longer than so many seconds."""
        by_id = {f['id']: f for f in faults}
        self.until = time.monotonic() + seconds if seconds else float('inf')
        while (left := [f for f in faults if state.done.get(f['id'], {}).get('program') != f['program']]) and time.monotonic() < self.until:
            began = time.monotonic()
            done = self.boot(left[:BOOT], by_id, state)
            say(f'{left[0]["server"]}: {len(faults) - len(left) + done} of {len(faults)} done ({done} in {time.monotonic() - began:.0f} s)')

    def plan_line(self, f):
        if f['mode'] == 'flip':
            return f'flip {f["id"]} {f["server"]} {f["fraction"]} {f["where"]}'
        mode = 'unexecuted' if f['mode'] == 'trial' and not f['executed'] else f['mode']
        return f'mutant {f["id"]} {f["server"]} {f["offset"]} {f["old"]} {f["new"]} {f["address"]:x} {mode}'

    def boot(self, faults, by_id, state):
        """Returns how many were tried."""
        log = os.path.join(FOLDER, 'log')
        command = self.command([self.plan_line(f) for f in faults], 3600, '--log', log)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
        seen, current, why, text = {}, None, '', []
        silence = SILENCE[faults[0]['mode']]
        for line in lines_of(process, silence, self.until):
            text = [*text[-20:], line]
            m = re.search(r'@@\t(\S+)\t(.*)\t@\.', line)
            if not m:
                continue
            parts = m.group(2).split('\t')
            current = m.group(1)
            if parts[0] != 'begin':
                seen.setdefault(current, {})[parts[0]] = parse(parts)
                current = None
        if process.poll() is None:
            why = f'no line for {silence} seconds'
            os.killpg(process.pid, signal.SIGTERM)
        status = process.wait()
        process.stdout.close()
        if not seen and current is None and time.monotonic() < self.until:
            raise RuntimeError(f'a boot in which nothing was tried, status {status}:\n' + '\n'.join(text))
        remarks = {}
        if os.path.exists(log):
            with open(log, 'rb') as f:
                remarks = split_log(f.read().decode(errors='replace'))
        for id_, result in seen.items():
            state.add({**by_id[id_], **result, 'log': remarks.get(id_, [])[-12:]})
        if current is not None and time.monotonic() < self.until:
            lost = why or f'the boot ended with status {status}'
            state.add({**by_id[current], **seen.get(current, {}), 'lost': lost, 'log': remarks.get(current, [])[-40:]})
            seen[current] = lost
        return len(seen)


def lines_of(process, silence, limit):
    """Lines as they come; ends with the output, or when there was no observation for too long."""
    fd, text, until = process.stdout.fileno(), b'', time.monotonic() + silence
    while select.select([fd], [], [], max(0, min(until, limit) - time.monotonic()))[0]:
        data = os.read(fd, 65536)
        if not data:
            return
        *lines, text = (text + data).split(b'\n')
        for line in lines:
            if b'@@' in line:
                until = time.monotonic() + silence
            yield line.decode(errors='replace')


def split_log(text):
    """The kernel's log by faults: what was logged from one mark to the next."""
    remarks, current = {}, None
    for line in text.splitlines():
        m = re.search(r'fault (\S+-[tpf]\d+)$', line)
        if m:
            current = m.group(1)
        elif current:
            remarks.setdefault(current, []).append(line[:300])
    return remarks
