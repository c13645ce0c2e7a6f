"""A comparison as people read it in a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from loadtest.history.compare import compare
from loadtest.history.runs import Run
from loadtest.history.terminal import print_comparison
from loadtest.history.verdicts import Baseline
from settings.load import load_settings
from tests.loadtest.history.builders import Worse, run


def printed(new: Run) -> str:
    out = io.StringIO()
    baseline = Baseline("v1", (run(1), run(2)))
    tolerances = load_settings().loadtest.tolerances
    print_comparison(Console(file=out), compare(new, baseline, tolerances))
    return out.getvalue()


def test_a_regression_comes_with_its_size_and_its_first_run() -> None:
    text = printed(run(40, Worse(slots=9)))
    assert "1 of 8 metrics regressed, against v1." in text
    assert "-1 (9 agents from 10 agents), 95 % interval 9 to 9 agents" in text
    assert "since run run-040 of 2026-02-13, commit 000000280" in text


def test_without_a_terminal_it_is_plain_and_100_columns_wide() -> None:
    text = printed(run(40))
    assert "No regression in 8 metrics" in text
    assert "\x1b" not in text
    assert max(len(one.rstrip()) for one in text.splitlines()) <= 100


def test_markup_in_a_name_is_not_obeyed() -> None:
    assert "[red]x" in printed(run(40, run_id="[red]x"))
