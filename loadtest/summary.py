"""summary.json: the result of a campaign, with a schema of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from loadtest.boundary import Boundary
from loadtest.outcome import Record

VerdictName = Literal["confirmed", "refuted", "inconclusive", "not-run"]
Grade = Literal["target-host", "full-size", "scaled"]
SCHEMA_FILE = Path(__file__).parent / "report" / "summary.schema.json"

CONFIRMED, REFUTED, INVALID, UNUSABLE, INTERRUPTED = 0, 1, 3, 2, 130
"""Exit codes: all gating claims confirmed, one refuted, inconclusive, bad settings, interrupted."""


class ClaimResult(Record):
    """One claim and what became of it."""

    id: str
    statement: str
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


class Limit(Record):
    """One limit in force and where it comes from; memory in bytes."""

    value: int | float
    source: str


class Summary(Record):
    """What `reports/<run-id>/summary.json` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
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
    agents: dict[str, dict[str, float]]
    """Per class: claimed and measured private memory in bytes, at true size."""
    trials: int
    invalid_trials: int
    duration_s: float
    exit_code: int

    def to_json(self) -> str:
        """Indented JSON; the version stands under the key `schema`."""
        return self.model_dump_json(indent=2, by_alias=True)

    @classmethod
    def read(cls, path: Path) -> Summary:
        """The summary in a file written by `to_json`."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))


def schema() -> dict[str, Any]:
    """JSON Schema of summary.json; a copy is shipped beside the report's templates."""
    return Summary.model_json_schema(by_alias=True, mode="serialization")
