"""The shape of the settings: agent classes, mixes, claims, plans, thresholds."""

from __future__ import annotations

from typing import Annotated, Literal, Self

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
    basis: Basis
    gating: bool = True


class MemoryClaim(_ClaimBase):
    """An agent of a class holds so much private memory."""

    kind: Literal["memory"]
    workload: str
    expected: Size
    tolerance: Share


class BoundaryClaim(_ClaimBase):
    """So many agents at once hold; one number more, if given, does not."""

    kind: Literal["boundary"]
    workload: str
    holds: Count
    fails_at: Count | None = None


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


Claim = Annotated[
    MemoryClaim | BoundaryClaim | StableClaim | CapClaim | FailureModeClaim,
    Field(discriminator="kind"),
]


class Claims(Strict):
    """claims.toml: the guide's sentences, made testable; the key is the claim's id."""

    claims: dict[str, Claim]


class Plan(Strict):
    """How often and how long a campaign measures."""

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


class LoadTest(Strict):
    """loadtest.toml."""

    small_scale: Share
    plans: dict[str, Plan]
    swarm: Swarm
    thresholds: Thresholds


class Settings(Strict):
    """Everything a campaign is told by files."""

    agents: Agents
    claims: dict[str, Claim]
    loadtest: LoadTest

    @model_validator(mode="after")
    def _claims_use_known_workloads(self) -> Self:
        known = self.agents.workloads()
        for name, claim in self.claims.items():
            if claim.workload not in known:
                raise ValueError(f"claim {name!r} names the unknown workload {claim.workload!r}")
        return self
