"""Reports that advice can be worked out from, as a load test leaves them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from loadtest.outcome import append
from loadtest.summary import Limit, Summary
from settings.host import GIB
from tests.loadtest.examples import agent, outcome


def report(folder: Path, *, mean: float = 5e9, variation: float = 0.1, **changes: Any) -> Path:
    """A report of 60 medium agents that were measured at scale 1/16."""
    chance = random.Random(1)
    scale = 1 / 16
    folder.mkdir(parents=True, exist_ok=True)
    values: dict[str, Any] = {
        "schema": 2,
        "run_id": folder.name,
        "started_at": "2026-01-01T00:00:00+00:00",
        "plan": "release",
        "target": "standin",
        "grade": "scaled",
        "scale": scale,
        "host": {},
        "limits": {"true_memory_bytes": Limit(value=40 * GIB, source="--limit")},
        "base": "",
        "claims": (),
        "boundaries": (),
        "agents": {},
        "trials": 6,
        "invalid_trials": 0,
        "duration_s": 60.0,
        "exit_code": 0,
    }
    summary = Summary(**(values | changes))
    (folder / "summary.json").write_text(summary.to_json(), encoding="utf-8")
    for _ in range(6):
        peaks = [mean * scale * chance.gauss(1, variation) for _ in range(10)]
        agents = [agent(n, private_bytes=round(peak)) for n, peak in enumerate(peaks, start=1)]
        append(folder / "trials.jsonl", outcome(agents=tuple(agents)))
    return folder
