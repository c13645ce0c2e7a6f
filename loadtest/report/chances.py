"""What a number of agents at once risks, in words. "Safe" is said of no number that is not."""

from __future__ import annotations

from collections.abc import Iterable

from loadtest.report.trial_words import in_words
from loadtest.summary import Chance

_LEVEL = "95 %"  # of the interval; the bound has that of the settings
_LIKELY = 0.5


def chance_words(chance: Chance) -> str:
    """One number of agents: how many runs failed, what that says of P(failure), what is lacking."""
    ran = f"{chance.agents} at once: {runs_words(chance)} failed"
    return f"{ran}, {meaning(chance)}"


def runs_words(chance: Chance) -> str:
    """How many of the runs that tell of this number failed, such as "0 of 29 runs"."""
    return f"{chance.failures} of {chance.runs} run{'' if chance.runs == 1 else 's'}"


def meaning(chance: Chance) -> str:
    """What the runs say of P(failure), and what is lacking for more than that."""
    if not chance.runs:
        return "nothing is known of P(failure)"
    if chance.safe:
        return f"P(failure) < {percent(chance.safe_below)} at {percent(chance.level)}: safe"
    if chance.failures >= _LIKELY * chance.runs:
        return f"P(failure) is {interval(chance)} at {_LEVEL}"
    more = "clean runs" if not chance.failures else "runs without a further failure"
    return f"P(failure) below {percent(chance.bound)}; safe takes {chance.demanded} {more}"


def interval(chance: Chance) -> str:
    """The interval of P(failure), such as "48-100 %"."""
    return f"{100 * chance.low:.0f}-{percent(chance.high)}"


def percent(share: float, digits: int = 0) -> str:
    """A share of 1 as people write it."""
    return f"{100 * share:.{digits}f} %"


def by_workload(chances: Iterable[Chance]) -> dict[str, list[Chance]]:
    """Chances under the names of their workloads, those of the other reading apart.

    Numbers of which another one tells as much are left out: 10 where 12 held as often.
    """
    groups: dict[str, list[Chance]] = {}
    for chance in chances:
        groups.setdefault(in_words(chance.workload, chance.reading), []).append(chance)
    return {
        name: [one for one in group if not any(_tells_of(other, one) for other in group)]
        for name, group in groups.items()
    }


def _tells_of(other: Chance, chance: Chance) -> bool:
    """Whether a number needs no words of its own beside another one."""
    if other.runs < chance.runs or other is chance:
        return False
    if not other.failures and not chance.failures:
        return other.agents > chance.agents
    all_failed = other.failures == other.runs and chance.failures == chance.runs
    return all_failed and other.agents < chance.agents
