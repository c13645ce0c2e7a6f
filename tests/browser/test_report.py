"""The report as people see it: in a browser, on a phone and at a desk, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.report.html import render
from loadtest.report.samples import Samples
from tests.browser.conftest import Open
from tests.browser.contrast import faint_texts
from tests.loadtest.report import example_campaign as example

PHONE, DESK = 390, 1440
LOOKS = pytest.mark.parametrize(
    ("width", "scheme"),
    [(PHONE, "light"), (PHONE, "dark"), (DESK, "light"), (DESK, "dark")],
)
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true })"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of trial, both readings, a refuted claim, long words, a wide range of numbers."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    origin = {"commit": "c510f84e", "image": "sha256:" + "0123456789abcdef" * 4}
    few = example.summary()
    many = few.boundaries[0].model_copy(update={"workload": "small", "holds": 24, "fails_at": 25})
    html = render(
        example.summary(origin=origin, boundaries=(many, *few.boundaries)),
        example.all_kinds(),
        lambda outcome: example.samples() if outcome.samples_file else Samples(),
    )
    path.write_text(html, encoding="utf-8")
    return path


@LOOKS
def test_nothing_is_wider_than_the_window(
    open_page: Open, report: Path, width: int, scheme: str
) -> None:
    page = open_page(report, width=width, scheme=scheme)
    for step in ("0", OPEN_ALL):
        page.evaluate(step)
        assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")


@LOOKS
def test_every_text_stands_out_from_what_is_behind_it(
    open_page: Open, report: Path, width: int, scheme: str
) -> None:
    page = open_page(report, width=width, scheme=scheme)
    page.evaluate(OPEN_ALL)
    assert faint_texts(page) == []


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_verdict_comes_first_then_claims_boundary_and_trials(
    open_page: Open, report: Path, width: int
) -> None:
    page = open_page(report, width=width)
    tops = [
        page.locator(selector).first.evaluate("one => one.getBoundingClientRect().top")
        for selector in ("h1", ".claims", "section[aria-label=Boundaries]", "details")
    ]
    assert tops == sorted(tops)
    assert tops[0] < 300, "the verdict is there without scrolling"
    assert "The guide does not hold" in page.locator("h1").inner_text()


def test_the_details_of_every_trial_open_and_close(open_page: Open, report: Path) -> None:
    page = open_page(report)
    details = page.locator("details")
    assert details.count() == len(example.all_kinds())
    for number in range(details.count()):
        body = details.nth(number).locator(".trial")
        assert not body.is_visible()
        details.nth(number).locator("summary").click()
        assert body.is_visible()
    details.first.locator("summary").press("Enter")
    assert not details.first.locator(".trial").is_visible()


@pytest.mark.parametrize(("width", "shown"), [(PHONE, ".narrow"), (DESK, ".wide")])
def test_charts_are_drawn_for_the_width_of_the_window(
    open_page: Open, report: Path, width: int, shown: str
) -> None:
    page = open_page(report, width=width)
    page.evaluate(OPEN_ALL)
    charts = page.locator("svg.chart:visible")
    assert charts.count() == page.locator(f"{shown} svg.chart").count() > 0


def test_words_of_a_chart_are_large_enough_on_a_phone(open_page: Open, report: Path) -> None:
    page = open_page(report, width=PHONE)
    page.evaluate(OPEN_ALL)
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('.narrow svg.chart')].map("
        "one => one.getBoundingClientRect().width / one.viewBox.baseVal.width * 11))"
    )
    assert smallest >= 9


def test_numbers_next_to_marks_do_not_cover_each_other(open_page: Open, report: Path) -> None:
    page = open_page(report, width=PHONE)
    covered = page.evaluate(
        """() => {
          const words = [...document.querySelectorAll(
            'section[aria-label=Boundaries] .narrow svg text')].map(
            one => [one.textContent, one.getBoundingClientRect()]);
          return words.flatMap(([word, a], index) => words.slice(index + 1)
            .filter(([, b]) => a.left < b.right - 2 && b.left < a.right - 2
                            && a.top < b.bottom - 5 && b.top < a.bottom - 5)
            .map(([other]) => `${word} and ${other}`));
        }"""
    )
    assert covered == []


def test_on_a_phone_every_fact_of_a_claim_has_its_name(open_page: Open, report: Path) -> None:
    page = open_page(report, width=PHONE)
    fact = page.locator(".claims td.fact").first
    assert fact.evaluate("one => getComputedStyle(one, '::before').content") == '"Expected"'


def test_the_page_asks_nothing_of_the_network(open_page: Open, report: Path) -> None:
    page = open_page(report)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
