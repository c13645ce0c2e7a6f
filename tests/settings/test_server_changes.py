"""Changes as they are typed."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.errors import SettingsError
from settings.server_changes import parse_changes


def values(*words: str) -> dict[str, Any]:
    return parse_changes(words, "global").values


def problems(*words: str, kind: Any = "global") -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse_changes(words, kind)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6", 6),
        ("2.5", 2.5),
        ("false", False),
        ("null", None),
        ('"6"', "6"),
        ("dark", "dark"),
        ("", ""),
        ("a=b", "a=b"),
        ("[1, 2]", [1, 2]),
        ('{"a": {}}', {"a": {}}),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e999", "1e999"),
        ("[" * 10**5, "[" * 10**5),
        ("True", "True"),
    ],
)
def test_a_value_is_json_or_else_a_string(text: str, value: object) -> None:
    found = values(f"key={text}")["key"]
    assert (found, type(found)) == (value, type(value))


def test_a_path_of_keys_becomes_objects_that_are_put_together() -> None:
    words = ("gitWorkflow.autoPush=false", 'gitWorkflow={"autoCommit": true}', "a.b.c=1")
    assert values(*words) == {
        "gitWorkflow": {"autoPush": False, "autoCommit": True},
        "a": {"b": {"c": 1}},
    }


def test_a_key_with_dots_in_it_can_be_given_as_json() -> None:
    word = 'autoModeByWorktree={"p1::v1.2": {"maxConcurrency": 3}}'
    assert values(word) == {"autoModeByWorktree": {"p1::v1.2": {"maxConcurrency": 3}}}


def test_the_guides_form_becomes_what_the_server_reads_and_that_is_said() -> None:
    found = parse_changes(
        [
            "autoMode.maxConcurrency=8",
            "autoMode.verifyBeforeMerge=true",
            'autoMode={"autoPush": false, "autoCommit": true}',
            "autoMode.useWorktrees=true",
        ],
        "global",
    )
    assert found.values == {
        "maxConcurrency": 8,
        "skipVerificationInAutoMode": False,
        "gitWorkflow": {"autoPush": False, "autoCommit": True},
        "useWorktrees": True,
    }
    assert found.remarks[0] == (
        'autoMode.maxConcurrency: the server reads "maxConcurrency": 8 at the top level; written so'
    )
    assert len(found.remarks) == 5


def test_the_flat_form_needs_no_remark() -> None:
    assert parse_changes(["maxConcurrency=8"], "global").remarks == ()


def test_in_a_projects_file_it_is_said_what_to_write_where() -> None:
    words = ("autoMode.maxConcurrency=8", "autoMode.x=1", "useWorktrees=true", "maxConcurrency=2")
    found = problems(*words, kind="project")
    assert len(found) == 4
    assert found[0].startswith("autoMode.maxConcurrency: ignored by the server; write ")
    assert '{"maxConcurrency": 8}} in DATA_DIR/settings.json' in found[0]
    assert all("DATA_DIR/settings.json" in one for one in (found[2], found[3]))


def test_what_a_projects_file_is_for_can_be_set_there() -> None:
    words = ["workflow.maxPendingReviews=3", "version=2"]
    assert parse_changes(words, "project").values["workflow"] == {"maxPendingReviews": 3}


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("word", "not like KEY=VALUE or KEY.KEY=VALUE"),
        ("=1", "not like KEY=VALUE or KEY.KEY=VALUE"),
        ("a..b=1", "not like KEY=VALUE or KEY.KEY=VALUE"),
        ("a.=1", "not like KEY=VALUE or KEY.KEY=VALUE"),
        ("a =1", "not like KEY=VALUE or KEY.KEY=VALUE"),
        ("", "not like KEY=VALUE or KEY.KEY=VALUE"),
        (os.fsdecode(b"a=\xff"), "not UTF-8"),
        ("autoMode=8", "autoMode: the server reads nothing of that name; leave it out"),
        ("autoMode.wings=2", "autoMode.wings: the server reads nothing of that name; leave it out"),
        ("autoMode.verifyBeforeMerge=1", "autoMode.verifyBeforeMerge: neither true nor false"),
    ],
)
def test_a_word_that_cannot_be_used_is_named_by_its_number(word: str, problem: str) -> None:
    assert problems("b=1", word) == [f"change 2: {problem}"]


@pytest.mark.parametrize(
    "words",
    [
        ("a=1", "a=2"),
        ("a=1", "a.b=2"),
        ("a.b=1", "a=2"),
        ("maxConcurrency=6", "autoMode.maxConcurrency=8"),
        ("a.b.c=1", "a.b.c=1"),
    ],
)
def test_two_changes_of_one_value_are_refused(words: tuple[str, ...]) -> None:
    (problem,) = problems(*words)
    assert problem.startswith("change 2: ")
    assert problem.endswith(": set by another change too")


def test_everything_wrong_is_said_at_once_and_no_secret() -> None:
    found = problems("sk-ant-1", "apiKey=sk-ant-2", "apiKey=sk-ant-3", "autoMode.x=sk-ant-4")
    assert [one[:9] for one in found] == ["change 1:", "change 3:", "change 4:"]
    assert "sk-ant" not in "".join(found)


def test_what_was_read_shows_no_secret() -> None:
    assert "sk-ant-1" not in repr(parse_changes(["apiKey=sk-ant-1"], "global"))


@given(st.lists(st.text()), st.sampled_from(["global", "project"]))
def test_no_word_is_too_strange_to_be_answered(words: list[str], kind: Any) -> None:
    with contextlib.suppress(SettingsError):
        parse_changes(words, kind)
