"""Bringing a release up: a service at a time, each of them seen ready before the next one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compose.deploy.bring_up import bring_service_up, bring_up
from compose.errors import ComposeError
from tests.compose.deploy.stage import NEW, Stage


def test_server_and_ui_come_up_one_after_the_other(stage: Stage) -> None:
    bring_up(stage.ctx, stage.new)
    assert [one for one, _ in stage.engine.up] == ["server", "ui"]
    attempt = stage.ctx.store.attempt()
    assert attempt is not None
    assert (attempt.step, attempt.switching) == ("ui ready", True)
    assert stage.server.paths() == ["/api/health/ready"]


def test_a_server_that_does_not_get_ready_keeps_the_ui_as_it_was(stage: Stage) -> None:
    stage.automaker.ready = False
    stage.ctx.ready_s = 0.1
    with pytest.raises(ComposeError, match=r"not ready after 0\.1 s: it answers 503 not_ready"):
        bring_up(stage.ctx, stage.new)
    assert [one for one, _ in stage.engine.up] == ["server"]


def test_a_page_that_is_not_the_apps_is_no_ui(stage: Stage) -> None:
    stage.automaker.page = "<h1>Welcome to nginx!</h1>"
    stage.ctx.ready_s = 0.1
    with pytest.raises(ComposeError, match="automaker-ui-staging: not ready"):
        bring_service_up(stage.ctx, stage.new, "ui")


def test_a_ui_that_does_not_reach_the_new_server_is_made_anew(stage: Stage) -> None:
    stage.automaker.proxy = False

    def reach_it(argv: list[str]) -> None:
        stage.automaker.proxy = "--force-recreate" in argv

    stage.engine.then = reach_it
    bring_up(stage.ctx, stage.new)
    assert [one for one, _ in stage.engine.up] == ["server", "ui", "ui"]
    assert "the UI does not reach the new server; recreating it" in "".join(stage.said)


def test_containers_are_made_anew_where_that_was_asked_for(stage: Stage) -> None:
    bring_up(stage.ctx, stage.new, recreate=True)
    ups = [argv for argv in stage.engine.argvs if "up" in argv]
    assert all("--force-recreate" in argv for argv in ups)


def test_after_a_cut_over_that_was_cut_short_only_the_server_is_made_anew(stage: Stage) -> None:
    bring_up(stage.ctx, stage.new, server_anew=True)
    ups = [argv for argv in stage.engine.argvs if "up" in argv]
    assert [argv[-1] for argv in ups if "--force-recreate" in argv] == ["server"]
    assert [argv[-1] for argv in ups] == ["server", "ui"]


def test_compose_gets_the_values_of_the_release_and_of_no_other(stage: Stage) -> None:
    bring_up(stage.ctx, stage.new)
    seen = [
        env["SERVER_IMAGE"]
        for argv, env in zip(stage.engine.argvs, stage.engine.environments, strict=True)
        if "up" in argv
    ]
    assert seen == [NEW.images["server"].reference] * 2


def test_a_dry_run_brings_nothing_up(stage: Stage) -> None:
    dry = replace(stage.ctx, host=stage.dry().host)
    bring_up(dry, stage.new)
    assert stage.engine.up == []
    assert stage.server.asked == []
