"""The state of scheduled runs on disk, and the lock that dies with its holder."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from compose.errors import ComposeError
from compose.schedule.state import Postponed, State, States
from tests.compose.schedule.examples import a_record, under_way

TOP = Path(__file__).parent.parent.parent.parent
HOLD = """
import sys
from pathlib import Path
from compose.schedule.state import States
with States(Path(sys.argv[1])).only_run():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    states = States(tmp_path)
    last = a_record(postponed=(Postponed("2026-11-24T03:30:05+01:00", "3 agents run"),))
    written = State("2026-11-23T10:00:00+01:00", last, a_record(code=1, words="regressed"))
    states.write(written)
    assert states.read() == written
    assert states.path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in states.folder.iterdir()] == ["state.json"], "in one step"


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"last": {"wings": 2}}', '{"last": 3}'])
def test_what_cannot_be_read_is_no_run(tmp_path: Path, text: str) -> None:
    states = States(tmp_path)
    states.prepare()
    states.path.write_text(text, encoding="utf-8")
    assert states.read().last is None


def test_fields_of_a_later_version_do_no_harm(tmp_path: Path) -> None:
    states = States(tmp_path)
    states.write(State(last=a_record()))
    data = json.loads(states.path.read_bytes())
    data["last"]["wings"] = 2
    states.path.write_text(json.dumps(data), encoding="utf-8")
    assert states.read().last == a_record()


def test_a_run_is_under_way_as_long_as_its_process_lives() -> None:
    assert under_way().process() > 0
    assert a_record(ended="").process() == 0, "killed"
    assert under_way(ended="2026-11-24T03:34:16+01:00").process() == 0


def test_the_last_moment_of_a_run_is_the_latest_one_noted() -> None:
    given_way = (Postponed("2026-11-24T05:00:00+01:00", "busy"),)
    assert a_record().latest() == "2026-11-24T03:34:16+01:00"
    assert a_record(ended="").latest() == "2026-11-24T03:30:06+01:00"
    waiting = a_record(ended="", started="", postponed=given_way)
    assert waiting.latest() == "2026-11-24T05:00:00+01:00"
    assert a_record(ended="", started="").latest() == "2026-11-24T03:30:05+01:00"


def test_one_run_at_a_time_and_the_second_says_who_has_it(tmp_path: Path) -> None:
    states = States(tmp_path)
    with states.only_run():
        states.write(State(last=under_way()))
        with pytest.raises(ComposeError, match=r"under way: pid \d+") as caught, states.only_run():
            pass
        assert caught.value.exit_code == 2
    with states.only_run():
        pass


def test_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        argv, cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ComposeError), States(tmp_path).only_run():
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with States(tmp_path).only_run():
        pass
