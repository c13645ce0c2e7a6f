"""Which feature runs next. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from .features import Feature, creation_time

LOWEST_PRIORITY = 4
UNSET_PRIORITY = 3


def next_feature(
    features: Sequence[Feature],
    running: Collection[str],
    branch: str | None,
    not_after: float,
) -> Feature | None:
    """Return the feature a loop should start, or None.

    `running` holds ids that have an agent, `branch` limits a branch's loop to its own features,
    `not_after` (epoch seconds) passes over features created later: they still rest.
    """
    done = {feature["id"] for feature in features if feature["status"] == "done"}
    candidates = [
        feature
        for feature in features
        if feature["status"] == "backlog"
        and feature["id"] not in running
        and not feature.get("isEpic")
        and (branch is None or feature.get("branchName") == branch)
        and created_at(feature) <= not_after
        and not blocking_dependencies(feature, done)
    ]
    return min(candidates, key=_rank, default=None)


def blocking_dependencies(feature: Feature, done: Collection[str]) -> list[str]:
    """Return the ids a feature waits for: its dependencies that are not done, or not there."""
    dependencies = feature.get("dependencies")
    ids: Iterable[Any] = dependencies if isinstance(dependencies, list) else ()
    return [one for one in ids if isinstance(one, str) and one not in done]


def describe_blocking(blocking: Iterable[str], features: Iterable[Feature]) -> str:
    """Return the dependencies a feature waits for, in words."""
    known: Mapping[str, Feature] = {feature["id"]: feature for feature in features}
    return ", ".join(
        f'"{known[one].get("title")}" ({known[one]["status"]})' if one in known else one
        for one in blocking
    )


def created_at(feature: Feature) -> float:
    """When a feature was created (epoch seconds); 0 when it does not say."""
    try:
        return datetime.fromisoformat(str(feature.get("createdAt"))).timestamp()
    except ValueError:
        return 0.0


def _rank(feature: Feature) -> tuple[float, tuple[int, str]]:
    priority = feature.get("priority")
    ranked = isinstance(priority, int) and 0 < priority <= LOWEST_PRIORITY
    return (priority if ranked and priority else UNSET_PRIORITY, creation_time(feature))
