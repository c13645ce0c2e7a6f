"""Proof of the regression detector: what is made worse is caught, what is not raises nothing."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from loadtest.bench.measure import Ratio
from loadtest.campaign import Request, plan_campaign, staging_limits
from loadtest.claims import exit_code
from loadtest.conclude import judge_all
from loadtest.history.metrics import samples_of
from loadtest.history.references import HISTORY
from loadtest.history.regression import compare_with, record_run
from loadtest.history.verdicts import Comparison, Finding
from loadtest.measure import Job, measure
from loadtest.outcome import Outcome
from loadtest.plan import Backing
from loadtest.report.live import progress_for
from loadtest.rig.engine import Client, connect
from loadtest.summarise import Facts, summarise
from loadtest.summary import Summary
from settings.host import host_facts
from settings.load import load_settings
from settings.models import Settings

UNCHANGED = 20
_BEFORE = 3
"""Runs that begin a history: fewer are no baseline for a latency."""
_MORE_MEMORY = 1.05
_MORE_BASE = 200 * 10**6


@dataclass(frozen=True)
class Worse:
    """One thing that is made worse on purpose."""

    name: str
    metric: str
    """What has to be called regressed, or the beginning of it."""
    injected: Mapping[str, str] = field(default_factory=dict)
    memory: float = 1.0
    """How much more every agent takes."""


@dataclass
class Detector:
    """A history of its own, and runs of the regression plan that go into it."""

    client: Client
    out: Path
    settings: Settings
    runs: int = 0

    def run(self, worse: Worse | None = None) -> tuple[Summary, list[Outcome], Path]:
        """Measure once; the trials are those of the plan, whatever is made worse."""
        self.runs += 1
        folder = self.out / f"run-{self.runs:03d}"
        for name in ("samples", "logs"):
            (folder / name).mkdir(parents=True)
        limits, host = staging_limits(), host_facts()
        request = Request(plan="regression", scale=self.settings.loadtest.small_scale)
        campaign = plan_campaign(request, self.settings, limits, host)
        backing = Backing(campaign.limit)
        changed = heavier(self.settings, worse.memory if worse else 1.0)
        injected = worse.injected if worse else {}
        job = Job(changed, campaign, limits, host, backing, folder, injected)
        measured = measure(job, self.client, progress_for(Console(quiet=True), 0))
        if measured.stopped:
            raise measured.stopped
        outcomes = measured.outcomes
        results = judge_all(self.settings, campaign, outcomes)
        facts = Facts(
            run_id=folder.name,
            request=request,
            campaign=campaign,
            backing=backing,
            limits=limits,
            host=host,
            duration_s=measured.took_s,
            exit_code=exit_code(results),
            origin=measured.origin,
        )
        return summarise(facts, self.settings, results, outcomes), outcomes, folder

    def compare(self, summary: Summary, outcomes: list[Outcome]) -> Comparison:
        """The run beside all good ones before it."""
        return compare_with(self.out, HISTORY, summary, outcomes, self.settings)

    def keep(self, summary: Summary, outcomes: list[Outcome], folder: Path) -> None:
        """Add a run to the history."""
        record_run(self.out, folder, summary, outcomes, self.settings.loadtest.tolerances)


def heavier(settings: Settings, factor: float) -> Settings:
    """The same settings with agents that take so many times what their class says."""
    classes = {
        name: one.model_copy(update={"memory": round(one.memory * factor)})
        for name, one in settings.agents.classes.items()
    }
    agents = settings.agents.model_copy(update={"classes": classes})
    return settings.model_copy(update={"agents": agents})


def regressions() -> list[Ratio]:
    """Runs that are alike may raise nothing; each of four things made worse is to be caught."""
    with _detector() as detector:
        latencies = [_begin(detector) for _ in range(_BEFORE)]
        alarms = [_is_alarm(detector) for _ in range(UNCHANGED)]
        # Last, against the history that a schedule has by then.
        caught = [_is_caught(detector, worse) for worse in injections(statistics.median(latencies))]
    return [
        Ratio(
            "regressions caught",
            sum(caught) / len(caught),
            1.0,
            "higher",
            f"{sum(caught)} caught",
            f"{len(caught)} injected",
        ),
        Ratio(
            "false alarms",
            sum(alarms) / len(alarms),
            0.0,
            "lower",
            f"{sum(alarms)} alarms",
            f"{len(alarms)} unchanged runs",
        ),
    ]


def injections(latency_ms: float) -> list[Worse]:
    """What is made worse; a health check that takes twice as long waits for its own latency."""
    slower = {"STANDIN_FAULT": f"slow-health:{latency_ms:.1f}"}
    return [
        Worse("5 % more memory an agent", "agent-memory:", memory=_MORE_MEMORY),
        Worse("200 MB more for the server", "base-memory", {"STANDIN_BASE_BYTES": str(_MORE_BASE)}),
        Worse("one leaked slot", "slots:", {"STANDIN_FAULT": "leak-slot"}),
        Worse("a health check twice as slow", "health-latency", slower),
    ]


@contextmanager
def _detector() -> Iterator[Detector]:
    with connect() as client, tempfile.TemporaryDirectory() as folder:
        yield Detector(client, Path(folder), load_settings())


def _begin(detector: Detector) -> float:
    """One run before the baseline; returns its median latency of the health check in ms."""
    summary, outcomes, folder = detector.run()
    detector.keep(summary, outcomes, folder)
    return statistics.median(samples_of(summary, outcomes)["health-latency"])


def _is_caught(detector: Detector, worse: Worse) -> bool:
    summary, outcomes, _ = detector.run(worse)
    comparison = detector.compare(summary, outcomes)
    looked_for = [one for one in comparison.findings if one.metric.startswith(worse.metric)]
    caught = any(one.verdict == "regressed" for one in looked_for)
    print(f"{worse.name}: {'caught' if caught else 'missed'}", flush=True)
    _explain(looked_for)
    return caught


def _is_alarm(detector: Detector) -> bool:
    summary, outcomes, folder = detector.run()
    comparison = detector.compare(summary, outcomes)
    detector.keep(summary, outcomes, folder)
    print(f"unchanged: {'false alarm' if comparison.regressed else 'nothing raised'}", flush=True)
    _explain([one for one in comparison.findings if one.verdict == "regressed"])
    return comparison.regressed


def _explain(findings: Sequence[Finding]) -> None:
    for one in findings:
        print(f"  {one.verdict} {one.metric}: {one.words}", flush=True)
