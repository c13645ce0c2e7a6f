"""Is it healthy? What the container's healthcheck says, and what the server says now."""

from __future__ import annotations

from collections.abc import Callable

from compose.checks import Check, Level, passed
from compose.deploy.api import Answer, Api
from compose.deploy.containers import container
from compose.deploy.context import Context
from compose.deploy.ready import server_is_ready, serves_app
from compose.deploy.smoke import Site
from compose.deploy.switch import site_of
from compose.operate.live import live_state


def check_health(ctx: Context) -> list[Check]:
    """Return a line for each thing that has to be well."""
    live = live_state(ctx)
    site = site_of(ctx, live)
    checks = [_container(ctx, one.container) for one in live.running.view.services.values()]
    return [*checks, *_answers(site)]


def _container(ctx: Context, name: str) -> Check:
    state = container(ctx.host, name)
    if state is None:
        return Check("fail", name, "absent", "invoke start")
    if not state.running:
        return Check("fail", name, state.end(), "invoke logs; then invoke start, or rollback")
    if state.health == "unhealthy":
        last = state.health_log[-1] if state.health_log else "no log"
        return Check("fail", name, f"unhealthy: {last}", "invoke logs; invoke restart")
    found = state.health or "no healthcheck"
    if state.restarts:
        return Check("warn", name, f"{found}, restarted {state.restarts} times", "invoke logs")
    return passed(name, found)


def _answers(site: Site) -> list[Check]:
    rows: tuple[tuple[str, Api | None, str, Callable[[Answer], bool], Level], ...] = (
        ("ready", site.api, "/api/health/ready", server_is_ready, "fail"),
        ("ui", site.ui, "/", serves_app, "fail"),
        ("docs", site.docs, "/", lambda _: True, "warn"),
    )
    checks = []
    for name, api, path, good, level in rows:
        if api is None:
            continue
        answer = api.answers(path)
        if answer is not None and answer.ok and good(answer):
            checks.append(passed(name, f"{api.base}{path} answers"))
        else:
            said = "does not answer" if answer is None else answer.problem()
            checks.append(Check(level, name, f"{api.base}{path} {said}", "invoke status"))
    return checks
