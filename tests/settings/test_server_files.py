"""Settings files of the server: what it would ignore, and what to write instead."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.errors import SettingsError
from settings.server_files import Kind, check_file, check_settings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
READ_KEYS = ("version", "autoMode", "maxConcurrency", "autoModeByWorktree", "autoModeAlwaysOn")
PROJECTS = [{"id": "p1", "path": "/projects/a"}]


def messages(data: dict[str, Any], kind: Kind = "global", cap: int = 8) -> dict[str, str]:
    """Key of every finding with its level and message."""
    return {one.key: f"{one.level}: {one.message}" for one in check_settings(data, kind, cap)}


def test_the_guides_global_file_is_answered_with_what_the_server_reads() -> None:
    guide = {
        "version": 3,
        "autoMode": {
            "maxConcurrency": 8,
            "verifyBeforeMerge": True,
            "autoCommit": False,
            "autoPush": False,
        },
    }
    ignored = "warn: ignored by the server; write "
    assert messages(guide) == {
        "autoMode.maxConcurrency": f'{ignored}"maxConcurrency": 8 at the top level',
        "autoMode.verifyBeforeMerge": (
            f'{ignored}"skipVerificationInAutoMode": false at the top level'
        ),
        "autoMode.autoCommit": f'{ignored}"gitWorkflow": {{"autoCommit": false}}',
        "autoMode.autoPush": f'{ignored}"gitWorkflow": {{"autoPush": false}}',
    }


def test_the_guides_project_file_is_answered_with_another_file() -> None:
    guide = {"version": 2, "autoMode": {"maxConcurrency": 8, "useWorktrees": True}}
    found = messages(guide, "project")
    assert set(found) == {"version", "autoMode.maxConcurrency", "autoMode.useWorktrees"}
    assert (
        '"autoModeByWorktree": {"<id of the project>::__main__": {"maxConcurrency": 8}} '
        "in DATA_DIR/settings.json" in found["autoMode.maxConcurrency"]
    )


def test_the_flat_form_is_what_the_server_reads() -> None:
    flat = {
        "version": 6,
        "maxConcurrency": 8,
        "projects": PROJECTS,
        "autoModeByWorktree": {"p1::__main__": {"maxConcurrency": 4}},
        "autoModeAlwaysOn": {"enabled": True, "projects": [{"projectPath": "/projects/a"}]},
    }
    assert messages(flat) == {}


@pytest.mark.parametrize(
    ("value", "message", "why"),
    [
        ("8", "fail: not a number, so ignored: auto-mode runs one agent at a time", "a string"),
        (True, "fail: not a number, so ignored: auto-mode runs one agent at a time", "no number"),
        (math.inf, "fail: not a number, so ignored: auto-mode runs one agent at a time", "JSON?"),
        (0, "fail: 0: auto-mode would never start an agent", "nothing runs"),
        (-2, "fail: -2: auto-mode would never start an agent", "nothing runs either"),
        (2.5, "warn: 2.5 works like 3; write a whole number", "it counts up to it"),
        (9, "warn: 9: AUTOMAKER_MAX_CONCURRENCY lets 8 run; raise it for more", "over the cap"),
        (21, "warn: 21: the server never runs more than 20", "over any cap"),
    ],
)
def test_a_limit_the_server_takes_otherwise_is_said(value: object, message: str, why: str) -> None:
    assert messages({"maxConcurrency": value}) == {"maxConcurrency": message}, why


@pytest.mark.parametrize(
    ("data", "key", "says"),
    [
        ({}, "maxConcurrency", "warn: not set: auto-mode runs one agent"),
        ({"maxConcurrency": 1, "version": 7}, "version", "warn: 7 is newer than 6"),
        (
            {"maxConcurrency": 1, "systemMaxConcurrency": 10},
            "systemMaxConcurrency",
            "warn: only shown; what caps the server is AUTOMAKER_MAX_CONCURRENCY, which is 8",
        ),
        ({"maxConcurrency": 1, "autoMode": 8}, "autoMode", "warn: ignored"),
        ({"maxConcurrency": 1, "autoMode": {"x": 8}}, "autoMode.x", "warn: ignored by the server;"),
        (
            {"maxConcurrency": 1, "autoModeByWorktree": []},
            "autoModeByWorktree",
            "fail: not an object",
        ),
        (
            {"maxConcurrency": 1, "projects": PROJECTS, "autoModeByWorktree": {"p1": {}}},
            'autoModeByWorktree["p1"]',
            "warn: never looked up; the key has to be like 'p1::__main__'",
        ),
        (
            {"maxConcurrency": 1, "autoModeByWorktree": {"p2::main": {"maxConcurrency": 2}}},
            'autoModeByWorktree["p2::main"]',
            "warn: never looked up: projects[] has no id 'p2'",
        ),
        (
            {
                "maxConcurrency": 1,
                "projects": PROJECTS,
                "autoModeByWorktree": {"p1::x": {"maxConcurrency": 0}},
            },
            'autoModeByWorktree["p1::x"].maxConcurrency',
            "fail: 0: auto-mode would never",
        ),
        (
            {"maxConcurrency": 1, "autoModeAlwaysOn": {"projects": [{"projectPath": "/a"}]}},
            "autoModeAlwaysOn.enabled",
            "warn: not true",
        ),
        (
            {"maxConcurrency": 1, "autoModeAlwaysOn": {"enabled": True, "projects": ["/a"]}},
            "autoModeAlwaysOn.projects[0].projectPath",
            "fail: not an absolute path",
        ),
        (
            {
                "maxConcurrency": 1,
                "autoModeAlwaysOn": {"enabled": True, "projects": [{"projectPath": "/a/"}]},
            },
            "autoModeAlwaysOn.projects[0].projectPath",
            "warn: another project than '/a'; write that",
        ),
    ],
)
def test_what_the_server_would_not_do_is_found(data: dict[str, Any], key: str, says: str) -> None:
    found = messages(data)
    assert list(found) == [key]
    assert found[key].startswith(says)


@pytest.mark.parametrize("key", ["maxConcurrency", "maxConcurrentAgents", "autoModeByWorktree"])
def test_limits_in_a_projects_file_are_read_by_nobody(key: str) -> None:
    assert "DATA_DIR/settings.json" in messages({key: 3}, "project")[key]


@given(st.dictionaries(st.sampled_from(READ_KEYS), JSON), st.sampled_from(["global", "project"]))
def test_no_file_is_too_strange_to_be_checked(data: dict[str, Any], kind: Kind) -> None:
    check_settings(data, kind, 8)


def test_the_folder_says_whose_file_it_is(tmp_path: Path) -> None:
    (tmp_path / ".automaker").mkdir()
    for folder in (tmp_path, tmp_path / ".automaker"):
        (folder / "settings.json").write_text(json.dumps({"maxConcurrency": 3}), encoding="utf-8")
    assert check_file(tmp_path / "settings.json", 8) == []
    (found,) = check_file(tmp_path / ".automaker" / "settings.json", 8)
    assert found.key == "maxConcurrency"


def naming(*paths: str, always_on: tuple[str, ...] = ()) -> dict[str, Any]:
    """A file that names projects in both of its lists."""
    return {
        "maxConcurrency": 1,
        "projects": [{"id": str(number), "path": path} for number, path in enumerate(paths)],
        "autoModeAlwaysOn": {"enabled": True, "projects": [{"projectPath": p} for p in always_on]},
    }


def test_one_project_in_both_lists_is_no_alias() -> None:
    assert messages(naming("/p", "/q", always_on=("/p",))) == {}


def test_spellings_of_one_project_are_found_in_and_across_the_lists() -> None:
    found = messages(naming("/p", "/q", "/q/", always_on=("/p//", "/p")))
    assert set(found) == {"projects[2].path", "autoModeAlwaysOn.projects[0].projectPath"}
    assert found["projects[2].path"].startswith(
        "warn: the same directory as '/q' of projects[1].path, and another project to the server"
    )
    across = found["autoModeAlwaysOn.projects[0].projectPath"]
    assert "'/p' of projects[0].path" in across
    assert across.endswith("write '/p' for both")


def test_links_to_one_project_are_found_where_they_can_be_looked_at(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(naming(str(real), always_on=(str(link),))), encoding="utf-8")
    (found,) = check_file(path, 8)
    assert (found.level, found.key) == ("warn", "autoModeAlwaysOn.projects[0].projectPath")
    assert found.message.endswith(f"write {os.path.realpath(real)!r} for both")
    assert messages(naming(str(real), always_on=(str(link),))) == {}, "nothing is looked up"


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": -Infinity}', '{"a": 1e999}', "[" * 10**5])
def test_what_python_alone_would_read_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="not valid JSON"):
        check_file(path, 8)


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b'{"a": "\xff"}'])
def test_what_is_no_plain_utf_8_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="not valid JSON"):
        check_file(path, 8)


@pytest.mark.parametrize(
    ("text", "problem"),
    [("{", "not valid JSON"), ("[]", "not a JSON object"), ('"sk-ant-1"', "not a JSON object")],
)
def test_a_file_the_server_could_not_read_is_refused_unquoted(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=problem) as caught:
        check_file(path, 8)
    assert "sk-ant-1" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        check_file(tmp_path / "settings.json", 8)
