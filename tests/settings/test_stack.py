"""Which stack is meant: also where its settings are broken, for then it has to be seen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from settings.env_keys import KEYS
from settings.errors import SettingsError
from settings.stack import Stack, find_stack, setting_of

ROOT_HOME = Path("/var/lib/automaker-staging")


@pytest.fixture(autouse=True)
def _as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".env.staging"


@pytest.mark.parametrize(
    ("text", "name", "home", "why"),
    [
        ("", "automaker", ROOT_HOME / "automaker-staging", "nothing said"),
        ("STACK_NAME=mine\n", "mine", ROOT_HOME / "mine-staging", "a name"),
        ("DEPLOY_DIR=/srv/x\n", "automaker", Path("/srv/x"), "a directory"),
        ("STACK_NAME=mine\nDEPLOY_DIR='/srv/a b'\n", "mine", Path("/srv/a b"), "both"),
        ("STACK_NAME=\n", "automaker", ROOT_HOME / "automaker-staging", "left empty"),
        ("STACK_NAME=mine\nTYPO=1\nnonsense\nCPU_LIMIT=many\n", "mine",
         ROOT_HOME / "mine-staging", "mistakes elsewhere are not asked about"),
    ],
)  # fmt: skip
def test_the_file_says_which_stack(path: Path, text: str, name: str, home: Path, why: str) -> None:
    path.write_text(text, encoding="utf-8")
    assert find_stack(path) == Stack(name, home), why


def test_without_a_file_it_is_the_usual_one(path: Path) -> None:
    assert find_stack(path) == Stack("automaker", ROOT_HOME / "automaker-staging")


def test_a_file_that_is_no_text_is_none(path: Path) -> None:
    path.write_bytes(b"STACK_NAME=\xff\n")
    assert find_stack(path).name == "automaker"


def test_the_environment_goes_before_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("STACK_NAME=mine\n", encoding="utf-8")
    monkeypatch.setenv("STACK_NAME", "theirs")
    assert find_stack(path).name == "theirs"
    monkeypatch.setenv("STACK_NAME", "")
    assert find_stack(path).name == "mine"


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        ("STACK_NAME=Mine\n", "STACK_NAME", "capitals, which no container name takes"),
        ("STACK_NAME=../x\n", "STACK_NAME", "a path"),
        ("STACK_NAME=-x\n", "STACK_NAME", "an option"),
        ("DEPLOY_DIR=x\n", "DEPLOY_DIR", "a directory that depends on where one stands"),
        ("DEPLOY_DIR=~/x\n", "DEPLOY_DIR", "nobody expands it"),
    ],
)
def test_a_name_or_directory_that_cannot_be_used_is_refused(
    path: Path, text: str, key: str, why: str
) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        find_stack(path)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{path}: {key}: "), why


def test_other_users_have_their_deploys_at_home(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    state = tmp_path / ".local" / "state"
    assert find_stack(path).home == state / "automaker-staging" / "automaker-staging"
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert find_stack(path).home == Path("/state/automaker-staging/automaker-staging")


def test_two_stacks_share_no_name(path: Path) -> None:
    mine, theirs = Stack("a", Path("/a")), Stack("b", Path("/b"))
    assert (mine.project, mine.docs_project) == ("a-staging", "a-docs")
    assert not {mine.project, mine.docs_project} & {theirs.project, theirs.docs_project}


def test_one_setting_can_be_had_whatever_else_is_wrong(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text("nonsense\nBUILD_CONTEXT=../automaker\nTYPO=1\n", encoding="utf-8")
    assert setting_of(path, "BUILD_CONTEXT") == "../automaker"
    assert setting_of(path, "API_PORT") == ""
    assert setting_of(path / "absent", "API_PORT") == ""
    monkeypatch.setenv("BUILD_CONTEXT", "/elsewhere")
    assert setting_of(path, "BUILD_CONTEXT") == "/elsewhere"
