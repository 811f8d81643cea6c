"""The example stage: builds the server of docs/guide/example-server.md from what the page says, and runs it."""
import os
import re
import shlex
import tempfile

from .guest import keep_log, musl
from .report import BUILD, TOP, command
from .tree import Tree

PAGE = os.path.join('docs', 'guide', 'example-server.md')
MISTAKES = '\n## Mistakes\n'
SERVER = 'servers/tickets/tickets'
KILLS = 50
FIGURES = re.compile(r'^numbers \d+ to \d+: (\d+) missing, (\d+) given out twice', re.M)

DISTURBED = '/sbin/svc campaign 5 tickets > /dev/null; /tickets %d; echo "status $?"; /sbin/svc campaign 0 > /dev/null; /sbin/svc list >&2'


class Page:
    """The code of a page. A fenced block is a file if a line with nothing but its path in backquotes and a colon stands before it; ```diff is an edit;
    ```console a session: a line that begins with "# " is a command, the others are what it prints."""

    def __init__(self, text):
        self.files = [(m[1], m[2]) for m in re.finditer(r'^`([^`\n]+)`:\n\n```\w+\n(.*?)^```$', text, re.S | re.M)]
        self.edits = [edit for block in self.blocks('diff', text) for edit in hunks(block)]
        self.commands = [line for block in self.blocks('sh', text) for line in block.splitlines()]
        self.session = ''.join(self.blocks('console', text))

    @staticmethod
    def blocks(language, text):
        return re.findall(rf'^```{language}\n(.*?)^```$', text, re.S | re.M)

    def apply(self, tree):
        for path, text in self.files:
            tree.files[path] = text.encode()
        for path, old, new in self.edits:
            tree.edit(path, old, new)


def hunks(block):
    """(path, old, new) of each hunk of a unified diff, whose line numbers may be left out."""
    for part in re.split(r'^(?=--- )', block, flags=re.M)[1:]:
        path = re.match(r'--- a/(\S+)\n\+\+\+ b/\1\n', part)
        for hunk in re.split(r'^@@.*\n', part, flags=re.M)[1:]:
            lines = hunk.splitlines(keepends=True)
            yield (path[1], *(''.join(line[1:] for line in lines if line[0] in kept) for kept in (' -', ' +')))


def script(session):
    """Says and does each command of a session."""
    lines = [line[2:] for line in session.splitlines() if line.startswith('# ')]
    return 'exec 2>&1\n' + ''.join(f'echo {shlex.quote("# " + line)}\n{line}\n' for line in lines)


def guest(tree, overlay, words, options=(), seconds=60):
    environment = {name: value for name, value in os.environ.items() if name != 'PORTICO_BUILD'}
    return command([os.path.join(tree.root, 'run'), '--timeout', str(seconds), '--overlay', overlay, *options, '--', 'sh', '-c', words], seconds + 240,
                   cwd=tree.root, env=environment)


def example(report):
    with open(os.path.join(TOP, PAGE), encoding='utf-8') as file:
        text, mistakes = file.read().split(MISTAKES)
    page, mistakes = Page(text), mistakes.split('\n### ')[1:]
    report.check('the page has files, edits, a session and two mistakes', len(page.files) >= 5 and page.edits and page.session and len(mistakes) == 2)
    tree = Tree(os.path.join(BUILD, 'example'))
    page.apply(tree)
    tree.build()
    report.passed('the server is built from the page')
    for line in page.commands:
        result = command(shlex.split(line), 60, cwd=tree.root)
        report.check(line, result.status == 0, result.explain())
    with tempfile.TemporaryDirectory() as overlay:
        musl(os.path.join(TOP, 'tests', 'guest', 'programs', 'tickets.c'), f'{overlay}/tickets')
        run_it(report, tree, page, overlay)
        for mistake in mistakes:
            mistaken(report, tree, mistake, overlay)


def run_it(report, tree, page, overlay):
    with open(os.path.join(overlay, 'session.sh'), 'w', encoding='utf-8') as file:
        file.write(script(page.session))
    result = guest(tree, overlay, f'sh /session.sh; echo ==; {DISTURBED % 4}')
    keep_log('example', result)
    session, _, account = result.text.partition('==\n')
    report.check('it does what the page shows', session == page.session, f'expected:\n{page.session}\ngot:\n{session}\n{result.explain()}')
    restarts = re.search(rb'^tickets +running +\d+ +\S+ +\d+ +(\d+) ', result.err, re.M)
    report.remark(f'{account.strip()}; restarts: {int(restarts[1]) if restarts else None}')
    report.check(f'svc list shows more than {KILLS} restarts', restarts and int(restarts[1]) > KILLS, result.explain())
    report.check('each number is given out once', re.search(r'^numbers \d+ to \d+: 0 missing, 0 given out twice; .*\nstatus 0$', account, re.M), result.explain())


def mistaken(report, tree, text, overlay):
    """The same oracle, and a server that is wrong: what the page shows as not zero must not be."""
    title = text.split('\n')[0].strip().lower()
    changed = dict(tree.files)
    Page(text).apply(tree)
    tree.build(SERVER)
    tree.files = changed
    result = guest(tree, overlay, DISTURBED % 2, ['--module', f'tickets={os.path.join(tree.build_folder, SERVER)}'])
    keep_log('example-mistake', result)
    shown, found = FIGURES.search(text), FIGURES.search(result.text)
    report.remark(f'{title}: {" ".join(result.text.splitlines())}')
    report.check(f'the oracle finds it: {title}', shown and found and '\nstatus 1\n' in result.text and any(map(int, shown.groups()))
                 and all(int(f) > 0 for s, f in zip(shown.groups(), found.groups()) if int(s) > 0), result.explain())
