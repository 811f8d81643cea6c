"""From an ELF file's debug information to types of layoutlib.model (pyelftools; DWARF 4 and 5, clang and gcc)."""
from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from .model import Array, Base, Enum, Field, Function, Layout, LayoutError, Pointer, Record, Walk

ROOT = 'server_keep_root_type'
HEADER = 'server_keep_header_type'
LOG = 'server_log_type_'
DECLARED = ('keep_begins_', 'keep_enum_', 'keep_outside_', 'keep_pointer_', ROOT, HEADER, LOG)

# DW_ATE_* -> word of the canonical text
ENCODINGS = {2: 'bool', 4: 'f', 5: 'i', 6: 'i', 7: 'u', 8: 'u', 0x10: 'u'}
C_NAMES = {'bool8': '_Bool', 'f64': 'double', 'f32': 'float'}
QUALIFIERS = ('DW_TAG_const_type', 'DW_TAG_volatile_type', 'DW_TAG_restrict_type', 'DW_TAG_atomic_type', 'DW_TAG_typedef')


def text_of(die, attribute='DW_AT_name'):
    found = die.attributes.get(attribute)
    return found.value.decode() if found else None


def number(die, attribute, default=None):
    found = die.attributes.get(attribute)
    if found is None:
        return default
    if isinstance(found.value, list):  # an expression: DW_OP_plus_uconst
        raise LayoutError(f'{text_of(die)}: its place is not a constant')
    return found.value


def outline(die):
    """Enough of a definition to tell two types of one name from each other."""
    return [(text_of(c), number(c, 'DW_AT_data_member_location'), number(c, 'DW_AT_const_value')) for c in die.iter_children()] + [number(die, 'DW_AT_byte_size')]


class Reader:
    def __init__(self, path):
        self.path = path
        self.made = {}      # offset of a DIE -> type
        self.unmade = {}    # name -> struct that the program does not define: it makes none
        self.checked = set()
        self.complete = {}  # (tag, name) -> DIE of a definition
        self.variables = {}
        with open(path, 'rb') as file:
            try:
                elf = ELFFile(file)
            except ELFError as error:
                raise LayoutError(f'{path}: {error}') from None
            if not elf.has_dwarf_info() or elf.get_section_by_name('.debug_info') is None:
                raise LayoutError(f'{path}: no debug information')
            self.index(elf.get_dwarf_info())
            self.layout = self.read()

    def index(self, information):
        for unit in information.iter_CUs():
            for die in unit.get_top_DIE().iter_children():
                name = text_of(die)
                if name is None:
                    continue
                if die.tag == 'DW_TAG_variable' and name.startswith(DECLARED):
                    self.variables.setdefault(name, die)
                elif die.tag in ('DW_TAG_structure_type', 'DW_TAG_union_type', 'DW_TAG_enumeration_type') and 'DW_AT_declaration' not in die.attributes:
                    self.complete.setdefault((die.tag, name), die)

    def read(self):
        if ROOT not in self.variables:
            raise LayoutError(f'{self.path}: it does not say what the root of its keep is: SERVER_KEEP_ROOT(TYPE)')
        for name in self.variables:
            if name.startswith('keep_') and not name.startswith('keep_begins_') and not self.names_field(name.split('_', 2)[2]):
                raise LayoutError(f'{self.path}: {name}: there is no such field')
        declared = {name: self.of(die) for name, die in self.variables.items()}
        root = declared[ROOT].target
        keep = Walk(declared).from_roots([root, declared[HEADER].target])
        log = Walk(declared).from_roots([declared[name].target for name in sorted(declared) if name.startswith(LOG)])
        return Layout(root, keep, log)

    def names_field(self, words):
        """TAG_FIELD, of a struct that the program has."""
        parts = words.split('_')
        for i in range(1, len(parts)):
            die = self.complete.get(('DW_TAG_structure_type', '_'.join(parts[:i])))
            if die is not None and any(text_of(c) == '_'.join(parts[i:]) for c in die.iter_children()):
                return True
        return False

    def of(self, die):
        """The type of a variable, member or derived type; None: void."""
        return self.type(die.get_DIE_from_attribute('DW_AT_type')) if 'DW_AT_type' in die.attributes else None

    def type(self, die):
        if die.tag in QUALIFIERS:
            return self.of(die)
        if 'DW_AT_declaration' in die.attributes:
            definition = self.complete.get((die.tag, text_of(die)))
            if definition is None:
                return self.unmade.setdefault(text_of(die), Record('struct', text_of(die), None))
            die = definition
        elif (die.tag, text_of(die)) in self.complete:
            die = self.same(die, self.complete[(die.tag, text_of(die))])
        if die.offset not in self.made:
            self.make(die)
        return self.made[die.offset]

    def same(self, die, first):
        """The first definition of a type that several units have: one object a type."""
        if die.offset not in self.checked:
            self.checked.add(die.offset)
            if outline(die) != outline(first):
                raise LayoutError(f'{self.path}: two types named {text_of(die)} can be reached from the keep: rename one')
        return first

    def make(self, die):
        makers = {'DW_TAG_base_type': self.base, 'DW_TAG_enumeration_type': self.enum, 'DW_TAG_structure_type': self.record,
                  'DW_TAG_union_type': self.record, 'DW_TAG_pointer_type': self.pointer, 'DW_TAG_array_type': self.array,
                  'DW_TAG_subroutine_type': lambda d: Function()}
        if die.tag not in makers:
            raise LayoutError(f'{self.path}: {die.tag} in a keep')
        made = makers[die.tag](die)
        self.made.setdefault(die.offset, made)

    @staticmethod
    def base(die):
        size = number(die, 'DW_AT_byte_size')
        word = ENCODINGS.get(number(die, 'DW_AT_encoding'))
        if word is None:
            raise LayoutError(f'{text_of(die)}: an unknown kind of number')
        text = f'{word}{size * 8}'
        return Base(text, C_NAMES.get(text) or f'{"u" if word == "u" else ""}int{size * 8}_t')

    @staticmethod
    def enum(die):
        constants = [(text_of(c), number(c, 'DW_AT_const_value')) for c in die.iter_children() if c.tag == 'DW_TAG_enumerator']
        return Enum(text_of(die), number(die, 'DW_AT_byte_size'), any(value < 0 for _, value in constants), constants)

    def pointer(self, die):
        pointer = Pointer(None)
        self.made[die.offset] = pointer
        if 'DW_AT_type' in die.attributes:
            target = die.get_DIE_from_attribute('DW_AT_type')
            at = target
            while at is not None and at.tag in QUALIFIERS:
                pointer.constant |= at.tag == 'DW_TAG_const_type'
                at = at.get_DIE_from_attribute('DW_AT_type') if 'DW_AT_type' in at.attributes else None
            pointer.target = self.type(target)
        return pointer

    def array(self, die):
        element = self.of(die)
        for dimension in reversed([c for c in die.iter_children() if c.tag == 'DW_TAG_subrange_type']):
            count = number(dimension, 'DW_AT_count')
            if count is None:
                upper = number(dimension, 'DW_AT_upper_bound')
                count = None if upper is None or upper == 0xffffffffffffffff else upper + 1
            element = Array(element, count)
        return element

    def record(self, die):
        kind = 'struct' if die.tag == 'DW_TAG_structure_type' else 'union'
        record = Record(kind, text_of(die), number(die, 'DW_AT_byte_size'))
        self.made[die.offset] = record
        for member in die.iter_children():
            if member.tag == 'DW_TAG_member':
                record.fields.append(self.member(member))
        return record

    def member(self, die):
        type_, offset, bits = self.of(die), number(die, 'DW_AT_data_member_location', 0), None
        if 'DW_AT_bit_size' in die.attributes:
            first = number(die, 'DW_AT_data_bit_offset')
            if first is None:
                raise LayoutError(f'{text_of(die)}: a bit field as DWARF 3 has it')
            offset, bits = first // 8, (first % 8, number(die, 'DW_AT_bit_size'))
        return Field(text_of(die), offset, type_, bits)


def read(path):
    """The layout of a program's keep and log. LayoutError tells what is wrong."""
    return Reader(path).layout
