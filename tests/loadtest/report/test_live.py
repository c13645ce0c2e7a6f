import io
import threading
from collections.abc import Callable

import pytest
from rich.console import Console

from loadtest.outcome import Outcome
from loadtest.report.gauge import Status, clock, remaining, step, view
from loadtest.report.live import LiveProgress, PlainProgress, progress_for
from loadtest.report.projection import Filling
from loadtest.swarm.status import STATES
from tests.loadtest.report import example_campaign as example

GIB = 2**30


def console(*, terminal: bool, width: int = 80) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(
        file=file, force_terminal=terminal, width=width, _environ={"TERM": "xterm"}
    ), file


class Ticks:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_terminal_gets_the_live_view_and_a_log_gets_lines() -> None:
    assert isinstance(progress_for(console(terminal=True)[0], 10), LiveProgress)
    assert isinstance(progress_for(console(terminal=False)[0], 10), PlainProgress)
    assert isinstance(progress_for(console(terminal=True)[0], 10, in_ci=True), PlainProgress)


def test_plain_lines_tell_start_and_end_with_a_time(outcome: Outcome) -> None:
    out, file = console(terminal=False)
    progress = PlainProgress(out, 60, wall=lambda: "12:00:00")
    progress.phase("building the [stand-in] image")
    progress.trial_started(outcome.trial, 3, 19)
    progress.trial_ended(outcome)
    progress.close()
    assert file.getvalue().splitlines() == [
        "12:00:00 building the [stand-in] image",
        "12:00:00 trial 3/19: Ramp, medium, run 1, 2 predicted to hold; about 0:54 left",
        "12:00:00   2 held, 3 failed (agent-oom) after 5 s",
    ]


def test_plain_lines_come_at_most_every_ten_seconds_in_between(outcome: Outcome) -> None:
    out, file = console(terminal=False)
    now = Ticks()
    progress = PlainProgress(out, 60, clock=now, wall=lambda: "t")
    progress.trial_started(outcome.trial, 1, 1)
    for quarter in range(100):
        now.now = quarter / 4
        progress.memory(GIB, 3 * GIB, 4)
    assert file.getvalue().splitlines()[1:] == ["t   4 agents run, 1.00 GiB of 3.00 GiB"] * 2


def test_a_long_plain_line_is_not_broken(make_outcome: Callable[..., Outcome]) -> None:
    out, file = console(terminal=False, width=40)
    PlainProgress(out, 60).trial_ended(make_outcome(status="invalid", reason="because " * 30))
    assert len(file.getvalue().splitlines()) == 1


def test_the_live_view_leaves_a_line_for_every_trial_and_gives_the_terminal_back(
    outcome: Outcome, make_outcome: Callable[..., Outcome]
) -> None:
    out, file = console(terminal=True)
    progress = LiveProgress(out, expected_s=60)
    progress.phase("building")
    progress.trial_started(outcome.trial, 1, 2)
    progress.memory(2 * GIB, 3 * GIB, 7)
    progress.trial_ended(outcome)
    progress.trial_ended(make_outcome(status="invalid", reason="no [samples]"))
    progress.close()
    progress.close()
    text = file.getvalue()
    assert "2 held, 3 failed (agent-oom)" in text
    assert "does not count: no [samples]" in text
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l") >= 0, "the cursor is back"


def test_nothing_touches_the_terminal_before_the_first_step() -> None:
    out, file = console(terminal=True)
    LiveProgress(out, expected_s=60).close()
    assert "\x1b[?25l" not in file.getvalue()


def test_memory_may_come_from_another_thread(outcome: Outcome) -> None:
    out, _ = console(terminal=True)
    progress = LiveProgress(out, expected_s=60)
    progress.trial_started(outcome.trial, 1, 1)

    def feed() -> None:
        for number in range(500):
            progress.memory(number, GIB, number)

    feeders = [threading.Thread(target=feed) for _ in range(4)]
    for feeder in feeders:
        feeder.start()
    for feeder in feeders:
        feeder.join()
    progress.trial_ended(outcome)
    progress.close()


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("used", [0, GIB, 3 * GIB, 5 * GIB])
def test_the_view_fits_into_the_terminal(outcome: Outcome, width: int, used: int) -> None:
    status = Status(
        600, trial=outcome.trial, number=3, total=19, limit=3 * GIB,
        filling=Filling().after(used, 13), swarm=dict.fromkeys(STATES, 12),
    )  # fmt: skip
    lines = view(status, 100, width).plain.split("\n")
    assert len(lines) == 5
    assert max(map(len, lines)) <= width
    assert "2 predicted to hold" in lines[2] or width < 60


def test_the_agents_by_state_have_a_line_of_their_own(outcome: Outcome) -> None:
    counts = {"waiting": 3, "starting": 1, "at peak": 9, "done": 0, "lost": 0}
    status = Status(600, trial=outcome.trial, limit=GIB, swarm=counts)
    assert "3 waiting  1 starting  9 at peak  0 done  0 lost" in view(status, 0, 80).plain
    backlog = Status(600, trial=example.cap().trial, limit=GIB, swarm=counts)
    assert "3 waiting  1 at work  0 done  0 lost" in view(backlog, 0, 80).plain


def test_the_gauge_marks_where_memory_is_heading(outcome: Outcome) -> None:
    filling = Filling().after(0, 0).after(GIB, 1)  # two are predicted to hold
    status = Status(600, trial=outcome.trial, limit=4 * GIB, filling=filling)
    bar = view(status, 0, 120).plain.split("\n")[1]
    cells = bar.removeprefix("memory  ").split(" ")[0]
    assert cells.index("┃") == len(cells) / 2
    assert cells.count("█") == len(cells) / 4
    assert "heading for 2.00 GiB" in bar


def test_a_heading_beyond_the_limit_stands_behind_the_gauge(outcome: Outcome) -> None:
    filling = Filling().after(0, 0).after(GIB, 1)
    status = Status(600, trial=outcome.trial, limit=GIB * 3 // 2, filling=filling)
    bar = view(status, 0, 120).plain.split("\n")[1]
    assert "▸" in bar
    assert "┃" not in bar


def test_the_step_of_a_trial_is_said(outcome: Outcome) -> None:
    status = Status(600, trial=outcome.trial)
    assert step(status) == "container starts"
    status = status.having(limit=GIB)
    assert step(status) == "server comes to rest"
    status = status.having(filling=Filling().after(9, 1), swarm={"starting": 1})
    assert step(status) == "agents fill their memory"
    assert step(status.having(swarm={"at peak": 1})) == "agents at work"
    assert step(status.having(swarm={"lost": 1})) == "an agent was lost"


def test_a_new_trial_starts_with_an_empty_gauge(outcome: Outcome) -> None:
    out, _ = console(terminal=True)
    progress = LiveProgress(out, expected_s=60)
    progress.memory(GIB, 3 * GIB, 7)
    progress.swarm({"lost": 1})
    progress.trial_started(outcome.trial, 2, 2)
    text = progress.shown().plain
    progress.close()
    assert "waiting for the container" in text
    assert "lost" not in text


def test_a_plain_line_says_who_is_at_what(outcome: Outcome) -> None:
    out, file = console(terminal=False)
    now = Ticks()
    progress = PlainProgress(out, 60, clock=now, wall=lambda: "t")
    progress.swarm({"waiting": 0, "starting": 1, "at peak": 3})
    now.now = 11
    progress.memory(GIB, 3 * GIB, 4)
    assert file.getvalue() == "t   4 agents run (1 starting, 3 at peak), 1.00 GiB of 3.00 GiB\n"


def test_before_the_container_is_there_the_gauge_says_so(outcome: Outcome) -> None:
    text = view(Status(600, trial=outcome.trial), 0, 80).plain
    assert "waiting for the container" in text


@pytest.mark.parametrize(
    ("elapsed", "done", "total", "expected", "left"),
    [
        (10, 0, 0, 100, 90),  # nothing known yet but the plan
        (200, 0, 4, 100, 0),  # never below zero
        (50, 2, 4, 100, 50),  # as expected
        (100, 2, 4, 100, 50),  # twice as slow as expected: half of the truth, and rising
        (90, 4, 4, 100, 0),
    ],
)
def test_the_time_left(elapsed: float, done: int, total: int, expected: float, left: float) -> None:
    assert remaining(elapsed, done, total, expected) == pytest.approx(left)


def test_times_read_like_a_clock() -> None:
    assert [clock(5), clock(125), clock(3725)] == ["0:05", "2:05", "1:02:05"]
