"""One scenario for real: a target as it wants it, the watcher on, the story played."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from compose.errors import ComposeError
from compose.run import run
from loadtest.boundary import first_agents
from loadtest.orders import PROJECTS, server_environment
from loadtest.outcome import Evidence, Outcome, Seen, Trial
from loadtest.plan import profile_of
from loadtest.rig.backing import swap_of, way_to_swap
from loadtest.rig.disturb import Disturber, DocsContainer
from loadtest.rig.engine import ENGINE_ERRORS
from loadtest.rig.errors import RigError
from loadtest.rig.image import BUILD, ensure_image
from loadtest.rig.labels import labels_for
from loadtest.rig.target import LogFiles, Target, TargetSpec
from loadtest.scenarios.catalogue import SCENARIOS
from loadtest.scenarios.model import Scenario, Setup
from loadtest.scenarios.server_api import ServerApi
from loadtest.scenarios.watch import Most, Watcher
from loadtest.scenarios.world import World

if TYPE_CHECKING:
    from loadtest.rig.trial import Rig

_MIB = 2**20
_DOCS_MEMORY = 128 * _MIB
_LOG_FILES = 10
_WORKLOAD_AGENTS = 8
_WORKLOAD_HOLD_S = 2.0
_SPARE = 1.5
_TINY: dict[str, object] = {
    "turns": 2, "start_bytes": _MIB, "peak_bytes": 2 * _MIB, "tool_every": 0
}  # fmt: skip
# Half a second, a bit more than one, and until it is ended.
_STAY_S = {"small": 0.4, "medium": 1.2, "large": 600.0, "architectural": 600.0}


@dataclass
class Played:
    """What came of a scenario, with what the engine and the watcher say."""

    seen: Seen
    most: Most
    evidence: Evidence
    problem: str = ""
    """Why the watcher stopped looking; what it saw then is not all there was."""


def measure_scenario(rig: Rig, trial: Trial) -> Outcome:
    """Play the scenario of a trial on a fresh target and say what was seen.

    A target that does not come up, or whose container is on a machine that cannot be looked into
    from here, gives an outcome that does not count; whatever else goes wrong with engine or disk
    is raised. All that was started is gone when this returns.
    """
    began, started_at = time.time(), datetime.now(UTC).isoformat(timespec="seconds")
    scenario = SCENARIOS.get(trial.scenario or "")
    if scenario is None:
        return _outcome(rig, trial, began, started_at, f"unknown scenario {trial.scenario!r}")
    try:
        played = play(rig, scenario)
    except (RigError, ComposeError) as error:
        return _outcome(rig, trial, began, started_at, str(error))
    if played.problem:
        return _outcome(rig, trial, began, started_at, f"the watcher failed: {played.problem}")
    return _outcome(rig, trial, began, started_at, played.seen.reason, played)


def play(rig: Rig, scenario: Scenario, environment: Mapping[str, str] | None = None) -> Played:
    """Play a scenario on a fresh target; `environment` goes to its server and all others of it.

    Raises RigError (TargetDiedError when the target does not come up) and errors of the engine.
    """
    stage = Stage(rig, environment or {})
    with stage.world(scenario.setup) as world:
        seen = scenario(world)
    return Played(seen, world.watch.most(), stage.evidence, world.watch.problem)


def _outcome(
    rig: Rig, trial: Trial, began: float, started_at: str, reason: str, played: Played | None = None
) -> Outcome:
    return Outcome(
        trial=trial,
        status="measured" if played else "invalid",
        reason=reason,
        started_at=started_at,
        duration_s=round(time.time() - began, 3),
        limit_bytes=rig.campaign.limit,
        seen=played.seen if played else None,
        max_running=played.most.live if played else 0,
        max_reported=played.most.reported if played else 0,
        evidence=played.evidence if played else Evidence(),
    )


@dataclass
class Stage:
    """Makes the targets of one scenario, and what stands beside them."""

    rig: Rig
    extra: Mapping[str, str]
    """Environment of every server, before that of the scenario."""
    token: str = field(default_factory=lambda: f"lt{secrets.token_hex(3)}")
    evidence: Evidence = field(default_factory=Evidence)
    """What the engine says of the last target that was taken down."""

    @contextlib.contextmanager
    def world(self, setup: Setup) -> Iterator[World]:
        """A fresh target with a world around it, gone afterwards. Raises TargetDiedError."""
        key = secrets.token_hex(16)
        with Target(self._spec(setup, key), self.rig.client) as target:
            budget = self.rig.settings.loadtest.thresholds.start_budget_s
            if setup.wait:
                target.wait_ready(budget)

            def look_again() -> None:
                with contextlib.suppress(*ENGINE_ERRORS):
                    target.refresh()

            api = ServerApi(lambda: target.url, key, look_again)
            control = Disturber(target, self.rig.client, self.world, self._docs, self._swap)
            with Watcher(lambda: _reported(api), control.agents) as watch:
                world = World(api, watch, PROJECTS, self.token, self.rig.limits, container=control)
                try:
                    yield world
                finally:
                    self.evidence = target.evidence()

    def _spec(self, setup: Setup, key: str) -> TargetSpec:
        limits = self.rig.limits
        memory = self._workload_memory(setup.workload) or setup.memory
        return TargetSpec(
            image=self.rig.image,
            memory=memory,
            memswap=None if setup.swap else memory,
            cpus=self.rig.cpus,
            init=limits.init,
            environment=self._environment(setup, key),
            labels=labels_for(self.rig.run_id),
            restart=limits.restart if setup.restart else None,
            logs=LogFiles(setup.log_size, _LOG_FILES) if setup.log_size else None,
        )

    def _environment(self, setup: Setup, key: str) -> dict[str, str]:
        """The staging environment with what makes it a scenario: no secret of the host's in it."""
        usual = {
            **server_environment(self.rig.limits, key, normal_ms=20, idle_ms=300),
            "AUTO_MODE_CRASH_DELAY_MS": "0",
            "STANDIN_PROFILES": json.dumps(self._profiles(setup.workload)),
        }
        wanted = {**usual, **self.rig.injected, **self.extra, **setup.environment}
        return {name: value for name, value in wanted.items() if value is not None}

    @property
    def _scale(self) -> float:
        """A scale at which a few agents fit beside anything."""
        return min(self.rig.campaign.scale, self.rig.settings.loadtest.small_scale)

    def _profiles(self, workload: str | None) -> Mapping[str, object]:
        if workload is None:
            return {name: {**_TINY, "hold_s": stay} for name, stay in _STAY_S.items()}
        settings = self.rig.settings
        factor = self._scale / self.rig.campaign.scale
        found: dict[str, Any] = {}
        for name, agent in settings.agents.classes.items():
            profile = profile_of(
                agent,
                self.rig.campaign,
                settings,
                hold_s=_WORKLOAD_HOLD_S,
                compression=settings.loadtest.swarm.stable_compression,
            )
            for key in ("start_bytes", "peak_bytes", "leak_bytes_per_turn", "burst_bytes"):
                profile[key] = round(int(str(profile[key])) * factor)
            found[name] = profile
        return found

    def _workload_memory(self, workload: str | None) -> int | None:
        """Room for the agents of a workload at the small scale, and for the server."""
        if workload is None:
            return None
        agents = self.rig.settings.agents
        names = first_agents(agents.weights(workload), _WORKLOAD_AGENTS)
        needed = sum(agents.classes[name].memory for name in names) * self._scale
        return round(needed * _SPARE) + 256 * _MIB

    @contextlib.contextmanager
    def _docs(self) -> Iterator[DocsContainer]:
        ports: dict[str, Any] = {"80/tcp": ("127.0.0.1",)}
        policy: Any = {"Name": "unless-stopped"}
        container = self.rig.client.containers.run(
            ensure_image(run, BUILD, "docs"),
            detach=True,
            labels=labels_for(self.rig.run_id),
            ports=ports,
            mem_limit=_DOCS_MEMORY,
            memswap_limit=_DOCS_MEMORY,
            restart_policy=policy,
        )
        try:
            yield DocsContainer(container, _serves)
        finally:
            container.remove(force=True, v=True)

    @contextlib.contextmanager
    def _swap(self, size: int) -> Iterator[bool]:
        way = way_to_swap()
        if way is None:
            yield False
            return
        with swap_of(run, size, way):
            yield True


def _reported(api: ServerApi) -> list[str] | None:
    """Features with an agent, by the server's word; None while it does not answer."""
    try:
        answer = api.get("/api/health/deep")
    except ComposeError:
        return None
    queue = answer.data.get("autoMode", {}).get("queue")
    return None if queue is None else [str(one["featureId"]) for one in queue]


def _serves(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own container
            return bool(response.status == 200)
    except OSError:
        return False
