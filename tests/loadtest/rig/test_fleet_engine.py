"""The engine of a host: its facts, and clear words where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from compose.run import Completed
from loadtest.rig.errors import RigError
from loadtest.rig.fleet_engine import facts_of, fleet_engine
from loadtest.rig.image_copy import carry_image, on_engine
from settings.host import GIB

INFO: dict[str, Any] = {
    "Name": "far",
    "MemTotal": 64 * GIB,
    "NCPU": 16,
    "KernelVersion": "6.1.0",
    "OSType": "linux",
    "CgroupVersion": "2",
}


def test_the_facts_of_a_far_machine_are_what_its_engine_says() -> None:
    facts = facts_of(INFO, "here")
    assert (facts.memory, facts.memory_available, facts.cpus) == (64 * GIB, 64 * GIB, 16)
    assert (facts.kernel, facts.system, facts.cgroup_version) == ("6.1.0", "Linux", 2)
    assert facts.is_target


def test_of_this_machine_it_is_known_what_is_free() -> None:
    assert facts_of(INFO, "far").memory_available < 64 * GIB


def test_an_engine_that_does_not_say_its_cgroup_version_has_none() -> None:
    assert facts_of({**INFO, "CgroupVersion": ""}, "here").cgroup_version == 0


def test_no_engine_behind_a_socket_is_one_clear_error(tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/nothing.sock"
    with (
        pytest.raises(RigError, match="no Docker engine answers") as caught,
        fleet_engine(address, None),
    ):
        pass
    assert str(caught.value) == f"{address}: no Docker engine answers: No such file or directory"


class Recorder:
    """Stands for `run`; knows the images of one engine."""

    def __init__(self, has: bool) -> None:
        self.has = has
        self.calls: list[tuple[list[str], Mapping[str, str] | None]] = []

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
        stdin: str = "",
    ) -> Completed:
        self.calls.append((list(argv), env))
        return Completed("", "", 0 if self.has else 1)


def test_commands_for_an_engine_are_told_its_address() -> None:
    recorder = Recorder(has=True)
    on_engine(recorder, "unix:///x.sock")(["docker", "ps"], env={"A": "1"})
    assert recorder.calls == [(["docker", "ps"], {"A": "1", "DOCKER_HOST": "unix:///x.sock"})]


def test_an_image_that_is_there_is_not_copied(tmp_path: Path) -> None:
    log = tmp_path / "copy.log"
    assert not carry_image(Recorder(has=True), "image", "unix:///a", "unix:///b", log)
    assert not log.exists()


def test_an_image_that_cannot_be_copied_says_why(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/nothing.sock"
    with pytest.raises(RigError, match="cannot be brought to the host"):
        carry_image(Recorder(has=False), "image", nowhere, nowhere, tmp_path / "copy.log")
