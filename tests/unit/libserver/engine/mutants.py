#!/usr/bin/python3
"""Plants bugs in the transaction engine, one at a time, and demands that the exploration of kill points finds each.

usage: mutants.py COMPILER OBJECTS-DIRECTORY LIBRARY... -- FLAG... -- HOOK-FLAG...     (see meson.build)
       mutants.py ... --only NAME

A mutant is a source file of libserver in which one place is replaced; a place that is not there any more is an error, so that the
list follows the engine. It is linked with the other objects of the test, and the scenarios in which it must show are explored.
"""
import concurrent.futures
import os
import subprocess
import sys
import tempfile
import time

HOOKED = ('print', 'state', 'spill', 'reply', 'rights', 'keep', 'readiness')
FENCE = '__atomic_signal_fence(__ATOMIC_SEQ_CST);'

# name, file, what stands there, which of these places (0: the only one), what is put there, scenarios, every n-th recovery killed again
MUTANTS = [
    ('the old value is not kept', 'undo', 'entry->old = *(const uint64_t *)address;', 0, 'entry->old = 0;', 'stores', 0),
    ('a range is kept as one word', 'undo', 'at < address + size; at += 8)', 0, 'at < address + 1; at += 8)', 'stores', 0),
    ('an entry is published before its contents', 'undo', '\tentry->address = address;\n', 0,
     f'\tLOG->undo_next = (uint64_t)(entry + 1);\n\t{FENCE}\n\tentry->address = address;\n', 'stores', 0),
    ('short ranges are not kept', 'undo', '\tif (size < LONG)\n\t\tlog_words(address, size);', 0, '\tif (size < LONG)\n\t\t(void)0;', 'stores', 0),
    ('long ranges are not kept', 'undo', '\telse\n\t\tlog_bulk(address, size);', 0, '', 'stores heap', 0),
    ('the length of a range is forgotten on the way back', 'undo', '\t\tat -= ((entry->old + 1) & ~UINT64_C(1)) * 8;\n', 0, '\t\tat -= 16;\n', 'stores heap', 0),
    ('the log is shortened before all is undone', 'undo', 'uint64_t at = LOG->undo_next;', 0,
     f'uint64_t at = LOG->undo_next;\n\tLOG->undo_next = UNDO_START;\n\t{FENCE}', 'stores', 20),
    ('what a block held that is freed and given out again at once is not kept', 'keep', 'dead = block->state != free_now();', 0, 'dead = true;', 'heap', 0),
    ('what a block held that is freed and made anew at once is not kept', 'keep', '\t\tundo_range(block + 1, room_of(block));\n', 0, '\t\t(void)0;\n', 'heap', 0),
    ('the store map is empty', 'undo', '= INT8_MIN,', 0, '= 0,', 'stores', 0),
    ('memset is not undone', 'strings', '\tundo_range(to, n);\n', 3, '', 'stores', 0),
    ('memmove is not undone', 'strings', '\tundo_range(to, n);\n', 2, '', 'stores', 0),
    ('memcpy is not undone', 'strings', '\tundo_range(to, n);\n', 1, '', 'stores mixed', 0),
    ('the tag is stored first', 'transaction', '\tlog->undo_next = UNDO_START;\n', 0,
     f'\tlog->tag = counters()->commits;\n\t{FENCE}\n\tlog->undo_next = UNDO_START;\n', 'heap', 0),
    ('a log that belongs to a committed transaction is applied', 'transaction', 'if (log->tag != counters()->commits)', 0,
     'if (log->tag != counters()->commits && log->tag == 0)', 'stores', 0),
    ('nothing is rolled back', 'transaction', '\tundo_roll_back();\n', 0, '', 'stores', 0),
    ('results are dropped instead of replayed', 'transaction', '\tresults_recover();\n', 0, '\tresults_begin();\n', 'creation', 0),
    ('the queue is not emptied when a transaction begins', 'transaction', '\teffects_begin();\n', 1, '', 'parking', 0),
    ('a call under way is written over', 'results', 'client_pages.send = over ? real_send() : &scratch_send;', 0,
     'client_pages.send = real_send();', 'calls', 2),
    ('an answer that came is not looked at', 'results', 'client_pages.reply = page;', 0, 'client_pages.reply = real_reply();', 'calls', 0),
    ('an operation that was made is made again', 'results', 'if (counters()->operations == before) {', 0, 'if (counters()->operations != 0) {', 'creation', 0),
    ('an operation that was not made is taken as made', 'results', 'if (counters()->operations == before) {', 0, 'if (before == ~UINT64_C(0)) {', 'creation', 0),
    ('the counts at the begin of an operation or call are not kept', 'results', '\tentry->argument[RESULT_BEFORE] = kind == RESULT_OPERATION ? counters()->operations : counters()->sent;\n', 0, '\tentry->argument[RESULT_BEFORE] = 0;\n', 'creation calls', 0),
    ('the result of an operation is lost', 'results', 'entry->value = counters()->operation_result;', 0, 'entry->value = 0;', 'creation', 0),
    ('operations are not counted', 'results', 'number | TRAP_COUNTED', 0, 'number', 'creation', 0),
    ('a call that has left is made again', 'results', '\t\treplay.outstanding = true;\n', 0, '\t\tdrop(entry);\n', 'calls', 0),
    ('a call that was answered is made again', 'results', '\t\tcall_answered(entry, counters()->call_status);\n', 0, '\t\tdrop(entry);\n', 'calls', 0),
    ('a call that has not left is taken as answered', 'results', 'if (counters()->sent == before)', 0, 'if (before == ~UINT64_C(0))', 'calls', 0),
    ('a call is done before its answer is kept', 'results', '\tentry->value = status;\n\tentry->argument[0] = length;', 0,
     f'\tentry->done = true;\n\t{FENCE}\n\tentry->value = status;\n\tentry->argument[0] = length;', 'calls', 0),
    ('a half copied answer is taken for whole', 'results', '\tentry->size = (uint32_t)entry_size(0);\n\tLOG->results_end = (uint64_t)entry + entry->size;\n', 0, '\tentry->done = true;\n', 'calls', 0),
    ('a result is published before it is there', 'results', '\tentry->size = (uint32_t)size;\n', 0,
     f'\tLOG->results_end = (uint64_t)entry + size;\n\t{FENCE}\n\tentry->size = (uint32_t)size;\n', 'creation', 0),
    ('samples are not kept', 'results', '\tstruct result *entry = results_next(RESULT_SAMPLE, 0, size);', 0,
     '\treturn;\n\tstruct result *entry = results_next(RESULT_SAMPLE, 0, size);', 'samples', 0),
    ('results of a trap are stored past the undo log', 'results', '\tundo_range(results, size);\n', 0, '', 'samples', 0),
    ('the time of day stays that of the transaction before', 'time', '\tpresent.known = false;\n', 0, '', 'samples', 0),
    ('the status of a window is not kept', 'results', '\tstruct result *entry = results_next(RESULT_WINDOW, 0, digest);', 0,
     '\treturn status;\n\tstruct result *entry = results_next(RESULT_WINDOW, 0, digest);', 'windows', 0),
    ('a status of which nothing was made is kept', 'results', 'entry->value != status && !results_replaying()', 0, 'entry->value == KERN_GONE', 'windows', 0),
    ('the window of a caller that was parked is lost', 'reply', 'now.reply = results_parked();', 0, '(void)results_parked();', 'windows', 0),
    ('a notification leaves before the commit', 'effects', '\tif (engine_mode == ENGINE_COLD)\n\t\t(void)trap6(', 0, '\tif (engine_mode != ENGINE_QUERY)\n\t\t(void)trap6(', 'parking', 0),
    ('what spilled loses its order', 'effects', 'if (effects_spilled() || !effects_add(effect, data, message))', 0,
     'if (!effects_add(effect, data, message))', 'order', 0),
    ('a query that was promoted begins no transaction', 'transaction', '\ttransaction_begin(TRANSACTION_MESSAGE);\n', 0, '\tengine_mode = ENGINE_TRANSACTION;\n', 'samples', 0),
    ('the commit forgets the queue', 'loop', '\tif (count == 0)\n', 0, '\tif (count < 3)\n', 'parking', 0),
    ('the answer of a transaction that was executed again is lost', 'loop', 'op = resume(&destination);', 0, '(void)resume(&destination);', 'stores', 0),
    ('a message that was delivered is forgotten', 'loop', 'if (counters()->held == 0)', 0, 'if (counters()->held <= 1)', 'stores', 0),
    ('the timer runs as a message', 'loop', '\t\ttransaction_begin(kind);\n', 0, '\t\ttransaction_begin(TRANSACTION_MESSAGE);\n', 'later', 0),
    ('a file is compiled without the hooks', 'state', '', 0, None, 'later', 0),
    ('snprintf is compiled without the hooks', 'print', '', 0, None, 'given-up', 0),
]


def replace(text, old, place, new):
    parts = text.split(old)
    if len(parts) < 2 or (place == 0 and len(parts) != 2) or place >= len(parts):
        raise ValueError(f'{old!r} is there {len(parts) - 1} times')
    at = max(place, 1)
    return old.join(parts[:at]) + new + old.join(parts[at:])


class Hunt:
    def __init__(self, arguments):
        self.only = arguments[arguments.index('--only') + 1] if '--only' in arguments else None
        if self.only:
            del arguments[arguments.index('--only'):]
        first, second = [i for i, a in enumerate(arguments) if a == '--']
        self.compiler, self.sources, self.libraries = arguments[0], arguments[1], arguments[2:first]
        self.flags, self.hooks = arguments[first + 1:second], arguments[second + 1:]

    def build(self, folder, name, source, hooked):
        target, mutant = os.path.join(folder, 'explore'), os.path.join(folder, 'mutant.o')
        subprocess.run([self.compiler, *self.flags, *(self.hooks if hooked else []), '-I', self.sources, '-c', source, '-o', mutant], check=True)
        subprocess.run([self.compiler, '-no-pie', mutant, '-Wl,--start-group', *self.libraries, '-Wl,--end-group', '-o', target], check=True)
        return target

    def timed(self, mutant):
        start = time.monotonic()
        return self.caught(mutant), time.monotonic() - start

    def caught(self, mutant):
        name, file, old, place, new, scenarios, again = mutant
        with open(os.path.join(self.sources, file + '.c'), encoding='utf-8') as f:
            text = f.read()
        hooked = file in HOOKED
        if new is None:
            hooked = not hooked
        else:
            text = replace(text, old, place, new)
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, file + '.c')
            with open(source, 'w', encoding='utf-8') as f:
                f.write(text)
            program = self.build(folder, name, source, hooked)
            environment = dict(os.environ, ENGINE_AGAIN=str(again))
            try:
                done = subprocess.run([program, *scenarios.split()], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
            except subprocess.TimeoutExpired:
                return 'does not end'
        lines = done.stdout.decode(errors='replace').splitlines()
        return lines[-1] if done.returncode == 1 and lines else None


def main():
    hunt = Hunt(sys.argv[1:])
    mutants = [m for m in MUTANTS if hunt.only in (None, m[0])]
    missed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for mutant, (found, seconds) in zip(mutants, pool.map(hunt.timed, mutants)):
            print(f'{mutant[0]}: {seconds:.0f} s: {"caught: " + found if found else "NOT CAUGHT"}', flush=True)
            missed += not found
    print(f'{len(mutants) - missed} of {len(mutants)} caught')
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
