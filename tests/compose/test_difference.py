"""The guide's table, from two models."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from compose.difference import GUIDE, compare, size_as_compose_writes_it
from compose.errors import ComposeError
from compose.show import show_difference

PRODUCTION: dict[str, Any] = {
    "services": {
        "server": {
            "mem_limit": str(8 * 2**30),
            "cpus": 2,
            "restart": "unless-stopped",
            "healthcheck": {"timeout": "3s", "start_period": "5s"},
            "logging": {"options": {"max-size": "10m", "max-file": "3"}},
        },
        "docs": {},
    }
}
STAGING: dict[str, Any] = {
    "services": {
        "server": {
            "mem_limit": str(48 * 2**30),
            "cpus": 8,
            "restart": "on-failure:5",
            "environment": {"NODE_OPTIONS": "--max-old-space-size=32768"},
            "healthcheck": {"timeout": "10s", "start_period": "1m0s"},
            "logging": {"options": {"max-size": "100m", "max-file": "10"}},
        }
    }
}


def test_two_stacks_as_in_the_guide_give_its_table() -> None:
    rows = compare(PRODUCTION, STAGING)
    assert [(one.setting, one.production, one.staging, one.reason) for one in rows] == list(GUIDE)
    assert show_difference(rows).endswith("every row is as the guide has it")


def test_where_a_stack_leaves_the_guide_it_says_so() -> None:
    smaller = copy.deepcopy(STAGING)
    smaller["services"]["server"]["mem_limit"] = str(16 * 2**30)
    (row,) = [one for one in compare(PRODUCTION, smaller) if not one.as_the_guide_says]
    assert (row.setting, row.staging) == ("Memory limit", "16G")
    last = show_difference(compare(PRODUCTION, smaller)).splitlines()[-1]
    assert last == "Memory limit: the guide has 8G and 48G"


def test_what_is_not_set_is_said_in_words() -> None:
    bare = {"services": {"server": {"mem_limit": str(2**30), "healthcheck": {}}}}
    staging = {one.setting: one.staging for one in compare(PRODUCTION, bare)}
    assert staging["CPU limit"] == "unlimited"
    assert staging["Server restart policy"] == "no"
    assert staging["Log max-size (server)"] == "unlimited"


def test_a_server_without_a_healthcheck_cannot_be_compared() -> None:
    with pytest.raises(ComposeError, match=r"services\.server\.healthcheck: missing"):
        compare(PRODUCTION, {"services": {"server": {"mem_limit": "1024"}}})


@pytest.mark.parametrize(("count", "text"), [(2**30, "1G"), (2**29, "512M"), (48 * 2**30, "48G")])
def test_a_size_is_written_as_compose_takes_it(count: int, text: str) -> None:
    assert size_as_compose_writes_it(count) == text
