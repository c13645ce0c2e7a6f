"""What the probe makes of what commands print."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from compose.commands import DOCS_FILE
from compose.doctor import diagnose
from compose.doctor_docker import actual_state, port_state
from compose.doctor_probe import examine
from compose.errors import ComposeError
from compose.host_report import ContainerState, EngineHost, PathReport
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
        if argv[:3] == ["docker", "container", "inspect"]:
            if argv[-1] not in self.containers:
                raise ComposeError(f"Error response from daemon: No such container: {argv[-1]}")
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
    assert report.host.local
    assert report.host.memory == psutil.virtual_memory().total
    assert report.host.disk_total
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


REMOTE = {
    **ENGINE,
    "docker info": json.dumps(
        {"MemTotal": 64 * GIB, "NCPU": 8, "CgroupVersion": "2", "SwapLimit": True}
    ),
}


@pytest.fixture
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://user@prod.example")


@pytest.mark.usefixtures("_elsewhere")
def test_of_another_host_only_what_its_engine_says_is_known(env_file: Path) -> None:
    with env_file.open("a") as file:
        file.write(f"PROJECTS_MOUNT={env_file.parent}\n")  # which is a directory here
    report = examine(Printing(REMOTE, {"the-server": RUNNING}), env_file)
    assert report.host == EngineHost(
        "ssh://user@prod.example", memory=64 * GIB, cpus=8, cgroup_version=2
    )
    assert report.mounts_missing is None
    assert {one.real for one in report.paths} == {None}
    assert report.volumes_missing == ("automaker-data",), "the engine says so, wherever it is"
    assert report.containers[0].status == "running"


@pytest.mark.usefixtures("_elsewhere")
def test_ports_of_another_host_are_asked_of_its_engine_alone(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(_kind: str) -> None:
        raise AssertionError("processes of this machine were looked at")

    monkeypatch.setattr(psutil, "net_connections", looked)
    report = examine(Printing(REMOTE, {}), env_file)
    assert [(one.port, one.holder, one.looked) for one in report.ports] == [
        (3007, None, False),
        (4008, "the-server", True),
        (3009, None, False),
    ]


@pytest.mark.usefixtures("_elsewhere")
@pytest.mark.parametrize(
    "info",
    ["", "{}", "[]", '{"MemTotal": 0, "NCPU": 0}', '{"MemTotal": 9, "ServerErrors": ["none"]}'],
)
def test_of_another_host_that_does_not_answer_nothing_is_known(env_file: Path, info: str) -> None:
    report = examine(Printing({**TOOLS, "docker info": info}, {}), env_file)
    assert report.host == EngineHost("ssh://user@prod.example")
    assert report.swap_accounting is None


def test_a_client_that_answers_without_an_engine_is_not_believed(env_file: Path) -> None:
    info = json.dumps({"SwapLimit": False, "ServerErrors": ["Cannot connect"]})
    report = examine(Printing({**TOOLS, "docker info": info}, {}), env_file)
    assert report.swap_accounting is None


def test_a_context_can_point_at_another_host(env_file: Path) -> None:
    context = {"docker context inspect": "tcp://10.0.0.5:2376\n"}
    assert not examine(Printing({**REMOTE, **context}, {}), env_file).host.local


def test_paths_are_those_of_the_file_else_the_defaults(env_file: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with env_file.open("a") as file:
        file.write(f"PROJECTS_MOUNT={tmp_path}/link\n")
    projects, labs, root = examine(Printing(ENGINE, {}), env_file).paths
    assert projects == PathReport(
        "PROJECTS_MOUNT", f"{tmp_path}/link", os.path.realpath(tmp_path / "real")
    )
    assert (labs.key, labs.written) == ("LABS_MOUNT", "/srv/automaker/labs")
    assert (root.key, root.written) == ("ALLOWED_ROOT_DIRECTORY", "/srv/automaker")


def test_a_container_the_engine_says_nothing_of_is_not_absent() -> None:
    def refuses(*_words: object, **_options: object) -> Completed:
        raise ComposeError("no end after 20 s")

    assert actual_state(refuses, "the-server") == (None, "unknown")
    assert actual_state(Printing({}, {"the-server": "no JSON"}), "the-server") == (None, "unknown")
    assert actual_state(Printing({}, {}), "the-server") == (None, "absent")


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
        held, seen = port_state(Printing({}, {}), port)
        assert seen
        assert held is not None
        assert f"(pid {psutil.Process().pid})" in held
    assert port_state(Printing({}, {}), port) == (None, True)


def test_a_process_of_this_host_holds_no_port_of_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert port_state(Printing({}, {}), port, local=False) == (None, False)


def test_without_the_right_to_look_a_port_does_not_count_as_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def denied(_kind: str) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", denied)
    assert port_state(Printing({}, {}), 1) == (None, False)


def test_a_process_that_may_not_be_seen_holds_its_port_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hidden = SimpleNamespace(status=psutil.CONN_LISTEN, laddr=SimpleNamespace(port=1), pid=None)
    monkeypatch.setattr(psutil, "net_connections", lambda _kind: [hidden])
    assert port_state(Printing({}, {}), 1) == ("a process of another user", True)
