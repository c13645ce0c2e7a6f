"""The live view as text: where the campaign is, how full the container is, how long it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rich.text import Text

from loadtest.outcome import Trial
from loadtest.report.words import trial_name
from settings.sizes import in_gib

_NARROWEST, _WIDEST = 10, 40


@dataclass(frozen=True)
class Status:
    """All that the view shows. Sizes in bytes, at the scale of the trial."""

    expected_s: float
    phase: str = "starting"
    trial: Trial | None = None
    number: int = 0
    total: int = 0
    done: int = 0
    used: int = 0
    limit: int = 0
    agents: int = 0
    most: int = 0
    """Most agents alive at once in this trial."""

    def having(self, **changes: Any) -> Status:
        """The same but for some fields."""
        return replace(self, **changes)


def view(status: Status, elapsed_s: float, width: int) -> Text:
    """Three lines: trial, memory and agents, time; each fits into `width` columns."""
    left = remaining(elapsed_s, status.done, status.total, status.expected_s)
    times = Text(f"{clock(elapsed_s)} elapsed, about {clock(left)} left", "dim")
    if status.trial is None:
        count = f" ({status.done}/{status.total})" if status.total else ""
        return _lines(width, Text(f"{status.phase}{count}", "bold"), times)
    head = Text.assemble(
        (f"trial {status.number}/{status.total}  ", "bold"), trial_name(status.trial)
    )
    return _lines(width, head, _memory(status, width), _agents(status), times)


def _lines(width: int, *lines: Text) -> Text:
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Text("\n").join(lines)


def _memory(status: Status, width: int) -> Text:
    if not status.limit:
        return Text("memory  waiting for the container", "dim")
    share = status.used / status.limit
    words = f" {share:4.0%}  {in_gib(status.used)} of {in_gib(status.limit)}"
    cells = max(_NARROWEST, min(_WIDEST, width - len(words) - 8))
    full = min(cells, round(share * cells))
    style = "red" if share > 0.95 else "yellow" if share > 0.8 else "green"
    return Text.assemble(
        ("memory  ", "bold"), ("█" * full, style), ("░" * (cells - full), "dim"), words
    )


def _agents(status: Status) -> Text:
    trial = status.trial
    words = f"{status.agents} running, {status.most} at most"
    if trial and trial.kind == "ramp" and trial.predicted is not None:
        words += f", {trial.predicted} predicted to hold"
    elif trial and trial.concurrent is not None:
        words += f", {trial.concurrent} allowed"
    return Text.assemble(("agents  ", "bold"), words)


def remaining(elapsed_s: float, done: int, total: int, expected_s: float) -> float:
    """Seconds left: at first what was expected, more and more what the trials so far took."""
    planned = max(0.0, expected_s - elapsed_s)
    if not done or not total:
        return planned
    share = min(1.0, done / total)
    return (1 - share) * planned + share * elapsed_s * (1 - share) / share


def clock(seconds: float) -> str:
    """Minutes and seconds, such as 2:05; hours where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
