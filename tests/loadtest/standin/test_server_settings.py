from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.standin.config import read_config
from loadtest.standin.server_settings import (
    always_on_projects,
    clamp_system_concurrency,
    load_settings,
    pickup_cooldown,
    resolve_max_concurrency,
    save_settings,
    settings_file,
    shown_system_concurrency,
)
from tests.loadtest.standin.fakes import world

PROJECT = {"projects": [{"id": "p1", "name": "demo", "path": "/p"}]}


@pytest.mark.parametrize(
    ("value", "cap"),
    [
        (None, 2),
        ("", 2),
        ("abc", 2),
        ("0", 1),
        ("-5", 1),
        ("50", 20),
        ("6.7", 6),
        ("8x", 8),
        ("1e1", 1),
        (" 7", 7),
        ("9" * 10_000, 20),
    ],
)
def test_the_cap_is_read_as_parse_int_reads(value: str | None, cap: int) -> None:
    assert clamp_system_concurrency(value) == cap


@given(st.none() | st.text() | st.integers().map(str) | st.floats().map(str))
def test_the_cap_always_lies_between_1_and_20(value: str | None) -> None:
    assert 1 <= clamp_system_concurrency(value) <= 20


@given(
    st.none() | st.integers(1, 20),
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text() | st.booleans(),
    st.integers(1, 20),
)
def test_a_loop_never_gets_more_than_the_cap(requested: int | None, stored: Any, cap: int) -> None:
    settings = {"maxConcurrency": stored}
    assert resolve_max_concurrency(settings, "/p", None, requested, cap) <= cap


@pytest.mark.parametrize(
    ("settings", "branch", "requested", "limit", "why"),
    [
        ({}, None, None, 1, "nothing said"),
        ({"maxConcurrency": 4}, None, None, 4, "the global figure"),
        ({"maxConcurrency": 4}, None, 5, 5, "the request wins"),
        ({"maxConcurrency": 9}, None, None, 6, "the cap holds"),
        ({"maxConcurrency": "8"}, None, None, 1, "a text is no number"),
        ({"maxConcurrency": True}, None, None, 1, "nor is true"),
        ({"maxConcurrency": 0}, None, None, 0, "no lower bound"),
        ({"maxConcurrency": 2.5}, None, None, 2.5, "fractions stay"),
        (
            {**PROJECT, "autoModeByWorktree": {"p1::__main__": {"maxConcurrency": 3}}},
            None,
            None,
            3,
            "the worktree's figure",
        ),
        (
            {**PROJECT, "autoModeByWorktree": {"p1::b": {"maxConcurrency": 3}}},
            "b",
            None,
            3,
            "the branch's figure",
        ),
        (
            {"autoModeByWorktree": {"p1::__main__": {"maxConcurrency": 3}}, "maxConcurrency": 2},
            None,
            None,
            2,
            "an unknown project has no worktree figure",
        ),
        ({"autoMode": {"maxConcurrency": 5}}, None, None, 1, "nested keys are read by nobody"),
    ],
)
def test_the_limit_is_the_request_then_the_worktree_then_the_global_figure(
    settings: dict[str, Any], branch: str | None, requested: int | None, limit: float, why: str
) -> None:
    assert resolve_max_concurrency(settings, "/p", branch, requested, 6) == limit, why


def test_the_system_figure_is_shown_but_caps_nothing() -> None:
    assert shown_system_concurrency({"systemMaxConcurrency": 10}, 6) == 10
    assert shown_system_concurrency({}, 6) == 6
    settings = {"systemMaxConcurrency": 1, "maxConcurrency": 5}
    assert resolve_max_concurrency(settings, "/p", None, None, 6) == 5


@pytest.mark.parametrize("content", [None, "", "{", "[]", "null"])
def test_unreadable_settings_mean_the_defaults(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        settings_file(tmp_path).write_text(content, "utf-8")
    settings = load_settings(tmp_path)
    assert (settings["maxConcurrency"], settings["systemMaxConcurrency"]) == (1, 10)


def test_saving_merges_and_keeps_three_backups(tmp_path: Path) -> None:
    for number in range(5):
        save_settings(tmp_path, {"maxConcurrency": number, "unknown": [number]})
    assert load_settings(tmp_path)["unknown"] == [4]
    backups = sorted(file.name for file in tmp_path.glob("settings.json.bak*"))
    assert backups == ["settings.json.bak1", "settings.json.bak2", "settings.json.bak3"]


def test_the_cooldown_is_milliseconds_in_the_file_and_seconds_inside() -> None:
    assert pickup_cooldown({"autoModePickupCooldownMs": 1500}) == 1.5
    assert pickup_cooldown({"autoModePickupCooldownMs": "x"}) == 0


def test_always_on_projects_need_the_switch_and_a_path() -> None:
    entries = [{"projectPath": "/p", "maxConcurrency": 2}, {"branchName": "x"}, 7]
    settings = {"autoModeAlwaysOn": {"enabled": True, "projects": entries}}
    assert always_on_projects(settings) == [("/p", None, 2)]
    assert always_on_projects({"autoModeAlwaysOn": {"projects": entries}}) == []


def test_settings_are_read_and_written_over_http(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        headers = {"X-API-Key": "testkey"}
        before = server.client.get("/api/settings/status").status_code
        put = server.client.request(
            "PUT", "/api/settings/global", json={"maxConcurrency": 4}, headers=headers
        )
        settings = server.get("/api/settings/global").json()["settings"]
        status = server.get("/api/settings/status").json()
        started = server.auto_mode("start").json()
        bad = server.client.request("PUT", "/api/settings/global", json=[], headers=headers)
    assert (before, put.status_code, bad.status_code) == (401, 200, 400)
    assert settings["maxConcurrency"] == 4
    assert status["hasGlobalSettings"] is True
    assert started["message"] == "Auto mode started with max 4 concurrent features"


def test_timings_come_in_milliseconds_and_nonsense_gives_the_default() -> None:
    env = {"SLEEP_INTERVAL_NORMAL_MS": "250", "SLEEP_INTERVAL_IDLE_MS": "soon", "PORT": "x"}
    config = read_config(env, "/srv")
    assert (config.timings.normal, config.timings.idle, config.port) == (0.25, 30.0, 3008)
    assert config.data_dir == Path("/srv/data")
