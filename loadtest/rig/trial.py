"""One trial for real: target up, probe on, swarm in, outcome out, target down."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import docker

from compose.model import ServiceLimits
from loadtest.fold import Sighting, fold
from loadtest.orders import environment_of, task_of
from loadtest.outcome import Evidence, Outcome, Trial
from loadtest.plan import Backing, Campaign
from loadtest.rig.cgroup import Reading
from loadtest.rig.context_files import put_context
from loadtest.rig.crowd import Crowd, Watcher
from loadtest.rig.errors import TargetDiedError
from loadtest.rig.events import EventLog
from loadtest.rig.kernel import Kernel, LocalKernel
from loadtest.rig.labels import labels_for
from loadtest.rig.probe import Probe
from loadtest.rig.scenario_trial import measure_scenario
from loadtest.rig.swarm_process import SwarmProcess
from loadtest.rig.target import Target, TargetSpec
from loadtest.swarm.result import SwarmTask
from settings.models import Settings


@dataclass
class Rig:
    """All that trials of one campaign have in common."""

    run_id: str
    client: docker.DockerClient
    image: str
    limits: ServiceLimits
    cpus: float
    settings: Settings
    campaign: Campaign
    backing: Backing
    folder: Path
    swarm_environment: dict[str, str]
    progress: Watcher
    injected: Mapping[str, str] = field(default_factory=dict)
    """Variables of the target that change it on purpose."""

    def measure(self, trial: Trial) -> Outcome:
        """Run one trial on a fresh target and say what happened.

        A target that does not come up gives an outcome that does not count; whatever else goes
        wrong with engine or disk is raised. The target is gone when this returns.
        """
        if trial.kind == "scenario":
            return measure_scenario(self, trial)
        began, started_at = time.time(), datetime.now(UTC).isoformat(timespec="seconds")
        key = secrets.token_hex(16)
        spec = self._spec(trial, key)
        events = EventLog(self.client, self.run_id)
        try:
            with self._target(spec) as target:
                sighting = self._watch(trial, target, events, key, began, started_at)
        except TargetDiedError as error:
            return Outcome(
                trial=trial,
                status="invalid",
                reason=str(error),
                started_at=started_at,
                duration_s=round(time.time() - began, 3),
                limit_bytes=self.campaign.limit,
            )
        finally:
            events.close()
        return fold(sighting, self.settings.loadtest.thresholds)

    def _watch(
        self,
        trial: Trial,
        target: Target,
        events: EventLog,
        key: str,
        began: float,
        started_at: str,
    ) -> Sighting:
        thresholds = self.settings.loadtest.thresholds
        samples = self.folder / "samples" / f"{trial.id}.csv"
        log = self.folder / "logs" / f"{trial.id}.swarm.log"
        task = task_of(
            trial, self.campaign, self.settings, self.limits, host=target.url, key=key, began=began
        )
        with (
            contextlib.closing(self._kernel(target)) as kernel,
            self._swarm(task, log) as swarm,
        ):
            host_ooms = kernel.host_oom_kills()
            target.wait_ready(thresholds.start_budget_s)
            put_context(self.client, target.id, task.projects_root, _projects(task))
            crowd = Crowd(swarm, self.progress.swarm)
            probe = self._probe(kernel, target, samples, began, crowd)
            probe.start()
            try:
                # Let the server come to rest: its own memory is measured before the first agent.
                time.sleep(self.campaign.plan.settle_s)
                swarm.go()
                code, result = swarm.wait(thresholds.trial_budget_s)
                probe.look_at_agents()
            finally:
                probe.stop()
            host_kills = kernel.host_oom_kills() - host_ooms
            evidence = self._evidence(target, events, probe, host_kills)
            if not evidence.running:
                log.with_suffix(".server.log").write_text(target.log(), encoding="utf-8")
        return Sighting(
            trial=trial,
            started_at=started_at,
            duration_s=time.time() - began,
            limit_bytes=self.campaign.limit,
            base_bytes=probe.base,
            peak_bytes=probe.peak,
            swarm_exit=code,
            swarm=result,
            seen=probe.agents,
            max_running=probe.max_running,
            mean_running=crowd.mean,
            health=probe.health(),
            sampling=probe.sampling(),
            evidence=evidence,
            probe_problem=probe.problem or _blind(probe, evidence),
            first_kill_s=probe.first_kill_s,
            samples_file=f"samples/{samples.name}",
        )

    def _target(self, spec: TargetSpec) -> Target:
        """A target that is not started yet."""
        return Target(spec, self.client)

    def _kernel(self, target: Target) -> Kernel:
        """What tells of a target's memory and processes."""
        return LocalKernel(target.cgroup())

    def _swarm(self, task: SwarmTask, log: Path) -> SwarmProcess:
        """The load generator of a trial, which waits for its word."""
        return SwarmProcess(task, self.folder, log, self.swarm_environment)

    def _probe(
        self, kernel: Kernel, target: Target, samples: Path, began: float, crowd: Crowd
    ) -> Probe:
        def show(reading: Reading, agents: int) -> None:
            crowd.note(agents)
            self.progress.memory(reading.usage + reading.swap, self.campaign.limit, agents)

        health = self.limits.health
        return Probe(
            kernel,
            samples,
            target.address,
            began=began,
            hz=self.settings.loadtest.thresholds.probe_hz,
            health_timeout_s=health.timeout_s if health else 10.0,
            on_sample=show,
        )

    def _evidence(
        self, target: Target, events: EventLog, probe: Probe, host_kills: int
    ) -> Evidence:
        kills = probe.last.oom_kills if probe.last else 0
        return target.evidence().model_copy(
            update={
                "oom_kills": kills,
                "oom_events": events.ooms(target.id),
                "host_oom_kills": max(0, host_kills - kills),
            }
        )

    def _spec(self, trial: Trial, key: str) -> TargetSpec:
        swap = self.limits.memswap_bytes - self.limits.memory_bytes
        return TargetSpec(
            image=self.image,
            memory=self.backing.memory,
            memswap=self.campaign.limit + round(swap * self.campaign.scale),
            cpus=self.cpus,
            init=self.limits.init,
            environment={
                **environment_of(
                    trial,
                    self.campaign,
                    self.settings,
                    self.limits,
                    key=key,
                    swapped=self.backing.swap > 0,
                ),
                **self.injected,
            },
            labels=labels_for(self.run_id),
        )


def _blind(probe: Probe, evidence: Evidence) -> str | None:
    if probe.vanished_s is not None and evidence.running and not evidence.restarts:
        return f"it could no longer read the running container after {probe.vanished_s:.1f} s"
    return None


def _projects(task: SwarmTask) -> list[str]:
    count = -(-len(task.trial.agents) // task.agents_per_project)
    return [task.project(number) for number in range(count)]
