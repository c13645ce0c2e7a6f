"""Waits until a service is ready, and says early and in full when it will never be."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from compose.deploy.api import Answer, Api
from compose.deploy.containers import Container, container
from compose.deploy.host import Host
from compose.errors import ComposeError
from compose.model import Health

POLL_S = 0.1
INSPECT_S = 0.5
REMIND_S = 5.0
UI_BUDGET_S = 60.0
# Of a service that the engine restarts for ever.
MANY_RESTARTS = 5


@dataclass(frozen=True)
class Waiting:
    """What is known so far. `answer` is None where nothing answers yet."""

    state: Container | None
    answer: Answer | None
    waited_s: float
    budget_s: float


def budget(health: Health | None) -> float:
    """Seconds after which the engine itself would call a container unhealthy."""
    check = health or Health()
    return check.start_period_s + check.retries * (check.interval_s + check.timeout_s)


def hopeless(now: Waiting) -> str:
    """Say why a service will not get ready any more; empty as long as it may."""
    if now.state is None:
        return "its container is gone"
    if now.state.status in ("exited", "dead") and (now.state.exhausted or now.waited_s > 2):
        return now.state.end()
    if not now.state.restart_limit and now.state.restarts >= MANY_RESTARTS:
        return f"it crashed {now.state.restarts} times in a row, last {now.state.end()}"
    if now.waited_s < now.budget_s:
        return ""
    said = "nothing answers" if now.answer is None else f"it answers {now.answer.problem()}"
    return f"not ready after {now.budget_s:g} s: {said}; container {now.state.status}"


def await_ready(
    host: Host, name: str, api: Api, path: str, good: Callable[[Answer], bool], budget_s: float
) -> None:
    """Poll `path` until the answer is good. Raises ComposeError as soon as it cannot get so."""
    if host.dry:
        host.progress.note(f"GET {api.base}{path} until it is good, for at most {budget_s:g} s")
        return
    began = time.monotonic()
    inspected = reminded = began
    while True:
        answer = api.answers(path)
        if answer is not None and answer.ok and good(answer):
            return
        now = time.monotonic()
        if now - inspected >= INSPECT_S:
            inspected = now
            waiting = Waiting(container(host, name), answer, now - began, budget_s)
            problem = hopeless(waiting)
            if problem:
                raise ComposeError(f"{name}: {problem}")
            if now - reminded >= REMIND_S:
                reminded = now
                state = waiting.state.status if waiting.state else "absent"
                host.progress.note(f"{name} not ready after {now - began:.0f} s ({state})")
        time.sleep(POLL_S)


def server_is_ready(answer: Answer) -> bool:
    """Whether `/api/health/ready` says that the server can work."""
    return answer.data.get("status") == "ready"


def serves_app(answer: Answer) -> bool:
    """Whether a page is the UI's: it holds the root that the app is put into."""
    return 'id="app"' in answer.text or 'id="root"' in answer.text
