"""The page of trends: whole, self-contained, and saying what matters."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from loadtest.history.compare import compare
from loadtest.history.page import Story, changes_of, render
from loadtest.history.runs import Run
from loadtest.history.store import Mark
from loadtest.history.trend import Trend, round_values, trend_chart
from loadtest.history.verdicts import Baseline
from settings.load import load_settings
from tests.loadtest.history.builders import Worse, run
from tests.loadtest.report.test_html import HOSTILE, Page

TOLERANCES = load_settings().loadtest.tolerances
STEP = [run(n) for n in range(1, 11)] + [run(n, Worse(memory=1.05)) for n in range(11, 17)]


def story(runs: Sequence[Run]) -> Story:
    return runs, compare(runs[-1], Baseline("v1", tuple(runs[:-1])), TOLERANCES, runs)


@pytest.fixture(scope="module")
def html() -> str:
    other = [run(n, plan="quick") for n in (1, 2)]
    marks = [Mark("v1", "run-001", "2026-02-01")]
    stepped = (STEP, compare(STEP[-1], Baseline("v1", (STEP[0],)), TOLERANCES, STEP))
    return render([stepped, story(other), ([run(1, scale=1.0)], None)], marks, TOLERANCES)


def test_every_tag_is_closed_and_nothing_is_asked_of_the_network(html: str) -> None:
    assert not re.search(r"https?://|@import|url\(|<script|javascript:", html)
    page = Page(html)
    assert page.open == []
    for tag, attributes in page.tags:
        assert "src" not in attributes, tag
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
    assert "default-src 'none'" in html


def test_every_kind_has_its_own_section(html: str) -> None:
    text = Page(html).text
    for title in ("Plan regression at 1/16 of true size, limit 48 GiB",
                  "Plan quick at 1/16 of true size", "Plan regression at true size"):  # fmt: skip
        assert title in text


def test_every_metric_has_a_chart_for_a_desk_and_for_a_phone(html: str) -> None:
    charts = [a for tag, a in Page(html).tags if tag == "svg" and a.get("role") == "img"]
    assert len(charts) == 2 * 2 * len(run(1).samples)
    assert all(chart["aria-label"] for chart in charts)


def test_the_newest_run_is_judged_with_sign_and_word(html: str) -> None:
    text = Page(html).text
    assert "2 of 8 metrics regressed, against v1." in " ".join(text.split())
    assert "✗regressed" in text
    assert "✓unchanged" in text
    assert "since run run-011 of 2026-01-12, commit 0000000b0" in text


def test_a_lasting_change_is_told_with_its_commit_and_its_date(html: str) -> None:
    text = Page(html).text
    assert "2026-01-12, commit 0000000b0: from 4.000 GB to 4.20" in text
    assert 'class="change"' in html


def test_baselines_stand_beside_their_runs(html: str) -> None:
    assert "2026-01-02 03:00:00 UTCrun-001000000010v1" in Page(html).text


def test_hostile_words_are_shown_not_obeyed() -> None:
    strange = run(1, run_id=HOSTILE, plan=HOSTILE, origin={"commit": HOSTILE, "engine": HOSTILE})
    page = Page(render([([strange], None)], [Mark(HOSTILE, HOSTILE, "")], TOLERANCES, {HOSTILE}))
    assert page.open == []
    assert page.count("script") == 0


def test_a_history_without_runs_is_a_page_too() -> None:
    assert "No run was recorded." in Page(render([], [], TOLERANCES)).text


def test_a_run_that_does_not_count_is_drawn_open() -> None:
    runs = [run(1), run(2, exit_code=130)]
    drawn = trend_chart(Trend("base-memory", runs, ()))
    assert drawn.count('class="run"') == 1
    assert drawn.count('class="run open"') == 1


@pytest.mark.parametrize("width", [340, 860])
def test_nothing_of_a_chart_lies_outside_of_it(width: float) -> None:
    metric = "agent-memory:medium"
    trend = Trend(metric, STEP, changes_of(metric, STEP, TOLERANCES), 4e9, 4e7)
    assert len(trend.changes) == 1
    drawn = trend_chart(trend, width)
    box = re.search(r'viewBox="0 0 (\S+) (\S+)"', drawn)
    assert box
    for name, size in (("c?x[12]?", float(box[1])), ("c?y[12]?", float(box[2]))):
        places = [float(one) for one in re.findall(rf' {name}="([^"]+)"', drawn)]
        assert places
        assert 0 <= min(places) <= max(places) <= size


def test_a_constant_metric_of_a_single_run_is_drawn() -> None:
    assert "no lasting changes" in trend_chart(Trend("slots:cap-10-small", [run(1)], ()))


def test_ticks_are_round_and_inside() -> None:
    assert round_values(3.94, 4.26, 4) == pytest.approx([4.0, 4.1, 4.2])
    assert round_values(9.4, 12.6, 4) == [10, 11, 12]


def test_agents_are_counted_in_whole_numbers() -> None:
    runs = [run(1), run(2)]
    drawn = trend_chart(Trend("slots:cap-10-small", runs, (), 10.0, 0.5), 340)
    assert re.findall(r"end\">([\d.]+)<", drawn) == ["9", "10", "11"]
