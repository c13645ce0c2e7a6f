"""What a running campaign shows: a live view on a terminal, timestamped lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from loadtest.outcome import Outcome, Trial
from loadtest.report.gauge import Status, clock, remaining, view
from loadtest.report.projection import Filling
from loadtest.report.trial_words import trial_name, trial_result
from loadtest.report.words import MARKS
from settings.sizes import in_gib

_QUIET_S = 10.0
"""A log that nobody watches gets at most one line in this time between start and end of a trial."""


class Progress(Protocol):
    """What a campaign tells while it runs."""

    def phase(self, text: str) -> None:
        """A step of the set-up, such as "building the stand-in image"."""

    def trial_started(self, trial: Trial, number: int, total: int) -> None:
        """Trial `number` of `total` begins; numbers start at 1."""

    def memory(self, used: int, limit: int, agents: int) -> None:
        """Memory now, in bytes, and agent processes alive; may come from another thread."""

    def swarm(self, counts: Mapping[str, int]) -> None:
        """Agents by state, as the swarm sees them; may come from another thread."""

    def trial_ended(self, outcome: Outcome) -> None:
        """A trial is over."""

    def close(self) -> None:
        """Give the terminal back; a second call does nothing."""


def progress_for(console: Console, expected_s: float, *, in_ci: bool = False) -> Progress:
    """The live view on a terminal, plain lines elsewhere; `expected_s` is the campaign's time.

    `in_ci` keeps to lines where a log is said to be a terminal for the sake of its colours.
    """
    if console.is_terminal and not console.is_dumb_terminal and not in_ci:
        return LiveProgress(console, expected_s)
    return PlainProgress(console, expected_s)


class LiveProgress:
    """A view that is redrawn in place, below one lasting line a finished trial."""

    def __init__(
        self, console: Console, expected_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._clock = clock
        self._began = clock()
        self._lock = Lock()
        self._status = Status(expected_s=expected_s)
        self._live = Live(
            console=console, get_renderable=self.shown, refresh_per_second=4, transient=True
        )

    def phase(self, text: str) -> None:
        """Show a step of the set-up."""
        self._update(phase=text, trial=None)
        self._live.start()  # only now, so that an early error finds the terminal as it was

    def trial_started(self, trial: Trial, number: int, total: int) -> None:
        """Show a trial, with nothing in memory yet."""
        self._update(trial=trial, number=number, total=total, limit=0, filling=Filling(), swarm={})
        self._live.start()

    def memory(self, used: int, limit: int, agents: int) -> None:
        """Move the gauge."""
        with self._lock:
            filling = self._status.filling.after(used, agents)
            self._status = self._status.having(filling=filling, limit=limit)

    def swarm(self, counts: Mapping[str, int]) -> None:
        """Show the agents by state."""
        self._update(swarm=dict(counts))

    def trial_ended(self, outcome: Outcome) -> None:
        """Leave a line for the trial."""
        self._update(trial=None, done=self._status.done + 1, phase="next trial")
        mark = MARKS["confirmed" if outcome.valid else "inconclusive"]
        words = f"{trial_name(outcome.trial)}: {trial_result(outcome)}"
        seconds = f", {outcome.duration_s:.0f} s"
        self._console.print(Text.assemble((mark.symbol, mark.style), " ", words, (seconds, "dim")))

    def close(self) -> None:
        """Take the view away."""
        self._live.stop()

    def _update(self, **changes: object) -> None:
        with self._lock:
            self._status = self._status.having(**changes)

    def shown(self) -> Text:
        """The view as it is now."""
        with self._lock:
            status = self._status
        return view(status, self._clock() - self._began, self._console.width)


class PlainProgress:
    """One line at a trial's start, one at its end, few between: for logs and CI."""

    def __init__(
        self,
        console: Console,
        expected_s: float,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], str] = lambda: time.strftime("%H:%M:%S"),
    ) -> None:
        self._console = console
        self._clock = clock
        self._wall = wall
        self._lock = Lock()
        self._began = self._last = clock()
        self._expected_s = expected_s
        self._swarm: Mapping[str, int] = {}

    def phase(self, text: str) -> None:
        """Say a step of the set-up."""
        self._say(text)

    def trial_started(self, trial: Trial, number: int, total: int) -> None:
        """Say which trial begins, and how long all of them may still take."""
        self._swarm = {}
        predicted = "" if trial.predicted is None else f", {trial.predicted} predicted to hold"
        elapsed = self._clock() - self._began
        left = clock(remaining(elapsed, number - 1, total, self._expected_s))
        self._say(f"trial {number}/{total}: {trial_name(trial)}{predicted}; about {left} left")

    def memory(self, used: int, limit: int, agents: int) -> None:
        """Say how full it is, unless a line was written a short while ago."""
        if self._clock() - self._last >= _QUIET_S:
            states = ", ".join(f"{count} {state}" for state, count in self._swarm.items() if count)
            by_state = f" ({states})" if states else ""
            self._say(f"  {agents} agents run{by_state}, {in_gib(used)} of {in_gib(limit)}")

    def swarm(self, counts: Mapping[str, int]) -> None:
        """Remember the agents by state for the next line."""
        self._swarm = dict(counts)

    def trial_ended(self, outcome: Outcome) -> None:
        """Say what the trial found."""
        self._say(f"  {trial_result(outcome)} after {outcome.duration_s:.0f} s")

    def close(self) -> None:
        """Nothing to give back."""

    def _say(self, text: str) -> None:
        with self._lock:  # the memory's line comes from another thread
            self._last = self._clock()
            line = f"{self._wall()} {text}"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)
