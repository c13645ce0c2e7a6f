"""Draining against a server that behaves, one that is busy, and one that refuses."""

from __future__ import annotations

from typing import Any

import pytest

from compose.deploy import drain as module
from compose.deploy.api import Api
from compose.deploy.drain import Drained, active_loops, drain, start_loops
from compose.deploy.store import Loop
from compose.errors import ComposeError
from tests.compose.deploy.fakes import KEY, Asked, Reply, always, closed_port, serving

DONE = {
    "success": True,
    "drained": True,
    "worktreesStopped": 2,
    "agentsForceStopped": 0,
    "elapsedSeconds": 3,
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.05)


class Server:
    """Answers a drain with one reply after the other, the last one for ever."""

    def __init__(self, *replies: Reply, draining: bool = False, agents: int = 3) -> None:
        self.replies = list(replies)
        self.draining, self.agents = draining, agents

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/api/deploy/drain":
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        assert asked.path == "/api/deploy/status"
        return Reply(data={"drainInProgress": self.draining, "runningAgents": self.agents})


def test_a_drain_says_what_it_did() -> None:
    with serving(Server(Reply(data=DONE))) as web:
        done = drain(Api(web.base, KEY), print)
    assert done == Drained(2, 0, 3.0)
    assert done.text() == "2 loops stopped; agents: none lost"
    (asked,) = web.asked
    assert (asked.method, asked.path, asked.data) == ("POST", "/api/deploy/drain", {})
    assert asked.headers["x-api-key"] == KEY, "a drain with a Bearer header is silently skipped"


def test_agents_that_were_stopped_are_counted() -> None:
    with serving(Server(Reply(data=DONE | {"agentsForceStopped": 4}))) as web:
        done = drain(Api(web.base, KEY), print)
    assert done.agents_stopped == 4
    assert done.text() == "2 loops stopped; agents: 4 stopped by force"


@pytest.mark.parametrize("data", [{}, {"agentsForceStopped": None}])
def test_a_server_that_says_little_is_drained_too(data: dict[str, Any]) -> None:
    with serving(Server(Reply(data=data))) as web:
        assert drain(Api(web.base, KEY), print) == Drained(0, 0, 0.0)


def test_while_it_takes_its_time_the_agents_are_counted() -> None:
    notes: list[str] = []
    with serving(Server(Reply(data=DONE, slow_s=0.3))) as web:
        drain(Api(web.base, KEY), notes.append)
    assert notes
    assert set(notes) == {"3 agents still run"}


def test_a_drain_of_somebody_else_is_waited_for_and_then_drained_again() -> None:
    notes: list[str] = []
    with serving(Server(Reply(409, {"error": "already"}), Reply(data=DONE))) as web:
        assert drain(Api(web.base, KEY), notes.append) == Drained(2, 0, 3.0)
    assert notes == ["a drain is under way already; waiting for it"]
    asked = [one for one in web.paths() if one != "/api/auto-mode/status"]
    assert asked == ["/api/deploy/drain", "/api/deploy/status", "/api/deploy/drain"]


def test_a_drain_of_somebody_else_that_never_ends_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "DRAIN_S", 0.2)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    server = Server(Reply(409, {"error": "already"}), draining=True)
    with serving(server) as web, pytest.raises(ComposeError, match="drain failed: 409 already"):
        drain(Api(web.base, KEY), lambda _text: None)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(401, {"error": "Invalid API key"}), "drain failed: 401 Invalid API key"),
        (Reply(500, text="<h1>oops</h1>"), "drain failed: 500 <h1>oops</h1>"),
        (Reply(404, {"error": "no such route"}), "drain failed: 404 no such route"),
    ],
)
def test_a_drain_that_is_refused_says_the_way_out(reply: Reply, says: str) -> None:
    with serving(Server(reply)) as web, pytest.raises(ComposeError) as caught:
        drain(Api(web.base, KEY), print)
    assert str(caught.value) == says
    assert "--no-drain" in caught.value.__notes__[0]


def test_a_server_that_is_gone_is_an_error_without_the_key() -> None:
    with pytest.raises(ComposeError, match="nobody answers") as caught:
        drain(Api(f"http://127.0.0.1:{closed_port()}", KEY), print)
    assert KEY not in str(caught.value)


def test_a_drain_that_hangs_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAIN_S", 0.2)
    with (
        serving(Server(Reply(data=DONE, slow_s=20))) as web,
        pytest.raises(ComposeError, match="no answer in time"),
    ):
        drain(Api(web.base, KEY), lambda _text: None)


LOOPS = [
    {"projectPath": "/srv/a", "branchName": None},
    {"projectPath": "/srv/a", "branchName": "feature/x"},
    {"projectPath": "/srv/b"},
]
LIMITS = {("/srv/a", None): 4, ("/srv/a", "feature/x"): 2, ("/srv/b", None): "many"}


def test_loops_are_listed_with_their_limits() -> None:
    def status(asked: Asked) -> Reply:
        assert (asked.method, asked.path) == ("POST", "/api/auto-mode/status")
        if not asked.data:
            return Reply(data={"activeAutoLoopWorktrees": LOOPS})
        where = (asked.data["projectPath"], asked.data["branchName"])
        return Reply(data={"maxConcurrency": LIMITS[where]})

    with serving(status) as web:
        found = active_loops(Api(web.base, KEY))
    assert found == [
        Loop("/srv/a", None, 4),
        Loop("/srv/a", "feature/x", 2),
        Loop("/srv/b", None, None),
    ]


@pytest.mark.parametrize("data", [{}, {"activeAutoLoopWorktrees": None}])
def test_a_server_without_loops_has_none(data: object) -> None:
    with serving(always(Reply(data=data))) as web:
        assert active_loops(Api(web.base, KEY)) == []


def test_a_server_that_does_not_tell_its_loops_is_not_drained_blindly() -> None:
    with (
        serving(always(Reply(401, {"error": "no key"}))) as web,
        pytest.raises(ComposeError, match="auto-mode status failed: 401 no key"),
    ):
        active_loops(Api(web.base, KEY))


@pytest.mark.parametrize(
    ("limit", "sent", "why"),
    [
        (None, None, "unknown, so the server's own"),
        (0, None, "no limit to speak of"),
        (1, 1, "the lowest"),
        (6, 6, "as it was"),
        (20, 20, "the highest"),
        (50, 20, "the server takes no more"),
        (-3, 1, "nor less"),
    ],
)
def test_loops_start_with_a_limit_the_server_takes(
    limit: int | None, sent: int | None, why: str
) -> None:
    with serving(always(Reply(data={"success": True}))) as web:
        loops = [Loop("/srv/a", "feature/x", limit)]
        assert start_loops(Api(web.base, KEY), loops, print) == []
    (asked,) = web.asked
    body = {"projectPath": "/srv/a", "branchName": "feature/x"}
    assert asked.path == "/api/auto-mode/start"
    assert asked.data == body | ({} if sent is None else {"maxConcurrency": sent}), why


def test_a_loop_that_does_not_start_is_said_and_keeps_no_other_from_it() -> None:
    def start(asked: Asked) -> Reply:
        bad = asked.data["projectPath"] == "/srv/a"
        return Reply(400, {"error": "no such project"}) if bad else Reply(data={})

    notes: list[str] = []
    with serving(start) as web:
        loops = (Loop("/srv/a", "x", 1), Loop("/srv/b", None, None))
        assert start_loops(Api(web.base, KEY), loops, notes.append) == [loops[0]]
    assert notes == [
        "auto-mode of /srv/a (x) could not be started again: 400 no such project",
        "auto-mode of /srv/b runs again",
    ]


def test_a_server_that_is_gone_starts_no_loop_and_that_is_said() -> None:
    notes: list[str] = []
    api = Api(f"http://127.0.0.1:{closed_port()}", KEY)
    loop = Loop("/srv/a", None, None)
    assert start_loops(api, [loop], notes.append) == [loop]
    assert notes[0].startswith("auto-mode of /srv/a could not be started again: POST http://")
    assert KEY not in notes[0]
