"""summary.json keeps the shape that its schema promises."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from loadtest.boundary import Boundary
from loadtest.summary import ClaimResult, Limit, Summary, schema

EXAMPLE = Summary(
    schema_version=2,
    run_id="20260101T000000Z-1",
    started_at="2026-01-01T00:00:00+00:00",
    plan="quick",
    target="standin",
    mocked=("the model",),
    grade="scaled",
    scale=0.0625,
    host={"memory_bytes": 24 * 10**9, "kernel": "6.1", "load": 0.5},
    limits={"memory_bytes": Limit(value=3221225472, source="compose")},
    base="measured",
    claims=(
        ClaimResult(
            id="crash-at-13",
            kind="boundary",
            workload="mixed",
            statement="13 crash",
            expected="12 hold, 13 fail",
            measured="12 hold, 13 fail",
            unit="agents",
            basis="assumed",
            gating=True,
            verdict="confirmed",
            reason="3 of 3 ramps agree",
            trials=("ramp-mixed-1",),
        ),
    ),
    boundaries=(
        Boundary(
            workload="mixed",
            holds=12,
            fails_at=None,
            failure_mode=None,
            runs=3,
            predicted=12,
            agreed=True,
        ),
    ),
    agents={"small": {"claimed_bytes": 2e9}},
    trials=3,
    invalid_trials=0,
    duration_s=12.5,
    exit_code=0,
)


def test_a_summary_is_valid_by_its_own_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(json.loads(EXAMPLE.to_json()), schema())


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("schema", 1, "another version"),
        ("grade", "perfect", "no such grade"),
        ("colour", "red", "an unknown key"),
        ("exit_code", "0", "text for a number"),
        ("claims", [{}], "a claim without anything"),
    ],
)
def test_the_schema_refuses_what_is_no_summary(key: str, value: object, why: str) -> None:
    spoiled = json.loads(EXAMPLE.to_json()) | {key: value}
    assert not jsonschema.Draft202012Validator(schema()).is_valid(spoiled), why


def test_the_version_stands_under_the_key_schema() -> None:
    written = json.loads(EXAMPLE.to_json())
    assert written["schema"] == 2
    assert "schema_version" not in written
    assert next(iter(written)) == "schema"


def test_a_summary_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text(EXAMPLE.to_json(), encoding="utf-8")
    assert Summary.read(path) == EXAMPLE


def test_a_summary_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text(EXAMPLE.to_json().replace('"schema": 2', '"schema": 3'), encoding="utf-8")
    with pytest.raises(ValidationError, match="schema"):
        Summary.read(path)
