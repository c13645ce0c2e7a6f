"""Brings the services of a release up, one after the other, and sees each of them ready."""

from __future__ import annotations

from compose.deploy.context import Context, State
from compose.deploy.cutover import cut_over
from compose.deploy.ready import (
    UI_BUDGET_S,
    await_ready,
    budget,
    server_is_ready,
    serves_app,
)
from compose.deploy.release import APP_SERVICES
from compose.errors import ComposeError

PROXY_S = 5.0


def bring_up(
    ctx: Context, state: State, *, recreate: bool = False, server_anew: bool = False
) -> None:
    """Bring server and UI to a release; what is there already is left alone.

    `server_anew` after a cut over that was cut short: a server which seems to run may have been
    told to stop a moment ago, so it is stopped to its end and made anew.
    """
    for service in APP_SERVICES:
        anew = recreate or (service == "server" and server_anew)
        bring_service_up(ctx, state, service, recreate=anew)
    _see_proxy(ctx, state)


def bring_service_up(ctx: Context, state: State, service: str, *, recreate: bool = False) -> None:
    """Cut one service over and see it ready: two steps."""
    with ctx.step(f"cut over {service}", switching=True):
        cut_over(ctx.host, state.running, service, recreate=recreate)
    with ctx.step(f"{service} ready"):
        _await_service(ctx, state, service)


def _await_service(ctx: Context, state: State, service: str) -> None:
    view, api = state.running.view[service], ctx.api(state.running, service)
    if service == "server":
        patience = ctx.ready_s or budget(view.limits.health)
        path, good = "/api/health/ready", server_is_ready
    else:
        patience, path, good = ctx.ready_s or UI_BUDGET_S, "/", serves_app
    await_ready(ctx.host, view.container, api, path, good, patience)


def _see_proxy(ctx: Context, state: State) -> None:
    """See that the UI reaches the new server: nginx keeps the address it found at its start."""
    if ctx.host.dry:
        return
    name, api = state.running.view["ui"].container, ctx.api(state.running, "ui")
    try:
        await_ready(ctx.host, name, api, "/api/health", lambda one: one.ok, PROXY_S)
    except ComposeError:
        ctx.note("the UI does not reach the new server; recreating it")
        bring_service_up(ctx, state, "ui", recreate=True)
