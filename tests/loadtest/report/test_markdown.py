"""The end of a campaign as Markdown: the verdicts in a table that no text of theirs can break."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.report.markdown import main, markdown
from loadtest.summary import ClaimResult, Summary

TOP = Path(__file__).parent.parent.parent.parent


@pytest.fixture
def judged(make_summary: Callable[..., Summary], make_claim: Callable[..., ClaimResult]) -> Summary:
    """A campaign that was asked about three claims of four."""
    claims = (
        make_claim(),
        make_claim(verdict="refuted", measured="11 hold, 12 fail"),
        make_claim(verdict="refuted", gating=False, expected="server-oom", measured="agent-oom"),
        make_claim(verdict="not-run", selected=False),
    )
    return make_summary(claims=claims)


def test_the_verdict_comes_first_with_the_scale_it_holds_for(judged: Summary) -> None:
    lines = markdown(judged).splitlines()
    assert lines[0] == (
        "## The guide does not hold at 1/16 of true size: 1 of 2 gating claims refuted."
    )
    assert (
        lines[-1] == "- exit 1: a gating claim was refuted, or a metric is worse than its baseline"
    )


def test_every_claim_that_was_asked_for_has_a_row(judged: Summary) -> None:
    lines = markdown(judged).splitlines()
    first = lines.index("| verdict | claim | expected | measured | basis |")
    says, basis = "Medium agents: 10-12 at once", "Assumed sizes"
    assert lines[first + 1 : first + 6] == [
        "| --- | --- | --- | --- | --- |",
        f"| ✓ confirmed | {says} | 12 hold, 13 fail | 12 hold, 13 fail | {basis} |",
        f"| ✗ refuted | {says} | 12 hold, 13 fail | 11 hold, 12 fail | {basis} |",
        f"| ✗ refuted | {says} (not gating) | server-oom | agent-oom | {basis} |",
        "",
    ]
    assert "- not asked for in this campaign: 1 of the guide's other claims" in lines


def test_boundaries_have_a_table_with_what_is_not_known_left_open(summary: Summary) -> None:
    lines = markdown(summary).splitlines()
    assert "| medium (GB) | 12 | 13 | 12 | 3 | agent-oom |" in lines
    assert "| mixed (GB) | - | - | - | 0 | nothing |" in lines


def test_what_was_not_real_is_said(summary: Summary) -> None:
    assert "- not real: the model: agents call none" in markdown(summary)


def test_no_text_breaks_out_of_its_cell(
    make_summary: Callable[..., Summary], make_claim: Callable[..., ClaimResult]
) -> None:
    claim = make_claim(statement="a | b\n| c", measured="<img src=x>")
    lines = markdown(make_summary(claims=(claim,))).splitlines()
    (row,) = (line for line in lines if "a \\|" in line)
    assert "a \\| b \\| c" in row
    assert "&lt;img src=x>" not in row
    assert "&lt;img src=x&gt;" in row


def test_it_prints_the_summary_of_a_file(
    tmp_path: Path, summary: Summary, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "summary.json"
    path.write_text(summary.to_json(), encoding="utf-8")
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == markdown(summary) + "\n"


@pytest.mark.parametrize("text", [None, "{", '{"schema": 1}'])
def test_without_a_summary_it_ends_with_2_and_a_line(
    tmp_path: Path, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "summary.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert main([str(path)]) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert str(path) in said.err


def test_it_needs_only_what_bootstrap_installs(tmp_path: Path, summary: Summary) -> None:
    path = tmp_path / "summary.json"
    path.write_text(summary.to_json(), encoding="utf-8")
    code = (
        "import sys\n"
        "for name in ('locust', 'docker', 'jinja2', 'prometheus_client', 'testcontainers'):\n"
        "    sys.modules[name] = None\n"
        "from loadtest.report.markdown import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    argv = [sys.executable, "-c", code, str(path)]
    env = {"PATH": os.defpath, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(argv, cwd=TOP, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
