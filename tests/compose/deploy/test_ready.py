"""Waiting for a service: until it is ready, and no longer than it may become so."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest

from compose.deploy import ready
from compose.deploy.api import Answer, Api
from compose.deploy.containers import Container, parse
from compose.deploy.ready import (
    Waiting,
    await_ready,
    budget,
    hopeless,
    server_is_ready,
    serves_app,
)
from compose.errors import ComposeError
from compose.model import Health
from tests.compose.deploy.fakes import Engine, Reply, always, closed_port, host, inspected, serving

NAME = "automaker-server-staging"
RUNS = Engine(containers={NAME: inspected(NAME)})


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "POLL_S", 0.01)
    monkeypatch.setattr(ready, "INSPECT_S", 0.03)


def state(**changes: Any) -> Container:
    return parse(json.loads(inspected(NAME, **changes)))


EXITED: dict[str, Any] = {"Status": "exited", "ExitCode": 1}


@pytest.mark.parametrize(
    ("found", "answer", "waited", "says", "why"),
    [
        (state(), None, 1, "", "it runs and may yet answer"),
        (state(), Answer(503, {"status": "not_ready"}, ""), 1, "", "it answers, not ready yet"),
        (state(Status="restarting"), None, 9, "", "the engine tries again"),
        (state(**EXITED), None, 1, "", "between two tries it is exited for a moment"),
        (state(**EXITED), None, 3, "exited with 1", "for so long it is no such moment"),
        (state(Status="dead"), None, 3, "exited with 0", "dead is ended as well"),
        (state(**EXITED, restarts=5), None, 0.1,
         "exited with 1; restarts exhausted: it crashed 6 times in a row", "at once: all is over"),
        (state(**EXITED | {"OOMKilled": True}), None, 3, "exited with 1 (out of memory)", "memory"),
        (None, None, 0.1, "its container is gone", "somebody removed it"),
        (state(), None, 10, "not ready after 10 s: nothing answers; container running", "time"),
        (state(), Answer(503, {"status": "not_ready"}, ""), 11,
         "not ready after 10 s: it answers 503 not_ready; container running", "what it answered"),
        (state(Status="restarting"), None, 10,
         "not ready after 10 s: nothing answers; container restarting", "what it is"),
    ],
)  # fmt: skip
def test_when_there_is_no_hope_left(
    found: Container | None, answer: Answer | None, waited: float, says: str, why: str
) -> None:
    assert hopeless(Waiting(found, answer, waited, 10)) == says, why


@pytest.mark.parametrize(
    ("health", "seconds", "why"),
    [
        (Health(30, 10, 3, 60), 180, "the start, then three checks that fail"),
        (Health(2, 1, 3, 4), 13, "the same, quicker"),
        (Health(), 180, "Docker's own figures"),
        (None, 180, "and so without a healthcheck"),
    ],
)
def test_the_time_to_get_ready_is_the_healthchecks(
    health: Health | None, seconds: float, why: str
) -> None:
    assert budget(health) == seconds, why


def ready_after(count: int) -> Any:
    numbers = itertools.count()
    return lambda _asked: (
        Reply(data={"status": "ready"})
        if next(numbers) >= count
        else Reply(503, {"status": "not_ready"})
    )


def test_it_returns_as_soon_as_the_service_is_ready() -> None:
    engine = Engine(containers={NAME: inspected(NAME)})
    with serving(ready_after(3)) as web:
        await_ready(host(engine), NAME, Api(web.base), "/ready", server_is_ready, 10)
    assert web.paths() == ["/ready"] * 4


def test_a_success_that_is_not_the_one_wanted_is_none() -> None:
    answers = iter([Reply(200, text="<p>wait</p>"), Reply(200, text='<div id="app">')])
    engine = Engine(containers={NAME: inspected(NAME)})
    with serving(lambda _asked: next(answers)) as web:
        await_ready(host(engine), NAME, Api(web.base), "/", serves_app, 10)


def test_an_error_is_not_ready_whatever_its_body_says() -> None:
    with (
        serving(always(Reply(503, {"status": "ready"}))) as web,
        pytest.raises(ComposeError, match="it answers 503 ready"),
    ):
        await_ready(host(RUNS), NAME, Api(web.base), "/ready", server_is_ready, 0.1)


def test_it_gives_up_at_once_where_the_engine_has() -> None:
    engine = Engine(containers={NAME: inspected(NAME, **EXITED, restarts=5)})
    began = time.monotonic()
    api = Api(f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(ComposeError, match=rf"{NAME}: exited with 1; restarts exhausted"):
        await_ready(host(engine), NAME, api, "/ready", server_is_ready, 60)
    assert time.monotonic() - began < 5


def test_it_gives_up_where_the_container_is_gone() -> None:
    api = Api(f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(ComposeError, match="its container is gone"):
        await_ready(host(Engine()), NAME, api, "/ready", server_is_ready, 60)


def test_when_time_is_up_it_says_what_was_answered() -> None:
    engine = Engine(containers={NAME: inspected(NAME)})
    with (
        serving(always(Reply(503, {"status": "not_ready"}))) as web,
        pytest.raises(ComposeError) as caught,
    ):
        await_ready(host(engine), NAME, Api(web.base), "/ready", server_is_ready, 0.2)
    assert str(caught.value) == (
        f"{NAME}: not ready after 0.2 s: it answers 503 not_ready; container running"
    )


def test_a_long_wait_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "REMIND_S", 0.05)
    said: list[str] = []
    engine = Engine(containers={NAME: inspected(NAME)})
    with (
        serving(always(Reply(503, {}))) as web,
        pytest.raises(ComposeError),
    ):
        await_ready(host(engine, said), NAME, Api(web.base), "/ready", server_is_ready, 0.3)
    assert f"{NAME} not ready after 0 s (running)" in "".join(said)


def test_a_dry_run_waits_for_nothing() -> None:
    said: list[str] = []
    api = Api("http://127.0.0.1:3008")
    await_ready(host(Engine(), said, dry=True), NAME, api, "/ready", server_is_ready, 13)
    assert "GET http://127.0.0.1:3008/ready until it is good, for at most 13 s" in "".join(said)


@pytest.mark.parametrize(
    ("page", "serves"),
    [
        ('<div id="app"></div>', True),
        ('<div class="x" id="root">', True),
        ("<title>Welcome to nginx!</title>", False),
        ("", False),
    ],
)
def test_the_ui_is_known_by_its_root(page: str, serves: bool) -> None:
    assert serves_app(Answer(200, {}, page)) is serves


def test_ready_is_what_the_server_calls_ready() -> None:
    assert server_is_ready(Answer(200, {"status": "ready"}, ""))
    assert not server_is_ready(Answer(200, {"status": "ok"}, ""))
    assert not server_is_ready(Answer(200, {}, "ready"))
    with serving(always(Reply(200, text="ready"))) as web:
        assert not server_is_ready(Api(web.base).get("/"))
