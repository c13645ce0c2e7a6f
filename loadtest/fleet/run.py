"""`--hosts A,B`: the whole path of a fleet's run, from names of hosts to the exit code."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console

from compose.model import ServiceLimits
from compose.run import run
from loadtest.campaign import Request, plan_campaign, staging_limits
from loadtest.fleet.gather import Gathering, Reached, reach
from loadtest.fleet.hosts import FleetHost, fleet_of
from loadtest.fleet.measure import Lockstep
from loadtest.fleet.plan import fleet_scale, only_ramps
from loadtest.fleet.progress import FleetProgress
from loadtest.fleet.report import FleetFacts, report_fleet
from loadtest.fleet.terminal import print_fleet
from loadtest.lock import only_campaign
from loadtest.measure import report_folder
from loadtest.plan import Campaign
from loadtest.report.plan_table import print_plan
from loadtest.report.words import scale_words
from loadtest.rig.errors import RigError
from settings.environment import swarm_environment
from settings.load import load_settings
from settings.models import Settings
from settings.sizes import in_gib


def run_fleet(request: Request, names: Sequence[str], console: Console) -> int:
    """Measure all hosts at the same time and report it; returns the exit code.

    `names` are addresses of engines or contexts of Docker's. Raises PlanError, SettingsError,
    RigError and ComposeError when nothing could be run at all.
    """
    settings, limits = load_settings(), staging_limits()
    hosts = fleet_of(names, run)
    progress = FleetProgress(console)
    with contextlib.ExitStack() as open_:
        reached = reach(hosts, open_, progress)
        campaign, left_out = plan_fleet(request, settings, limits, reached)
        if request.dry_run:
            show_plan(console, campaign, limits, reached, left_out)
            return 0
        open_.enter_context(only_campaign())
        started_at, began = datetime.now(UTC), time.monotonic()
        folder = report_folder(request.out)
        (folder / "samples").rmdir()  # each host has its own
        gathering = Gathering(settings, campaign, limits, folder, progress)
        members = gathering.members(reached, open_)
        if not members:
            shutil.rmtree(folder, ignore_errors=True)
            first = next(iter(reached.unusable.items()))
            raise RigError(f"no host of the fleet can be used: {first[0].name}: {first[1]}")
        models = {name: agent.model for name, agent in settings.agents.classes.items()}
        lockstep = Lockstep(members, campaign, models, folder, swarm_environment(), progress)
        interrupted = False
        try:
            lockstep.run()
        except KeyboardInterrupt:
            interrupted = True  # what was measured until then is judged and kept
        facts = FleetFacts(
            request, campaign, left_out, folder, started_at, time.monotonic() - began, interrupted
        )
        summary = report_fleet(facts, hosts, members, reached.unusable, lockstep.statistics)
    print_fleet(console, summary, folder)
    return summary.exit_code


def plan_fleet(
    request: Request, settings: Settings, limits: ServiceLimits, reached: Reached
) -> tuple[Campaign, tuple[str, ...]]:
    """The campaign that all hosts run, and what of the plan is left out. Raises PlanError."""
    facts = [engine.host for engine in reached.engines.values()]
    true_limit = request.limit or limits.memory_bytes
    scale = fleet_scale(request.scale, settings.loadtest, true_limit, facts)
    return only_ramps(plan_campaign(replace(request, scale=scale), settings, limits, facts[0]))


def show_plan(
    console: Console,
    campaign: Campaign,
    limits: ServiceLimits,
    reached: Reached,
    left_out: Sequence[str],
) -> None:
    """Print what would be run, and where; nothing has been touched."""
    print_plan(console, campaign, limits)
    scale = scale_words(campaign.scale)
    console.print(f"fleet: every trial on all hosts at the same time, at {scale}, the smallest")
    for host, engine in reached.engines.items():
        facts = engine.host
        console.print(
            f"  {_named(host)}: {in_gib(facts.memory)}, {facts.cpus} cores", highlight=False
        )
    for host, reason in reached.unusable.items():
        console.print(f"  {_named(host)}: cannot be used: {reason}", highlight=False, markup=False)
    for what in left_out:
        console.print(f"left out on a fleet: {what}")


def _named(host: FleetHost) -> str:
    return host.name if host.name == host.address else f"{host.name} ({host.address})"
