"""A ramp at the guide's true sizes on this host, against filling the same bytes page by page."""

from __future__ import annotations

import secrets

from rich.console import Console

from loadtest.bench.measure import NotMeasuredError, Ratio, seconds
from loadtest.bench.stage import make_rig
from loadtest.measure import swap_for
from loadtest.outcome import Outcome
from loadtest.plan import PlanError, back
from loadtest.report.live import progress_for
from loadtest.rig.backing import way_to_swap
from loadtest.rig.labels import labels_for
from loadtest.rig.trial import Rig
from settings.host import host_facts

# Every byte is written, as the agents do: in pieces that stay in the processor's cache.
_FILL = """
import mmap
size = {size}
pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
pages.madvise(mmap.MADV_NOHUGEPAGE)
block = bytes([7]) * (1 << 24)
for start in range(0, size - len(block), len(block)):
    pages[start:start + len(block)] = block
"""
_SHARE = 0.97
"""Of the limit: a little less than the ramp fills, since it must not be killed."""
_BUDGET_S = 900


def full_size_ramp() -> Ratio:
    """The medium boundary at 48 GiB, against a plain fill in a container with the same limits."""
    with make_rig("medium", scale=1.0) as rig:
        reserve = rig.settings.loadtest.thresholds.host_reserve
        try:
            rig.backing = back(
                rig.campaign.limit, reserve, host_facts(), way=way_to_swap(), compressible=True
            )
        except PlanError as error:
            raise NotMeasuredError(str(error)) from None
        [ramp] = [trial for trial in rig.campaign.trials if trial.kind == "ramp"]
        found: list[Outcome] = []
        with swap_for(rig.backing, progress_for(Console(quiet=True), 0)):
            ours = seconds(lambda: found.append(rig.measure(ramp)))
            theirs = seconds(lambda: _fill(rig))
    [outcome] = found
    if not outcome.valid:
        raise NotMeasuredError(outcome.reason)
    filled = rig.campaign.limit * _SHARE / 1e9
    return Ratio(
        "full-size ramp",
        ours / theirs,
        0.6,
        "lower",
        f"{ours:.0f} s: {outcome.held} of 4 GB held, {outcome.failed_at} failed",
        f"{theirs:.0f} s for {filled:.0f} GB in pages of 4 KiB",
    )


def _fill(rig: Rig) -> None:
    container = rig.client.containers.run(
        rig.image,
        entrypoint=["python3", "-c", _FILL.format(size=int(rig.campaign.limit * _SHARE))],
        detach=True,
        mem_limit=rig.backing.memory,
        memswap_limit=rig.campaign.limit,
        labels=labels_for(f"bench-{secrets.token_hex(4)}"),
        network_mode="none",
    )
    try:
        code = container.wait(timeout=_BUDGET_S)["StatusCode"]
        if code:
            raise NotMeasuredError(f"the plain fill ended with {code}")
    finally:
        container.remove(force=True)
