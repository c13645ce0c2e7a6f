"""Running commands of the host."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from compose import run as module
from compose.errors import ComposeError
from compose.run import run, stream


def test_output_and_status_come_back() -> None:
    done = run(["sh", "-c", "echo out; echo err >&2; exit 3"], check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 3)


def test_variables_are_added_to_those_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "1")
    done = run(["sh", "-c", 'echo "$KEPT $ADDED"'], env={"ADDED": "2"})
    assert done.stdout == "1 2\n"


def test_system_directories_are_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    done = run(["sh", "-c", 'echo "$PATH"'])
    assert done.stdout == "/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin\n"


def test_text_goes_to_standard_input() -> None:
    assert run(["cat"], stdin="text\n").stdout == "text\n"


def test_no_standard_input_means_an_empty_one() -> None:
    assert run(["cat"], timeout_s=10).stdout == ""


def test_a_failure_tells_the_command_and_its_last_ten_lines() -> None:
    with pytest.raises(ComposeError) as caught:
        run(["sh", "-c", "seq 20; echo why >&2; exit 4"])
    first, *shown = str(caught.value).splitlines()
    assert first == "exit status 4: sh -c 'seq 20; echo why >&2; exit 4'"
    assert [line.strip() for line in shown] == [*map(str, range(12, 21)), "why"]


def test_a_missing_program_is_named() -> None:
    with pytest.raises(ComposeError, match="no-such-program: no such program on this host"):
        run(["no-such-program"])


def test_a_command_that_hangs_is_ended() -> None:
    with pytest.raises(ComposeError, match=r"no end after 0.2 s: sleep 60"):
        run(["sleep", "60"], timeout_s=0.2)


def test_a_file_that_is_no_program_is_named() -> None:
    with pytest.raises(ComposeError, match="/etc/passwd: may not be executed"):
        run(["/etc/passwd"])


def test_lines_are_handed_over_as_they_come_and_the_status_comes_back() -> None:
    lines: list[str] = []
    assert stream(["sh", "-c", "echo one; echo two >&2; exit 3"], lines.append, timeout_s=60) == 3
    assert sorted(lines) == ["one", "two"]


def test_a_command_that_says_nothing_any_more_is_ended() -> None:
    lines: list[str] = []
    began = time.monotonic()
    with pytest.raises(ComposeError, match=r"no end after 0.3 s: sh -c 'echo one; exec sleep 60'"):
        stream(["sh", "-c", "echo one; exec sleep 60"], lines.append, timeout_s=0.3)
    assert lines == ["one"]
    assert time.monotonic() - began < 30


def test_a_long_command_without_a_program_is_named() -> None:
    with pytest.raises(ComposeError, match="no-such-program: No such file"):
        stream(["no-such-program"], print, timeout_s=60)


def test_a_command_that_ends_in_time_leaves_nobody_waiting() -> None:
    before = threading.active_count()
    stream(["true"], print, timeout_s=3600)
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


GENTLE = "trap 'echo gently >\"$0\"; exit' INT; echo ready; while :; do sleep 0.05; done"
DEAF = "trap '' INT; echo ready; while :; do sleep 0.05; done"


def test_a_command_that_takes_too_long_may_tidy_up(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match="no end"):
        run(["sh", "-c", GENTLE, str(tmp_path / "said")], timeout_s=0.5)
    assert (tmp_path / "said").read_text(encoding="utf-8") == "gently\n"


def test_a_command_that_will_not_hear_is_killed_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.2)
    lines: list[str] = []
    with pytest.raises(ComposeError, match="no end"):
        stream(["sh", "-c", f"echo $$; {DEAF}"], lines.append, timeout_s=0.5)
    assert lines[1] == "ready"
    assert not psutil.pid_exists(int(lines[0]))


def test_whoever_is_interrupted_ends_its_command() -> None:
    def interrupted(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    pids: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        stream(["sh", "-c", "echo $$; exec sleep 60"], interrupted, timeout_s=60)
    assert not psutil.pid_exists(pids[0])


def test_a_command_that_may_not_be_signalled_gets_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def denied(_group: int, number: int) -> None:
        tried.append(number)
        raise PermissionError

    tried: list[int] = []
    monkeypatch.setattr(os, "killpg", denied)
    with pytest.raises(ComposeError, match="no end"):
        run(["sleep", "1"], timeout_s=0.1)
    assert tried == [signal.SIGINT, signal.SIGKILL], "both are tried, and neither is an error"


def test_what_a_command_left_in_the_background_ends_with_it() -> None:
    """A shell that is not interactive has its background ignore SIGINT."""
    seen: list[str] = []
    with pytest.raises(ComposeError, match="no end"):
        stream(["sh", "-c", "echo $$; sleep 30 & echo $!; wait"], seen.append, timeout_s=0.5)
    deadline = time.monotonic() + 10  # until whoever inherits it has taken note
    while any(Path(f"/proc/{pid}").exists() for pid in seen):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="sessions are told by Linux")
def test_a_command_has_a_group_of_its_own_in_the_session_of_the_terminal() -> None:
    code = "import os; print(os.getpgrp() == os.getpid(), os.getsid(0))"
    own, session = run([sys.executable, "-c", code]).stdout.split()
    assert own == "True", "a Ctrl-C in the terminal is for the verb"
    assert int(session) == os.getsid(0), "a password that sudo remembers is the terminal's"
