"""What a comparison is made of and what comes of it. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from loadtest.history.runs import Run
from loadtest.history.shift import Shift

Verdict = Literal["regressed", "improved", "unchanged", "unclear"]
POOL = 3
"""From so many runs on their medians are the baseline; of fewer it is all samples."""


@dataclass(frozen=True)
class FirstShown:
    """The first run from which on every run is worse than the tolerance."""

    run_id: str
    started_at: str
    commit: str


@dataclass(frozen=True)
class Finding:
    """One metric of a run beside its baseline; values in the unit of the metric."""

    metric: str
    verdict: Verdict
    words: str
    """The figures and how sure they are, for a person."""
    baseline: float | None = None
    new: float | None = None
    shift: Shift | None = None
    """New less baseline."""
    tolerance: float | None = None
    first_shown: FirstShown | None = None


@dataclass(frozen=True)
class Baseline:
    """What a run is compared with: one run, or all good ones since a mark."""

    name: str
    """What was asked for, in words."""
    runs: tuple[Run, ...]
    """Good runs of one kind with their samples, oldest first; one at least."""

    @property
    def pooled(self) -> bool:
        """Whether the runs count as one sample each."""
        return len(self.runs) >= POOL

    def samples(self, metric: str) -> list[float]:
        """The runs' medians of a metric, or all samples of few runs."""
        if self.pooled:
            medians = [run.median(metric) for run in self.runs]
            return [one for one in medians if one is not None]
        return [value for run in self.runs for value in run.samples.get(metric, ())]


@dataclass(frozen=True)
class Comparison:
    """A run beside its baseline."""

    run_id: str
    baseline: str
    baseline_runs: tuple[str, ...]
    kind: str
    findings: tuple[Finding, ...]

    @property
    def regressed(self) -> bool:
        """Whether any metric is worse than its tolerance, beyond doubt."""
        return any(one.verdict == "regressed" for one in self.findings)

    def to_json(self) -> str:
        """Indented JSON; an interval without end has null in its place."""
        data: dict[str, Any] = asdict(self) | {"regressed": self.regressed}
        for finding in data["findings"]:
            shift = finding["shift"]
            for end in ("low", "high") if shift else ():
                shift[end] = shift[end] if math.isfinite(shift[end]) else None
        return json.dumps(data, indent=2, allow_nan=False)
