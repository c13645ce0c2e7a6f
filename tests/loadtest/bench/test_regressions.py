"""What the proof of the detector makes worse."""

from __future__ import annotations

import pytest

from loadtest.bench.regressions import heavier, injections
from loadtest.standin.fault import health_delay
from settings.load import load_settings

SETTINGS = load_settings()


def test_heavier_agents_take_more_and_everything_else_stays_as_it_is() -> None:
    changed = heavier(SETTINGS, 1.05)
    for name, one in SETTINGS.agents.classes.items():
        assert changed.agents.classes[name].memory == round(one.memory * 1.05)
    assert changed.claims == SETTINGS.claims
    assert heavier(SETTINGS, 1.0) == SETTINGS


def test_each_injection_is_looked_for_in_the_metric_it_spoils() -> None:
    by_metric = {one.metric: one for one in injections(1.44)}
    assert set(by_metric) == {"agent-memory:", "base-memory", "slots:", "health-latency"}
    slow = by_metric["health-latency"].injected["STANDIN_FAULT"]
    assert health_delay(slow) == pytest.approx(0.0014), "the stand-in does what it is told"
    assert by_metric["base-memory"].injected == {"STANDIN_BASE_BYTES": "200000000"}
