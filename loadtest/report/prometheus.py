"""What a campaign found as metrics, for the textfile collector of Prometheus' node exporter."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import get_args

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile
from prometheus_client.metrics import Info

from loadtest.history.metrics import samples_of
from loadtest.history.verdicts import Comparison
from loadtest.outcome import Outcome
from loadtest.summary import Summary, VerdictName

PREFIX = "automaker_capacity"


def write_textfile(
    path: Path,
    summary: Summary,
    comparison: Comparison | None = None,
    outcomes: Sequence[Outcome] = (),
) -> None:
    """Write the metrics of a campaign in one step; the collector reads names that end in .prom.

    Sizes in bytes: agents' at true size, the server's own as it is, since it does not scale.
    Without a comparison there is no metric `regressed`; without outcomes none of server memory
    and health check. Raises OSError.
    """
    registry = CollectorRegistry()
    _run(registry, summary)
    _capacity(registry, summary)
    _server(registry, summary, outcomes)
    if comparison is not None:
        regressed = _gauge(registry, "regressed", "1 where it is worse than before", "metric")
        for finding in comparison.findings:
            regressed.labels(finding.metric).set(finding.verdict == "regressed")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(path), registry)


def _gauge(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Gauge:
    return Gauge(f"{PREFIX}_{name}", text, labels, registry=registry)


def _run(registry: CollectorRegistry, summary: Summary) -> None:
    started = datetime.fromisoformat(summary.started_at).timestamp()
    _gauge(registry, "run_timestamp_seconds", "When the campaign began").set(started)
    _gauge(registry, "run_duration_seconds", "How long it took").set(summary.duration_s)
    text = "0 confirmed, 1 refuted or regressed, 2 cannot run, 3 inconclusive, 130 interrupted"
    _gauge(registry, "exit_code", text).set(summary.exit_code)
    run = Info(f"{PREFIX}_run", "What was measured, and how", registry=registry)
    facts = {
        "plan": summary.plan,
        "target": summary.target,
        "grade": summary.grade,
        "scale": f"{summary.scale:g}",
        "commit": summary.origin.get("commit", ""),
    }
    run.info(facts)


def _capacity(registry: CollectorRegistry, summary: Summary) -> None:
    asked = Counter(claim.verdict for claim in summary.claims if claim.selected and claim.gating)
    claims = _gauge(registry, "claims", "Gating claims of the plan by verdict", "verdict")
    for verdict in get_args(VerdictName):
        claims.labels(verdict).set(asked[verdict])
    labels = ("workload", "reading")
    holds = _gauge(registry, "boundary_holds_agents", "Most agents that held in every run", *labels)
    fails = _gauge(registry, "boundary_fails_agents", "Agents that failed in every run", *labels)
    for one in summary.boundaries:
        for gauge, value in ((holds, one.holds), (fails, one.fails_at)):
            if value is not None:
                gauge.labels(one.workload, one.reading).set(value)
    text = "Private memory of one agent at its peak, at true size"
    memory = _gauge(registry, "agent_memory_bytes", text, "agent_class", "source")
    for name, facts in summary.agents.items():
        for source in ("claimed", "measured"):
            if f"{source}_bytes" in facts:
                memory.labels(name, source).set(facts[f"{source}_bytes"])


def _server(registry: CollectorRegistry, summary: Summary, outcomes: Sequence[Outcome]) -> None:
    samples = samples_of(summary, outcomes)
    if base := samples.get("base-memory"):
        text = "Memory of the server before the first agent, median of the trials"
        _gauge(registry, "base_memory_bytes", text).set(statistics.median(base))
    if health := samples.get("health-latency"):
        text = "Median answer time of the health check, median of the trials"
        _gauge(registry, "health_p50_seconds", text).set(statistics.median(health) / 1000)
