"""The recorded traffic of the real server, replayed against the stand-in."""

from __future__ import annotations

import json
import re
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.loadtest.standin.fakes import API_KEY, World, wait_until, world

TRANSCRIPT = Path(__file__).parents[2] / "resources" / "automaker_transcript.json"
EXCHANGES: list[dict[str, Any]] = json.loads(TRANSCRIPT.read_text("utf-8"))
RECORDED_ROOT = "/projects"
LITERAL = {"error", "message", "status", "to", "method", "source"}


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange["name"])
def test_the_stand_in_answers_as_recorded(exchange: dict[str, Any], tmp_path: Path) -> None:
    with world(tmp_path) as server:
        names = {RECORDED_ROOT: str(tmp_path), **prepare(server, exchange)}
        answer = send(server, substituted(exchange, names))
    assert answer.status_code == exchange["status"], answer.text
    compare_headers(answer, exchange["response_headers"])
    if "page" in exchange:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.text.strip() == exchange["page"]
    else:
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        expected = substituted(exchange["response"], names)
        compare(answer.json(), expected, partial=exchange.get("trimmed", False))


def test_of_330_requests_in_a_minute_the_last_30_are_refused(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        answers = [server.get("/api/running-agents") for _ in range(330)]
        health = server.client.get("/api/health/ready")
    assert [answer.status_code for answer in answers] == [200] * 300 + [429] * 30
    assert answers[-1].json() == {"error": "Too many requests, please try again later"}
    assert answers[-1].headers["ratelimit-policy"] == "300;w=60"
    assert 55 <= int(answers[-1].headers["retry-after"]) <= 60
    assert health.status_code == 200


def prepare(server: World, exchange: dict[str, Any]) -> dict[str, str]:
    """Bring the server into the state the exchange was recorded in; returns its names."""
    path = (exchange.get("json") or {}).get("projectPath", f"{RECORDED_ROOT}/demo")
    server.project = path.replace(RECORDED_ROOT, str(server.root), 1)
    steps = {
        "session": session,
        "feature": feature,
        "loop": loop,
        "agents": agents,
        "blocked": blocked,
        "interrupted": interrupted,
    }
    names: dict[str, str] = {}
    for step in exchange["given"]:
        names |= steps[step](server)
    return names


def session(server: World) -> dict[str, str]:
    login = server.client.post("/api/auth/login", json={"apiKey": API_KEY})
    return {"<token>": login.json()["token"]}


def feature(server: World) -> dict[str, str]:
    title = "Load run A item 1 (small)"
    return {"<feature>": server.create(title, complexity="small")}


def loop(server: World) -> dict[str, str]:
    assert server.auto_mode("start", maxConcurrency=3).status_code == 200
    return {}


def agents(server: World) -> dict[str, str]:
    ids = [server.create(f"RunD medium {number}") for number in (7, 8, 9)]
    server.auto_mode("start", maxConcurrency=10)
    wait_until(lambda: len(server.running()) == len(ids), "three running agents")
    return {"<feature>": ids[0]}


def blocked(server: World) -> dict[str, str]:
    feature_id = server.create("RunB small 1", complexity="small", category="Load")
    server.auto_mode("run-feature", featureId=feature_id)
    wait_until(lambda: len(server.runner.agents) == 1, "an agent")
    agent = server.runner.agents[0]
    Path(agent.order.output_path).write_text("turn=1/5\n", "utf-8")
    server.runner.end(agent, 1)
    wait_until(lambda: server.status_of(feature_id) == "blocked", "a blocked feature")
    return {"<feature>": feature_id}


def interrupted(server: World) -> dict[str, str]:
    states = ("interrupted", "in_progress", "in_progress", "in_progress")
    for number, state in enumerate(states):
        server.create(f"RunF medium {number}", status=state)
    return {}


def substituted(value: Any, names: dict[str, str]) -> Any:
    text = json.dumps(value)
    for name, meaning in names.items():
        text = text.replace(name, meaning)
    return json.loads(text)


def send(server: World, exchange: dict[str, Any]) -> httpx.Response:
    content = {"data": {"x": "1"}} if "form" in exchange else {}
    if "json" in exchange:
        content = {"json": exchange["json"]}
    answer: httpx.Response = server.client.request(
        exchange["method"], exchange["path"], headers=exchange["headers"], **content
    )
    return answer


def compare_headers(answer: httpx.Response, recorded: dict[str, str]) -> None:
    for name, value in recorded.items():
        ours = answer.headers[name]
        if name == "Set-Cookie":
            assert cookie_attributes(ours) == cookie_attributes(value)
        elif name == "RateLimit":
            limit = value.partition(",")[0]
            assert re.fullmatch(rf"{limit}, remaining=\d+, reset=\d+", ours)
        elif name == "X-Response-Time":
            assert re.fullmatch(r"\d+ms", ours)
        else:
            assert ours == value
    assert ("RateLimit-Policy" in answer.headers) == ("RateLimit-Policy" in recorded)


def cookie_attributes(header: str) -> dict[str, Any]:
    cookie = SimpleCookie(header.replace("<64-hex token>", "0" * 64))["automaker_session"]
    assert re.fullmatch(r"[0-9a-f]{64}", cookie.value)
    return {
        name: str(value).lower() for name, value in cookie.items() if value and name != "expires"
    }


def compare(ours: Any, recorded: Any, partial: bool = False, key: str = "") -> None:
    """Same keys, same kinds of values, and the same texts where a client reads them."""
    assert kind(ours) == kind(recorded), key
    if isinstance(recorded, dict):
        missing = set(recorded) - set(ours)
        assert not missing, key
        assert partial or set(ours) == set(recorded), key
        for name, value in recorded.items():
            compare(ours[name], value, partial, name)
    elif isinstance(recorded, list):
        assert bool(ours) == bool(recorded), key
        for one in ours if recorded else []:
            compare_element(one, recorded, partial, key)
    elif isinstance(recorded, bool) or key in LITERAL:
        assert ours == recorded, key


def compare_element(ours: Any, recorded: list[Any], partial: bool, key: str) -> None:
    failures = []
    for element in recorded:
        try:
            compare(ours, element, partial, key)
        except AssertionError as failure:
            failures.append(failure)
        else:
            return
    raise failures[0]


def kind(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)
