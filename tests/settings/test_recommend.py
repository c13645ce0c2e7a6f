"""How many agents at once, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.errors import SettingsError
from settings.load import load_settings
from settings.recommend import GUIDE_CONCURRENCY, parse_mix, recommend

AGENTS = load_settings().agents
LIMIT = 48 * 2**30
CLASSES = list(GUIDE_CONCURRENCY)


@pytest.mark.parametrize(
    ("mix", "figure", "why"),
    [
        ("small", 10, "small features: up to 10"),
        ("medium-large", 7, "mixed medium and large: 6-8"),
        ("medium=30,large=70", 7, "whatever the parts"),
        ("architectural", 5, "architectural work: 4-6"),
        ("small=60,medium=40", 8, "between small and medium"),
        ("small=50, architectural=50", 6, "spaces do not matter"),
        ("small=100,large=0", 10, "nothing of a class does not count"),
    ],
)
def test_the_guides_cases_come_out_as_the_guide_has_them(mix: str, figure: int, why: str) -> None:
    assert recommend(parse_mix(mix, AGENTS), AGENTS, LIMIT, 20).max_concurrency == figure, why


def test_the_arithmetic_is_shown() -> None:
    found = recommend({"small": 60, "medium": 40}, AGENTS, LIMIT, 20)
    assert found.arithmetic == (
        "by complexity: 1 / (60%/10 + 40%/7) = 8.54, so 8",
        "by memory: 80% of 48 GiB / (60% x 2 GB + 40% x 4 GB) = 41.2 GB / 2.8 GB, so 14",
        "the smaller of the two: 8",
    )
    assert found.remarks == ()


def test_a_small_server_is_bound_by_its_memory() -> None:
    found = recommend({"medium": 100}, AGENTS, 16 * 2**30, 20)
    assert (found.by_complexity, found.by_memory, found.max_concurrency) == (7, 3, 3)


def test_the_servers_own_cap_is_remarked() -> None:
    (remark,) = recommend({"small": 100}, AGENTS, LIMIT, 6).remarks
    assert remark == "the server runs at most 6 at once: AUTOMAKER_MAX_CONCURRENCY=10 for more"


def test_a_server_too_small_for_one_agent_is_remarked() -> None:
    found = recommend({"architectural": 100}, AGENTS, 4 * 2**30, 6)
    assert found.max_concurrency == 1
    assert "not even one agent" in found.remarks[0]


@given(st.lists(st.integers(1, 50), min_size=4, max_size=4), st.integers(2**30, 2**37))
def test_a_figure_is_never_outside_what_its_classes_have(parts: list[int], limit: int) -> None:
    total = sum(parts)
    weights = [100 * part // total for part in parts]
    weights[0] += 100 - sum(weights)
    found = recommend(dict(zip(CLASSES, weights, strict=True)), AGENTS, limit, 20)
    assert 1 <= found.max_concurrency <= 10
    assert 5 <= found.by_complexity <= 10


@given(st.integers(0, 99))
def test_heavier_agents_never_raise_the_figure(small: int) -> None:
    lighter = recommend({"small": small + 1, "large": 99 - small}, AGENTS, LIMIT, 20)
    heavier = recommend({"small": small, "large": 100 - small}, AGENTS, LIMIT, 20)
    assert heavier.max_concurrency <= lighter.max_concurrency


@pytest.mark.parametrize(
    ("mix", "problem"),
    [
        ("huge", "'huge' is none of: small, medium, large, architectural, mixed, medium-large"),
        ("small=60,huge=40", "'huge' is no agent class"),
        ("small=60,medium=30", "weights sum to 90, not to 100"),
        ("small=60,small=40", "small stands there twice"),
        ("small=60,medium", "'medium' is not of the form class=percent"),
        ("small=-60,medium=160", "'small=-60' is not of the form"),
        ("small=160", "should be less than or equal to 100"),
    ],
)
def test_a_mix_that_makes_no_sense_is_refused(mix: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_mix(mix, AGENTS)
    assert problem in str(caught.value)


def test_every_class_of_the_settings_has_a_figure() -> None:
    assert set(AGENTS.classes) == set(GUIDE_CONCURRENCY)


def test_a_class_the_guide_does_not_have_is_refused() -> None:
    with pytest.raises(SettingsError, match="huge: the guide has no concurrency"):
        recommend({"huge": 100}, AGENTS, LIMIT, 6)
