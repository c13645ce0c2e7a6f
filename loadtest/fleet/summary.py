"""summary-fleet.json: what a fleet carries, host by host and together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from loadtest.boundary import Boundary
from loadtest.outcome import Record
from loadtest.summary import (
    CONFIRMED,
    INTERRUPTED,
    INVALID,
    REFUTED,
    UNUSABLE,
    ClaimResult,
    Grade,
    Summary,
    VerdictName,
    Written,
)

SCHEMA_FILE = Path(__file__).parent / "summary.schema.json"
FILE = "summary-fleet.json"
HostState = Literal["measured", "lost", "unusable"]
"""unusable: nothing could be started there; lost: it went while it was measured."""


class HostResult(Record):
    """One host and what came of it."""

    name: str
    address: str
    state: HostState
    reason: str = ""
    """Why it was lost, or cannot be used."""
    folder: str = ""
    """Where its own report is, below that of the fleet; empty without one."""
    grade: Grade | None = None
    host: dict[str, str | int | float] = Field(default_factory=dict)
    boundaries: tuple[Boundary, ...] = ()
    claims: tuple[ClaimResult, ...] = ()
    """Those that the campaign was asked to judge."""
    trials: int = 0
    invalid_trials: int = 0
    exit_code: int = INVALID

    @property
    def verdict(self) -> VerdictName:
        """The host's own verdict over its gating claims."""
        verdicts: dict[int, VerdictName] = {CONFIRMED: "confirmed", REFUTED: "refuted"}
        return verdicts.get(self.exit_code, "inconclusive")

    def held(self, workload: str, reading: str) -> int | None:
        """Agents at once that it held; None where that is not known for sure."""
        if self.state != "measured":
            return None
        for found in self.boundaries:
            if (found.workload, found.reading) == (workload, reading) and found.agreed:
                return found.holds
        return None


class Total(Record):
    """What the fleet held of one workload: the sum over the hosts that are known."""

    workload: str
    reading: str
    held: int
    hosts: tuple[str, ...]
    """The hosts in the sum."""
    missing: tuple[str, ...]
    """The hosts that are not."""


class FleetSummary(Written):
    """What `reports/<run-id>/summary-fleet.json` holds."""

    schema_version: Literal[1] = Field(1, alias="schema")
    run_id: str
    started_at: str
    plan: str
    scale: float
    left_out: tuple[str, ...] = ()
    """What of the plan a fleet does not run, in words."""
    hosts: tuple[HostResult, ...]
    totals: tuple[Total, ...]
    requests: int = 0
    """Requests that the swarm's master counted, of all workers."""
    agents_started: int = 0
    duration_s: float
    exit_code: int


def schema() -> dict[str, Any]:
    """JSON Schema of summary-fleet.json; a copy lies beside this module."""
    return FleetSummary.model_json_schema(by_alias=True, mode="serialization")


def result_of(
    name: str, address: str, folder: str, lost: str | None, summary: Summary
) -> HostResult:
    """A measured host's result from its own summary; `lost` says why it went, if it did.

    Of a host that was lost no claim is decided: what it had shown by then is in its own report.
    """
    return HostResult(
        name=name,
        address=address,
        state="measured" if lost is None else "lost",
        reason=lost or "",
        folder=folder,
        grade=summary.grade,
        host=summary.host,
        boundaries=summary.boundaries,
        claims=tuple(claim for claim in summary.claims if claim.selected),
        trials=summary.trials,
        invalid_trials=summary.invalid_trials,
        exit_code=summary.exit_code,
    )


def undecided(results: Sequence[ClaimResult], lost: str) -> list[ClaimResult]:
    """The verdicts on a host that was lost: none."""
    return [
        result.model_copy(update={"verdict": "inconclusive", "reason": f"host lost: {lost}"})
        if result.selected
        else result
        for result in results
    ]


def totals_of(hosts: Sequence[HostResult]) -> tuple[Total, ...]:
    """The fleet's totals, one a workload, in the order in which hosts name them."""
    pairs = dict.fromkeys((b.workload, b.reading) for host in hosts for b in host.boundaries)
    totals = []
    for workload, reading in pairs:
        held = {host.name: host.held(workload, reading) for host in hosts}
        known = {name: number for name, number in held.items() if number is not None}
        totals.append(
            Total(
                workload=workload,
                reading=reading,
                held=sum(known.values()),
                hosts=tuple(known),
                missing=tuple(name for name in held if name not in known),
            )
        )
    return tuple(totals)


def exit_code_of(hosts: Sequence[HostResult], *, interrupted: bool = False) -> int:
    """0 all confirmed everywhere, 1 one refuted, 3 one undecided or lost, 2 no host to use."""
    if interrupted:
        return INTERRUPTED
    if all(host.state == "unusable" for host in hosts):
        return UNUSABLE
    codes = {host.exit_code for host in hosts}
    if REFUTED in codes:
        return REFUTED
    return CONFIRMED if codes == {CONFIRMED} else INVALID
