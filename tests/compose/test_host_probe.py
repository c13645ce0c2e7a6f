"""What the probe makes of what commands print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from compose.errors import ComposeError
from compose.host_probe import endpoint, probe
from compose.run import Completed

READY = {
    "docker version": "27.1.0\n",
    "docker compose version": "v2.26.1-4\n",
    "docker buildx version": "github.com/docker/buildx v0.13.1 788433953\n",
    "docker context inspect": "unix:///run/user/1000/docker.sock\n",
    "dpkg-query -W -f ${db:Status-Status} docker.io": "installed",
}


class Printing:
    """Runs nothing: prints by the first words of a command; any other program is missing."""

    def __init__(self, prints: Mapping[str, str]) -> None:
        self.prints = prints
        self.commands: list[str] = []

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
        stdin: str = "",
    ) -> Completed:
        command = " ".join(argv)
        self.commands.append(command)
        for beginning, text in self.prints.items():
            if command.startswith(beginning):
                return Completed(text, "", 0)
        raise ComposeError(f"{argv[0]}: no such program on this host")


@pytest.fixture(autouse=True)
def _no_docker_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)


def test_versions_are_read_from_what_the_tools_print() -> None:
    state = probe(Printing(READY))
    found = (state.engine_version, state.compose_version, state.buildx_version)
    assert found == ("27.1.0", "2.26.1-4", "0.13.1")
    assert state.engine_package == "docker.io"
    assert state.missing() == []


def test_nobody_asks_the_network_when_nothing_is_missing() -> None:
    run = Printing(READY)
    probe(run)
    assert not any("download.docker.com" in command for command in run.commands)


def test_a_host_without_docker_lacks_everything() -> None:
    state = probe(Printing({}))
    assert state.missing() == ["a Docker engine", "Compose v2", "buildx"]
    assert not state.docker_repository


def test_compose_1_does_not_count() -> None:
    state = probe(Printing({**READY, "docker compose version": "1.29.2"}))
    assert state.missing() == ["Compose v2"]


def test_the_context_says_where_the_engine_is_sought() -> None:
    assert probe(Printing(READY)).endpoint == "unix:///run/user/1000/docker.sock"


def test_docker_host_goes_before_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.5:2376")
    assert probe(Printing(READY)).endpoint == "tcp://10.0.0.5:2376"


def test_the_address_can_be_asked_for_alone() -> None:
    run = Printing(READY)
    assert endpoint(run) == "unix:///run/user/1000/docker.sock"
    assert len(run.commands) == 1
    assert endpoint(Printing({})) == "unix:///var/run/docker.sock"
