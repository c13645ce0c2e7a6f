"""Campaigns drawn with the noise of real ones; each test makes worse what it is about."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest import outcome as record
from loadtest.history.runs import Run, run_of
from loadtest.outcome import AgentRecord, Health, Outcome
from loadtest.summary import Limit, Summary
from tests.loadtest.examples import HOST, agent, outcome, trial

GIB = 2**30
SCALE = 1 / 16
CLASSES = {"small": 2e9, "medium": 4e9}
RAMPS = {"small": ("small",), "medium": ("medium",), "mixed": ("small", "medium")}


@dataclass(frozen=True)
class Worse:
    """What is changed on purpose; nothing by default."""

    memory: float = 1.0
    """Factor of the agents' memory."""
    base: float = 30e6
    """Bytes of the server."""
    slots: int = 10
    latency: float = 1.0
    """Factor of the health check's time."""
    held: int = 12


def campaign(
    number: int = 1, worse: Worse | None = None, **changes: Any
) -> tuple[Summary, list[Outcome]]:
    """Run `number` of a daily series: two ramps of three workloads each, and a cap trial.

    Noise of agents 0.05 %, of the server's own memory 3 %, of latencies 20 %, from the number.
    """
    chance, worse = random.Random(number), worse or Worse()
    outcomes = [
        outcome(
            trial=trial(id=f"ramp-{workload}-{ramp}", workload=workload, run=ramp),
            held=worse.held,
            failed_at=worse.held + 1,
            agents=tuple(
                _held(number, classes[number % len(classes)], chance, worse)
                for number in range(worse.held)
            ),
            **_noisy(chance, worse),
        )
        for workload, classes in RAMPS.items()
        for ramp in (1, 2)
    ]
    outcomes.append(
        outcome(
            trial=trial(id="cap-10-small", kind="cap", workload="small", concurrent=10),
            max_running=worse.slots,
            max_reported=worse.slots,
            failed_at=None,
            failure_mode=None,
            agents=(),
            **_noisy(chance, worse),
        )
    )
    return summary(number, **changes), outcomes


def _held(number: int, name: str, chance: random.Random, worse: Worse) -> AgentRecord:
    size = CLASSES[name] * SCALE
    private = round(size * worse.memory * chance.gauss(1, 0.0005))
    return agent(number, agent_class=name, private_bytes=private, target_bytes=round(size))


def _noisy(chance: random.Random, worse: Worse) -> dict[str, Any]:
    latency = 1.7 * worse.latency * chance.lognormvariate(0, 0.2)
    return {
        "base_bytes": round(worse.base * chance.gauss(1, 0.03)),
        "health": Health(checks=20, p50_ms=latency, p99_ms=9.0, max_ms=9.0),
    }


def summary(number: int = 1, **changes: Any) -> Summary:
    """The summary of run `number`, a day after the one before."""
    values: dict[str, Any] = {
        "run_id": f"run-{number:03}",
        "started_at": f"2026-{1 + number // 28:02}-{1 + number % 28:02}T03:00:00+00:00",
        "plan": "regression",
        "target": "standin",
        "grade": "scaled",
        "scale": SCALE,
        "host": {
            "memory_bytes": HOST.memory,
            "cpus": HOST.cpus,
            "kernel": HOST.kernel,
            "cgroup_version": HOST.cgroup_version,
            "fingerprint": HOST.fingerprint,
        },
        "limits": {"true_memory_bytes": Limit(value=48 * GIB, source="compose")},
        "base": "30 MB",
        "claims": (),
        "boundaries": (),
        "origin": {"commit": f"{number:08x}" * 5, "engine": "27.3.1", "dirty": "no"},
        "agents": {},
        "trials": 7,
        "invalid_trials": 0,
        "duration_s": 60.0,
        "exit_code": 0,
    }
    return Summary(**(values | changes))


def run(number: int = 1, worse: Worse | None = None, **changes: Any) -> Run:
    """The same as the history keeps it."""
    return run_of(*campaign(number, worse, **changes))


def report(
    reports: Path, number: int = 1, worse: Worse | None = None, **changes: Any
) -> tuple[Path, Summary, list[Outcome]]:
    """The same as a folder of reports on disk."""
    made, outcomes = campaign(number, worse, **changes)
    folder = reports / made.run_id
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(made.to_json(), encoding="utf-8")
    for one in outcomes:
        record.append(folder / "trials.jsonl", one)
    return folder, made, outcomes
