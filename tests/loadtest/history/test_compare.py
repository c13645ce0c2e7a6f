"""Whether a run is worse than its baseline: what has to be seen is, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from loadtest.history.compare import compare
from loadtest.history.errors import HistoryError
from loadtest.history.runs import Run
from loadtest.history.verdicts import Baseline, Comparison, Finding
from settings.load import load_settings
from tests.loadtest.history.builders import Worse, run

TOLERANCES = load_settings().loadtest.tolerances
EARLIER = [run(number) for number in range(1, 13)]


def against(new: Run, baseline: Sequence[Run], history: Sequence[Run] = ()) -> Comparison:
    return compare(new, Baseline("base", tuple(baseline)), TOLERANCES, history)


def verdicts(comparison: Comparison, verdict: str) -> list[str]:
    return [one.metric for one in comparison.findings if one.verdict == verdict]


def finding(comparison: Comparison, metric: str) -> Finding:
    return next(one for one in comparison.findings if one.metric == metric)


@pytest.mark.parametrize(
    "baseline", [EARLIER[-1:], EARLIER[:2], EARLIER], ids=["one run", "two runs", "all runs"]
)
@pytest.mark.parametrize("history", [(), EARLIER], ids=["no history", "history"])
@pytest.mark.parametrize(
    ("worse", "regressed"),
    [
        (Worse(memory=1.05), ["agent-memory:small", "agent-memory:medium"]),
        (Worse(base=230e6), ["base-memory"]),
        (Worse(held=11), ["boundary:medium", "boundary:mixed", "boundary:small"]),
        (Worse(slots=9), ["slots:cap-10-small"]),
    ],
)
def test_what_got_worse_is_found_and_nothing_else(
    worse: Worse, regressed: list[str], baseline: list[Run], history: list[Run]
) -> None:
    comparison = against(run(40, worse), baseline, history)
    assert sorted(verdicts(comparison, "regressed")) == sorted(regressed)
    assert comparison.regressed


@pytest.mark.parametrize(
    ("baseline", "often"), [(EARLIER, 0.85), (EARLIER[-1:], 0.7)], ids=["all runs", "one run"]
)
def test_a_latency_twice_as_long_is_found_mostly_and_never_overlooked(
    baseline: list[Run], often: float
) -> None:
    draws = [run(number, Worse(latency=2)) for number in range(40, 140)]
    seen = [finding(against(new, baseline, EARLIER), "health-latency").verdict for new in draws]
    assert set(seen) <= {"regressed", "unclear"}
    assert seen.count("regressed") >= often * len(seen)


@pytest.mark.parametrize("number", range(40, 50))
def test_a_latency_three_times_as_long_is_always_found(number: int) -> None:
    comparison = against(run(number, Worse(latency=3)), EARLIER[-1:], EARLIER)
    assert verdicts(comparison, "regressed") == ["health-latency"]


@pytest.mark.parametrize("number", range(40, 60))
def test_a_run_like_those_before_raises_nothing(number: int) -> None:
    for baseline in (EARLIER[-1:], EARLIER[:2], EARLIER):
        for history in ((), EARLIER):
            comparison = against(run(number), baseline, history)
            assert not comparison.regressed
            assert verdicts(comparison, "improved") == []


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.integers(100, 10_000))
def test_no_draw_without_a_change_raises_anything(number: int) -> None:
    assert not against(run(number), EARLIER[-1:], EARLIER).regressed


def test_what_got_better_is_said() -> None:
    comparison = against(run(40, Worse(memory=0.95, held=13)), EARLIER[-1:])
    assert not comparison.regressed
    assert len(verdicts(comparison, "improved")) == 5


def test_a_regression_is_said_with_its_size_and_its_interval() -> None:
    words = finding(against(run(40, Worse(memory=1.05)), EARLIER), "agent-memory:medium").words
    said = re.fullmatch(r"\+5\.0 % \((.*) GB from (.*) GB\), 95 % interval (.*) to (.*) GB", words)
    assert said, words
    assert [float(one) for one in said.groups()] == pytest.approx([4.2, 4, 4.2, 4.2], abs=0.003)
    lost = finding(against(run(40, Worse(slots=9)), EARLIER), "slots:cap-10-small").words
    assert lost == "-1 (9 agents from 10 agents), 95 % interval 9 to 9 agents"


def test_the_first_run_that_shows_a_regression_is_named() -> None:
    later = [run(number, Worse(memory=1.05)) for number in range(20, 24)]
    comparison = against(run(40, Worse(memory=1.05)), EARLIER[:5], [*EARLIER, *later])
    first = finding(comparison, "agent-memory:medium").first_shown
    assert first
    assert (first.run_id, first.commit) == ("run-020", "000000140")


def test_a_regression_that_went_away_in_between_began_after_that() -> None:
    past = [*EARLIER, run(20, Worse(slots=9)), run(21), run(22, Worse(slots=9), exit_code=3)]
    comparison = against(run(40, Worse(slots=9)), EARLIER[:1], past)
    first = finding(comparison, "slots:cap-10-small").first_shown
    assert first
    assert first.run_id == "run-022", "runs that are no baseline still show it"


def test_a_metric_on_one_side_only_is_unclear() -> None:
    new, old = run(40), run(1)
    fewer = Run(new.header, {"health-latency": new.samples["health-latency"]})
    there = finding(against(fewer, [old]), "base-memory")
    assert (there.verdict, there.words) == ("unclear", "this run has no sample of it")
    assert finding(against(new, [Run(old.header)]), "base-memory").words == (
        "the baseline has no sample of it"
    )


def test_a_metric_without_a_tolerance_is_unclear() -> None:
    comparison = compare(run(40, Worse(slots=9)), Baseline("base", tuple(EARLIER)), {})
    assert {one.verdict for one in comparison.findings} == {"unclear"}
    assert "names no tolerance" in comparison.findings[0].words


def test_one_sample_beside_one_is_unclear_until_history_tells_how_runs_differ() -> None:
    def single(one: Run) -> Run:
        return Run(one.header, {"base-memory": one.samples["base-memory"][:1]})

    old, new = single(run(1)), single(run(40, Worse(base=230e6)))
    assert finding(against(new, [old]), "base-memory").verdict == "unclear"
    assert "too few samples" in finding(against(new, [old]), "base-memory").words
    history = [single(one) for one in EARLIER]
    assert finding(against(new, [old], history), "base-memory").verdict == "regressed"


def test_runs_of_different_kinds_are_refused_by_what_differs() -> None:
    other = run(2, scale=1.0, plan="quick")
    with pytest.raises(HistoryError) as caught:
        against(run(40), [other])
    assert str(caught.value) == (
        "run run-040 and baseline base (run-002) are not alike: "
        "plan: regression here, quick there; scale: 0.0625 here, 1.0 there"
    )


def test_the_same_as_json() -> None:
    new = run(40, Worse(slots=9))
    data = json.loads(against(new, EARLIER[-1:]).to_json())
    assert data["regressed"] is True
    worst = next(one for one in data["findings"] if one["metric"] == "slots:cap-10-small")
    assert worst["shift"] == {"estimate": -1.0, "low": -1.0, "high": -1.0}
    assert worst["first_shown"]["run_id"] == "run-040"
    single = Run(new.header, {"base-memory": (1.0,)})
    data = json.loads(against(single, [single]).to_json())
    assert data["findings"][0]["shift"] == {"estimate": 0.0, "low": None, "high": None}
