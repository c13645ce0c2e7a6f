"""A stack for each module of tests, on the host that all of them share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.run import run
from loadtest.rig.image import BUILD, site_packages
from tests.docker.deploy.staging import Staging
from tests.docker.own_host import OwnHost


@pytest.fixture(scope="session")
def ready_host(own_host: OwnHost, base: str) -> OwnHost:
    """The host, with what the stand-in is built of: its namespace reaches no package index."""
    site_packages(run, BUILD)
    own_host.load(base)
    return own_host


@pytest.fixture(scope="module")
def staging(ready_host: OwnHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staging]:
    """A stack that nothing is deployed to yet; taken down after the module."""
    stack = Staging(ready_host, Path(tmp_path_factory.mktemp("stack")))
    stack.folder.chmod(0o755)
    yield stack
    stack.clear()
