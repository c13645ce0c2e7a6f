"""One run as the history keeps it, and which runs can be compared. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from loadtest import summary as codes
from loadtest.claims import exit_code
from loadtest.history.metrics import Samples, samples_of
from loadtest.outcome import Outcome
from loadtest.summary import Summary

UNKNOWN = "unknown"
_YES = {"true", "yes", "1", "dirty"}
_SAID = {
    "plan": "plan",
    "scale": "scale",
    "limit": "memory limit",
    "cpus": "processors",
    "memory_gib": "host memory in GiB",
    "cgroup_version": "cgroup version",
    "engine": "engine version",
    "target": "target",
    "spread": "spread of agents",
}


@dataclass(frozen=True)
class Kind:
    """What two runs must have in common to be compared: like with like."""

    plan: str
    scale: float
    limit: int
    """The server's memory limit at true size, in bytes."""
    cpus: int
    memory_gib: int
    cgroup_version: int
    engine: str
    """Docker's version, major.minor."""
    target: str
    spread: str
    """How agents of one class differed."""

    def differences(self, other: Kind) -> list[str]:
        """What differs, as `scale: 1 here, 0.0625 there`, from this one's point of view."""
        return [
            f"{_SAID[one.name]}: {mine} here, {theirs} there"
            for one in fields(self)
            if (mine := getattr(self, one.name)) != (theirs := getattr(other, one.name))
        ]

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"plan {self.plan}, scale {self.scale:g}, limit {self.limit / 2**30:g} GiB, "
            f"{self.cpus} processors, {self.memory_gib} GiB, cgroup v{self.cgroup_version}, "
            f"engine {self.engine}, {self.target}, agents {self.spread}"
        )


@dataclass(frozen=True)
class Header:
    """What is known of a run beside its samples; sizes in bytes."""

    run_id: str
    started_at: str
    plan: str
    target: str
    grade: str
    scale: float
    true_limit: int
    fingerprint: str
    memory: int
    cpus: int
    kernel: str
    cgroup_version: int
    engine: str
    commit_id: str
    dirty: bool
    image: str
    spread: str
    exit_code: int
    folder: str = ""
    """Where its report is, seen from the history's folder."""


@dataclass(frozen=True)
class Run:
    """A run and its samples."""

    header: Header
    samples: Samples = field(default_factory=dict)

    @property
    def run_id(self) -> str:
        """Its id."""
        return self.header.run_id

    @property
    def when(self) -> tuple[str, str]:
        """Sort key: older runs first."""
        return self.header.started_at, self.header.run_id

    @property
    def good(self) -> bool:
        """Whether it was measured whole, so that it may be a baseline."""
        return self.header.exit_code in (codes.CONFIRMED, codes.REFUTED)

    @property
    def kind(self) -> Kind:
        """What it can be compared with."""
        known = self.header
        return Kind(
            plan=known.plan,
            scale=known.scale,
            limit=known.true_limit,
            cpus=known.cpus,
            memory_gib=round(known.memory / 2**30),
            cgroup_version=known.cgroup_version,
            engine=".".join(known.engine.split(".")[:2]),
            target=known.target,
            spread=known.spread,
        )

    @property
    def commit(self) -> str:
        """The commit in short, with a + where files were changed; empty where not known."""
        short = self.header.commit_id[:9]
        return f"{short}+" if short and self.header.dirty else short

    def median(self, metric: str) -> float | None:
        """The run's own value of a metric; None where it has none."""
        values = self.samples.get(metric)
        return statistics.median(values) if values else None


def run_of(summary: Summary, outcomes: Sequence[Outcome], folder: str = "") -> Run:
    """What the history keeps of a campaign."""
    host, origin = summary.host, summary.origin
    header = Header(
        run_id=summary.run_id,
        started_at=summary.started_at,
        plan=summary.plan,
        target=summary.target,
        grade=summary.grade,
        scale=summary.scale,
        true_limit=_true_limit(summary),
        fingerprint=str(host.get("fingerprint", UNKNOWN)),
        memory=int(host.get("memory_bytes", 0)),
        cpus=int(host.get("cpus", 0)),
        kernel=str(host.get("kernel", UNKNOWN)),
        cgroup_version=int(host.get("cgroup_version", 0)),
        engine=origin.get("engine") or UNKNOWN,
        commit_id=origin.get("commit", ""),
        dirty=origin.get("dirty", "").lower() in _YES,
        image=origin.get("image", ""),
        spread=origin.get("spread") or _spread(outcomes),
        exit_code=_code_of_claims(summary),
        folder=folder,
    )
    return Run(header, samples_of(summary, outcomes))


def _true_limit(summary: Summary) -> int:
    limits = summary.limits
    if "true_memory_bytes" in limits:
        return round(limits["true_memory_bytes"].value)
    return round(limits["memory_bytes"].value / summary.scale) if "memory_bytes" in limits else 0


def _spread(outcomes: Sequence[Outcome]) -> str:
    """Whether agents of a class differed by plan, from the sizes they were told to reach."""
    told: dict[tuple[str, str], set[int]] = {}
    for outcome in outcomes:
        for agent in outcome.agents:
            if agent.target_bytes:
                sizes = told.setdefault((agent.agent_class, outcome.trial.reading), set())
                sizes.add(agent.target_bytes)
    return "differ" if any(len(sizes) > 1 for sizes in told.values()) else "alike"


def _code_of_claims(summary: Summary) -> int:
    """What the claims alone ended with: being worse than before makes a run no worse a baseline."""
    return exit_code(summary.claims) if summary.regressed else summary.exit_code
