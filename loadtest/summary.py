"""summary.json: the result of a campaign, with a schema of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field

from loadtest.boundary import Boundary
from loadtest.outcome import Record
from settings.models import ClaimKind, Reading

VerdictName = Literal["confirmed", "refuted", "inconclusive", "not-run"]
Grade = Literal["target-host", "full-size", "scaled"]
SCHEMA_FILE = Path(__file__).parent / "report" / "summary.schema.json"

CONFIRMED, REFUTED, INVALID, UNUSABLE, INTERRUPTED = 0, 1, 3, 2, 130
"""Exit codes: all gating claims confirmed, one refuted, inconclusive, bad settings, interrupted."""


VERDICT_OF_SEEN: Mapping[str, VerdictName] = {
    "held": "confirmed",
    "broken": "refuted",
    "unclear": "inconclusive",
}
"""What a scenario saw, as a verdict."""


class Written(Record):
    """A record with a file of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    def to_json(self) -> str:
        """Indented JSON; the version stands under the key `schema`."""
        return self.model_dump_json(indent=2, by_alias=True)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The record in a file written by `to_json`."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))


class ClaimResult(Record):
    """One claim and what became of it."""

    id: str
    section: str = ""
    """Heading of the guide under which the sentence stands."""
    kind: ClaimKind
    workload: str
    statement: str
    holds: int | None = None
    """Boundary: agents at once that are said to hold."""
    fails_at: int | None = None
    """Boundary: the number that is said to fail, first or at the latest."""
    reading: Reading = "GB"
    expected: str
    measured: str
    unit: str
    basis: Literal["rig", "assumed", "measured", "observed"]
    gating: bool
    selected: bool = True
    """Whether the campaign was asked to judge it."""
    verdict: VerdictName
    reason: str
    trials: tuple[str, ...] = ()


class Chance(Record):
    """How likely so many agents of a workload fail, from all runs that tell."""

    workload: str
    reading: Reading = "GB"
    agents: int
    runs: int
    failures: int
    low: float
    high: float
    """The 95 % interval of P(failure), by Clopper and Pearson."""
    bound: float
    """P(failure) is below this by what the settings ask of a single look."""
    level: float = 0.95
    """Confidence of "safe", by the settings."""
    safe_below: float = 0.1
    """P(failure) below which a number is safe, by the settings."""
    safe: bool
    """Whether the bound is low enough."""
    demanded: int
    """Clean runs that "safe" takes, by the settings, with as many failures as there were."""


class Limit(Record):
    """One limit in force and where it comes from; memory in bytes."""

    value: int | float
    source: str


class Summary(Written):
    """What `reports/<run-id>/summary.json` holds."""

    schema_version: Literal[2] = Field(2, alias="schema")
    run_id: str
    started_at: str
    plan: str
    target: str
    engine: Literal["synthetic"] = "synthetic"
    mocked: tuple[str, ...] = ()
    """What was not real, in words."""
    grade: Grade
    scale: float
    host: dict[str, str | int | float]
    limits: dict[str, Limit]
    base: str
    """How the server's own memory, which does not scale, was accounted for."""
    claims: tuple[ClaimResult, ...]
    boundaries: tuple[Boundary, ...]
    chances: tuple[Chance, ...] = ()
    """By workload and number of agents, in the order of both."""
    origin: dict[str, str] = Field(default_factory=dict)
    """What was tested: `commit`, `image` (its id), `engine` (Docker's version), `dirty`."""
    agents: dict[str, dict[str, float]]
    """Per class: claimed and measured private memory in bytes, at true size."""
    trials: int
    invalid_trials: int
    duration_s: float
    exit_code: int
    regressed: tuple[str, ...] = ()
    """Metrics that are worse than in the baseline."""


def schema() -> dict[str, Any]:
    """JSON Schema of summary.json; a copy is shipped beside the report's templates."""
    return Summary.model_json_schema(by_alias=True, mode="serialization")
