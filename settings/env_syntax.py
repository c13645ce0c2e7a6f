"""The syntax of `.env` files: lines in, entries out, and back. What keys mean is not known here.

Values are never interpolated: `pa$1wor$D` is `pa$1wor$D`. `quoted` writes a value so that
Docker Compose, which does interpolate, reads the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)", re.DOTALL)
_SINGLE = re.compile(r"'((?:\\'|\\(?!')|[^'\\])*)'\s*(?:#.*)?", re.DOTALL)
_DOUBLE = re.compile(r'"((?:\\.|[^"\\])*)"\s*(?:#.*)?', re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s)#.*", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "$": "$", '"': '"', "\\": "\\"}
# A reader that expands variables would change these where they stand bare or in double quotes.
_EXPANDED = re.compile(r"(?<!\\)\$[A-Za-z_{0-9]")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-]+")
_NOT_IN_SINGLE_QUOTES = re.compile(r"['\n\r]|\\\Z")


@dataclass(frozen=True)
class Entry:
    """One assignment. The value may be a secret, so it is not shown."""

    key: str
    value: str = field(repr=False)
    line: int
    """Counted from 1."""
    expandable: bool = False
    """Written so that `docker compose`, reading the file itself, would expand a `$` in it."""


def read(text: str) -> tuple[list[Entry], list[tuple[int, str]]]:
    """Return the entries of a file, and what is wrong with it as (line, message).

    Messages never quote the file: a line without a key may be nothing but a secret.
    """
    entries: dict[str, Entry] = {}
    problems: list[tuple[int, str]] = []
    # Not splitlines: it also splits at characters that are part of a value, such as U+2028.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        try:
            entry = _entry(line, number)
        except ValueError as error:
            problems.append((number, str(error)))
            continue
        if entry is None:
            continue
        if entry.key in entries:
            first = entries[entry.key].line
            problems.append((number, f"{entry.key}: set already on line {first}"))
        else:
            entries[entry.key] = entry
    return list(entries.values()), problems


def quoted(value: str) -> str:
    """Write a value so that this module, Docker Compose and a shell read it as it is.

    Raises ValueError for a value that no environment can hold.
    """
    if "\0" in value:
        raise ValueError("a value cannot hold the character NUL")
    if _PLAIN.fullmatch(value):
        return value
    if not _NOT_IN_SINGLE_QUOTES.search(value):
        return f"'{value}'"
    text = re.sub(r'[\\"$]', r"\\\g<0>", value).replace("\n", "\\n").replace("\r", "\\r")
    return f'"{text}"'


def _entry(line: str, number: int) -> Entry | None:
    """Return the assignment of a line; None where it is empty or a comment."""
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    found = _ASSIGNMENT.fullmatch(line)
    if not found:
        raise ValueError("not of the form KEY=value")
    key, text = found.groups()
    if "\0" in text:
        raise ValueError(f"{key}: a value cannot hold the character NUL")
    if text.startswith("'"):
        value = _inside(_SINGLE, key, text).replace("\\'", "'")
        return Entry(key, value, number)
    if text.startswith('"'):
        raw = _inside(_DOUBLE, key, text)
        value = _ESCAPE.sub(lambda one: _ESCAPES.get(one[1], one[0]), raw)
        return Entry(key, value, number, bool(_EXPANDED.search(raw)))
    value = _COMMENT.sub("", text).strip()
    return Entry(key, value, number, bool(_EXPANDED.search(value)))


def _inside(form: re.Pattern[str], key: str, text: str) -> str:
    found = form.fullmatch(text)
    if not found:
        raise ValueError(f"{key}: the quotation does not end, or text follows it")
    return found[1]
