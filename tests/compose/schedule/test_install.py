"""Installing and removing: idempotent, shows what it changes, never over somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.errors import ComposeError
from compose.schedule.install import Installed, install, remove
from compose.schedule.job import Job
from compose.schedule.state import State, States
from tests.compose.deploy.fakes import Engine, context
from tests.compose.schedule.examples import NOW, Called, a_checkout, a_job, under_way

NO_CRON = ComposeError("cron is not installed", next_step="apt-get install cron", exit_code=2)


class Place:
    """A checkout that can be scheduled by two kinds."""

    def __init__(self, folder: Path, *, dry: bool = False) -> None:
        self.checkout = a_checkout(folder)
        self.kind, self.other = Called("systemd timer"), Called()
        self.said: list[str] = []
        self.ctx = context(
            folder / "deploys", Engine(), self.said, dry=dry, verb="schedule.install"
        )
        self.states = States(folder)

    def job(self, **changes: str) -> Job:
        return a_job(checkout=str(self.checkout), **changes)

    def install(self, **changes: str) -> Installed:
        return install(self.ctx, [self.kind, self.other], self.job(**changes), NOW)

    def remove(self) -> list[str]:
        return remove(self.ctx, [self.kind, self.other], self.checkout)


def test_the_first_installation_says_when_the_first_run_is(tmp_path: Path) -> None:
    place = Place(tmp_path)
    done = place.install()
    assert (done.changed, done.difference, place.kind.did) == (True, (), ["put"])
    assert done.text().splitlines() == [
        "automaker-staging-capacity: installed, a systemd timer",
        "daily at 03:30 CET (time zone of this host), next 2026-11-25 03:30 CET",
    ]
    assert place.states.read().since == "2026-11-24T12:00:00+01:00"
    assert done.data()["command"][0] == f"{tmp_path}/.venv/bin/invoke"


def test_a_second_one_changes_nothing_and_says_so(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.install()
    done = place.install()
    assert (done.changed, place.kind.did) == (False, ["put"])
    assert "installed already, nothing to change" in done.text()


def test_another_time_is_installed_in_its_place_and_the_difference_is_shown(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.install()
    done = place.install(daily="05:00")
    assert done.changed
    lines = done.text().splitlines()
    assert any(one.startswith("-03:30 ") for one in lines)
    assert any(one.startswith("+05:00 ") for one in lines)
    assert "next 2026-11-25 05:00 CET" in done.text()


def test_a_timer_that_was_stopped_is_started_again(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.install()
    place.kind.broken = ["a.timer is not active: invoke schedule.install"]
    assert place.install().changed
    assert place.kind.did == ["put", "put"]


def test_the_other_kind_is_given_up(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.other.put(place.job())
    place.install()
    assert (place.other.files, bool(place.kind.files)) == ({}, True)


def test_what_somebody_else_wrote_stays(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.kind.files = {"/etc/cron.d/a": "5 4 * * * root true\n"}
    for act in (place.install, place.remove):
        with pytest.raises(ComposeError, match="not made by") as caught:
            act()
        assert caught.value.exit_code == 2
    assert place.kind.did == []


def test_without_cron_nothing_is_written(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.kind.problem = NO_CRON
    with pytest.raises(ComposeError, match="cron is not installed"):
        place.install()
    assert (place.kind.did, place.states.read()) == ([], State())


def test_a_dry_run_shows_what_would_be_written_and_then_what_is_missing(tmp_path: Path) -> None:
    place = Place(tmp_path, dry=True)
    place.kind.problem = NO_CRON
    with pytest.raises(ComposeError, match="cron is not installed"):
        place.install()
    assert place.kind.did == ["put"], "which only shows, on a host that is dry"
    assert place.states.read() == State()


def test_a_checkout_without_its_environment_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / ".venv" / "bin" / "invoke").unlink()
    with pytest.raises(ComposeError, match="missing") as caught:
        place.install()
    assert caught.value.__notes__ == ["./bootstrap"]


def test_removing_takes_all_of_it_and_a_second_time_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.install()
    assert place.remove() == ["/etc/systemd timer"]
    assert place.states.read().since == ""
    assert place.remove() == []
    assert place.kind.did == ["put", "take"]


def test_a_run_under_way_is_left_to_end_and_named(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.install()
    last = under_way()
    place.states.write(State(last=last))
    place.remove()
    assert f"left to end: pid {last.process()}" in "".join(place.said)
    assert place.states.read().last == last


def test_the_schedule_of_another_checkout_is_not_removed_from_here(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.kind.put(a_job(checkout="/srv/other"))
    with pytest.raises(ComposeError, match="another checkout, /srv/other") as caught:
        place.remove()
    assert caught.value.__notes__ == ["invoke -r /srv/other schedule.remove"]
