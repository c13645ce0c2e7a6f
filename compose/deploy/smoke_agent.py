"""Runs one real agent to its end: everything else can be green while no agent can start."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from compose.checks import Check, passed
from compose.deploy.api import Api
from compose.deploy.host import Host
from compose.errors import ComposeError

NAME = "agent"
FOLDER = "automaker-staging-smoke"
FINISHED = ("done", "review", "verified")
GAVE_UP = ("blocked", "interrupted")
# A project of its own in the server's data directory, a git repository where the image has git.
# What a killed run has left is swept by the first one an hour later.
_PREPARE = """
set -e
find "${1%/*}" -maxdepth 1 -name "$2" -mmin +60 -exec rm -rf {} + || true
mkdir -p "$1"
if command -v git >/dev/null && [ ! -d "$1/.git" ]; then
  git init --quiet --initial-branch=dev "$1"
  cd "$1"
  git -c user.name=smoke -c user.email=smoke@localhost commit --quiet --allow-empty -m smoke
  git init --quiet --bare "$1.git"
  git remote add origin "$1.git"
  git push --quiet origin dev
fi
if [ "$(id -u)" = 0 ]; then
  for made in "$1" "$1.git"; do [ ! -e "$made" ] || chown -R --reference="${1%/*}" "$made"; done
fi
"""
_REMOVE = 'rm -rf -- "$1" "$1.git"'


@dataclass(frozen=True)
class Where:
    """The project the agent works in; `own` is one made for the test and removed after it."""

    project: str
    container: str
    own: bool


def agent_runs(host: Host, api: Api, where: Where, budget_s: float) -> Check:
    """Create a feature, run it, wait for its end, delete it; one line of the smoke test."""
    began = time.monotonic()
    feature_id = ""
    try:
        if where.own:
            _inside(host, where, _PREPARE)
        feature_id = _create(api, where.project)
        body = {"projectPath": where.project, "featureId": feature_id}
        answer = api.post("/api/auto-mode/run-feature", body)
        if not answer.ok:
            return _failed(f"could not be started: {answer.problem()}")
        problem = _await_end(api, body, began + budget_s)
        if problem:
            return _failed(problem)
        return passed(NAME, f"one ran to its end in {time.monotonic() - began:.1f} s")
    except ComposeError as error:
        return _failed(str(error))
    finally:
        _tidy(host, api, where, feature_id)


def _create(api: Api, project: str) -> str:
    # The unique part first: branch names are cut to 40 characters.
    title = f"{uuid.uuid4().hex[:8]} smoke test"
    feature = {
        "title": title,
        "description": "Answer with the word OK. Change no file.",
        "complexity": "small",
        "skipTests": True,
    }
    answer = api.post("/api/features/create", {"projectPath": project, "feature": feature})
    if not answer.ok:
        raise ComposeError(f"no feature could be created: {answer.problem()}")
    found = (answer.data.get("feature") or {}).get("id")
    if not found:
        raise ComposeError("no feature could be created: the answer names none")
    return str(found)


def _await_end(api: Api, body: dict[str, str], deadline: float) -> str:
    """Wait for the feature's end; empty where it ended well, else what happened."""
    pause, status = 0.2, "unknown"
    while time.monotonic() < deadline:
        answer = api.post("/api/features/get", body)
        if not answer.ok:
            return f"its feature cannot be read: {answer.problem()}"
        feature = answer.data.get("feature") or {}
        status = str(feature.get("status"))
        if status in FINISHED:
            return ""
        if status in GAVE_UP:
            reason = feature.get("statusChangeReason") or "no reason given"
            return f"ended {status}: {reason}"
        time.sleep(pause)
        pause = min(2.0, pause * 1.2)  # the API takes 300 requests a minute
    return f"did not end in time; its feature is {status}"


def _failed(found: str) -> Check:
    return Check(
        "fail", NAME, found, "invoke logs; is the agents' CLI in the image, its key valid?"
    )


def _tidy(host: Host, api: Api, where: Where, feature_id: str) -> None:
    body = {"projectPath": where.project, "featureId": feature_id}
    steps: list[Callable[[], object]] = []
    if feature_id:
        stop = {"featureId": feature_id}
        steps.append(lambda: api.post("/api/auto-mode/stop-feature", stop))
        steps.append(lambda: api.post("/api/features/delete", body))
    if where.own:
        steps.append(lambda: _inside(host, where, _REMOVE))
    for step in steps:
        try:
            step()
        except ComposeError as error:
            host.progress.note(f"the smoke test could not tidy up: {error}")


def _inside(host: Host, where: Where, script: str) -> None:
    arguments = ["sh", where.project, f"{FOLDER}-*"]
    host.change(["docker", "exec", where.container, "sh", "-c", script, *arguments])
