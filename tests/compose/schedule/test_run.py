"""A scheduled run with a clock, a host and a load test of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from compose.deploy.lock import holding
from compose.errors import ComposeError
from compose.schedule.run import Doors, Order, Run
from compose.schedule.state import State, States
from settings.models import Schedule
from tests.compose.deploy.fakes import Asked, Engine, Reply, context, serving
from tests.compose.schedule.examples import NOW, a_record

LIMITS = Schedule(busy_agents=1, busy_memory=0.6, retry_after_min=30, keep_logs=3)
HOOK = "DISCORD_ALERTS_WEBHOOK"
REGRESSED = """\
regressed  agent-memory:small  2.00 GB -> 2.40 GB
Report    reports/x/report.html
nox > Command python -m loadtest failed with exit code 1
"""


class Night:
    """A host whose memory is in use as told, one figure a look; the clock moves by sleep alone."""

    def __init__(self, home: Path, *memory: float, log: str = "", status: int = 0) -> None:
        self.home, self.log, self.status = home, log, status
        self.memory = list(memory)
        self.time = NOW.replace(hour=3, minute=30)
        self.slept: list[float] = []
        self.ran: list[list[str]] = []
        self.said: list[str] = []
        self.ctx = context(home / "deploys", Engine(), self.said, verb="schedule.run")
        self.during: Callable[[], object] = lambda: None
        self.states = States(home)
        self.others: list[str] = []
        """Other load tests, one a look."""

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        self.during()

    def measure(self, argv: Sequence[str], log: Path, cwd: Path) -> int:
        assert cwd == self.home
        self.ran.append(list(argv))
        self.during()
        self.time += timedelta(minutes=4)
        log.write_text(self.log, encoding="utf-8")
        return self.status

    def now(self) -> datetime:
        return self.time

    def measuring(self) -> str:
        return self.others.pop(0) if self.others else ""

    def look_at_memory(self) -> float:
        return self.memory.pop(0) if len(self.memory) > 1 else self.memory[0]

    def run(self, *, wait: bool = True) -> int:
        doors = Doors(self.now, self.sleep, self.measuring, self.look_at_memory, self.measure)
        order = Order(self.home, "regression", self.home / "a.prom", wait)
        return Run(self.ctx, order, LIMITS, doors).go()

    def text(self) -> str:
        return "".join(self.said)


def test_a_run_on_a_quiet_host_is_noted_with_all_that_came_of_it(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.2, log="Report    reports/x/report.html\n")
    assert night.run() == 0
    assert (len(night.ran), night.slept) == (1, [])
    last = night.states.read().last
    assert last is not None
    assert (last.code, last.words, last.report) == (0, "confirmed", "reports/x/report.html")
    assert (last.started, last.ended) == ("2026-11-24T03:30:00+01:00", "2026-11-24T03:34:00+01:00")
    assert Path(last.log).name == "20261124T033000.log"
    assert last.postponed == ()
    assert "no server is deployed; taken for idle" in night.text()


def test_on_a_busy_host_it_waits_and_says_why_and_until_when(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.9, 0.7, 0.2)
    seen = []
    night.during = lambda: seen.append(night.states.read().last)
    assert night.run() == 0
    assert night.slept == [1800, 1800]
    assert "postponed: 90% of the host's memory is in use (busy above 60%)" in night.text()
    assert "next try 2026-11-24 04:00 CET, gives up 2026-11-24 09:30 CET" in night.text()
    waiting = seen[0]
    assert waiting is not None
    assert waiting.next_try == "2026-11-24T04:00:00+01:00"
    assert waiting.process() > 0, "whoever asks for the status sees it"
    last = night.states.read().last
    assert last is not None
    assert [one.at[11:16] for one in last.postponed] == ["03:30", "04:00"]
    assert (last.started[11:16], last.next_try) == ("04:30", "")


def test_it_waits_for_another_load_test_and_names_it(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.2)
    night.others = ["another load test is running (process 7)"]
    assert night.run() == 0
    assert night.slept == [1800]
    assert "postponed: another load test is running (process 7)" in night.text()


def test_it_gives_up_after_six_hours(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.9)
    assert night.run() == 75
    assert night.ran == []
    assert sum(night.slept) == 6 * 3600
    last = night.states.read().last
    assert last is not None
    assert last.code == 75
    assert last.words.startswith("did not run: 90%")


def test_without_waiting_it_tries_once(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.9)
    assert night.run(wait=False) == 75
    assert (night.ran, night.slept) == ([], [])


def test_it_never_measures_beside_a_deploy_and_takes_no_lock_of_deploys(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.2)
    home = night.ctx.stack.home
    home.mkdir()
    with holding(home, "deploy", "", wait_s=0, note=lambda _text: None):
        assert night.run(wait=False) == 75
    assert "at work on the stack: deploy of " in night.text()

    def deploy() -> None:
        with holding(home, "deploy", "", wait_s=0, note=lambda _text: None):
            pass

    night.during = deploy
    assert night.run() == 0


@pytest.mark.parametrize(
    ("log", "status", "code", "words"),
    [
        (REGRESSED, 1, 1, "regressed"),
        ("", 1, 2, "cannot run"),
        ("nox > Command python -m loadtest failed with exit code 3\n", 1, 3, "inconclusive"),
        ("", 130, 130, "interrupted"),
    ],
)
def test_the_code_is_that_of_the_load_test(
    tmp_path: Path, log: str, status: int, code: int, words: str
) -> None:
    night = Night(tmp_path, 0.2, log=log, status=status)
    assert night.run() == code
    last = night.states.read().last
    assert last is not None
    assert (last.code, last.words) == (code, words)


def told(night: Night, *, wait: bool = True) -> str:
    """What the alerts' webhook was told, in all."""
    texts = []

    def answer(asked: Asked) -> Reply:
        texts.append(asked.data["content"])
        return Reply(204)

    with serving(answer) as chat:
        night.ctx.webhooks = {HOOK: f"{chat.base}/hook"}
        night.ctx.keep_secret({"AUTOMAKER_API_KEY": "s3cret-key"})
        night.run(wait=wait)
    return "\n".join(texts)


def test_what_regressed_is_told_with_host_report_and_log_and_no_secret(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.2, log=REGRESSED.replace("small", "s3cret-key"), status=1)
    text = told(night)
    assert "automaker-staging: capacity run regressed; regressed agent-memory:****" in text
    assert "report reports/x/report.html" in text
    assert f"{tmp_path}/reports/schedule/20261124T033000.log" in text
    assert "@" in text.rpartition("(by ")[2], "user and host"
    assert "s3cret-key" not in text


def test_success_is_not_told(tmp_path: Path) -> None:
    assert told(Night(tmp_path, 0.2)) == ""


def test_a_night_without_a_quiet_moment_is_told_and_a_single_try_is_not(tmp_path: Path) -> None:
    assert "did not run: 90% of the host's memory" in told(Night(tmp_path / "a", 0.9))
    assert told(Night(tmp_path / "b", 0.9), wait=False) == ""


def test_an_interrupt_while_it_waits_ends_it_and_is_noted(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.9)

    def interrupt() -> None:
        raise KeyboardInterrupt

    night.during = interrupt
    assert night.run() == 130
    last = night.states.read().last
    assert last is not None
    assert (last.code, last.next_try, last.started) == (130, "", "")


def test_an_error_is_noted_and_shown(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.2)

    def fail() -> None:
        raise ComposeError("nox: No such file")

    night.during = fail
    with pytest.raises(ComposeError):
        night.run()
    last = night.states.read().last
    assert last is not None
    assert (last.code, last.words) == (2, "cannot run: nox: No such file")


def test_a_second_run_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.2)
    before = State("2026-11-01T00:00:00+01:00", a_record())
    night.states.write(before)
    with night.states.only_run(), pytest.raises(ComposeError, match="under way"):
        night.run()
    assert night.states.read() == before


def test_the_last_run_that_measured_stays_known(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.9)
    night.states.write(State("", a_record()))
    night.run(wait=False)
    night.run(wait=False)
    state = night.states.read()
    assert state.before == a_record()
    assert state.since == "2026-11-24T03:30:00+01:00"


def test_only_the_newest_logs_are_kept(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.2)
    for _ in range(5):
        assert night.run() == 0
    logs = sorted(one.name for one in night.states.folder.glob("*.log"))
    assert logs == ["20261124T033800.log", "20261124T034200.log", "20261124T034600.log"]


def test_a_run_that_was_killed_does_not_hinder_the_next(tmp_path: Path) -> None:
    night = Night(tmp_path, 0.2)
    killed = replace(a_record(), ended="", code=None)
    night.states.write(State("", killed))
    assert night.run() == 0
    assert night.states.read().before == killed
