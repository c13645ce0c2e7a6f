"""The trials of a plan: which agents come in which order, and how long it takes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from loadtest.boundary import first_agents, predict
from loadtest.chance import demanded
from loadtest.outcome import Trial
from settings.models import (
    AgentClass,
    BoundaryClaim,
    CapClaim,
    Claim,
    Confidence,
    FailureModeClaim,
    MemoryClaim,
    Plan,
    Reading,
    ScenarioClaim,
    Settings,
    StableClaim,
)

# Measured on 2 cores: a fresh target is up, measured and taken down in about this long.
_TRIAL_OVERHEAD_S = 2.5
_START_S = 0.25
_FILL_BYTES_PER_S = 2.0e9


# A server answers 300 requests a minute; a round creates, runs, looks at and stops every agent.
_REQUESTS_A_MINUTE = 270
_REQUESTS_A_ROUND = 3.6
_ROUND_S = 0.5
_SCENARIO_S = 3.5
# The other reading of the guide's unit is shown beside the first; its agents differ no more.
_RUNS_OF_OTHER_READING = 2
AGAIN = ".again"
"""What the id of a trial ends in that repeats one which did not count."""
UNITS: dict[Reading, float] = {"GB": 1.0, "GiB": 2**30 / 1e9}
"""How much larger an agent is in a reading of the guide's unit."""


def in_reading(sizes: Mapping[str, int], reading: Reading) -> dict[str, int]:
    """Sizes in bytes of agent classes, given in GB, in a reading of the guide's unit."""
    return {name: round(size * UNITS[reading]) for name, size in sizes.items()}


def rests_on_ramps(claim: Claim) -> bool:
    """Whether ramps answer a claim."""
    return isinstance(claim, MemoryClaim | BoundaryClaim | FailureModeClaim)


def ramp_of(claim: Claim) -> tuple[str, Reading]:
    """Workload and reading of the ramps that answer a claim."""
    return claim.workload, claim.reading if isinstance(claim, BoundaryClaim) else "GB"


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
        """Ramps, interleaved so that a disturbance does not hit one workload alone; then crowds.

        Situations come last: they need little memory and answer quickly.
        """
        order = self.settings.agents.workloads()
        ramped = {ramp_of(c) for c in self.claims.values() if rests_on_ramps(c)}
        in_order = sorted(ramped, key=lambda one: (one[1], order.index(one[0])))
        for run in range(1, self.plan.runs + 1):
            for workload, reading in in_order:
                if reading == "GB" or run <= _RUNS_OF_OTHER_READING:
                    yield self.ramp(workload, reading, run)
        for name, claim in self.claims.items():
            if isinstance(claim, StableClaim):
                yield self._crowd(name, claim.workload, "stable", claim.agents, claim.agents)
            elif isinstance(claim, CapClaim):
                cap = claim.max_concurrency
                yield self._crowd(name, claim.workload, "cap", cap, cap * claim.backlog)
        for name, claim in self.claims.items():
            if isinstance(claim, ScenarioClaim):
                yield self._situation(name, claim)

    def rounds(self, workload: str, agents: int, run: int, wanted: int) -> Trial:
        """The same number at once, `wanted` times or as often as the server's rate limit lets."""
        most = max(1, int((_REQUESTS_A_MINUTE - agents) / (agents * _REQUESTS_A_ROUND)))
        return Trial(
            id=f"rounds-{workload}-{agents}-{run}",
            kind="rounds",
            workload=workload,
            run=run,
            agents=first_agents(self.settings.agents.weights(workload), agents),
            # Other agents than in the ramps and than in the rounds before.
            seed=self.seed + 1000 * agents + run,
            concurrent=agents,
            rounds=min(wanted, most),
        )

    def ramp(self, workload: str, reading: Reading, run: int) -> Trial:
        """Agent after agent until something fails."""
        weights = self.settings.agents.weights(workload)
        sizes = in_reading(self.sizes, reading)
        predicted = predict(self.limit, 0, sizes, weights)
        claimed = [
            max(claim.holds or 0, (claim.fails_at or claim.fails_by or 1) - 1)
            for claim in self.claims.values()
            if isinstance(claim, BoundaryClaim) and ramp_of(claim) == (workload, reading)
        ]
        # Far enough to see the failure where it is predicted and where the guide claims it.
        length = max(predicted, *claimed, 0) + self.settings.loadtest.swarm.beyond
        return Trial(
            id=f"ramp-{workload}-{'' if reading == 'GB' else 'gib-'}{run}",
            kind="ramp",
            workload=workload,
            reading=reading,
            run=run,
            agents=first_agents(weights, length),
            seed=self.seed + run,
            predicted=predicted,
        )

    def expected_s(self, trial: Trial) -> float:
        """About how long a trial takes; for the plan that `--dry-run` prints and for time left."""
        if trial.kind == "stable":
            return _TRIAL_OVERHEAD_S + self.plan.stable_s
        if trial.kind == "scenario":
            return _SCENARIO_S
        if trial.kind == "rounds":
            held = sum(self.sizes[name] for name in trial.agents)
            return _TRIAL_OVERHEAD_S + (trial.rounds or 1) * (_ROUND_S + held / _FILL_BYTES_PER_S)
        agents = trial.agents
        if trial.kind == "ramp" and trial.predicted is not None:
            agents = agents[: trial.predicted + 1]
        hold = self.plan.hold_s if trial.kind == "ramp" else 0.0
        classes = self.settings.agents.classes
        return _TRIAL_OVERHEAD_S + sum(
            _START_S + hold + self._session_s(classes[name]) + self.sizes[name] / _FILL_BYTES_PER_S
            for name in agents
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

    def _situation(self, name: str, claim: ScenarioClaim) -> Trial:
        return Trial(
            id=name,
            kind="scenario",
            workload=claim.workload,
            run=1,
            agents=(),
            seed=self.seed,
            scenario=claim.scenario,
        )

    def _session_s(self, agent: AgentClass) -> float:
        return agent.turns * agent.turn_latency_s / self.settings.loadtest.swarm.compression


def confirming(planner: Planner, confidence: Confidence) -> Iterator[Trial]:
    """The repeats of a plan with confidence, if all goes as the guide says; to plan time with."""
    if not planner.plan.confirm:
        return
    most: dict[str, int] = {}
    for claim in planner.claims.values():
        if isinstance(claim, BoundaryClaim) and claim.gating and claim.holds:
            most[claim.workload] = max(claim.holds, most.get(claim.workload, 0))
    for workload, agents in most.items():
        missing, run = demanded(0, confidence) - planner.plan.runs, 1
        while missing > 0:
            trial = planner.rounds(workload, agents, run, missing)
            yield trial
            missing, run = missing - (trial.rounds or 1), run + 1
