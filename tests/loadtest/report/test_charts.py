import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from loadtest.outcome import Outcome
from loadtest.report.charts import NARROW, WIDE, boundary_chart, lanes_chart, memory_chart
from loadtest.report.charts.svg import Axis, element
from loadtest.report.guide import Said
from loadtest.report.samples import Samples
from loadtest.summary import Summary
from tests.loadtest.report import example_campaign as example

WIDTHS = pytest.mark.parametrize("width", [NARROW, WIDE])


def words(chart: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(chart).iter("text")]


def of_class(chart: str, name: str) -> list[ET.Element]:
    return [part for part in ET.fromstring(chart).iter() if name in part.get("class", "").split()]


@WIDTHS
def test_every_chart_is_an_image_with_words_for_those_who_cannot_see_it(
    width: int, samples: Samples, outcome: Outcome, summary: Summary
) -> None:
    charts = (
        memory_chart(samples, outcome, width),
        lanes_chart(outcome, width),
        boundary_chart(summary.boundaries, {}, width=width),
    )
    for chart in charts:
        root = ET.fromstring(chart)
        assert (root.tag, root.get("role")) == ("svg", "img")
        assert root.get("aria-label") == root.findtext("title")
        assert not re.search(r'(fill|stroke)="#', chart), "colours belong to the style sheet"


@WIDTHS
def test_nothing_is_drawn_outside_of_a_chart(
    width: int, samples: Samples, outcome: Outcome, summary: Summary
) -> None:
    for chart in (
        memory_chart(samples, outcome, width),
        lanes_chart(outcome, width),
        boundary_chart(summary.boundaries, {"medium": Said((12,), (13,))}, summary.chances, width),
    ):
        root = ET.fromstring(chart)
        _, _, right, bottom = map(float, root.get("viewBox", "").split())
        for part in root.iter():
            for key in ("x", "x1", "x2", "cx"):
                assert 0 <= float(part.get(key, "0")) <= right
            for key in ("y", "y1", "y2", "cy"):
                assert 0 <= float(part.get(key, "0")) <= bottom


def test_memory_names_its_limit_its_unit_and_its_kill(samples: Samples, outcome: Outcome) -> None:
    shown = words(memory_chart(samples, outcome))
    assert {"limit 3.00 GiB", "1 GiB", "killed", "seconds since the trial began"} <= set(shown)


def test_memory_marks_every_start_and_every_peak(samples: Samples, outcome: Outcome) -> None:
    chart = memory_chart(samples, outcome)
    assert len(of_class(chart, "start")) == 3
    assert len(of_class(chart, "peak")) == 2
    assert len(of_class(chart, "kill")) == 1
    assert len(of_class(chart, "base")) == 1


def test_every_step_of_the_kill_counter_is_marked(samples: Samples, outcome: Outcome) -> None:
    twice = replace(samples, oom_kills=(0,) * 50 + (1,) * 20 + (3,) * 30)
    assert len(of_class(memory_chart(twice, outcome), "kill")) == 2


def test_a_spike_of_one_sample_reaches_the_drawn_line(outcome: Outcome) -> None:
    count = 20_000
    usage = [2**30] * count
    usage[12_345] = 3 * 2**30
    zeros = (0,) * count
    long = Samples(
        t_s=tuple(number / 20 for number in range(count)), usage=tuple(usage), anon=zeros,
        file=zeros, swap=zeros, agents=zeros, oom_kills=zeros, health_ms=(None,) * count,
    )  # fmt: skip
    chart = memory_chart(long, outcome)
    [line] = of_class(chart, "usage")
    [limit] = of_class(chart, "limit")
    heights = [float(point.split()[1]) for point in line.get("d", "")[1:].split("L")]
    assert min(heights) == float(limit.get("y1", "0"))
    assert len(heights) < 900


def test_memory_in_swap_counts_and_is_drawn_apart(samples: Samples, outcome: Outcome) -> None:
    assert not of_class(memory_chart(samples, outcome), "swapped")
    swapped = replace(samples, swap=(10**8,) * 100)
    assert len(of_class(memory_chart(swapped, outcome), "swapped")) == 1


def test_memory_without_samples_says_so_and_keeps_the_limit(outcome: Outcome) -> None:
    assert {"no samples", "limit 3.00 GiB"} <= set(words(memory_chart(Samples(), outcome)))


def test_a_trial_that_never_began_can_be_drawn(make_outcome: Callable[..., Outcome]) -> None:
    nothing = make_outcome(duration_s=0.0, limit_bytes=0, peak_bytes=0, base_bytes=0, agents=())
    assert "no samples" in words(memory_chart(Samples(), nothing))
    assert "no agents" in words(lanes_chart(nothing))


def test_lanes_name_the_class_of_every_agent(outcome: Outcome) -> None:
    chart = lanes_chart(outcome)
    assert {"1 medium", "3 medium", "never started", "was not admitted"} <= set(words(chart))
    assert len(of_class(chart, "lane")) == 3
    assert len(of_class(chart, "kill")) == 1
    assert len(of_class(chart, "open-end")) == 2


def test_an_agent_at_work_when_the_trial_ended_has_an_open_end(
    make_outcome: Callable[..., Outcome], outcome: Outcome
) -> None:
    working = outcome.agents[0].model_copy(update={"end": "pending", "peak_s": None})
    chart = lanes_chart(make_outcome(agents=(working,)))
    assert len(of_class(chart, "open-end")) == 1
    assert "still at work" in chart


def hints(chart: str, name: str) -> list[str | None]:
    return [
        mark.findtext("title") for mark in of_class(chart, name) if mark.find("title") is not None
    ]


def test_the_boundary_chart_shows_guide_measurement_and_prediction(summary: Summary) -> None:
    chart = boundary_chart(summary.boundaries, {"medium": Said((10, 12), (13,))})
    assert hints(chart, "claimed") == ["claimed: 10 hold", "claimed: 12 hold", "claimed: 13 fail"]
    assert {"12", "13", "says nothing", "not measured"} <= set(words(chart))
    assert len(of_class(chart, "predicted")) == 2


def test_both_readings_stand_in_one_block_each_on_its_track(summary: Summary) -> None:
    chart = boundary_chart(summary.boundaries, {})
    assert words(chart).count("medium") == 1
    assert {"in GB", "in GiB"} <= set(words(chart))
    assert hints(chart, "measured") == [
        "measured: 12 hold", "measured: 13 fail", "measured: 11 hold", "measured: 12 fail"
    ]  # fmt: skip
    once = boundary_chart(summary.boundaries[:1], {})
    assert "measured" in words(once), "one reading needs no name"


def test_every_chance_is_a_mark_with_its_interval_and_its_words(summary: Summary) -> None:
    chart = boundary_chart(summary.boundaries, {}, summary.chances)
    assert len(of_class(chart, "chance")) == len(of_class(chart, "interval")) == 3
    assert len(of_class(chart, "other-reading")) == 1
    assert "in GB: 12 at once: 0 of 29 runs failed, P(failure) &lt; 10 % at 95 %: safe" in chart
    assert "P(failure), 95 % interval" in words(chart)
    assert not of_class(boundary_chart(summary.boundaries, {}), "chance")


def test_rounds_have_one_lane_a_feature_with_a_bar_a_round() -> None:
    chart = lanes_chart(example.rounds())
    assert {"1 medium", "2 medium"} <= set(words(chart))
    assert "3 medium" not in words(chart)
    assert len(of_class(chart, "lane")) == 6
    assert len(of_class(chart, "kill")) == 1


def test_an_agent_that_never_ran_again_leaves_its_lane_as_it_is() -> None:
    rounds = example.rounds()
    waiting = example.agent(1, started_s=None, peak_s=None, end="pending")
    longer = rounds.model_copy(update={"agents": (*rounds.agents, waiting)})
    assert "never started" not in words(lanes_chart(longer))


def test_peaks_that_cannot_be_told_apart_are_one_mark(samples: Samples) -> None:
    agents = tuple(example.agent(n, peak_s=2.0 + n / 1000) for n in range(1, 300))
    crowd = example.rounds().model_copy(update={"agents": agents})
    assert 1 <= len(of_class(memory_chart(samples, crowd), "peak")) < 20


def test_no_boundary_makes_an_empty_chart() -> None:
    assert "agents" in words(boundary_chart((), {}))


def test_hostile_words_are_escaped() -> None:
    assert element("text", "<script>&", aria_label='"><b>') == (
        '<text aria-label="&#34;&gt;&lt;b&gt;">&lt;script&gt;&amp;</text>'
    )


@pytest.mark.parametrize(
    ("high", "wanted", "ticks"),
    [(26, 5, [0, 10, 20]), (3.1, 4, [0, 1, 2, 3]), (0.9, 4, [0, 0.5]), (9, 5, [0, 2, 4, 6, 8])],
)
def test_ticks_are_round(high: float, wanted: int, ticks: list[float]) -> None:
    assert list(Axis(high, 0, 100).ticks(wanted)) == ticks
