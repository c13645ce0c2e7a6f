"""What the target and the swarm of a trial are told. Pure."""

from __future__ import annotations

import json

from compose.model import ServiceLimits
from loadtest.outcome import Trial
from loadtest.plan import Campaign, profile_of
from loadtest.swarm.result import SwarmTask
from settings.models import Settings

PROJECTS = "/projects"
MAX_CONCURRENCY = 20
_UNTIL_TOLD_S = 3600.0  # an agent of a ramp or a round holds its peak until it is ended
_CAP_HOLD_S = 0.5
_STABLE_HOLD_S = 2.0
_TURNS_AT_ONCE = 10
_SLACK_S = 10.0


def environment_of(
    trial: Trial,
    campaign: Campaign,
    settings: Settings,
    limits: ServiceLimits,
    *,
    key: str,
    swapped: bool,
) -> dict[str, str]:
    """The staging environment with what makes it a test: no secret of the host's goes in.

    `swapped`: a part of the target's memory is backed by swap.
    """
    return {
        **server_environment(limits, key, normal_ms=50, idle_ms=500),
        "STANDIN_PROFILES": json.dumps(profiles_of(trial, campaign, settings, swapped=swapped)),
        "STANDIN_SEED": str(trial.seed),
    }


def server_environment(
    limits: ServiceLimits, key: str, *, normal_ms: int, idle_ms: int
) -> dict[str, str]:
    """What every server under test is told; its loops wait in milliseconds, not in seconds."""
    return {
        "NODE_ENV": "production",
        "NODE_OPTIONS": limits.environment.get("NODE_OPTIONS", ""),
        "AUTOMAKER_API_KEY": key,
        # Ramps start agents by hand up to the server's ceiling; a cap is asked for by name.
        "AUTOMAKER_MAX_CONCURRENCY": str(MAX_CONCURRENCY),
        "ALLOWED_ROOT_DIRECTORY": PROJECTS,
        "DATA_DIR": "/data",
        "PORT": "3008",
        "SLEEP_INTERVAL_NORMAL_MS": str(normal_ms),
        "SLEEP_INTERVAL_CAPACITY_MS": "200",
        "SLEEP_INTERVAL_IDLE_MS": str(idle_ms),
        "AUTO_MODE_STARTUP_DELAY_MS": "0",
    }


def profiles_of(
    trial: Trial, campaign: Campaign, settings: Settings, *, swapped: bool
) -> dict[str, dict[str, object]]:
    """What the agents of each class do in a trial, as the stand-in reads it."""
    swarm = settings.loadtest.swarm
    hold_s = {"cap": _CAP_HOLD_S, "stable": _STABLE_HOLD_S}.get(trial.kind, _UNTIL_TOLD_S)
    profiles = {
        name: profile_of(
            agent,
            campaign,
            settings,
            reading=trial.reading,
            hold_s=hold_s,
            compression=swarm.stable_compression if trial.kind == "stable" else swarm.compression,
            swapped=swapped,
        )
        for name, agent in settings.agents.classes.items()
    }
    if trial.kind == "rounds":
        # The same curve in fewer steps: only the peaks together matter here, and two dozen
        # agents that all read their context at every turn keep two processors busy.
        for profile in profiles.values():
            profile["turns"] = max(1, int(profile["turns"]) // _TURNS_AT_ONCE)
    return profiles


def task_of(
    trial: Trial,
    campaign: Campaign,
    settings: Settings,
    limits: ServiceLimits,
    *,
    host: str,
    key: str,
    began: float,
) -> SwarmTask:
    """A trial for the swarm; `host` is the base URL of the server, `began` since the epoch."""
    swarm, health = settings.loadtest.swarm, limits.health
    # Docker calls a container unhealthy after so many checks in a row without an answer.
    budget = health.retries * (health.interval_s + health.timeout_s) if health else 60.0
    return SwarmTask(
        host=host,
        api_key=key,
        trial=trial,
        models={name: agent.model for name, agent in settings.agents.classes.items()},
        began=began,
        projects_root=PROJECTS,
        agents_per_project=swarm.agents_per_project,
        hold_s=campaign.plan.hold_s,
        duration_s=campaign.plan.stable_s,
        poll_s=swarm.poll_s,
        # A frozen server is to be called unresponsive, not its agent slow.
        agent_budget_s=max(swarm.agent_budget_s, budget + _SLACK_S),
        unanswered_budget_s=budget,
    )
