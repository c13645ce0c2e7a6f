"""Trials on one host of a fleet: the usual rig, with its target wherever the engine is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loadtest.fleet.swarm import FleetSwarm
from loadtest.rig.errors import RigError
from loadtest.rig.fleet_engine import FleetEngine
from loadtest.rig.kernel import Kernel, LocalKernel
from loadtest.rig.labels import labels_for
from loadtest.rig.remote_kernel import open_remote_kernel
from loadtest.rig.remote_target import RemoteTarget
from loadtest.rig.swarm_process import SwarmProcess
from loadtest.rig.target import Target, TargetSpec
from loadtest.rig.trial import Rig
from loadtest.swarm.result import SwarmTask


@dataclass(kw_only=True)
class FleetRig(Rig):
    """All that trials on one host have in common."""

    host: str
    engine: FleetEngine
    swarm: FleetSwarm | None = None
    """The swarm of the trial under way."""

    def _target(self, spec: TargetSpec) -> Target:
        return RemoteTarget(spec, self.client, self.engine.url, self.engine.ssh)

    def _kernel(self, target: Target) -> Kernel:
        if isinstance(target, RemoteTarget) and target.is_here:
            return LocalKernel(target.cgroup())
        return open_remote_kernel(
            self.client,
            self.engine.url,
            self.image,
            target.pid,
            self.settings.loadtest.thresholds.probe_hz,
            labels_for(self.run_id),
        )

    def _swarm(self, task: SwarmTask, log: Path) -> SwarmProcess:
        if self.swarm is None:
            raise RigError("no trial of the fleet is under way")
        return self.swarm.worker(self.host, task, self.folder, log)
