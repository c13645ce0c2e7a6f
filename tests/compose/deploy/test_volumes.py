"""Volumes are made where they are missing, with our label, and are otherwise left alone."""

from __future__ import annotations

from pathlib import Path

from compose.deploy.volumes import ensure_volumes
from settings.stack import Stack
from tests.compose.deploy.fakes import Engine, host, view

STACK = Stack("automaker", Path("/home"))


def test_only_what_is_missing_is_made() -> None:
    engine = Engine({"docker volume ls": "other\nautomaker-data\n", "docker volume create": ""})
    ensure_volumes(host(engine), STACK, view())
    made = [argv for argv in engine.argvs if argv[2] == "create"]
    label = "automaker-staging.stack=automaker"
    assert made == [["docker", "volume", "create", "--label", label, "automaker-cache"]]


def test_a_name_that_only_begins_alike_is_another_volume() -> None:
    engine = Engine({"docker volume ls": "automaker-data-2\n", "docker volume create": ""})
    ensure_volumes(host(engine), STACK, view())
    assert [argv[-1] for argv in engine.argvs[1:]] == ["automaker-cache", "automaker-data"]


def test_a_dry_run_makes_none() -> None:
    engine, said = Engine({"docker volume ls": ""}), list[str]()
    ensure_volumes(host(engine, said, dry=True), STACK, view())
    assert len(engine.argvs) == 1
    assert "".join(said).count("$ docker volume create") == 2
