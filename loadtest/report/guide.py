"""What the guide claims of each workload, read back from the judged claims."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from loadtest.outcome import Outcome
from loadtest.summary import Summary

Pair = tuple[int, int | None]
"""Agents at once that hold, and the number that fails where the guide names one."""

# As `loadtest.claims.expectation` words it: "12 hold, 13 fail" or "20 hold".
_EXPECTED = re.compile(r"(\d+) hold(?:, (\d+) fail)?")


def guide_pairs(summary: Summary, outcomes: Sequence[Outcome]) -> Mapping[str, Sequence[Pair]]:
    """The guide's pairs by workload.

    A judged claim has no workload of its own: it is the workload of the ramps it rests on. A claim
    that no ramp was run for has none, and no boundary to be compared with either.
    """
    workloads = {o.trial.id: o.trial.workload for o in outcomes if o.trial.kind == "ramp"}
    pairs: dict[str, list[Pair]] = {}
    for claim in summary.claims:
        match = _EXPECTED.fullmatch(claim.expected)
        workload = next((workloads[trial] for trial in claim.trials if trial in workloads), None)
        if match and workload:
            pair = (int(match[1]), int(match[2]) if match[2] else None)
            pairs.setdefault(workload, []).append(pair)
    return pairs
