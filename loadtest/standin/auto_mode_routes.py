"""/api/auto-mode, /api/running-agents and /api/deploy: what runs, and starting and ending it."""

from __future__ import annotations

import asyncio
from typing import Any

from .call import Call
from .errors import Refusal
from .scheduler import blocking_dependencies, describe_blocking
from .server import Answer, Endpoint, Routes, Server
from .server_settings import (
    DEFAULT_MAX_CONCURRENCY,
    HIGHEST_SYSTEM_CONCURRENCY,
    LOWEST_SYSTEM_CONCURRENCY,
    always_on_projects,
    shown_system_concurrency,
)
from .validation import absolute_path, integer, optional, require_with_details, text

CONCURRENCY = integer(LOWEST_SYSTEM_CONCURRENCY, HIGHEST_SYSTEM_CONCURRENCY)
START_FIELDS = {
    "projectPath": absolute_path,
    "branchName": optional(text(), nullable=True),
    "maxConcurrency": optional(CONCURRENCY),
}


async def start(server: Server, call: Call) -> Answer:
    """Start a project's loop; starting a running one changes nothing."""
    require_with_details(call.body, START_FIELDS)
    body = call.fields()
    project, branch = body["projectPath"], body.get("branchName")
    if (project, branch) in server.auto_mode.loops:
        message = f"Auto mode is already running for {_place(branch)}"
        return {"success": True, "message": message, "alreadyRunning": True, "branchName": branch}
    requested = body.get("maxConcurrency")
    limit = server.auto_mode.start(project, branch, None if requested is None else int(requested))
    message = f"Auto mode started with max {limit} concurrent features"
    return {"success": True, "message": message, "branchName": branch}


async def stop(server: Server, call: Call) -> Answer:
    """Stop a project's loop; its agents go on."""
    project, branch = _project(call), _branch(call)
    if (project, branch) not in server.auto_mode.loops:
        message = f"Auto mode is not running for {_place(branch)}"
        return {"success": True, "message": message, "wasRunning": False, "branchName": branch}
    count = server.auto_mode.stop(project, branch)
    return {
        "success": True,
        "message": "Auto mode stopped",
        "runningFeaturesCount": count,
        "branchName": branch,
    }


async def status(server: Server, call: Call) -> Answer:
    """Answer what runs: of one project, or of all when none is named."""
    project = call.fields().get("projectPath")
    shown = shown_system_concurrency(server.settings(), server.auto_mode.cap)
    if isinstance(project, str) and project:
        return _project_status(server, project, _branch(call), shown)
    running = [lease.feature_id for lease in server.auto_mode.leases.all()]
    loops = list(server.auto_mode.loops)
    return {
        "success": True,
        "isRunning": bool(running),
        "runningFeatures": running,
        "runningCount": len(running),
        "activeAutoLoopProjects": list(dict.fromkeys(path for path, _ in loops)),
        "activeAutoLoopWorktrees": [
            {"projectPath": path, "branchName": branch} for path, branch in loops
        ],
        "systemMaxConcurrency": shown,
    }


async def run_feature(server: Server, call: Call) -> Answer:
    """Run one feature now; 409 while it waits for others, 429 without a free slot."""
    body = call.fields()
    project, feature_id = body.get("projectPath"), body.get("featureId")
    if not (isinstance(project, str) and project and isinstance(feature_id, str) and feature_id):
        raise Refusal(400, "projectPath and featureId are required")
    feature = await asyncio.to_thread(server.store.get, project, feature_id)
    if feature and feature.get("dependencies") and not body.get("force"):
        features = await asyncio.to_thread(server.store.all_of, project)
        done = {one["id"] for one in features if one["status"] == "done"}
        blocking = blocking_dependencies(feature, done)
        if blocking:
            names = describe_blocking(blocking, features)
            error = f"Feature has unsatisfied dependencies: {names}"
            raise Refusal(409, error, details={"blockingDependencies": blocking})
    server.auto_mode.run_feature(project, feature_id, feature)
    return {"success": True}


async def stop_feature(server: Server, call: Call) -> Answer:
    """Stop one agent; its feature goes back to the backlog at once."""
    feature_id = call.fields().get("featureId")
    if not isinstance(feature_id, str) or not feature_id:
        raise Refusal(400, "featureId is required")
    return {"success": True, "stopped": await server.auto_mode.stop_feature(feature_id)}


async def resume_interrupted(server: Server, call: Call) -> Answer:
    """Run the features a restart has interrupted, as far as there are slots."""
    project = call.fields().get("projectPath")
    if not isinstance(project, str) or not project:
        raise Refusal(400, "Project path is required")
    await server.auto_mode.resume_interrupted(project)
    return {"success": True, "message": "Resume check completed"}


async def reconcile(server: Server, call: Call) -> Answer:
    """Put features nobody runs back to the backlog, of one project or of all always-on ones."""
    require_with_details(call.body, {"projectPath": optional(absolute_path)})
    project = call.fields().get("projectPath")
    if project:
        moved = await server.auto_mode.reconcile(project)
        message = f"Reconciled {len(moved)} feature(s)"
        return {"success": True, "reconciled": moved, "message": message}
    projects = list(dict.fromkeys(path for path, _, _ in always_on_projects(server.settings())))
    moved = [
        {"projectPath": path, **one}
        for path in projects
        for one in await server.auto_mode.reconcile(path)
    ]
    message = f"Reconciled {len(moved)} feature(s) across {len(projects)} project(s)"
    return {"success": True, "reconciled": moved, "message": message}


async def running_agents(server: Server, _call: Call) -> Answer:
    """Every running agent of every project."""
    agents = [lease.describe() for lease in server.auto_mode.leases.all()]
    return {"success": True, "runningAgents": agents, "totalCount": len(agents)}


async def drain(server: Server, _call: Call) -> Answer:
    """Empty the server; answers when it is empty, after two minutes at the latest."""
    return await server.drain.drain()


async def deploy_status(server: Server, _call: Call) -> Answer:
    """Whether a drain is active, and what still runs."""
    return server.drain.status()


def _project_status(
    server: Server, project: str, branch: str | None, shown: float
) -> dict[str, Any]:
    loop = server.auto_mode.loops.get((project, branch))
    running = [lease.feature_id for lease in server.auto_mode.leases.of(project)]
    return {
        "success": True,
        "isRunning": bool(running),
        "isAutoLoopRunning": loop is not None,
        "runningFeatures": running,
        "runningCount": len(running),
        "maxConcurrency": loop.limit if loop else DEFAULT_MAX_CONCURRENCY,
        "systemMaxConcurrency": shown,
        "projectPath": project,
        "branchName": branch,
    }


def _project(call: Call) -> str:
    project = call.fields().get("projectPath")
    if not isinstance(project, str) or not project:
        raise Refusal(400, "projectPath is required")
    return project


def _branch(call: Call) -> str | None:
    branch = call.fields().get("branchName")
    return branch if isinstance(branch, str) else None


def _place(branch: str | None) -> str:
    return f"worktree {branch}" if branch else "main worktree"


ROUTES: Routes = {
    ("POST", "/api/auto-mode/start"): Endpoint(start, checks_path=True),
    ("POST", "/api/auto-mode/stop"): Endpoint(stop, checks_path=True),
    ("POST", "/api/auto-mode/status"): Endpoint(status, checks_path=True),
    ("POST", "/api/auto-mode/run-feature"): Endpoint(run_feature, checks_path=True),
    ("POST", "/api/auto-mode/stop-feature"): Endpoint(stop_feature),
    ("POST", "/api/auto-mode/resume-interrupted"): Endpoint(resume_interrupted, checks_path=True),
    ("POST", "/api/auto-mode/reconcile"): Endpoint(reconcile, checks_path=True),
    ("GET", "/api/running-agents"): Endpoint(running_agents),
    ("POST", "/api/deploy/drain"): Endpoint(drain),
    ("GET", "/api/deploy/status"): Endpoint(deploy_status),
}
