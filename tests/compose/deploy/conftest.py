"""A stack in the middle of a deploy, for every test that needs one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.deploy import bring_up, ready
from tests.compose.deploy.fakes import serving
from tests.compose.deploy.stage import Draining, Stage


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """An old release serves, a new one is recorded; nobody waits long."""
    monkeypatch.setattr(ready, "POLL_S", 0.005)
    monkeypatch.setattr(ready, "INSPECT_S", 0.02)
    monkeypatch.setattr(bring_up, "PROXY_S", 0.1)
    automaker = Draining(label="")
    with serving(automaker.server) as server, serving(automaker.ui) as ui:
        yield Stage(tmp_path / "home", server, ui, automaker)
