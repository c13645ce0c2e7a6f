"""One campaign at a time on a machine: two would measure each other."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from loadtest.plan import PlanError

FOLDER = "automaker-staging"
NAME = "loadtest.lock"


@contextlib.contextmanager
def only_campaign(folder: Path | None = None) -> Iterator[None]:
    """Hold the machine's lock for campaigns; the kernel lets go of it when this process ends.

    Raises PlanError that names the process which holds it.
    """
    path = (folder or Path(tempfile.gettempdir()) / FOLDER) / NAME
    owner = path.with_suffix(".owner")
    lock = FileLock(path, mode=0o666)
    try:
        path.parent.mkdir(exist_ok=True)
        # Every user of the machine takes the same lock.
        with contextlib.suppress(PermissionError):
            path.parent.chmod(0o777)
        lock.acquire(timeout=0)
    except Timeout:
        by = owner.read_text(encoding="ascii") if owner.exists() else "unknown"
        raise PlanError(
            f"another load test is running (process {by}): wait for it, or end it with Ctrl-C"
        ) from None
    except OSError as error:
        raise PlanError(f"the lock {path} cannot be taken: {error.strerror}") from None
    try:
        owner.unlink(missing_ok=True)
        owner.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()
