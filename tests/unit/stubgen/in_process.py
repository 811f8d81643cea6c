"""Runs the interface compiler's command line inside this process: a start of its own for each case would take most of the time."""

import contextlib
import io
import os
import sys
import traceback
from types import SimpleNamespace

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
sys.path.insert(0, os.path.abspath(ROOT))
sys.dont_write_bytecode = True

from stubgen.__main__ import main  # noqa: E402  (the path must be set first)


def run(*arguments):
    """returncode, stdout and stderr as of a process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(list(arguments))
        except SystemExit as leaving:
            status = leaving.code
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()
            status = 70
    return SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=err.getvalue())
