"""What of a campaign a fleet runs, and at which scale. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from loadtest.plan import Campaign, PlanError, choose_scale, grade_of
from loadtest.trials import rests_on_ramps
from settings.host import HostFacts
from settings.models import LoadTest
from settings.sizes import in_gib


def fleet_scale(
    asked: float | None, settings: LoadTest, true_limit: int, hosts: Sequence[HostFacts]
) -> float:
    """The scale asked for, else the smallest that a host would choose for itself."""
    needed = true_limit + settings.thresholds.host_reserve
    return min(choose_scale(asked, settings.small_scale, needed, host) for host in hosts)


def only_ramps(campaign: Campaign) -> tuple[Campaign, tuple[str, ...]]:
    """The ramps of a campaign and the claims that they answer; and what is left out, in words.

    Raises PlanError where nothing remains.
    """
    trials = tuple(trial for trial in campaign.trials if trial.kind == "ramp")
    if not trials:
        raise PlanError(
            f"a fleet runs ramps, and the plan {campaign.plan_name} has none for these workloads"
        )
    others = len(campaign.trials) - len(trials)
    left_out = []
    if others:
        left_out.append(f"trials that are no ramps (stable, cap, scenarios): {others}")
    if campaign.plan.confirm:
        left_out.append("repeats until the confidence is reached")
    ramps = replace(
        campaign,
        plan=campaign.plan.model_copy(update={"confirm": False}),
        trials=trials,
        claims={name: claim for name, claim in campaign.claims.items() if rests_on_ramps(claim)},
        expected_s=sum(campaign.planner.expected_s(trial) for trial in trials),
    )
    return ramps, tuple(left_out)


def on_host(campaign: Campaign, host: HostFacts) -> Campaign:
    """The campaign with the grade that results of a host have."""
    return replace(campaign, grade=grade_of(campaign.scale, host))


def does_not_fit(campaign: Campaign, reserve: int, host: HostFacts) -> str | None:
    """Why a host cannot hold the target; None where it can. Swap is made on no other machine."""
    if campaign.limit + reserve <= host.memory_available:
        return None
    return (
        f"the target's limit of {in_gib(campaign.limit)} and {in_gib(reserve)} for the host do not "
        f"fit into its {in_gib(host.memory_available)}: choose a smaller --scale or --limit"
    )


def same_engine(ids: Mapping[str, str]) -> str | None:
    """Two hosts behind which there is one engine, in words; `ids` are engines' ids by host."""
    seen: dict[str, str] = {}
    for name, engine in ids.items():
        if engine in seen:
            return f"--hosts: {seen[engine]} and {name} are one engine"
        seen[engine] = name
    return None
