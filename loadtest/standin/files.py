"""Files that survive a crash: temporary file, fsync, rename; and three rotating backups."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

BACKUPS = 3


def write_json(file: Path, value: Any, mode: int = 0o644) -> None:
    """Replace `file` by `value` as JSON, at once or not at all. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f"{file.name}.tmp.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            # Escaped, since a client may send lone surrogates that UTF-8 cannot carry.
            json.dump(value, stream, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(file.parent)


def rotate_backups(file: Path, folder: Path) -> None:
    """Copy `file` to `folder` as .bak1 and move older copies on; the fourth is forgotten."""
    if not file.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(BACKUPS - 1, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            backup(file, folder, number).replace(backup(file, folder, number + 1))
    shutil.copyfile(file, backup(file, folder, 1))


def backup(file: Path, folder: Path, number: int) -> Path:
    """Where copy `number` (1 is the newest) of `file` lies."""
    return folder / f"{file.name}.bak{number}"


def _sync_folder(folder: Path) -> None:
    # The rename itself must reach the disk too, or a power cut brings the old file back.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
