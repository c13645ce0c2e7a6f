"""The live view as text: where the campaign is, how full the container is, how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rich.text import Text

from loadtest.outcome import Trial
from loadtest.report.projection import Filling
from loadtest.report.trial_words import trial_name
from settings.sizes import in_gib

_NARROWEST, _WIDEST = 10, 40
_STYLES = {"at peak": "green", "lost": "red"}


@dataclass(frozen=True)
class Status:
    """All that the view shows. Sizes in bytes, at the scale of the trial."""

    expected_s: float
    phase: str = "starting"
    trial: Trial | None = None
    number: int = 0
    total: int = 0
    done: int = 0
    limit: int = 0
    filling: Filling = field(default_factory=Filling)
    swarm: Mapping[str, int] = field(default_factory=dict)
    """Agents by state, as the swarm sees them."""

    def having(self, **changes: Any) -> Status:
        """The same but for some fields."""
        return replace(self, **changes)


def view(status: Status, elapsed_s: float, width: int) -> Text:
    """A few lines: trial, memory, agents, time; each fits into `width` columns."""
    left = remaining(elapsed_s, status.done, status.total, status.expected_s)
    times = Text(f"{clock(elapsed_s)} elapsed, about {clock(left)} left", "dim")
    if status.trial is None:
        count = f" ({status.done}/{status.total})" if status.total else ""
        return _lines(width, Text(f"{status.phase}{count}", "bold"), times)
    head = Text.assemble(
        (f"trial {status.number}/{status.total}  ", "bold"),
        trial_name(status.trial),
        (f"  {step(status)}", "dim"),
    )
    lines = [head, _memory(status, width), _agents(status)]
    if status.swarm:
        lines.append(_states(status.swarm, status.trial))
    return _lines(width, *lines, times)


def _lines(width: int, *lines: Text) -> Text:
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Text("\n").join(lines)


def step(status: Status) -> str:
    """What a trial is at, from what is seen of it."""
    swarm = status.swarm
    if not status.limit:
        return "container starts"
    if swarm.get("lost"):
        return "an agent was lost"
    if not (status.filling.agents or any(swarm.values())):
        return "server comes to rest"
    if swarm.get("starting") and status.trial and status.trial.kind != "cap":
        return "agents fill their memory"
    return "agents at work"


def _memory(status: Status, width: int) -> Text:
    if not status.limit:
        return Text("memory  waiting for the container", "dim")
    used, limit = status.filling.used, status.limit
    end = status.filling.end(status.trial) if status.trial else None
    share = used / limit
    words = f" {share:4.0%}  {in_gib(used)} of {in_gib(limit)}"
    heading = f", heading for {in_gib(end)}" if end is not None else ""
    cells = max(_NARROWEST, min(_WIDEST, width - len(words) - 30))
    style = "red" if share > 0.95 else "yellow" if share > 0.8 else "green"
    full = min(cells, round(share * cells))
    bar = Text.assemble(("█" * full, style), ("░" * (cells - full), "dim"))
    if end is not None:
        bar = _marked(bar, end / limit, cells)
    tail = (heading, "red" if end is not None and end > limit else "")
    return Text.assemble(("memory  ", "bold"), bar, words, tail)


def _marked(bar: Text, share: float, cells: int) -> Text:
    """The bar with a mark where memory is heading; beyond the limit it stands behind the bar."""
    if share > 1:
        return Text.assemble(bar, ("▸", "red"))
    at = min(cells - 1, round(share * cells))
    return Text.assemble(bar[:at], ("┃", "bold"), bar[at + 1 :], " ")


def _agents(status: Status) -> Text:
    trial, filling = status.trial, status.filling
    words = f"{filling.agents} running, {filling.most} at most"
    if trial and trial.kind == "ramp" and trial.predicted is not None:
        words += f", {trial.predicted} predicted to hold"
    elif trial and trial.concurrent is not None:
        words += f", {trial.concurrent} {'allowed' if trial.kind == 'cap' else 'wanted'}"
    return Text.assemble(("agents  ", "bold"), words)


def _states(swarm: Mapping[str, int], trial: Trial) -> Text:
    """Agents by state; of a backlog nobody looks at the peaks, so all that run are at work."""
    backlog = trial.kind == "cap"
    parts = []
    for state, count in swarm.items():
        if not (backlog and state == "at peak"):
            name = "at work" if backlog and state == "starting" else state
            parts.append(Text(f"{count} {name}", _STYLES.get(state, "") if count else "dim"))
    return Text.assemble("        ", Text("  ").join(parts))


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
