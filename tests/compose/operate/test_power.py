"""Start, stop, restart and drain: always the live release, and auto-mode as it was."""

from __future__ import annotations

import pytest

from compose.deploy.audit import entries
from compose.deploy.journal import STOPPED
from compose.deploy.store import Loop
from compose.errors import ComposeError
from compose.operate.power import drain_now, restart_stack, start_stack, stop_stack
from tests.compose.deploy.conftest import stage as stage  # noqa: PLC0414 - a fixture of theirs
from tests.compose.deploy.fakes import Reply, inspected
from tests.compose.deploy.stage import OLD, SERVER, Stage


@pytest.fixture(autouse=True)
def _nothing_under_way(stage: Stage) -> None:
    stage.ctx.journal.finish()


def results(stage: Stage) -> list[str]:
    return [one["result"] for one in entries(stage.ctx.stack.home)]


def test_a_restart_drains_makes_anew_and_starts_the_loops_again(stage: Stage) -> None:
    restart_stack(stage.ctx, no_drain=False)
    assert stage.engine.up == [(name, OLD.images[name].reference) for name in ("server", "ui")]
    ups = [argv for argv in stage.engine.argvs if "up" in argv]
    assert all("--force-recreate" in argv for argv in ups)
    assert stage.automaker.started == [("/srv/a", 3)]
    assert stage.ctx.store.attempt() is None
    assert results(stage) == ["ok"]


def test_a_restart_whose_drain_fails_changes_nothing(stage: Stage) -> None:
    stage.automaker.drain = Reply(500, {"error": "it broke"})
    with pytest.raises(ComposeError, match="drain failed"):
        restart_stack(stage.ctx, no_drain=False)
    assert stage.engine.up == []
    assert stage.automaker.started == [("/srv/a", 3)]
    assert results(stage) == ["failed"]


def test_a_start_drains_nothing_and_makes_nothing_anew(stage: Stage) -> None:
    stage.engine.containers[SERVER] = inspected(SERVER, Status="exited")
    start_stack(stage.ctx)
    assert stage.engine.serves()
    assert not any("--force-recreate" in argv for argv in stage.engine.argvs)
    assert "/api/deploy/drain" not in stage.server.paths()
    assert results(stage) == ["ok"]


def test_a_start_that_fails_says_where_to_look_and_is_over(stage: Stage) -> None:
    stage.automaker.ready = False
    stage.ctx.ready_s = 0.1
    with pytest.raises(ComposeError, match="not ready after") as caught:
        start_stack(stage.ctx)
    assert "invoke logs" in caught.value.__notes__[-1]
    assert results(stage) == ["failed"]
    assert stage.ctx.store.attempt() is None, "it failed, but nobody killed it"


def test_a_start_after_a_cut_over_that_was_killed_makes_the_server_anew(stage: Stage) -> None:
    stage.ctx.begin(OLD.id)
    stage.ctx.journal.step("cut over server", switching=True)
    start_stack(stage.ctx)
    anew = [argv[-1] for argv in stage.engine.argvs if "--force-recreate" in argv]
    assert anew == ["server"]
    assert stage.ctx.store.attempt() is None


def test_a_start_whose_loops_do_not_start_remembers_them_for_the_next_one(stage: Stage) -> None:
    stop_stack(stage.ctx, no_drain=False)
    stage.automaker.stuck.add("/srv/a")
    start_stack(stage.ctx)
    attempt = stage.ctx.store.attempt()
    assert attempt is not None
    assert (attempt.switching, attempt.loops) == (False, (Loop("/srv/a", None, 3),))
    stage.automaker.stuck.clear()
    start_stack(stage.ctx)
    assert stage.automaker.started == [("/srv/a", 3)]
    assert stage.ctx.store.attempt() is None


def test_a_stop_that_fails_is_in_the_log(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_anything: object) -> None:
        raise ComposeError("the engine does not stop it")

    monkeypatch.setattr("compose.operate.power.stop", refuse)
    with pytest.raises(ComposeError, match="does not stop it"):
        stop_stack(stage.ctx, no_drain=True)
    (entry,) = entries(stage.ctx.stack.home)
    assert (entry["result"], entry["detail"]) == ("failed", "the engine does not stop it")


def test_a_stop_drains_stops_and_remembers_the_loops_for_the_next_start(stage: Stage) -> None:
    stop_stack(stage.ctx, no_drain=False)
    assert stage.engine.up == [("stop", "server ui")]
    attempt = stage.ctx.store.attempt()
    assert attempt is not None
    assert (attempt.step, attempt.loops) == (STOPPED, (Loop("/srv/a", None, 3),))
    assert stage.automaker.started == []
    start_stack(stage.ctx)
    assert stage.automaker.started == [("/srv/a", 3)]
    assert stage.ctx.store.attempt() is None
    assert results(stage) == ["ok", "ok"]


def test_a_stop_whose_drain_fails_stops_nothing(stage: Stage) -> None:
    stage.automaker.drain = Reply(500, {"error": "it broke"})
    with pytest.raises(ComposeError, match="drain failed"):
        stop_stack(stage.ctx, no_drain=False)
    assert stage.engine.up == []
    assert stage.automaker.started == [("/srv/a", 3)]


def test_a_drain_on_its_own_starts_nothing_again_and_says_what_it_stopped(stage: Stage) -> None:
    done = drain_now(stage.ctx)
    assert done.loops_stopped == 1
    assert stage.automaker.started == []
    assert "stopped: auto-mode of /srv/a" in "".join(stage.said)
    (entry,) = entries(stage.ctx.stack.home)
    assert (entry["result"], entry["detail"]) == ("ok", "1 loops stopped; agents: none lost")


@pytest.mark.parametrize("verb", [start_stack, drain_now])
def test_without_a_live_release_there_is_nothing_to_do_it_with(stage: Stage, verb: object) -> None:
    (stage.ctx.stack.home / "current").unlink()
    with pytest.raises(ComposeError, match="no live release"):
        verb(stage.ctx)  # type: ignore[operator]
