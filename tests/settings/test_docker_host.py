"""What the environment says about Docker, and what commands inherit."""

from __future__ import annotations

import os

import pytest

from settings.docker_host import SYSTEM_PATH, child_environment, docker_host


@pytest.mark.parametrize(
    ("value", "address", "why"),
    [
        ("ssh://staging", "ssh://staging", "an engine elsewhere"),
        ("", None, "an empty variable says nothing"),
        (None, None, "no variable"),
    ],
)
def test_docker_host_is_an_address_or_none(
    monkeypatch: pytest.MonkeyPatch, value: str | None, address: str | None, why: str
) -> None:
    if value is None:
        monkeypatch.delenv("DOCKER_HOST", raising=False)
    else:
        monkeypatch.setenv("DOCKER_HOST", value)
    assert docker_host() == address, why


def test_a_command_finds_system_programs_after_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/our/bin")
    assert child_environment()["PATH"] == f"/our/bin:{SYSTEM_PATH}"


def test_without_a_path_the_usual_one_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATH")
    assert child_environment()["PATH"] == f"{os.defpath}:{SYSTEM_PATH}"


def test_what_is_asked_for_wins_and_our_own_environment_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLOUR", "red")
    assert child_environment()["COLOUR"] == "red"
    assert child_environment({"COLOUR": "blue", "PATH": "/x"}) | {"_": ""} == (
        dict(os.environ) | {"COLOUR": "blue", "PATH": "/x", "_": ""}
    )
    assert os.environ["COLOUR"] == "red"
