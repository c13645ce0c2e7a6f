"""What a load test gives way to: deploys, agents, memory; each with its figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.deploy.lock import holding
from compose.schedule.quiet import Seen, look, reasons
from settings.models import Schedule
from tests.compose.deploy.fakes import (
    Engine,
    Reply,
    always,
    closed_port,
    context,
    model,
    record,
    release,
    serving,
)

LIMITS = Schedule(busy_agents=2, busy_memory=0.6, retry_after_min=30, keep_logs=3)
QUIET = Seen("", "", 0, "", 0.1)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (QUIET, []),
        (Seen("", "", None, "no server is deployed", 0.6), []),
        (Seen("", "", 1, "", 0.1), []),
        (Seen("", "", 2, "", 0.1), ["2 agents run on staging (busy from 2 on)"]),
        (Seen("", "", 0, "", 0.61), ["61% of the host's memory is in use (busy above 60%)"]),
        (Seen("deploy of ada@host", "", 0, "", 0.1), ["at work on the stack: deploy of ada@host"]),
        (
            Seen("", "another load test is running (process 7)", 0, "", 0.1),
            ["another load test is running (process 7)"],
        ),
    ],
)
def test_each_reason_has_its_figure_and_the_limit(seen: Seen, said: list[str]) -> None:
    assert reasons(seen, LIMITS) == said


def test_all_reasons_are_named_at_once() -> None:
    assert len(reasons(Seen("deploy", "a load test", 9, "", 0.9), LIMITS)) == 4


def seen(home: Path, port: int, *, deployed: bool = True) -> Seen:
    ctx = context(home, Engine(model=model(server=port)), verb="schedule.run")
    if deployed:
        record(ctx, release(), live=True)
    return look(ctx, lambda: "", lambda: 0.25)


def test_the_live_server_says_how_many_agents_run(tmp_path: Path) -> None:
    with serving(always(Reply(data={"runningAgents": 3}))) as web:
        assert seen(tmp_path, web.port) == Seen("", "", 3, "", 0.25)
    assert web.paths() == ["/api/deploy/status"]


def test_without_a_deployed_server_nobody_is_disturbed(tmp_path: Path) -> None:
    assert seen(tmp_path, 1, deployed=False) == Seen("", "", None, "no server is deployed", 0.25)


def test_a_server_that_does_not_answer_counts_as_idle_and_that_is_said(tmp_path: Path) -> None:
    assert seen(tmp_path, closed_port()).why_not == "the server does not answer"


@pytest.mark.parametrize(
    "reply", [Reply(401, {"error": "no key"}), Reply(data={}), Reply(text="x")]
)
def test_an_answer_without_a_number_counts_as_idle_and_is_shown(
    tmp_path: Path, reply: Reply
) -> None:
    with serving(always(reply)) as web:
        found = seen(tmp_path, web.port)
    assert found.agents is None
    assert "does not say how many agents run" in found.why_not


def test_a_release_that_is_damaged_counts_as_idle(tmp_path: Path) -> None:
    ctx = context(tmp_path, Engine(), verb="schedule.run")
    record(ctx, release(), live=True)
    ctx.store.compose_file(release().id).with_name("release.json").write_text("{")
    found = look(ctx, lambda: "", lambda: 0.0)
    assert found.agents is None
    assert found.why_not


def test_a_deploy_that_holds_the_lock_is_named_and_the_lock_stays_its_own(tmp_path: Path) -> None:
    with holding(tmp_path, "deploy", "hotfix", wait_s=0, note=lambda _text: None):
        found = look(context(tmp_path, Engine(), verb="schedule.run"), lambda: "", lambda: 0.0)
    assert found.at_work.startswith("deploy (hotfix) of ")
    with holding(tmp_path, "deploy", "", wait_s=0, note=lambda _text: None):
        pass
