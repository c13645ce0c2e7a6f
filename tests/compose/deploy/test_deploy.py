"""The end of a deploy: what is said, in which order, and what can no longer undo it."""

from __future__ import annotations

from typing import Any

import pytest

from compose.deploy import deploy as module
from compose.deploy.audit import entries
from compose.deploy.deploy import conclude
from compose.deploy.draining import drain_running
from compose.deploy.make import Made, Order
from compose.deploy.release import Image
from compose.deploy.source import Source
from compose.deploy.store import Loop
from compose.errors import ComposeError
from tests.compose.deploy.fakes import Asked, Reply, always, serving
from tests.compose.deploy.stage import NEW, OLD, Stage


def results(stage: Stage) -> list[tuple[str, str]]:
    return [(one["what"], one["result"]) for one in entries(stage.ctx.stack.home)]


def test_what_went_well_is_logged_and_told_before_auto_mode_runs_again(stage: Stage) -> None:
    stage.go(stage.old)
    logged: list[list[tuple[str, str]]] = []
    real = stage.automaker.server

    def looking(asked: Asked) -> Reply:
        if asked.path == "/api/auto-mode/start":
            logged.append(results(stage))
        return real(asked)

    stage.server.answer = looking
    with serving(always(Reply(204))) as chat:
        stage.ctx.webhooks = {"DISCORD_DEPLOY_WEBHOOK": chat.base}
        done = conclude(stage.ctx, "ok", stage.new, stage.old, 0.0, [])
    assert logged == [[("deploy", "ok")]]
    assert stage.automaker.started == [("/srv/a", 3)]
    assert f"{NEW.id} is live" in chat.asked[0].data["content"]
    assert (done.result, done.release.id, done.before) == ("ok", NEW.id, OLD.id)
    assert done.release.was_live, "as it is on disk by now"
    assert done.view == stage.new.running.view
    assert stage.ctx.store.attempt() is None


def test_a_loop_that_does_not_start_undoes_no_deploy_and_is_not_forgotten(stage: Stage) -> None:
    stage.go(stage.old)
    stage.automaker.stuck.add("/srv/a")
    assert conclude(stage.ctx, "ok", stage.new, stage.old, 0.0, []).result == "ok"
    assert results(stage) == [("deploy", "ok"), ("auto-mode", "failed")]
    assert stage.ctx.store.live_id() == NEW.id
    attempt = stage.ctx.store.attempt()
    assert attempt is not None
    assert (attempt.switching, attempt.loops) == (False, (Loop("/srv/a", None, 3),))


def test_a_release_that_ran_already_gets_its_loops_back_and_nobody_is_told(stage: Stage) -> None:
    drain_running(stage.ctx, stage.old, no_drain=False)
    with serving(always(Reply(204))) as chat:
        stage.ctx.webhooks = {"DISCORD_DEPLOY_WEBHOOK": chat.base}
        conclude(stage.ctx, "unchanged", stage.old, stage.old, 0.0, [])
    assert chat.asked == []
    assert stage.automaker.started == [("/srv/a", 3)]
    assert results(stage) == [("deploy", "unchanged")]


def test_a_dry_run_ends_with_what_would_be_live_and_leaves_what_is_under_way(stage: Stage) -> None:
    before = stage.ctx.store.attempt()
    dry = stage.dry()
    dry.begin()
    done = conclude(dry, "ok", stage.new, stage.old, 0.0, [])
    assert (done.result, done.release, done.view) == ("dry run", NEW, stage.new.running.view)
    assert stage.automaker.started == []
    assert results(stage) == []
    assert stage.ctx.store.attempt() == before


def failing(error: BaseException) -> Any:
    def fail(*_anything: Any, **_options: Any) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "detail"),
    [(ComposeError("port 3009 is taken"), "port 3009 is taken"), (KeyboardInterrupt(), "interrup")],
    ids=["ours", "Ctrl-C"],
)
def test_what_fails_after_all_is_live_undoes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, error: BaseException, detail: str
) -> None:
    monkeypatch.setattr(module, "start_docs", failing(error))
    monkeypatch.setattr(module, "prune", failing(error))
    source = Source("git", "https://git.example/a")
    order = Order(source, stage.ctx.stack.home / "env", 5, 10**9, failing(AssertionError()))
    made = Made(stage.new, unchanged=False, docs=Image("automaker-docs:1", "sha256:docs"))
    module._afterwards(stage.ctx, order, {}, made)
    said = "".join(stage.said)
    assert "the docs do not serve, the rest does" in said
    assert "old releases are not forgotten yet" in said
    (entry,) = entries(stage.ctx.stack.home)
    assert (entry["what"], entry["result"]) == ("docs.deploy", "failed")
    assert entry["detail"].startswith(detail)
