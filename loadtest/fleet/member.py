"""One host of a fleet while it is measured: its rig, its outcomes, whether it is still there."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from compose.errors import ComposeError
from loadtest import outcome as record
from loadtest.fleet.hosts import FleetHost
from loadtest.fleet.rig import FleetRig
from loadtest.fleet.swarm import FleetSwarm
from loadtest.outcome import Outcome, Trial
from loadtest.rig.engine import ENGINE_ERRORS, sweep
from loadtest.rig.lifeline import Lifeline

_FAILURES = (*ENGINE_ERRORS, ComposeError, OSError)
# A stream that ends is noticed a moment after the call that failed for the same reason.
_NOTICED_S = 8.0


@dataclass
class Member:
    """A host with an engine that answered when the run began."""

    host: FleetHost
    rig: FleetRig
    lifeline: Lifeline
    outcomes: list[Outcome] = field(default_factory=list)
    _thread: threading.Thread | None = None
    _result: Outcome | None = None
    _began: float = 0.0
    _started_at: str = ""

    @property
    def name(self) -> str:
        """Its name, as it was given."""
        return self.host.name

    @property
    def lost(self) -> str | None:
        """Why it is lost; None while it is there."""
        return self.lifeline.lost

    def start(self, trial: Trial, swarm: FleetSwarm) -> None:
        """Begin a trial, in a thread of its own: a host that hangs holds up no other."""
        self.rig.swarm = swarm
        self._result = None
        self._began, self._started_at = time.time(), _now()
        self._thread = threading.Thread(target=self._measure, args=(trial, swarm), daemon=True)
        self._thread.start()

    def is_done(self) -> bool:
        """Whether there is nothing more to wait for: the trial is over, or the host lost."""
        return self.lost is not None or self._thread is None or not self._thread.is_alive()

    def finish(self, trial: Trial) -> Outcome:
        """The outcome of the trial that was begun; it is on disk before this returns.

        Whatever a host showed in the trial in which it was lost, it decides nothing.
        """
        outcome = self._result
        if self.lost is not None:
            outcome = self._invalid(trial, f"host lost: {self.lost}")
        elif outcome is None:
            outcome = self._invalid(trial, "the trial was cut short")
        record.append(self.rig.folder / "trials.jsonl", outcome)
        self.outcomes.append(outcome)
        return outcome

    def clear(self) -> None:
        """Remove what the run made there, where the engine still answers."""
        if self.lost is None:
            with contextlib.suppress(*ENGINE_ERRORS):
                sweep(self.rig.client, self.rig.run_id)

    def join(self, budget_s: float) -> None:
        """Wait for the thread of the last trial."""
        if self._thread is not None:
            self._thread.join(budget_s)

    def _measure(self, trial: Trial, swarm: FleetSwarm) -> None:
        try:
            self._result = self.rig.measure(trial)
        except _FAILURES as error:
            swarm.leave(self.name)
            self._wait_for_lifeline()
            self._result = self._invalid(trial, str(error))
        finally:
            swarm.leave(self.name)

    def _wait_for_lifeline(self) -> None:
        """Give the lifeline time to tell an engine that is gone from one that only refused."""
        end = time.monotonic() + _NOTICED_S
        while time.monotonic() < end and self.lost is None:
            with contextlib.suppress(*ENGINE_ERRORS):
                self.rig.client.ping()
                return
            time.sleep(0.2)

    def _invalid(self, trial: Trial, reason: str) -> Outcome:
        return Outcome(
            trial=trial,
            status="invalid",
            reason=reason,
            started_at=self._started_at,
            duration_s=round(time.time() - self._began, 3),
            limit_bytes=self.rig.campaign.limit,
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
