"""The verbs of the schedule as they are typed, in a copy of this project whose nox is quick."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compose.deploy.lock import holding
from compose.schedule.state import State, States
from loadtest.lock import only_campaign
from tests.compose.deploy.fakes import Asked, Reply, serving
from tests.compose.schedule.examples import a_record, copy_of_project, under_way

STACK = "schedule-test"
KEY = "pa$1wor$D-of-the-test"
ENDS = """#!/bin/sh
echo "regressed  boundary:medium  12 -> 11 agents"
echo "nox > Command python -m loadtest --plan regression failed with exit code $(cat code)"
exit 1
"""
SLOW = """#!/usr/bin/env python3
import sys, time
print("began", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("cleaned up", flush=True)
    sys.exit(130)
"""
OPTIONS = {
    "install": ("--daily", "--plan", "--prometheus", "--dry-run", "--json", "--path"),
    "status": ("--json", "--path"),
    "remove": ("--dry-run", "--json", "--path"),
    "run": ("--plan", "--[no-]wait", "--prometheus", "--path"),
}


class Copy:
    """A checkout of its own."""

    def __init__(self, folder: Path, nox: str = "#!/bin/sh\n") -> None:
        self.top = copy_of_project(folder / "copy", nox, STACK)
        self.states = States(self.top)

    def argv(self, *words: str) -> list[str]:
        return [f"{self.top}/.venv/bin/invoke", "-r", str(self.top), *words]

    def invoke(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Type a verb, far from every engine and from this machine's own load tests."""
        return subprocess.run(
            self.argv(*words),
            env=environment(self.top) | variables,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )

    def last(self) -> Any:
        return self.states.read().last


def environment(top: Path) -> dict[str, str]:
    own = {"HOME": "/nowhere", "TMPDIR": str(top)}
    return {"PATH": "/usr/bin:/bin", "DOCKER_HOST": "tcp://127.0.0.1:1", **own}


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def whole(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_verb_is_listed_and_explains_its_options(copy: Copy) -> None:
    listed = copy.invoke("--list").stdout
    for verb, options in OPTIONS.items():
        assert f"\n  schedule.{verb} " in listed
        text = copy.invoke("--help", f"schedule.{verb}").stdout.replace("=", " ")
        for option in options:
            assert f"{option} " in text, (verb, option)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--daily", "25:00"), "'25:00': not a time of day from 00:00 to 23:59"),
        (("--daily", "noon"), "in the time zone of this host"),
        (("--plan", "wings"), "'wings': no such plan"),
        (("--plan", "wings"), "one of quick, release"),
    ],
)
def test_a_mistake_ends_with_2_and_a_line(copy: Copy, words: tuple[str, ...], says: str) -> None:
    done = copy.invoke("schedule.install", *words)
    assert done.returncode == 2
    assert says in whole(done)
    assert copy.states.read() == State()


def test_a_dry_run_prints_the_exact_command_and_writes_nothing(copy: Copy, tmp_path: Path) -> None:
    env = tmp_path / "other env"
    env.write_text(f"STACK_NAME={STACK}\n", encoding="utf-8")
    done = copy.invoke("schedule.install", "--daily=04:05", f"--path={env}", "--dry-run")
    text = whole(done)
    # Where cron has first to be installed or started, that is said after the files.
    assert done.returncode in (0, 2)
    assert f"{STACK}-staging-capacity" in text
    assert "OnCalendar=*-*-* 04:05:00" in text or "\n        5 4 * * * " in text
    assert f"{copy.top}/.venv/bin/invoke -r {copy.top} schedule.run --plan regression" in text
    assert "other env" in text
    assert copy.states.read() == State()
    assert copy.invoke("schedule.status").returncode == 1


def test_the_status_where_nothing_is_scheduled_ends_with_1(copy: Copy) -> None:
    done = copy.invoke("schedule.status")
    assert done.returncode == 1
    assert f"{STACK}-staging-capacity: not installed" in whole(done)
    found = json.loads(copy.invoke("schedule.status", "--json").stdout)
    assert (found["kind"], found["last"], found["missed"]) == ("", None, False)


def test_removing_where_nothing_is_does_nothing(copy: Copy) -> None:
    done = copy.invoke("schedule.remove")
    assert (done.returncode, whole(done)) == (0, "nothing to remove: no run is scheduled\n")
    assert json.loads(copy.invoke("schedule.remove", "--json").stdout)["removed"] == []


def test_a_run_is_noted_and_its_end_is_that_of_the_load_test(copy: Copy) -> None:
    done = copy.invoke("schedule.run")
    assert done.returncode == 0, whole(done)
    assert "confirmed, exit code 0" in done.stdout
    assert copy.last().code == 0
    assert "confirmed, exit code 0" in copy.invoke("schedule.status").stdout


@pytest.mark.parametrize("code", [1, 2, 3])
def test_the_exit_code_is_that_of_the_load_test_and_not_of_nox(tmp_path: Path, code: int) -> None:
    copy = Copy(tmp_path, ENDS)
    (copy.top / "code").write_text(str(code), encoding="utf-8")
    assert copy.invoke("schedule.run").returncode == code
    assert copy.last().code == code


def test_a_run_beside_a_deploy_is_postponed_with_75(copy: Copy) -> None:
    home = copy.top.parent / "deploys"
    home.mkdir()
    with holding(home, "deploy", "hotfix", wait_s=0, note=lambda _text: None):
        done = copy.invoke("schedule.run", "--no-wait")
    assert done.returncode == 75
    assert "postponed: at work on the stack: deploy (hotfix) of " in whole(done)
    assert copy.last().started == ""


def test_a_run_beside_another_load_test_is_postponed(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    # The lock is the machine's own, for whoever keeps temporary files in one place.
    with only_campaign(tmp_path / "automaker-staging"):
        done = copy.invoke("schedule.run", "--no-wait", TMPDIR=str(tmp_path))
    assert done.returncode == 75
    assert f"another load test is running (process {os.getpid()})" in whole(done)


def test_a_second_run_ends_with_2_and_names_the_first(copy: Copy) -> None:
    with copy.states.only_run():
        last = under_way()
        copy.states.write(State(last=last))
        done = copy.invoke("schedule.run")
    assert done.returncode == 2
    assert f"under way: pid {last.process()}" in whole(done)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("settings/loadtest.toml", "wings = 2\n"),
        (".env.staging", "STACK_NAME=No Name\n"),
    ],
)
def test_no_mistake_of_settings_ends_with_1_which_means_refuted(
    copy: Copy, file: str, text: str
) -> None:
    (copy.top / file).write_text(text, encoding="utf-8")
    done = copy.invoke("schedule.run")
    assert done.returncode == 2
    assert whole(done)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[Copy, subprocess.Popen[str]]]:
    """A run whose load test is at work."""
    copy = Copy(tmp_path, SLOW)
    argv = copy.argv("schedule.run")
    with subprocess.Popen(
        argv, env=environment(copy.top), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            deadline = time.monotonic() + 30
            while not any("began" in one for one in logs(copy)):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield copy, process
        finally:
            if process.poll() is None:
                process.kill()


def logs(copy: Copy) -> list[str]:
    return [one.read_text(encoding="utf-8") for one in copy.states.folder.glob("*.log")]


def test_a_run_under_way_is_in_the_status_and_a_signal_ends_it_kindly(
    slow: tuple[Copy, subprocess.Popen[str]],
) -> None:
    copy, process = slow
    found = json.loads(copy.invoke("schedule.status", "--json").stdout)
    assert (found["running"], found["waiting"]) == (process.pid, False)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert "cleaned up" in logs(copy)[0]
    assert copy.last().words == "interrupted"


def test_a_lost_terminal_does_not_end_a_run(slow: tuple[Copy, subprocess.Popen[str]]) -> None:
    copy, process = slow
    os.kill(process.pid, signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert copy.last().code == 130


def test_a_webhook_is_told_what_regressed_and_nobody_is_shown_a_secret(tmp_path: Path) -> None:
    copy = Copy(tmp_path, ENDS)
    (copy.top / "code").write_text("1", encoding="utf-8")
    texts: list[str] = []

    def answer(asked: Asked) -> Reply:
        texts.append(asked.data["content"])
        return Reply(204)

    with serving(answer) as chat:
        hook = f"{chat.base}/api/webhooks/1/hook-of-the-test"
        with (copy.top / ".env.staging").open("a", encoding="utf-8") as file:
            file.write(f"AUTOMAKER_API_KEY='{KEY}'\nDISCORD_ALERTS_WEBHOOK='{hook}'\n")
        done = copy.invoke("schedule.run")
    assert done.returncode == 1
    assert len(texts) == 1
    assert "capacity run regressed; regressed boundary:medium 12 -> 11 agents" in texts[0]
    for text in (*texts, whole(done), copy.states.path.read_text(encoding="utf-8")):
        assert KEY not in text
        assert "hook-of-the-test" not in text


def test_a_run_that_was_killed_is_no_run_under_way(copy: Copy) -> None:
    copy.states.write(State(last=a_record(ended="", code=None)))
    assert "cut short, its process is gone" in copy.invoke("schedule.status").stdout
