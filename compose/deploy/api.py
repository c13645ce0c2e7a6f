"""The server's API as a deploy uses it. What trips a naive client is handled here once.

The key goes into X-API-Key (a Bearer header is ignored, and a drain with one silently skipped);
every POST carries JSON; answers may be HTML; the cookie is Secure, so sessions use a header.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from compose.errors import ComposeError

QUICK_S = 10.0
# The server takes 300 requests a minute; who gets 429 is told how long to wait.
PATIENCE_S = 70.0


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer; `data` is empty where the body is no JSON object."""

    status: int
    data: Mapping[str, Any]
    text: str = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether it is a success."""
        return 200 <= self.status < 300

    def problem(self) -> str:
        """Say in one line what the server said of a failure."""
        said = self.data.get("error") or self.data.get("status") or self.text
        return f"{self.status} {' '.join(str(said).split())[:120]}".strip()


@dataclass(frozen=True)
class Api:
    """One server under one address; `key` may be empty for what needs none."""

    base: str
    key: str = field(default="", repr=False)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET; raises ComposeError where nothing answers."""
        return self._call("GET", path, None, headers, QUICK_S)

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = QUICK_S,
    ) -> Answer:
        """POST JSON; raises ComposeError where nothing answers."""
        return self._call("POST", path, body or {}, headers, timeout_s)

    def answers(self, path: str) -> Answer | None:
        """GET with short patience; None where nothing answers."""
        try:
            return self._call("GET", path, None, None, 2.0)
        except ComposeError:
            return None

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        timeout_s: float,
    ) -> Answer:
        deadline = time.monotonic() + max(timeout_s, PATIENCE_S)
        while True:
            answer = self._once(method, path, body, headers, timeout_s)
            pause = _retry_after(answer)
            if pause is None or timeout_s < QUICK_S or time.monotonic() + pause > deadline:
                return Answer(answer.status_code, _object(answer), answer.text)
            time.sleep(pause)

    def _once(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        timeout_s: float,
    ) -> requests.Response:
        sent = dict(headers) if headers is not None else {"X-API-Key": self.key} if self.key else {}
        try:
            with requests.Session() as session:
                session.trust_env = False  # a proxy is for the world outside, not for this host
                return session.request(
                    method,
                    f"{self.base}{path}",
                    json=body,
                    headers=sent,
                    timeout=(min(timeout_s, QUICK_S), timeout_s),
                    allow_redirects=False,
                )
        except (requests.exceptions.InvalidHeader, UnicodeError):
            # Their own text would quote it.
            raise ComposeError(
                "AUTOMAKER_API_KEY cannot be sent: a header takes printable ASCII, no outer blanks",
                next_step="another AUTOMAKER_API_KEY in .env.staging, then deploy --no-drain",
            ) from None
        except requests.RequestException as error:
            raise ComposeError(f"{method} {self.base}{path}: {_why(error)}") from None


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds that the server asks to wait for; None where it does not."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if answer.status_code == 429 and text.isdigit() else None


def _object(answer: requests.Response) -> Mapping[str, Any]:
    try:
        data = answer.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _why(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "nobody answers there" if isinstance(error, requests.ConnectionError) else str(error)
