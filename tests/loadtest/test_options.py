"""What the command line asks for, as values."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.campaign import Request
from loadtest.options import parse


def test_without_options_it_is_a_quick_campaign() -> None:
    assert parse([]).request == Request()


def test_every_option_of_a_campaign_has_its_place() -> None:
    request = parse(
        [
            "--plan",
            "release",
            "--scale",
            "1/8",
            "--workload",
            "small",
            "--workload",
            "mixed",
            "--claim",
            "cap-*",
            "--limit",
            "64G",
            "--runs",
            "2",
            "--seed",
            "7",
            "--out",
            "x",
            "--baseline",
            "last",
            "--prometheus",
            "a.prom",
            "--dry-run",
        ]
    ).request
    assert request == Request(
        plan="release",
        scale=0.125,
        workloads=("small", "mixed"),
        claims=("cap-*",),
        limit=64 * 2**30,
        runs=2,
        seed=7,
        out=Path("x"),
        baseline="last",
        prometheus=Path("a.prom"),
        dry_run=True,
    )


def test_two_runs_may_be_compared_or_a_report_made_again_but_not_both() -> None:
    assert parse(["--compare", "a", "b"]).compare == ("a", "b")
    assert parse(["--report-only", "reports/x"]).report_only == Path("reports/x")
    with pytest.raises(SystemExit) as ended:
        parse(["--compare", "a", "b", "--report-only", "x"])
    assert ended.value.code == 2


def test_hosts_are_names_set_apart_by_commas() -> None:
    assert parse(["--hosts", "ssh://a, ssh://b"]).hosts == ("ssh://a", "ssh://b")
    assert parse([]).hosts == ()


@pytest.mark.parametrize(
    "line",
    [
        "--hosts a,,b",
        "--hosts a,a",
        "--scale 0",
        "--scale 2",
        "--scale x",
        "--limit 0",
        "--limit lots",
        "--pl quick",
    ],
)
def test_what_cannot_be_understood_ends_with_2(line: str) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(line.split())
    assert ended.value.code == 2
