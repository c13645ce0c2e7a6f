"""What is scheduled, what came of it, and whether a run was missed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from compose.schedule.job import Job, parse_job, shown
from compose.schedule.kinds import Kind
from compose.schedule.state import Record, State, States

GRACE = timedelta(hours=2)


@dataclass(frozen=True)
class ScheduleStatus:
    """A schedule and its runs as they are now. `kind` is empty where none is installed."""

    name: str
    kind: str
    where: tuple[str, ...]
    daily: str
    zone: str
    next: str
    command: str
    running: int
    """The process of a run under way, or of one that waits; 0 where there is none."""
    waiting: bool
    """Whether it was postponed, and waits."""
    last: Record | None
    before: Record | None
    """The last run that measured, where `last` does still, or did not."""
    planned: str
    """The latest planned time."""
    missed: bool
    problems: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return asdict(self)


def look(name: str, kinds: Sequence[Kind], checkout: Path, now: datetime) -> ScheduleStatus:
    """Look at what is installed and at what was noted; changes nothing."""
    state = States(checkout).read()
    kind = next((one for one in kinds if one.there()), None)
    there = kind.there() if kind else {}
    job = next((found for text in there.values() if (found := parse_job(text))), None)
    planned = job.last(now) if job else None
    problems = _problems(kind, job)
    missed = planned is not None and is_missed(state, planned, now)
    if missed and planned:
        problems.append(f"missed: planned {shown(planned)}, nothing ran")
    last = state.last
    return ScheduleStatus(
        name=name,
        kind=kind.word if kind else "",
        where=tuple(there),
        daily=job.daily if job else "",
        zone=now.tzname() or "",
        next=shown(job.next(now)) if job else "",
        command=shlex.join(job.argv) if job else "",
        running=last.process() if last else 0,
        waiting=bool(last and last.process() and last.next_try),
        last=last,
        before=state.before,
        planned=shown(planned) if planned else "",
        missed=missed,
        problems=tuple(problems),
    )


def is_missed(state: State, planned: datetime, now: datetime) -> bool:
    """Whether a planned time has passed, with grace, and nothing was noted since. Pure.

    Where nobody knows since when runs are noted, nothing is missed.
    """
    if not state.since or datetime.fromisoformat(state.since) > planned:
        return False
    if now - planned <= GRACE:
        return False
    last = state.last
    return last is None or (datetime.fromisoformat(last.latest()) < planned and not last.process())


def show_status(status: ScheduleStatus, now: datetime) -> str:
    """Return it as a person reads it."""
    if status.kind:
        head = [
            f"{status.name}: a {status.kind}, daily at {status.daily} {status.zone} "
            "(time zone of this host)",
            *(f"  {one}" for one in status.where),
            f"next     {status.next}",
            f"command  {status.command}",
        ]
    else:
        head = [f"{status.name}: not installed"]
    last = status.last
    body = []
    if last and status.running:
        body += _under_way(last, status, now)
        last = status.before
    if last:
        body += _ended(last, now)
    elif not body:
        body.append("last     no run so far")
    if last is not None and last == status.last and status.before and not last.started:
        body += _ended(status.before, now)
    return "\n".join([*head, *body, *(f"! {one}" for one in status.problems)])


def _problems(kind: Kind | None, job: Job | None) -> list[str]:
    if kind is None:
        return ["nothing is scheduled: invoke schedule.install"]
    if job is None:
        return ["not made by schedule.install: what is there is somebody else's"]
    found = kind.trouble()
    if kind.there() != kind.wanted(job):
        found.append("changed by hand: invoke schedule.install")
    if not Path(job.argv[0]).exists():
        found.append(f"{job.argv[0]}: missing: ./bootstrap")
    return found


def _under_way(record: Record, status: ScheduleStatus, now: datetime) -> list[str]:
    if status.waiting:
        return [
            f"now      postponed, pid {status.running}: {record.postponed[-1].why}",
            f"  next try {_moment(record.next_try, now)}, gives up {_moment(record.gives_up, now)}",
        ]
    since = _moment(record.started or record.begun, now)
    return [f"now      a run is under way, pid {status.running}, since {since}", *_where(record)]


def _ended(record: Record, now: datetime) -> list[str]:
    begun = _moment(record.started or record.begun, now)
    if not record.ended:
        return [f"last     {begun}: cut short, its process is gone", *_where(record)]
    start = datetime.fromisoformat(record.started or record.begun)
    took = (datetime.fromisoformat(record.ended) - start).total_seconds()
    minutes, seconds = divmod(round(took), 60)
    ago = int((now - datetime.fromisoformat(record.ended)).total_seconds() // 86400)
    age = f", {ago} days ago" if ago > 1 else ""
    lines = [
        f"last     {begun}: {record.words}, exit code {record.code}, "
        f"took {minutes} min {seconds} s{age}"
    ]
    if record.regressed:
        lines.append(f"  {record.regressed}")
    if record.postponed and record.started:
        lines.append(f"  postponed {len(record.postponed)} times before")
    return [*lines, *_where(record)]


def _where(record: Record) -> list[str]:
    found = [("log", record.log), ("report", record.report)]
    return [f"  {name:<6} {path}" for name, path in found if path]


def _moment(text: str, now: datetime) -> str:
    return shown(datetime.fromisoformat(text).astimezone(now.tzinfo)) if text else ""
