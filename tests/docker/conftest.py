"""Real targets for container tests: unique run ids, free ports, nothing left behind."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest
from rich.console import Console

from compose.run import run
from loadtest.campaign import staging_limits
from loadtest.plan import Backing, Choice, make_campaign
from loadtest.report.live import progress_for
from loadtest.rig.base_image import ensure_base
from loadtest.rig.engine import connect, sweep
from loadtest.rig.image import BUILD, ensure_image
from loadtest.rig.labels import labels_for
from loadtest.rig.target import TargetSpec
from loadtest.rig.trial import Rig
from settings.environment import swarm_environment
from settings.load import load_settings
from settings.models import Settings
from tests.docker.own_host import OwnHost, missing

MIB = 2**20
SCALE = 1 / 64
API_KEY = "a-key-for-tests"
GUIDE = {
    "MEMORY_LIMIT": "48G",
    "CPU_LIMIT": "8",
    "NODE_MAX_OLD_SPACE": "32768",
    "AUTOMAKER_MAX_CONCURRENCY": "6",
}

RigFactory = Callable[..., Rig]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder needs an engine."""
    for item in items:
        if Path(__file__).parent in Path(item.path).parents:
            item.add_marker(pytest.mark.docker)


@pytest.fixture(autouse=True)
def _the_guides_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this checkout's `.env.staging` says: a deploy may have written one."""
    for key, value in GUIDE.items():
        monkeypatch.setenv(key, value)


@pytest.fixture(scope="session")
def image() -> str:
    """The stand-in server's image, built from this checkout."""
    return ensure_image(run, BUILD)


@pytest.fixture(scope="session")
def base() -> str:
    """The base image, on the machine's engine."""
    return ensure_base(run)


@pytest.fixture(scope="session")
def own_host() -> Iterator[OwnHost]:
    """A host of its own, for tests that need default ports and names or an engine to stop."""
    if problem := missing():
        if os.environ.get("CI"):
            pytest.fail(f"CI must run these tests, but {problem}")
        pytest.skip(problem)
    with OwnHost.start() as host:
        yield host


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The shipped settings."""
    return load_settings()


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    """A client of the engine."""
    with connect() as connected:
        yield connected


@pytest.fixture
def run_id(client: docker.DockerClient) -> Iterator[str]:
    """A run of its own; whatever it leaves behind is removed, and was a mistake of the test."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    yield name
    sweep(client, name)


@pytest.fixture
def spec(image: str, run_id: str) -> TargetSpec:
    """A small target."""
    return TargetSpec(
        image=image,
        memory=256 * MIB,
        memswap=256 * MIB,
        cpus=1.0,
        init=True,
        environment={
            "AUTOMAKER_API_KEY": API_KEY,
            "ALLOWED_ROOT_DIRECTORY": "/projects",
            "AUTOMAKER_MAX_CONCURRENCY": "20",
        },
        labels=labels_for(run_id),
    )


@pytest.fixture
def make_rig(
    image: str, run_id: str, settings: Settings, client: docker.DockerClient, tmp_path: Path
) -> RigFactory:
    """A rig at a small scale; keyword arguments replace thresholds of the settings."""

    def make(kind: type[Rig] = Rig, *, workload: str = "medium", **thresholds: float) -> Rig:
        changed = settings.loadtest.thresholds.model_copy(update=thresholds)
        loadtest = settings.loadtest.model_copy(update={"thresholds": changed})
        limits = staging_limits()
        for folder in ("samples", "logs"):
            (tmp_path / folder).mkdir(exist_ok=True)
        campaign = make_campaign(
            settings,
            plan_name="quick",
            true_limit=limits.memory_bytes,
            scale=SCALE,
            grade="scaled",
            choice=Choice([workload]),
            runs=1,
        )
        quick = campaign.plan.model_copy(update={"stable_s": 4.0})
        return kind(
            run_id=run_id,
            client=client,
            image=image,
            limits=limits,
            cpus=1.0,
            settings=settings.model_copy(update={"loadtest": loadtest}),
            campaign=replace(campaign, plan=quick),
            backing=Backing(campaign.limit),
            folder=tmp_path,
            swarm_environment=swarm_environment(),
            progress=progress_for(Console(quiet=True), 0),
        )

    return make
