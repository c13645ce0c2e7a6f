"""What a campaign would do, for `--dry-run`: trials, memory and time, before anything starts."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.table import Table

from compose.model import ServiceLimits
from loadtest.outcome import Trial
from loadtest.plan import Campaign
from loadtest.report.trial_words import in_words
from settings.sizes import in_gib


def print_plan(console: Console, campaign: Campaign, limits: ServiceLimits) -> None:
    """Print the plan; nothing has been touched."""
    table = Table(title=None, box=None, pad_edge=False, header_style="bold")
    for name in ("trial", "runs", "agents at most", "what it answers"):
        table.add_column(name)
    trials = sorted(campaign.trials, key=_group)
    for (kind, workload, _), group in groupby(trials, key=_group):
        members = list(group)
        agents = len(members[0].agents)
        table.add_row(f"{kind} {workload}", str(len(members)), str(agents or "-"), _why(members[0]))
    console.print(table)
    console.print()
    console.print(
        f"plan {campaign.plan_name}, scale {campaign.scale:g} (grade: {campaign.grade}): "
        f"{len(campaign.trials)} trials, {len(campaign.claims)} claims"
    )
    if campaign.repeats:
        console.print(
            f"then rounds, about {campaign.repeats} trials of them, until P(failure) of every "
            "number that is said to hold is known well enough"
        )
    console.print(
        f"memory: a limit of {in_gib(campaign.limit)} for one target at a time "
        f"(staging model: {in_gib(limits.memory_bytes)})"
    )
    minutes, seconds = divmod(round(campaign.expected_s), 60)
    console.print(f"time: about {minutes} min {seconds} s, after set-up")


def _group(trial: Trial) -> tuple[str, str, int]:
    # A situation is named by its claim: all are different, and few words say what they are.
    about = "" if trial.kind == "scenario" else in_words(trial.workload, trial.reading)
    return trial.kind, about, trial.concurrent or 0


def _why(trial: Trial) -> str:
    match trial.kind:
        case "ramp":
            return f"agent after agent until something fails (about {trial.predicted} fit)"
        case "rounds":
            return f"{trial.concurrent} agents at once, up to {trial.rounds} times"
        case "stable":
            return f"{trial.concurrent} agents at once, coming and going"
        case "cap":
            return f"never more than {trial.concurrent} at once under a backlog"
        case "scenario":
            return "what the server does in situations, one each"
