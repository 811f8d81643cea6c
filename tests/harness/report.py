"""Counting and printing test results, and running commands with a time limit."""
import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, 'build')
LOGS = os.path.join(BUILD, 'test-logs')


class Report:
    def __init__(self):
        self.passes = self.failures = 0
        self.stage = ''

    def passed(self, name, count=1):
        self.passes += count
        print(f'ok   {self.stage}: {name}', flush=True)

    def failed(self, name, why='', count=1):
        self.failures += count
        print(f'FAIL {self.stage}: {name}', flush=True)
        for line in why.strip().splitlines()[-30:]:
            print('     ' + line[:300], flush=True)

    def remark(self, text):
        print(f'# {text}', flush=True)

    def check(self, name, good, why=''):
        (self.passed(name) if good else self.failed(name, why))
        return good


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def text(self):
        return self.out.decode('utf-8', 'backslashreplace')

    def explain(self):
        tail = self.err.decode('utf-8', 'backslashreplace').splitlines()[-15:]
        ended = 'ended at the time limit' if self.status == 124 else f'status {self.status}'
        return self.text[-1500:] + '\n' + '\n'.join(tail) + '\n' + ended


def command(arguments, seconds, **options):
    """Runs a command in the top folder; status 124 if it had to be ended."""
    options.setdefault('cwd', TOP)
    options.setdefault('stdin', subprocess.DEVNULL)
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **options)
    try:
        out, err = process.communicate(timeout=seconds)
        return Result(process.returncode, out, err)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 15)
        try:
            out, err = process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            out, err = process.communicate()
        return Result(124, out, err)
