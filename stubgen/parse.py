"""Text -> tree. Syntax errors are reported all at once: the statement that does not parse is blanked out and
parsing starts again, so positions never shift. The words of a blanked statement are remembered as poisoned."""

import os
import re

import lark

from . import tree
from .diagnostics import Position

MAX_ERRORS = 100
_HERE = os.path.dirname(os.path.abspath(__file__))
_HUMAN = {"NAME": "a name", "NUMBER": "a number", "STRING": "a file name in double quotes", "$END": "the end of the file"}
_comments = []


def _note_comment(token):
    _comments.append((token.start_pos, token.start_pos + len(token), str(token)))
    return token


def _make_parser():
    with open(os.path.join(_HERE, "grammar.lark"), encoding="utf-8") as f:
        return lark.Lark(f.read(), parser="lalr", lexer="contextual", propagate_positions=True,
                         maybe_placeholders=False, lexer_callbacks={"COMMENT": _note_comment})


_PARSER = _make_parser()


def _human(terminal):
    if terminal in _HUMAN:
        return _HUMAN[terminal]
    for definition in _PARSER.terminals:
        if definition.name == terminal:
            return f"'{definition.pattern.value}'"
    return terminal


def _expected(error):
    names = set(getattr(error, "accepts", None) or getattr(error, "expected", None) or getattr(error, "allowed", None) or [])
    names -= {"COMMENT"}
    texts = sorted(_human(n) for n in names if not n.startswith("__IGNORE"))
    return " or ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else (texts or [None])[0]


def _boundaries(text):
    """Positions of ; { } outside comments and strings, with the innermost enclosing { of each."""
    result, stack = [], []
    pattern = re.compile(r'/\*[\s\S]*?\*/|//[^\n]*|"[^"\n]*"|[;{}]')
    for match in pattern.finditer(text):
        char = match.group()
        if char not in (";", "{", "}"):
            continue
        if char == "}" and stack:
            stack.pop()
        result.append((match.start(), char, stack[-1] if stack else None))
        if char == "{":
            stack.append(match.start())
    return result


def _damaged(text, at):
    """The range of text to blank so that the error at `at` goes away and as little else as possible."""
    bounds = _boundaries(text)

    def start_before(position):
        previous = [p for p, _, _ in bounds if p < position]
        return previous[-1] + 1 if previous else 0

    def close_of(opening):
        depth = 0
        for position, char, _ in bounds:
            if position >= opening:
                depth += {"{": 1, "}": -1, ";": 0}[char]
                if depth == 0:
                    return position + 1
        return len(text)

    enclosing = None
    for position, char, inside in bounds:
        if position >= at:
            break
        enclosing = position if char == "{" else inside
    if enclosing is not None:
        header = start_before(enclosing)
        if re.search(r"\b(enum|bitset|struct)\b", text[header:enclosing]):
            return header, close_of(enclosing)
    start = start_before(at)
    for position, char, _ in bounds:
        if position < at:
            continue
        if char == ";":
            return start, position + 1
        if char == "{":
            return start, close_of(position)
        return (start, position) if text[start:position].strip() else (at, at + 1)
    return start, len(text)


def _blank(text, start, end):
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def _offset(text, line, column):
    lines = text.split("\n")
    return sum(len(x) + 1 for x in lines[: line - 1]) + column - 1


def _report(path, text, error, diagnostics):
    if isinstance(error, lark.exceptions.UnexpectedToken) and error.token.type == "$END":
        end = re.sub(r"/\*[\s\S]*?\*/|//[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group()), text).rstrip()
        line = end.count("\n") + 1
        position = Position(path, line, len(end) - (end.rfind("\n") + 1) + 1)
        diagnostics.error(position, "the file ends in the middle of a declaration", _expected(error))
        return len(text)
    position = Position(path, error.line, error.column)
    at = _offset(text, error.line, error.column)
    number = re.compile(r"[0-9]\w*").match(text, at)
    if text.startswith("/*", at):
        diagnostics.error(position, "comment without end", "an end of the comment that begins here")
        return len(text)
    if isinstance(error, lark.exceptions.UnexpectedToken):
        what = f"unexpected '{error.token}'"
    elif text.startswith('"', at):
        what = "string without end"
    elif number:
        what = f"'{number.group()}' is not a number"
    else:
        what = f"unexpected character '{text[at:at + 1]}'"
    diagnostics.error(position, what, _expected(error))
    return at


def parse(path, text, diagnostics):
    """Returns a tree.File, whatever could be parsed; errors are in diagnostics."""
    poisoned = set()
    for _ in range(MAX_ERRORS):
        _comments.clear()
        try:
            parsed = _PARSER.parse(text)
        except lark.exceptions.UnexpectedInput as error:
            at = _report(path, text, error, diagnostics)
            start, end = _damaged(text, at)
            poisoned |= set(re.findall(r"[A-Za-z_]\w*", text[start:end]))
            blanked = _blank(text, start, end)
            if blanked == text:
                return tree.File(path, [], [], [], [], [], poisoned | {"*"})
            text = blanked
            continue
        result = _Builder(path, text, list(_comments)).file(parsed)
        result.poisoned = poisoned
        return result
    return tree.File(path, [], [], [], [], [], {"*"})


def _doc_text(comment):
    if comment.startswith("//"):
        return comment.lstrip("/").strip()
    lines = comment[2:-2].lstrip("*").split("\n")
    return "\n".join(re.sub(r"^\s*\*? ?", "", x).rstrip() for x in lines).strip()


class _Builder:
    """lark's tree -> dataclasses."""

    def __init__(self, path, text, comments):
        self.path, self.text = path, text
        self.comments = comments

    def file(self, node):
        result = tree.File(self.path, [], [], [], [], [])
        lists = {"import_": result.imports, "constant": result.constants, "enum": result.enums,
                 "struct": result.structs, "interface": result.interfaces}
        for child in node.children:
            lists[child.data].append(getattr(self, child.data)(child))
        return result

    def at(self, thing):
        meta = thing if isinstance(thing, lark.Token) else thing.meta
        return Position(self.path, meta.line, meta.column)

    def name(self, token):
        return tree.Name(str(token), self.at(token))

    def doc(self, node):
        """The /** comment just before a node, or the // comment that ends its last line."""
        for start, end, comment in self.comments:
            if comment.startswith("/**") and end <= node.meta.start_pos:
                if not self.text[end:node.meta.start_pos].strip():
                    return _doc_text(comment)
            if comment.startswith("//") and start >= node.meta.end_pos:
                if re.fullmatch(r"[;,)]*[ \t]*", self.text[node.meta.end_pos:start]):
                    return _doc_text(comment)
        return ""

    def number(self, token):
        text, scale = str(token), 1
        if text[-1] in "KMG":
            text, scale = text[:-1], {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[text[-1]]
        if re.fullmatch(r"0[0-7]+", text):
            return tree.Number(int(text, 8) * scale, self.at(token))
        return tree.Number(int(text, 16 if text[:2] in ("0x", "0X") else 10) * scale, self.at(token))

    def dotted(self, node):
        return ".".join(str(t) for t in node.children)

    def expression(self, node):
        if node.data == "number":
            return self.number(node.children[0])
        if node.data == "reference":
            return tree.Reference(self.dotted(node.children[0]), self.at(node))
        operator = {"op_or": "|", "op_and": "&", "op_shift": "<<", "op_add": "+", "op_subtract": "-",
                    "op_multiply": "*", "op_divide": "/", "op_negate": "negate"}[node.data]
        return tree.Operation(operator, [self.expression(c) for c in node.children], self.at(node))

    def type(self, node):
        result = tree.Type(node.data, self.at(node))
        for child in node.children:
            if isinstance(child, lark.Token):
                result.disposition = self.name(child)
            elif child.data == "dotted":
                result.name = self.dotted(child)
            elif child.data == "optional":
                result.optional = True
            elif child.data == "move":
                result.move = True
            elif child.data in ("named", "string", "bytes", "array", "port", "region"):
                result.element = self.type(child)
            else:
                result.bound = self.expression(child)
        return result

    def import_(self, node):
        return tree.Import(str(node.children[0])[1:-1], self.at(node.children[0]))

    def constant(self, node):
        return tree.Constant(self.name(node.children[0]), self.expression(node.children[1]), self.doc(node))

    def enum(self, node):
        kind, name, base = node.children[:3]
        members = []
        for child in node.children[3:]:
            value = self.expression(child.children[1]) if len(child.children) > 1 else None
            members.append(tree.Enumerator(self.name(child.children[0]), value, self.doc(child)))
        return tree.Enum(str(kind.children[0]), self.name(name), self.name(base), members, self.doc(node))

    def struct(self, node):
        fields = []
        for child in node.children[1:]:
            count = self.expression(child.children[2]) if len(child.children) > 2 else None
            fields.append(tree.Field(self.type(child.children[0]), self.name(child.children[1]), count, self.doc(child)))
        return tree.Struct(self.name(node.children[0]), fields, self.doc(node))

    def interface(self, node):
        name, number, revision = node.children[:3]
        result = tree.Interface(self.name(name), self.number(number), self.number(revision), [], [], [], self.doc(node))
        for child in node.children[3:]:
            if child.data == "object":
                first, second = child.children
                result.objects.append(tree.Object(self.name(first), self.name(second), self.doc(child)))
            elif child.data == "reserved":
                result.reserved += [self.number(o.children[0]) for o in child.children]
            else:
                result.routines.append(self.routine(child))
        return result

    def routine(self, node):
        result = tree.Routine("", None, None, doc=self.doc(node))
        for child in node.children:
            if isinstance(child, lark.Token):
                result.name = self.name(child)
            elif child.data == "fast":
                result.fast = True
            elif child.data == "routine_kind":
                result.kind = str(child.children[0])
                if result.kind == "once":
                    result.once_error = self.name(child.children[2])
            elif child.data == "ordinal":
                result.ordinal = self.number(child.children[0])
            elif child.data == "on":
                result.object = self.name(child.children[0])
            elif child.data == "errors":
                result.errors += [self.name(t) for t in child.children]
            elif child.data == "interruptible":
                result.interruptible = True
            else:
                direction = " ".join(str(t) for t in child.children[0].children)
                result.parameters.append(tree.Parameter(
                    direction, self.name(child.children[1]), self.type(child.children[2]), self.doc(child)))
        return result
