"""What the status says of a schedule, the last run, one under way, and one that was missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from compose.schedule.state import Postponed, Record, State, States
from compose.schedule.status import ScheduleStatus, is_missed, look, show_status
from tests.compose.schedule.examples import (
    NAME,
    NOW,
    Called,
    a_checkout,
    a_job,
    a_record,
    under_way,
)

PLANNED = NOW.replace(hour=3, minute=30)
BEFORE = "2026-11-20T10:00:00+01:00"
OLD = a_record(begun="2026-11-23T03:30:05+01:00", started="2026-11-23T03:30:06+01:00",
               ended="2026-11-23T03:34:16+01:00")  # fmt: skip


def looked(folder: Path, state: State, kind: Called | None = None) -> ScheduleStatus:
    called = kind or installed(folder)
    States(folder).write(state)
    return look(NAME, [called], folder, NOW)


def installed(folder: Path) -> Called:
    kind = Called()
    kind.put(a_job(checkout=str(a_checkout(folder))))
    return kind


def test_a_run_that_ended_well_is_shown_with_its_log_and_report(tmp_path: Path) -> None:
    found = looked(tmp_path, State(BEFORE, a_record()))
    assert (found.problems, found.missed, found.running) == ((), False, 0)
    assert show_status(found, NOW).splitlines() == [
        f"{NAME}: a cron job of root, daily at 03:30 CET (time zone of this host)",
        "  /etc/cron job of root",
        "next     2026-11-25 03:30 CET",
        f"command  {tmp_path}/.venv/bin/invoke -r {tmp_path} schedule.run --plan regression",
        "last     2026-11-24 03:30 CET: confirmed, exit code 0, took 4 min 10 s",
        "  log    /srv/a/reports/schedule/x.log",
        "  report reports/20261124T023006Z-1/report.html",
    ]


def test_what_regressed_is_shown(tmp_path: Path) -> None:
    worse = a_record(code=1, words="regressed", regressed="regressed agent-memory:small")
    text = show_status(looked(tmp_path, State(BEFORE, worse)), NOW)
    assert "regressed, exit code 1" in text
    assert "\n  regressed agent-memory:small\n" in text


def test_a_run_under_way_is_shown_with_its_process_and_the_one_before(tmp_path: Path) -> None:
    last = under_way()
    found = looked(tmp_path, State(BEFORE, last, OLD))
    assert (found.running, found.waiting) == (last.process(), False)
    text = show_status(found, NOW)
    assert f"a run is under way, pid {last.process()}, since 2026-11-24 03:30 CET" in text
    assert "last     2026-11-23 03:30 CET: confirmed" in text


def test_a_run_that_waits_says_for_what_and_how_long(tmp_path: Path) -> None:
    why = (Postponed("2026-11-24T03:30:05+01:00", "3 agents run on staging (busy from 1 on)"),)
    last = under_way(started="", postponed=why, next_try="2026-11-24T04:00:05+01:00",
                     gives_up="2026-11-24T09:30:05+01:00", log="", report="")  # fmt: skip
    found = looked(tmp_path, State(BEFORE, last))
    assert found.waiting
    assert not found.missed
    text = show_status(found, NOW)
    assert f"postponed, pid {last.process()}: 3 agents run on staging" in text
    assert "next try 2026-11-24 04:00 CET, gives up 2026-11-24 09:30 CET" in text


def test_a_run_that_gave_way_all_night_is_shown_with_the_last_that_measured(tmp_path: Path) -> None:
    gave_up = a_record(started="", code=75, words="did not run: busy", log="", report="")
    text = show_status(looked(tmp_path, State(BEFORE, gave_up, OLD)), NOW)
    assert "2026-11-24 03:30 CET: did not run: busy, exit code 75" in text
    assert "2026-11-23 03:30 CET: confirmed" in text


def test_a_run_that_was_killed_is_shown_as_cut_short(tmp_path: Path) -> None:
    killed = a_record(ended="", code=None, words="")
    text = show_status(looked(tmp_path, State(BEFORE, killed)), NOW)
    assert "2026-11-24 03:30 CET: cut short, its process is gone" in text


def test_where_nothing_is_installed_that_is_the_problem(tmp_path: Path) -> None:
    found = looked(tmp_path, State(), Called())
    assert found.problems == ("nothing is scheduled: invoke schedule.install",)
    assert "not installed\nlast     no run so far\n! nothing is scheduled" in show_status(
        found, NOW
    )


def test_a_run_by_hand_is_shown_also_where_nothing_is_installed(tmp_path: Path) -> None:
    found = looked(tmp_path, State("", a_record()), Called())
    assert "confirmed, exit code 0" in show_status(found, NOW)
    assert not found.missed


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda kind, folder: kind.broken.append("cron does not run"), "cron does not run"),
        (lambda kind, folder: kind.files.update({"/etc/cron job of root": a_job(
            checkout=str(folder)).note + "\n# 0 0 * * *\n"}), "changed by hand"),
        (lambda kind, folder: (folder / ".venv/bin/invoke").unlink(), "missing: ./bootstrap"),
        (lambda kind, folder: kind.files.update({"/etc/cron job of root": "x"}), "somebody else"),
    ],
    ids=["no daemon", "edited", "no environment", "foreign"],
)  # fmt: skip
def test_what_would_keep_runs_from_coming_is_a_problem(
    tmp_path: Path, spoil: object, says: str
) -> None:
    kind = installed(tmp_path)
    assert callable(spoil)
    spoil(kind, tmp_path)
    found = looked(tmp_path, State(BEFORE, a_record()), kind)
    assert says in "\n".join(found.problems)
    assert says in show_status(found, NOW)


def test_a_missed_run_is_named_with_its_time(tmp_path: Path) -> None:
    found = looked(tmp_path, State(BEFORE, OLD))
    assert found.missed
    assert found.problems == ("missed: planned 2026-11-24 03:30 CET, nothing ran",)
    assert found.data()["missed"] is True
    assert "! missed: planned 2026-11-24 03:30 CET, nothing ran" in show_status(found, NOW)


WAITED = replace(OLD, ended="", started="", postponed=(Postponed(PLANNED.isoformat(), "busy"),))


@pytest.mark.parametrize(
    ("since", "last", "now", "missed", "why"),
    [
        (BEFORE, None, NOW, True, "no run at all"),
        (BEFORE, OLD, NOW, True, "only one before"),
        (BEFORE, OLD, PLANNED + timedelta(hours=2), False, "it may be about to come"),
        (BEFORE, OLD, PLANNED + timedelta(hours=2, seconds=1), True, "the grace is over"),
        (BEFORE, a_record(), NOW, False, "it ran"),
        (BEFORE, a_record(code=1), NOW, False, "it ran, whatever came of it"),
        (BEFORE, WAITED, NOW, False, "it was postponed, and killed then"),
        (BEFORE, replace(OLD, ended=NOW.isoformat()), NOW, False, "one before took that long"),
        (BEFORE, under_way(begun=OLD.begun, started=OLD.started), NOW, False, "and still does"),
        (NOW.isoformat(), None, NOW, False, "installed after that time"),
        ("", None, NOW, False, "nobody knows since when runs are noted"),
    ],
)
def test_a_run_was_missed_when_nothing_was_noted_since(
    since: str, last: Record | None, now: datetime, missed: bool, why: str
) -> None:
    assert is_missed(State(since, last), PLANNED, now) is missed, why
