#!/usr/bin/python3
"""Runs the package from any directory: `stubgen.py compile ...` is `python3 -m stubgen compile ...`."""

import os
import sys

sys.dont_write_bytecode = True
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from stubgen.__main__ import main  # noqa: E402  (the path must be set first)

sys.exit(main(sys.argv[1:]))
