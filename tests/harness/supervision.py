"""The supervisor in QEMU: svc(8) lists, kills, crashes, hangs, restarts and updates servers, and nobody notices."""
import json
import os
import re
import shutil
import subprocess
import tempfile

from .guest import keep_log, musl, run
from .report import BUILD

SERVERS = ('serial', 'vfs', 'proc', 'sig', 'ipcd', 'tty', 'net')

# A program that says nothing about its keep.
SILENT = '.globl _start\n_start: movq %rax, 0x10\n'

# chmod of /dev/hostout, its standard output in the guest: io.set_mode at tty.
CHMOD = '#include <stdio.h>\n#include <sys/stat.h>\nint main(void)\n{\n\tif (fchmod(3, 0622) != 0)\n\t\tperror("fchmod");\n\treturn 0;\n}\n'

SCRIPT = r'''
svc=/sbin/svc
part() { echo "== $1"; }
alive() { [ "$(echo a | cat)" = a ] && [ -d /proc/self ] && date > /tmp/f && [ -s /tmp/f ] && kill -0 $$ && echo alive; }
part first; $svc list --json
part kill; for s in serial vfs proc sig ipcd tty net root; do $svc kill $s && alive; done
part killed; $svc list --json
part crash; for s in serial vfs proc sig ipcd tty net; do $svc crash $s && alive; done
part hang; $svc hang proc && alive; $svc hang vfs && alive
part restart; $svc restart sig && $svc restart root && alive; $svc restart tty --cold && alive
part update; $svc update tty /new/tty && alive; $svc update tty /new/bad; echo "status $?"; alive
part ladder; exec 3> /dev/hostout
$svc update tty /new/poison && /new/chmod 2>&1 && alive; $svc update tty /new/poison2 && /new/chmod 2>&1; alive; $svc update tty /new/tty && /new/chmod && alive
part trial; $svc update tty /new/poison --trial 60; sleep 2; $svc update tty; /new/chmod && $svc update tty 2>&1; $svc update tty /new/poison --trial 60; \
$svc update tty --back; /new/chmod && alive; $svc update tty --back 2>&1; echo "status $?"
part under_way; $svc update ipcd /new/ipcd --trial 60; $svc update ipcd /new/ipcd 2>&1; $svc update ipcd --back; alive
part campaign; $svc campaign 20 serial vfs proc sig ipcd tty net root; i=0; while [ $i -lt 40 ]; do alive; i=$((i + 1)); done | sort | uniq -c; $svc campaign 0
part log; $svc log
part since; $svc log --since 3 | head -n 1
part json; $svc log --json
part last; $svc list --json
part errors; for c in "kill nobody" "crash root" "frobnicate" "campaign x vfs" "campaign 10" "update tty /new/junk" "update tty /new/silent" \
    "update tty /new/tty --trial x" "log --since x"; do $svc $c; echo "status $?"; done
part user; su user -c "$svc list"; echo "status $?"; ls -l /dev/supervisor
part end
'''


def poison(source, target, *functions):
    """A copy of a program whose functions begin with an undefined instruction."""
    data = bytearray(open(source, 'rb').read())
    symbols = dict(reversed(line.split()[0::2]) for line in subprocess.check_output(['nm', source], text=True).splitlines() if len(line.split()) == 3)
    headers = [line.split() for line in subprocess.check_output(['readelf', '-lW', source], text=True).splitlines()]
    for function in functions:
        address = int(symbols[function], 16)
        for offset, start, size in ((int(h[1], 16), int(h[2], 16), int(h[4], 16)) for h in headers if h[:1] == ['LOAD']):
            if start <= address < start + size:
                data[address - start + offset:address - start + offset + 2] = b'\x0f\x0b'
    with open(target, 'wb') as f:
        f.write(data)


def overlay_of(folder):
    os.makedirs(folder + '/new')
    shutil.copy(f'{BUILD}/servers/tty/tty', folder + '/new/tty')
    shutil.copy(f'{BUILD}/servers/ipcd/ipcd', folder + '/new/ipcd')
    poison(f'{BUILD}/servers/tty/tty', folder + '/new/bad', 'server_start')
    poison(f'{BUILD}/servers/tty/tty', folder + '/new/poison', 'io_serve_set_mode')
    poison(f'{BUILD}/servers/tty/tty', folder + '/new/poison2', 'io_serve_set_mode', 'results_give_up')
    with open(folder + '/chmod.c', 'w') as f:
        f.write(CHMOD)
    musl(folder + '/chmod.c', folder + '/new/chmod')
    with open(folder + '/new/junk', 'w') as f:
        f.write('junk\n')
    subprocess.run(['gcc', '-static', '-nostdlib', '-no-pie', '-Wl,--build-id=none', '-x', 'assembler', '-o', folder + '/new/silent', '-'],
                   input=SILENT, text=True, check=True)


def parts_of(text):
    return dict(re.findall(r'^== (\w+)\n(.*?)(?=^== )', text, re.S | re.M))


def by_server(text):
    return {line['server']: line for line in json.loads(text)}


def check_lists(report, part):
    first, killed, last = (by_server(part[name]) for name in ('first', 'killed', 'last'))
    report.check('list: every server runs its first incarnation', set(first) == {'root', *SERVERS} and
                 all(s['incarnation'] == 1 and s['state'] == 'running' for s in first.values()), part['first'])
    report.check('kill: every server is another incarnation', all(s['incarnation'] == 2 and s['restarts'] == 1 for s in killed.values()), part['killed'])
    report.check('in the end all run', all(s['state'] == 'running' and s['restarts'] >= 5 for s in last.values()), part['last'])


def check_log(report, part):
    log = part['log']
    for name in SERVERS:
        report.check(f'log: {name} crashed', re.search(rf'{name} incarnation \d+: exception 14, error 0x14, address 0x1000; restarted\n'
                                                       r'  served \w.* after \d+ requests\n  rip=0x1000 ', log), log)
    for name in ('proc', 'vfs'):
        report.check(f'log: {name} hung', re.search(rf'{name} incarnation \d+: hang; restarted', log), log)
    for action, count in (('restarted', 2), ('request given up', 2), ('started with nothing', 1)):
        report.check(f'log: {action}', len(re.findall(rf'tty incarnation \d+: exception 6, error 0x0, address 0x0; {action}(?: after \d+ ms)?\n'
                                                      r'  served io.set_mode of process \d+', log)) == count, log)
    report.check('log: a cold start', re.search(r'tty incarnation \d+: restart; started with nothing', log), log)
    report.check('log: an update taken back', re.search(r'tty incarnation \d+: exception 6, error 0x0, address 0x0; update taken back', log), log)
    incidents = json.loads(part['json'])
    numbers = [i['number'] for i in incidents]
    report.check('log --json: the same in order', numbers == list(range(numbers[0], numbers[0] + len(numbers))), part['json'])
    report.check('log --json: registers', any(i['cause'] == 'exception' and i['registers']['rip'] == '0x1000' and i['backtrace'] for i in incidents))
    report.check('log --since', re.match(r'[4-9]', part['since']), part['since'])
    report.check('log: nothing of the campaign', 'campaign' not in log, log)


def supervision(report):
    with tempfile.TemporaryDirectory() as overlay:
        os.chmod(overlay, 0o755)
        overlay_of(overlay)
        with open(overlay + '/supervision.sh', 'w') as f:
            f.write(SCRIPT)
        result = run('sh', '-c', 'sh /supervision.sh 2>&1', options=['--overlay', overlay], seconds=55)
    keep_log('supervision', result)
    part = parts_of(result.text)
    if not report.check('the guest went through', result.status == 0 and 'user' in part, result.explain()):
        return
    check_lists(report, part)
    check_log(report, part)
    report.check('ladder: the second fault of a request answers it with EIO', part['ladder'].startswith('done\nfchmod: I/O error\nalive\n'), part['ladder'])
    report.check('ladder: then a cold start', part['ladder'].endswith('alive\ndone\nalive\n'), part['ladder'])
    for name, count in (('kill', 8), ('crash', 7), ('hang', 2), ('restart', 2), ('update', 2)):
        report.check(f'{name}: nobody notices', part[name].count('alive\n') == count, part[name])
    report.check('update: done, and taken back', 'done\n' in part['update'] and 'the new program failed' in part['update'], part['update'])
    report.check('campaign: nobody notices', '     40 alive\n' in part['campaign'], part['campaign'])
    report.check('a long trial: a fault in it is not seen, and the old program is back',
                 part['trial'].startswith('on trial\non trial\nsvc: the new program failed; the old one goes on\n'), part['trial'])
    report.check('a long trial: taken back by command', part['trial'].endswith('on trial\ntaken back\nalive\nsvc: tty: no program is on trial\nstatus 1\n'),
                 part['trial'])
    report.check('a long trial: no other update meanwhile, though it is a boot module that would come back',
                 part['under_way'] == 'on trial\nsvc: ipcd: there is an update under way\ntaken back\nalive\n', part['under_way'])
    report.check('errors are told', part['errors'].count('status 1\n') == 8 and part['errors'].count('status 2\n') == 1 and part['errors'].count('svc: ') == 9,
                 part['errors'])
    report.check('for root only', 'only root may do this' in part['user'] and 'crw-------' in part['user'], part['user'])
