"""Stages on the host: builds, Criterion suites, sanitizers, fuzzing, incremental rebuilds."""
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess

from .report import BUILD, LOGS, TOP, command

# Some stages build copies of the sources, which differ in a few files.
os.environ.setdefault('CCACHE_DIR', os.path.join(BUILD, 'ccache'))
os.environ.update(CCACHE_BASEDIR=TOP, CCACHE_NOHASHDIR='1')
CLANG = dict(os.environ, CC='ccache clang-14')
GCC = dict(os.environ, CC='gcc')


def configure(folder, env, *options):
    if os.path.exists(os.path.join(TOP, folder, 'build.ninja')):
        return command(['meson', 'configure', folder, *options], 120, env=env)
    return command(['meson', 'setup', folder, *options], 300, env=env)


def compile_folder(report, name, folder, env, *options, targets=()):
    for result in (configure(folder, env, *options), command(['ninja', '-C', folder, *targets], 1500, env=env)):
        if result.status != 0:
            report.failed(name, result.explain())
            return False
    report.passed(name)
    return True


built = False  # a second ninja in the folder must not begin while guests are started from it


def build(report):
    global built
    built = compile_folder(report, 'clang build', 'build', CLANG, '-Dtests=true')  # ./run builds without
    os.makedirs(LOGS, exist_ok=True)


def gcc(report):
    compile_folder(report, 'gcc build', 'build-gcc', GCC, '-Dtests=false')


def run_suites(report, folder):
    """Runs `meson test` and counts each Criterion test, or a suite as one if it says no numbers."""
    command(['meson', 'test', '-C', folder, '--no-rebuild', '--timeout-multiplier', '4'], 1200)
    logs = glob.glob(os.path.join(TOP, folder, 'meson-logs', 'testlog.txt'))
    text = open(logs[0], errors='backslashreplace').read() if logs else ''
    suites = re.findall(r'^=+ (\d+/\d+) =+\ntest:\s+(.*?)\n.*?^result:\s+(.*?)$(.*?)(?=^=+ \d+/\d+ =+$|\Z)', text, re.S | re.M)
    if not suites:
        report.failed('suites', 'no test ran')
    for _, name, result, body in suites:
        numbers = [tuple(map(int, m)) for m in re.findall(r'Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)', body)]
        numbers += [(int(p), int(f), 0) for p, f in re.findall(r'^(\d+) passed, (\d+) failed', body, re.M)]
        good, bad = sum(n[0] for n in numbers), sum(n[1] + n[2] for n in numbers)
        if result.startswith('exit status 0') and bad == 0:
            report.passed(f'{name} ({max(good, 1)} tests)', max(good, 1))
        else:
            if good:
                report.passed(f'{name} ({good} tests)', good)
            report.failed(name, f'{result}\n{body}', max(bad, 1))


def unit(report):
    if not built and not compile_folder(report, 'build of the suites', 'build', CLANG, '-Dtests=true'):
        return
    run_suites(report, 'build')
    stores = command(['tools/check-stores', 'build'], 300)
    report.check('every store of a server keeps the undo log', stores.status == 0, stores.explain())


def sanitized(report):
    options = ['-Dguest=false', '-Db_sanitize=address,undefined', '-Db_lundef=false', '-Doptimization=1', '-Ddebug=false', '-Dc_args=-gline-tables-only']
    if compile_folder(report, 'sanitized build', 'build-sanitized', CLANG, *options):
        os.environ.setdefault('UBSAN_OPTIONS', 'halt_on_error=1:print_stacktrace=1')
        # Some tests fault on purpose, and some look at the exit status of a child: what the sanitizer ends is told from both.
        os.environ.setdefault('ASAN_OPTIONS', 'detect_leaks=1:handle_segv=0:exitcode=66')
        run_suites(report, 'build-sanitized')


def fuzz(report):
    if not compile_folder(report, 'fuzz targets', 'build-fuzz', CLANG, '-Dguest=false', '-Dtests=true', '-Dfuzz=true', '-Db_lundef=false',
                          targets=['fuzzers']):
        return
    targets = sorted(t for t in glob.glob(os.path.join(TOP, 'build-fuzz', '**', 'fuzz-*'), recursive=True) if os.access(t, os.X_OK) and os.path.isfile(t))
    report.check('there are fuzz targets', targets)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as several:
        for target, result in zip(targets, several.map(fuzz_one, targets)):
            report.check(os.path.basename(target), result.status == 0, result.explain())


def fuzz_one(target):
    return command([target, '-max_total_time=5', '-seed=1', '-rss_limit_mb=2048', '-print_final_stats=1'], 120, cwd=os.path.dirname(target))


def rebuild(report):
    """Edits a copy of the tree: a routine added to vfs.idl rebuilds the generator's output for vfs and its users, nothing else."""
    copy = os.path.join(BUILD, 'rebuild-copy')
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(['git', 'clone', '-q', TOP, copy], check=True, capture_output=True)
    setup = command(['meson', 'setup', 'build', '-Dtests=false'], 300, cwd=copy, env=CLANG)
    full = command(['ninja', '-C', 'build'], 900, cwd=copy, env=CLANG)
    if not report.check('a clean clone builds', setup.status == 0 and full.status == 0, setup.explain() + full.explain()):
        return
    path = os.path.join(copy, 'idl', 'vfs.idl')
    text = open(path).read()
    open(path, 'w').write(text.replace('routine make_directory @5 on file (in path : string<path_max>, in mode : u32)',
                                       'routine make_directory @5 on file (in mode : u32, in path : string<path_max>)'))
    broken = command(['ninja', '-C', 'build', '-k', '0'], 900, cwd=copy, env=CLANG)
    report.check('swapping two parameters breaks the users that were not changed', broken.status != 0, broken.explain())
    open(path, 'w').write(text.replace('routine sync_all @24 on file ();', '/** All of it. */\n  routine sync_all @24 on file (in flags : u32);'))
    serve = (r'vfs_serve_sync_all\(([^()]*)\)', r'vfs_serve_sync_all(\1, uint32_t flags)')
    for folder, old, new in (('servers/vfs', *serve), ('servers/proc', *serve),  # proc answers vfs's calls below /proc
                             ('libposix', r'vfs_sync_all\(([^()]*)\)', r'vfs_sync_all(\1, 0)')):
        for name in glob.glob(os.path.join(copy, folder, '**', '*.c'), recursive=True):
            source = open(name).read()
            changed = re.sub(old, new, source)
            if folder != 'libposix' and changed != source:
                changed = re.sub(r'(vfs_serve_sync_all\([^{]*\)\s*\{)', r'\1\n\t(void)flags;', changed)
            if changed != source:
                open(name, 'w').write(changed)
    dry = command(['ninja', '-C', 'build', '-n'], 120, cwd=copy, env=CLANG)
    edited = command(['ninja', '-C', 'build', '-v'], 900, cwd=copy, env=CLANG)
    if not report.check('editing one routine rebuilds', edited.status == 0, edited.explain()):
        return
    compiled = set(re.findall(r'-c (?:\.\./)?(\S+\.[cS])', edited.text))
    strangers = [c for c in compiled if re.search(r'kernel/|drivers/|servers/(root|sig)/|/(sig|tty|serial|root)_(client|server)\.c', c)]
    report.check('only generator output for vfs and its users are compiled again', compiled and not strangers,
                 f'compiled needlessly: {strangers}\n{dry.text[-500:]}')
    again = command(['ninja', '-C', 'build', '-n'], 120, cwd=copy, env=CLANG)
    report.check('nothing is left to do', 'no work to do' in again.text, again.explain())
    booted = command([os.path.join(copy, 'run'), '--timeout', '120', '--', 'sh', '-c', 'sync; echo edited'], 400, cwd=copy)
    report.check('the edited image boots', booted.status == 0 and booted.out == b'edited\n', booted.explain())
    shutil.rmtree(copy, ignore_errors=True)
