"""The catalogue, the claims about it and the table of incidents agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loadtest.outcome import Seen
from loadtest.scenarios.catalogue import SCENARIOS
from loadtest.scenarios.model import cap_seen
from settings.load import load_settings
from settings.models import ScenarioClaim

README = Path(__file__).parents[2] / "docker" / "README-scenarios.md"
INCIDENTS = {f"A{n}" for n in range(1, 19)} | {f"C{n}" for n in range(1, 19)}


def test_every_scenario_has_one_claim_and_every_claim_its_scenario() -> None:
    claimed = [c.scenario for c in load_settings().claims.values() if isinstance(c, ScenarioClaim)]
    assert sorted(claimed) == sorted(SCENARIOS)


def test_every_scenario_tells_its_story_in_one_sentence() -> None:
    for found in SCENARIOS.values():
        assert re.fullmatch(r"[^\n]+[.]", found.story.__doc__ or ""), found.name
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", found.name)


def test_the_table_names_the_scenarios_of_every_incident() -> None:
    rows = dict(re.findall(r"^\| ([A-Z]\d+) \|.*\| (.*) \|$", README.read_text("utf-8"), re.M))
    assert set(rows) >= INCIDENTS | {one for s in SCENARIOS.values() for one in s.incidents}
    for incident, cell in rows.items():
        named = set(re.findall(r"`([a-z0-9-]+)`", cell))
        shown = {one.name for one in SCENARIOS.values() if incident in one.incidents}
        assert named == shown, incident
        assert named or "cannot be seen" in cell or "other tests" in cell, incident


def test_the_table_of_scenarios_tells_each_story() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.*) \| the (?:API|container) \|$",
                      README.read_text("utf-8"), re.M)  # fmt: skip
    assert rows == [(one.name, one.story.__doc__) for one in SCENARIOS.values()]


@pytest.mark.parametrize(("most", "verdict"), [(3, "held"), (4, "broken"), (2, "unclear")])
def test_a_cap_holds_only_when_it_was_reached_and_not_passed(most: int, verdict: str) -> None:
    seen: Seen = cap_seen(most, 3, "why")
    assert seen.verdict == verdict
    assert "why" in seen.reason
