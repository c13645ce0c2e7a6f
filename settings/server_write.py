"""Replaces a settings file of the server: in one step, keeping backups, owner and mode."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from settings.errors import SettingsError

BACKUPS = 3
# A new file may come to hold keys of model providers.
NEW_MODE = 0o600


def content_of(path: Path) -> bytes | None:
    """Return what a file holds; None where there is none. SettingsError if it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror}"]) from None


def replace_file(path: Path, content: bytes, before: bytes | None) -> None:
    """Replace a file that held `before` (None: there was none) by `content`, in one step.

    The old file becomes `<name>.bak1`, the newest of three, as the server itself does it. Raises
    SettingsError where that cannot be done or the file is not what it was; it is left alone then.
    """
    try:
        with _draft(path, content) as draft:
            # The server writes it too, and its change would be lost.
            if content_of(path) != before:
                raise SettingsError([f"{path}: changed just now, so not written; try again"])
            if before is not None:
                _back_up(path, before)
            os.replace(draft, path)
        _sync(path.parent)
    except OSError as error:
        raise SettingsError([f"{path}: cannot be written: {error.strerror}"]) from None


def _back_up(path: Path, before: bytes) -> None:
    """Keep `before` as the newest backup; the oldest goes. No step of it leaves half a file."""
    names = [path.with_name(f"{path.name}.bak{number}") for number in range(1, BACKUPS + 1)]
    with _draft(path, before) as draft:
        for newer, older in reversed(list(pairwise(names))):
            if newer.exists():
                os.replace(newer, older)
        os.replace(draft, names[0])


@contextmanager
def _draft(path: Path, content: bytes) -> Iterator[Path]:
    """Give a whole file beside `path`, on the disk for good; gone afterwards unless renamed."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            _take_owner_and_mode(file.fileno(), path)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _take_owner_and_mode(handle: int, path: Path) -> None:
    """Make a file the server's as `path` is: it must be able to read what root has edited."""
    exists = path.exists()
    like = path.stat() if exists else path.parent.stat()
    ours = os.fstat(handle)
    wanted = (like.st_uid, like.st_gid)
    # A new file is for whom the folder is for; only root can give it away.
    if wanted != (ours.st_uid, ours.st_gid) and (exists or os.geteuid() == 0):
        try:
            os.fchown(handle, *wanted)
        except PermissionError:
            owner = f"{like.st_uid}:{like.st_gid}"
            problem = f"{path}: belongs to {owner}, and would not any more; write it as root"
            raise SettingsError([problem]) from None
    os.fchmod(handle, stat.S_IMODE(like.st_mode) if exists else NEW_MODE)


def _sync(folder: Path) -> None:
    """Make the renames in a folder last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
