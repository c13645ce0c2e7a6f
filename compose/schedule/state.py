"""How scheduled runs went, on disk: the one under way, or the last one, and since when they are."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from compose.deploy.store import write
from compose.errors import ComposeError
from settings.owner import Owner

FOLDER = Path("reports") / "schedule"
READABLE = 0o644


@dataclass(frozen=True)
class Postponed:
    """A moment at which a run gave way, and to what."""

    at: str
    why: str


@dataclass(frozen=True)
class Record:
    """One run. Moments are ISO 8601 with the offset of the host's time zone; empty: not yet."""

    plan: str
    owner: str
    """The process, told apart from a later one with its number."""
    begun: str
    started: str = ""
    """When the load test began: later than `begun` where the run was postponed."""
    ended: str = ""
    code: int | None = None
    words: str = ""
    log: str = ""
    report: str = ""
    regressed: str = ""
    """The first metric that got worse, as the load test says it."""
    postponed: tuple[Postponed, ...] = ()
    next_try: str = ""
    gives_up: str = ""

    def process(self) -> int:
        """The process that runs it now; 0 where that is gone, or it has ended."""
        owner = Owner.parse(self.owner)
        return owner.pid if not self.ended and owner and owner.is_alive() else 0

    def latest(self) -> str:
        """The last moment at which anything of it was noted."""
        given_way = self.postponed[-1].at if self.postponed else ""
        return self.ended or self.started or given_way or self.begun


@dataclass(frozen=True)
class State:
    """What is known of the runs of a checkout."""

    since: str = ""
    """Since when runs are noted here: the installation, else the first run."""
    last: Record | None = None
    """The run under way, or the last one."""
    before: Record | None = None
    """The last one that measured, where a later one is under way or gave way."""


class States:
    """Reads and writes the state of a checkout; every write is whole or not at all."""

    def __init__(self, checkout: Path) -> None:
        self.folder = checkout / FOLDER
        self.path = self.folder / "state.json"

    def read(self) -> State:
        """Return what is known; nothing where there is no file or it is damaged."""
        try:
            data: Mapping[str, Any] = json.loads(self.path.read_bytes())
            runs = {key: _record(data.get(key)) for key in ("last", "before")}
            return State(str(data.get("since", "")), **runs)
        except (OSError, ValueError, TypeError, AttributeError):
            return State()

    def write(self, state: State) -> None:
        """Write it down. Raises ComposeError that says what and why."""
        self.prepare()
        write(self.path, json.dumps({"schema": 1, **asdict(state)}, indent=2) + "\n")
        self.path.chmod(READABLE)  # whoever may look at the checkout may ask for the status

    def prepare(self) -> None:
        """Make the folder. Raises ComposeError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ComposeError(f"{self.folder}: cannot be made: {error.strerror}") from None

    @contextlib.contextmanager
    def only_run(self) -> Iterator[None]:
        """Be the only run of this checkout; the kernel lets go of it when this process ends.

        Raises ComposeError (2) that names the process which is.
        """
        self.prepare()
        lock = FileLock(self.folder / "run.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            last = self.read().last
            by = f"pid {last.process()}" if last and last.process() else "another process"
            raise ComposeError(
                f"a scheduled run is under way: {by}",
                next_step="invoke schedule.status",
                exit_code=2,
            ) from None
        except OSError as error:
            raise ComposeError(f"{lock.lock_file}: {error.strerror}", exit_code=2) from None
        try:
            yield
        finally:
            lock.release()


def _record(data: Mapping[str, Any] | None) -> Record | None:
    if data is None:
        return None
    known = {one.name for one in fields(Record)}
    values = {key: value for key, value in data.items() if key in known}
    postponed = tuple(Postponed(**one) for one in values.pop("postponed", ()))
    return Record(**values, postponed=postponed)
