"""Names of hosts: addresses taken as they are, contexts looked up, nonsense refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from compose.run import Completed
from loadtest.fleet.hosts import fleet_of, split
from loadtest.plan import PlanError

CONTEXTS = {
    "big": "ssh://operator@big",
    "local": "unix:///run/docker.sock",
    "far": "tcp://far:2376",
}


def run(argv: Sequence[str], **_: Any) -> Completed:
    """Docker, as far as it knows contexts."""
    assert list(argv[:3]) == ["docker", "context", "inspect"]
    address = CONTEXTS.get(argv[-1])
    return Completed(f"{address}\n", "", 0) if address else Completed("", "no such context", 1)


def test_addresses_and_contexts_may_stand_side_by_side() -> None:
    hosts = fleet_of(["ssh://a@b:22", "unix:///x.sock", "big"], run)
    assert [(one.name, one.address, one.ssh) for one in hosts] == [
        ("ssh://a@b:22", "ssh://a@b:22", "ssh://a@b:22"),
        ("unix:///x.sock", "unix:///x.sock", None),
        ("big", "ssh://operator@big", "ssh://operator@big"),
    ]


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (["ssh://a@b:22", "unix:///run/x.sock"], ["a-b-22", "run-x.sock"]),
        (["ssh://a-b", "ssh://a@b"], ["a-b", "a-b-2"]),
        (["ssh://..", "ssh://../.."], ["host", "host-2"]),
    ],
)
def test_every_host_has_a_folder_of_its_own(names: list[str], folders: list[str]) -> None:
    assert [host.folder for host in fleet_of(names, run)] == folders


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "names no host"),
        (["nobody"], "neither an address nor a context"),
        (["--help"], "neither an address nor a context"),
        (["far"], "tcp://far:2376: a target there could not be reached"),
        (["tcp://1.2.3.4:2375"], "could not be reached"),
        (["big", "ssh://operator@big"], "named twice"),
    ],
)
def test_a_host_that_cannot_be_meant_is_refused_before_anything_is_started(
    names: list[str], says: str
) -> None:
    with pytest.raises(PlanError, match=says):
        fleet_of(names, run)


def test_names_are_separated_by_commas_and_blanks_around_them_do_not_matter() -> None:
    assert split(" ssh://a, ssh://b ,,c") == ["ssh://a", "ssh://b", "c"]
    assert split("") == []
