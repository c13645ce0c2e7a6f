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
    assert "Not asked for in this campaign: 1 of the guide's other claims" in text
    for part in ("✓ confirmed", "✗ refuted", "? inconclusive"):
        assert part in text
    assert text.count("confirmed  ") == 4
    for fact in ("12 hold, 13 fail", "4.00 GB within 1%", "4.01 GB", "9 hold, 10 fail"):
        assert fact in text


def test_claims_stand_under_the_guides_headings_in_its_order(summary: Summary) -> None:
    lines = printed(summary, 120).splitlines()
    headings = ["Agent Memory Estimates", "Known Limits", "Complexity-Based Concurrency", "Other"]
    assert [line for line in lines if line in headings] == headings


@pytest.mark.parametrize("width", [80, 120])
def test_a_verdict_that_is_not_confirmed_says_why_and_names_the_claim(
    summary: Summary, width: int
) -> None:
    text = printed(summary, width)
    assert "all ramps say otherwise" in text
    assert "concurrent-large" in text
    assert "concurrent-medium" not in text


def test_every_basis_is_a_word_at_the_claim_and_explained_beneath(summary: Summary) -> None:
    text = printed(summary, 120)
    after = text[text.index("Other") :]
    for basis in ("assumed", "rig", "measured", "observed"):
        assert f"\n{basis} " in after
    assert "this checks the rig, not the guide" in after
    assert "not gating: does not move the exit code" in after
    assert " *  " in text


def test_the_columns_of_all_sections_are_at_the_same_places(summary: Summary) -> None:
    text = printed(summary, 100, terminal=False)
    rows = [line for line in text.splitlines() if line[:1] in "✓✗?" and "Medium" in line]
    assert len(rows) == 6
    assert len({line.index("Medium") for line in rows}) == 1
    measured = [line.rindex("12 hold, 13 fail") for line in rows if "12 hold" in line]
    assert len(set(measured)) == 1


def test_about_thirty_situations_stay_compact(
    make_summary: Callable[..., Summary], make_claim: Callable[..., ClaimResult]
) -> None:
    claims = tuple(
        make_claim(id=f"s-{n}", kind="scenario", section="Recovery", statement="A crash is seen",
                   expected="within 60 s", measured="after 4.1 s")
        for n in range(30)
    )  # fmt: skip
    rows = [line for line in printed(make_summary(claims=claims), 100).splitlines() if "✓" in line]
    assert len(rows) == 30


def test_chances_are_told_in_words_and_only_safe_numbers_are_called_so(summary: Summary) -> None:
    lines = printed(summary, 120).splitlines()
    said = [line for line in lines if "at once: " in line]
    assert [line.rstrip().rpartition("  ")[2] for line in said] == [
        "25 at once: 0 of 5 runs failed, P(failure) below 45 %; safe takes 29 clean runs",
        "12 at once: 0 of 29 runs failed, P(failure) < 10 % at 95 %: safe",
        "13 at once: 5 of 5 runs failed, P(failure) is 48-100 % at 95 %",
        "12 at once: 1 of 1 run failed, P(failure) is 2-100 % at 95 %",
    ]  # fmt: skip


def test_the_last_line_says_what_the_exit_code_means(summary: Summary) -> None:
    last = printed(summary).strip().splitlines()[-1]
    assert last == "Exit 1: a gating claim was refuted, or a metric is worse than its baseline."


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
