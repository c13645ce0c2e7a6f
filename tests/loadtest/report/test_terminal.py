import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.report.terminal import print_summary
from loadtest.summary import ClaimResult, Summary

FOLDER = Path("reports/20261123T204112Z-1")


def printed(summary: Summary, width: int = 80, *, terminal: bool = True) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=terminal, color_system=None,
        legacy_windows=False,
    )  # fmt: skip
    print_summary(console, summary, FOLDER)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(summary: Summary, width: int) -> None:
    assert max(len(line) for line in printed(summary, width).splitlines()) <= width


def test_every_claim_stands_with_verdict_expectation_and_measurement(summary: Summary) -> None:
    text = printed(summary)
    for claim in summary.claims:
        assert (claim.id in text) == claim.selected
    assert "Not asked for in this campaign: 1 of the guide's other claims" in text
    for part in ("✓ confirmed", "✗ refuted", "? inconclusive"):
        assert part in text
    assert "expected 12 hold, 13 fail; measured 12 hold, 13 fail" in text
    assert "all ramps say otherwise" in text, "a verdict that is not confirmed says why"
    assert "3 of 3 ramps agree" not in text.split("concurrent-large")[0]
    assert "(not gating)" in text


def test_the_last_line_says_what_the_exit_code_means(summary: Summary) -> None:
    last = printed(summary).strip().splitlines()[-1]
    assert last == "Exit 1: at least one gating claim was refuted."


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (0, "The guide's limits hold at 1/16 of true size: 1 gating claim confirmed."),
        (3, "No verdict at 1/16 of true size: 0 of 1 gating claim undecided."),
        (130, "Interrupted: 1 of 1 gating claim decided, at 1/16 of true size."),
    ],
)
def test_the_first_line_is_the_verdict(
    make_summary: Callable[..., Summary],
    make_claim: Callable[..., ClaimResult],
    code: int,
    sentence: str,
) -> None:
    text = printed(make_summary(claims=(make_claim(),), exit_code=code))
    assert text.strip().splitlines()[0][2:] == sentence


def test_a_refuted_self_check_does_not_speak_of_the_guide(
    make_summary: Callable[..., Summary], make_claim: Callable[..., ClaimResult]
) -> None:
    claim = make_claim(basis="rig", verdict="refuted")
    assert "The rig fails its self-check" in printed(make_summary(claims=(claim,)))


def test_the_boundary_table_and_the_place_of_the_report_are_there(summary: Summary) -> None:
    text = printed(summary)
    assert "predicted" in text
    assert "agent-oom" in text
    assert f"{FOLDER}/report.html" in text.replace("\n", "")


def test_without_a_terminal_the_text_is_plain_and_100_wide(summary: Summary) -> None:
    text = printed(summary, width=40, terminal=False)
    assert "\x1b" not in text
    assert 80 < max(len(line) for line in text.splitlines()) <= 100


def test_a_terminal_that_knows_only_ascii_gets_ascii(summary: Summary) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    print_summary(Console(file=file), summary, FOLDER)
    file.flush()
    assert b"x refuted" in raw.getvalue()


def test_markup_in_a_claim_is_not_obeyed(
    make_summary: Callable[..., Summary], make_claim: Callable[..., ClaimResult]
) -> None:
    claim = make_claim(statement="[red]loud[/red] [/]", verdict="refuted", reason="[bold]")
    text = printed(make_summary(claims=(claim,)))
    assert "[red]loud[/red] [/]" in text
    assert "[bold]" in text
