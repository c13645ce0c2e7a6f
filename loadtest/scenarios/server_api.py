"""The server's API over HTTP, at an address that a restart may change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from compose.deploy.api import QUICK_S, Answer, Api
from compose.errors import ComposeError


class NoServerError(ComposeError):
    """Nothing answers at the server's address."""


class _Client(Api):
    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        """PUT JSON; raises NoServerError where nothing answers."""
        return self._call("PUT", path, body, None, QUICK_S)


class ServerApi:
    """`address` gives the base URL; `lost` is told when nothing answers there."""

    def __init__(
        self, address: Callable[[], str], key: str, lost: Callable[[], None] = lambda: None
    ) -> None:
        self._address = address
        self._key = key
        self._lost = lost

    def get(self, path: str) -> Answer:
        """GET; raises ComposeError where nothing answers."""
        return self._ask(lambda client: client.get(path))

    def post(self, path: str, body: Mapping[str, Any], *, timeout_s: float = QUICK_S) -> Answer:
        """POST JSON; raises ComposeError where nothing answers."""
        return self._ask(lambda client: client.post(path, body, timeout_s=timeout_s))

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        """PUT JSON; raises ComposeError where nothing answers."""
        return self._ask(lambda client: client.put(path, body))

    def _ask(self, call: Callable[[_Client], Answer]) -> Answer:
        try:
            return call(_Client(self._address(), self._key))
        except ComposeError as error:
            self._lost()
            raise NoServerError(str(error)) from error
