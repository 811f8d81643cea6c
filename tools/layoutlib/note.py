"""The ELF note portico.layout: fingerprints in a program, where root finds them. See libserver/include/portico/migration.h for its form."""
import hashlib
import os
import shutil
import struct

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from .model import LayoutError, keep_text, log_text

SECTION = '.note.portico.layout'
OWNER = b'portico.layout\0'
OWN = 1
LENGTH = 80
UNSTAMPED = b'?' * LENGTH


def fingerprint(layout):
    """64 hexadecimal digits of the keep, 16 of the log."""
    return hashlib.sha256(keep_text(layout).encode()).hexdigest() + hashlib.sha256(log_text(layout).encode()).hexdigest()[:16]


def find(path):
    """(offset in the file, contents) of the note's descriptor; None: there is none."""
    try:
        with open(path, 'rb') as file:
            section = ELFFile(file).get_section_by_name(SECTION)
            if section is None:
                return None
            offset, data = section['sh_offset'], section.data()
    except ELFError as error:
        raise LayoutError(f'{path}: {error}') from None
    at = 0
    while at + 12 <= len(data):
        name_size, size, kind = struct.unpack_from('<III', data, at)
        description = at + 12 + (name_size + 3 & ~3)
        if data[at + 12:at + 12 + name_size] == OWNER and kind == OWN and size == LENGTH:
            return offset + description, data[description:description + size]
        at = description + (size + 3 & ~3)
    return None


def read(path):
    """The fingerprint that a program carries; None: it was not stamped."""
    found = find(path)
    return found[1].decode() if found and found[1] != UNSTAMPED else None


def stamp(path, output, text):
    found = find(path)
    if found is None:
        raise LayoutError(f'{path}: no room for a note portico.layout: is it linked with libserver?')
    shutil.copyfile(path, output + '.new')
    shutil.copymode(path, output + '.new')
    with open(output + '.new', 'r+b') as file:
        file.seek(found[0])
        file.write(text.encode())
    os.replace(output + '.new', output)
