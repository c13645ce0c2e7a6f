"""One scheduled run, from waiting for a quiet host to telling how it went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from compose.deploy.context import Context
from compose.schedule.job import shown
from compose.schedule.measure import (
    CONFIRMED,
    INTERRUPTED,
    UNUSABLE,
    Result,
    loadtest_argv,
    read_result,
)
from compose.schedule.quiet import look, reasons
from compose.schedule.state import Postponed, Record, State, States
from compose.schedule.units import POSTPONED
from settings.models import Schedule
from settings.owner import Owner

PATIENCE = timedelta(hours=6)


@dataclass(frozen=True)
class Order:
    """What is asked for."""

    checkout: Path
    plan: str
    prometheus: Path
    wait: bool = True
    """Whether to try again for six hours where the host is busy."""


@dataclass(frozen=True)
class Doors:
    """Where a run touches the world; tests put others here."""

    now: Callable[[], datetime]
    """In the time zone of the host."""
    sleep: Callable[[float], None]
    measuring: Callable[[], str]
    """Another load test on this machine, in words; empty where there is none."""
    memory: Callable[[], float]
    """Share of the host's memory in use."""
    measure: Callable[[Sequence[str], Path, Path], int]
    """Runs a command with its output in a file, in a folder; returns its exit status."""


class Run:
    """One run, noted on disk before each step."""

    def __init__(self, ctx: Context, order: Order, limits: Schedule, doors: Doors) -> None:
        self.ctx, self.order, self.limits, self.doors = ctx, order, limits, doors
        self.states = States(order.checkout)
        self.record = Record(order.plan, str(Owner.this_process()), _iso(doors.now()))

    def go(self) -> int:
        """Wait for a quiet host, measure, and tell; returns the exit code.

        Codes of the load test: 0 confirmed, 1 refuted or regressed, 2 cannot run, 3 inconclusive,
        130 interrupted; 75 where the host was busy. Raises ComposeError where another run is.
        """
        with self.states.only_run():
            self._save_first()
            try:
                if not self._wait():
                    return self._end(POSTPONED, f"did not run: {self.record.postponed[-1].why}")
                return self._measure()
            except KeyboardInterrupt:
                return self._end(INTERRUPTED, "interrupted")
            except Exception as error:
                self._end(UNUSABLE, self.ctx.host.progress.redact(f"cannot run: {error}"))
                raise

    def _wait(self) -> bool:
        """Whether the host got quiet in time."""
        gives_up = self.doors.now() + (PATIENCE if self.order.wait else timedelta())
        while True:
            seen = look(self.ctx, self.doors.measuring, self.doors.memory)
            if seen.agents is None:
                self.ctx.note(f"no agents are known to run: {seen.why_not}; taken for idle")
            busy = reasons(seen, self.limits)
            if not busy:
                return True
            now = self.doors.now()
            again = now + timedelta(minutes=self.limits.retry_after_min)
            why = self.ctx.host.progress.redact("; ".join(busy))
            self._save(postponed=(*self.record.postponed, Postponed(_iso(now), why)))
            self.ctx.note(f"postponed: {why}")
            if again > gives_up:
                return False
            self._save(next_try=_iso(again), gives_up=_iso(gives_up))
            self.ctx.note(f"next try {shown(again)}, gives up {shown(gives_up)}")
            self.doors.sleep((again - now).total_seconds())

    def _measure(self) -> int:
        now = self.doors.now()
        log = self.states.folder / f"{now:%Y%m%dT%H%M%S}.log"
        argv = loadtest_argv(self.order.checkout, self.order.plan, self.order.prometheus)
        self._save(started=_iso(now), log=str(log), next_try="", gives_up="")
        self.ctx.note(f"load test, plan {self.order.plan}: log {log}")
        status = self.doors.measure(argv, log, self.order.checkout)
        result = read_result(status, log.read_text(encoding="utf-8", errors="replace"))
        self._forget_logs()
        self.record = replace(self.record, report=result.report, regressed=result.regressed)
        return self._end(result.code, result.words)

    def _end(self, code: int, words: str) -> int:
        self._save(ended=_iso(self.doors.now()), code=code, words=words, next_try="", gives_up="")
        self.ctx.note(f"{words}, exit code {code}")
        # Who types --no-wait reads this, and needs no message.
        if code not in (CONFIRMED, POSTPONED) or (code == POSTPONED and self.order.wait):
            self.ctx.tell(self._message(Result(code, words)), alert=True)
        return code

    def _message(self, result: Result) -> str:
        parts = [f"capacity run {result.words}", self.record.regressed]
        where = [f"report {self.record.report}" if self.record.report else "", self.record.log]
        return "; ".join(part for part in (*parts, *where) if part)

    def _save_first(self) -> None:
        old = self.states.read()
        measured = old.last if old.last and old.last.started else old.before
        self.states.write(State(old.since or self.record.begun, self.record, measured))

    def _save(self, **changes: Any) -> None:
        self.record = replace(self.record, **changes)
        self.states.write(replace(self.states.read(), last=self.record))

    def _forget_logs(self) -> None:
        logs = sorted(self.states.folder.glob("*.log"))
        for log in logs[: -self.limits.keep_logs]:
            log.unlink(missing_ok=True)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
