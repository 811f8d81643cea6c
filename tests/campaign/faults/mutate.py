"""One changed instruction: each kind of fault looks at an instruction and gives other bytes of the same length, or None."""
import re

NOP = b'\x90'


class Decoded:
    """Prefixes, opcode and operand bytes of the common one- and two-byte opcodes."""

    def __init__(self, data):
        at = 0
        while data[at] in (0x66, 0xf0, 0xf2, 0xf3, 0x2e, 0x3e, 0x64, 0x65):
            at += 1
        self.small = 0x66 in data[:at]
        self.locked = 0xf0 in data[:at]
        self.rex = data[at] if data[at] & 0xf0 == 0x40 else 0
        at += self.rex != 0
        self.opcode_at = at
        self.two = data[at] == 0x0f
        at += self.two
        self.opcode = data[at] if at < len(data) else 0
        self.modrm_at = at + 1
        modrm = data[at + 1] if at + 1 < len(data) else 0
        self.mod, self.reg, self.rm = modrm >> 6, modrm >> 3 & 7, modrm & 7

    def one(self, *opcodes):
        return not self.two and self.opcode in opcodes


def pad(data, length):
    return data + NOP * (length - len(data)) if len(data) <= length else None


def branch(i, program, rng):
    """A conditional jump the other way."""
    d = Decoded(i.bytes)
    if d.one(*range(0x70, 0x80)):
        at = d.opcode_at
    elif d.two and 0x80 <= d.opcode < 0x90:
        at = d.opcode_at + 1
    else:
        return None
    return i.bytes[:at] + bytes([i.bytes[at] ^ 1]) + i.bytes[at + 1:]


def store(i, program, rng):
    """A store to memory that is no local variable is left out."""
    d = Decoded(i.bytes)
    if not d.one(0x88, 0x89, 0xc6, 0xc7) or d.mod == 3 or re.search(r'\(%r[sb]p[,)]', i.text):
        return None
    return NOP * len(i.bytes)


def operand(i, program, rng):
    """Another register of the same width, as source or destination."""
    d = Decoded(i.bytes)
    one = d.one(0x01, 0x03, 0x09, 0x0b, 0x21, 0x23, 0x29, 0x2b, 0x31, 0x33, 0x39, 0x3b, 0x85, 0x89, 0x8b, 0x8d)
    two = d.two and (d.opcode in (0xb6, 0xb7, 0xaf) or 0x40 <= d.opcode < 0x50)
    if not one and not two or i.text.startswith('xchg'):
        return None
    if re.search(r'%[re]?[sb]p$', i.text.split(',')[-1]) or 'nop' in i.text: # the frame itself
        return None
    reg = rng.choice([r for r in range(8) if r != d.reg and (r != 4 or d.rex & 4)])
    at = d.modrm_at
    return i.bytes[:at] + bytes([(i.bytes[at] & 0xc7) | reg << 3]) + i.bytes[at + 1:]


def off_by_one(i, program, rng):
    """An immediate of a comparison or calculation, one more or one less."""
    d = Decoded(i.bytes)
    if i.text.endswith(('%rsp', '%rbp')):
        return None
    step = rng.choice((1, -1))
    if d.one(0x80, 0x83, 0x3c, 0x04, 0x2c, 0x24, 0xa8):
        size = 1
    elif d.one(0x81, 0x3d, 0x05, 0x2d, 0x25, 0xa9) and not d.small:
        size = 4
    else:
        return None
    value = (int.from_bytes(i.bytes[-size:], 'little') + step) % (1 << 8 * size)
    return i.bytes[:-size] + value.to_bytes(size, 'little')


def null(i, program, rng):
    """A pointer that is loaded and then used is null."""
    d = Decoded(i.bytes)
    if not d.one(0x8b) or not d.rex & 8 or d.mod == 3:
        return None
    target = i.text.split(',')[-1]
    after = program.after(i, 5)
    if not after or re.match(r'(j[^m]|set|cmov|adc|sbb|rep)', after[0].text):
        return None # xor changes the flags
    for n in after:
        if re.search(r'\(' + re.escape(target) + r'[,)]', n.text):
            break
        if n.text.startswith(('j', 'call', 'ret')) or n.text.split(',')[-1] == target:
            return None
    else:
        return None
    register = d.reg | (d.rex & 4) << 1
    high = register >= 8
    return pad((b'\x45' if high else b'') + bytes([0x31, 0xc0 | d.reg << 3 | d.reg]), len(i.bytes))


def loop(i, program, rng):
    """It goes round here for ever."""
    return pad(b'\xeb\xfe', len(i.bytes)) if len(i.bytes) >= 2 else None


KINDS = {'branch': branch, 'store': store, 'operand': operand, 'off-by-one': off_by_one, 'null': null, 'loop': loop}
