"""Install a job, or take it away again: idempotent, and never over what somebody else wrote."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from compose.deploy.context import Context
from compose.errors import ComposeError
from compose.schedule.job import Job, parse_job, shown
from compose.schedule.kinds import Kind
from compose.schedule.state import State, States


@dataclass(frozen=True)
class Installed:
    """What an installation came to."""

    name: str
    kind: str
    where: tuple[str, ...]
    daily: str
    zone: str
    """The host's time zone now; `daily` is a time of its clock."""
    next: str
    command: tuple[str, ...]
    changed: bool
    difference: tuple[str, ...]
    """What replaced what, as a unified diff; empty where nothing was there, or the same."""
    remarks: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return asdict(self)

    def text(self) -> str:
        """Return it as a person reads it."""
        state = "installed" if self.changed else "installed already, nothing to change"
        return "\n".join(
            [
                *self.difference,
                f"{self.name}: {state}, a {self.kind}",
                f"daily at {self.daily} {self.zone} (time zone of this host), next {self.next}",
                *(f"! {one}" for one in self.remarks),
            ]
        )


def install(ctx: Context, kinds: Sequence[Kind], job: Job, now: datetime) -> Installed:
    """Install a job in the first of the kinds, and take it out of the others.

    A dry run shows files and commands, and then what would hinder it. Raises ComposeError.
    """
    job.check()
    _see_runnable(job)
    kind, *others = kinds
    there, wanted = _ours(kind), kind.wanted(job)
    missing = kind.lacks()
    if missing and not ctx.host.dry:
        raise missing
    for other in others:
        if _ours(other):
            with ctx.host.progress.step(f"remove the {other.word}"):
                other.take()
    changed = there != wanted or bool(there and _inactive(kind, missing))
    if changed:
        with ctx.host.progress.step(f"install a {kind.word}"):
            if not ctx.host.dry:
                # First, so that who may not write it installs nothing that could not run. Planned
                # times before this were those of another job, or of none.
                states = States(Path(job.checkout))
                states.write(replace(states.read(), since=now.isoformat(timespec="seconds")))
            kind.put(job)
    if missing:
        raise missing
    return Installed(
        name=job.name,
        kind=kind.word,
        where=tuple(wanted),
        daily=job.daily,
        zone=now.tzname() or "",
        next=shown(job.next(now)),
        command=job.argv,
        changed=changed,
        difference=tuple(_difference(there, wanted)) if there else (),
        remarks=() if ctx.host.dry else tuple(kind.trouble()),
    )


def remove(ctx: Context, kinds: Sequence[Kind], checkout: Path) -> list[str]:
    """Take a job away, wherever it is; returns what was (or would be) removed.

    A run under way is left to end, and named. Raises ComposeError for what is not ours.
    """
    removed = []
    for kind in kinds:
        there = _ours(kind)
        _see_this_checkouts(there, checkout)
        if there:
            with ctx.host.progress.step(f"remove the {kind.word}"):
                kind.take()
            removed += list(there)
    states = States(checkout)
    state = states.read()
    if state.last and (pid := state.last.process()):
        ctx.note(f"a run is under way and is left to end: pid {pid} (kill -INT {pid} ends it)")
    if removed and state != State() and not ctx.host.dry:
        states.write(replace(state, since=""))
    return removed


def _ours(kind: Kind) -> Mapping[str, str]:
    """What is installed; ComposeError where somebody else wrote it."""
    there = kind.there()
    for where, text in there.items():
        if parse_job(text) is None:
            raise ComposeError(
                f"{where}: there already, and not made by schedule.install",
                next_step="move it away, or give the stack another STACK_NAME",
                exit_code=2,
            )
    return there


def _see_this_checkouts(there: Mapping[str, str], checkout: Path) -> None:
    for where, text in there.items():
        job = parse_job(text)
        if job and job.checkout != str(checkout):
            raise ComposeError(
                f"{where}: installed from another checkout, {job.checkout}",
                next_step=f"invoke -r {job.checkout} schedule.remove",
                exit_code=2,
            )


def _see_runnable(job: Job) -> None:
    invoke = Path(job.argv[0])
    if not invoke.exists():
        raise ComposeError(f"{invoke}: missing", next_step="./bootstrap", exit_code=2)


def _inactive(kind: Kind, missing: ComposeError | None) -> bool:
    return missing is None and any("not active" in one for one in kind.trouble())


def _difference(there: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    for where, text in wanted.items():
        old = there.get(where, "")
        lines += difflib.unified_diff(
            old.splitlines(), text.splitlines(), where, where, n=0, lineterm=""
        )
    return lines
