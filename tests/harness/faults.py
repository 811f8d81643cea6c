"""The faults stage: a few changed instructions of each server and flipped bits of its keep; most of them are recovered, and the planted ones found for what they are."""
import tempfile

from campaign.faults import campaign, corpus, mutate, results

SEED = 3
MUTANTS, FLIPS = 8, 3  # for each server


def checks_complete(program):
    """Each call of a hook belongs to a check, and no store of the server does."""
    inside = [i for i in program.instructions if i.address in program.checks]
    hooks = [i for i in program.instructions if i.text.startswith('call') and '<__asan_report_store' in i.text]
    return len(hooks) > 100 and all(i.address in program.checks for i in hooks) and not any(mutate.store(i, program, None) for i in inside)


def faults(report):
    with tempfile.TemporaryDirectory() as folder, campaign.Workshop() as workshop:
        report.check('every look before a store is told from the server', all(checks_complete(program) for program in workshop.programs.values()))
        executed = workshop.executed()
        planted = corpus.controls(workshop.programs['vfs'], workshop.programs['proc'])
        everything = [f for f, _ in planted if f["mode"] == "trial"]
        for server, program in workshop.programs.items():
            everything += corpus.mutants(program, executed[server], MUTANTS, 0, SEED, 'trial') + corpus.flips(program, FLIPS, SEED)
        everything += [f for f, _ in planted if f["mode"] != "trial"]  # it costs a boot
        state = campaign.State('short', 'all', SEED, folder)
        workshop.run(everything, state, say=report.remark)
    for fault, expected in planted:
        found = results.classify(state.done[fault['id']])
        report.check(f'planted: {fault["mode"]}, {fault["new"]} in {fault["function"]}: {expected}', found == expected, f'{found}: {state.done[fault["id"]]}')
    mutants = [f for f in state.done.values() if f['mode'] == 'trial' and f['kind'] != 'control']
    for line in results.table({s: [f for f in mutants if f['server'] == s] for s in workshop.programs}).splitlines():
        report.remark(line)
    recovered, seen = results.share(results.counts(mutants))
    report.check(f'faults and hangs of mutants recovered with nothing visible: {recovered} of {seen}', seen >= 5 and recovered >= 0.9 * seen)
    made, good = results.probes(mutants)
    report.check(f'faults at executed instructions recovered with nothing visible: {good} of {made}', made >= 5 and good == made)
    report.check('every fault was tried', all(results.classify(f) != 'not tried' for f in state.done.values()))
