"""Limits that fit a host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.env_file import check_values
from settings.host import GIB, NEARLY
from settings.tiers import TIERS, Tier, propose, tier_for

MEMORY = st.integers(0, 2**43)
CPUS = st.integers(1, 512)


@pytest.mark.parametrize(
    ("gib", "cpus", "limit", "wanted_cpus", "old_space", "agents", "why"),
    [
        (125, 32, "64G", "12", "32768", "8", "a large host"),
        (96, 16, "64G", "12", "32768", "8", "the highest tier begins here"),
        (94, 16, "64G", "12", "32768", "8", "96 GiB, of which the kernel keeps some"),
        (64, 16, "48G", "8", "32768", "6", "between two tiers"),
        (48, 8, "48G", "8", "32768", "6", "the guide's staging target"),
        (46.9, 8, "48G", "8", "32768", "6", "what such a host reports"),
        (48, 4, "48G", "4", "32768", "6", "never more cores than there are"),
        (45, 8, "16G", "7", "8192", "4", "too small for that"),
        (24, 8, "16G", "7", "8192", "4", "all cores but one"),
        (16, 4, "8G", "3", "4096", "2", "a small host"),
        (4, 1, "8G", "1", "4096", "2", "at least one core"),
    ],
)
def test_a_host_gets_the_limits_of_its_tier(
    gib: float, cpus: int, limit: str, wanted_cpus: str, old_space: str, agents: str, why: str
) -> None:
    assert propose(round(gib * GIB), cpus).values() == {
        "MEMORY_LIMIT": limit,
        "CPU_LIMIT": wanted_cpus,
        "NODE_MAX_OLD_SPACE": old_space,
        "AUTOMAKER_MAX_CONCURRENCY": agents,
    }, why


@given(MEMORY, CPUS)
def test_cores_are_never_more_than_the_host_has_nor_less_than_one(memory: int, cpus: int) -> None:
    assert 1 <= propose(memory, cpus).cpus <= cpus


@given(MEMORY, CPUS)
def test_the_heap_ends_below_the_memory_limit(memory: int, cpus: int) -> None:
    found = propose(memory, cpus)
    assert found.old_space_mib * 2**20 < found.memory_gib * GIB


@given(MEMORY, CPUS)
def test_a_proposal_is_a_valid_env_file(memory: int, cpus: int) -> None:
    found = propose(memory, cpus)
    assert check_values(found.values(), "here").memory_limit == found.memory_gib * GIB


@given(MEMORY, st.integers(0, 2**40), CPUS)
def test_more_memory_never_gets_less(memory: int, more: int, cpus: int) -> None:
    small, large = propose(memory, cpus), propose(memory + more, cpus)
    assert small.memory_gib <= large.memory_gib
    assert small.max_concurrency <= large.max_concurrency


@pytest.mark.parametrize("tier", TIERS)
def test_the_share_that_firmware_keeps_is_forgiven(tier: Tier) -> None:
    assert tier_for(round(tier.host_gib * GIB * NEARLY) + 1) == tier
