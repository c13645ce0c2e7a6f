from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import docker
import psutil
import pytest

from compose.run import run
from loadtest.rig.engine import leftovers
from loadtest.rig.errors import RigError, TargetDiedError
from loadtest.rig.image import BUILD, ROOT, ensure_image
from loadtest.rig.kernel import read_process
from loadtest.rig.labels import labels_for
from loadtest.rig.target import Target, TargetSpec
from tests.docker.conftest import API_KEY, MIB


def ask(target: Target, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    request = urllib.request.Request(
        target.url + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"X-API-Key": API_KEY, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def start_agent(target: Target, title: str) -> str:
    feature = {"title": title, "description": "x", "complexity": "small", "status": "backlog"}
    body = {"projectPath": "/projects/one", "feature": feature}
    feature_id = str(ask(target, "/api/features/create", body)["feature"]["id"])
    run_body = {"projectPath": "/projects/one", "featureId": feature_id}
    ask(target, "/api/auto-mode/run-feature", run_body)
    return feature_id


def agents_of(target: Target) -> list[int]:
    cgroup = target.cgroup()
    try:
        found = ((pid, read_process(pid)) for pid in cgroup.pids())
        return [pid for pid, process in found if process and process.is_agent]
    finally:
        cgroup.close()


def until(condition: Any, budget_s: float = 10.0) -> bool:
    end = time.monotonic() + budget_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def long_lived(spec: TargetSpec) -> TargetSpec:
    profile = {"small": {"turns": 2, "peak_bytes": 12 * MIB, "hold_s": 60}}
    return replace(spec, environment={**spec.environment, "STANDIN_PROFILES": json.dumps(profile)})


def test_limits_in_force_are_those_asked_for(spec: TargetSpec, client: docker.DockerClient) -> None:
    with Target(spec, client) as target:
        target.wait_ready(30)
        config = client.api.inspect_container(target.id)["HostConfig"]
        assert config["Memory"] == config["MemorySwap"] == 256 * MIB
        assert config["NanoCpus"] == 1_000_000_000
        cgroup = target.cgroup()
        assert 0 < cgroup.read().usage < 256 * MIB
        cgroup.close()


def test_the_port_is_reachable_from_this_host_only(
    spec: TargetSpec, client: docker.DockerClient
) -> None:
    with Target(spec, client) as target:
        ports = client.api.inspect_container(target.id)["NetworkSettings"]["Ports"]
        assert [binding["HostIp"] for binding in ports["3008/tcp"]] == ["127.0.0.1"]


def test_the_server_runs_without_root_and_under_an_init(
    spec: TargetSpec, client: docker.DockerClient
) -> None:
    with Target(spec, client) as target:
        target.wait_ready(30)
        first = psutil.Process(target.pid)
        assert "init" in first.name()
        assert all(child.uids().real != 0 for child in first.children(recursive=True))


def test_the_server_needs_at_most_60_mb_when_idle(
    spec: TargetSpec, client: docker.DockerClient
) -> None:
    with Target(spec, client) as target:
        target.wait_ready(30)
        time.sleep(1)
        cgroup = target.cgroup()
        assert cgroup.read().committed <= 60e6
        cgroup.close()


def test_a_target_that_dies_during_its_start_shows_its_last_lines_and_is_gone(
    spec: TargetSpec, client: docker.DockerClient, run_id: str
) -> None:
    broken = replace(spec, environment={**spec.environment, "STANDIN_PROFILES": "not json"})
    with (
        pytest.raises(TargetDiedError, match="profiles are not JSON"),
        Target(broken, client) as target,
    ):
        target.wait_ready(30)
    assert leftovers(client, run_id) == []


def test_a_target_is_removed_when_the_code_around_it_fails(
    spec: TargetSpec, client: docker.DockerClient, run_id: str
) -> None:
    with pytest.raises(ZeroDivisionError), Target(spec, client):
        raise ZeroDivisionError
    assert leftovers(client, run_id) == []


def test_a_limit_that_the_engine_did_not_apply_is_an_error_and_leaves_nothing(
    spec: TargetSpec, client: docker.DockerClient, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(self: TargetSpec) -> dict[str, Any]:
        return {"labels": dict(self.labels), "init": self.init, "mem_limit": self.memory}

    monkeypatch.setattr(TargetSpec, "kwargs", forgetful)
    with pytest.raises(RigError, match="did not apply"), Target(spec, client):
        pass
    assert leftovers(client, run_id) == []


def test_agents_are_processes_of_their_own_and_die_with_the_server(
    long_lived: TargetSpec, client: docker.DockerClient
) -> None:
    with Target(long_lived, client) as target:
        target.wait_ready(30)
        for number in range(3):
            start_agent(target, f"{number} agent")
        assert until(lambda: len(agents_of(target)) == 3)
        agents = agents_of(target)
        server = psutil.Process(target.pid).children()[0]
        server.kill()
        assert until(lambda: not any(psutil.pid_exists(pid) for pid in agents))


def test_an_agent_killed_by_the_kernel_blocks_its_feature_and_spares_the_server(
    long_lived: TargetSpec, client: docker.DockerClient
) -> None:
    with Target(long_lived, client) as target:
        target.wait_ready(30)
        feature_id = start_agent(target, "doomed agent")
        assert until(lambda: len(agents_of(target)) == 1)
        os.kill(agents_of(target)[0], 9)
        body = {"projectPath": "/projects/one", "featureId": feature_id}
        assert until(
            lambda: ask(target, "/api/features/get", body)["feature"]["status"] == "blocked"
        )
        feature = ask(target, "/api/features/get", body)["feature"]
        assert "signal 9" in feature["statusChangeReason"]
        assert ask(target, "/api/health/quick")["status"] == "ok"


@pytest.fixture
def web_container(client: docker.DockerClient, run_id: str) -> Iterator[Any]:
    started = []

    def start(target: str, **environment: str) -> str:
        ports: dict[str, Any] = {"80/tcp": ("127.0.0.1",)}
        container = client.containers.run(
            ensure_image(run, BUILD, target),
            detach=True,
            environment=environment,
            labels=labels_for(run_id),
            ports=ports,
            mem_limit=128 * MIB,
        )
        started.append(container)
        container.reload()
        bindings: Any = container.ports["80/tcp"]
        [binding] = bindings
        return f"http://127.0.0.1:{binding['HostPort']}"

    yield start
    for container in started:
        container.remove(force=True, v=True)


@pytest.mark.parametrize(("target", "mark"), [("ui", 'id="app"'), ("docs", "<html")])
def test_ui_and_docs_are_targets_of_the_same_image_file(
    target: str, mark: str, web_container: Any
) -> None:
    url = web_container(target)

    def served() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                return mark in response.read().decode()
        except OSError:
            return False

    assert until(served)


def test_no_certificate_and_no_pip_is_left_in_the_image(image: str) -> None:
    listing = subprocess.run(
        ["docker", "run", "--rm", "--entrypoint", "python3", image, "-c",
         "import importlib.util, os; print(importlib.util.find_spec('pip'));"
         "print([name for name in os.environ if 'CERT' in name or 'CA_' in name])"],
        capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    assert listing[:2] == ["None", "[]"]


def test_the_load_generator_works_alone_with_a_user_class_for_each_model(
    spec: TargetSpec, client: docker.DockerClient
) -> None:
    profile = {name: {"turns": 10, "hold_s": 0.2} for name in ("small", "medium", "architectural")}
    environment = {**spec.environment, "STANDIN_PROFILES": json.dumps(profile)}
    with Target(replace(spec, environment=environment), client) as target:
        target.wait_ready(30)
        argv = [sys.executable, "-m", "locust", "-f", "loadtest/swarm/locustfile.py",
                "--headless", "--users", "3", "--spawn-rate", "3", "--run-time", "6s",
                "--host", target.url, "--only-summary"]  # fmt: skip
        done = subprocess.run(
            argv,
            cwd=ROOT,
            env={**os.environ, "AUTOMAKER_API_KEY": API_KEY},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    for step in ("spawn", "turn", "completion"):
        for name in ("small", "medium", "architectural"):
            assert f"{step} {name}" in done.stdout + done.stderr
