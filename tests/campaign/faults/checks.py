"""The look at the store map that the compiler puts before every store (libserver/undo.c), to tell it from what the server does.

    mov %rbx,%rax                     L: lea 0x7(%rbx),%ecx
    shr $0x24,%rax                       cmp %al,%cl
    mov 0x3ff000(%rax),%al               jl back
    test %al,%al                         mov %rbx,%rdi
    jne L                                call __asan_report_store8_noabort
    back: mov %rcx,(%rbx)                jmp back
"""
import re

MAP = re.compile(r' 0x3ff(000\(|7fe,)')  # as in libserver/meson.build; the second form is for the control block, at 0x7fe000000000
HOOK = '<__asan_'
NEAR = 12  # instructions: the scheduler puts others between


def target(instruction):
    """Where a jump goes; None: it is none."""
    m = re.match(r'j\w+\s+([0-9a-f]+) <', instruction.text)
    return int(m.group(1), 16) if m else None


def writes(instruction, register):
    return instruction.text.startswith(('mov ', 'lea ')) and instruction.text.endswith(',' + register)


def behind(instructions, at):
    """The test of what was found there, and its jump."""
    for n in range(at, min(at + NEAR, len(instructions) - 1)):
        if target(instructions[n]) is not None:
            yield n
            return
        if instructions[n].text.startswith(('test ', 'cmpb ')):
            yield n


def call(instructions, start):
    """From where the map said that the store is of interest to the way back; nothing if that is something else."""
    compared = called = False
    for n in range(start, min(start + 3 * NEAR, len(instructions))):
        text = instructions[n].text
        if called:
            if text.startswith('jmp'):
                return range(start, n + 1)
            if text.endswith(')') and not text.endswith(('(%rbp)', '(%rsp)')):  # the store itself, twice
                return range(start, n)
        elif text.startswith(('jl ', 'jg ')) and n < start + 8:
            compared = True
        elif text.startswith('call') and HOOK in text and compared:
            called = n
        elif target(instructions[n]) is not None or text.startswith(('call', 'ret')):
            return ()
    return range(start, called + 1) if called else ()


def find(instructions):
    """Addresses of all instructions of checks."""
    at = {i.address: n for n, i in enumerate(instructions)}
    marked = set()
    for n, i in enumerate(instructions):
        if shift := re.fullmatch(r'shr +\$0x24,(%r\w+)', i.text):  # of the address, which is the index
            marked.add(n)
            if n and writes(instructions[n - 1], shift.group(1)):
                marked.add(n - 1)
        if not MAP.search(i.text):
            continue
        marked.add(n)
        tests = list(behind(instructions, n))
        marked.update(tests)
        if tests and target(jump := instructions[tests[-1]]) is not None:
            marked.update(call(instructions, tests[-1] + 1 if jump.text.startswith('je ') else at.get(target(jump), len(instructions))))
    return {instructions[n].address for n in marked}
