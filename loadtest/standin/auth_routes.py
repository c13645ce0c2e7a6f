"""/api/auth: login and logout, the login state, the WebSocket token."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from starlette.responses import Response

from .auth import SESSION_COOKIE, SESSION_SECONDS, WEBSOCKET_TOKEN_SECONDS
from .call import Call, Json
from .errors import Refusal
from .server import Answer, Endpoint, Routes, Server


async def login(server: Server, call: Call) -> Answer:
    """Exchange the API key for a session token and cookie; 400, 401 or 429 otherwise."""
    limited = not server.config.mock_agent
    if limited:
        forwarded = call.headers.get("x-forwarded-for", "").split(",")[0].strip()
        server.auth.count_login(forwarded or call.client)
    key = call.fields().get("apiKey")
    if not key:
        raise Refusal(400, "API key is required.")
    if not server.auth.accepts_key(key):
        raise Refusal(401, "Invalid API key.")
    token = await asyncio.to_thread(server.auth.sessions.create)
    response = Json({"success": True, "message": "Logged in successfully.", "token": token})
    _set_cookie(server, response, token)
    return response


async def status(server: Server, call: Call) -> Answer:
    """Whether the caller is logged in; always 200. With auto-login it logs him in."""
    authenticated = _is_authenticated(server, call)
    answer: dict[str, Any] = {"success": True, "authenticated": authenticated, "required": True}
    if authenticated or not server.config.auto_login or server.config.production:
        return answer
    token = await asyncio.to_thread(server.auth.sessions.create)
    response = Json({**answer, "authenticated": True})
    _set_cookie(server, response, token)
    return response


async def websocket_token(_server: Server, _call: Call) -> Answer:
    """Answer a token for the event stream. There is no stream here, so nothing keeps it."""
    token = secrets.token_hex(32)
    return {"success": True, "token": token, "expiresIn": WEBSOCKET_TOKEN_SECONDS}


async def logout(server: Server, call: Call) -> Answer:
    """End the session of the header or the cookie."""
    token = call.headers.get("x-session-token") or call.cookies.get(SESSION_COOKIE, "")
    await asyncio.to_thread(server.auth.sessions.end, token)
    response = Json({"success": True, "message": "Logged out successfully."})
    response.delete_cookie(
        SESSION_COOKIE, secure=server.config.production, httponly=True, samesite="lax"
    )
    return response


def _is_authenticated(server: Server, call: Call) -> bool:
    try:
        server.auth.require(call.headers, call.query, call.cookies)
    except Refusal:
        return False
    return True


def _set_cookie(server: Server, response: Response, token: str) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=SESSION_SECONDS,
        expires=SESSION_SECONDS,
        path="/",
        secure=server.config.production,
        httponly=True,
        samesite="lax",
    )


ROUTES: Routes = {
    ("POST", "/api/auth/login"): Endpoint(login, public=True),
    ("GET", "/api/auth/status"): Endpoint(status, public=True),
    ("GET", "/api/auth/token"): Endpoint(websocket_token),
    ("POST", "/api/auth/logout"): Endpoint(logout, public=True),
}
