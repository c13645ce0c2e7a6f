"""Changing keys of the server's settings files, and keeping all the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.errors import SettingsError
from settings.server_merge import ABSENT, Change, differences, merge_file, merged

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(), JSON)
OLD: dict[str, Any] = {
    "version": 6,
    "unknown": {"deep": [1, {"x": None}]},
    "maxConcurrency": 1,
    "gitWorkflow": {"autoCommit": True, "autoPush": True},
    "theme": "dark",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(OLD, indent=2), encoding="utf-8")
    return path


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def rows(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [one.line() for one in differences(old, new)]


def test_named_keys_change_and_all_others_stay_in_their_order(path: Path) -> None:
    done = merge_file(path, {"gitWorkflow": {"autoPush": False}, "maxConcurrency": 6, "new": "x"})
    assert done.written
    assert read(path) == {
        **OLD,
        "maxConcurrency": 6,
        "gitWorkflow": {"autoCommit": True, "autoPush": False},
        "new": "x",
    }
    assert list(read(path)) == [*OLD, "new"]
    assert done.lines() == [
        "maxConcurrency: 1 -> 6",
        "gitWorkflow.autoPush: true -> false",
        'new: not set -> "x"',
        f"{path}: written",
    ]


def test_the_old_file_is_kept_beside_it(path: Path) -> None:
    before = path.read_bytes()
    merge_file(path, {"maxConcurrency": 6})
    assert path.with_name("settings.json.bak1").read_bytes() == before


def test_nothing_is_written_when_nothing_changes(path: Path) -> None:
    before = path.stat()
    done = merge_file(path, {"maxConcurrency": 1, "gitWorkflow": {}, "theme": "dark"})
    assert (done.written, done.changes) == (False, ())
    assert done.lines() == [f"{path}: nothing to change"]
    assert path.stat().st_ino == before.st_ino
    assert [one.name for one in path.parent.iterdir()] == ["settings.json"]


def test_a_dry_run_says_the_same_and_writes_nothing(path: Path) -> None:
    before = path.read_bytes()
    done = merge_file(path, {"maxConcurrency": 6}, dry_run=True)
    assert done.lines() == ["maxConcurrency: 1 -> 6", f"{path}: dry run, not written"]
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("text", ["{", "[]", '"sk-ant-1"', "", '{"a": NaN}'])
def test_a_corrupt_file_is_refused_and_never_replaced(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="the server would run on defaults") as caught:
        merge_file(path, {"maxConcurrency": 6})
    assert "sk-ant-1" not in str(caught.value)
    assert path.read_text(encoding="utf-8") == text


def test_a_file_is_made_only_where_its_folder_is(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="its folder is not there"):
        merge_file(tmp_path / "absent" / "settings.json", {"maxConcurrency": 6})
    assert merge_file(tmp_path / "settings.json", {"maxConcurrency": 6}).written
    assert (tmp_path / "settings.json").read_text() == '{\n  "maxConcurrency": 6\n}\n'
    assert [one.name for one in tmp_path.iterdir()] == ["settings.json"]


def test_what_would_stop_auto_mode_is_refused_all_at_once(path: Path) -> None:
    changes = {"maxConcurrency": 0, "autoModeByWorktree": []}
    for dry_run in (False, True):
        with pytest.raises(SettingsError) as caught:
            merge_file(path, changes, dry_run=dry_run)
        assert [one.removeprefix(f"{path}: ") for one in caught.value.problems] == [
            "maxConcurrency: 0: auto-mode would never start an agent",
            "autoModeByWorktree: not an object, so ignored",
        ]
        assert caught.value.__notes__ == ["nothing was written"]
    assert read(path) == OLD


def test_warnings_are_those_that_were_not_there_before(path: Path) -> None:
    merge_file(path, {"systemMaxConcurrency": 3})
    done = merge_file(path, {"maxConcurrency": 9}, cap=8)
    assert [one.key for one in done.warnings] == ["maxConcurrency"]
    assert done.lines()[1].startswith(f"warn  {path}: maxConcurrency: 9: AUTOMAKER_MAX")


def test_links_to_one_project_are_looked_up(path: Path) -> None:
    (path.parent / "real").mkdir()
    (path.parent / "link").symlink_to("real")
    projects = [{"id": name, "path": str(path.parent / name)} for name in ("real", "link")]
    done = merge_file(path, {"projects": projects})
    assert [one.key for one in done.warnings] == ["projects[1].path"]


def test_a_projects_file_is_checked_as_one(tmp_path: Path) -> None:
    (tmp_path / ".automaker").mkdir()
    done = merge_file(tmp_path / ".automaker" / "settings.json", {"maxConcurrency": 0})
    assert [one.level for one in done.warnings] == ["warn"], "read by nobody, so it stops nothing"


def test_a_link_stays_a_link(path: Path) -> None:
    link = path.with_name("link.json")
    link.symlink_to(path)
    done = merge_file(link, {"maxConcurrency": 6})
    assert link.is_symlink()
    assert done.path == path.resolve()
    assert read(path)["maxConcurrency"] == 6


def test_text_stays_what_it_is_and_half_a_character_too(path: Path) -> None:
    path.write_bytes(b'{"name": "\xc3\xa4", "half": "\\ud83d", "n": 12345678901234567890}\n')
    merge_file(path, {"maxConcurrency": 6})
    found = path.read_bytes()
    assert b'"\xc3\xa4"' in found
    assert b'"\\ud83d"' in found
    assert b"12345678901234567890" in found
    assert found.endswith(b"}\n")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({}, {"a": {"b": 1}}, ["a.b: not set -> 1"]),
        ({"a": {}}, {"a": {"b": 1}}, ["a.b: not set -> 1"]),
        ({}, {"a": {}}, ["a: not set -> an object of 0"]),
        ({"a": 1}, {"a": {"b": 1}}, ["a: 1 -> an object of 1"]),
        ({"a": {"b": 1}}, {"a": [1, 2]}, ["a: an object of 1 -> a list of 2"]),
        ({"a": 1}, {"a": True}, ["a: 1 -> true"]),
        ({"a": [1]}, {"a": [True]}, ["a: a list of 1 -> a list of 1"]),
        ({"a": None}, {"a": "null"}, ['a: null -> "null"']),
        ({}, {"a": None}, ["a: not set -> null"]),
        ({}, {"a": {"p::x.y": 1}}, ['a["p::x.y"]: not set -> 1']),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, []),
    ],
)
def test_each_value_that_changes_is_one_row(
    old: dict[str, Any], new: dict[str, Any], found: list[str]
) -> None:
    assert rows(old, new) == found


@pytest.mark.parametrize(
    "path",
    [
        ("credentials", "x"),
        ("claudeCompatibleProviders", "apiKey"),
        ("mcpServers", "github", "env", "ANYTHING"),
        ("mcpServers", "github", "headers", "X"),
        ("discordWebhookUrl",),
        ("authToken",),
        ("clientSecret",),
        ("password",),
    ],
)
def test_values_of_secret_keys_are_masked(path: tuple[str, ...]) -> None:
    change = Change(path, "secret-1", "secret-2")
    shown = change.line() + repr(change.public()) + repr(change)
    assert "secret-" not in shown
    assert "**********" in change.line()


def test_lists_and_objects_are_told_by_their_size(path: Path) -> None:
    done = merge_file(path, {"mcpServers": [{"env": {"X": "secret-1"}}], "theme": [["secret-1"]]})
    assert "secret-1" not in "\n".join(done.lines()) + json.dumps(done.public()) + repr(done)
    assert "mcpServers: not set -> a list of 1" in done.lines()


def test_a_value_that_was_not_there_has_no_before() -> None:
    assert Change(("a",), ABSENT, 1).public() == {"key": "a", "after": 1}
    assert Change(("a",), None, 1).public() == {"key": "a", "before": None, "after": 1}


@given(OBJECTS, OBJECTS)
def test_a_second_merge_of_the_same_changes_nothing(
    old: dict[str, Any], changes: dict[str, Any]
) -> None:
    once = merged(old, changes)
    assert rows(once, merged(once, changes)) == []
    assert list(once)[: len(old)] == list(old)
    assert bool(rows(old, once)) == (json.dumps(old) != json.dumps(once))


@given(OBJECTS, OBJECTS)
def test_merging_leaves_what_it_was_given_alone(
    old: dict[str, Any], changes: dict[str, Any]
) -> None:
    before = json.dumps([old, changes])
    merged(old, changes)
    assert json.dumps([old, changes]) == before
