"""Changes single keys of the server's own settings files and keeps all the rest of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from settings.env_keys import HIGHEST_CONCURRENCY, MASK
from settings.errors import SettingsError
from settings.server_files import Finding, check_settings, kind_of, parse_settings
from settings.server_paths import real_directory
from settings.server_write import content_of, replace_file

ABSENT = object()
"""Stands for the value of a key that is not there; null is a value."""
# Values below such keys are never printed, as those of environments of MCP servers.
_SECRET = re.compile(
    r"key|token|secret|passw|webhook|credential|cookie|authorization|^env$|^headers$", re.IGNORECASE
)


@dataclass(frozen=True)
class Change:
    """A value that changes: where it stands, what it was (or ABSENT) and what it becomes."""

    path: tuple[str, ...]
    before: Any = field(repr=False)
    after: Any = field(repr=False)

    @property
    def key(self) -> str:
        """The path as `gitWorkflow.autoPush`; parts that are no plain words in brackets."""
        parts = (
            f".{part}" if re.fullmatch(r"[\w-]+", part) else f"[{json.dumps(part)}]"
            for part in self.path
        )
        return "".join(parts).removeprefix(".")

    def public(self) -> dict[str, object]:
        """Return it as JSON would print it; without `before` where there was nothing."""
        row = {
            "key": self.key,
            "before": self._shown(self.before),
            "after": self._shown(self.after),
        }
        return {name: value for name, value in row.items() if value is not ABSENT}

    def line(self) -> str:
        """Return it as a person reads it."""
        return f"{self.key}: {self._text(self.before)} -> {self._text(self.after)}"

    def _text(self, value: Any) -> str:
        shown = self._shown(value)
        if shown is ABSENT:
            return "not set"
        return json.dumps(shown) if shown is value else str(shown)

    def _shown(self, value: Any) -> object:
        """Mask secrets. Of lists and objects only the size is told: secrets may be deep in them."""
        if value is ABSENT:
            return ABSENT
        if any(_SECRET.search(part) for part in self.path):
            return MASK
        if isinstance(value, Mapping | list):
            return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
        return value


@dataclass(frozen=True)
class Merged:
    """What `merge_file` found and did. `warnings` are those that the file had not before."""

    path: Path
    changes: tuple[Change, ...]
    warnings: tuple[Finding, ...]
    written: bool

    def public(self) -> dict[str, object]:
        """Return it as JSON would print it, secrets masked."""
        return {
            "path": str(self.path),
            "written": self.written,
            "changes": [one.public() for one in self.changes],
            "warnings": [asdict(one) for one in self.warnings],
        }

    def lines(self) -> list[str]:
        """Return it as a person reads it, secrets masked."""
        unwritten = "dry run, not written" if self.changes else "nothing to change"
        return [
            *(one.line() for one in self.changes),
            *(f"warn  {self.path}: {one.key}: {one.message}" for one in self.warnings),
            f"{self.path}: {'written' if self.written else unwritten}",
        ]


def merge_file(
    path: Path,
    changes: Mapping[str, Any],
    *,
    dry_run: bool = False,
    cap: int = HIGHEST_CONCURRENCY,
) -> Merged:
    """Merge `changes` into a settings file; `dry_run` only says what would change.

    Objects merge, everything else replaces; other keys stay, in their order. A file that is not
    there is made if its folder is. `cap` is AUTOMAKER_MAX_CONCURRENCY. Raises SettingsError, and
    writes nothing, where the file cannot be read or auto-mode would not work with the result.
    """
    path = path.resolve()  # a link stays a link: what it points at is replaced
    if not path.parent.is_dir():
        raise SettingsError([f"{path}: its folder is not there"])
    before = content_of(path)
    old = {} if before is None else parse_settings(before, path)
    new = merged(old, changes)
    rows = tuple(differences(old, new))
    kind = kind_of(path)
    known = check_settings(old, kind, cap, real_directory)
    found = check_settings(new, kind, cap, real_directory)
    failures = [f"{path}: {one.key}: {one.message}" for one in found if one.level == "fail"]
    if failures:
        error = SettingsError(failures)
        error.add_note("nothing was written")
        raise error
    write = bool(rows) and not dry_run
    if write:
        replace_file(path, _as_the_server_writes(new, before), before)
    return Merged(path, rows, tuple(one for one in found if one not in known), write)


def merged(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `old` with `changes` in it: objects merge, everything else replaces."""
    new = dict(old)
    for key, value in changes.items():
        there = new.get(key)
        if isinstance(value, Mapping):
            new[key] = merged(there if isinstance(there, Mapping) else {}, value)
        else:
            new[key] = value
    return new


def differences(
    old: Mapping[str, Any], new: Mapping[str, Any], at: tuple[str, ...] = ()
) -> Iterator[Change]:
    """Yield every value of `new` that is another one in `old`, or is not there."""
    for key, after in new.items():
        before, path = old.get(key, ABSENT), (*at, key)
        if isinstance(after, Mapping) and isinstance(before, Mapping):
            yield from differences(before, after, path)
        elif isinstance(after, Mapping) and after and before is ABSENT:
            yield from differences({}, after, path)
        elif before is ABSENT or json.dumps(before) != json.dumps(after):  # True is no 1 here
            yield Change(path, before, after)


def _as_the_server_writes(data: Mapping[str, Any], before: bytes | None) -> bytes:
    """Return the text of a file, with a line end at its end where the old one had it."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    end = "\n" if before is None or before.endswith(b"\n") else ""
    # Half a surrogate pair cannot be UTF-8; this writes its JSON escape.
    return (text + end).encode("utf-8", "backslashreplace")
