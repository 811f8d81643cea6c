"""The recovery stage: servers are destroyed under load, and nobody notices."""
import importlib.machinery
import importlib.util
import os
import re
import subprocess
import tempfile

from .guest import keep_log, run
from .report import TOP, command

CAMPAIGN = os.path.join(TOP, 'tests', 'campaign')


def load_script(path):
    loader = importlib.machinery.SourceFileLoader('demo', path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('demo', loader))
    loader.exec_module(module)
    return module


def recovery(report):
    ok, text = load_script(os.path.join(CAMPAIGN, 'demo')).demo(30, say=lambda line: report.remark(line))
    report.check('output identical while every server is killed every 50 ms', ok, text)
    with tempfile.TemporaryDirectory() as overlay:
        subprocess.run(['musl-gcc', '-static', '-O2', '-Wall', '-Wextra', '-Werror', '-o', f'{overlay}/oracle', f'{CAMPAIGN}/oracle.c'], check=True)
        quiet = run('/oracle', '4', '10', options=['--overlay', overlay])
        report.check('the oracle finds nothing undisturbed', quiet.status == 0, quiet.explain())
        log = os.path.join(overlay, 'log')
        for seed in (1, 2):
            sampled_kills(report, overlay, seed)
    enumerated_kills(report)


# Each server has some of these to do; tools/killpoints without arguments has all points of all operations.
KILL_POINT_OPERATIONS = ('rename', 'pipe', 'fork_wait', 'queued', 'sysv_sem', 'typed_line', 'console_output', 'supervise_kill')
KILL_POINT_STRIDE = 60
KILL_POINT_EACH = 9  # the point at which every transaction of every server ends, from boot to the end of the machine


def enumerated_kills(report):
    with tempfile.TemporaryDirectory() as folder:
        result = command(['tools/killpoints', '--short', '--fresh', '--state', f'{folder}/state.json', '--operations', ','.join(KILL_POINT_OPERATIONS),
                          '--stride', str(KILL_POINT_STRIDE), '--again', 'none', '--parts', 'pairs,each', '--each-first', str(KILL_POINT_EACH), '--each-last', str(KILL_POINT_EACH)], 900)
        keep_log('killpoints', result)
        text = result.out.decode(errors='replace')
        total = re.search(r'points (\d+) recovery points \d+ each: boots 1 ends (\d+)', text)
        report.remark(text.splitlines()[-1] if text else 'no output')
        report.check('every operation is exact while servers end at enumerated points', result.status == 0 and total and int(total.group(1)) > 50 and
                     int(total.group(2)) > 500, result.explain())


def sampled_kills(report, overlay, seed):
    """Boots of growing length, for machines of any speed, until at least 100 incarnations were destroyed while they ran."""
    log = os.path.join(overlay, 'log')
    for rounds in (20, 100, 500):
        result = run('/oracle', '4', str(rounds), options=['--overlay', overlay, '--log', log, '--kernel-option', 'kill-every=3000',
                                                           '--kernel-option', f'kill-seed={seed}'], seconds=240)
        keep_log(f'recovery-{seed}', result)
        with open(log, errors='replace') as f:
            kernel = f.read()
        kills = re.search(r'kills (\d+) running (\d+) waiting', kernel)
        enough = kills and int(kills.group(1)) > 100
        if enough or result.status != 0:
            break
    report.remark(f'seed {seed}: {kills.group(0) if kills else "no kills"}; {result.out.decode(errors="replace").splitlines()[-1:]}')
    report.check(f'exactly once under kills at random instructions, seed {seed}', result.status == 0 and enough and 'panic' not in kernel,
                 result.explain() + kernel[-2000:])
