"""Trial and Outcome: the record between stages, appended to trials.jsonl as soon as it is known."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from settings.models import FailureMode, Reading

End = Literal["held", "done", "lost", "refused", "pending"]
"""held: at its peak when the trial ended; done: finished; lost: died; refused: not admitted."""


class Record(BaseModel):
    """A value that is written and read back; unknown keys mean a file of another version."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Trial(Record):
    """One run of one workload on one fresh target."""

    id: str
    kind: Literal["ramp", "rounds", "stable", "cap", "scenario"]
    """rounds: the same number at once again and again, on one target, until one fails."""
    workload: str
    run: int
    agents: tuple[str, ...]
    """Agent classes in the order in which they start."""
    seed: int
    predicted: int | None = None
    """Ramp: how many are expected to hold before the base is known (for time estimates)."""
    concurrent: int | None = None
    """Stable, rounds: agents at once. Cap: maxConcurrency."""
    rounds: int | None = None
    """Rounds: how many at most."""
    scenario: str | None = None
    """Scenario: its name."""
    reading: Reading = "GB"
    """How the guide's sizes are read."""


@dataclass
class SeenAgent:
    """An agent process as the kernel shows it; times in seconds since the trial began."""

    pid: int
    agent_class: str
    """The first nine letters of it: the kernel keeps no more."""
    first_s: float
    last_s: float
    private_bytes: int = 0
    """Private memory (USS and swap) when last looked at."""
    private_s: float = -1.0
    """When that was."""
    pss_bytes: int = 0
    """Proportional share (PSS) at the same moment: private memory and a part of what is shared."""


class AgentRecord(Record):
    """One agent of a trial; times in seconds since the trial began."""

    feature_id: str
    agent_class: str
    project: str
    started_s: float | None = None
    peak_s: float | None = None
    ended_s: float | None = None
    end: End = "pending"
    private_bytes: int | None = None
    """Private memory (USS) at the peak, as the probe saw it from outside."""
    pss_bytes: int | None = None
    target_bytes: int | None = None


class Health(Record):
    """Answers of the server's health check while agents ran."""

    checks: int = 0
    failures: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None


class Sampling(Record):
    """How well the probe watched."""

    samples: int = 0
    hz: float = 0.0
    longest_gap_s: float = 0.0


class Evidence(Record):
    """What the kernel and the engine say of the target's end."""

    oom_kills: int = 0
    oom_events: int = 0
    host_oom_kills: int = 0
    running: bool = True
    exit_code: int | None = None
    oom_killed_flag: bool = False
    restarts: int = 0
    heap_abort_logged: bool = False


class Seen(Record):
    """What a scenario saw."""

    verdict: Literal["held", "broken", "unclear"]
    measured: str
    """The figures, in words."""
    reason: str


class Outcome(Record):
    """What happened in a trial. Sizes in bytes at the scale of the trial."""

    trial: Trial
    status: Literal["measured", "invalid"]
    reason: str
    started_at: str
    duration_s: float
    limit_bytes: int
    base_bytes: int = 0
    """Memory of the server before the first agent; it does not scale."""
    peak_bytes: int = 0
    held: int = 0
    """Agents at their peaks at once, held, with nothing failing."""
    failed_at: int | None = None
    failure_mode: FailureMode | None = None
    rounds_held: int = 0
    """Rounds in which all agents were at their peaks at once and nothing failed."""
    seen: Seen | None = None
    """Scenario: what came of it."""
    max_running: int = 0
    """Most agent processes seen at once, counted by the kernel's process table."""
    mean_running: float = 0.0
    """Agent processes at once on average, from the first one on."""
    max_reported: int = 0
    """Most running agents that the server's API admitted to."""
    finished: int = 0
    agents: tuple[AgentRecord, ...] = ()
    health: Health = Health()
    sampling: Sampling = Sampling()
    evidence: Evidence = Evidence()
    samples_file: str = ""

    @property
    def valid(self) -> bool:
        """Whether the outcome may move a verdict."""
        return self.status == "measured"


def append(path: Path, outcome: Outcome) -> None:
    """Add one line to trials.jsonl, on disk before this returns."""
    with path.open("a", encoding="utf-8") as file:
        file.write(outcome.model_dump_json() + "\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Iterator[Outcome]:
    """The outcomes of a trials.jsonl; a last line cut short by a crash is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")
    for line in lines[:-1]:  # a whole line ends in a newline
        yield Outcome.model_validate_json(line)


def of_workload(
    outcomes: Iterable[Outcome], kind: str, workload: str, reading: Reading = "GB"
) -> list[Outcome]:
    """The outcomes of one kind of trial with one workload and reading, in order."""
    return [
        outcome
        for outcome in outcomes
        if (outcome.trial.kind, outcome.trial.workload, outcome.trial.reading)
        == (kind, workload, reading)
    ]
