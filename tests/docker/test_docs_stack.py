"""The docs stack: alone, small, and healthy in whatever image serves it."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compose.commands import DOCS_FILE, PRODUCTION_FILE, compose
from compose.difference import compare
from compose.doctor import diagnose
from compose.doctor_docker import actual_state
from compose.doctor_probe import examine
from compose.effective import StagingValues, staging_model
from compose.model import Health, Restart, read_limits
from compose.run import run
from loadtest.rig.image import BUILD, ensure_image
from settings.env_keys import KEYS

EMPTY = StagingValues(None, {})


@pytest.fixture(autouse=True)
def _only_the_files_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)


def docs(**values: str) -> dict[str, Any]:
    return dict(staging_model(run, StagingValues(None, values), (DOCS_FILE,)))


def test_the_docs_are_as_the_guide_has_them() -> None:
    model = docs()
    limits = read_limits(model, "docs")
    assert limits.memory_bytes == limits.memswap_bytes == 128 * 2**20
    assert limits.restart == Restart("unless-stopped")
    assert limits.health == Health(interval_s=30, timeout_s=5, retries=3, start_period_s=10)
    body = model["services"]["docs"]
    assert (model["name"], body["container_name"]) == ("automaker-docs", "automaker-docs")
    assert body["build"]["target"] == "docs"
    assert (body["ports"][0]["published"], body["ports"][0]["target"]) == ("3009", 80)
    assert body["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


def test_the_docs_need_nothing_that_is_made_elsewhere() -> None:
    model = docs()
    assert not any(one.get("external") for one in model["networks"].values())
    assert "volumes" not in model


def test_another_port_is_one_setting() -> None:
    assert docs(DOCS_PORT="4009")["services"]["docs"]["ports"][0]["published"] == "4009"


def test_the_two_compose_files_give_the_guides_table() -> None:
    rows = compare(staging_model(run, EMPTY, (PRODUCTION_FILE,)), staging_model(run, EMPTY))
    assert [one.remark() for one in rows] == [""] * len(rows)


@pytest.mark.parametrize("tool", ["wget", "curl"])
def test_the_healthcheck_uses_what_the_image_has(tmp_path: Path, tool: str) -> None:
    fake = tmp_path / tool
    fake.write_text('#!/bin/sh\necho "$0 $*" >"$OUT"\n', encoding="utf-8")
    fake.chmod(0o755)
    script = docs()["services"]["docs"]["healthcheck"]["test"][1].replace("$$", "$")
    environment = {"PATH": str(tmp_path), "OUT": str(tmp_path / "out")}
    done = subprocess.run(["/bin/sh", "-c", script], env=environment, check=False)
    assert done.returncode == 0
    said = (tmp_path / "out").read_text(encoding="utf-8").split()
    assert said[0].endswith(tool)
    assert said[-1] == "http://127.0.0.1:80/"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[tuple[list[str], str]]:
    """The docs stack under a name of its own, probed every second; (compose argv, container)."""
    name = f"test-docs-{uuid.uuid4().hex[:8]}"
    image = ensure_image(run, BUILD, "docs")
    override = tmp_path / "override.json"
    changes = {"container_name": name, "image": image, "healthcheck": {"interval": "1s"}}
    override.write_text(json.dumps({"services": {"docs": changes}}), encoding="utf-8")
    argv = [*compose([DOCS_FILE, override], "/dev/null"), "--project-name", name]
    yield argv, name
    run([*argv, "down", "--volumes", "--timeout", "1"], check=False, timeout_s=60.0)


def test_the_stack_gets_healthy_and_drift_shows(stack: tuple[list[str], str]) -> None:
    argv, name = stack
    up = [*argv, "up", "--detach", "--no-build", "--wait", "--wait-timeout", "60"]
    run(up, env={"DOCS_PORT": "0"}, timeout_s=120.0)
    asked = ["docker", "inspect", "--format", "{{.State.Health.Status}} {{.HostConfig.MemorySwap}}"]
    assert run([*asked, name]).stdout.split() == ["healthy", str(128 * 2**20)]
    state, status = actual_state(run, name)
    assert state is not None
    assert (state.memory, state.restart, status) == (128 * 2**20, "unless-stopped", "running")
    run(["docker", "update", "--memory", "200M", "--memory-swap", "200M", name])
    run(["docker", "stop", "--time", "1", name])
    changed, status = actual_state(run, name)
    assert changed is not None
    assert (changed.memory, status) == (200 * 2**20, "exited")


def test_a_container_that_is_not_there_is_absent() -> None:
    assert actual_state(run, f"test-absent-{uuid.uuid4().hex[:8]}") == (None, "absent")


def test_this_host_can_be_examined(tmp_path: Path) -> None:
    report = examine(run, tmp_path / "absent")
    assert report.engine is not None
    assert report.limits is not None
    assert report.limits.memory_bytes == 48 * 2**30
    assert report.swap_accounting is not None
    assert len(report.ports) == len(report.containers) == 3
    assert {one.name for one in diagnose(report)} >= {"RAM", "engine", "volumes", "port 3009"}
