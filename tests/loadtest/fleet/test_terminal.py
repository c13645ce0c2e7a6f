"""The table at the end of a fleet's run: numbers of hosts that count, and words for the others."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.fleet.summary import FleetSummary
from loadtest.fleet.terminal import print_fleet, verdict_words
from tests.loadtest.fleet.examples import boundary, claim, host, lost, summary, unusable


def shown(found: FleetSummary) -> str:
    file = io.StringIO()
    print_fleet(Console(file=file, width=100), found, Path("/reports/1"))
    return file.getvalue()


def test_every_host_has_a_row_and_the_fleet_a_total() -> None:
    text = shown(summary(host("ssh://a"), host("ssh://b")))
    rows = [line.split() for line in text.splitlines() if line.startswith("ssh://")]
    assert rows == [
        [name, "medium", "12", "13", "agent-oom", "scaled", "1", "confirmed"]
        for name in ("ssh://a", "ssh://b")
    ]
    assert "medium: the fleet held 24 agents at once, on 2 of 2 hosts" in text
    assert "1/16 of true size" in text
    assert "Exit 0" in text


def test_a_lost_host_shows_no_number_and_its_reason() -> None:
    text = shown(summary(host("ssh://a"), lost("ssh://b"), unusable("ssh://c"), exit_code=3))
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if "   " in line}
    assert rows["ssh://b"] == ["medium", "-", "-", "-", "scaled", "host", "lost"]
    assert rows["ssh://c"] == ["-", "-", "-", "-", "-", "cannot", "be", "used"]
    assert "on 1 of 3 hosts; not counted: ssh://b, ssh://c" in text
    assert "ssh://b: host lost: its engine ended" in text
    assert "ssh://c: cannot be used: no route" in text


def test_each_workload_of_a_host_has_a_row() -> None:
    both = (boundary(), boundary(workload="small", holds=25, fails_at=26))
    text = shown(summary(host("ssh://a", boundaries=both)))
    assert "small: the fleet held 25 agents at once" in text
    assert sum(line.startswith("ssh://a") for line in text.splitlines()) == 2


def test_what_a_fleet_does_not_run_is_said() -> None:
    text = shown(summary(host(), left_out=("repeats until the confidence is reached",)))
    assert "Left out on a fleet: repeats until the confidence is reached." in text


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (["confirmed", "confirmed"], "2 confirmed"),
        (["confirmed", "refuted", "inconclusive"], "1 refuted, 1 inconclusive, 1 confirmed"),
        ([], "no gating claim"),
    ],
)
def test_verdicts_are_counted_the_worst_first(verdicts: list[str], words: str) -> None:
    claims = tuple(claim(verdict=verdict) for verdict in verdicts)
    others = (claim(gating=False, verdict="refuted"), claim(workload="small", verdict="refuted"))
    assert verdict_words(host(claims=(*claims, *others)), "medium") == words
