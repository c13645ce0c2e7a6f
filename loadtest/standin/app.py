"""The HTTP edge: every request takes the checks in this order, and every error ends here."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import auth_routes, auto_mode_routes, feature_routes, health, settings_routes
from .call import Call, Json, error_page, is_allowed_origin, is_json, read_call
from .config import Config
from .errors import PageError, Refusal, StandinError
from .leases import AgentRunner
from .ratelimit import is_exempt
from .server import Endpoint, Routes, Server, assemble, running
from .validation import require_allowed_path

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
ROUTES: Routes = {
    **health.ROUTES,
    **auth_routes.ROUTES,
    **feature_routes.ROUTES,
    **auto_mode_routes.ROUTES,
    **settings_routes.ROUTES,
}


def create_app(config: Config, runner: AgentRunner) -> Starlette:
    """Return the ASGI application. `runner` starts the agents and is closed with it."""
    server = assemble(config, runner)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with running(server):
            yield

    async def edge(request: Request) -> Response:
        return await answer(server, request)

    app = Starlette(routes=[Route("/{path:path}", edge, methods=METHODS)], lifespan=lifespan)
    app.state.server = server
    return app


async def answer(server: Server, request: Request) -> Response:
    """Answer one request, whatever it is."""
    headers: dict[str, str] = {}
    try:
        call = await read_call(request, server.config.cors_origins)
        headers.update(_cross_origin(call, server))
        response = await _admit_and_handle(server, call, headers)
    except asyncio.CancelledError:
        # Only a shutdown cancels a request: one that waits, such as a drain, learns of it here.
        response = Json({"success": False, "error": "Server is shutting down"}, 503)
    except PageError as error:
        response = error_page(error.text, error.status)
    except StandinError as error:
        response = Json(error.body, error.status, error.headers)
    except Exception as error:  # the last line: a client never sees a traceback
        print(f"{request.method} failed: {error!r}", file=sys.stderr)
        response = Json({"success": False, "error": str(error)}, 500)
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    return response


async def _admit_and_handle(server: Server, call: Call, headers: dict[str, str]) -> Response:
    if call.method == "OPTIONS":
        return Response(status_code=204)
    endpoint = find(call)
    if call.path.startswith("/api/"):
        if not is_exempt(call.path):
            headers.update(server.api_limit.admit(call.client))
        if call.path == "/api/auth/login":
            headers.update(server.login_limit.admit(call.client))
        if call.method in ("POST", "PUT", "PATCH") and not is_json(call.headers):
            message = "Content-Type header must be application/json"
            raise Refusal(415, "Unsupported Media Type", message=message)
        if not (endpoint and endpoint.public):
            server.auth.require(call.headers, call.query, call.cookies)
    if endpoint is None:
        raise PageError(404, f"Cannot {call.method} {call.path}")
    if endpoint.checks_path:
        _check_path(server, call)
    result = await endpoint.handler(server, call)
    return result if isinstance(result, Response) else Json(result)


def find(call: Call) -> Endpoint | None:
    """Return the endpoint of a call; HEAD is answered as GET, a closing slash does not count."""
    method = "GET" if call.method == "HEAD" else call.method
    return ROUTES.get((method, call.path.rstrip("/")))


def _check_path(server: Server, call: Call) -> None:
    path = call.body.get("projectPath") if isinstance(call.body, dict) else None
    if isinstance(path, str) and path:
        require_allowed_path(path, server.config.allowed_root, server.config.data_dir)


def _cross_origin(call: Call, server: Server) -> dict[str, str]:
    origin = call.headers.get("origin")
    if origin is None or not is_allowed_origin(origin, server.config.cors_origins):
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
        "Access-Control-Allow-Headers": "Content-Type, X-API-Key, X-Session-Token",
        "Vary": "Origin",
    }
