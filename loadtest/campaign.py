"""The whole path on one screen: plan -> trials -> outcomes -> verdicts -> report -> exit code."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from compose.commands import STAGING_FILE
from compose.effective import staging_values
from compose.errors import ComposeError
from compose.model import ServiceLimits, load_model, read_limits
from compose.run import run
from loadtest.conclude import conclude
from loadtest.history.regression import check_reference
from loadtest.lock import only_campaign
from loadtest.measure import Job, measure, report_folder
from loadtest.plan import Backing, Campaign, Choice, back, choose_scale, grade_of, make_campaign
from loadtest.report.live import progress_for
from loadtest.report.plan_table import print_plan
from loadtest.rig.backing import room_for_swap, way_to_swap
from loadtest.rig.engine import connect
from loadtest.rig.image import ROOT
from settings.environment import compose_placeholders, in_ci
from settings.host import HostFacts, host_facts
from settings.load import load_settings
from settings.models import Settings

ENV_FILE = ROOT / ".env.staging"


@dataclass(frozen=True)
class Request:
    """What the command line asks for; None leaves a decision to the plan."""

    plan: str = "quick"
    scale: float | None = None
    workloads: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    """Patterns of claims' ids; none stands for all of the plan."""
    limit: int | None = None
    runs: int | None = None
    seed: int = 0
    out: Path = ROOT / "reports"
    baseline: str | None = None
    prometheus: Path | None = None
    dry_run: bool = False


def run_campaign(request: Request, console: Console) -> int:
    """Run a campaign and report it; returns the exit code of the table in the README."""
    settings = load_settings()
    host = host_facts(request.out if request.out.exists() else ROOT)
    limits = staging_limits()
    campaign = plan_campaign(request, settings, limits, host)
    if request.dry_run:
        print_plan(console, campaign, limits)
        return 0
    if request.baseline:
        check_reference(request.out, request.baseline)
    with connect() as client, only_campaign():
        backing = back_campaign(campaign, settings, host)
        job = Job(settings, campaign, limits, host, backing, report_folder(request.out))
        measured = measure(job, client, progress_for(console, campaign.expected_s, in_ci=in_ci()))
        return conclude(request, job, measured, console)


def back_campaign(campaign: Campaign, settings: Settings, host: HostFacts) -> Backing:
    """What the limit of a campaign rests on. Raises PlanError.

    Situations have small targets of their own, which fit into any host.
    """
    if all(trial.kind == "scenario" for trial in campaign.trials):
        return Backing(campaign.limit)
    return back(
        campaign.limit,
        settings.loadtest.thresholds.host_reserve,
        host,
        way=way_to_swap(),
        compressible=settings.loadtest.swarm.content == "same",
        disk_free=room_for_swap(),
    )


def plan_campaign(
    request: Request, settings: Settings, limits: ServiceLimits, host: HostFacts
) -> Campaign:
    """The campaign for a request on a host. Raises PlanError."""
    true_limit = request.limit or limits.memory_bytes
    loadtest = settings.loadtest
    needed = true_limit + loadtest.thresholds.host_reserve
    scale = choose_scale(request.scale, loadtest.small_scale, needed, host)
    return make_campaign(
        settings,
        plan_name=request.plan,
        true_limit=true_limit,
        scale=scale,
        grade=grade_of(scale, host),
        choice=Choice(request.workloads, request.claims),
        runs=request.runs,
        seed=request.seed,
    )


def staging_limits() -> ServiceLimits:
    """The limits of the server in the effective staging model: what is deployed is tested."""
    if not STAGING_FILE.exists():
        raise ComposeError(
            f"{STAGING_FILE}: missing", next_step="bring it back: git checkout -- compose/"
        )
    env = {**staging_values(ENV_FILE).plain(), **compose_placeholders()}
    try:
        return read_limits(load_model(run, env_file=os.devnull, env=env))
    except ComposeError as error:
        error.add_note("where Docker Compose v2 is missing: .venv/bin/invoke provision installs it")
        raise
