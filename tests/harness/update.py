"""The update stage: programs replace each other under load, with other layouts, too; those that fail leave no trace."""
import os

from .recovery import CAMPAIGN, load_script
from .report import BUILD, TOP, command


def tool(report):
    """tools/layout: what it says of equal, different and unfit programs."""
    layout = os.path.join(TOP, 'tools', 'layout')
    present, wide = (os.path.join(folder, 'servers/vfs/vfs') for folder in (BUILD, os.path.join(BUILD, 'updates/wide/build')))
    rebuilt = os.path.join(BUILD, 'updates/rebuilt/build/servers/vfs/vfs')
    result = command([layout, '--diff', present, rebuilt], 60)
    report.check('layout: another optimisation level is the same layout', result.status == 0 and result.text == 'the same layout\n', result.explain())
    result = command([layout, '--diff', present, wide], 60)
    told = ('struct open_file: field references was u32 at 8, is u64 at 0', 'struct open_file: field opened (u64 at 8) is new',
            'struct vfs_state: field map_hint moved from 0 to 8')
    records = command([layout, '--print', os.path.join(BUILD, 'servers/ipcd/ipcd')], 60)
    found = [name for name in ('segment', 'sem_set', 'msg_queue', 'sem_waiter', 'mq_waiter') if f'\nstruct {name} size ' in records.text]
    report.check('layout: records that only their first part is pointed to', len(found) == 5 and 'page: outside' in records.text, f'{found} {records.explain()}')
    report.check('layout: changes are told in words', result.status == 1 and all(line in result.text for line in told), result.explain())


def update(report):
    updates = load_script(os.path.join(CAMPAIGN, 'updates'))
    ok, text = updates.campaign(updates.short_plan, seconds=240, say=report.remark)
    report.check('every server is updated, and refuses what it must, and nobody notices', ok, text)
    for line in text.splitlines() if ok else []:
        report.remark(line)
    tool(report)
