"""Whose is this? Every container, network and volume the rig makes says so in its labels."""

from __future__ import annotations

from collections.abc import Mapping

from settings.owner import Owner

RUN = "automaker-staging.run"
OWNER = "automaker-staging.owner"


def labels_for(run_id: str) -> dict[str, str]:
    """The labels of everything that this process makes for a run."""
    return {RUN: run_id, OWNER: str(Owner.this_process())}


def is_abandoned(labels: Mapping[str, str]) -> bool:
    """Whether the run that made this is over: its owner is gone, or unknown."""
    owner = Owner.parse(labels.get(OWNER, ""))
    return owner is None or not owner.is_alive()
