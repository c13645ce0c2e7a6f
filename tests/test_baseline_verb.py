"""The verb that names the runs to compare with, as it is typed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from loadtest.history.regression import record_run
from settings.load import load_settings
from tests.loadtest.history.builders import report

TOP = Path(__file__).parent.parent
# Its own collection, so that this does not depend on what else tasks.py lists.
INVOKE = """
from invoke import Collection, Program
from verbs import baseline
Program(namespace=Collection.from_module(baseline)).run()
"""


def invoke(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", INVOKE, "baseline", *words],
        cwd=TOP, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Reports of runs 1 and 2, and of 3, which was interrupted."""
    for number in (1, 2, 3):
        folder, summary, outcomes = report(tmp_path, number, exit_code=130 if number == 3 else 0)
        record_run(tmp_path, folder, summary, outcomes, load_settings().loadtest.tolerances)
    return tmp_path


def test_good_runs_are_listed_newest_first_under_their_kind(out: Path) -> None:
    assert invoke("--set", "v1", "--run", "run-001", "--out", str(out)).returncode == 0
    lines = invoke("--out", str(out)).stdout.splitlines()
    assert lines[0].startswith("plan regression, scale 0.0625, limit 48 GiB")
    assert lines[1:] == [
        "  -   run-002  2026-01-03T03:00:00  000000020",
        "  v1  run-001  2026-01-02T03:00:00  000000010",
    ]


def test_a_mark_is_set_listed_and_removed(out: Path) -> None:
    made = json.loads(invoke("--set", "v1", "--run", "last", "--json", "--out", str(out)).stdout)
    assert (made["run_id"], made["names"]) == ("run-002", ["v1"])
    listed = json.loads(invoke("--json", "--out", str(out)).stdout)
    assert [one["names"] for one in listed] == [["v1"], []]
    assert '<td class="nowrap">v1</td>' in (out / "history.html").read_text(encoding="utf-8")
    assert invoke("--remove", "v1", "--out", str(out)).stdout == "v1: forgotten\n"
    assert [one["names"] for one in json.loads(invoke("-j", "--out", str(out)).stdout)] == [[], []]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--set", "v1", "--run", "run-003"), 2, "it was interrupted or did not decide"),
        (("--set", "v1", "--run", "run-009"), 2, "no baseline, run or commit 'run-009'"),
        (("--set", "last", "--run", "run-001"), 2, "'last' cannot be a baseline's name"),
        (("--remove", "v9"), 2, "no baseline is named 'v9'"),
        (("--set", "v1"), 2, "--set NAME --run RUN"),
        (("--set", "v1", "--run", "last", "--remove", "v1"), 2, "not these together"),
    ],
)
def test_a_mistake_ends_with_a_line_and_what_to_do(
    out: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = invoke(*words, "--out", str(out))
    assert done.returncode == code
    assert said in done.stderr
    assert "\n  -> " in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_history_it_says_how_to_get_one(tmp_path: Path) -> None:
    done = invoke("--out", str(tmp_path / "none"))
    assert done.returncode == 2
    assert "no history yet" in done.stderr
    assert not (tmp_path / "none").exists()


ONLY_WHAT_BOOTSTRAP_INSTALLS = """
import sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
from invoke.main import program
program.run(["invoke", "baseline", "--out", sys.argv[2]])
"""


def names_of(group: str) -> set[str]:
    """Packages that a group of pyproject.toml names itself, as they are imported."""
    groups = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [one for one in groups["dependency-groups"][group] if isinstance(one, str)]
    return {re.split(r"[<>=]", one)[0].replace("-", "_") for one in wanted}


def test_it_needs_no_more_than_bootstrap_installs(tmp_path: Path) -> None:
    missing = names_of("loadtest") - names_of("operate")
    assert "locust" in missing
    argv = [sys.executable, "-c", ONLY_WHAT_BOOTSTRAP_INSTALLS, ",".join(missing), str(tmp_path)]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
