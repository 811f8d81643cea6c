"""Copies of the sources in which some files differ, to be built beside the build."""
import os
import subprocess

from .report import TOP

COMPILER = 'ccache clang-14' # with the environment that builds.py sets: most objects are those of the build


def checked(*words, **options):
    """What a command prints; RuntimeError, with the end of it, if it fails."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(words)}: status {done.returncode}\n{done.stdout.decode(errors="replace")[-3000:]}')
    return done.stdout.decode()


def write(path, text):
    """Only if it is another text: what is not touched is not built again."""
    data = text if isinstance(text, bytes) else text.encode()
    if os.path.exists(path):
        with open(path, 'rb') as file:
            if file.read() == data:
                return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(data)


class Tree:
    """The sources as they are in the work tree. `files`: path -> contents as they are to be in the copy, whose top is `root`."""

    def __init__(self, root):
        self.root = root
        self.build_folder = os.path.join(root, 'build')
        listed = checked('git', '-C', TOP, 'ls-files', '-co', '--exclude-standard').splitlines()
        self.files = {path: open(os.path.join(TOP, path), 'rb').read() for path in listed if os.path.isfile(os.path.join(TOP, path))}
        self.modes = {path: os.stat(os.path.join(TOP, path)).st_mode for path in self.files}

    def edit(self, path, old, new):
        """`old` must be there exactly once."""
        text = self.files[path].decode()
        if text.count(old) != 1:
            raise RuntimeError(f'{path}: {old!r} is there {text.count(old)} times, not once: the edit is behind the sources')
        self.files[path] = text.replace(old, new).encode()

    def write(self):
        for path, data in self.files.items():
            write(os.path.join(self.root, path), data)
            os.chmod(os.path.join(self.root, path), self.modes.get(path, 0o644))

    def build(self, *targets):
        """Writes and builds; RuntimeError if that fails. Without targets: everything that boots."""
        self.write()
        if not os.path.exists(os.path.join(self.build_folder, 'build.ninja')):
            checked('meson', 'setup', '-Dtests=false', self.build_folder, self.root, env=dict(os.environ, CC=COMPILER))
        checked('nice', 'ninja', '-C', self.build_folder, *targets)
