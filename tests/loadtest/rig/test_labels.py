"""Whose is this, and is the owner still there?"""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.rig.labels import MACHINE, OWNER, RUN, is_abandoned, labels_for
from settings.owner import Owner


def test_what_this_process_makes_is_not_abandoned() -> None:
    labels = labels_for("run-1")
    assert labels[RUN] == "run-1"
    assert not is_abandoned(labels)


def test_what_a_dead_process_made_is_abandoned() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owner = Owner(process.pid, int(psutil.Process(process.pid).create_time()))
        assert not is_abandoned({OWNER: str(owner)})
        process.kill()
    assert is_abandoned({OWNER: str(owner)})


def test_what_another_machine_made_is_left_to_that_machine() -> None:
    assert not is_abandoned({OWNER: "1@1", MACHINE: "another"})
    assert is_abandoned(labels_for("run-1") | {OWNER: "1@1"})


def test_a_process_number_that_was_given_away_again_is_another_owner() -> None:
    me = Owner.this_process()
    assert me.is_alive()
    assert not Owner(me.pid, me.started - 3600).is_alive()
    assert not Owner(me.pid, me.started + 3600).is_alive()
    assert Owner(me.pid, me.started + 1).is_alive(), "clocks differ by a second"


@pytest.mark.parametrize(
    "text", ["", "42", "@", "42@", "@42", "a@b", "-1@5", "4 2@5", "42@5@6", "42@1.5"]
)
def test_a_label_that_is_no_owner_means_abandoned(text: str) -> None:
    assert Owner.parse(text) is None
    assert is_abandoned({OWNER: text})


def test_things_without_an_owner_are_abandoned() -> None:
    assert is_abandoned({})


@given(st.integers(0, 2**22), st.integers(0, 2**40))
def test_an_owner_survives_its_label(pid: int, started: int) -> None:
    assert Owner.parse(str(Owner(pid, started))) == Owner(pid, started)


@given(st.text())
def test_any_label_at_all_can_be_asked(text: str) -> None:
    assert is_abandoned({OWNER: text}) in {True, False}
