"""automaker's API as a swarm uses it, over Locust's HTTP session so that every request counts."""

from __future__ import annotations

from typing import Any

import gevent
import requests
from locust.clients import HttpSession

_TRIES = 3
_AGAIN_S = 0.3
_LONGEST_BACKOFF_S = 65.0
_TIMEOUT_S = 10.0


class ApiError(Exception):
    """An answer that a session cannot go on with; the message has status and error text."""


class RefusedError(ApiError):
    """The server admits no further agent (429 with details)."""


class NoAnswerError(ApiError):
    """The server gave no answer: it is gone, or too busy."""

    def __init__(self, message: str, *, refused: bool) -> None:
        super().__init__(message)
        self.refused = refused
        """Nothing listens there any more; otherwise it listens and says nothing."""


class Api:
    """Calls of one client. Paths are absolute, as the server demands."""

    def __init__(self, client: HttpSession, api_key: str) -> None:
        self._client = client
        self._headers = {"X-API-Key": api_key}

    def create_feature(self, project: str, title: str, agent_class: str) -> str:
        """Create a feature in the backlog; returns its id."""
        feature = {
            "title": title,
            "description": f"Synthetic {agent_class} session of a capacity load test.",
            "category": "Load",
            "complexity": agent_class,
            "status": "backlog",
        }
        body = {"projectPath": project, "feature": feature}
        return str(self._post("/api/features/create", body)["feature"]["id"])

    def run_feature(self, project: str, feature_id: str) -> None:
        """Start an agent on a feature. Raises RefusedError at the server's limit."""
        body = {"projectPath": project, "featureId": feature_id}
        self._post("/api/auto-mode/run-feature", body)

    def stop_feature(self, feature_id: str) -> None:
        """Stop the agent of a feature; its slot is free at once, its process soon."""
        self._post("/api/auto-mode/stop-feature", {"featureId": feature_id})

    def feature(self, project: str, feature_id: str) -> dict[str, Any]:
        """The feature as it is on disk."""
        body = {"projectPath": project, "featureId": feature_id}
        feature: dict[str, Any] = self._post("/api/features/get", body)["feature"]
        return feature

    def output(self, project: str, feature_id: str) -> str:
        """What the agent has printed so far."""
        body = {"projectPath": project, "featureId": feature_id}
        return self._post("/api/features/agent-output", body)["content"] or ""

    def start_auto_mode(self, project: str, max_concurrency: int) -> None:
        """Start the auto loop of a project."""
        body = {"projectPath": project, "maxConcurrency": max_concurrency}
        self._post("/api/auto-mode/start", body)

    def running(self) -> list[str]:
        """Ids of the features with an agent at work, in all projects; free of the rate limit."""
        path = "/api/health/deep"
        response = self._client.get(path, headers=self._headers, timeout=_TIMEOUT_S)
        if response.status_code != 200:
            raise _problem(f"GET {path}", response)
        return [str(entry["featureId"]) for entry in response.json()["autoMode"]["queue"]]

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        for attempt in range(_TRIES):
            response = self._client.post(path, json=body, headers=self._headers, timeout=_TIMEOUT_S)
            if response.status_code == 200:
                answer: dict[str, Any] = response.json()
                return answer
            problem = _problem(f"POST {path}", response)
            if isinstance(problem, NoAnswerError) and problem.refused:
                # A connection kept open that the server closed at the same moment: ask again.
                gevent.sleep(_AGAIN_S * (attempt + 1))
            elif response.status_code == 429 and "Retry-After" in response.headers:
                gevent.sleep(min(float(response.headers["Retry-After"]), _LONGEST_BACKOFF_S))
            elif response.status_code == 429:
                raise RefusedError(f"POST {path}: {_text(response)}")
            else:
                raise problem
        raise problem


def _problem(request: str, response: Any) -> ApiError:
    if response.status_code:
        return ApiError(f"{request}: {_text(response)}")
    # Status 0 is Locust's way of saying that there was no answer at all.
    error = getattr(response, "error", None)
    refused = isinstance(error, requests.ConnectionError) and not isinstance(
        error, requests.Timeout
    )
    return NoAnswerError(f"{request}: no answer ({error})", refused=refused)


def _text(response: Any) -> str:
    return f"{response.status_code}: {response.text[:200]}"
