"""One look at a stack: what it says to people, and what it calls a problem."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compose.deploy.lock import holding
from compose.deploy.store import Attempt
from compose.operate.memory import Memory
from compose.operate.status import ServiceStatus, Status, look, show_status
from tests.compose.deploy.fakes import (
    KEY,
    Engine,
    Reply,
    Silent,
    always,
    closed_port,
    context,
    inspected,
    model,
    record,
    release,
    serving,
)

GIB = 2**30
SERVER, UI, DOCS = "automaker-server-staging", "automaker-ui-staging", "automaker-docs"
LIVE = release()
MEMORY = f"{GIB}\nanon {GIB}\noom_kill 0\n"
STATUS = {"status": "ready", "runningAgents": 2, "activeWorktrees": 1, "drainInProgress": False}


def an_engine(port: int, **containers: str) -> Engine:
    """An engine on which all is well, `server`, `ui` or `docs` aside."""
    usual = {
        SERVER: inspected(SERVER, image=LIVE.images["server"].id),
        UI: inspected(UI, image=LIVE.images["ui"].id),
        DOCS: inspected(DOCS, image=""),
    }
    names = {"server": SERVER, "ui": UI, "docs": DOCS}
    usual |= {names[one]: text for one, text in containers.items()}
    there = {name: text for name, text in usual.items() if text}
    return Engine({"docker exec": MEMORY}, there, model(server=port))


def status_of(home: Path, engine: Engine) -> Status:
    ctx = context(home, engine, verb="status")
    record(ctx, LIVE, live=True)
    return look(ctx)


def test_where_all_is_well_nothing_is_a_problem(tmp_path: Path) -> None:
    with serving(always(Reply(data=STATUS))) as web:
        found = status_of(tmp_path, an_engine(web.port))
    assert found.problems == ()
    assert (found.live, found.commit) == (LIVE.id, LIVE.commit)
    assert (found.ready, found.agents, found.loops, found.draining) == (True, 2, 1, False)
    assert [one.service for one in found.services] == ["server", "ui", "docs"]
    assert found.services[0].memory == Memory(GIB, GIB, 4 * GIB, 0)
    assert KEY not in repr(found) + repr(found.data())


def exited(service: str, **state: object) -> str:
    name = {"server": SERVER, "ui": UI}[service]
    return inspected(name, image=LIVE.images[service].id, Status="exited", ExitCode=1, **state)


@pytest.mark.parametrize(
    ("containers", "problem", "why"),
    [
        ({"server": ""}, "server is absent: invoke start; invoke logs --service server", "removed"),
        ({"ui": ""}, "ui is absent: invoke start; invoke logs --service ui", "removed as well"),
        ({"server": exited("server")},
         "server is exited with 1: invoke start; invoke logs --service server", "it ended"),
        ({"server": exited("server", OOMKilled=True, restarts=5)},
         "server is exited with 1 (out of memory); restarts exhausted: it crashed 6 times in a row"
         ": invoke start; invoke logs --service server", "the engine gave up"),
        ({"ui": inspected(UI, image="sha256:old")},
         "ui does not run the released image: invoke restart", "another image"),
    ],
)  # fmt: skip
def test_a_problem_says_what_to_do(
    tmp_path: Path, containers: dict[str, str], problem: str, why: str
) -> None:
    with serving(always(Reply(data=STATUS))) as web:
        found = status_of(tmp_path, an_engine(web.port, **containers))
    assert found.problems == (problem,), why


def test_docs_that_are_not_there_are_no_problem(tmp_path: Path) -> None:
    with serving(always(Reply(data=STATUS))) as web:
        assert status_of(tmp_path, an_engine(web.port, docs="")).problems == ()


def test_a_server_that_is_not_ready_is_a_problem(tmp_path: Path) -> None:
    with serving(always(Reply(503, {"status": "not_ready"}))) as web:
        found = status_of(tmp_path, an_engine(web.port))
    assert found.problems == ("the server is not ready: invoke health",)
    found = status_of(tmp_path / "two", an_engine(closed_port()))
    assert (found.agents, found.ready) == (None, False)


def test_memory_pressure_is_a_problem(tmp_path: Path) -> None:
    with serving(always(Reply(data=STATUS))) as web:
        engine = an_engine(web.port)
        engine.prints["docker exec"] = f"{4 * GIB}\nanon {4 * GIB}\noom_kill 2\n"
        problems = status_of(tmp_path, engine).problems
    assert any("memory pressure: 100%" in one for one in problems)
    assert any("killed 2 processes" in one for one in problems)


def test_before_the_first_deploy_there_is_nothing_to_complain_of(tmp_path: Path) -> None:
    found = look(context(tmp_path, Engine()))
    assert (found.live, found.services, found.problems) == ("", (), ())
    assert show_status(found).splitlines() == [
        "automaker-staging: nothing is live",
        f"deploy directory {tmp_path}",
    ]


def test_without_an_engine_it_still_says_what_is_live_and_what_was_left_undone(
    tmp_path: Path,
) -> None:
    ctx = context(tmp_path, Silent())
    record(ctx, LIVE, live=True)
    ctx.store.note_attempt(KILLED)
    found = look(ctx)
    assert found.live == LIVE.id
    assert any("cut short" in one for one in found.problems)


KILLED = Attempt("deploy", "r2", "cut over ui", "ada@host", 7, "2026", switching=True)


def test_what_a_killed_deploy_left_is_a_problem_once_nobody_is_at_work(tmp_path: Path) -> None:
    ctx = context(tmp_path, Engine())
    ctx.store.prepare()
    ctx.store.note_attempt(KILLED)
    with holding(tmp_path, "deploy", "nightly", wait_s=0, note=print):
        found = look(ctx)
        assert (found.problems, found.unfinished) == ((), "")
        assert found.lock.startswith("deploy (nightly) of ")
        assert "at work: deploy (nightly) of " in show_status(found)
    (problem,) = look(ctx).problems
    assert "cut short at 'cut over ui': deploy again" in problem, "nothing was live before"
    assert f"! {problem}" in show_status(look(ctx))


def test_a_live_release_that_is_damaged_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    ctx = context(tmp_path, Engine(), said)
    record(ctx, LIVE, live=True)
    (ctx.store.folder(LIVE.id) / ".env").unlink()
    assert look(ctx).live == ""
    assert "cannot be read" in "".join(said)


def test_it_reads_as_a_table_with_problems_below() -> None:
    memory = Memory(GIB, GIB, 2 * GIB, 0)
    row = ServiceStatus("server", SERVER, "running", "healthy", 1, 3008, "as released", memory)
    status = Status(
        project="automaker-staging",
        home="/home",
        live=LIVE.id,
        commit="c0ffee",
        services=(row, replace(row, service="docs", health="", port=0, memory=None)),
        ready=True,
        agents=2,
        loops=1,
        draining=True,
        lock="",
        unfinished="",
        problems=("it is broken: mend it",),
    )
    lines = show_status(status).splitlines()
    assert lines[:2] == [
        f"automaker-staging: {LIVE.id} (commit c0ffee)",
        "deploy directory /home",
    ]
    assert lines[2].split() == [
        "Service",
        "State",
        "Health",
        "Restarts",
        "Port",
        "Image",
        "Memory",
    ]
    assert lines[3].split()[:5] == ["server", "running", "healthy", "1", "3008"]
    assert lines[4].split()[:5] == ["docs", "running", "-", "1", "-"]
    assert lines[5:] == ["2 agents run, 1 auto-mode loops, draining", "! it is broken: mend it"]
