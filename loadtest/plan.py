"""Which trials a campaign needs, at which scale, with how much memory and time. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from loadtest.outcome import Trial
from loadtest.summary import Grade
from loadtest.trials import UNITS, Planner, confirming
from settings.host import HostFacts
from settings.models import AgentClass, Claim, Plan, Reading, Settings
from settings.sizes import in_gib

_SWAP_TABLES = 1 / 32
_SWAP_SPARE = 1.25
_MOST_TIMES = 8
_LEAST_AGENT = 2**20
_LEAST_LIMIT = 6 * 2**20
_HUGE_PAGES = {"auto": None, "always": True, "never": False}


class PlanError(Exception):
    """A campaign that cannot be run; the message says what and what to do."""


@dataclass(frozen=True)
class Choice:
    """What the command line leaves in of a plan's claims; by default all."""

    workloads: Sequence[str] = ()
    patterns: Sequence[str] = ()
    """Of the claims' ids."""

    def includes(self, name: str, claim: Claim) -> bool:
        """Whether a claim is left in. Situations are about no workload."""
        if self.workloads and (claim.workload not in self.workloads or claim.kind == "scenario"):
            return False
        return not self.patterns or any(fnmatchcase(name, one) for one in self.patterns)


@dataclass(frozen=True)
class Campaign:
    """What will be run. Sizes in bytes at the campaign's scale."""

    plan_name: str
    plan: Plan
    scale: float
    grade: Grade
    limit: int
    true_limit: int
    sizes: Mapping[str, int]
    """Peak of each class, in the reading GB."""
    trials: tuple[Trial, ...]
    claims: Mapping[str, Claim]
    """The claims that the trials can answer."""
    planner: Planner
    """What makes further trials, where the planned ones do not decide."""
    repeats: int
    """About how many further trials the confidence takes."""
    expected_s: float


def choose_scale(asked: float | None, small: float, needed: int, host: HostFacts) -> float:
    """The scale asked for, else 1 where the host can hold `needed` bytes, else the small one."""
    if asked is not None:
        return asked
    return 1.0 if host.memory_available >= needed else small


def grade_of(scale: float, host: HostFacts) -> Grade:
    """How much a result is worth: see the three grades in the README."""
    if scale < 1:
        return "scaled"
    return "target-host" if host.is_target else "full-size"


def cpu_limit(staging: float | None, host: HostFacts) -> float:
    """Processors of a target: the staging model's, but no more than the host has.

    The engine refuses more; results then hold for fewer processors, and the report says so.
    """
    return min(staging or host.cpus, host.cpus)


SwapWay = Literal["zram", "file"]
SWAP: Mapping[SwapWay, str] = {"zram": "compressed swap", "file": "a swap file"}
"""Each way in words."""


@dataclass(frozen=True)
class Backing:
    """What a target's limit rests on, in bytes: memory of the host, and swap for the rest."""

    memory: int
    swap: int = 0
    way: SwapWay = "zram"


def back(
    limit: int,
    reserve: int,
    host: HostFacts,
    *,
    way: SwapWay | None,
    compressible: bool,
    disk_free: int = 0,
) -> Backing:
    """How a limit is backed: by memory alone where it fits, else by swap too.

    Compressed swap where the kernel has it, else a file, for which there are `disk_free` bytes.
    `way` None: this user may make none.

    Raises PlanError for a limit that this host cannot back, before anything is started.
    """
    available = host.memory_available
    if limit + reserve <= available:
        return Backing(limit)
    # The device's own tables stay in memory; the rest of its pages compress to next to nothing.
    memory = available - reserve - round(limit * _SWAP_TABLES)
    problem = (
        f"the target's limit of {in_gib(limit)} and {in_gib(reserve)} for the host itself do "
        f"not fit into the {in_gib(available)} this host has free"
    )
    if way is None:
        raise PlanError(
            f"{problem}, and swap behind it takes root on Linux: "
            "choose a smaller --scale (for example 1/16) or --limit"
        )
    if way == "zram" and not compressible:
        raise PlanError(f'{problem}, and content = "random" cannot be compressed')
    if limit > memory * _MOST_TIMES:
        raise PlanError(f"{problem}, not even with swap: choose a smaller --scale or --limit")
    swap = round((limit - memory) * _SWAP_SPARE)
    if way == "file" and swap + reserve > disk_free:
        raise PlanError(
            f"{problem}, nor a swap file of {in_gib(swap)} into the {in_gib(disk_free)} of "
            "disk: choose a smaller --scale or --limit"
        )
    return Backing(memory, swap, way)


def make_campaign(
    settings: Settings,
    *,
    plan_name: str,
    true_limit: int,
    scale: float,
    grade: Grade,
    choice: Choice | None = None,
    runs: int | None = None,
    seed: int = 0,
) -> Campaign:
    """The trials of a plan, with the claims they answer.

    `choice` leaves claims of the plan out; `runs` replaces its number of ramps. Raises PlanError
    for a name that is not known.
    """
    plan = _plan(settings, plan_name, runs)
    known = settings.agents.workloads()
    choice = choice or Choice()
    for name in choice.workloads:
        if name not in known:
            raise PlanError(f"unknown workload {name!r}: choose from {', '.join(known)}")
    claims = {
        name: claim
        for name, claim in settings.claims.items()
        if is_judged(name, claim, plan) and choice.includes(name, claim)
    }
    if not claims:
        wanted = ", ".join((*choice.workloads, *choice.patterns))
        raise PlanError(f"the plan {plan_name} judges no claim about {wanted}")
    sizes = {name: round(c.memory * scale) for name, c in settings.agents.classes.items()}
    if min(sizes.values()) < _LEAST_AGENT:
        raise PlanError(f"at scale {scale:g} an agent is smaller than 1 MiB: take a larger scale")
    limit = round(true_limit * scale)
    if limit < _LEAST_LIMIT:
        raise PlanError(f"at scale {scale:g} the limit is {limit} bytes, and Docker takes 6 MiB")
    planner = Planner(settings, plan, claims, limit, sizes, seed)
    trials = tuple(planner.trials())
    repeats = tuple(confirming(planner, settings.loadtest.confidence))
    return Campaign(
        plan_name=plan_name,
        plan=plan,
        scale=scale,
        grade=grade,
        limit=limit,
        true_limit=true_limit,
        sizes=sizes,
        trials=trials,
        claims=claims,
        planner=planner,
        repeats=len(repeats),
        expected_s=sum(planner.expected_s(trial) for trial in (*trials, *repeats)),
    )


def is_judged(name: str, claim: Claim, plan: Plan) -> bool:
    """Whether a plan judges a claim, by its kind and its id."""
    by_name = any(fnmatchcase(name, pattern) for pattern in plan.claims)
    return by_name and claim.kind in plan.kinds


def _plan(settings: Settings, name: str, runs: int | None) -> Plan:
    plans = settings.loadtest.plans
    if name not in plans:
        raise PlanError(f"unknown plan {name!r}: choose from {', '.join(plans)}")
    if runs is not None and runs < 1:
        raise PlanError(f"--runs {runs}: at least one ramp is needed")
    return plans[name] if runs is None else plans[name].model_copy(update={"runs": runs})


def profile_of(
    agent: AgentClass,
    campaign: Campaign,
    settings: Settings,
    *,
    reading: Reading = "GB",
    hold_s: float,
    compression: float,
    swapped: bool = False,
) -> dict[str, Any]:
    """The profile of one class as the stand-in reads it, memory at the campaign's scale.

    `swapped`: a part of it will go to compressed swap, where huge pages always pay.
    """
    huge = _HUGE_PAGES[settings.loadtest.swarm.huge_pages]
    scale, spread = campaign.scale, campaign.plan.spread
    return {
        "turns": agent.turns,
        "start_bytes": round(agent.start * scale),
        "peak_bytes": round(agent.memory * scale * UNITS[reading]),
        "variation": spread.variation,
        "runaway_share": spread.runaway_share,
        "runaway_factor": spread.runaway_factor,
        "growth": agent.growth,
        "hold_s": hold_s,
        "leak_bytes_per_turn": round(agent.leak_per_turn * scale),
        "burst_bytes": round(max(agent.burst, spread.burst) * scale),
        "tool_every": agent.tool_every,
        "content": settings.loadtest.swarm.content,
        "huge_pages": True if swapped and huge is None else huge,
        "cpu_s_per_turn": agent.cpu_s_per_turn,
        "turn_latency_s": agent.turn_latency_s,
        "compression": compression,
    }
