"""One change at a time: the lock of a stack, which says who holds it and dies with its holder."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from compose.deploy.orphans import end_orphans
from compose.deploy.store import write
from compose.errors import ComposeError
from settings.environment import operator
from settings.owner import Owner

LOCK_NAME = "deploy.lock"
FIRST_S, REMIND_S = 0.5, 10.0


@dataclass(frozen=True)
class Holder:
    """Who holds the lock, since when (UTC), and what for."""

    who: str
    what: str
    why: str
    pid: int
    since: str
    owner: str = ""
    """The process, told apart from a later one with its number."""

    def text(self) -> str:
        """Return it as a person reads it."""
        reason = f" ({self.why})" if self.why else ""
        return f"{self.what}{reason} of {self.who}, pid {self.pid}, since {self.since}"


def holder(home: Path) -> Holder | None:
    """Say who holds the lock now; None where it is free."""
    if not (home / LOCK_NAME).exists():
        return None
    probe = FileLock(home / LOCK_NAME)
    try:
        with probe.acquire(timeout=0):
            return None
    except Timeout:
        return _noted(home) or Holder("somebody", "something", "", 0, "just now")
    except OSError:
        return None


@contextlib.contextmanager
def holding(
    home: Path, what: str, why: str, *, wait_s: float, note: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lock; wait up to `wait_s` seconds for whoever has it, else refuse.

    The kernel lets go of it when its holder ends, however that ends: no lock is ever stale.
    Raises ComposeError that names the holder.
    """
    lock = FileLock(home / LOCK_NAME, mode=0o600)
    # `status` looks by taking it for a moment, which must not make anybody give up.
    patience = FIRST_S
    deadline = time.monotonic() + max(wait_s, patience)
    told = False
    while True:
        try:
            lock.acquire(timeout=min(patience, max(0.0, deadline - time.monotonic())))
            break
        except Timeout:
            has = _noted(home)
            by = has.text() if has else "another process"
            if time.monotonic() >= deadline:
                raise ComposeError(
                    f"locked: {by}",
                    next_step="wait for it, or give --lock-wait SECONDS",
                ) from None
            note(f"{'still ' if told else ''}waiting for the lock: {by}")
            told, patience = True, REMIND_S
        except OSError as error:
            raise ComposeError(f"{home / LOCK_NAME}: {error.strerror}") from None
    try:
        before = _noted(home)
        if before:
            note(f"took over from a holder that is gone: {before.text()}")
            _end_orphans_of(before, note)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        mine = Holder(operator(), what, why, os.getpid(), since, str(Owner.this_process()))
        write(home / "deploy.lock.json", json.dumps(asdict(mine)))
        yield
    finally:
        (home / "deploy.lock.json").unlink(missing_ok=True)
        lock.release()


def _end_orphans_of(before: Holder, note: Callable[[str], None]) -> None:
    owner = Owner.parse(before.owner)
    for name in end_orphans(owner) if owner else []:
        note(f"ended {name}, which it had left at work")


def _noted(home: Path) -> Holder | None:
    try:
        return Holder(**json.loads((home / "deploy.lock.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
