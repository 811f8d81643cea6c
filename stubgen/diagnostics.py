"""Errors: collected, never raised one by one, so that one run shows every error of a file."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Position:
    file: str
    line: int
    column: int

    def __str__(self):
        return f"{self.file}:{self.line}:{self.column}"


class Diagnostics:
    def __init__(self):
        self.errors = {}

    def error(self, position, what, expected=None):
        """Record one error. `what` says what is wrong, `expected` what would be right."""
        text = f"error: {what}" + (f"; expected {expected}" if expected else "")
        self.errors.setdefault((position, text))

    def lines(self):
        return [f"{position}: {text}" for position, text in sorted(self.errors, key=lambda e: e[0])]

    def __bool__(self):
        return bool(self.errors)
