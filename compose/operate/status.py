"""One look at a stack: what should run, what runs, who is at work on it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from compose.deploy.api import Api
from compose.deploy.containers import Container, container
from compose.deploy.context import Context, State
from compose.deploy.docs import docs_api, docs_state
from compose.deploy.journal import STOPPED, unfinished
from compose.deploy.lock import holder
from compose.deploy.store import Attempt
from compose.errors import ComposeError
from compose.operate.live import live_state
from compose.operate.memory import Memory, memory_of
from compose.table import table


@dataclass(frozen=True)
class ServiceStatus:
    """One service and its container."""

    service: str
    container: str
    state: str
    health: str
    restarts: int
    port: int
    image: str
    memory: Memory | None


@dataclass(frozen=True)
class Status:
    """A stack as it is now. `problems` is empty where all is well."""

    project: str
    home: str
    live: str
    commit: str
    services: tuple[ServiceStatus, ...]
    ready: bool
    agents: int | None
    loops: int | None
    draining: bool
    lock: str
    unfinished: str
    problems: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return asdict(self)


def look(ctx: Context) -> Status:
    """Look at everything; what cannot be found out is said, not raised."""
    live = _live(ctx)
    attempt = ctx.store.attempt()
    try:
        known = live or _half_done(ctx, attempt)
        services, unknown = _services(ctx, known) if known else (), ""
    except ComposeError as error:
        # What is live, who is at work and what was cut short can be told all the same.
        services, unknown = (), f"containers not known: {str(error).splitlines()[-1].strip()}"
    api = ctx.api(live.running) if live else None
    deploy = api.answers("/api/deploy/status") if api else None
    agents = deploy.data if deploy is not None and deploy.ok else {}
    ready = _is_ready(api)
    has = holder(ctx.stack.home)
    undone = unfinished(attempt, live=live is not None) if has is None else ""
    stopped = ""
    if attempt is not None and attempt.step == STOPPED:
        stopped = f"stopped by {attempt.by} at {attempt.started}: invoke start"
    return Status(
        project=ctx.stack.project,
        home=str(ctx.stack.home),
        live=live.release.id if live else "",
        commit=live.release.commit if live else "",
        services=services,
        ready=ready,
        agents=agents.get("runningAgents"),
        loops=agents.get("activeWorktrees"),
        draining=bool(agents.get("drainInProgress")),
        lock=has.text() if has else "",
        unfinished=undone,
        # Whoever is at work knows that not everything runs just now.
        problems=() if has else tuple(_problems(live, services, ready, (undone, stopped, unknown))),
    )


def show_status(status: Status) -> str:
    """Return it as a person reads it."""
    head = [
        f"{status.project}: {status.live or 'nothing is live'}"
        + (f" (commit {status.commit})" if status.commit else ""),
        f"deploy directory {status.home}",
    ]
    if status.lock:
        head.append(f"at work: {status.lock}")
    cells = [
        (
            one.service,
            one.state,
            one.health or "-",
            str(one.restarts),
            str(one.port or "-"),
            one.image,
            one.memory.text() if one.memory else "-",
        )
        for one in status.services
    ]
    headings = ("Service", "State", "Health", "Restarts", "Port", "Image", "Memory")
    body = [table(cells, headings)] if cells else []
    if status.agents is not None:
        more = ", draining" if status.draining else ""
        body.append(f"{status.agents} agents run, {status.loops} auto-mode loops{more}")
    body += [f"! {one}" for one in status.problems]
    return "\n".join([*head, *body])


def _live(ctx: Context) -> State | None:
    try:
        return ctx.live_state()
    except ComposeError as error:
        ctx.note(str(error))
        return None


def _half_done(ctx: Context, attempt: Attempt | None) -> State | None:
    """Return what a first deploy that was killed has left; None where that cannot be told."""
    if attempt is None or not attempt.switching:
        return None
    try:
        return live_state(ctx)
    except ComposeError:
        return None


def _services(ctx: Context, live: State) -> tuple[ServiceStatus, ...]:
    view = live.running.view
    rows = [
        _row(ctx, name, one.container, one.port, live.release.images[name].id)
        for name, one in view.services.items()
        if name in live.release.images
    ]
    docs = docs_state(ctx.stack.home)
    name, api = f"{ctx.stack.name}-docs", docs_api(ctx)
    port = int(api.base.rpartition(":")[2]) if api else 0
    rows.append(_row(ctx, "docs", name, port, docs.image.id if docs else ""))
    return tuple(rows)


def _row(ctx: Context, service: str, name: str, port: int, image: str) -> ServiceStatus:
    state = container(ctx.host, name)
    if state is None:
        return ServiceStatus(service, name, "absent", "", 0, port, "-", None)
    memory = memory_of(ctx.host, name, state.memory) if state.running else None
    same = "as released" if state.image == image else "another one"
    shown = state.status if state.running else _ended(state)
    return ServiceStatus(service, name, shown, state.health, state.restarts, port, same, memory)


def _ended(state: Container) -> str:
    return state.end() if state.status == "exited" else state.status


def _is_ready(api: Api | None) -> bool:
    answer = api.answers("/api/health/ready") if api else None
    return answer is not None and answer.ok


def _problems(
    live: State | None, services: tuple[ServiceStatus, ...], ready: bool, said: tuple[str, ...]
) -> list[str]:
    found = [one for one in said if one]
    if live is None:
        return found
    for one in services:
        if one.service == "docs":
            continue
        if one.state != "running":
            more = f"invoke start; invoke logs --service {one.service}"
            found.append(f"{one.service} is {one.state}: {more}")
        elif one.image != "as released":
            found.append(f"{one.service} does not run the released image: invoke restart")
        found += one.memory.warnings() if one.memory else []
    if not ready:
        found.append("the server is not ready: invoke health")
    return found
