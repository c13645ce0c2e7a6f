"""The trials of a plan: which agents come in which order, and how long it takes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from loadtest.boundary import first_agents, predict
from loadtest.outcome import Trial
from settings.models import (
    AgentClass,
    BoundaryClaim,
    CapClaim,
    Claim,
    FailureModeClaim,
    MemoryClaim,
    Plan,
    Settings,
    StableClaim,
)

# Measured on 2 cores: a fresh target is up, measured and taken down in about this long.
_TRIAL_OVERHEAD_S = 2.5
_START_S = 0.25
_FILL_BYTES_PER_S = 2.0e9


@dataclass(frozen=True)
class Planner:
    """What trials are made of; sizes in bytes at the campaign's scale."""

    settings: Settings
    plan: Plan
    claims: Mapping[str, Claim]
    limit: int
    sizes: Mapping[str, int]
    seed: int

    def trials(self) -> Iterator[Trial]:
        """Ramps, interleaved so that a disturbance does not hit one workload alone; then crowds."""
        ramped = dict.fromkeys(
            claim.workload
            for claim in self.claims.values()
            if isinstance(claim, MemoryClaim | BoundaryClaim | FailureModeClaim)
        )
        for run in range(1, self.plan.runs + 1):
            for workload in ramped:
                yield self._ramp(workload, run)
        for name, claim in self.claims.items():
            if isinstance(claim, StableClaim):
                yield self._crowd(name, claim.workload, "stable", claim.agents, claim.agents)
            elif isinstance(claim, CapClaim):
                cap = claim.max_concurrency
                yield self._crowd(name, claim.workload, "cap", cap, cap * claim.backlog)

    def expected_s(self, trial: Trial) -> float:
        """About how long a trial takes; for the plan that `--dry-run` prints and for time left."""
        if trial.kind == "stable":
            return _TRIAL_OVERHEAD_S + self.plan.stable_s
        agents = trial.agents
        if trial.kind == "ramp" and trial.predicted is not None:
            agents = agents[: trial.predicted + 1]
        hold = self.plan.hold_s if trial.kind == "ramp" else 0.0
        classes = self.settings.agents.classes
        return _TRIAL_OVERHEAD_S + sum(
            _START_S + hold + self._session_s(classes[name]) + self.sizes[name] / _FILL_BYTES_PER_S
            for name in agents
        )

    def _ramp(self, workload: str, run: int) -> Trial:
        weights = self.settings.agents.weights(workload)
        predicted = predict(self.limit, 0, self.sizes, weights)
        claimed = [
            claim.holds
            for claim in self.claims.values()
            if isinstance(claim, BoundaryClaim) and claim.workload == workload
        ]
        # Far enough to see the failure where it is predicted and where the guide claims it.
        length = max(predicted, *claimed, 0) + self.settings.loadtest.swarm.beyond
        return Trial(
            id=f"ramp-{workload}-{run}",
            kind="ramp",
            workload=workload,
            run=run,
            agents=first_agents(weights, length),
            seed=self.seed + run,
            predicted=predicted,
        )

    def _crowd(
        self,
        name: str,
        workload: str,
        kind: Literal["stable", "cap"],
        concurrent: int,
        agents: int,
    ) -> Trial:
        return Trial(
            id=name,
            kind=kind,
            workload=workload,
            run=1,
            agents=first_agents(self.settings.agents.weights(workload), agents),
            seed=self.seed,
            concurrent=concurrent,
        )

    def _session_s(self, agent: AgentClass) -> float:
        return agent.turns * agent.turn_latency_s / self.settings.loadtest.swarm.compression
