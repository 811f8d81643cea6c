"""Stages in QEMU: each boots the image by ./run and looks at what comes out."""
import glob
import os
import re
import shutil
import subprocess
import tempfile

from .report import BUILD, LOGS, TOP, command

PROGRAMS = os.path.join(TOP, 'tests', 'guest', 'programs')


def run(*arguments, options=(), seconds=120):
    """./run OPTIONS -- ARGUMENTS; the guest's own limit is below ours."""
    return command(['./run', '--timeout', str(seconds), *options, '--', *arguments], seconds + 240)


def keep_log(name, result):
    os.makedirs(LOGS, exist_ok=True)
    with open(os.path.join(LOGS, name), 'wb') as f:
        f.write(result.out + b'\n---- standard error\n' + result.err)


def musl(source, target, *flags):
    subprocess.run(['musl-gcc', '-static', '-O2', '-Wall', '-Wextra', '-Werror', '-I', os.path.join(TOP, 'include'), '-o', target, source,
                    '-idirafter', '/usr/include', '-idirafter', '/usr/include/x86_64-linux-gnu', *flags], check=True)


def boot(report):
    uname = run('/bin/busybox', 'uname', '-a')
    report.check('uname', uname.status == 0 and re.match(rb'Linux \S+ \S+ .*x86_64 GNU/Linux\n$', uname.out), uname.explain())
    for name, options in (('one CPU', ['--smp', '1']), ('four CPUs', ['--smp', '4']), ('UEFI', ['--uefi']), ('small memory', ['--mem', '64']),
                          ('instruction counting', ['--icount'])):
        result = run('sh', '-c', 'echo alive; exit 5', options=options)
        report.check(name, result.status == 5 and result.out == b'alive\n', result.explain())
    result = run('sh', '-c', 'echo to out; echo to err >&2; kill -9 $$')
    report.check('streams and status are kept apart', result.status == 137 and result.out == b'to out\n' and b'to err' in result.err, result.explain())
    result = run('sh', '-c', '(sleep 100; echo late) & echo early; exit 3', seconds=30)
    report.check('a command that leaves a child behind ends', result.status == 3 and result.out == b'early\n', result.explain())
    result = run('sleep', '100', seconds=15)
    report.check('124 at the timeout', result.status == 124, result.explain())
    result = run('/no/such/program')
    report.check('127 for a missing program', result.status == 127, result.explain())
    trace = run('sh', '-c', 'cat /etc/hostname', options=['--posix-trace'])
    text = (trace.out + trace.err).decode(errors='replace')
    report.check('--posix-trace shows calls with arguments and results', trace.status == 0 and re.search(r'open(at)?\(.*"/etc/hostname".*\) = \d', text), trace.explain())
    panic = run('sh', '-c', 'echo c > /proc/sysrq-trigger; sleep 5', seconds=60)
    text = (panic.out + panic.err).decode(errors='replace')
    report.check('a kernel panic prints registers and a backtrace with symbols, and fails',
                 panic.status == 125 and 'rip' in text.lower() and re.search(r'[a-z_]+\+0x[0-9a-f]+', text), panic.explain())
    broken_images(report)


def broken_images(report):
    """Modules that were cut off: a line that says which and why, and status 125."""
    with tempfile.TemporaryDirectory() as folder:
        for name, file, share, expected in (('root.cpio', 'root.cpio', 0.5, rb'root archive is cut off'),
                                            ('vfs', 'servers/vfs/vfs', 0.05, rb'program of vfs: a segment lies beyond the file'),
                                            ('libposix', 'libposix/libposix.elf', 0.05, rb'proc: panic: proc: libposix'),
                                            ('root', 'servers/root/root', 0.05, rb'root: the boot module is no static ELF64')):
            with open(os.path.join(BUILD, file), 'rb') as whole, open(f'{folder}/{name}', 'wb') as part:
                data = whole.read()
                part.write(data[:int(len(data) * share)])
            result = run('true', options=['--module', f'{name}={folder}/{name}'], seconds=30)
            report.check(f'{name} cut off', result.status == 125 and re.search(expected, result.err), result.explain())


def programs(report):
    with tempfile.TemporaryDirectory() as overlay:
        os.makedirs(overlay + '/tests')
        for name in ('threads', 'forks', 'leader', 'sigchld', 'segv'):
            musl(f'{PROGRAMS}/{name}.c', f'{overlay}/tests/{name}', '-pthread')
        for name in ('threads', 'forks', 'leader', 'sigchld', 'segv'):
            result = run(f'/tests/{name}', options=['--overlay', overlay], seconds=180)
            report.check(name, result.status == 0, result.explain())


def shell(report):
    tree = tempfile.mkdtemp()
    os.chmod(tree, 0o755)  # it becomes /, which everybody may search
    try:
        subprocess.run(['tools/mkroot', '-d', tree, os.path.join(BUILD, 'guest', 'portico-run')], check=True, cwd=TOP)
        script = os.path.join(TOP, 'tests', 'guest', 'checks.sh')
        reference = command([os.path.join(TOP, 'tests', 'guest', 'linux-reference'), tree, script], 300)
        with tempfile.TemporaryDirectory() as overlay:
            shutil.copy(script, overlay + '/checks.sh')
            result = run('sh', '-c', 'sh /checks.sh 2>&1', options=['--overlay', overlay, '--mem', '512'], seconds=600)
        keep_log('shell-linux', reference)
        keep_log('shell-portico', result)
        for name, data in (('reference', reference.out), ('result', result.out)):
            open(os.path.join(LOGS, f'shell-{name}.txt'), 'wb').write(data)
        compared = command([os.path.join(TOP, 'tests', 'guest', 'compare'), f'{LOGS}/shell-reference.txt', f'{LOGS}/shell-result.txt'], 60)
        print(compared.text[:8000], end='')
        numbers = re.search(r'^(\d+) passed, (\d+) failed$', compared.text, re.M)
        if not numbers:
            report.failed('comparison', compared.explain())
            return
        if int(numbers[1]):
            report.passed(f'{numbers[1]} checks equal to Linux', int(numbers[1]))
        if int(numbers[2]):
            report.failed(f'{numbers[2]} checks differ from Linux', '', int(numbers[2]))
    finally:
        shutil.rmtree(tree, ignore_errors=True)


def compare_lines(report, reference, result):
    """Lines "name: result" of Linux and the guest: the nth of one belongs to the nth of the other."""
    expected, got = reference.out.decode(errors='replace').splitlines(), result.out.decode(errors='replace').splitlines()
    different = [f'{a!r} on Linux, {b!r} here' for a, b in zip(expected, got) if a != b]
    if len(expected) != len(got):
        different.append(f'{len(expected)} lines on Linux, {len(got)} here')
    same = sum(a == b for a, b in zip(expected, got))
    if same:
        report.passed(f'{same} checks equal to Linux', same)
    if different:
        report.failed(f'{len(different)} checks differ from Linux', '\n'.join(different[:40]), len(different))
    return same


def suite(name, target):
    """Compiles a suite of tests/guest that is compared with Linux."""
    sources = sorted(glob.glob(os.path.join(TOP, 'tests', 'guest', name, '*.c')))
    musl(sources[0], target, *sources[1:], os.path.join(TOP, 'tests', 'guest', 'check', 'check.c'), '-pthread')


def ipc(report):
    """System V IPC: one static program on this machine's Linux, in an IPC name space of its own, and in the guest."""
    with tempfile.TemporaryDirectory() as overlay:
        os.makedirs(overlay + '/tests')
        program = overlay + '/tests/ipc'
        suite('ipc', program)
        reference = command(['unshare', '-i', program], 300)
        report.check('the suite ends on Linux', reference.status == 0, reference.explain())
        result = run('/tests/ipc', options=['--overlay', overlay, '--mem', '512'], seconds=300)
        keep_log('ipc-linux', reference)
        keep_log('ipc-portico', result)
        report.check('the suite ends', result.status == 0, result.explain())
        report.check('the suite is whole', compare_lines(report, reference, result) >= 705, 'fewer than 705 checks')
        ipc_killed(report, program, overlay)
    ipc_tools(report)


def ipc_killed(report, program, overlay):
    """Exact accounts although ipcd is killed every 20 ms."""
    reference = command(['unshare', '-i', program, 'storm'], 100)
    result = run('sh', '-c', '/sbin/svc campaign 20 ipcd > /dev/null; /tests/ipc storm; /sbin/svc campaign 0 > /dev/null; /sbin/svc list >&2',
                 options=['--overlay', overlay, '--mem', '512'], seconds=150)
    keep_log('ipc-killed', result)
    kills = re.search(rb'^ipcd\s+\S+\s+(\d+)', result.err, re.M)
    report.check('ipcd was killed at least 100 times', kills and int(kills[1]) > 100, result.explain())
    compare_lines(report, reference, result)


def ipc_tools(report):
    """Debian's ipcmk, ipcs and ipcrm."""
    with tempfile.TemporaryDirectory() as packages, tempfile.TemporaryDirectory() as overlay:
        unpack_packages(packages, ['util-linux', 'libc6'])
        os.makedirs(overlay + '/tools')
        for name in ('ipcmk', 'ipcs', 'ipcrm'):
            shutil.copy(f'{packages}/usr/bin/{name}', f'{overlay}/tools/{name}')
        for path in ('lib64/ld-linux-x86-64.so.2', 'lib/x86_64-linux-gnu/libc.so.6'):
            os.makedirs(os.path.dirname(f'{overlay}/{path}'), exist_ok=True)
            shutil.copy(os.path.realpath(f'{packages}/{path}'), f'{overlay}/{path}')
        shutil.copy(os.path.join(TOP, 'tests', 'guest', 'ipc', 'tools.sh'), overlay + '/tools.sh')
        reference = command(['unshare', '-i', 'env', f'PATH={overlay}/tools:/bin:/usr/bin', 'sh', overlay + '/tools.sh'], 60)
        result = run('sh', '-c', 'PATH=/tools:$PATH sh /tools.sh', options=['--overlay', overlay])
        keep_log('ipc-tools-linux', reference)
        keep_log('ipc-tools-portico', result)
        report.check('the tools end', result.status == 0, result.explain())
        report.check('the tools are whole', compare_lines(report, reference, result) >= 60, 'fewer than 60 lines')


NET_PARTS = ('basic', 'stream', 'names', 'connect', 'datagram', 'message', 'passing', 'credentials', 'options', 'poll', 'wait')


def net(report):
    """Sockets: one static program on this machine's Linux, in a network name space of its own, and in the guest."""
    with tempfile.TemporaryDirectory() as overlay:
        os.makedirs(overlay + '/tests')
        program = overlay + '/tests/net'
        suite('net', program)
        reference = command(['unshare', '-n', program, *NET_PARTS], 300)
        report.check('the suite ends on Linux', reference.status == 0, reference.explain())
        result = run('/tests/net', *NET_PARTS, options=['--overlay', overlay, '--mem', '512'], seconds=300)
        keep_log('net-linux', reference)
        keep_log('net-portico', result)
        report.check('the suite ends', result.status == 0, result.explain())
        report.check('the suite is whole', compare_lines(report, reference, result) >= 750, 'fewer than 750 checks')
        net_killed(report, program, overlay)


def net_killed(report, program, overlay):
    """No connection breaks, and nothing is lost or doubled, although net is killed every 20 ms."""
    reference = command(['unshare', '-n', program, 'storm'], 100)
    result = run('sh', '-c', '/sbin/svc campaign 20 net > /dev/null; /tests/net storm; /sbin/svc campaign 0 > /dev/null; /sbin/svc list >&2',
                 options=['--overlay', overlay, '--mem', '512'], seconds=150)
    keep_log('net-killed', result)
    kills = re.search(rb'^net\s+\S+\s+(\d+)', result.err, re.M)
    report.check('net was killed at least 100 times', kills and int(kills[1]) > 100, result.explain())
    compare_lines(report, reference, result)


def unpack_packages(folder, names):
    """Debian packages and the libraries that they need, unpacked."""
    packages = subprocess.run(['apt-cache', 'depends', '--recurse', '--no-recommends', '--no-suggests', '--no-conflicts', '--no-breaks', '--no-replaces',
                               '--no-enhances', *names], capture_output=True, text=True, check=True).stdout
    wanted = sorted({p for p in packages.split('\n') if re.match(r'^(lib[a-z0-9.+-]+|' + '|'.join(names) + ')$', p) and not p.endswith('-dev')})
    cache = os.path.join(BUILD, 'packages')
    os.makedirs(cache, exist_ok=True)
    missing = [p for p in wanted if not glob.glob(f'{cache}/{p}_*.deb')]
    if missing:
        subprocess.run(['apt-get', 'download', '-q', *missing], cwd=cache, check=True, capture_output=True)
    for package in wanted:
        subprocess.run(['dpkg', '-x', glob.glob(f'{cache}/{package}_*.deb')[0], folder], check=True)


def glibc(report):
    with tempfile.TemporaryDirectory() as overlay:
        unpack_packages(overlay, ['dash', 'bash', 'coreutils', 'libc6', 'libtinfo6'])
        for waste in ('usr/share', 'usr/lib/x86_64-linux-gnu/gconv'):
            shutil.rmtree(os.path.join(overlay, waste), ignore_errors=True)
        os.makedirs(overlay + '/deb')
        for old, new in (('bin/bash', 'deb/bash'), ('bin/dash', 'deb/dash')):
            shutil.copy(os.path.join(overlay, old), os.path.join(overlay, new))
        for folder in ('bin', 'usr/bin'):
            shutil.copytree(f'{overlay}/{folder}', overlay + '/deb/bin', symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(f'{overlay}/{folder}')
        script = os.path.join(TOP, 'tests', 'guest', 'glibc.sh')
        shutil.copy(script, overlay + '/glibc.sh')
        tree = tempfile.mkdtemp()
        os.chmod(tree, 0o755)
        try:
            subprocess.run(['tools/mkroot', '-d', tree, os.path.join(BUILD, 'guest', 'portico-run'), overlay], check=True, cwd=TOP)
            reference = command([os.path.join(TOP, 'tests', 'guest', 'linux-reference'), tree, script], 120)
        finally:
            shutil.rmtree(tree, ignore_errors=True)
        result = run('sh', '-c', 'sh /glibc.sh 2>&1', options=['--overlay', overlay, '--mem', '512'], seconds=300)
        keep_log('glibc-linux', reference)
        keep_log('glibc-portico', result)
        pattern = re.compile(rb'^== (\S+)\n(.*?\n-- status \d+)$', re.S | re.M)
        expected, actual = (dict(pattern.findall(r.out)) for r in (reference, result))
        report.check('the reference has its checks', len(expected) >= 15, reference.explain())
        for name, value in expected.items():
            report.check(name.decode(), actual.get(name) == value, f'expected {value!r}\ngot {actual.get(name)!r}')


def counters(text, name):
    found = re.search(rf'== {name}\n(.*?)(?===|\Z)', text, re.S)
    return dict((k, int(v)) for k, v in re.findall(r'^(\w+)\s+(\d+)$', found[1], re.M)) if found else {}


LEAK_SCRIPT = '''
count() { echo "== $1"; cat /proc/portico/counters; }
%(warm)s
sleep 4; sync; count before
%(work)s
status=$?
sleep 4; sync; count after
exit $status
'''


def run_and_compare_counters(report, name, warm, work, overlay, seconds):
    """Runs work in the guest; ports, pages and kernel objects must return to the level before it."""
    result = run('sh', '-c', LEAK_SCRIPT % {'warm': warm, 'work': work}, options=['--overlay', overlay, '--mem', '512'], seconds=seconds)
    keep_log(name, result)
    report.check(name, result.status == 0, result.explain())
    before, after = counters(result.text, 'before'), counters(result.text, 'after')
    print('# before', before, '\n# after ', after)
    if not report.check(f'{name}: counters are there', before and after, result.explain()):
        return
    leaks = []
    for kind, old in before.items():
        slack = 64 if kind in ('pages_used', 'pages_kernel') else 2 if kind == 'threads' else 1
        if kind not in ('pages_free', 'pages_total') and after.get(kind, 1 << 60) > old + slack:
            leaks.append(f'{kind}: {old} before, {after.get(kind)} after')
    report.check(f'{name}: nothing leaked', not leaks, '\n'.join(leaks))


def stress(report, seconds=60):
    with tempfile.TemporaryDirectory() as overlay:
        musl(f'{PROGRAMS}/stress.c', f'{overlay}/stress')
        musl(f'{PROGRAMS}/forks.c', f'{overlay}/forks')
        # The warm-up goes once round proc's ring of 4,096 changes, whose pages come as they are first used.
        warm = '/stress 10; for i in 1 2 3 4 5 6; do /forks > /dev/null; done'
        run_and_compare_counters(report, 'stress', warm, f'/stress {seconds}', overlay, seconds + 120)


def endurance(report):
    stress(report, 1200)


def hostile(report, seconds=60):
    with tempfile.TemporaryDirectory() as overlay:
        musl(f'{PROGRAMS}/hostile.c', f'{overlay}/hostile')
        result = run('sh', '-c', f'/hostile {seconds} $RANDOM && echo still here && ls / | wc -l && su user -c id',
                     options=['--overlay', overlay], seconds=seconds + 120)
        keep_log('hostile', result)
        report.check('random traps and messages', result.status == 0 and b'still here' in result.out and b'uid=1000' in result.out, result.explain())
        print('# ' + result.text.split('\n')[0])


def bench(report):
    result = command(['./run', '--bench'], 600)
    keep_log('bench', result)
    lines = dict(re.findall(r'^(\w+)\t(\d+)$', result.text, re.M))
    for name in ('rpc_0', 'rpc_32', 'rpc_256', 'rpc_port_region', 'null_trap', 'getpid', 'boot_to_prompt'):
        report.check(name, int(lines.get(name, 0)) > 0, result.explain())
    print(result.text)
