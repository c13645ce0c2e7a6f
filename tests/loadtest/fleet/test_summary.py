"""A fleet's total and exit code: only hosts that are known for sure count."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from loadtest.fleet.summary import (
    SCHEMA_FILE,
    FleetSummary,
    HostResult,
    exit_code_of,
    schema,
    totals_of,
    undecided,
)
from tests.loadtest.fleet.examples import boundary, claim, host, lost, summary, unusable


def test_the_total_is_the_sum_of_what_each_host_held() -> None:
    [total] = totals_of([host("a"), host("b", boundaries=(boundary(holds=10),))])
    assert (total.workload, total.held, total.hosts, total.missing) == (
        "medium",
        22,
        ("a", "b"),
        (),
    )


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (lost("b"), "it was lost, whatever it had held by then"),
        (unusable("b"), "nothing ran there"),
        (host("b", boundaries=(boundary(agreed=False),)), "its runs do not agree"),
        (host("b", boundaries=(boundary(holds=None, agreed=True),)), "no run of it counts"),
        (host("b", boundaries=(boundary(workload="small"),)), "it ran something else"),
    ],
)
def test_a_host_that_is_not_known_for_sure_is_named_and_not_counted(
    other: HostResult, why: str
) -> None:
    total = totals_of([host("a"), other])[0]
    assert (total.held, total.hosts, total.missing) == (12, ("a",), ("b",)), why


def test_each_reading_of_the_guides_unit_has_a_total_of_its_own() -> None:
    both = (boundary(), boundary(reading="GiB", holds=11))
    assert [(one.reading, one.held) for one in totals_of([host(boundaries=both)])] == [
        ("GB", 12),
        ("GiB", 11),
    ]


@pytest.mark.parametrize(
    ("hosts", "code", "why"),
    [
        ([host("a"), host("b")], 0, "all confirmed"),
        ([host("a"), host("b", exit_code=1)], 1, "one refuted"),
        ([host("a", exit_code=1), lost()], 1, "refuted weighs more than lost"),
        ([host("a"), lost()], 3, "one lost"),
        ([host("a"), unusable()], 3, "one never reached"),
        ([host("a"), host("b", exit_code=3)], 3, "one undecided"),
        ([unusable("a"), unusable("b")], 2, "nothing could be run"),
    ],
)
def test_the_exit_code_is_that_of_the_worst_host(
    hosts: list[HostResult], code: int, why: str
) -> None:
    assert exit_code_of(hosts) == code, why


def test_an_interrupted_run_says_so_whatever_was_found() -> None:
    assert exit_code_of([host(exit_code=1)], interrupted=True) == 130


def test_a_lost_host_decides_no_claim_not_even_against_the_guide() -> None:
    asked, other = undecided(
        [claim(verdict="refuted"), claim(selected=False, verdict="not-run")], "its engine ended"
    )
    assert (asked.verdict, asked.reason) == ("inconclusive", "host lost: its engine ended")
    assert other.verdict == "not-run"


@pytest.mark.parametrize(
    ("code", "verdict"), [(0, "confirmed"), (1, "refuted"), (3, "inconclusive")]
)
def test_a_hosts_verdict_is_that_of_its_own_exit_code(code: int, verdict: str) -> None:
    assert host(exit_code=code).verdict == verdict


def test_a_summary_survives_its_file_and_keeps_to_the_schema(tmp_path: Path) -> None:
    written = summary(host("a"), lost(), unusable())
    path = tmp_path / "summary-fleet.json"
    path.write_text(written.to_json(), encoding="utf-8")
    assert FleetSummary.read(path) == written
    jsonschema.validate(json.loads(written.to_json()), schema())


def test_the_schema_that_is_shipped_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == schema()
