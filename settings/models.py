"""The shape of the settings: agent classes, mixes, claims, plans, thresholds."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from settings.sizes import Size

FailureMode = Literal[
    "agent-oom",
    "server-oom",
    "heap-abort",
    "server-exit",
    "unresponsive",
    "crash-loop",
    "host-oom",
    "agent-lost",
]
"""What failed first. `server-exit` and `agent-lost` ended without the kernel's doing."""
Reading = Literal["GB", "GiB"]
"""How the guide's "GB" per agent is read: 1e9 bytes, or 2^30."""
ClaimKind = Literal["memory", "boundary", "stable", "cap", "failure-mode", "scenario"]
Basis = Literal["rig", "assumed", "measured", "observed"]
Share = Annotated[float, Field(gt=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """No unknown keys, no silent conversions, no change after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AgentClass(Strict):
    """One row of the guide's table of agents."""

    model: Literal["haiku", "sonnet", "opus"]
    turns: Count
    memory: Annotated[Size, Field(gt=0)]
    """Private memory at the peak, in bytes."""
    start: Size
    growth: Annotated[float, Field(gt=0)] = 1.0
    turn_latency_s: Seconds
    cpu_s_per_turn: Seconds
    tool_every: Annotated[int, Field(ge=0)] = 50
    burst: Size = 0
    leak_per_turn: Size = 0


class Mix(Strict):
    """Weights over agent classes, in percent."""

    weights: dict[str, Annotated[int, Field(ge=0, le=100)]]

    @model_validator(mode="after")
    def _sums_to_100(self) -> Self:
        total = sum(self.weights.values())
        if total != 100:
            raise ValueError(f"weights sum to {total}, not to 100")
        return self


class Agents(Strict):
    """agents.toml: classes and mixes of them; either can be a workload."""

    classes: dict[str, AgentClass]
    mixes: dict[str, Mix]

    @model_validator(mode="after")
    def _mixes_use_known_classes(self) -> Self:
        for name, mix in self.mixes.items():
            unknown = sorted(set(mix.weights) - set(self.classes))
            if unknown:
                raise ValueError(f"mix {name!r} names the unknown class {unknown[0]!r}")
            if name in self.classes:
                raise ValueError(f"{name!r} is both a class and a mix")
        return self

    def weights(self, workload: str) -> dict[str, int]:
        """Weights of a workload, which is a mix or a single class. Raises KeyError."""
        if workload in self.mixes:
            return self.mixes[workload].weights
        return {workload: 100} if self.classes[workload] else {}

    def workloads(self) -> list[str]:
        """Names that may stand for a workload: classes first, then mixes."""
        return [*self.classes, *self.mixes]


class _ClaimBase(Strict):
    statement: str
    section: str
    """Heading of the guide under which the sentence stands."""
    basis: Basis
    gating: bool = True


class MemoryClaim(_ClaimBase):
    """An agent of a class holds so much private memory."""

    kind: Literal["memory"]
    workload: str
    expected: Size
    tolerance: Share


class BoundaryClaim(_ClaimBase):
    """So many agents at once hold, or so many do not, or both."""

    kind: Literal["boundary"]
    workload: str
    reading: Reading = "GB"
    holds: Count | None = None
    fails_at: Count | None = None
    """The first number that fails."""
    fails_by: Count | None = None
    """A number that fails; whether a smaller one does is left open."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.holds is None and self.fails_at is None and self.fails_by is None:
            raise ValueError("needs holds, fails_at or fails_by")
        if self.fails_at is not None and self.fails_by is not None:
            raise ValueError("fails_at and fails_by say the same in two ways: keep one")
        return self


class StableClaim(_ClaimBase):
    """So many agents run for a while, coming and going, and nothing fails."""

    kind: Literal["stable"]
    workload: str
    agents: Count


class CapClaim(_ClaimBase):
    """The server runs as many agents as maxConcurrency says, and never one more."""

    kind: Literal["cap"]
    workload: str
    max_concurrency: Annotated[int, Field(ge=1, le=20)]
    backlog: Count = 3


class FailureModeClaim(_ClaimBase):
    """What fails when too many agents run."""

    kind: Literal["failure-mode"]
    workload: str
    mode: FailureMode


class ScenarioClaim(_ClaimBase):
    """What a server does in a situation, seen from outside."""

    kind: Literal["scenario"]
    workload: str = "small"
    scenario: str
    """Name of the situation in `loadtest.scenarios`."""
    expected: str
    """What is to be seen, in words."""


Claim = Annotated[
    MemoryClaim | BoundaryClaim | StableClaim | CapClaim | FailureModeClaim | ScenarioClaim,
    Field(discriminator="kind"),
]


class Claims(Strict):
    """claims.toml: the guide's sentences, made testable; the key is the claim's id."""

    claims: dict[str, Claim]


class Spread(Strict):
    """How agents of one class differ from each other."""

    variation: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Coefficient of variation of the memory at the peak: standard deviation over mean."""
    runaway_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of agents that need far more than their class says."""
    runaway_factor: Annotated[float, Field(ge=1)] = 2.0
    """What such an agent needs, as a multiple of its class."""
    burst: Size = 0
    """Memory of a child tool at work, at true size, on top of what the class says."""


class Plan(Strict):
    """How often and how long a campaign measures."""

    kinds: Annotated[tuple[ClaimKind, ...], Field(strict=False)] = get_args(ClaimKind)
    """Kinds of claims that it judges."""
    claims: Annotated[tuple[str, ...], Field(strict=False)] = ("*",)
    """Patterns of the ids of claims that it judges."""
    confirm: bool = False
    """Whether claims of numbers that hold are repeated until the confidence asked for."""
    spread: Spread = Spread()
    runs: Count
    """Ramps a workload."""
    hold_s: Seconds
    """How long every agent is held at its peak before the next one starts."""
    stable_s: Seconds
    """How long a stability trial lasts."""
    settle_s: Seconds
    """Quiet time in which the server's own memory is measured before the first agent."""


class Swarm(Strict):
    """How the load generator runs agents."""

    compression: Annotated[float, Field(gt=0)]
    stable_compression: Annotated[float, Field(gt=0)]
    content: Literal["same", "random"]
    huge_pages: Literal["auto", "always", "never"]
    agents_per_project: Annotated[int, Field(ge=1, le=20)]
    poll_s: Annotated[float, Field(gt=0, le=1)]
    agent_budget_s: Seconds
    """Longest wait for one agent to reach its peak, before compression does not matter."""
    beyond: Count
    """A ramp ends this many agents after the predicted boundary if nothing has failed."""


class Thresholds(Strict):
    """When a trial counts and when it does not."""

    probe_hz: Annotated[float, Field(gt=0)]
    probe_min_hz: Annotated[float, Field(gt=0)]
    probe_max_gap_s: Seconds
    generator_max_lag_s: Seconds
    start_budget_s: Seconds
    trial_budget_s: Seconds
    host_reserve: Size
    """Memory the host keeps for itself beside the target."""
    base_max: Size


class Confidence(Strict):
    """What may be called safe, and what may be called failing."""

    level: Annotated[float, Field(gt=0.5, lt=1)]
    """What a decision may be relied on for."""
    look_level: Annotated[float, Field(gt=0.5, lt=1)]
    """What a single look is judged at. Runs are looked at again and again until they decide, so
    each look must be surer than all of them together."""
    safe_below: Share
    """A number of agents is safe when P(failure) is below this at the level."""
    fails_above: Share
    """A number of agents fails when P(failure) is above this at the level."""
    most_runs: Count
    """A claim that is not decided after so many runs stays undecided."""


class Tolerance(Strict):
    """How much worse a metric may be before it counts as a regression; the larger one decides."""

    relative: Annotated[float, Field(ge=0)] = 0.0
    absolute: Annotated[float, Field(ge=0)] = 0.0
    """In the unit of the metric: bytes, agents or milliseconds."""


class Schedule(Strict):
    """When a scheduled run gives way to the work of the host."""

    busy_agents: Count
    """So many running agents of the staging server postpone it."""
    busy_memory: Share
    """So much of the host's memory in use postpones it."""
    retry_after_min: Count
    keep_logs: Count


class LoadTest(Strict):
    """loadtest.toml."""

    small_scale: Share
    plans: dict[str, Plan]
    swarm: Swarm
    thresholds: Thresholds
    confidence: Confidence
    tolerances: dict[str, Tolerance]
    """By metric, or by its first word: `agent-memory` stands for all classes."""
    schedule: Schedule


class Settings(Strict):
    """Everything a campaign is told by files."""

    agents: Agents
    claims: dict[str, Claim]
    loadtest: LoadTest

    @model_validator(mode="after")
    def _plans_judge_something(self) -> Self:
        for name, plan in self.loadtest.plans.items():
            for pattern in plan.claims:
                if not any(fnmatchcase(one, pattern) for one in self.claims):
                    raise ValueError(f"plan {name!r} names claims that there are not: {pattern!r}")
        return self

    @model_validator(mode="after")
    def _claims_use_known_workloads(self) -> Self:
        known = self.agents.workloads()
        for name, claim in self.claims.items():
            if claim.workload not in known:
                raise ValueError(f"claim {name!r} names the unknown workload {claim.workload!r}")
        return self
