"""Units: what they say, and that systemd takes them, odd paths included."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from compose.schedule.job import parse_job
from compose.schedule.units import quoted, service, timer
from tests.compose.schedule.examples import NAME, a_job


def test_the_service_runs_the_command_once_and_may_be_postponed() -> None:
    text = service(a_job(), user=False)
    assert parse_job(text) == a_job()
    lines = text.splitlines()
    command = "/srv/a/.venv/bin/invoke -r /srv/a schedule.run --plan regression"
    for line in ("Type=oneshot", "User=root", f"ExecStart=:{command}", "SuccessExitStatus=75"):
        assert line in lines


def test_the_service_of_a_user_names_none() -> None:
    assert "User=" not in service(a_job(), user=True)


def test_the_timer_makes_up_for_a_run_that_was_missed() -> None:
    lines = timer(a_job(daily="04:05")).splitlines()
    for line in ("OnCalendar=*-*-* 04:05:00", "Persistent=true", "WantedBy=timers.target"):
        assert line in lines
    assert any(line.startswith("RandomizedDelaySec=") for line in lines)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("/srv/a-b_c.d", "/srv/a-b_c.d"),
        ("/srv/a b", '"/srv/a b"'),
        ("/srv/100%h", '"/srv/100%%h"'),
        ('/srv/"a"', '"/srv/\\"a\\""'),
        ("/srv/it's $HOME; #", '"/srv/it\'s $HOME; #"'),
        ("", '""'),
    ],
)
def test_a_word_is_quoted_where_it_has_to_be(word: str, text: str) -> None:
    assert quoted(word) == text


def verify(folder: Path, checkout: Path) -> subprocess.CompletedProcess[str]:
    """Have systemd read both units of a checkout."""
    job = a_job(checkout=str(checkout), prometheus=str(checkout / "a.prom"))
    files = [folder / f"{NAME}.service", folder / f"{NAME}.timer"]
    files[0].write_text(service(job, user=False), encoding="utf-8")
    files[1].write_text(timer(job), encoding="utf-8")
    argv = ["systemd-analyze", "verify", *map(str, files)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
@pytest.mark.parametrize("name", ["plain", "a b", "100%h", "$HOME", "ä; # {x}"])
def test_systemd_finds_the_command_whatever_the_path(tmp_path: Path, name: str) -> None:
    checkout = tmp_path / name
    missing = verify(tmp_path, checkout)
    assert "is not executable" in missing.stderr, "systemd looks for the command"
    (checkout / ".venv" / "bin").mkdir(parents=True)
    invoke = checkout / ".venv" / "bin" / "invoke"
    invoke.write_text("#!/bin/sh\n", encoding="utf-8")
    invoke.chmod(0o755)
    done = verify(tmp_path, checkout)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
@pytest.mark.parametrize("name", ['a"b', "it's"])
def test_systemd_takes_a_path_with_a_quote_as_an_argument(tmp_path: Path, name: str) -> None:
    done = verify(tmp_path, tmp_path / name)
    assert (done.returncode, done.stderr) == (0, "")
    assert "ExecStart=:/usr/bin/env " in service(a_job(checkout=f"/srv/{name}"), user=False)
