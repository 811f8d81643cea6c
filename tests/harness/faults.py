"""The faults stage: a few changed instructions of each server and flipped bits of its keep; most of them are recovered, and the planted ones found for what they are."""
import tempfile

from campaign.faults import campaign, corpus, results

SEED = 3
MUTANTS, FLIPS = 10, 4  # for each server


def faults(report):
    with tempfile.TemporaryDirectory() as folder, campaign.Workshop() as workshop:
        planted = corpus.controls(workshop.programs['vfs'])
        state = campaign.State('control', 'vfs', SEED, folder)
        for mode in ('trial', 'permanent'):
            workshop.run([f for f, _ in planted if f['mode'] == mode], state, say=report.remark)
        for fault, expected in planted:
            found = results.classify(state.done[fault['id']])
            report.check(f'planted: {fault["mode"]}, {fault["new"]} in {fault["function"]}: {expected}', found == expected, f'{found}: {state.done[fault["id"]]}')
        executed = workshop.executed()
        done = {}
        for server, program in workshop.programs.items():
            state = campaign.State('trial', server, SEED, folder)
            workshop.run(corpus.mutants(program, executed[server], MUTANTS, 0, SEED, 'trial'), state, say=report.remark)
            workshop.run(corpus.flips(server, FLIPS, SEED), state, say=report.remark)
            done[server] = list(state.done.values())
    for line in results.table(done).splitlines():
        report.remark(line)
    everything = [f for group in done.values() for f in group if f['mode'] == 'trial']
    recovered, seen = results.share(results.counts(everything))
    report.check(f'faults and hangs of mutants recovered with nothing visible: {recovered} of {seen}', seen >= 5 and recovered >= 0.9 * seen)
    made, good = results.probes(everything)
    report.check(f'faults at executed instructions recovered with nothing visible: {good} of {made}', made >= 5 and good == made)
    report.check('every fault was tried', not any(results.classify(f) == 'not tried' for group in done.values() for f in group))
