"""From a fleet's outcomes to its reports: the usual one for each host, and one for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from compose.errors import ComposeError
from compose.run import run
from loadtest.claims import exit_code as code_of_claims
from loadtest.conclude import judge_all
from loadtest.fleet.hosts import FleetHost
from loadtest.fleet.member import Member
from loadtest.fleet.summary import (
    FILE,
    FleetSummary,
    HostResult,
    exit_code_of,
    result_of,
    totals_of,
    undecided,
)
from loadtest.plan import Campaign
from loadtest.report.write import replace_file, write_reports
from loadtest.rig.engine import ENGINE_ERRORS
from loadtest.rig.image import ROOT
from loadtest.rig.origin import origin_of
from loadtest.summarise import Facts, summarise
from loadtest.summary import INTERRUPTED
from loadtest.swarm.result import FleetStatistics

if TYPE_CHECKING:
    from loadtest.campaign import Request


@dataclass(frozen=True)
class FleetFacts:
    """What a fleet's run was, apart from what it found."""

    request: Request
    campaign: Campaign
    left_out: tuple[str, ...]
    folder: Path
    started_at: datetime
    duration_s: float
    interrupted: bool


def report_fleet(
    facts: FleetFacts,
    hosts: Sequence[FleetHost],
    members: Sequence[Member],
    unusable: Mapping[FleetHost, str],
    statistics: Sequence[FleetStatistics],
) -> FleetSummary:
    """Judge, write every host's report and that of the fleet, and return the latter."""
    results = {
        **{host: _unusable(host, reason) for host, reason in unusable.items()},
        **{member.host: _report_host(facts, member) for member in members},
    }
    in_order = tuple(results[host] for host in hosts)
    summary = FleetSummary(
        run_id=facts.folder.name,
        started_at=facts.started_at.isoformat(timespec="seconds"),
        plan=facts.campaign.plan_name,
        scale=facts.campaign.scale,
        left_out=facts.left_out,
        hosts=in_order,
        totals=totals_of(in_order),
        requests=sum(one.requests for one in statistics),
        agents_started=sum(one.agents_started for one in statistics),
        duration_s=round(facts.duration_s, 1),
        exit_code=exit_code_of(in_order, interrupted=facts.interrupted),
    )
    replace_file(facts.folder / FILE, summary.to_json() + "\n")
    return summary


def _unusable(host: FleetHost, reason: str) -> HostResult:
    return HostResult(name=host.name, address=host.address, state="unusable", reason=reason)


def _report_host(facts: FleetFacts, member: Member) -> HostResult:
    rig, lost = member.rig, member.lost
    results = judge_all(rig.settings, rig.campaign, member.outcomes)
    if lost is not None:
        results = undecided(results, lost)
    summary = summarise(
        Facts(
            run_id=f"{facts.folder.name}-{member.host.folder}",
            request=facts.request,
            campaign=rig.campaign,
            backing=rig.backing,
            limits=rig.limits,
            host=rig.engine.host,
            duration_s=facts.duration_s,
            exit_code=INTERRUPTED if facts.interrupted else code_of_claims(results),
            origin=_origin(member),
        ),
        rig.settings,
        results,
        member.outcomes,
    )
    write_reports(rig.folder, summary, member.outcomes)
    return result_of(member.name, member.host.address, member.host.folder, lost, summary)


def _origin(member: Member) -> dict[str, str]:
    """What was tested there; of a host that is lost it cannot be asked any more."""
    if member.lost is not None:
        return {"image": member.rig.image}
    try:
        return origin_of(run, member.rig.client, member.rig.image, ROOT)
    except (*ENGINE_ERRORS, ComposeError):
        return {"image": member.rig.image}
