"""A job: its command, its times by the host's clock, and how it is known again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from compose.errors import ComposeError
from compose.schedule.job import Job, host_zone, parse_job, shown
from tests.compose.schedule.examples import BERLIN, NOW, a_job


def test_the_command_has_absolute_paths_and_only_what_was_asked_for() -> None:
    assert " ".join(a_job().argv) == (
        "/srv/a/.venv/bin/invoke -r /srv/a schedule.run --plan regression"
    )
    more = a_job(prometheus="/var/lib/x.prom", env_file="/etc/b.env").argv
    assert more[-4:] == ("--prometheus", "/var/lib/x.prom", "--path", "/etc/b.env")


def test_an_engine_that_was_chosen_by_a_variable_is_kept() -> None:
    assert "DOCKER_HOST" not in a_job().environment
    assert a_job(engine="unix:///run/user/1/docker.sock").environment["DOCKER_HOST"]


@pytest.mark.parametrize(
    "job", [a_job(), a_job(checkout="/srv/ä 'quoted' 100%", env_file="/etc/b", engine="tcp://a:1")]
)
def test_what_was_written_says_what_it_was_made_from(job: Job) -> None:
    assert parse_job(f"# a file\n{job.note}\n30 3 * * *\n") == job


@pytest.mark.parametrize(
    "text", ["", "30 3 * * * root true", "# job: {", "# job: {}", '# job: {"wings": 2}']
)
def test_what_was_not_made_here_is_no_job(text: str) -> None:
    assert parse_job(text) is None


@pytest.mark.parametrize("daily", ["00:00", "03:30", "23:59"])
def test_a_time_of_day_is_taken(daily: str) -> None:
    a_job(daily=daily).check()


@pytest.mark.parametrize(
    "daily", ["", "3:30", "24:00", "12:60", "03:30:00", " 03:30", "noon", "٠٣:٣٠"]
)
def test_anything_else_is_refused_and_says_how(daily: str) -> None:
    with pytest.raises(ComposeError, match="not a time of day") as caught:
        a_job(daily=daily).check()
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("path", ["/srv/a\nb", "/srv/a\\b", "/srv/\udcff", "/srv/a\tb"])
def test_a_path_that_cron_could_not_hold_is_refused(path: str) -> None:
    with pytest.raises(ComposeError, match="cannot be printed"):
        a_job(checkout=path).check()


@pytest.mark.parametrize(
    ("now", "last", "following"),
    [
        (NOW, "2026-11-24T03:30:00+01:00", "2026-11-25T03:30:00+01:00"),
        (NOW.replace(hour=3, minute=30), "2026-11-24T03:30:00+01:00", "2026-11-25T03:30:00+01:00"),
        (NOW.replace(hour=3, minute=29), "2026-11-23T03:30:00+01:00", "2026-11-24T03:30:00+01:00"),
        (datetime(2026, 3, 29, 12, tzinfo=BERLIN), "2026-03-29T03:30:00+02:00",
         "2026-03-30T03:30:00+02:00"),
        (datetime(2026, 10, 25, 12, tzinfo=BERLIN), "2026-10-25T03:30:00+01:00",
         "2026-10-26T03:30:00+01:00"),
    ],
    ids=["noon", "that very minute", "a minute before", "summer time", "winter time"],
)  # fmt: skip
def test_planned_times_go_by_the_clock_of_the_host(
    now: datetime, last: str, following: str
) -> None:
    job = a_job()
    assert (job.last(now).isoformat(), job.next(now).isoformat()) == (last, following)


def test_without_a_readable_zone_the_host_is_in_utc(tmp_path: Path) -> None:
    assert host_zone(tmp_path / "none") is UTC
    (tmp_path / "odd").write_text("no zone", encoding="utf-8")
    assert host_zone(tmp_path / "odd") is UTC


def test_the_zone_of_the_host_is_read_from_its_file() -> None:
    zone = host_zone(Path("/usr/share/zoneinfo/Europe/Berlin"))
    assert shown(NOW.astimezone(zone)) == "2026-11-24 12:00 CET"
