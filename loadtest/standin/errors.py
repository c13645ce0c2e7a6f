"""Everything that ends a request early, with the answer the client gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class StandinError(Exception):
    """A refused request: an HTTP status and a JSON body. The edge of the app answers it."""

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class Refusal(StandinError):  # noqa: N818 - an answer, not a fault
    """A refusal in the API's usual words: `{"success": false, "error": ...}` and details."""

    def __init__(self, status: int, error: str, **details: Any) -> None:
        super().__init__(status, {"success": False, "error": error, **details})


class PageError(StandinError):
    """A refusal that the web framework answers with an HTML page, before any handler ran."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, {})
        self.text = text


class AtCapacity(StandinError):  # noqa: N818 - an answer, not a fault
    """No slot is free: running agents and the limit they have reached."""

    def __init__(self, running: int, limit: float, branch: str | None) -> None:
        place = f'worktree "{branch}"' if branch else "main worktree"
        super().__init__(
            429,
            {
                "success": False,
                "error": f"Agent limit reached for {place} ({running}/{limit}). "
                "Wait for running tasks to complete or increase the limit.",
                "details": {
                    "currentAgents": running,
                    "maxAgents": limit,
                    "branchName": branch,
                },
            },
        )
