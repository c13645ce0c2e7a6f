"""The client of the server's API: what it sends, and what it makes of odd answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from compose.deploy import api as module
from compose.deploy.api import Answer, Api
from compose.errors import ComposeError
from tests.compose.deploy.fakes import KEY, Asked, Reply, always, closed_port, serving

NGINX = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n</body>\r\n</html>\r\n"


def test_the_key_goes_into_its_header_and_never_into_authorization() -> None:
    with serving(always(Reply(data={"a": 1}))) as web:
        api = Api(web.base, KEY)
        answer = api.get("/x")
        api.post("/y")
        api.answers("/z")
    assert (answer.status, answer.ok, answer.data) == (200, True, {"a": 1})
    for asked in web.asked:
        assert asked.headers["x-api-key"] == KEY
        assert "authorization" not in asked.headers


def test_without_a_key_or_with_headers_of_ones_own_no_key_is_sent() -> None:
    with serving(always(Reply(data={}))) as web:
        Api(web.base).get("/x")
        Api(web.base, KEY).get("/x", {})
        Api(web.base, KEY).get("/x", {"X-Session-Token": "t"})
        Api(web.base, KEY).post("/x", {"apiKey": "in the body"}, headers={})
    assert all("x-api-key" not in one.headers for one in web.asked)
    assert web.asked[2].headers["x-session-token"] == "t"


def test_every_post_carries_json_even_without_a_body() -> None:
    with serving(always(Reply(data={}))) as web:
        Api(web.base, KEY).post("/x")
        Api(web.base, KEY).post("/x", {"a": [1]})
    assert [one.headers["content-type"] for one in web.asked] == ["application/json"] * 2
    assert [one.data for one in web.asked] == [{}, {"a": [1]}]


def test_a_get_has_no_body() -> None:
    with serving(always(Reply(data={}))) as web:
        Api(web.base, KEY).get("/x")
    assert web.asked[0].body == b""


def test_a_key_is_sent_as_it_is() -> None:
    with serving(always(Reply(data={}))) as web:
        Api(web.base, "a: b; c=$d\"e'").get("/x")
    assert web.asked[0].headers["x-api-key"] == "a: b; c=$d\"e'"


@pytest.mark.parametrize(
    ("reply", "problem", "why"),
    [
        (Reply(401, {"error": "no key"}), "401 no key", "the server's own words"),
        (Reply(503, {"status": "not_ready"}), "503 not_ready", "of health"),
        (Reply(404, text="<h1>Cannot GET</h1>"), "404 <h1>Cannot GET</h1>", "HTML of Express"),
        (Reply(500, text="x" * 500), "500 " + "x" * 120, "no more than a line"),
        (Reply(500, text="\n"), "500", "nothing"),
        (Reply(500, [1]), "500 [1]", "JSON that is no object"),
    ],
)
def test_a_failure_is_said_in_one_line(reply: Reply, problem: str, why: str) -> None:
    with serving(always(reply)) as web:
        answer = Api(web.base).get("/x")
    assert not answer.ok
    assert answer.problem() == problem, why


def test_a_page_of_nginx_is_said_in_one_line() -> None:
    assert len(Answer(502, {}, NGINX).problem().splitlines()) == 1


@pytest.mark.parametrize("text", ["<html>ok</html>", "[]", "null", '"a"', "{"])
def test_a_body_that_is_no_object_is_tolerated(text: str) -> None:
    with serving(always(Reply(200, text=text))) as web:
        answer = Api(web.base).get("/x")
    assert (answer.ok, answer.data, answer.text) == (True, {}, text)


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(302, {}, headers={"location": "/elsewhere"})

    with serving(answer) as web:
        found = Api(web.base, KEY).get("/x")
    assert (found.status, found.ok) == (302, False)
    assert web.paths() == ["/x"], "the key goes nowhere else"


def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    with serving(always(Reply(data={}))) as web:
        assert Api(web.base).get("/x").ok


def test_no_password_file_of_this_user_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "machine 127.0.0.1 login ada password s3cret\n"
    (tmp_path / "netrc").write_text(text, encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(always(Reply(data={}))) as web:
        Api(web.base, KEY).get("/x")
    assert "authorization" not in web.asked[0].headers


Call = Callable[[Api], object]


@pytest.mark.parametrize(
    "call", [lambda api: api.get("/x"), lambda api: api.post("/x")], ids=["get", "post"]
)
def test_where_nobody_answers_the_address_is_named_and_no_key(call: Call) -> None:
    api = Api(f"http://127.0.0.1:{closed_port()}", KEY)
    with pytest.raises(ComposeError, match=rf"(GET|POST) {api.base}/x: nobody answers there") as no:
        call(api)
    assert KEY not in repr(no.value)
    assert KEY not in repr(api)


def test_an_answer_that_takes_too_long_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(always(Reply(slow_s=20))) as web:
        with pytest.raises(ComposeError, match="/x: no answer in time"):
            Api(web.base, KEY).post("/x", timeout_s=0.1)
        monkeypatch.setattr(module, "QUICK_S", 0.1)
        with pytest.raises(ComposeError, match="no answer in time"):
            Api(web.base, KEY)._call("GET", "/x", None, None, 0.1)


def test_a_short_question_is_none_where_nobody_answers() -> None:
    assert Api(f"http://127.0.0.1:{closed_port()}").answers("/x") is None
    with serving(always(Reply(503, {"status": "not_ready"}))) as web:
        answer = Api(web.base).answers("/x")
    assert answer is not None
    assert answer.status == 503


def test_a_server_that_hangs_up_is_nobody() -> None:
    def hang_up(_asked: Asked) -> Reply:
        raise ConnectionResetError

    with (
        serving(hang_up) as web,
        pytest.raises(ComposeError, match="nobody answers there"),
    ):
        Api(web.base).get("/x")


def test_neither_answer_nor_client_shows_secrets() -> None:
    assert KEY not in repr(Answer(200, {}, KEY)) + repr(Api("http://x", KEY))


@pytest.mark.parametrize("key", [" secret-with-a-blank", "secret\nof two lines"])
def test_a_key_that_no_header_can_hold_is_not_shown(key: str) -> None:
    with pytest.raises(ComposeError) as caught:
        Api("http://127.0.0.1:9", key).get("/x")
    assert "secret" not in str(caught.value)


def test_a_key_in_another_script_is_an_error_of_ours() -> None:
    with pytest.raises(ComposeError):
        Api("http://127.0.0.1:9", "ключ-сервера").get("/x")


def limiting(*pauses: str) -> Callable[[Asked], Reply]:
    """Refuses as often as there are pauses, and then answers."""
    left = iter(pauses)

    def answer(_asked: Asked) -> Reply:
        pause = next(left, None)
        busy = Reply(429, {"error": "Too many requests"}, headers={"retry-after": pause or ""})
        return Reply(data={}) if pause is None else busy

    return answer


def test_a_server_that_asks_to_wait_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    with serving(limiting("2", "3")) as web:
        assert Api(web.base, KEY).get("/x").ok
    assert (slept, len(web.asked)) == ([2, 3], 3)


@pytest.mark.parametrize("pause", ["", "soon", "-1", "9999"])
def test_a_pause_that_is_none_or_too_long_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, pause: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: pytest.fail("it slept"))
    with serving(limiting(pause)) as web:
        assert Api(web.base, KEY).get("/x").status == 429
    assert len(web.asked) == 1


def test_a_short_question_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: pytest.fail("it slept"))
    with serving(limiting("1")) as web:
        answer = Api(web.base, KEY).answers("/x")
    assert answer is not None
    assert answer.status == 429
