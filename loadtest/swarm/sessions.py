"""The life of one agent session over the API: create, run, follow to done or lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import gevent

from loadtest.swarm.allowance import Allowance
from loadtest.swarm.api import Api, ApiError, NoAnswerError
from loadtest.swarm.board import Board
from loadtest.swarm.conductor import Conductor, Slot
from loadtest.swarm.progress import read_progress

_LOOK_S = 0.03
# An agent that holds less than it was told to would let too many others fit.
_FILLED = 0.99
# How often a session reads its agent's output: a ramp waits for one agent at a time, a crowd
# shares the server's 300 requests a minute; a backlog is followed by the board alone.
_OUTPUT_S = {"ramp": 0.06, "rounds": 0.3, "stable": 0.8}
# Rounds: each look is so much later than the one before, since a slow machine must not use up
# the requests of a minute.
_PATIENCE = 1.5

Fire = Callable[[str, str, float], None]
"""Tell Locust of (step, agent class, milliseconds)."""


@dataclass
class Session:
    """One agent, followed from its feature's creation to its end."""

    api: Api
    board: Board
    conductor: Conductor
    allowance: Allowance
    fire: Fire
    title: str

    def run(self, slot: Slot) -> None:
        """Live the session of a slot; what became of it stands in the slot."""
        while not self.conductor.may_start(slot):
            gevent.sleep(_LOOK_S)
        try:
            if not slot.feature_id:  # a later round runs the same features again
                slot.feature_id = self.api.create_feature(
                    slot.project, self.title, slot.agent_class
                )
            self._start(slot)
            self._follow(slot)
        except NoAnswerError as error:
            # The conductor's business: it knows how long a server may be silent.
            slot.why = str(error)
        except ApiError as error:
            slot.end, slot.why = "refused", str(error)

    def _start(self, slot: Slot) -> None:
        """Have an agent run: asked for, or waited for where the server's own loop decides."""
        now = self.conductor.now
        if self.conductor.kind == "cap":
            while slot.feature_id not in self.board.running:
                gevent.sleep(_LOOK_S)
            slot.started_s = now()
            return
        slot.started_s = now()
        self.api.run_feature(slot.project, slot.feature_id)
        self.fire("spawn", slot.agent_class, (now() - slot.started_s) * 1000)

    def _follow(self, slot: Slot) -> None:
        # Only an answer to a question asked after the start can say that the agent is gone.
        fresh = self.board.version + 2
        told = 0
        look_at = math.inf if self.conductor.kind == "cap" else 0.0
        pause = _OUTPUT_S.get(self.conductor.kind, math.inf)
        if self.conductor.kind == "rounds":
            look_at = self.conductor.now() + pause
        while True:
            if self.conductor.is_dismissed(slot):
                self.api.stop_feature(slot.feature_id)
                slot.end, slot.ended_s = "done", self.conductor.now()
                return
            if self.board.version >= fresh and slot.feature_id not in self.board.running:
                self._end(slot)
                return
            now = self.conductor.now()
            due = slot.peak_s is None and now >= look_at and self._may_look(slot)
            if due and self.allowance.take():
                look_at = now + pause
                pause *= _PATIENCE if self.conductor.kind == "rounds" else 1.0
                told = self._look(slot, told)
            gevent.sleep(_LOOK_S)

    def _may_look(self, slot: Slot) -> bool:
        """Whether to ask for the agent's progress now: in rounds, one scout asks for all.

        Requests are scarce, and agents that start together are at their peaks together.
        """
        if self.conductor.kind != "rounds":
            return True
        scout = self.conductor.scout(slot.round)
        return slot is scout or scout.peak_s is not None

    def _look(self, slot: Slot, told: int) -> int:
        """Read the agent's output; returns how many turns Locust has been told of."""
        text = self.api.output(slot.project, slot.feature_id)
        progress = read_progress(text, peaks_before=slot.round - 1)
        for _, milliseconds in progress.turns[told:]:
            self.fire("turn", slot.agent_class, milliseconds)
        if progress.peak is not None:
            slot.peak_s = self.conductor.now()
            slot.target_bytes = progress.target
            if progress.target and progress.peak < _FILLED * progress.target:
                raise ApiError(f"the agent filled {progress.peak} of {progress.target} bytes")
        return len(progress.turns)

    def _end(self, slot: Slot) -> None:
        feature = self.api.feature(slot.project, slot.feature_id)
        slot.ended_s = self.conductor.now()
        if feature["status"] == "done":
            slot.end = "done"
            self.fire("completion", slot.agent_class, (slot.ended_s - (slot.started_s or 0)) * 1000)
        else:
            slot.end = "lost"
            slot.why = str(feature.get("statusChangeReason") or f"status {feature['status']}")
