"""Draining: loops stop, agents get time to finish, and afterwards the loops start again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass

from compose.deploy.api import Answer, Api
from compose.deploy.store import Loop
from compose.errors import ComposeError

# The server gives agents 120 s, and answers only then.
DRAIN_S = 180.0
LOOK_S = 2.0
SKIP = "see invoke status; --no-drain goes on without, and running agents are lost"

Note = Callable[[str], None]


@dataclass(frozen=True)
class Drained:
    """What a drain did."""

    loops_stopped: int
    agents_stopped: int
    """Agents that did not finish in time and were stopped: their work of this turn is lost."""
    seconds: float

    def text(self) -> str:
        """Return it as a person reads it."""
        lost = f"{self.agents_stopped} stopped by force" if self.agents_stopped else "none lost"
        return f"{self.loops_stopped} loops stopped; agents: {lost}"


def active_loops(api: Api) -> list[Loop]:
    """Return the auto-mode loops that run, with their limits, so that they can be started again."""
    answer = _good(api.post("/api/auto-mode/status"), "auto-mode status")
    loops = []
    for one in answer.data.get("activeAutoLoopWorktrees") or []:
        project, branch = str(one["projectPath"]), one.get("branchName")
        body = {"projectPath": project, "branchName": branch}
        limit = api.post("/api/auto-mode/status", body).data.get("maxConcurrency")
        loops.append(Loop(project, branch, limit if isinstance(limit, int) else None))
    return loops


def drain(api: Api, note: Note) -> Drained:
    """Drain the server and wait for it; reports every few seconds how many agents still run.

    Raises ComposeError when it fails: then nothing may be stopped that still works.
    """
    deadline = time.monotonic() + DRAIN_S
    while True:
        answer = _watched(api, note)
        if answer.status == 409 and time.monotonic() < deadline:
            note("a drain is under way already; waiting for it")
            wait_for_end(api, deadline - time.monotonic())
            continue
        data = _good(answer, "drain").data
        return Drained(
            int(data.get("worktreesStopped") or 0),
            int(data.get("agentsForceStopped") or 0),
            float(data.get("elapsedSeconds") or 0),
        )


def start_loops(api: Api, loops: Sequence[Loop], note: Note) -> list[Loop]:
    """Start loops again that a drain stopped; returns those that could not be, each said why."""
    failed = []
    for loop in loops:
        body: dict[str, object] = {"projectPath": loop.project, "branchName": loop.branch}
        if loop.max_concurrency:
            body["maxConcurrency"] = min(20, max(1, loop.max_concurrency))
        where = loop.project + (f" ({loop.branch})" if loop.branch else "")
        try:
            answer = api.post("/api/auto-mode/start", body)
            problem = "" if answer.ok else answer.problem()
        except ComposeError as error:
            problem = str(error)
        if problem:
            failed.append(loop)
            note(f"auto-mode of {where} could not be started again: {problem}")
        else:
            note(f"auto-mode of {where} runs again")
    return failed


def _watched(api: Api, note: Note) -> Answer:
    """Call the drain and, while it takes its time, say what still runs."""
    call: Future[Answer] = Future()

    def ask() -> None:
        try:
            call.set_result(api.post("/api/deploy/drain", timeout_s=DRAIN_S))
        except Exception as error:
            call.set_exception(error)

    # A daemon: after Ctrl-C nobody has to wait two minutes for the answer.
    threading.Thread(target=ask, daemon=True).start()
    while not wait([call], LOOK_S).done:
        status = api.answers("/api/deploy/status")
        if status is not None and status.ok:
            note(f"{status.data.get('runningAgents')} agents still run")
    return call.result()


def wait_for_end(api: Api, budget_s: float = DRAIN_S) -> None:
    """Wait until no drain is under way: nobody can call one off."""
    deadline = time.monotonic() + budget_s
    while time.monotonic() < deadline:
        status = api.answers("/api/deploy/status")
        if status is not None and not status.data.get("drainInProgress"):
            return
        time.sleep(1.0)


def _good(answer: Answer, what: str) -> Answer:
    if not answer.ok:
        raise ComposeError(f"{what} failed: {answer.problem()}", next_step=SKIP)
    return answer
