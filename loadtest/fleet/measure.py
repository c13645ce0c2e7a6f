"""From a fleet's plan to the outcomes of every host: trial after trial, on all hosts at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.fleet.member import Member
from loadtest.fleet.progress import FleetProgress
from loadtest.fleet.swarm import FleetSwarm
from loadtest.outcome import Trial
from loadtest.plan import Campaign
from loadtest.swarm.result import FleetStatistics

_LOOK_S = 0.1
_END_S = 30.0


@dataclass
class Lockstep:
    """All hosts that are measured, and what they have in common."""

    members: Sequence[Member]
    campaign: Campaign
    models: Mapping[str, str]
    folder: Path
    environ: Mapping[str, str]
    progress: FleetProgress
    statistics: list[FleetStatistics] = field(default_factory=list)
    """Of every trial, by the swarm's master."""

    def run(self) -> None:
        """Run every trial on all hosts that are left; ends early when none is.

        Nothing is left on the hosts when this returns, or raises KeyboardInterrupt, but on those
        that are lost.
        """
        left_s = self.campaign.expected_s
        trials = self.campaign.trials
        try:
            for number, trial in enumerate(trials, start=1):
                living = [member for member in self.members if member.lost is None]
                if not living:
                    return
                self.progress.trial_started(trial, number, len(trials), len(living), left_s)
                self._run(trial, living)
                left_s -= self.campaign.planner.expected_s(trial)
        finally:
            self._clear()

    def _run(self, trial: Trial, living: Sequence[Member]) -> None:
        names = [member.name for member in living]
        with FleetSwarm(trial, self.models, names, self.folder, self.environ) as swarm:
            for member in living:
                member.start(trial, swarm)
            waiting = list(living)
            while waiting:
                for member in [one for one in waiting if one.is_done()]:
                    waiting.remove(member)
                    if member.lost is not None:
                        swarm.drop(member.name)
                    self.progress.trial_ended(member.name, member.finish(trial))
                time.sleep(_LOOK_S)
        self.statistics.append(swarm.statistics)

    def _clear(self) -> None:
        """Remove what is left on the hosts; threads of a trial cut short then end by themselves."""
        for member in self.members:
            member.clear()
        end = time.monotonic() + _END_S
        for member in self.members:
            member.join(max(0.0, end - time.monotonic()) if member.lost is None else 0.0)
            member.clear()
