"""Where the memory of a running trial is heading, from what its agents have taken so far. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from loadtest.outcome import Trial


@dataclass(frozen=True)
class Filling:
    """Memory and agents of a trial so far. Sizes in bytes at the scale of the trial."""

    used: int = 0
    agents: int = 0
    most: int = 0
    """Most agents alive at once."""
    base: int = 0
    """Used before the first agent."""
    settled: float = 0.0
    """An agent's mean share just before the last one came: the others had filled theirs by then."""

    def after(self, used: int, agents: int) -> Filling:
        """The same after one more look: `used` bytes and so many agent processes alive."""
        return Filling(
            used=used,
            agents=agents,
            most=max(self.most, agents),
            base=self.base if self.most or agents else used,
            settled=self.each if agents > self.agents > 0 else self.settled,
        )

    @property
    def each(self) -> float:
        """An agent's mean share now; too low while some still fill theirs."""
        return max(0, self.used - self.base) / self.agents if self.agents else 0.0

    def end(self, trial: Trial) -> int | None:
        """Memory with all agents that a trial is to have at once, if they go on like those so far.

        A ramp is to have as many as are predicted to hold. None before the first agent, and where
        a trial does not say how many there will be.
        """
        wanted = trial.predicted if trial.kind == "ramp" else trial.concurrent
        if wanted is None or not self.most:
            return None
        return round(self.base + max(self.settled, self.each) * max(wanted, self.most))
