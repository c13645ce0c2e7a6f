"""What the verbs print: plain text for people; their JSON is made from the same values."""

from __future__ import annotations

from collections.abc import Sequence

from compose.checks import Check, verdict
from compose.difference import Row
from compose.effective import Setting
from compose.table import table
from settings.recommend import Recommendation
from settings.server_files import Finding

MARKS = {"pass": "ok  ", "warn": "warn", "fail": "FAIL"}


def show_checks(checks: Sequence[Check]) -> str:
    """One line a check, what to do below it where something is to be done; a count at the end."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{MARKS[check.level]}  {check.name:<{width}}  {check.found}")
        if check.fix:
            lines.append(f"{'':{width + 8}}-> {check.fix}")
    return "\n".join([*lines, verdict(checks)])


def show_difference(rows: Sequence[Row]) -> str:
    """The guide's table, and below it where the two stacks leave the guide."""
    cells = [(row.setting, row.production, row.staging, row.reason) for row in rows]
    text = table(cells, ("Setting", "Production", "Staging", "Reason"))
    remarks = [f"{row.setting}: {row.remark()}" for row in rows if not row.as_the_guide_says]
    return "\n".join([text, *(remarks or ["every row is as the guide has it"])])


def show_settings(settings: Sequence[Setting]) -> str:
    """Key, value and source of every setting."""
    public = [setting.public() for setting in settings]
    cells = [
        (str(one["key"]), "-" if one["value"] is None else str(one["value"]), str(one["source"]))
        for one in public
    ]
    return table(cells, ("Key", "Value", "Source"))


def show_recommendation(found: Recommendation) -> str:
    """The figure and how it comes about."""
    return "\n".join(
        [
            f"maxConcurrency: {found.max_concurrency}",
            *found.arithmetic,
            *found.remarks,
            "by the risk of running out of memory instead: .venv/bin/nox -s advise",
        ]
    )


def show_findings(path: str, findings: Sequence[Finding]) -> str:
    """What a settings file of the server has wrong, one line each."""
    if not findings:
        return f"ok    {path}: the server reads it as it is meant"
    return "\n".join(f"{MARKS[one.level]}  {path}: {one.key}: {one.message}" for one in findings)
