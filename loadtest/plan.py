"""Which trials a campaign needs, at which scale, with how much memory and time. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtest.outcome import Trial
from loadtest.summary import Grade
from loadtest.trials import Planner
from settings.host import HostFacts
from settings.models import AgentClass, Claim, Plan, Settings
from settings.sizes import in_gib

_SWAP_TABLES = 1 / 32
_SWAP_SPARE = 1.25
_MOST_TIMES = 8
_LEAST_AGENT = 2**20
_HUGE_PAGES = {"auto": None, "always": True, "never": False}


class PlanError(Exception):
    """A campaign that cannot be run; the message says what and what to do."""


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
    trials: tuple[Trial, ...]
    claims: Mapping[str, Claim]
    """The claims that the trials can answer."""
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


@dataclass(frozen=True)
class Backing:
    """What a target's limit rests on, in bytes: memory of the host, and swap for the rest."""

    memory: int
    swap: int = 0


def back(
    limit: int, reserve: int, host: HostFacts, *, swap_allowed: bool, compressible: bool
) -> Backing:
    """How a limit is backed: by memory alone where it fits, else by compressed swap too.

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
    if not swap_allowed:
        raise PlanError(
            f"{problem}, and compressed swap takes root on Linux: "
            "choose a smaller --scale (for example 1/16) or --limit"
        )
    if not compressible:
        raise PlanError(f'{problem}, and content = "random" cannot be compressed')
    if limit > memory * _MOST_TIMES:
        raise PlanError(f"{problem}, not even with swap: choose a smaller --scale or --limit")
    return Backing(memory, round((limit - memory) * _SWAP_SPARE))


def make_campaign(
    settings: Settings,
    *,
    plan_name: str,
    true_limit: int,
    scale: float,
    grade: Grade,
    workloads: Sequence[str] | None = None,
    runs: int | None = None,
    seed: int = 0,
) -> Campaign:
    """The trials of a plan, with the claims they answer.

    `workloads` keeps only the trials with those workloads; `runs` replaces the plan's number of
    ramps. Raises PlanError for a name that is not known.
    """
    plan = _plan(settings, plan_name, runs)
    known = settings.agents.workloads()
    for name in workloads or ():
        if name not in known:
            raise PlanError(f"unknown workload {name!r}: choose from {', '.join(known)}")
    claims = {
        name: claim
        for name, claim in settings.claims.items()
        if not workloads or claim.workload in workloads
    }
    sizes = {name: round(c.memory * scale) for name, c in settings.agents.classes.items()}
    if min(sizes.values()) < _LEAST_AGENT:
        raise PlanError(f"at scale {scale:g} an agent is smaller than 1 MiB: take a larger scale")
    limit = round(true_limit * scale)
    planner = Planner(settings, plan, claims, limit, sizes, seed)
    trials = tuple(planner.trials())
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
        expected_s=sum(planner.expected_s(trial) for trial in trials),
    )


def _plan(settings: Settings, name: str, runs: int | None) -> Plan:
    plans = settings.loadtest.plans
    if name not in plans:
        raise PlanError(f"unknown plan {name!r}: choose from {', '.join(plans)}")
    if runs is not None and runs < 1:
        raise PlanError(f"--runs {runs}: at least one ramp is needed")
    return plans[name] if runs is None else plans[name].model_copy(update={"runs": runs})


def profile_of(
    agent: AgentClass, scale: float, settings: Settings, *, hold_s: float, compression: float
) -> dict[str, object]:
    """The profile of one class as the stand-in reads it, memory at the campaign's scale."""
    return {
        "turns": agent.turns,
        "start_bytes": round(agent.start * scale),
        "peak_bytes": round(agent.memory * scale),
        "growth": agent.growth,
        "hold_s": hold_s,
        "leak_bytes_per_turn": round(agent.leak_per_turn * scale),
        "burst_bytes": round(agent.burst * scale),
        "tool_every": agent.tool_every,
        "content": settings.loadtest.swarm.content,
        "huge_pages": _HUGE_PAGES[settings.loadtest.swarm.huge_pages],
        "cpu_s_per_turn": agent.cpu_s_per_turn,
        "turn_latency_s": agent.turn_latency_s,
        "compression": compression,
    }
