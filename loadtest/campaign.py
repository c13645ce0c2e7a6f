"""The whole path on one screen: plan -> trials -> outcomes -> verdicts -> report -> exit code."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from compose.commands import STAGING_FILE
from compose.effective import staging_values
from compose.errors import ComposeError
from compose.model import ServiceLimits, load_model, read_limits
from compose.run import run
from loadtest import outcome as record
from loadtest.claims import exit_code as exit_code_of
from loadtest.claims import judge
from loadtest.lock import only_campaign
from loadtest.outcome import Outcome
from loadtest.plan import Backing, Campaign, back, choose_scale, cpu_limit, grade_of, make_campaign
from loadtest.report.live import Progress, progress_for
from loadtest.report.plan_table import print_plan
from loadtest.report.terminal import print_summary
from loadtest.report.write import point_latest, write_reports
from loadtest.rig.backing import can_back, compressed_swap, sweep_swap
from loadtest.rig.engine import ENGINE_ERRORS, Client, connect, sweep
from loadtest.rig.image import BUILD, ensure_image
from loadtest.rig.trial import Rig
from loadtest.summarise import Facts, summarise
from loadtest.summary import INTERRUPTED, UNUSABLE, ClaimResult
from settings.environment import compose_placeholders, swarm_environment
from settings.host import HostFacts, host_facts
from settings.load import load_settings
from settings.models import Settings
from settings.sizes import in_gib

ROOT = Path(__file__).parent.parent
ENV_FILE = ROOT / ".env.staging"


@dataclass(frozen=True)
class Request:
    """What the command line asks for; None leaves a decision to the plan."""

    plan: str = "quick"
    scale: float | None = None
    workloads: tuple[str, ...] = ()
    limit: int | None = None
    runs: int | None = None
    seed: int = 0
    out: Path = ROOT / "reports"
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
    with connect() as client, only_campaign():
        backing = back(
            campaign.limit,
            settings.loadtest.thresholds.host_reserve,
            host,
            swap_allowed=can_back(),
            compressible=settings.loadtest.swarm.content == "same",
        )
        folder = report_folder(request.out)
        progress = progress_for(console, campaign.expected_s)
        began = time.monotonic()
        outcomes: list[Outcome] = []
        stopped: BaseException | None = None
        try:
            clear_away(client, progress)
            rig = Rig(
                run_id=folder.name,
                client=client,
                image=build_image(progress),
                limits=limits,
                cpus=cpu_limit(limits.cpus, host),
                settings=settings,
                campaign=campaign,
                backing=backing,
                folder=folder,
                swarm_environment=swarm_environment(),
                on_memory=progress.memory,
            )
            with swap_for(backing, progress):
                measure_all(rig, progress, outcomes)
        except (KeyboardInterrupt, *ENGINE_ERRORS, ComposeError, OSError) as error:
            stopped = error  # what was measured until then is judged and kept
        finally:
            progress.close()
        if stopped and not outcomes and not isinstance(stopped, KeyboardInterrupt):
            shutil.rmtree(folder, ignore_errors=True)
            raise stopped
        results = judge_all(settings, campaign, outcomes)
        code = exit_code_of(results) if stopped is None else code_of(stopped)
        took = time.monotonic() - began
        facts = Facts(folder.name, request, campaign, backing, limits, host, took, code)
        summary = summarise(facts, settings, results, outcomes)
        print_summary(console, summary, folder)
        write_reports(folder, summary, outcomes)
        if outcomes:
            point_latest(request.out, folder)
        if stopped and code != INTERRUPTED:
            raise stopped
    return code


def judge_all(
    settings: Settings, campaign: Campaign, outcomes: Sequence[Outcome]
) -> list[ClaimResult]:
    """A verdict for every claim of the guide, those not asked for included."""
    return [
        judge(
            name,
            claim,
            outcomes,
            scale=campaign.scale,
            selected=name in campaign.claims,
            planned=campaign.trials,
        )
        for name, claim in settings.claims.items()
    ]


def code_of(stopped: BaseException) -> int:
    """Exit code of a campaign that was cut short."""
    return INTERRUPTED if isinstance(stopped, KeyboardInterrupt) else UNUSABLE


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
        workloads=request.workloads,
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


def clear_away(client: Client, progress: Progress) -> None:
    """Remove what runs that were killed left behind."""
    for removed in (*sweep(client), *(f"swap {name}" for name in sweep_swap(run))):
        progress.phase(f"removed what an earlier run left behind: {removed}")


def build_image(progress: Progress) -> str:
    """Name of the stand-in's image, built if need be."""
    progress.phase("stand-in image: built once, about a minute the first time")
    return ensure_image(run, BUILD)


def measure_all(rig: Rig, progress: Progress, outcomes: list[Outcome]) -> None:
    """Run every trial; each outcome is on disk before the next trial begins."""
    trials = rig.campaign.trials
    try:
        for number, trial in enumerate(trials, start=1):
            progress.trial_started(trial, number, len(trials))
            outcome = rig.measure(trial)
            record.append(rig.folder / "trials.jsonl", outcome)
            outcomes.append(outcome)
            progress.trial_ended(outcome)
    finally:
        # An engine that is lost cannot be swept; the next run, or `invoke clean`, does it.
        with contextlib.suppress(*ENGINE_ERRORS):
            sweep(rig.client, rig.run_id)


@contextlib.contextmanager
def swap_for(backing: Backing, progress: Progress) -> Iterator[None]:
    """The swap that a limit beyond the host's memory needs, while it is needed."""
    if not backing.swap:
        yield
        return
    progress.phase(f"compressed swap of {in_gib(backing.swap)} behind the target's memory")
    with compressed_swap(run, backing.swap):
        yield


def report_folder(out: Path) -> Path:
    """A fresh folder for a run's files; earlier reports are never touched."""
    folder = out / (datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ") + f"-{os.getpid()}")
    for path in (folder / "samples", folder / "logs"):
        path.mkdir(parents=True)
    return folder
