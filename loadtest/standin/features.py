"""What a feature is: its names, its states, and how a change of state is recorded. Pure."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Feature = Mapping[str, Any]

SLUG_LENGTH = 40
DEFAULT_COMPLEXITY = "medium"
COMPLEXITIES = ("small", "medium", "large", "architectural")
MODELS = {
    "small": "claude-haiku-4-5-20251001",
    "medium": "claude-sonnet-4-6",
    "large": "claude-sonnet-4-6",
    "architectural": "claude-opus-4-6",
}
_STATUS_NAMES = {
    "pending": "backlog",
    "ready": "backlog",
    "running": "in_progress",
    "completed": "done",
    "waiting_approval": "done",
    "verified": "done",
    "failed": "blocked",
}
_STATUSES = frozenset({"backlog", "in_progress", "review", "blocked", "done", "interrupted"})
_COMPACT = (
    "id",
    "title",
    "status",
    "complexity",
    "branchName",
    "costUsd",
    "prNumber",
    "prUrl",
    "epicId",
    "isEpic",
    "dependencies",
    "updatedAt",
)


def now_iso() -> str:
    """Return the time as the API writes it: UTC, milliseconds, Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_feature(wanted: Feature, origin: Feature) -> dict[str, Any]:
    """Return a feature to store: what the client wants, plus what the server fills in.

    `origin` holds source, trust tier and the quarantine's outcome.
    """
    now = now_iso()
    feature_id = wanted.get("id") or new_id()
    described = {"description": wanted["description"], "timestamp": now, "source": "initial"}
    first = _transition(None, wanted.get("status") or "backlog", "Feature created", now)
    return {
        "category": wanted.get("category") or "Uncategorized",
        "description": wanted["description"],
        **{key: value for key, value in wanted.items() if key not in ("category", "id")},
        **origin,
        "id": feature_id,
        "branchName": wanted.get("branchName") or branch_of(wanted.get("title"), feature_id),
        "descriptionHistory": [described],
        "createdAt": now,
        "statusHistory": [first],
    }


def new_id() -> str:
    """Return a new feature id: milliseconds and nine base-36 characters."""
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
    tail = "".join(secrets.choice(alphabet) for _ in range(9))
    return f"feature-{time.time_ns() // 1_000_000}-{tail}"


def branch_of(title: Any, feature_id: Any) -> str:
    """Return the branch of a title: its slug, cut at the last word that fits into 40 characters."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") if isinstance(title, str) else ""
    if len(slug) > SLUG_LENGTH:
        head = slug[: SLUG_LENGTH + 1]
        slug = head.rpartition("-")[0] or slug[:SLUG_LENGTH]
    return f"feature/{slug or feature_id}"


def worktree_name(branch: str) -> str:
    """Return the folder of a branch below {project}/.worktrees; branches may share one."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", branch)


def normalised(feature: Feature) -> Feature:
    """Return the feature with its state in canonical words, `backlog` if it has none."""
    status = feature.get("status")
    current = _STATUS_NAMES.get(status, status) if isinstance(status, str) else "backlog"
    if current not in _STATUSES and not current.startswith("pipeline_"):
        current = "backlog"
    return {**feature, "status": current}


def is_transient(status: str) -> bool:
    """Whether a feature in this state should have an agent, or had one when the server ended."""
    return status in ("in_progress", "interrupted") or status.startswith("pipeline_")


def status_change(feature: Feature, status: str, reason: str) -> dict[str, Any]:
    """Return the changes that take a feature to another state, and say why."""
    now = now_iso()
    history = feature.get("statusHistory")
    past = history if isinstance(history, list) else []
    return {
        "status": status,
        "statusChangeReason": reason,
        "statusHistory": [*past, _transition(feature.get("status"), status, reason, now)],
        "updatedAt": now,
    }


def agent_class(feature: Feature) -> str:
    """Return the complexity class; medium unless the feature names another."""
    complexity = feature.get("complexity")
    return complexity if complexity in COMPLEXITIES else DEFAULT_COMPLEXITY


def model_of(feature: Feature) -> str:
    """Return the model an agent for this feature runs on."""
    model = feature.get("model")
    return model if isinstance(model, str) and model else MODELS[agent_class(feature)]


def compact(feature: Feature) -> dict[str, Any]:
    """Return the short form a listing may ask for."""
    return {key: feature[key] for key in _COMPACT if key in feature}


def same_title(one: Any, other: str) -> bool:
    """Whether two titles are the same but for case and surrounding blanks."""
    return isinstance(one, str) and one.strip().lower() == other.strip().lower()


def creation_time(feature: Feature) -> tuple[int, str]:
    """Return the sort key of a listing: the milliseconds in the id, then the id."""
    found = re.match(r"feature-([0-9]{1,18})", feature["id"])
    return (int(found.group(1)) if found else 0, feature["id"])


def _transition(before: Any, after: Any, reason: str, now: str) -> dict[str, Any]:
    return {"from": before, "to": after, "timestamp": now, "reason": reason}
