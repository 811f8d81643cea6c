"""The interactive shell, driven as a person would: ./run on a pseudo-terminal."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

from .report import TOP, command

PROMPT = r'root@portico:[^\n]*[#$] '


class Console:
    def __init__(self, *options):
        self.seen = ''
        self.rest = ''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(TOP)
            os.environ['TERM'] = 'vt100'
            os.execv('./run', ['./run', *options])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))

    def expect(self, pattern, seconds=30):
        """Waits for the pattern and returns the text up to its end; raises TimeoutError with what was seen."""
        end = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.seen)
            if found:
                text, self.seen = self.seen[:found.end()], self.seen[found.end():]
                return text
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise TimeoutError(f'no {pattern!r} in {self.seen[-1500:]!r}')
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                data = b''
            if not data:
                raise TimeoutError(f'ended before {pattern!r}: {self.seen[-1500:]!r}')
            text = self.rest + data.decode(errors='replace')
            # An escape sequence may come in two pieces.
            self.rest = re.search(r'(\x1b(\[[0-9;?]*)?)?\Z', text).group()
            text = text[:len(text) - len(self.rest)]
            self.seen += re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', text).replace('\r', '')
            # Requests for the cursor position are answered as a terminal would.
            if '\x1b[6n' in text:
                column = len(self.seen) - self.seen.rfind('\n')
                os.write(self.fd, f'\x1b[24;{column}R'.encode())

    def send(self, text):
        os.write(self.fd, text.encode())

    def command(self, line, seconds=30):
        """Types a line; the output up to the next prompt."""
        self.send(line + '\r')
        self.expect(re.escape(line[-20:]) + r'\n', seconds)
        return re.sub(PROMPT + r'\Z', '', self.expect(PROMPT, seconds))

    def ended(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            while select.select([self.fd], [], [], 0)[0]:
                try:
                    if not os.read(self.fd, 4096):
                        break
                except OSError:
                    break
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.1)
        return None

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
            if self.ended(5) is None:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        os.close(self.fd)


def line_editing(c):
    c.send('echo helo\x1b[Dl\r')            # left arrow, insert
    assert 'hello\n' in c.expect('hello\n' + PROMPT), 'cursor left and insert'
    c.send('\x1b[A\r')                      # history
    c.expect('hello\n' + PROMPT)
    c.send('echo abcX\x7fd\r')              # backspace
    c.expect('abcd\n' + PROMPT)
    c.send('garbage\x15echo clean\r')       # Ctrl-U
    c.expect('\nclean\n' + PROMPT)
    c.send('echo /etc/hostn\t\r')           # completion
    c.expect('/etc/hostname\n' + PROMPT)


def start_sleeping(c):
    """A job that is known to run: a character typed before its group is in the foreground is for the shell, on Linux too."""
    c.send("sh -c 'echo ready; exec sleep 100'\r")
    c.expect('\nready\n')
    time.sleep(1)


def interrupt(c):
    c.send('(echo ready; sleep 100) | cat | cat\r')
    c.expect('\nready\n')
    c.send('\x03')
    c.expect(PROMPT)
    assert c.command('echo $?').strip() == '130', 'status after Ctrl-C'
    assert 'sleep 100' not in c.command('ps'), 'the pipeline is gone'
    c.send('unfinished line\x03')
    c.expect(PROMPT)
    assert c.command('echo fine').strip() == 'fine'


def stop_and_continue(c):
    start_sleeping(c)
    c.send('\x1a')
    c.expect(r'Stopped')
    c.expect(PROMPT)
    assert re.search(r'\[1\]\+? +Stopped .*exec sleep 100', c.command('jobs')), 'jobs shows it stopped'
    c.command('bg')
    assert re.search(r'\[1\]\+? +Running .*exec sleep 100', c.command('jobs')), 'bg lets it run'
    c.send('fg\r')
    c.expect('exec sleep 100')
    time.sleep(1)
    c.send('\x1a')
    c.expect('Stopped')
    c.expect(PROMPT)
    c.command('kill %1')
    c.command('bg')             # a stopped job sees the signal when it goes on
    c.command('sleep 1')
    assert 'sleep' not in c.command('ps | grep -v grep | grep sleep'), 'kill %1 ends it'


def background_read(c):
    c.send('cat &\r')
    c.expect(PROMPT)
    c.command('sleep 1')
    assert re.search(r'Stopped', c.command('jobs')), 'a background reader is stopped by SIGTTIN'
    c.command('kill -9 %1; wait')
    c.command('true')


def canonical_input(c):
    c.send('echo ready; cat\r')  # what is typed before the shell leaves raw mode would not be edited
    c.expect('\nready\n')
    c.send('typed\x7f\x7fed twice\r')
    c.expect('ed twice\n')       # the echo, with what rubs out two letters
    c.expect('typed twice\n')
    c.send('\x04')
    c.expect(PROMPT)
    c.send('echo ready; cat > /tmp/typed\r')
    c.expect('\nready\n')
    c.send('one\rtwo\r\x04')
    c.expect(PROMPT)
    assert c.command('cat /tmp/typed') == 'one\ntwo\n'


def terminal_settings(c):
    assert c.command('tty').strip().startswith('/dev/'), 'tty has a name'
    text = c.command('stty -a')
    assert 'speed' in text and 'icanon' in text and 'isig' in text, text
    c.send("stty -echo; read x; stty echo; echo got-$x\r")
    time.sleep(1)
    c.send('secret\r')
    text = c.expect('got-secret\n')
    assert 'secret\n' not in text.replace('got-secret\n', '').split('echo got-$x\n')[-1], 'nothing echoed'
    c.expect(PROMPT)
    assert c.command('stty rows 30 cols 100; stty size').strip() == '30 100'
    # Fields 5, 7 and 8 of man 5 proc: the group, the terminal, its foreground group. The console is the line ttyS0.
    group, number, foreground = c.command('cut -d" " -f5,7,8 /proc/self/stat').split()
    assert number == '1088' and foreground == group, 'the terminal in /proc'
    text = c.command('sh -c "true; setsid cut -d\\  -f7,8 /proc/self/stat; true"').strip()
    assert text == '0 -1', f'no terminal in another session: {text}'


def full_screen_editor(c):
    c.send('vi /tmp/edited\r')
    c.expect('~~~[^%]*- /tmp/edited[^%]*%')
    c.send('ihello from vi\x1b')
    c.expect('- /tmp/edited .Modified[^%]*%')
    c.send(':wq\r')
    c.expect(PROMPT)
    assert c.command('cat /tmp/edited').strip() == 'hello from vi'


STEPS = (line_editing, interrupt, stop_and_continue, background_read, canonical_input, terminal_settings, full_screen_editor)


def terminal(report):
    built = command(['./run', '--build-only'], 1200)
    if built.status != 0:
        report.failed('build', built.explain())
        return
    c = Console('--timeout', '240')
    try:
        c.expect(PROMPT, 120)
        report.passed('prompt')
        for step in STEPS:
            try:
                step(c)
                report.passed(step.__name__)
            except (AssertionError, TimeoutError) as error:
                report.failed(step.__name__, f'{error}\nscreen: {c.seen[-800:]}')
                c.send('\x03\r')
                time.sleep(1)
                c.seen = ''
                c.send('\r')
                c.expect(PROMPT, 20)
        c.send('poweroff\r')
        report.check('poweroff ends QEMU with status 0', c.ended(30) == 0)
    except TimeoutError as error:
        report.failed('console', str(error))
    finally:
        c.close()
    c = Console('--timeout', '120')
    try:
        c.expect(PROMPT, 120)
        c.send('\x01x')
        report.check('Ctrl-A X ends it', c.ended(15) is not None)
    except TimeoutError as error:
        report.failed('Ctrl-A X', str(error))
    finally:
        c.close()
