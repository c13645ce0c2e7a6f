"""Where a trial stands, as the swarm sees it. Pure; imports no Locust."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loadtest.swarm.conductor import Conductor, Silence, Slot
from settings.sizes import in_gb

WAITING, STARTING, AT_PEAK, DONE, LOST = "waiting", "starting", "at peak", "done", "lost"
STATES = (WAITING, STARTING, AT_PEAK, DONE, LOST)


def state(slot: Slot) -> str:
    """What the agent of a slot is at. One that was not admitted counts as lost."""
    if slot.end in ("lost", "refused"):
        return LOST
    if slot.end == "done":
        return DONE
    if slot.started_s is None:
        return WAITING
    return STARTING if slot.peak_s is None else AT_PEAK


def counts(slots: Iterable[Slot]) -> dict[str, int]:
    """Agents by state: all states, in the order in which an agent comes through them."""
    number = dict.fromkeys(STATES, 0)
    for slot in slots:
        number[state(slot)] += 1
    return number


# A backlog's agents are told apart from those at their peaks by nobody: only the board is read.
_NOTES = {
    STARTING: "on the way to their peak; of a backlog all that work",
    LOST: "died, or were not admitted",
}


@dataclass(frozen=True)
class Figure:
    """One line of the tab: a figure and what is to be known of it."""

    name: str
    value: str
    note: str = ""


def figures(conductor: Conductor, silence: Silence, most: int, lag_s: float) -> Iterator[Figure]:
    """The figures of a trial: `most` agents in the API at once, `lag_s` of the generator."""
    by_state = counts(conductor.slots)
    yield Figure("Phase", phase(conductor, by_state), conductor.finished or "")
    for name, number in by_state.items():
        yield Figure(f"Agents {name}", str(number), _NOTES.get(name, ""))
    yield Figure("Held at once", str(conductor.held), "at their peaks, with nothing failing")
    failed = conductor.failed_at
    yield Figure("Failed at", "-" if failed is None else str(failed), "agents at work by then")
    if conductor.kind == "rounds":
        yield Figure("Rounds held", f"{len(conductor.rounds)}", f"of {conductor.task.trial.rounds}")
    yield Figure("Most running", str(most), "by the server's own count")
    sizes = [slot.target_bytes or 0 for slot in conductor.slots if state(slot) == AT_PEAK]
    yield Figure("Memory of agents at peak", in_gb(sum(sizes)), "by their own output, as told")
    answers = "nothing listens" if silence.refused else f"last one {silence.seconds:.1f} s ago"
    yield Figure("Server's answers", answers, "latencies: see /api/health/deep under Statistics")
    yield Figure("Generator's lag", f"{lag_s:.2f} s", "longest; a starved one proves nothing")


def phase(conductor: Conductor, by_state: dict[str, int]) -> str:
    """What the trial is at, in a few words."""
    if conductor.finished:
        return "over"
    if not (by_state[STARTING] or by_state[AT_PEAK]):
        return "no agent at work"
    if conductor.kind == "rounds":
        return f"round {conductor.round}"
    if conductor.kind == "cap":
        return "the server works its backlog off"
    return "agents fill their memory" if by_state[STARTING] else "agents at their peaks"
