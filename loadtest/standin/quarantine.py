"""The admission of new features: who sent them, how far they are trusted, what is refused."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import StandinError
from .features import now_iso
from .files import write_json

TITLE_LENGTH = 200
DESCRIPTION_LENGTH = 10_000
TRUST_TIERS = {"api": 1, "ui": 3, "mcp": 4, "internal": 4}
TRUSTED_FROM = 3
_CONTROL = re.compile(r"[\x01-\x08\x0B\x0C\x0E-\x1F\x7F]")


def source_of(headers: Mapping[str, str]) -> str:
    """Who sends a feature, judged by the credential: `mcp`, `api`, `ui` or `internal`."""
    if headers.get("x-automaker-client") == "mcp":
        return "mcp"
    if headers.get("x-api-key"):
        return "api"
    session = headers.get("x-session-token") or "automaker_session=" in headers.get("cookie", "")
    return "ui" if session else "internal"


def admit(project: str, wanted: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Record the submission below {project}/.automaker/quarantine and say what came of it.

    Returns the fields a stored feature carries of it. Raises StandinError 422 when refused.
    """
    tier = TRUST_TIERS[source]
    title = (wanted.get("title") or "").strip() or wanted["description"][:100]
    found = [] if tier >= TRUSTED_FROM else violations(title, wanted["description"])
    result = "bypassed" if tier >= TRUSTED_FROM else "failed" if found else "passed"
    entry = {
        "id": str(uuid.uuid4()),
        "source": source,
        "trustTier": tier,
        "submittedAt": now_iso(),
        "result": result,
        "violations": found,
        "originalTitle": title,
        "originalDescription": wanted["description"],
    }
    write_json(Path(project, ".automaker", "quarantine", f"{entry['id']}.json"), entry)
    if found:
        answer = {"quarantineId": entry["id"], "stage": "syntax", "violations": found}
        raise StandinError(422, {"error": "quarantine_failed", **answer})
    return {
        "source": source,
        "trustTier": tier,
        "quarantineStatus": result,
        "quarantineId": entry["id"],
    }


def violations(title: str, description: str) -> list[dict[str, str]]:
    """Say what is wrong with the texts of an untrusted feature."""
    return [
        *_text_violations("Title", title, TITLE_LENGTH),
        *_text_violations("Description", description, DESCRIPTION_LENGTH),
    ]


def _text_violations(name: str, text: str, longest: int) -> list[dict[str, str]]:
    found = []
    if not text:
        found.append(_violation(f"{name.lower()}_length", f"{name} cannot be empty"))
    if len(text) > longest:
        detail = f"{name} too long ({len(text)} chars, max {longest})"
        found.append(_violation(f"{name.lower()}_length", detail))
    if "\0" in text:
        found.append(_violation("null_byte", f"{name} contains null bytes"))
    if _CONTROL.search(text):
        found.append(
            _violation("control_characters", f"{name} contains invalid control characters")
        )
    return found


def _violation(rule: str, detail: str) -> dict[str, str]:
    return {"stage": "syntax", "rule": rule, "severity": "block", "detail": detail}
