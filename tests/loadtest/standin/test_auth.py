import stat
from pathlib import Path

import pytest

from loadtest.standin.auth import Sessions
from loadtest.standin.config import read_config
from tests.loadtest.standin.fakes import API_KEY, world

PROTECTED = "/api/running-agents"


@pytest.mark.parametrize(
    ("headers", "query", "status", "why"),
    [
        ({}, "", 401, "nothing presented"),
        ({"Authorization": f"Bearer {API_KEY}"}, "", 401, "bearer tokens are not looked at"),
        ({"X-API-Key": API_KEY}, "", 200, "the key as a header"),
        ({"X-API-Key": ""}, "", 403, "an empty key is a wrong key"),
        ({"X-API-Key": "tëst"}, "", 403, "a key outside ASCII"),
        ({}, f"?apiKey={API_KEY}", 200, "the key as a parameter"),
        ({}, "?apiKey=wrong", 403, "a wrong key as a parameter"),
        ({"X-Session-Token": "unknown"}, "", 403, "an unknown session"),
        ({}, "?token=unknown", 403, "an unknown session as a parameter"),
        ({"Cookie": "automaker_session=unknown"}, "", 401, "an unknown cookie counts as none"),
        ({"X-API-Key": "wrong"}, f"?apiKey={API_KEY}", 403, "the header decides"),
        ({"X-Session-Token": "no"}, f"?apiKey={API_KEY}", 403, "a session header before the query"),
        ({"X-API-Key": API_KEY, "X-Session-Token": "no"}, "", 200, "the key before the session"),
    ],
)
def test_the_first_credential_presented_decides(
    tmp_path: Path, headers: dict[str, str], query: str, status: int, why: str
) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    with world(tmp_path) as server:
        answer = server.client.get(PROTECTED + query, headers=encoded)
    assert answer.status_code == status, why


def test_a_session_survives_a_restart_and_ends_with_logout(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        login = server.client.post("/api/auth/login", json={"apiKey": API_KEY})
    headers = {"X-Session-Token": login.json()["token"]}
    with world(tmp_path) as server:
        assert server.client.get(PROTECTED, headers=headers).status_code == 200
        out = server.client.post("/api/auth/logout", json={}, headers=headers)
        assert out.json() == {"success": True, "message": "Logged out successfully."}
        assert server.client.get(PROTECTED, headers=headers).status_code == 403


def test_the_session_file_is_for_the_owner_alone(tmp_path: Path) -> None:
    Sessions(tmp_path / ".sessions").create()
    assert stat.S_IMODE((tmp_path / ".sessions").stat().st_mode) == 0o600


def test_a_session_expires_after_thirty_days(tmp_path: Path) -> None:
    now = [1_000_000.0]
    sessions = Sessions(tmp_path / ".sessions", clock=lambda: now[0])
    token = sessions.create()
    now[0] += 30 * 24 * 3600 - 1
    assert sessions.knows(token)
    now[0] += 2
    assert not sessions.knows(token)


@pytest.mark.parametrize("content", ["", "[1]", '{"a": null}', "\0"])
def test_a_damaged_session_file_costs_the_sessions_only(tmp_path: Path, content: str) -> None:
    (tmp_path / ".sessions").write_text(content, "utf-8")
    assert not Sessions(tmp_path / ".sessions").knows("a")


@pytest.mark.parametrize(("production", "secure"), [(True, True), (False, False)])
def test_the_cookie_is_secure_in_production_only(
    tmp_path: Path, production: bool, secure: bool
) -> None:
    with world(tmp_path, production=production) as server:
        login = server.client.post("/api/auth/login", json={"apiKey": API_KEY})
    assert ("secure" in login.headers["set-cookie"].lower()) == secure


def test_the_sixth_login_of_a_client_is_refused_even_with_the_key(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        answers = [
            server.client.post(
                "/api/auth/login", json={"apiKey": API_KEY}, headers={"X-Forwarded-For": client}
            )
            for client in ["10.0.0.1, 10.9.9.9"] * 6 + ["10.0.0.2"]
        ]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429, 200]
    refused = answers[5].json()
    assert refused["error"] == "Too many login attempts. Please try again later."
    assert 0 < refused["retryAfter"] <= 60


def test_the_21st_login_is_refused_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    with world(tmp_path, mock_agent=True) as server:
        answers = [server.client.post("/api/auth/login", json={"apiKey": "no"}) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429]
    assert answers[-1].json() == {"error": "Too many login attempts, please try again later"}


def test_status_tells_whether_the_caller_is_logged_in(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        answer = server.client.get("/api/auth/status")
        assert answer.json() == {"success": True, "authenticated": False, "required": True}
        assert "set-cookie" not in answer.headers


def test_auto_login_gives_a_session_outside_production(tmp_path: Path) -> None:
    with world(tmp_path, production=False, auto_login=True) as server:
        answer = server.client.get("/api/auth/status")
    assert answer.json()["authenticated"] is True
    assert "automaker_session=" in answer.headers["set-cookie"]


def test_the_websocket_token_needs_credentials(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        assert server.client.get("/api/auth/token").status_code == 401
        answer = server.get("/api/auth/token").json()
    assert answer["success"] is True
    assert answer["expiresIn"] == 300


def test_an_empty_key_in_the_environment_means_the_public_default() -> None:
    config = read_config({"AUTOMAKER_API_KEY": ""}, "/srv")
    assert (config.api_key, config.api_key_source) == ("protoLabs_studio_key", "default")


def test_the_key_does_not_show_when_the_configuration_is_printed() -> None:
    assert "hidden" not in repr(read_config({"AUTOMAKER_API_KEY": "hidden"}, "/srv"))
