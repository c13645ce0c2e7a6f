"""Whose is this? Every container, network and volume the rig makes says so in its labels."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from settings.owner import Owner

RUN = "automaker-staging.run"
OWNER = "automaker-staging.owner"
MACHINE = "automaker-staging.machine"


def labels_for(run_id: str) -> dict[str, str]:
    """The labels of everything that this process makes for a run."""
    return {RUN: run_id, OWNER: str(Owner.this_process()), MACHINE: platform.node()}


def is_abandoned(labels: Mapping[str, str]) -> bool:
    """Whether the run that made this is over: its owner is gone, or unknown.

    What was made from another machine is left to that: only there can it be told.
    """
    if labels.get(MACHINE, platform.node()) != platform.node():
        return False
    owner = Owner.parse(labels.get(OWNER, ""))
    return owner is None or not owner.is_alive()
