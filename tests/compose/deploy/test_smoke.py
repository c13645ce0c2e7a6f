"""The smoke test: all is well, and each single defect makes exactly its own line fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from compose.checks import Check
from compose.deploy.api import Api
from compose.deploy.smoke import PROTECTED, PUBLIC_KEY, smoke
from tests.compose.deploy.automaker import SERVER, Automaker, site_of
from tests.compose.deploy.fakes import (
    KEY,
    Asked,
    Engine,
    Reply,
    always,
    closed_port,
    host,
    inspected,
    running,
    serving,
)

NAMES = [
    *("health", "ready", "commit", "wrong key", "login", "protected", "websocket"),
    *("ui", "ui proxy", "docs", "agent"),
]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


@pytest.fixture
def docs() -> Iterator[Api]:
    with serving(always(Reply(text="<h1>docs</h1>"))) as web:
        yield Api(web.base)


def look(automaker: Automaker, docs: Api | None, **options: Any) -> list[Check]:
    with site_of(automaker, docs) as (site, _):
        return smoke(host(automaker.engine()), site, **options)


def levels(checks: list[Check]) -> dict[str, str]:
    return {one.name: one.level for one in checks}


def test_where_all_is_well_every_line_passes_in_order(docs: Api) -> None:
    checks = look(Automaker(), docs)
    assert [one.name for one in checks] == NAMES
    assert [one for one in checks if one.level != "pass"] == []


@pytest.mark.parametrize("page", ['<div id="app">', '<body><div id="root"></div>'])
def test_either_root_of_the_app_will_do(page: str, docs: Api) -> None:
    assert levels(look(Automaker(page=page), docs))["ui"] == "pass"


ONE_DEFECT: list[tuple[dict[str, Any], str, str, str]] = [
    ({"ready": False}, "ready", "503 not_ready", "it cannot write its data"),
    ({"key_source": "default"}, "ready", "a key that everybody knows", "it got no key of its own"),
    ({"label": "0ldc0de"}, "commit", "0ldc0de runs, not ab12", "an older image runs"),
    ({"keys": (KEY, PUBLIC_KEY)}, "wrong key", "let in without the right key", "the public key"),
    ({"open_to_all": True}, "wrong key", "let in without the right key", "any key, or none"),
    ({"anonymous": True}, "wrong key", "let in without the right key", "no key at all"),
    ({"login": False}, "login", "401 Invalid API key.", "nobody can log in"),
    ({"session": False}, "login", "its session is refused: 401", "sessions do not last"),
    *(
        ({"broken": path}, "protected", f"{path} 500 it broke", "one endpoint is broken")
        for path in (*PROTECTED[1:], "/api/auto-mode/status")
    ),
    ({"token": None}, "websocket", "200", "no token for the event stream"),
    ({"token": ""}, "websocket", "200", "an empty one"),
    ({"page": "<h1>Welcome to nginx!</h1>"}, "ui", "a page without the app's root", "no app"),
    ({"page": ""}, "ui", "404", "no page"),
    ({"proxy": False}, "ui proxy", "502", "the UI does not reach the server"),
]


@pytest.mark.parametrize(("defect", "name", "found", "why"), ONE_DEFECT)
def test_a_single_defect_fails_exactly_its_own_line(
    defect: dict[str, Any], name: str, found: str, why: str, docs: Api
) -> None:
    automaker = Automaker(**defect)
    checks = look(automaker, docs)
    failed = [one for one in checks if one.level == "fail"]
    assert [one.name for one in failed] == [name, "agent"], why
    assert found in failed[0].found
    assert failed[1].found == "not tried, since something above fails"
    assert automaker.deleted == [], "no agent was tried"


def test_a_server_that_does_not_live_fails_what_leads_through_it(docs: Api) -> None:
    failed = [one.name for one in look(Automaker(alive=False), docs) if one.level == "fail"]
    assert failed == ["health", "ui proxy", "agent"]


def test_an_image_without_a_label_cannot_prove_its_code_and_passes(docs: Api) -> None:
    (line,) = [one for one in look(Automaker(label=""), docs) if one.name == "commit"]
    assert (line.level, line.found) == ("pass", "the image carries none")


@pytest.mark.parametrize("containers", [{}, {SERVER: inspected(SERVER, Status="exited")}])
def test_a_server_that_only_something_else_answers_for_fails(
    containers: dict[str, str], docs: Api
) -> None:
    automaker = Automaker()
    with site_of(automaker, docs) as (site, _):
        checks = smoke(host(Engine({"docker exec": ""}, containers)), site, agent=False)
    assert [one.name for one in checks if one.level == "fail"] == ["commit"]


def test_docs_that_are_missing_only_warn() -> None:
    checks = look(Automaker(), None)
    (line,) = [one for one in checks if one.level != "pass"]
    assert (line.name, line.level, line.found) == ("docs", "warn", "not deployed")


@pytest.mark.parametrize("answering", [True, False])
def test_docs_that_are_down_only_warn(answering: bool) -> None:
    with serving(always(Reply(500, text="oops"))) as web:
        base = web.base if answering else f"http://127.0.0.1:{closed_port()}"
        found = levels(look(Automaker(), Api(base)))
    assert {name for name, level in found.items() if level != "pass"} == {"docs"}
    assert found["docs"] == "warn"


def test_where_nobody_answers_every_line_fails_and_none_raises() -> None:
    nobody = closed_port()
    with site_of(Automaker()) as (site, _):
        api = Api(f"http://127.0.0.1:{nobody}", KEY)
        dead = replace(site, api=api, ui=Api(api.base))
        checks = smoke(host(Automaker().engine()), dead)
    assert [one.name for one in checks] == NAMES
    assert [one.name for one in checks if one.level == "pass"] == ["commit"]
    assert KEY not in repr(checks)


def test_without_an_agent_none_is_tried(docs: Api) -> None:
    automaker = Automaker()
    checks = look(automaker, docs, agent=False)
    assert [one.name for one in checks] == NAMES[:-1]
    assert automaker.deleted == []


def test_the_session_of_the_login_is_ended(docs: Api) -> None:
    automaker = Automaker()
    look(automaker, docs, agent=False)
    assert automaker.sessions == set()


def test_the_agent_works_in_the_data_directory_unless_a_project_is_chosen(docs: Api) -> None:
    automaker = Automaker()
    with site_of(automaker, docs) as (site, web):
        smoke(host(automaker.engine()), site)
        own = [one.data["projectPath"] for one in web.asked if one.path == "/api/features/create"]
        values = {**site.running.values, "SMOKE_PROJECT": "/srv/smoke"}
        chosen = replace(site, running=replace(running(), values=values))
        smoke(host(automaker.engine()), chosen)
    all_ = [one.data["projectPath"] for one in web.asked if one.path == "/api/features/create"]
    assert own[0].startswith("/data/automaker-staging-smoke-")
    assert all_ == [*own, "/srv/smoke"]


def test_two_smoke_tests_at_once_do_not_share_a_project(docs: Api) -> None:
    automaker = Automaker()
    with site_of(automaker, docs) as (site, web):
        for _ in range(2):
            smoke(host(automaker.engine()), site)
    made = [one.data["projectPath"] for one in web.asked if one.path == "/api/features/create"]
    assert len(set(made)) == 2


def test_a_wrong_key_that_is_neither_let_in_nor_refused_fails(docs: Api) -> None:
    class Broken(Automaker):
        """Falls over at a key that it does not know."""

        def _lets_in(self, asked: Asked) -> bool:
            known = super()._lets_in(asked)
            self.broken = "" if known else asked.path
            return True

    (line,) = [one for one in look(Broken(), docs, agent=False) if one.level == "fail"]
    assert (line.name, line.found) == ("wrong key", "neither let in nor refused: 500 it broke")
