"""What `invoke config` answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compose.configuration import change_file, check_files, effective, recommended
from compose.errors import ComposeError
from settings.env_keys import KEYS
from settings.errors import SettingsError


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    path = tmp_path / ".env.staging"
    path.write_text("AUTOMAKER_API_KEY='pa$1wor$D'\nMEMORY_LIMIT=16G\n", encoding="utf-8")
    return path


def test_every_key_is_shown_with_its_source_and_no_secret(env_file: Path) -> None:
    answer = effective(env_file)
    lines = [" ".join(line.split()) for line in answer.text.splitlines()]
    assert "AUTOMAKER_API_KEY ********** .env.staging:1" in lines
    assert "MEMORY_LIMIT 16G .env.staging:2" in lines
    assert "CPU_LIMIT 8 default in docker-compose.staging.yml" in lines
    assert "ANTHROPIC_API_KEY - missing" in lines
    assert "wor" not in answer.text + json.dumps(answer.data)
    assert len(answer.data) == len(KEYS)


def test_a_recommendation_rests_on_the_limits_in_effect(env_file: Path) -> None:
    answer = recommended("medium=100", env_file)
    assert answer.data["max_concurrency"] == 3
    assert "80% of 16 GiB" in answer.text
    assert recommended("medium=100", env_file.parent / "absent").data["max_concurrency"] == 7


def test_settings_files_are_checked_together(env_file: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('{"maxConcurrency": 6}', encoding="utf-8")
    bad.write_text('{"maxConcurrency": 0}', encoding="utf-8")
    answer = check_files([str(good), str(bad)], env_file)
    assert answer.exit_code == 1
    assert answer.text.splitlines() == [
        f"ok    {good}: the server reads it as it is meant",
        f"FAIL  {bad}: maxConcurrency: 0: auto-mode would never start an agent",
    ]
    assert check_files([str(good)], env_file).exit_code == 0
    assert answer.data[str(good)] == []


def test_a_change_is_shown_and_held_against_the_cap_in_effect(
    env_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "settings.json"
    answer = change_file([str(path)], ["autoMode.maxConcurrency=8"], env_file)
    assert answer.text.splitlines() == [
        'autoMode.maxConcurrency: the server reads "maxConcurrency": 8 at the top level; '
        "written so",
        "maxConcurrency: not set -> 8",
        f"warn  {path}: maxConcurrency: 8: AUTOMAKER_MAX_CONCURRENCY lets 6 run; raise it for more",
        f"{path}: written",
    ]
    assert answer.data["changes"] == [{"key": "maxConcurrency", "after": 8}]
    assert json.loads(json.dumps(answer.data))["dry_run"] is False


def test_a_projects_file_is_known_by_its_folder(env_file: Path, tmp_path: Path) -> None:
    path = tmp_path / ".automaker" / "settings.json"
    path.parent.mkdir()
    with pytest.raises(SettingsError, match="move it to DATA_DIR"):
        change_file([str(path)], ["useWorktrees=true"], env_file)
    assert change_file([str(path)], ["workflow.maxPendingReviews=3"], env_file).data["written"]


@pytest.mark.parametrize("paths", [[], ["a", "b"]])
def test_a_change_is_of_exactly_one_file(env_file: Path, paths: list[str]) -> None:
    with pytest.raises(ComposeError, match=f"and {len(paths)} are named") as caught:
        change_file(paths, ["a=1"], env_file)
    assert caught.value.exit_code == 2
