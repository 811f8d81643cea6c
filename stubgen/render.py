"""IR -> files. The templates hold the text; here is only which file exists when, and that unchanged files are not touched."""

import json
import os
import re

import jinja2

_HERE = os.path.dirname(os.path.abspath(__file__))
_TYPES = ["types.h"]
_INTERFACE = ["types.h", "client.h", "client.c", "server.h", "server.c", "decode.h", "decode.c", "fake.h", "fake.c", "fuzz.c"]


def _comment(text, indent=""):
    """A doc comment of the .idl file as a C comment."""
    if not text:
        return ""
    lines = text.replace("*/", "* /").split("\n")
    if len(lines) == 1:
        return f"{indent}/* {lines[0]} */\n"
    return f"{indent}/*\n" + "".join(f"{indent} * {x}".rstrip() + "\n" for x in lines) + f"{indent} */\n"


def _flat(declarations):
    return [text for group in declarations for text in group]


def _identifier(declaration):
    """The name that a C declaration declares."""
    return re.search(r"(\w+)$", declaration).group(1)


def _environment():
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(os.path.join(_HERE, "templates")), undefined=jinja2.StrictUndefined,
                                     trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.filters.update(comment=_comment, flat=_flat, identifier=_identifier, markdown=lambda t: t.replace("|", "\\|").replace("\n", " "))
    return environment


def names(stem, interface):
    """The files made of one .idl file."""
    made = _INTERFACE if interface else _TYPES
    return [f"{stem}_{ending}" for ending in made] + [f"{stem}.json", f"{stem}.md"]


def render(ir):
    """file name -> text"""
    environment, stem = _environment(), ir["stem"]
    result = {}
    for ending in _INTERFACE if ir["interface"] else _TYPES:
        result[f"{stem}_{ending}"] = environment.get_template(f"{ending}.j2").render(ir=ir, i=ir["interface"])
    result[f"{stem}.json"] = json.dumps(ir, indent=1, sort_keys=True) + "\n"
    result[f"{stem}.md"] = environment.get_template("manual.md.j2").render(ir=ir, i=ir["interface"])
    return result


def write(path, text):
    """Replace a file as a whole, and only if its content changes, so that what depends on it stays up to date."""
    try:
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return False
    except (OSError, UnicodeDecodeError):
        pass
    temporary = f"{path}.new"
    with open(temporary, "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(temporary, path)
    return True
