"""Who may start when, and what became of everyone. Decisions are plain; greenlets call them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from loadtest.outcome import AgentRecord, End
from loadtest.swarm.result import SwarmResult, SwarmTask

_SILENT_S = 2.0


@dataclass(frozen=True)
class Silence:
    """For how many seconds the server has not answered."""

    seconds: float = 0.0
    refused: bool = False
    """Nothing listens there any more."""


@dataclass
class Slot:
    """One agent session of the trial; times in seconds since the trial began."""

    index: int
    agent_class: str
    project: str
    feature_id: str = ""
    started_s: float | None = None
    peak_s: float | None = None
    ended_s: float | None = None
    target_bytes: int | None = None
    end: End = "pending"
    why: str = ""
    round: int = 1
    """Rounds: the one it belongs to. Its feature ran, and came to its peak, in all before it."""

    def record(self) -> AgentRecord:
        """The slot as it goes into the outcome."""
        end: End = "held" if self.end == "pending" and self.peak_s is not None else self.end
        return AgentRecord(
            feature_id=self.feature_id or f"(slot {self.index})",
            agent_class=self.agent_class,
            project=self.project,
            started_s=self.started_s,
            peak_s=self.peak_s,
            ended_s=self.ended_s,
            end=end,
            target_bytes=self.target_bytes,
        )


class Conductor:
    """The state of one trial in the swarm: slots in order, the gate, the end."""

    def __init__(self, task: SwarmTask) -> None:
        self.task = task
        self.kind = task.trial.kind
        self.slots = [self._slot(i, name) for i, name in enumerate(task.trial.agents)]
        self._unclaimed = list(self.slots)
        self.admitted = 1 if self.kind == "ramp" else len(self.slots)
        self._admitted_s = self.now()
        self.round = 1
        self.rounds: list[float] = []
        """When each round was held to its end."""
        self.cleared = True
        """Whether no process of the round before is left; the rig sees that, the API does not."""
        self.held = 0
        self.failed_at: int | None = None
        self.failed_at_s: float | None = None
        self.unresponsive = False
        self.finished: str | None = None
        """Why the trial is over; None while it goes on."""
        self.completed = False

    def _slot(self, index: int, agent_class: str) -> Slot:
        # A cap is one of a project; ramps spread, since the server admits 20 a project at most.
        number = 0 if self.kind == "cap" else index // self.task.agents_per_project
        return Slot(index, agent_class, self.task.project(number))

    def now(self) -> float:
        """Seconds since the trial began."""
        return time.time() - self.task.began

    def plan_of_models(self) -> list[str]:
        """The model of every planned slot, in order: what kind of user comes next."""
        return [self.model_of(slot.agent_class) for slot in self.slots]

    def model_of(self, agent_class: str) -> str:
        """The model family that works on a class."""
        return self.task.models[agent_class]

    def claim(self, model: str) -> Slot | None:
        """The next slot for a user of that model; None when there is none left."""
        for slot in self._unclaimed:
            if self.model_of(slot.agent_class) == model:
                self._unclaimed.remove(slot)
                return slot
        return None

    def add_slot(self, agent_class: str) -> Slot:
        """One more slot, beyond the planned ones: turnover, or a swarm without a plan."""
        slot = self._slot(len(self.slots), agent_class)
        self.slots.append(slot)
        return slot

    def again(self, slot: Slot) -> Slot:
        """The slot of the next round for the feature of one that was dismissed."""
        following = Slot(len(self.slots), slot.agent_class, slot.project, slot.feature_id)
        following.round = slot.round + 1
        self.slots.append(following)
        return following

    def scout(self, number: int) -> Slot:
        """The first agent of a round."""
        return next(slot for slot in self.slots if slot.round == number)

    def may_start(self, slot: Slot) -> bool:
        """Whether the gate has opened for a slot."""
        return slot.index < self.admitted or self.kind == "stable"

    def is_dismissed(self, slot: Slot) -> bool:
        """Whether the round of a slot is over, so that its agent is to be stopped."""
        return slot.round < self.round

    def step(self, now: float, silence: Silence) -> None:
        """Move the trial on: open the gate, note a failure, see the end."""
        if self.finished:
            return
        if silence.refused and silence.seconds > self.task.gone_budget_s:
            self._fail(now, f"the server is gone: nothing listened for {silence.seconds:.1f} s")
        elif silence.seconds > self.task.unanswered_budget_s:
            self.unresponsive = True
            self._fail(now, f"the server gave no answer for {silence.seconds:.1f} s")
        elif lost := [slot for slot in self.slots if slot.end == "lost"]:
            self._fail(now, f"agent {lost[0].index + 1} was lost: {lost[0].why}")
        elif refused := [slot for slot in self.slots if slot.end == "refused"]:
            self.finished = f"agent {refused[0].index + 1} was not admitted: {refused[0].why}"
        else:
            self._step_on(now, silence)

    def _step_on(self, now: float, silence: Silence) -> None:
        if self.kind == "ramp":
            self._step_ramp(now)
        elif self.kind == "rounds":
            self._step_rounds(now)
        elif self.kind == "stable":
            if silence.seconds < _SILENT_S:  # what is not seen cannot be called stable
                self._step_stable(now)
        elif all(slot.end == "done" for slot in self.slots):
            self._complete("all features of the backlog are done")

    def _step_ramp(self, now: float) -> None:
        newest = self.slots[self.admitted - 1]
        if newest.peak_s is None:
            self._step_late(now, newest)
            return
        if now - newest.peak_s < self.task.hold_s:
            return
        self.held = self.admitted
        if self.admitted == len(self.slots):
            self._complete(f"all {self.held} planned agents were held")
        else:
            self.admitted += 1
            self._admitted_s = now

    def _step_rounds(self, now: float) -> None:
        crew = self.task.trial.concurrent or 0
        if self.admitted < crew * self.round:  # the next round waits for the end of the last
            if self.cleared and len(self.slots) == crew * self.round:
                self.admitted, self._admitted_s = len(self.slots), now
            elif now - self.rounds[-1] > self.task.agent_budget_s:
                budget = self.task.agent_budget_s
                last = self.round - 1
                self.finished = f"agents of round {last} still ran {budget:.0f} s after it"
            return
        current = self.slots[-crew:]
        peaks = [slot.peak_s for slot in current if slot.peak_s is not None]
        if len(peaks) < crew:
            self._step_late(now, next(slot for slot in current if slot.peak_s is None))
        elif now - max(peaks) >= self.task.hold_s:
            self.held = crew
            self.rounds.append(now)
            if len(self.rounds) == self.task.trial.rounds:
                self._complete(f"{crew} agents at once held in {len(self.rounds)} rounds")
            else:
                self.cleared = False
                self.round += 1

    def _step_late(self, now: float, slot: Slot) -> None:
        """End the trial for an agent that has not come to its peak in time."""
        budget = self.task.agent_budget_s
        if now - self._admitted_s > budget:
            self.finished = f"agent {slot.index + 1} took more than {budget:.0f} s to its peak"
            self.finished += f": {slot.why}" if slot.why else ""

    def _step_stable(self, now: float) -> None:
        starts = [slot.started_s for slot in self.slots if slot.started_s is not None]
        if starts and now - min(starts) >= self.task.duration_s:
            self.held = self.task.trial.concurrent or 0
            self._complete(f"{self.held} agents came and went for {self.task.duration_s:.0f} s")

    def _fail(self, now: float, why: str) -> None:
        at_work = [s for s in self.slots if s.started_s is not None and s.end != "done"]
        self.failed_at = len(at_work)
        # The gate may have opened for the next agent just before an earlier one was lost.
        self.held = min(self.held, max(0, self.failed_at - 1))
        self.failed_at_s = now
        self._complete(why)

    def _complete(self, why: str) -> None:
        self.completed = True
        self.finished = why

    def result(self, **facts: object) -> SwarmResult:
        """The trial as the swarm saw it; `facts` are those of the process."""
        return SwarmResult.model_validate(
            {
                "completed": self.completed,
                "reason": self.finished or "the swarm ended before the trial did",
                "agents": [slot.record() for slot in self.slots],
                "held": self.held,
                "failed_at": self.failed_at,
                "failed_at_s": self.failed_at_s,
                "rounds": self.rounds,
                "unresponsive": self.unresponsive,
                **facts,
            }
        )
