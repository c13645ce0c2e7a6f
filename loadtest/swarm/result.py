"""What the swarm is told and what it answers: two JSON files. Imports no Locust."""

from __future__ import annotations

from pydantic import Field

from loadtest.outcome import AgentRecord, Record, Trial


class SwarmTask(Record):
    """One trial for the swarm."""

    host: str
    api_key: str
    trial: Trial
    models: dict[str, str]
    """Agent class -> model family; a user class of the swarm stands for a model."""
    began: float
    """Start of the trial in seconds since the epoch; all times are counted from it."""
    projects_root: str
    agents_per_project: int
    hold_s: float
    duration_s: float
    """Stable: how long agents come and go."""
    poll_s: float
    agent_budget_s: float
    unanswered_budget_s: float
    """The server counts as unresponsive after so many seconds without an answer."""
    gone_budget_s: float = 3.0
    """The server counts as gone when nothing has listened for so many seconds."""

    def project(self, number: int) -> str:
        """Path of a project on the server."""
        return f"{self.projects_root}/load-{number:02d}"


class SwarmResult(Record):
    """What the swarm saw of a trial over the API."""

    completed: bool
    """Whether the plan was followed to its end: all agents, or the first failure."""
    reason: str
    agents: tuple[AgentRecord, ...]
    held: int = 0
    failed_at: int | None = None
    failed_at_s: float | None = None
    rounds: tuple[float, ...] = ()
    """When each round was held to its end, in seconds since the trial began."""
    unresponsive: bool = False
    max_reported: int = 0
    requests: int = 0
    refused: int = 0
    """Answers 429 and agents not admitted."""
    max_lag_s: float = 0.0
    """Longest time the generator could not run although it wanted to."""
    classes: dict[str, int] = Field(default_factory=dict)
    """Agents started per Locust user class."""


class FleetStatistics(Record):
    """What a master counted of all its workers in one trial."""

    requests: int = 0
    failures: int = 0
    """Requests without a good answer; those after a server's end are among them."""
    agents_started: int = 0
