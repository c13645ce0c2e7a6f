"""The values of a deploy: the file, what fits the engine's host, and what is pinned."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.deploy.release import Image
from compose.deploy.values import (
    STANDIN_KEY,
    build_values,
    deploy_values,
    ensure_env_file,
    pinned,
)
from settings.env_file import load_env
from settings.env_keys import KEYS, PINS
from settings.errors import SettingsError
from settings.stack import Stack

GIB = 2**30


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / ".env.staging"
    file.write_text("ANTHROPIC_API_KEY=sk-ant-1\nAUTOMAKER_API_KEY='pa$1wor$D'\n", encoding="utf-8")
    return file


def test_limits_that_the_file_leaves_out_fit_the_engines_host(path: Path) -> None:
    values = deploy_values(path, standin=False, memory=48 * GIB, cpus=12)
    assert values["MEMORY_LIMIT"] == "48G"
    assert values["CPU_LIMIT"] == "8"
    assert values["AUTOMAKER_API_KEY"] == "pa$1wor$D"
    small = deploy_values(path, standin=False, memory=8 * GIB, cpus=2)
    assert (small["MEMORY_LIMIT"], small["CPU_LIMIT"]) == ("8G", "1")


def test_what_the_file_says_is_not_proposed(path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("MEMORY_LIMIT=5G\nCPU_LIMIT=3\n")
    values = deploy_values(path, standin=False, memory=48 * GIB, cpus=12)
    assert (values["MEMORY_LIMIT"], values["CPU_LIMIT"]) == ("5G", "3")


def test_the_environment_goes_before_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMAKER_API_KEY", "of-the-environment")
    values = deploy_values(path, standin=False, memory=48 * GIB, cpus=12)
    assert values["AUTOMAKER_API_KEY"] == "of-the-environment"


def test_every_key_that_is_missing_is_named(path: Path) -> None:
    path.write_text("UID=7\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        deploy_values(path, standin=False, memory=48 * GIB, cpus=12)
    assert caught.value.problems == [
        f"{path}: ANTHROPIC_API_KEY: missing",
        f"{path}: AUTOMAKER_API_KEY: missing",
    ]
    assert "ANTHROPIC_API_KEY=... invoke env" in caught.value.__notes__[0]


def test_the_stand_in_needs_no_key_of_the_model_and_none_gets_into_the_file(path: Path) -> None:
    path.write_text("AUTOMAKER_API_KEY=mine-alone\n", encoding="utf-8")
    values = deploy_values(path, standin=True, memory=48 * GIB, cpus=12)
    assert values["ANTHROPIC_API_KEY"] == STANDIN_KEY
    assert path.read_text(encoding="utf-8") == "AUTOMAKER_API_KEY=mine-alone\n"
    with pytest.raises(SettingsError, match="ANTHROPIC_API_KEY: missing"):
        deploy_values(path, standin=False, memory=48 * GIB, cpus=12)


def test_a_key_of_the_model_is_used_by_the_stand_in_as_well(path: Path) -> None:
    values = deploy_values(path, standin=True, memory=48 * GIB, cpus=12)
    assert values["ANTHROPIC_API_KEY"] == "sk-ant-1"


def test_a_file_is_written_where_there_is_none_and_without_the_placeholder(tmp_path: Path) -> None:
    path = tmp_path / "env"
    said = ensure_env_file(path, local=True, dry=False)
    assert said.startswith(f"{path}: written")
    values = deploy_values(path, standin=True, memory=48 * GIB, cpus=12)
    assert (
        values["AUTOMAKER_API_KEY"] == load_env(path, complete=False).plain()["AUTOMAKER_API_KEY"]
    )
    assert STANDIN_KEY not in path.read_text(encoding="utf-8")
    assert ensure_env_file(path, local=True, dry=False) == "", "and left alone from then on"


def test_no_file_is_written_for_an_engine_elsewhere(tmp_path: Path) -> None:
    assert ensure_env_file(tmp_path / "env", local=False, dry=False) == ""
    assert not (tmp_path / "env").exists(), "limits that fit this host need not fit another"


def test_a_dry_run_writes_no_file_and_goes_on_as_if(tmp_path: Path) -> None:
    path = tmp_path / "env"
    assert "would be written" in ensure_env_file(path, local=True, dry=True)
    values = deploy_values(path, standin=True, memory=48 * GIB, cpus=12, dry=True)
    assert values["AUTOMAKER_API_KEY"]
    assert not path.exists()


def test_a_file_with_mistakes_is_not_deployed(path: Path) -> None:
    path.write_text("TYPO=1\nCPU_LIMIT=many\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        deploy_values(path, standin=False, memory=48 * GIB, cpus=12)
    assert len(caught.value.problems) == 2


def test_a_build_needs_no_key_that_only_runs_need(tmp_path: Path) -> None:
    values = build_values(tmp_path / "absent")
    assert values["ANTHROPIC_API_KEY"]
    (tmp_path / "env").write_text("UID=7\nAUTOMAKER_API_KEY=mine-alone\n", encoding="utf-8")
    values = build_values(tmp_path / "env")
    assert (values["UID"], values["AUTOMAKER_API_KEY"]) == ("7", "mine-alone")


def test_a_release_pins_its_images_its_stack_and_what_compose_needs_by_hand() -> None:
    images = {name: Image(f"automaker-{name}:abc", "sha256:x") for name in ("server", "ui")}
    stack = Stack("automaker", Path("/var/lib/x"))
    given = {"API_PORT": "4008", "STACK_NAME": "other", "SERVER_IMAGE": "other"}
    assert pinned(given, stack, "d1", images, "c0ffee") == {
        "API_PORT": "4008",
        "STACK_NAME": "automaker",
        "DEPLOY_DIR": "/var/lib/x",
        "DEPLOY_ID": "d1",
        "GIT_COMMIT_SHA": "c0ffee",
        "SERVER_IMAGE": "automaker-server:abc",
        "UI_IMAGE": "automaker-ui:abc",
        "COMPOSE_FILE": "docker-compose.staging.yml",
        "COMPOSE_PROJECT_NAME": "automaker-staging",
    }
    assert set(PINS) - {"DOCS_IMAGE"} <= set(pinned({}, stack, "d1", images, "c0ffee"))
