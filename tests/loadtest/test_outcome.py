"""The record between stages: what is written reads back, and a crash loses one line at most."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from loadtest.outcome import (
    AgentRecord,
    End,
    Evidence,
    Health,
    Outcome,
    Sampling,
    Trial,
    append,
    of_workload,
    read,
)
from settings.models import FailureMode
from tests.loadtest.examples import outcome, trial

FINITE = st.floats(0, 1e12)
COUNT = st.integers(0, 2**63)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TRIALS = st.builds(
    Trial,
    id=TEXT,
    kind=st.sampled_from(["ramp", "stable", "cap"]),
    workload=TEXT,
    run=COUNT,
    agents=st.lists(TEXT, max_size=3).map(tuple),
    seed=COUNT,
)
AGENTS = st.builds(
    AgentRecord,
    feature_id=TEXT,
    agent_class=TEXT,
    project=TEXT,
    started_s=st.none() | FINITE,
    peak_s=st.none() | FINITE,
    end=st.sampled_from(get_args(End)),
    private_bytes=st.none() | COUNT,
)
OUTCOMES = st.builds(
    Outcome,
    trial=TRIALS,
    status=st.sampled_from(["measured", "invalid"]),
    reason=TEXT,
    started_at=TEXT,
    duration_s=FINITE,
    limit_bytes=COUNT,
    held=COUNT,
    failed_at=st.none() | COUNT,
    failure_mode=st.none() | st.sampled_from(get_args(FailureMode)),
    agents=st.lists(AGENTS, max_size=2).map(tuple),
    health=st.builds(Health, checks=COUNT, p99_ms=st.none() | FINITE),
    sampling=st.builds(Sampling, samples=COUNT, hz=FINITE),
    evidence=st.builds(Evidence, exit_code=st.none() | st.integers(0, 255)),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(OUTCOMES, max_size=4))
def test_what_is_appended_reads_back_in_order(outcomes: list[Outcome]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trials.jsonl")
        path.touch()
        for one in outcomes:
            append(path, one)
        assert list(read(path)) == outcomes
        assert path.read_bytes().count(b"\n") == len(outcomes), "one line an outcome"


def test_each_outcome_is_on_disk_before_the_next_begins(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    append(path, outcome())
    assert list(read(path)) == [outcome()]
    append(path, outcome(held=11))
    assert [one.held for one in read(path)] == [12, 11]


@given(st.integers(0, 400))
def test_a_last_line_cut_short_is_left_out_wherever_it_was_cut(left: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trials.jsonl")
        append(path, outcome())
        whole = path.read_bytes()
        append(path, outcome(held=11))
        path.write_bytes(path.read_bytes()[: len(whole) + left])
        assert [one.held for one in read(path)] == [12]


def test_a_line_that_lacks_only_its_newline_may_be_cut_and_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    append(path, outcome())
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert list(read(path)) == []


def test_a_spoiled_line_that_is_not_the_last_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_text('{"trial": \n' + outcome().model_dump_json() + "\n", encoding="utf-8")
    with pytest.raises(ValidationError):
        list(read(path))


def test_an_unknown_key_means_a_file_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    line = outcome().model_dump_json()
    path.write_text(line[:-1] + ',"colour":"red"}\n', encoding="utf-8")
    with pytest.raises(ValidationError, match="colour"):
        list(read(path))


def test_an_empty_file_holds_no_outcome(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.touch()
    assert list(read(path)) == []


def test_outcomes_are_found_by_kind_and_workload_in_order() -> None:
    ramps = [outcome(held=number) for number in (12, 11)]
    others = [
        outcome(trial=trial(kind="stable")),
        outcome(trial=trial(workload="small")),
    ]
    mixed = [ramps[0], *others, ramps[1]]
    assert of_workload(mixed, "ramp", "medium") == ramps
    assert of_workload(mixed, "cap", "medium") == []


def test_only_a_measured_outcome_may_move_a_verdict() -> None:
    assert outcome().valid
    assert not outcome(status="invalid").valid
