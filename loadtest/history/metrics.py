"""What a run is measured by: its samples by metric, and how a metric is read. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from loadtest.outcome import Outcome
from loadtest.summary import Summary
from settings.models import Tolerance
from settings.sizes import in_gb, in_mb

Worse = Literal["higher", "lower"]
Samples = Mapping[str, Sequence[float]]
"""Metric -> its values in one run: bytes at true size, agents, or milliseconds."""

WORSE: dict[str, Worse] = {
    "agent-memory": "higher",
    "base-memory": "higher",
    "boundary": "lower",
    "slots": "lower",
    "health-latency": "higher",
}
"""By the first word of a metric: which way is worse. The order is that of reports."""
_COUNTED = {"boundary", "slots"}
# As `loadtest.fold` words it; it is said only where no witness failed.
_ONLY_THE_BASE = "before the first agent: too much"


def samples_of(summary: Summary, outcomes: Sequence[Outcome]) -> dict[str, tuple[float, ...]]:
    """The samples of every metric that a run has any of, in the order of reports."""
    found: dict[str, list[float]] = {}
    for outcome in outcomes:
        for metric, value in _values(outcome, summary.scale):
            found.setdefault(metric, []).append(value)
    return {metric: tuple(found[metric]) for metric in sorted(found, key=order)}


def order(metric: str) -> tuple[int, str]:
    """Sort key of metrics: the order of reports, unknown ones last."""
    words = list(WORSE)
    word = first_word(metric)
    return (words.index(word) if word in words else len(words)), metric


def first_word(metric: str) -> str:
    """What a metric is about, without its subject: `agent-memory` of `agent-memory:small`."""
    return metric.partition(":")[0]


def bad_sign(metric: str) -> int:
    """1 where more is worse, -1 where less is."""
    return 1 if WORSE.get(first_word(metric), "higher") == "higher" else -1


def is_counted(metric: str) -> bool:
    """Whether a metric counts agents, so that one sample is exact."""
    return first_word(metric) in _COUNTED


def tolerance_of(metric: str, tolerances: Mapping[str, Tolerance], baseline: float) -> float | None:
    """How much worse a metric may be, in its unit; None where the settings name no tolerance."""
    found = tolerances.get(metric) or tolerances.get(first_word(metric))
    return None if found is None else max(found.relative * abs(baseline), found.absolute)


def in_words(metric: str, value: float) -> str:
    """A value of a metric with its unit."""
    match first_word(metric):
        case "agent-memory":
            return in_gb(value, 3)
        case "base-memory":
            return in_mb(value)
        case "health-latency":
            return f"{value:.2f} ms"
        case _:
            return f"{value:g} agents"


def _values(outcome: Outcome, scale: float) -> Iterator[tuple[str, float]]:
    trial = outcome.trial
    if trial.kind == "scenario":  # its servers are disturbed on purpose
        return
    base_counts = outcome.valid or outcome.reason.endswith(_ONLY_THE_BASE)
    if outcome.base_bytes and base_counts:
        yield "base-memory", float(outcome.base_bytes)  # it does not scale
    if not outcome.valid:
        return
    if trial.reading == "GB":  # the agents of the other reading are larger
        for agent in outcome.agents:
            if agent.private_bytes and agent.end == "held":
                yield f"agent-memory:{agent.agent_class}", agent.private_bytes / scale
    if trial.kind == "ramp":
        suffix = "" if trial.reading == "GB" else ":gib"
        yield f"boundary:{trial.workload}{suffix}", float(outcome.held)
    if trial.kind == "cap":  # the trial bears the id of the claim
        yield f"slots:{trial.id}", float(max(outcome.max_running, outcome.max_reported))
    if outcome.health.p50_ms is not None:
        yield "health-latency", outcome.health.p50_ms
