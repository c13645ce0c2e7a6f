"""From verdicts and outcomes to the summary of a campaign. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from compose.model import ServiceLimits
from loadtest.boundary import Boundary, locate
from loadtest.chance import chances
from loadtest.claims import memory_table
from loadtest.outcome import Outcome, of_workload
from loadtest.plan import SWAP, Backing, Campaign, cpu_limit
from loadtest.summary import Chance, ClaimResult, Limit, Summary
from loadtest.trials import in_reading
from settings.host import HostFacts
from settings.models import BoundaryClaim, Settings
from settings.sizes import in_mb

if TYPE_CHECKING:
    from loadtest.campaign import Request

MODEL = "compose/docker-compose.staging.yml"
_MOCKED = (
    "the model: synthetic agents call none, they follow a memory and time profile",
    "the server: a stand-in that answers automaker's API",
)


@dataclass(frozen=True)
class Facts:
    """What a campaign was, apart from what it found."""

    run_id: str
    request: Request
    campaign: Campaign
    backing: Backing
    limits: ServiceLimits
    host: HostFacts
    duration_s: float
    exit_code: int
    origin: dict[str, str] = field(default_factory=dict)


def summarise(
    facts: Facts,
    settings: Settings,
    results: Sequence[ClaimResult],
    outcomes: Sequence[Outcome],
) -> Summary:
    """The summary of a campaign, complete or cut short."""
    campaign = facts.campaign
    return Summary(
        run_id=facts.run_id,
        started_at=outcomes[0].started_at if outcomes else _now(),
        plan=campaign.plan_name,
        target="standin",
        mocked=_MOCKED,
        grade=campaign.grade,
        scale=campaign.scale,
        host=_host(facts.host),
        limits=limits_in_force(facts),
        base=describe_base(outcomes, campaign.scale),
        claims=tuple(results),
        boundaries=tuple(boundaries(campaign, settings, outcomes)),
        chances=chances_of(campaign, settings, outcomes),
        origin=facts.origin,
        agents=memory_table(settings.claims, outcomes, campaign.scale),
        trials=len(outcomes),
        invalid_trials=sum(not outcome.valid for outcome in outcomes),
        duration_s=round(facts.duration_s, 1),
        exit_code=facts.exit_code,
    )


def boundaries(
    campaign: Campaign, settings: Settings, outcomes: Sequence[Outcome]
) -> list[Boundary]:
    """The boundary of every workload that was ramped, in the order of the plan."""
    ramped = dict.fromkeys((t.workload, t.reading) for t in campaign.trials if t.kind == "ramp")
    return [
        locate(name, ramps, in_reading(campaign.sizes, reading), settings.agents.weights(name))
        for name, reading in ramped
        if (ramps := of_workload(outcomes, "ramp", name, reading))
    ]


def chances_of(
    campaign: Campaign, settings: Settings, outcomes: Sequence[Outcome]
) -> tuple[Chance, ...]:
    """P(failure) of every number of agents that a claim or a boundary names."""
    wanted = {
        (claim.workload, claim.reading, number)
        for claim in campaign.claims.values()
        if isinstance(claim, BoundaryClaim)
        for number in (claim.holds, claim.fails_at, claim.fails_by)
        if number is not None
    }
    for found in boundaries(campaign, settings, outcomes):
        wanted |= {(found.workload, found.reading, n) for n in (found.holds, found.fails_at) if n}
    order = [*settings.agents.workloads()]
    numbers = sorted(wanted, key=lambda one: (order.index(one[0]), one[1], one[2]))
    return chances(outcomes, numbers, settings.loadtest.confidence)


def limits_in_force(facts: Facts) -> dict[str, Limit]:
    """Every limit of the target with its source."""
    campaign, limits = facts.campaign, facts.limits
    memory_source = "--limit" if facts.request.limit else f"{MODEL}: services.server.mem_limit"
    cpus = cpu_limit(limits.cpus, facts.host)
    cpu_source = f"{MODEL}: services.server.cpus"
    if limits.cpus and limits.cpus > cpus:
        cpu_source += f" says {limits.cpus:g}; scaled to the host's {facts.host.cpus}"
    swap = limits.memswap_bytes - limits.memory_bytes
    in_force = {
        "memory_bytes": Limit(value=campaign.limit, source=f"{memory_source} x {campaign.scale:g}"),
        "true_memory_bytes": Limit(value=campaign.true_limit, source=memory_source),
        "swap_bytes": Limit(
            value=round(swap * campaign.scale),
            source=f"{MODEL}: services.server.memswap_limit less mem_limit",
        ),
        "cpus": Limit(value=cpus, source=cpu_source),
    }
    if facts.backing.swap:
        # The kernel's limit on memory and swap together is the true one, so the target ends there.
        in_force["resident_bytes"] = Limit(
            value=facts.backing.memory,
            source=f"what this host can give; {SWAP[facts.backing.way]} backs the rest",
        )
    return in_force


def describe_base(outcomes: Sequence[Outcome], scale: float) -> str:
    """How the server's own memory, which does not scale, was measured and counted."""
    bases = [outcome.base_bytes for outcome in outcomes if outcome.base_bytes]
    if not bases:
        return "not measured"
    median = statistics.median(bases)
    text = (
        f"The server's own memory was measured before the first agent of every trial: "
        f"{in_mb(median)} (median of {len(bases)}), usage less page cache. It is inside every "
        "prediction."
    )
    if scale < 1:
        text += (
            f" It does not scale: against this limit it weighs as much as {in_mb(median / scale)} "
            "would at true size, so scaled boundaries err on the low side."
        )
    return text


def _host(host: HostFacts) -> dict[str, str | int | float]:
    return {
        "memory_bytes": host.memory,
        "swap_bytes": host.swap,
        "cpus": host.cpus,
        "kernel": host.kernel,
        "system": host.system,
        "cgroup_version": host.cgroup_version,
        "fingerprint": host.fingerprint,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
