"""Running commands of the host."""

from __future__ import annotations

import pytest

from compose.errors import ComposeError
from compose.run import run


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
