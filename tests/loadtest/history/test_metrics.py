"""Which figures of a run the history keeps."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.fold import why_invalid
from loadtest.history.metrics import bad_sign, in_words, is_counted, samples_of, tolerance_of
from loadtest.outcome import Health
from settings.load import load_settings
from settings.models import Tolerance
from tests.loadtest.examples import agent, outcome, trial
from tests.loadtest.history.builders import summary
from tests.loadtest.test_fold import sighting


def found(**changes: Any) -> dict[str, tuple[float, ...]]:
    return samples_of(summary(scale=0.5), [outcome(**changes)])


def test_agents_count_at_true_size_and_the_server_as_it_is() -> None:
    samples = found(agents=(agent(private_bytes=2_000_000_000),), base_bytes=30_000_000)
    assert samples["agent-memory:medium"] == (4e9,)
    assert samples["base-memory"] == (30e6,)


def test_only_agents_held_at_their_peaks_have_a_size() -> None:
    agents = (agent(1, end="lost"), agent(2, private_bytes=None), agent(3, end="done"))
    assert "agent-memory:medium" not in found(agents=agents)


def test_agents_that_differ_by_plan_count_as_they_are() -> None:
    agents = (agent(private_bytes=1_100_000_000, target_bytes=1_000_000_000),)
    assert found(agents=agents)["agent-memory:medium"] == (2.2e9,)


def test_each_ramp_says_how_many_held() -> None:
    assert found(held=12)["boundary:medium"] == (12,)


def test_ramps_of_the_other_reading_are_a_metric_of_their_own() -> None:
    samples = found(trial=trial(reading="GiB"), held=11)
    assert samples["boundary:medium:gib"] == (11,)
    assert "boundary:medium" not in samples
    assert "agent-memory:medium" not in samples


def test_slots_are_the_most_that_anybody_saw() -> None:
    cap = trial(id="cap-10-small", kind="cap", workload="small", concurrent=10)
    assert found(trial=cap, max_running=9, max_reported=10)["slots:cap-10-small"] == (10,)


def test_an_invalid_trial_says_nothing() -> None:
    assert found(status="invalid", reason="the probe missed samples for 3.0 s") == {}


def test_a_server_too_large_to_count_still_tells_its_size() -> None:
    reason = why_invalid(sighting(base_bytes=300_000_000), load_settings().loadtest.thresholds)
    assert reason
    assert found(status="invalid", reason=reason, base_bytes=300_000_000) == {
        "base-memory": (300e6,)
    }


def test_servers_that_are_disturbed_on_purpose_are_left_out() -> None:
    assert found(trial=trial(kind="scenario", scenario="disk-full")) == {}


def test_a_trial_without_a_health_check_has_no_latency() -> None:
    assert "health-latency" not in found(health=Health())
    assert found(health=Health(checks=1, p50_ms=2.5))["health-latency"] == (2.5,)


def test_metrics_stand_in_the_order_of_reports() -> None:
    assert list(found()) == [
        "agent-memory:medium", "base-memory", "boundary:medium", "health-latency",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "sign", "counted", "words"),
    [
        ("agent-memory:small", 1, False, "2.000 GB"),
        ("base-memory", 1, False, "2000.0 MB"),
        ("boundary:small", -1, True, "2e+09 agents"),
        ("slots:cap-10-small", -1, True, "2e+09 agents"),
        ("health-latency", 1, False, "2000000000.00 ms"),
    ],
)
def test_a_metric_knows_its_direction_and_its_unit(
    metric: str, sign: int, counted: bool, words: str
) -> None:
    assert (bad_sign(metric), is_counted(metric)) == (sign, counted)
    assert in_words(metric, 2e9) == words


def test_the_larger_figure_of_a_tolerance_decides() -> None:
    tolerances = {"base-memory": Tolerance(relative=0.1, absolute=10e6)}
    assert tolerance_of("base-memory", tolerances, 30e6) == 10e6
    assert tolerance_of("base-memory", tolerances, 300e6) == pytest.approx(30e6)


def test_a_tolerance_of_a_whole_metric_goes_before_that_of_its_first_word() -> None:
    tolerances = {"boundary": Tolerance(absolute=0.5), "boundary:mixed": Tolerance(absolute=2)}
    assert tolerance_of("boundary:mixed", tolerances, 12) == 2
    assert tolerance_of("boundary:small:gib", tolerances, 12) == 0.5
    assert tolerance_of("slots:cap", tolerances, 12) is None


def test_the_settings_have_a_tolerance_for_every_metric() -> None:
    tolerances = load_settings().loadtest.tolerances
    for metric in ("agent-memory:small", "base-memory", "boundary:mixed", "slots:cap-10-small",
                   "health-latency"):  # fmt: skip
        assert tolerance_of(metric, tolerances, 1.0) is not None
