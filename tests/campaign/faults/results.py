"""What became of a fault, in one word, and the table."""
import re

OWN = ('exception', 'exit', 'hang')
CLASSES = ('not activated', 'no effect', 'recovered', 'recovered, but seen', 'request refused', 'cold start', 'reboot', 'corrupted, then fault',
           'silent corruption', 'caller never answered', 'not tried')


def own_incidents(seen):
    return [i for i in seen['incidents'] if i['cause'] in OWN]


def visible(seen):
    return seen['bad'] or seen['stuck'] or seen['after'] or not seen['healthy']


def good_program_faulted(fault):
    """On trial the first fault brings the good program back. If that faults too, what it was given was wrong already: committed before."""
    if any('given up: the request' in line for line in fault.get('log', [])):
        return False  # it did not get as far: the log of the faulty execution did not fit to its own
    seen = [i['action'] for i in own_incidents(fault.get('mutant') or {'incidents': []})]
    if 'lost' in fault:  # nobody could tell: the kernel's log does
        seen += [m.group(1) for m in (re.search(r' incarnation \d+: (?:exception|exit|hang), rip \w+: (.*)', line) for line in fault.get('log', [])) if m]
    return fault['mode'] == 'trial' and any(action != 'update taken back' for action in seen)


def classify(fault):
    seen = fault.get('mutant') or fault.get('flip')
    if good_program_faulted(fault):
        return 'corrupted, then fault'
    if seen is None:
        return 'reboot'
    if seen['problem'] and not seen['incidents']:
        return 'not tried'
    if 'lost' in fault and 'probe' not in fault and not seen['healthy']:
        return 'reboot'
    actions = {i['action'] for i in seen['incidents']}
    if 'reboot' in actions:
        return 'reboot'
    if 'started with nothing' in actions:
        return 'cold start'
    if 'request given up' in actions or any('given up:' in line for line in fault.get('log', [])):
        return 'request refused'
    if own_incidents(seen):
        return 'recovered, but seen' if visible(seen) else 'recovered'
    if seen['stuck'] or seen['after'] == 'released by the update':
        return 'caller never answered'
    if visible(seen):
        return 'silent corruption'
    if fault['mode'] != 'trial':
        return 'no effect'
    probe = fault.get('probe')
    return 'no effect' if probe and probe['activated'] else 'not activated'


def show(faults, wanted):
    for f in faults:
        if classify(f) != wanted:
            continue
        seen = f.get('mutant') or f.get('flip') or {}
        print(f'{f["id"]} {f["kind"]} {f.get("function", "")} {f.get("address", 0):x} {f.get("text", "")} -> {f.get("new", "")}{" ENGINE" if f["engine"] else ""} {seen.get("answer", "")}')
        if f.get('lost'):
            print('    lost: ' + f['lost'])
        for i in seen.get('incidents', []):
            print('    ' + ' '.join(f'{k}={v}' for k, v in i.items() if v))
        if seen:
            print(f'    bad {seen["bad"]}: {seen["first"]}; stuck {seen["stuck"]} healthy {seen["healthy"]}; after: {seen["after"]} {seen["problem"]}')
        for line in f.get('log', [])[-6:]:
            print('    | ' + line)


def counts(faults):
    found = dict.fromkeys(CLASSES, 0)
    for f in faults:
        found[classify(f)] += 1
    return found


def share(found):
    """Of the faults and hangs that the supervisor saw, and that had committed nothing wrong before: how many were recovered with nothing visible."""
    seen = sum(found[c] for c in ('recovered', 'recovered, but seen', 'request refused', 'cold start', 'reboot'))
    return found['recovered'], seen


def table(by_server):
    """A table in markdown: a row for each server, and one for faults in the engine."""
    rows = []
    for engine in (False, True):
        for server, faults in by_server.items():
            chosen = [f for f in faults if f['engine'] == engine]
            if chosen:
                rows.append((f'{server}{", engine" if engine else ""}', counts(chosen), len(chosen), probes(chosen)))
    lines = ['| | faults | ' + ' | '.join(CLASSES) + ' | recovered of fail-stop and hang |', '| --- |' + ' ---: |' * (len(CLASSES) + 2)]
    for name, found, total, _ in rows:
        recovered, seen = share(found)
        lines.append(f'| {name} | {total} | ' + ' | '.join(str(found[c]) for c in CLASSES) + f' | {recovered} of {seen}{f" ({100 * recovered / seen:.1f}%)" if seen else ""} |')
    lines += [f'{name}: {good} of {made} faults at an instruction (probes) recovered with nothing visible' for name, _, _, (made, good) in rows if made]
    return '\n'.join(lines)


def probes(faults):
    """Instructions that fault instead, and were executed: fail-stop faults without anything before them."""
    made = [f['probe'] for f in faults if f.get('probe') and f['probe']['activated']]
    return len(made), sum(not visible(p) and all(i['action'] == 'update taken back' for i in own_incidents(p)) for p in made)
