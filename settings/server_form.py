"""Two forms of one setting: `autoMode.*`, as guides have it, and what the server reads instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# What the guide writes below autoMode, and where the server looks for it.
GLOBAL_FORM = {
    "maxConcurrency": ("maxConcurrency",),
    "verifyBeforeMerge": ("skipVerificationInAutoMode",),
    "autoCommit": ("gitWorkflow", "autoCommit"),
    "autoPush": ("gitWorkflow", "autoPush"),
    "useWorktrees": ("useWorktrees",),
}
# Keys of the guide whose flat form says the opposite.
OPPOSITE = frozenset({"verifyBeforeMerge"})
PROJECT_FORM = {
    "maxConcurrency": (
        '"autoModeByWorktree": {{"<id of the project>::__main__": {{"maxConcurrency": {value}}}}} '
        "in DATA_DIR/settings.json, where projects[] has the id"
    ),
    "useWorktrees": '"useWorktrees": {value} in DATA_DIR/settings.json, which is for all projects',
}


def flat_form(key: str, value: Any) -> dict[str, Any] | None:
    """Return what the server reads for the guide's `autoMode.<key>`; None where it reads nothing.

    The value goes along, as its opposite where the flat key says the opposite.
    """
    if key not in GLOBAL_FORM:
        return None
    *outer, last = GLOBAL_FORM[key]
    flat: dict[str, Any] = {last: not value if key in OPPOSITE else value}
    for name in reversed(outer):
        flat = {name: flat}
    return flat


def as_written(flat: Mapping[str, Any]) -> str:
    """Return a flat form as it stands in the file, and where, if that is not to be seen."""
    nested = any(isinstance(value, dict) for value in flat.values())
    return json.dumps(flat)[1:-1] + ("" if nested else " at the top level")
