"""The drain before a change: which loops it stops is known before, whatever becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from compose.deploy import draining as module
from compose.deploy.audit import entries
from compose.deploy.draining import drain_running, resume_loops
from compose.deploy.store import Loop
from compose.errors import ComposeError
from tests.compose.deploy.fakes import (
    KEY,
    Reply,
    always,
    inspected,
    record,
    release,
    serving,
)
from tests.compose.deploy.stage import SERVER, Stage

LOOP = Loop("/srv/a", None, 3)


def test_loops_are_on_disk_before_the_drain_stops_them(stage: Stage) -> None:
    seen: list[Any] = []
    real = stage.automaker.server

    def looking(asked: Any) -> Reply:
        if asked.path == "/api/deploy/drain":
            attempt = stage.ctx.store.attempt()
            seen.append(attempt and attempt.loops)
        return real(asked)

    stage.server.answer = looking
    drain_running(stage.ctx, stage.old, no_drain=False)
    assert seen == [(LOOP,)]
    assert "1 loops stopped; agents: none lost" in "".join(stage.said)


def test_afterwards_they_run_again_once(stage: Stage) -> None:
    drain_running(stage.ctx, stage.old, no_drain=False)
    for _ in range(2):
        resume_loops(stage.ctx, stage.new)
    assert stage.automaker.started == [("/srv/a", 3)]
    attempt = stage.ctx.store.attempt()
    assert attempt is not None
    assert attempt.loops == ()


def test_a_drain_that_fails_starts_them_again_at_once(stage: Stage) -> None:
    stage.automaker.drain = Reply(500, {"error": "it broke"})
    with pytest.raises(ComposeError, match="drain failed: 500 it broke"):
        drain_running(stage.ctx, stage.old, no_drain=False)
    assert stage.automaker.started == [("/srv/a", 3)]


def test_ctrl_c_waits_for_the_drain_that_nobody_can_call_off(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_anything: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "drain", interrupted)
    with pytest.raises(KeyboardInterrupt):
        drain_running(stage.ctx, stage.old, no_drain=False)
    assert stage.server.paths()[-2:] == ["/api/deploy/status", "/api/auto-mode/start"]
    assert stage.automaker.started == [("/srv/a", 3)]


def test_without_a_drain_only_the_loops_are_asked_for(stage: Stage) -> None:
    drain_running(stage.ctx, stage.old, no_drain=True)
    assert set(stage.server.paths()) == {"/api/health/quick", "/api/auto-mode/status"}
    assert stage.ctx.journal.loops == (LOOP,)
    assert "agents that run are lost" in "".join(stage.said)


def test_without_a_drain_a_server_that_does_not_answer_stops_nothing(stage: Stage) -> None:
    stage.automaker.keys = ("another one",)
    drain_running(stage.ctx, stage.old, no_drain=True)
    assert "loops cannot be told" in "".join(stage.said)


def test_where_no_server_runs_there_is_nothing_to_drain(stage: Stage) -> None:
    drain_running(stage.ctx, None, no_drain=False)
    stage.engine.containers[SERVER] = inspected(SERVER, Status="exited")
    drain_running(stage.ctx, stage.old, no_drain=False)
    del stage.engine.containers[SERVER]
    drain_running(stage.ctx, stage.old, no_drain=False)
    assert stage.server.asked == []
    assert "".join(stage.said).count("nothing to drain") == 3


def test_a_dry_run_asks_the_server_nothing(stage: Stage) -> None:
    dry = stage.dry()
    drain_running(dry, stage.old, no_drain=False)
    resume_loops(dry, stage.old)
    assert stage.server.asked == []
    assert "POST http://127.0.0.1:" in "".join(stage.said)


@pytest.mark.parametrize("killed", [True, False])
def test_the_key_is_that_of_the_release_that_really_runs(stage: Stage, killed: bool) -> None:
    other = release("20260316-091500-cccccccc", live=False)
    record(stage.ctx, other, AUTOMAKER_API_KEY="the-key-of-the-third")
    stage.automaker.keys = ("the-key-of-the-third",)
    stage.ctx.journal.step("cut over server", switching=killed)
    stage.ctx.begin()
    drain_running(stage.ctx, stage.old, no_drain=False)
    drained = [one for one in stage.server.asked if one.path == "/api/deploy/drain"]
    assert [one.headers["x-api-key"] for one in drained] == ["the-key-of-the-third"]
    stage.ctx.note("the-key-of-the-third")
    assert "the-key-of-the-third" not in "".join(stage.said)


def test_a_server_that_a_kill_left_dying_is_not_waited_for_for_ever(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLE_S", 0)
    stage.ctx.journal.step("cut over server", switching=True)
    stage.ctx.begin()
    drain_running(stage.ctx, stage.old, no_drain=False)
    assert "does not answer" in "".join(stage.said)


def test_no_key_gets_into_what_is_shown_or_logged(stage: Stage) -> None:
    drain_running(stage.ctx, stage.old, no_drain=False)
    stage.ctx.log("ok", detail=KEY)
    assert KEY not in "".join(stage.said) + repr(entries(stage.ctx.stack.home))


def test_where_no_release_is_live_a_server_that_runs_is_drained_all_the_same(
    stage: Stage,
) -> None:
    stage.automaker.keys = ("the-key-of-the-third",)
    third = release("20260316-091500-cccccccc", live=False)
    record(stage.ctx, third, AUTOMAKER_API_KEY="the-key-of-the-third")
    drain_running(stage.ctx, stage.new, no_drain=False)
    assert "1 loops stopped" in "".join(stage.said)


def test_a_key_that_nobody_knows_ends_before_anything_is_stopped(stage: Stage) -> None:
    stage.automaker.keys = ("another one",)
    with pytest.raises(ComposeError, match="auto-mode status failed: 401"):
        drain_running(stage.ctx, stage.old, no_drain=False)
    assert "/api/deploy/drain" not in stage.server.paths()


def test_loops_that_do_not_start_again_are_kept_audited_and_told(stage: Stage) -> None:
    stage.automaker.loops = {"/srv/a": 3, "/srv/b": 4}
    drain_running(stage.ctx, stage.old, no_drain=False)
    stage.automaker.stuck.add("/srv/a")
    with serving(always(Reply(204))) as chat:
        stage.ctx.webhooks = {"DISCORD_ALERTS_WEBHOOK": f"{chat.base}/alerts"}
        resume_loops(stage.ctx, stage.new)
    assert stage.automaker.started == [("/srv/b", 4)]
    attempt = stage.ctx.store.attempt()
    assert attempt is not None
    assert attempt.loops == (LOOP,)
    entry = entries(stage.ctx.stack.home)[-1]
    assert (entry["what"], entry["result"]) == ("auto-mode", "failed")
    assert entry["detail"] == "could not be started again: /srv/a"
    (told,) = chat.asked
    assert "auto-mode could not be started again: /srv/a; invoke start" in told.data["content"]
    stage.automaker.stuck.clear()
    resume_loops(stage.ctx, stage.new)
    assert stage.automaker.started == [("/srv/b", 4), ("/srv/a", 3)]
