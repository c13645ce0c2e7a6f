"""What the guide says of each workload: the numbers of its claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loadtest.summary import Summary


@dataclass(frozen=True)
class Said:
    """Numbers of agents at once, ascending, each once."""

    holds: tuple[int, ...] = ()
    fails_at: tuple[int, ...] = ()


def said_by_workload(summary: Summary) -> Mapping[str, Said]:
    """What the guide says holds and fails, by workload.

    However its sizes are read, the guide's numbers of agents are the same.
    """
    said: dict[str, Said] = {}
    for claim in summary.claims:
        if claim.kind != "boundary":
            continue
        before = said.get(claim.workload, Said())
        said[claim.workload] = Said(
            _with(before.holds, claim.holds), _with(before.fails_at, claim.fails_at)
        )
    return said


def _with(numbers: tuple[int, ...], number: int | None) -> tuple[int, ...]:
    return numbers if number is None else tuple(sorted({*numbers, number}))
