"""What was deployed, and whether what is live really runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.operate.releases import audit_log, list_releases
from tests.compose.deploy.fakes import Engine, Silent, context, inspected, record, release

SERVER, UI = "automaker-server-staging", "automaker-ui-staging"
OLD = release("20260313-091500-aaaaaaaa", why="a fix")
FAILED = release("20260314-091500-ffffffff", live=False, failed="smoke test failed: " + "x" * 99)
HALF = release("20260314-101500-eeeeeeee", live=False)
LIVE = release("20260315-091500-bbbbbbbb")


def listed(home: Path, server: str, ui: str) -> dict[str, str]:
    """What state every release is said to be in."""
    there = {name: text for name, text in ((SERVER, server), (UI, ui)) if text}
    ctx = context(home, Engine({}, there))
    for one in (OLD, FAILED, HALF, LIVE):
        record(ctx, one, live=one == LIVE)
    rows = list_releases(ctx)
    assert [one.id for one in rows] == [LIVE.id, HALF.id, FAILED.id, OLD.id], "the newest first"
    assert [one.mark for one in rows] == ["*", "", "", ""]
    return {one.id: one.state for one in rows}


def runs(name: str, image: str = "", **state: object) -> str:
    service = "server" if name == SERVER else "ui"
    return inspected(name, image=image or LIVE.images[service].id, **state)


def test_every_release_says_what_became_of_it(tmp_path: Path) -> None:
    states = listed(tmp_path, runs(SERVER), runs(UI))
    assert states == {
        LIVE.id: "live",
        HALF.id: "never finished",
        FAILED.id: ("failed: smoke test failed: " + "x" * 99)[: len("failed: ") + 67] + "...",
        OLD.id: "was live 2026-03-14 09:20",
    }


@pytest.mark.parametrize(
    ("server", "ui", "state"),
    [
        ("", runs(UI), "live, but server is gone"),
        (runs(SERVER, Status="exited", ExitCode=1), "",
         "live, but server exited with 1, ui is gone"),
        (runs(SERVER, Status="restarting"), runs(UI), "live, but server restarting"),
        (runs(SERVER), runs(UI, "sha256:old"), "live, but ui runs another image"),
    ],
)  # fmt: skip
def test_the_live_one_is_compared_with_what_runs(
    tmp_path: Path, server: str, ui: str, state: str
) -> None:
    assert listed(tmp_path, server, ui)[LIVE.id] == state


def test_a_live_one_that_is_damaged_is_listed_all_the_same(tmp_path: Path) -> None:
    ctx = context(tmp_path, Engine())
    record(ctx, LIVE, live=True)
    (ctx.store.folder(LIVE.id) / ".env").unlink()
    (row,) = list_releases(ctx)
    assert row.state.startswith("live, but ")


def test_without_an_engine_releases_are_listed_all_the_same(tmp_path: Path) -> None:
    ctx = context(tmp_path, Silent())
    for one in (OLD, LIVE):
        record(ctx, one, live=one == LIVE)
    live, old = list_releases(ctx)
    assert (live.id, old.id) == (LIVE.id, OLD.id)
    assert live.state.startswith("live, but ")


def test_the_audit_log_is_read_from_the_deploy_directory(tmp_path: Path) -> None:
    ctx = context(tmp_path, Engine())
    assert audit_log(ctx) == []
    ctx.log("ok")
    assert [one["what"] for one in audit_log(ctx)] == ["deploy"]
