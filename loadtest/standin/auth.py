"""API keys and sessions: who may call, and how a session begins and ends."""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from .errors import Refusal
from .files import write_json
from .ratelimit import Windows

SESSION_COOKIE = "automaker_session"
SESSION_DAYS = 30
SESSION_SECONDS = SESSION_DAYS * 24 * 3600
LOGIN_ATTEMPTS = 5
LOGIN_WINDOW_S = 60
WEBSOCKET_TOKEN_SECONDS = 300


class Sessions:
    """Session tokens that outlive the process, in a file only the server's user can read."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock
        self._expiries = self._load()

    def create(self) -> str:
        """Return a new token of 64 hex digits, good for thirty days."""
        token = secrets.token_hex(32)
        self._expiries[token] = self._clock() + SESSION_SECONDS
        self._save()
        return token

    def knows(self, token: str) -> bool:
        """Whether a token is one of ours and has not expired."""
        return self._expiries.get(token, 0.0) > self._clock()

    def end(self, token: str) -> None:
        """Forget a token."""
        if self._expiries.pop(token, None) is not None:
            self._save()

    def _save(self) -> None:
        now = self._clock()
        self._expiries = {token: end for token, end in self._expiries.items() if end > now}
        write_json(self._file, self._expiries, mode=0o600)

    def _load(self) -> dict[str, float]:
        try:
            stored = json.loads(self._file.read_bytes())
            return {str(token): float(end) for token, end in stored.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # a lost session file costs a login, not a start


class Auth:
    """Judges credentials. The first one presented decides, even if a later one were good."""

    def __init__(self, api_key: str, sessions: Sessions) -> None:
        self._api_key = api_key.encode()
        self.sessions = sessions
        self.attempts = Windows(LOGIN_WINDOW_S)

    def require(
        self, headers: Mapping[str, str], query: Mapping[str, str], cookies: Mapping[str, str]
    ) -> None:
        """Raise a 401 without credentials and a 403 with wrong ones."""
        key = headers.get("x-api-key")
        session = headers.get("x-session-token")
        if key is None and session is None:
            key = query.get("apiKey")
            session = query.get("token")
        if key is not None:
            if not self.accepts_key(key):
                raise Refusal(403, "Invalid API key.")
        elif session is not None:
            if not self.sessions.knows(session):
                raise Refusal(403, "Invalid or expired session token.")
        elif not self.sessions.knows(cookies.get(SESSION_COOKIE, "")):
            raise Refusal(401, "Authentication required.")

    def accepts_key(self, key: object) -> bool:
        """Whether this is the API key, compared in constant time."""
        if not isinstance(key, str):
            return False
        return hmac.compare_digest(key.encode("utf-8", "surrogatepass"), self._api_key)

    def count_login(self, client: str) -> None:
        """Count one attempt of a client (as it calls itself). Raises a 429 from the sixth on."""
        window = self.attempts.current(client)
        window.count += 1
        if window.count > LOGIN_ATTEMPTS:
            raise Refusal(
                429,
                "Too many login attempts. Please try again later.",
                retryAfter=self.attempts.remaining(window),
            )
