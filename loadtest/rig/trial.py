"""One trial for real: target up, probe on, swarm in, outcome out, target down."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import docker

from compose.model import ServiceLimits
from loadtest.fold import Sighting, fold
from loadtest.outcome import Evidence, Outcome, Trial
from loadtest.plan import Backing, Campaign, profile_of
from loadtest.rig.cgroup import Reading
from loadtest.rig.context_files import put_context
from loadtest.rig.errors import TargetDiedError
from loadtest.rig.events import EventLog
from loadtest.rig.labels import labels_for
from loadtest.rig.probe import Probe
from loadtest.rig.swarm_process import SwarmProcess
from loadtest.rig.target import Target, TargetSpec
from loadtest.swarm.result import SwarmTask
from settings.models import Settings

PROJECTS = "/projects"
MAX_CONCURRENCY = 20
_RAMP_HOLD_S = 3600.0  # an agent of a ramp holds its peak until the trial is over
_CAP_HOLD_S = 0.5
_STABLE_HOLD_S = 2.0
_OOM_KILL = "oom_kill "
_SLACK_S = 10.0


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
    on_memory: Callable[[int, int, int], None]

    def measure(self, trial: Trial) -> Outcome:
        """Run one trial on a fresh target and say what happened.

        A target that does not come up gives an outcome that does not count; whatever else goes
        wrong with engine or disk is raised. The target is gone when this returns.
        """
        began, started_at = time.time(), datetime.now(UTC).isoformat(timespec="seconds")
        key = secrets.token_hex(16)
        spec = self._spec(trial, key)
        events = EventLog(self.client, self.run_id)
        try:
            with Target(spec, self.client) as target:
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
        task = self._task(trial, target, key, began)
        host_ooms = host_oom_kills()
        with SwarmProcess(task, self.folder, log, self.swarm_environment) as swarm:
            target.wait_ready(thresholds.start_budget_s)
            put_context(self.client, target.id, task.projects_root, _projects(task))
            probe = self._probe(target, samples, began)
            probe.start()
            try:
                # Let the server come to rest: its own memory is measured before the first agent.
                time.sleep(self.campaign.plan.settle_s)
                swarm.go()
                code, result = swarm.wait(thresholds.trial_budget_s)
                probe.look_at_agents()
            finally:
                probe.stop()
            evidence = self._evidence(target, events, probe, host_ooms)
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
            health=probe.health(),
            sampling=probe.sampling(),
            evidence=evidence,
            probe_problem=probe.problem or _blind(probe, evidence),
            first_kill_s=probe.first_kill_s,
            samples_file=f"samples/{samples.name}",
        )

    def _probe(self, target: Target, samples: Path, began: float) -> Probe:
        def show(reading: Reading, agents: int) -> None:
            self.on_memory(reading.usage + reading.swap, self.campaign.limit, agents)

        health = self.limits.health
        return Probe(
            target.cgroup(),
            samples,
            target.address,
            began=began,
            hz=self.settings.loadtest.thresholds.probe_hz,
            health_timeout_s=health.timeout_s if health else 10.0,
            on_sample=show,
        )

    def _evidence(self, target: Target, events: EventLog, probe: Probe, host_ooms: int) -> Evidence:
        kills = probe.last.oom_kills if probe.last else 0
        return target.evidence().model_copy(
            update={
                "oom_kills": kills,
                "oom_events": events.ooms(target.id),
                "host_oom_kills": max(0, host_oom_kills() - host_ooms - kills),
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
            environment=self._environment(trial, key),
            labels=labels_for(self.run_id),
        )

    def _environment(self, trial: Trial, key: str) -> dict[str, str]:
        """The staging environment with what makes it a test: no secret of the host's goes in."""
        swarm = self.settings.loadtest.swarm
        slow = trial.kind == "stable"
        hold = {"ramp": _RAMP_HOLD_S, "cap": _CAP_HOLD_S, "stable": _STABLE_HOLD_S}[trial.kind]
        compression = swarm.stable_compression if slow else swarm.compression
        profiles = {
            name: profile_of(
                agent, self.campaign.scale, self.settings, hold_s=hold, compression=compression
            )
            for name, agent in self.settings.agents.classes.items()
        }
        return {
            "NODE_ENV": "production",
            "NODE_OPTIONS": self.limits.environment.get("NODE_OPTIONS", ""),
            "AUTOMAKER_API_KEY": key,
            # Ramps start agents by hand up to the server's ceiling; a cap is asked for by name.
            "AUTOMAKER_MAX_CONCURRENCY": str(MAX_CONCURRENCY),
            "ALLOWED_ROOT_DIRECTORY": PROJECTS,
            "DATA_DIR": "/data",
            "PORT": "3008",
            "SLEEP_INTERVAL_NORMAL_MS": "50",
            "SLEEP_INTERVAL_CAPACITY_MS": "200",
            "SLEEP_INTERVAL_IDLE_MS": "500",
            "AUTO_MODE_STARTUP_DELAY_MS": "0",
            "STANDIN_PROFILES": json.dumps(profiles),
            "STANDIN_SEED": str(trial.seed),
        }

    def _task(self, trial: Trial, target: Target, key: str, began: float) -> SwarmTask:
        swarm, health = self.settings.loadtest.swarm, self.limits.health
        # Docker calls a container unhealthy after so many checks in a row without an answer.
        budget = health.retries * (health.interval_s + health.timeout_s) if health else 60.0
        return SwarmTask(
            host=target.url,
            api_key=key,
            trial=trial,
            models={name: agent.model for name, agent in self.settings.agents.classes.items()},
            began=began,
            projects_root=PROJECTS,
            agents_per_project=swarm.agents_per_project,
            hold_s=self.campaign.plan.hold_s,
            duration_s=self.campaign.plan.stable_s,
            poll_s=swarm.poll_s,
            # A frozen server is to be called unresponsive, not its agent slow.
            agent_budget_s=max(swarm.agent_budget_s, budget + _SLACK_S),
            unanswered_budget_s=budget,
        )


def _blind(probe: Probe, evidence: Evidence) -> str | None:
    if probe.vanished_s is not None and evidence.running and not evidence.restarts:
        return f"it could no longer read the running container after {probe.vanished_s:.1f} s"
    return None


def _projects(task: SwarmTask) -> list[str]:
    count = -(-len(task.trial.agents) // task.agents_per_project)
    return [task.project(number) for number in range(count)]


def host_oom_kills(vmstat: Path = Path("/proc/vmstat")) -> int:
    """Processes that the kernel killed for want of memory since boot, in all cgroups."""
    for line in vmstat.read_text(encoding="ascii").splitlines():
        if line.startswith(_OOM_KILL):
            return int(line.removeprefix(_OOM_KILL))
    return 0
