"""What a campaign would do, for `--dry-run`: trials, memory and time, before anything starts."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.table import Table

from compose.model import ServiceLimits
from loadtest.outcome import Trial
from loadtest.plan import Campaign
from settings.sizes import in_gib


def print_plan(console: Console, campaign: Campaign, limits: ServiceLimits) -> None:
    """Print the plan; nothing has been touched."""
    table = Table(title=None, box=None, pad_edge=False, header_style="bold")
    for name in ("trial", "runs", "agents at most", "what it answers"):
        table.add_column(name)
    trials = sorted(campaign.trials, key=_group)
    for (kind, workload, _), group in groupby(trials, key=_group):
        members = list(group)
        table.add_row(
            f"{kind} {workload}", str(len(members)), str(len(members[0].agents)), _why(members[0])
        )
    console.print(table)
    console.print()
    console.print(
        f"plan {campaign.plan_name}, scale {campaign.scale:g} (grade: {campaign.grade}): "
        f"{len(campaign.trials)} trials, {len(campaign.claims)} claims"
    )
    console.print(
        f"memory: a limit of {in_gib(campaign.limit)} for one target at a time "
        f"(staging model: {in_gib(limits.memory_bytes)})"
    )
    minutes, seconds = divmod(round(campaign.expected_s), 60)
    console.print(f"time: about {minutes} min {seconds} s, after set-up")


def _group(trial: Trial) -> tuple[str, str, int]:
    return trial.kind, trial.workload, trial.concurrent or 0


def _why(trial: Trial) -> str:
    if trial.kind == "ramp":
        return f"agent after agent until something fails (about {trial.predicted} fit)"
    if trial.kind == "stable":
        return f"{trial.concurrent} agents at once, coming and going"
    return f"never more than {trial.concurrent} at once under a backlog"
