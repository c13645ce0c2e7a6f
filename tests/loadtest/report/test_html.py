import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser

import pytest

from loadtest.outcome import Outcome
from loadtest.report.html import duration, moment, render
from loadtest.report.samples import Samples
from loadtest.summary import ClaimResult, Summary
from tests.loadtest.report import example_campaign as example

VOID = {"meta", "link", "br", "hr", "img", "input"}
HOSTILE = "</title><script>alert('x')</script>\x1b[31m & \"quotes\" <b>"


class Page(HTMLParser):
    """Tags in order, whether they balance, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


@pytest.fixture
def html(summary: Summary, outcomes: tuple[Outcome, ...], samples: Samples) -> str:
    return render(summary, outcomes, lambda o: samples if o.samples_file else Samples())


def test_every_tag_is_closed(html: str) -> None:
    assert Page(html).open == []


def test_the_page_asks_nothing_of_the_network_and_runs_nothing(html: str) -> None:
    assert not re.search(r"https?://|@import|url\(|<script|javascript:", html)
    page = Page(html)
    for tag, attributes in page.tags:
        assert "src" not in attributes, tag
        assert attributes.get("href", "data:,") == "data:,", tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert "style" not in attributes, tag


def test_the_verdict_comes_first_with_its_scale(html: str) -> None:
    title = re.search(r"<h1>(.*?)</h1>", html)
    assert title
    # crash-mode is refuted too, but not gating; cap-10 was not asked for.
    assert title[1] == (
        "The guide does not hold at 1/16 of true size: 1 of 6 gating claims refuted, 1 undecided."
    )
    assert "scaled" in Page(html).text


def test_every_basis_is_explained(html: str) -> None:
    text = Page(html).text
    assert "this checks the rig, not the guide" in text
    assert "given the guide's sizes" in text
    assert "Real agents, measured" in text
    assert "Seen in production" in text


def test_all_claims_are_one_table_in_the_guides_order_under_its_headings(
    html: str, summary: Summary
) -> None:
    assert html.count('<table class="claims"') == 1
    headings = re.findall(r'<th role="rowheader"[^>]*>(.*?)</th>', html)
    assert headings == [
        "Agent Memory Estimates", "Known Limits", "Complexity-Based Concurrency", "Other"
    ]  # fmt: skip
    ids = re.findall(r'<span class="id">(.*?)</span>', html)
    assert ids == [claim.id for claim in summary.claims]
    bases = re.findall(r'<td role="cell" class="basis"><span class="tag"[^>]*>(.*?)</span>', html)
    assert bases == [claim.basis for claim in summary.claims]


def test_the_verdict_comes_before_claims_boundaries_memory_conditions_and_trials(html: str) -> None:
    order = [
        "<h1>", ">Claims<", ">Where the boundary is<", ">How likely a number", ">Memory per agent<",
        ">Under which conditions<", ">Trials<",
    ]  # fmt: skip
    places = [html.index(part) for part in order]
    assert places == sorted(places)


def test_only_numbers_that_are_safe_are_called_so(html: str, summary: Summary) -> None:
    safe = [line for line in re.findall(r"<dd><b>.*?</dd>", html) if "safe" in line]
    assert [("12 at once" in line, "safe takes 29 clean runs" in line) for line in safe] == [
        (False, True), (True, False)
    ]  # fmt: skip
    none = example.summary(chances=(example.chance(safe=False),), claims=())
    text = Page(render(none, [], lambda _: Samples())).text
    assert "safe" not in text.replace("safe takes 29 clean runs", "")


def test_every_kind_of_trial_is_shown_by_its_name() -> None:
    html = render(example.summary(), example.all_kinds(), lambda _: Samples())
    text = Page(html).text
    for said in (
        "Ramp, medium, sizes in GiB, run 1",
        "Rounds of 2 agents at once, medium, run 1",
        "held in 2 rounds, failed in the next (agent-oom)",
        "maxConcurrency 2, small",
        "Situation, restart resumes",
        "broken: ready again after 4.1 s, 3 of 3 features resumed",
        "SIGKILL while three agents worked",
    ):
        assert said in text


def test_a_situation_without_agents_and_samples_has_no_charts() -> None:
    html = render(example.summary(boundaries=()), [example.scenario()], lambda _: Samples())
    assert not [a for tag, a in Page(html).tags if tag == "svg" and a.get("role") == "img"]
    assert "Most memory" not in html


def test_what_was_tested_is_told(html: str) -> None:
    assert "c510f84e" in Page(html).text


def test_every_claim_stands_with_symbol_and_word(html: str, summary: Summary) -> None:
    text = Page(html).text
    for claim in summary.claims:
        assert claim.id in text
    for badge in ("✓confirmed", "✗refuted", "?inconclusive", "–not run"):  # noqa: RUF001
        assert badge in text
    assert "not gating" in text


def test_every_trial_has_one_section(html: str, outcomes: tuple[Outcome, ...]) -> None:
    sections = [attributes["id"] for tag, attributes in Page(html).tags if tag == "details"]
    assert sections == [f"trial-{outcome.trial.id}" for outcome in outcomes]


def test_every_chart_comes_for_a_desk_and_for_a_phone(html: str) -> None:
    charts = [a for tag, a in Page(html).tags if tag == "svg" and a.get("role") == "img"]
    assert len(charts) == 2 * (1 + 2 * 2)
    assert all(chart["aria-label"] for chart in charts)


def test_conditions_are_told(html: str) -> None:
    text = Page(html).text
    for said in (
        "compose x 0.0625",
        "3.00 GiB",
        "24.00 GiB",
        "the model: agents call none",
        "60 MB, counted in every prediction",
        "4.010 GB",
        "+0.25 %",
        "1 does not count",
    ):
        assert said in text


def test_sizes_of_a_scaled_trial_say_their_scale(html: str) -> None:
    assert "Sizes in this section are those of the trials: 1/16 of true size." in Page(html).text


def test_hostile_words_are_shown_not_obeyed(
    make_summary: Callable[..., Summary],
    make_claim: Callable[..., ClaimResult],
    make_outcome: Callable[..., Outcome],
) -> None:
    claim = make_claim(statement=HOSTILE, reason=HOSTILE, expected=HOSTILE, measured=HOSTILE)
    summary = make_summary(
        claims=(claim,), mocked=(HOSTILE,), base=HOSTILE, run_id=HOSTILE, host={HOSTILE: HOSTILE}
    )
    page = Page(render(summary, [make_outcome(reason=HOSTILE)], lambda _: Samples()))
    assert page.open == []
    assert page.count("script") == 0
    assert HOSTILE in page.text


def test_a_campaign_without_trials_still_makes_a_page(make_summary: Callable[..., Summary]) -> None:
    summary = make_summary(claims=(), boundaries=(), agents={}, limits={}, mocked=(), exit_code=130)
    page = Page(render(summary, [], lambda _: Samples()))
    assert page.open == []
    assert "No trial was run." in page.text
    assert "Interrupted: 0 of 0 gating claims decided" in page.text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.25, "0.2 s"), (59.4, "59 s"), (125, "2 min 5 s"), (3900, "1 h 5 min")],
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == said


def test_a_time_that_is_none_stays_as_it_is() -> None:
    assert moment("2026-11-23T20:41:12+00:00") == "2026-11-23 20:41:12 UTC"
    assert moment("yesterday") == "yesterday"
