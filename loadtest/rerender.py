"""`--report-only DIR`: the reports of an earlier run, made again from what it measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from loadtest import outcome as record
from loadtest.outcome import Outcome
from loadtest.report.write import write_views
from loadtest.summary import Summary

_VERSION = 2


class RerenderError(Exception):
    """A folder whose reports cannot be made again; the message says why and what to do."""


def rerender(folder: Path) -> Path:
    """Make junit.xml and report.html of the run in `folder` again; returns the page's path.

    Nothing is measured, and the summary stays as it is. Raises RerenderError for a folder without
    the files of a run or with those of another version, OSError where it cannot be written.
    """
    outcomes = _outcomes(folder / "trials.jsonl")
    summary = _summary(folder / "summary.json", outcomes)
    try:
        write_views(folder, summary, outcomes)
    except ValueError as error:  # the error names the file of samples and the line
        raise RerenderError(str(error)) from error
    return folder / "report.html"


def _outcomes(path: Path) -> list[Outcome]:
    if not path.exists():
        return []  # a run that was interrupted before its first trial had ended
    try:
        return list(record.read(path))
    except ValueError as error:
        raise RerenderError(f"{path}: not the trials of this version: {_first(error)}") from error


def _summary(path: Path, outcomes: Sequence[Outcome]) -> Summary:
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise RerenderError(
            f"{path}: missing: name the folder of a run, such as reports/latest"
        ) from None
    except ValueError as error:
        raise RerenderError(f"{path}: not JSON: {error}") from error
    version = written.get("schema") if isinstance(written, dict) else None
    if version == 1:
        try:
            written = of_version_1(written, {o.trial.id: o.trial.workload for o in outcomes})
        except (AttributeError, TypeError) as error:
            raise RerenderError(f"{path}: not a summary: {error}") from error
    elif version != _VERSION:
        raise RerenderError(f"{path}: schema {version!r}; this version reads 1 and {_VERSION}")
    try:
        return Summary.model_validate_json(json.dumps(written))
    except ValidationError as error:
        raise RerenderError(f"{path}: not a summary: {_first(error)}") from error


def of_version_1(written: Mapping[str, Any], workloads: Mapping[str, str]) -> dict[str, Any]:
    """A summary of schema 1 as one of schema 2; `workloads` by the ids of trials.

    What a claim was about had to be read from its words then: its kind from what it expected, its
    workload from the trials it rests on. Headings of the guide were not written down.
    """
    claims = written.get("claims", [])
    return {
        **written,
        "schema": _VERSION,
        "claims": [_claim_of_version_1(claim, workloads) for claim in claims],
    }


def _claim_of_version_1(claim: Mapping[str, Any], workloads: Mapping[str, str]) -> dict[str, Any]:
    trials = claim.get("trials", ())
    workload = next((workloads[trial] for trial in trials if trial in workloads), "")
    numbers = {
        word: int(number)
        for number, _, word in (
            part.partition(" ") for part in str(claim.get("expected", "")).split(", ")
        )
        if number.isdecimal()
    }
    facts = {"workload": workload, "kind": _kind(claim, numbers), **claim}
    if facts["kind"] == "boundary":
        facts |= {"holds": numbers.get("hold"), "fails_at": numbers.get("fail")}
    return facts


def _kind(claim: Mapping[str, Any], numbers: Mapping[str, int]) -> str:
    if claim.get("unit") != "agents":
        return "memory"
    if "hold" in numbers:
        return "boundary"
    if "run" in numbers:
        return "stable"
    return "cap" if str(claim.get("expected", "")).startswith("never more") else "failure-mode"


def _first(error: ValueError) -> str:
    """The first problem of a value that does not fit, in one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    problem = error.errors()[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
