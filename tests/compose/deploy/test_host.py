"""The door to a host: what is shown of it, what a dry run does not do, and no secret in either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from compose.deploy import host as module
from compose.deploy.host import Host, Progress
from compose.errors import ComposeError
from compose.run import Completed
from settings.owner import OWNER_VARIABLE, Owner
from settings.redact import Redactor
from tests.compose.deploy.fakes import Engine, host, refusal


def progress(total: int = 2) -> tuple[Progress, list[str]]:
    said: list[str] = []
    return Progress(said.append, total, Redactor(["s3cret"])), said


def test_a_step_is_one_line_with_its_time() -> None:
    shows, said = progress()
    with shows.step("build server"):
        assert "".join(said) == "[1/2] build server ... "
    assert "".join(said) == "[1/2] build server ... done, 0.0 s\n"


def test_what_happens_during_a_step_stands_below_it() -> None:
    shows, said = progress()
    with shows.step("build"):
        shows.note("one\ntwo")
    assert "".join(said) == "[1/2] build ... \n      one\n      two\n      done, 0.0 s\n"


def test_a_step_that_fails_says_so_and_the_next_ones_go_on_counting() -> None:
    shows, said = progress()
    with pytest.raises(ZeroDivisionError), shows.step("build"):
        raise ZeroDivisionError
    with shows.step("go back"), pytest.raises(KeyboardInterrupt):
        raise KeyboardInterrupt
    with shows.step("more than was thought"):
        pass
    lines = "".join(said).splitlines()
    assert lines[0] == "[1/2] build ... FAILED, 0.0 s"
    assert lines[2].startswith("[3/3] more")


def test_a_line_belongs_to_no_step() -> None:
    shows, said = progress()
    shows.line("going back")
    assert said == ["going back\n"]


def test_secrets_are_taken_out_of_everything_that_is_shown() -> None:
    shows, said = progress()
    shows.line("s3cret")
    with shows.step("s3cret"):
        shows.note("a s3cret b")
    assert "s3cret" not in "".join(said)


def test_a_look_may_fail_and_changes_nothing_so_that_a_dry_run_looks_too() -> None:
    engine = Engine({"docker ps": refusal("no")})
    for dry in (False, True):
        assert host(engine, dry=dry).look(["docker", "ps"]).returncode == 1
    assert len(engine.argvs) == 2


def test_a_change_may_not_fail_and_what_it_said_is_shown_without_secrets() -> None:
    engine = Engine({"docker rm": Completed("", "no such container s3cret", 1)})
    shows, _ = progress()
    with pytest.raises(ComposeError, match=r"exit status 1: docker rm x\n.*\*\*\*") as caught:
        Host(engine, shows).change(["docker", "rm", "x"])
    assert "s3cret" not in str(caught.value)


def test_a_change_gets_its_environment_and_its_input() -> None:
    engine = Engine({"docker": "out"})
    done = host(engine).change(["docker", "x"], env={"A": "1"}, stdin="text")
    assert done.stdout == "out"
    assert engine.environments[0]["A"] == "1"
    assert engine.inputs == ["text"]


def test_a_dry_run_shows_what_it_would_do_as_it_would_be_typed() -> None:
    engine, said = Engine(), list[str]()
    dry = host(engine, said, dry=True)
    dry.change(["docker", "rm", "a b"])
    dry.follow(["docker", "build"], print, timeout_s=9)
    dry.act("write x", lambda: pytest.fail("it acted"))
    assert "".join(said).split("\n") == [
        "      $ docker rm 'a b'",
        "      $ docker build",
        "      write x",
        "",
    ]
    assert engine.argvs == []


def test_an_act_is_done() -> None:
    done: list[int] = []
    host(Engine()).act("it", lambda: done.append(1))
    assert done == [1]


def printing(lines: Sequence[str], status: int) -> Callable[..., int]:
    def stream(_argv: Sequence[str], on_line: Callable[[str], None], **_options: Any) -> int:
        for line in lines:
            on_line(line)
        return status

    return stream


def test_a_long_command_is_followed_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "stream", printing(["one", "", "two"], 0))
    seen: list[str] = []
    host(Engine()).follow(["docker", "build"], seen.append, timeout_s=9)
    assert seen == ["one", "", "two"]


def test_of_a_long_command_that_fails_the_last_lines_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [f"line {number}" for number in range(300)] + ["password s3cret", "", " "]
    monkeypatch.setattr(module, "stream", printing(lines, 17))
    shows, _ = progress()
    with pytest.raises(ComposeError) as caught:
        Host(Engine(), shows).follow(["docker", "build"], lambda _line: None, timeout_s=9)
    told = str(caught.value).splitlines()
    assert told[0] == "exit status 17: docker build"
    assert [one.strip() for one in told[-2:]] == ["line 299", "password **********"]
    assert len(told) == 11


def test_a_long_command_gets_its_time_and_is_marked_as_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, Any] = {}

    def stream(_argv: Sequence[str], _on_line: Callable[[str], None], **options: Any) -> int:
        given.update(options)
        return 0

    monkeypatch.setattr(module, "stream", stream)
    host(Engine()).follow(["docker", "build"], print, timeout_s=7)
    assert given == {"env": {OWNER_VARIABLE: str(Owner.this_process())}, "timeout_s": 7}
