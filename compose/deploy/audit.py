"""The audit log of a stack: who did what, when, why and how it ended; one JSON object a line."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from settings.environment import operator
from settings.redact import Redactor

AUDIT_NAME = "audit.jsonl"
Result = Literal[
    "ok", "unchanged", "dry run", "failed", "rolled back", "rollback failed", "interrupted"
]


@dataclass(frozen=True)
class Entry:
    """One line of the log."""

    when: str
    who: str
    what: str
    result: Result
    release: str = ""
    before: str = ""
    """The release that was live before."""
    why: str = ""
    detail: str = ""
    seconds: float = 0.0


def append(home: Path, redact: Redactor, what: str, result: Result, **fields: Any) -> Entry:
    """Add a line and see it onto the disk. Raises OSError; nothing in it is a secret."""
    when = datetime.now(UTC).isoformat(timespec="seconds")
    entry = Entry(when=when, who=operator(), what=what, result=result, **fields)
    line = redact(json.dumps(asdict(entry))) + "\n"
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    handle = os.open(home / AUDIT_NAME, flags, 0o600)
    try:
        # One write of one line: two writers never mix theirs. A line that a full disk has cut
        # short must not take this one with it.
        start = "" if _ends_a_line(handle) else "\n"
        os.write(handle, (start + line).encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    return entry


def _ends_a_line(handle: int) -> bool:
    size = os.fstat(handle).st_size
    return size == 0 or os.pread(handle, 1, size - 1) == b"\n"


def entries(home: Path) -> list[Mapping[str, Any]]:
    """Return the log, oldest first; a line cut short by a full disk is left out."""
    try:
        text = (home / AUDIT_NAME).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = []
    for line in text.split("\n"):
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
