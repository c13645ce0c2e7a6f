"""From one release to another with everything in it that may fail: what serves in the end?"""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from compose.deploy import switch as module
from compose.deploy.audit import entries
from compose.deploy.store import Loop
from compose.deploy.switch import recover
from compose.errors import ComposeError
from tests.compose.deploy.fakes import KEY, Reply, inspected, refusal
from tests.compose.deploy.stage import NEW, OLD, SERVER, Stage


def test_a_switch_goes_service_by_service_and_then_live(stage: Stage) -> None:
    stage.go(stage.old)
    assert stage.engine.up == [
        ("server", NEW.images["server"].reference),
        ("ui", NEW.images["ui"].reference),
    ]
    live = stage.ctx.store.live()
    assert live is not None
    assert (live.id, len(live.live_at)) == (NEW.id, 1)
    assert stage.server.paths().count("/api/deploy/drain") == 1
    assert live.before == OLD.id
    tags = [argv[-1] for argv in stage.engine.argvs if argv[1:3] == ["image", "tag"]]
    assert tags == ["automaker-server:staging", "automaker-ui:staging"]


def test_loops_that_the_drain_stopped_are_left_to_whoever_says_that_all_is_well(
    stage: Stage,
) -> None:
    stage.go(stage.old)
    assert stage.automaker.started == []
    attempt = stage.ctx.store.attempt()
    assert attempt is not None
    assert attempt.loops == (Loop("/srv/a", None, 3),)
    assert not attempt.switching, "from here on nothing that fails undoes it"
    assert not stage.ctx.journal.must_write


def anew(stage: Stage) -> list[str]:
    """Which services were made anew, though they ran."""
    return [argv[-1] for argv in stage.engine.argvs if "--force-recreate" in argv]


def test_a_server_that_was_not_left_amid_a_cut_over_is_not_made_anew(stage: Stage) -> None:
    stage.go(stage.old)
    assert anew(stage) == []


def test_a_server_that_a_kill_left_amid_a_cut_over_is_made_anew(stage: Stage) -> None:
    stage.ctx.journal.step("cut over server", switching=True)
    stage.ctx.begin(NEW.id)
    stage.go(stage.old)
    assert anew(stage) == ["server"]


def went_back(stage: Stage) -> None:
    """See that the old release serves, is the live one, and that all of it is on record."""
    assert anew(stage) == ["server"], "one that seems to run may have been told to stop"
    assert stage.engine.serves()
    assert stage.engine.up[-2:] == [
        ("server", OLD.images["server"].reference),
        ("ui", OLD.images["ui"].reference),
    ]
    assert stage.ctx.store.live_id() == OLD.id
    assert stage.ctx.store.attempt() is None
    assert entries(stage.ctx.stack.home)[-1]["result"] == "rolled back"


def test_a_server_that_crashes_is_gone_back_from(stage: Stage) -> None:
    stage.engine.broken.add(NEW.images["server"].reference)

    def answer_or_not(_argv: list[str]) -> None:
        stage.automaker.ready = stage.engine.up[-1][1] not in stage.engine.broken

    stage.engine.then = answer_or_not
    with pytest.raises(ComposeError, match="restarts exhausted") as caught:
        stage.go(stage.old)
    went_back(stage)
    assert f"{OLD.id} serves again" in caught.value.__notes__[-1]
    failed = stage.ctx.store.release(NEW.id)
    assert "restarts exhausted" in failed.failed
    evidence = (stage.ctx.store.folder(NEW.id) / "failure.log").read_text(encoding="utf-8")
    assert f"--- {SERVER}: exited" in evidence
    assert KEY not in evidence + "".join(stage.said)
    assert stage.automaker.started == [("/srv/a", 3)]


def failing_smoke(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def smoke(*_anything: Any, **_options: Any) -> list[Any]:
        raise error

    monkeypatch.setattr(module, "smoke", smoke)


def test_a_smoke_test_that_fails_is_gone_back_from(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_smoke(monkeypatch, ComposeError("smoke test failed: login: 401"))
    with pytest.raises(ComposeError, match="deploy failed: smoke test failed: login: 401") as no:
        stage.go(stage.old)
    assert no.value.exit_code == 1
    went_back(stage)


def test_ctrl_c_on_the_way_back_changes_nothing_of_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_smoke(monkeypatch, ComposeError("smoke test failed"))

    def ctrl_c(_argv: list[str]) -> None:
        if stage.engine.up[-1][1] == OLD.images["server"].reference:
            os.kill(os.getpid(), signal.SIGINT)

    stage.engine.then = ctrl_c
    with pytest.raises(ComposeError, match="smoke test failed"):
        stage.go(stage.old)
    went_back(stage)
    assert "going back, which is not to be interrupted" in "".join(stage.said)


def test_ctrl_c_amid_a_switch_is_gone_back_from(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_smoke(monkeypatch, KeyboardInterrupt())
    with pytest.raises(ComposeError, match="deploy failed: interrupted") as caught:
        stage.go(stage.old)
    assert caught.value.exit_code == 130
    went_back(stage)


def test_an_error_that_nobody_thought_of_is_gone_back_from(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_smoke(monkeypatch, KeyError("feature"))
    with pytest.raises(ComposeError, match="deploy failed: 'feature'"):
        stage.go(stage.old)
    went_back(stage)


def test_a_failure_at_going_live_leaves_live_what_serves(stage: Stage) -> None:
    stage.engine.prints["docker image tag"] = refusal("no space left on device")
    with pytest.raises(ComposeError, match="no space left"):
        stage.go(stage.old)
    went_back(stage)


def test_an_engine_that_hangs_while_evidence_is_kept_is_gone_back_from(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_smoke(monkeypatch, ComposeError("smoke test failed"))

    def hangs(*_anything: Any) -> str:
        raise ComposeError("no end after 60 s: docker logs")

    monkeypatch.setattr(module, "last_words", hangs)
    with pytest.raises(ComposeError, match="smoke test failed"):
        stage.go(stage.old)
    went_back(stage)


def test_a_first_release_that_fails_is_stopped(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_smoke(monkeypatch, ComposeError("smoke test failed"))
    with pytest.raises(ComposeError) as caught:
        stage.go(None)
    assert stage.engine.up[-1] == ("stop", "server ui")
    assert "its containers are stopped" in caught.value.__notes__[-1]
    assert entries(stage.ctx.stack.home)[-1]["result"] == "failed"


def test_a_server_that_runs_without_a_live_release_is_drained_before_it_is_replaced(
    stage: Stage,
) -> None:
    stage.go(None)
    assert stage.server.paths().count("/api/deploy/drain") == 1


def test_going_back_that_fails_as_well_says_both_and_stays_unfinished(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_smoke(monkeypatch, ComposeError("smoke test failed"))

    def away(_host: Any) -> None:
        raise ComposeError("the engine does not answer for 120 s")

    monkeypatch.setattr(module, "await_engine", away)
    with pytest.raises(ComposeError) as caught:
        stage.go(stage.old)
    assert str(caught.value) == (
        "deploy failed: smoke test failed\n"
        "and going back failed: the engine does not answer for 120 s"
    )
    assert "invoke rollback" in caught.value.__notes__[-1]
    attempt = stage.ctx.store.attempt()
    assert attempt is not None
    assert attempt.switching
    assert entries(stage.ctx.stack.home)[-1]["result"] == "rollback failed"


def test_a_drain_that_fails_touches_nothing_and_starts_the_loops_again(stage: Stage) -> None:
    stage.automaker.drain = Reply(500, {"error": "it broke"})
    with pytest.raises(ComposeError, match="drain failed: 500 it broke"):
        stage.go(stage.old)
    assert stage.engine.up == []
    assert stage.automaker.started == [("/srv/a", 3)]
    assert stage.ctx.store.live_id() == OLD.id
    assert stage.ctx.store.attempt() is None


def test_loops_that_do_not_start_again_on_the_way_back_are_not_forgotten(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.automaker.stuck.add("/srv/a")
    failing_smoke(monkeypatch, ComposeError("smoke test failed"))
    with pytest.raises(ComposeError, match="smoke test failed"):
        stage.go(stage.old)
    attempt = stage.ctx.store.attempt()
    assert attempt is not None
    assert (attempt.switching, attempt.loops) == (False, (Loop("/srv/a", None, 3),))
    found = [(one["what"], one["result"]) for one in entries(stage.ctx.stack.home)]
    assert found[-2:] == [("auto-mode", "failed"), ("deploy", "rolled back")]


def test_ctrl_c_right_after_going_live_leaves_live_what_serves(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_live = stage.ctx.store.make_live

    def and_ctrl_c(release: Any) -> None:
        make_live(release)
        if release.id == NEW.id:
            raise KeyboardInterrupt

    monkeypatch.setattr(stage.ctx.store, "make_live", and_ctrl_c)
    with pytest.raises(ComposeError, match="interrupted"):
        stage.go(stage.old)
    went_back(stage)


def test_a_kill_amid_a_cut_over_is_recovered_from_before_anything_long(stage: Stage) -> None:
    stage.ctx.journal.step("cut over server", switching=True)
    stage.ctx.begin()
    stage.engine.containers[SERVER] = inspected(SERVER, Status="exited", ExitCode=137)
    recover(stage.ctx, stage.old)
    assert stage.engine.serves()
    assert [one for one, _ in stage.engine.up] == ["server", "ui"]
    assert anew(stage) == ["server"]
    assert "bringing 20260314-091500-aaaaaaaa back first" in "".join(stage.said)


def test_what_seems_to_serve_after_a_kill_is_brought_back_as_well(stage: Stage) -> None:
    stage.ctx.journal.step("cut over server", switching=True)
    stage.ctx.begin()
    recover(stage.ctx, stage.old)
    assert [one for one, _ in stage.engine.up] == ["server", "ui"]
    assert anew(stage) == ["server"], "it may have been told to stop a moment ago"


@pytest.mark.parametrize(
    ("switching", "live", "why"),
    [
        (False, True, "nothing was touched"),
        (True, False, "there is nothing to bring back"),
    ],
)
def test_where_nothing_was_half_changed_nothing_is_brought_back(
    stage: Stage, switching: bool, live: bool, why: str
) -> None:
    stage.ctx.journal.step("cut over server", switching=switching)
    stage.ctx.begin()
    recover(stage.ctx, stage.old if live else None)
    assert stage.engine.up == [], why


def test_a_live_release_that_does_not_come_back_stops_no_deploy(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.ctx.journal.step("cut over server", switching=True)
    stage.ctx.begin()
    stage.engine.containers.clear()
    stage.engine.broken.add(OLD.images["server"].reference)
    stage.automaker.ready = False
    recover(stage.ctx, stage.old)
    assert "it does not come back, so the new one has to" in "".join(stage.said)


def test_a_dry_run_walks_the_same_path_and_changes_nothing(stage: Stage) -> None:
    before = {path: path.lstat().st_mtime_ns for path in stage.ctx.stack.home.rglob("*")}
    dry = stage.dry()
    module.switch(dry, stage.new, stage.old, no_drain=False, agent=True)
    assert stage.engine.up == []
    assert stage.server.asked == []
    after = {path: path.lstat().st_mtime_ns for path in stage.ctx.stack.home.rglob("*")}
    assert after == before
    said = "".join(stage.said)
    for words in ("/api/deploy/drain", "up --detach", "with one agent", "point "):
        assert words in said
    assert KEY not in said
