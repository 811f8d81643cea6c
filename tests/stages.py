#!/usr/bin/python3
"""The stages of ./test: builds, host suites, guest tests. A line per test; ends with "N passed, N failed".

Usage: stages.py [--list] [STAGE...]. Stages are independent, in this order if they are named, and all build what they need. A stage is a
function in tests/harness/ that takes a Report. Logs of guest runs are left in build/test-logs.
"""
import sys
import threading
import time
import traceback

from harness import builds, example, faults, guest, model, recovery, supervision, terminal, update
from harness.report import Report

STAGES = {
    'build': builds.build,              # everything that boots, and the host tests, with clang
    'gcc': builds.gcc,                  # the same sources are clean under gcc
    'unit': builds.unit,                # Criterion suites and the stubgen corpus
    'sanitized': builds.sanitized,      # the same suites under AddressSanitizer and UndefinedBehaviorSanitizer
    'fuzz': builds.fuzz,                # a short run of each libFuzzer target
    'model': model.model,               # the model of recovery holds for two crashes, and every mutant of it is caught
    'rebuild': builds.rebuild,          # an edit of idl/vfs.idl rebuilds its users only
    'example': example.example,         # docs/guide/example-server.md: its server is built from the page, and killed at work
    'boot': guest.boot,                 # BIOS and UEFI, one CPU and two, exit statuses, --posix-trace, panic
    'programs': guest.programs,         # static musl programs by --overlay
    'shell': guest.shell,               # tests/guest/checks.sh against Linux
    'ipc': guest.ipc,                   # System V IPC against Linux
    'net': guest.net,                   # sockets against Linux, also while net is killed
    'glibc': guest.glibc,               # Debian's dash, bash and coreutils, dynamically linked
    'terminal': terminal.terminal,      # the interactive shell on a pseudo-terminal
    'stress': guest.stress,             # one minute of everything on two CPUs, and nothing leaked
    'recovery': recovery.recovery,      # servers are destroyed under load, and nobody notices
    'supervision': supervision.supervision,  # svc: servers are killed, crashed, hung, restarted, updated
    'update': update.update,            # svc update under load: other programs, other layouts, failures
    'faults': faults.faults,            # mutated servers and flipped bits: recovered, or found for what they are
    'hostile': guest.hostile,           # random traps and messages by an ordinary user
    'bench': guest.bench,               # the benchmarks run and print their lines (no limits on the figures)
}
HOST = ('gcc', 'unit', 'sanitized', 'fuzz', 'model')  # no guest
# Only if they are named: too long for every day.
CAMPAIGNS = {
    'endurance': guest.endurance,       # the stress of 20 minutes
}


def run(names, report):
    for name in names:
        began = time.monotonic()
        report.stage = name
        try:
            (STAGES | CAMPAIGNS)[name](report)
        except Exception:
            traceback.print_exc()
            report.failed('stage', 'raised an exception')
        print(f'# {name}: {time.monotonic() - began:.0f} s', flush=True)


def run_all(report):
    """Builds; then what runs on the host beside what runs in a guest, which waits much of its time."""
    other = Report()
    run(['build'], report)
    beside = threading.Thread(target=run, args=(HOST, other))
    beside.start()
    run([name for name in STAGES if name != 'build' and name not in HOST], report)
    beside.join()
    report.passes += other.passes
    report.failures += other.failures


def main():
    names = sys.argv[1:]
    if names == ['--list']:
        print('\n'.join(STAGES | CAMPAIGNS))
        return 0
    unknown = [n for n in names if n not in STAGES | CAMPAIGNS]
    if unknown:
        print(f'test: no stage named {unknown[0]}; --list shows them', file=sys.stderr)
        return 2
    report, began = Report(), time.monotonic()
    if names:
        run(names, report)
    else:
        run_all(report)
    print(f'# {time.monotonic() - began:.0f} s in all')
    print(f'{report.passes} passed, {report.failures} failed')
    return report.failures != 0


if __name__ == '__main__':
    sys.exit(main())
