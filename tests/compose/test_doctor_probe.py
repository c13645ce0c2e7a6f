"""What the probe makes of what commands print."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from compose.commands import DOCS_FILE
from compose.doctor import diagnose
from compose.doctor_docker import port_holder
from compose.doctor_probe import examine
from compose.errors import ComposeError
from compose.host_report import ContainerState
from compose.run import Completed
from settings.env_keys import KEYS

GIB = 2**30
STAGING: dict[str, Any] = {
    "services": {
        "server": {
            "container_name": "the-server",
            "image": "server:staging",
            "mem_limit": str(16 * GIB),
            "restart": "on-failure:5",
            "ports": [{"published": "4008", "target": 3008}],
            "volumes": [
                {"type": "volume", "source": "automaker-data", "target": "/data"},
                {"type": "bind", "source": "/srv/nowhere-at-all", "target": "/x"},
                {"type": "bind", "source": "/", "target": "/y"},
            ],
        },
        "ui": {"container_name": "the-ui", "image": "ui:staging", "mem_limit": str(2 * GIB)},
    },
    "volumes": {
        "automaker-data": {"name": "automaker-data", "external": True},
        "own": {"name": "own"},
    },
}
DOCS: dict[str, Any] = {
    "services": {
        "docs": {"container_name": "the-docs", "image": "docs:staging", "mem_limit": str(2**27)}
    }
}
TOOLS = {
    "docker version": "27.1.0",
    "docker compose version": "2.30.0",
    "docker buildx version": "github.com/docker/buildx v0.13.1",
}
ENGINE = {
    **TOOLS,
    "docker info": json.dumps({"DockerRootDir": "/", "SwapLimit": True}),
    "docker volume ls": "other\n",
    "docker image inspect --format {{json .Id}} server:staging": '"sha256:new"',
    "docker ps --filter publish=4008": "the-server\n",
}
RUNNING = json.dumps(
    [48 * GIB, {"Name": "on-failure", "MaximumRetryCount": 5}, "sha256:old", "running"]
)


class Printing:
    """Prints by the first words of a command, or its last; anything else fails."""

    def __init__(self, prints: Mapping[str, str], containers: Mapping[str, str]) -> None:
        self.prints, self.containers = prints, containers

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
        if argv[:2] == ["docker", "compose"] and "config" in argv and "docker info" in self.prints:
            return Completed(json.dumps(DOCS if str(DOCS_FILE) in argv else STAGING), "", 0)
        if argv[:3] == ["docker", "container", "inspect"] and argv[-1] in self.containers:
            return Completed(self.containers[argv[-1]], "", 0)
        for beginning, text in self.prints.items():
            if command.startswith(beginning):
                return Completed(text, "", 0)
        raise ComposeError(f"{command}: refused")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in (*KEYS, "DOCKER_HOST"):
        monkeypatch.delenv(key, raising=False)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    path = tmp_path / ".env.staging"
    path.write_text("ANTHROPIC_API_KEY=sk-ant-1\nAUTOMAKER_API_KEY=pa$1wor$D\nUID=7\n")
    path.chmod(0o640)
    return path


def test_everything_is_found_out(env_file: Path) -> None:
    report = examine(Printing(ENGINE, {"the-server": RUNNING}), env_file)
    assert (report.engine, report.compose, report.buildx) == ("27.1.0", "2.30.0", "0.13.1")
    assert report.swap_accounting is True
    assert report.disk_total > 0
    assert report.limits is not None
    assert report.limits.memory_bytes == 16 * GIB
    assert report.beside_memory == 2 * GIB + 2**27
    assert report.mounts_missing == ("/srv/nowhere-at-all",)
    assert report.owner == (7, 1000)
    assert report.volumes_missing == ("automaker-data",)
    assert report.env.mode == 0o640
    assert report.env.problems == ()
    assert len(report.env.remarks) == 1


def test_ports_are_those_of_the_models_and_ours_are_known(env_file: Path) -> None:
    report = examine(Printing(ENGINE, {}), env_file)
    server = next(one for one in report.ports if one.key == "API_PORT")
    assert (server.port, server.holder, server.ours) == (4008, "the-server", True)
    assert [one.port for one in report.ports] == [3007, 4008, 3009]


def test_a_running_container_is_set_beside_what_the_file_wants(env_file: Path) -> None:
    server, ui, docs = examine(Printing(ENGINE, {"the-server": RUNNING}), env_file).containers
    assert server.wanted == ContainerState(16 * GIB, "on-failure:5", "sha256:new")
    assert server.actual == ContainerState(48 * GIB, "on-failure:5", "sha256:old")
    assert server.status == "running"
    assert (ui.actual, docs.actual) == (None, None)


def test_a_host_without_an_engine_is_examined_all_the_same(tmp_path: Path) -> None:
    report = examine(Printing({}, {}), tmp_path / "absent")
    assert (report.engine, report.limits, report.volumes_missing) == (None, None, None)
    assert (report.swap_accounting, report.containers) == (None, ())
    assert report.env.mode is None
    levels = {one.name: one.level for one in diagnose(report)}
    assert levels["engine"] == "fail"
    assert levels["env file"] == "fail"
    assert levels["compose files"] == "warn"


def test_a_file_that_is_wrong_is_reported_and_not_used(env_file: Path) -> None:
    env_file.write_text("UID=many\nAUTOMAKER_API_KEY=\n")
    report = examine(Printing(ENGINE, {}), env_file)
    assert [one.partition(": ")[2] for one in report.env.problems] == [
        "UID: not a whole number from 0 to 2147483647",
        "AUTOMAKER_API_KEY: empty: a secret has to be set, or its line left out",
        "ANTHROPIC_API_KEY: missing",
    ]
    assert report.owner == (1000, 1000)


def test_nothing_that_was_found_holds_a_secret(env_file: Path) -> None:
    report = examine(Printing(ENGINE, {"the-server": RUNNING}), env_file)
    everything = repr(report) + repr(diagnose(report))
    assert "sk-ant-1" not in everything
    assert "pa$1wor$D" not in everything


def test_a_process_that_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        held = port_holder(Printing({}, {}), port)
        assert held is not None
        assert f"(pid {psutil.Process().pid})" in held
    assert port_holder(Printing({}, {}), port) is None


def test_without_the_right_to_look_a_port_counts_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_kind: str) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", denied)
    assert port_holder(Printing({}, {}), 1) is None


def test_a_process_that_may_not_be_seen_holds_its_port_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hidden = SimpleNamespace(status=psutil.CONN_LISTEN, laddr=SimpleNamespace(port=1), pid=None)
    monkeypatch.setattr(psutil, "net_connections", lambda _kind: [hidden])
    assert port_holder(Printing({}, {}), 1) == "a process of another user"
