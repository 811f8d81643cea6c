"""Stage of the recovery model: docs/model/recovery.pml by Spin."""
import os
import re

from .report import TOP, command


def model(report):
    result = command([os.path.join(TOP, 'tools', 'check-model')], 1800)
    lines = re.findall(r'^(ok  |FAIL) (.*)$', result.text, re.M)
    for good, what in lines:
        report.check(what, good == 'ok  ')
    report.check('the model was run', lines and re.search(r'^\d+ passed, \d+ failed$', result.text, re.M), result.explain())
