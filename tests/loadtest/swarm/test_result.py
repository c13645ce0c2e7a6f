"""The contract between the swarm and whoever starts it, free of Locust."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from loadtest.swarm.result import SwarmResult, SwarmTask
from tests.loadtest.examples import agent, trial

ROOT = Path(__file__).parents[3]
TASK = SwarmTask(
    host="http://127.0.0.1:3008",
    api_key="k",
    trial=trial(),
    models={"medium": "sonnet"},
    began=1.5,
    projects_root="/projects",
    agents_per_project=10,
    hold_s=0.2,
    duration_s=12,
    poll_s=0.1,
    agent_budget_s=60,
    unanswered_budget_s=10,
)


def test_a_task_reads_back_as_it_was_written() -> None:
    assert SwarmTask.model_validate_json(TASK.model_dump_json()) == TASK


def test_a_result_reads_back_as_it_was_written() -> None:
    result = SwarmResult(completed=True, reason="done", agents=(agent(),), classes={"Haiku": 1})
    assert SwarmResult.model_validate_json(result.model_dump_json()) == result


def test_an_unknown_key_is_a_file_of_another_version() -> None:
    text = TASK.model_dump_json()[:-1] + ',"colour":"red"}'
    with pytest.raises(ValidationError, match="colour"):
        SwarmTask.model_validate_json(text)


@pytest.mark.parametrize(("number", "path"), [(0, "load-00"), (7, "load-07"), (100, "load-100")])
def test_projects_are_numbered(number: int, path: str) -> None:
    assert TASK.project(number) == f"/projects/{path}"


@pytest.mark.parametrize("module", ["result", "conductor", "progress", "allowance"])
def test_the_plain_modules_bring_no_locust_along(module: str) -> None:
    code = (
        f"import sys, loadtest.swarm.{module}; "
        "print([name for name in ('locust', 'gevent') if name in sys.modules])"
    )
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
