"""Writes `.env.staging`: for its owner alone, and never half of it."""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from settings.env_complete import Completion, complete
from settings.env_file import PRIVATE_MODE, read_env_text
from settings.environment import staging_overrides, staging_owner
from settings.errors import SettingsError
from settings.host import host_facts
from settings.tiers import propose

KEY_BYTES = 32


@dataclass(frozen=True)
class Written:
    """What `ensure_env` found and did; nothing in it is a secret."""

    path: Path
    completion: Completion
    changed: bool
    """Whether the file was written, or its mode set."""

    def public(self) -> dict[str, object]:
        """Return it as JSON would print it."""
        return {
            "path": str(self.path),
            "changed": self.changed,
            "added": [one.public() for one in self.completion.added],
            "kept": list(self.completion.kept),
            "missing": list(self.completion.missing),
        }

    def lines(self) -> list[str]:
        """Return it as a person reads it."""
        lines = [
            f"{one.key}={one.public()['value']}  ({one.source})" for one in self.completion.added
        ]
        if self.completion.kept:
            lines.append(f"kept as it is: {', '.join(self.completion.kept)}")
        lines += [
            f"missing: {key}; the server does not start without it: "
            f"{key}=... invoke env, or add it to the file"
            for key in self.completion.missing
        ]
        return lines


def ensure_env(path: Path, *, dry_run: bool = False) -> Written:
    """Make `path` a file with every key, mode 0600; `dry_run` only says what would be added.

    Raises SettingsError when the file holds something wrong, which is never overwritten.
    """
    path = path.resolve()  # a link stays a link: what it points at is replaced
    exists = path.exists()
    facts = host_facts()
    done = complete(
        read_env_text(path) if exists else "",
        path,
        staging_overrides(),
        propose(facts.memory, facts.cpus),
        staging_owner(),
        lambda: secrets.token_urlsafe(KEY_BYTES),
    )
    open_to_others = exists and stat.S_IMODE(path.stat().st_mode) != PRIVATE_MODE
    changed = not dry_run and (bool(done.added) or open_to_others)
    if changed:
        write_private(path, done.text)
    return Written(path, done, changed)


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text` in one step, readable for its owner alone from the first byte on."""
    try:
        handle, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    except OSError as error:
        raise SettingsError([f"{path}: cannot be written: {error.strerror}"]) from None
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), PRIVATE_MODE)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        _keep_owner(path, name)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _keep_owner(path: Path, name: str) -> None:
    """Give the new file to whom the old one belongs; root may well be completing a user's file."""
    if path.exists() and os.geteuid() == 0:
        old = path.stat()
        os.chown(name, old.st_uid, old.st_gid)
