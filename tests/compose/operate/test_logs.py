"""Logs without secrets, of services that there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from compose.deploy.context import Context
from compose.errors import ComposeError
from compose.operate import logs as module
from compose.operate.logs import logs_argv, show_logs
from tests.compose.deploy.fakes import KEY, Engine, context, record, release

USUAL = ["docker", "compose", "logs", "--no-color", "--timestamps", "--tail"]


@pytest.mark.parametrize(
    ("services", "since", "follow", "argv"),
    [
        ([], "", False, [*USUAL, "100"]),
        (["server"], "", False, [*USUAL, "100", "server"]),
        (["ui"], "10m", True, [*USUAL, "100", "--since", "10m", "--follow", "ui"]),
    ],
)
def test_the_command_word_by_word(
    services: list[str], since: str, follow: bool, argv: list[str]
) -> None:
    assert logs_argv(["docker", "compose"], services, "100", since, follow=follow) == argv


class Streamed:
    """In the place of `stream`: writes lines, and remembers what was run."""

    def __init__(self, *lines: str, status: int = 0) -> None:
        self.lines, self.status = lines, status
        self.argv: list[str] = []
        self.env: dict[str, str] = {}

    def __call__(self, argv: Sequence[str], on_line: Callable[[str], None], **options: Any) -> int:
        self.argv, self.env = list(argv), options["env"]
        for line in self.lines:
            on_line(line)
        return self.status


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    made = context(tmp_path, Engine())
    record(made, release(), live=True)
    return made


def show(ctx: Context, *services: str) -> list[str]:
    written: list[str] = []
    show_logs(ctx, services, written.append, tail="all", since="", follow=False)
    return written


def test_the_key_that_the_server_prints_at_its_start_is_masked(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    streamed = Streamed("server  | starting", f"server  | API key: {KEY}", "sk-ant-of-the-test")
    monkeypatch.setattr(module, "stream", streamed)
    assert show(ctx) == ["server  | starting", "server  | API key: **********", "**********"]
    assert streamed.argv[:2] == ["docker", "compose"]
    assert streamed.argv[-5:] == ["logs", "--no-color", "--timestamps", "--tail", "all"]
    assert KEY not in " ".join(streamed.argv)
    assert streamed.env["AUTOMAKER_API_KEY"] == KEY, "else Compose refuses its own file"


def test_a_service_that_there_is_not_is_answered_with_those_there_are(ctx: Context) -> None:
    with pytest.raises(ComposeError, match="no service 'serve'") as caught:
        show(ctx, "serve")
    assert caught.value.__notes__ == ["choose from server, ui"]


def test_logs_that_end_with_an_error_do_too(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "stream", Streamed("bad flag", status=16))
    with pytest.raises(ComposeError, match="ended with 16"):
        show(ctx, "server")


def test_without_a_live_release_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match="automaker-staging has no live release") as caught:
        show(context(tmp_path, Engine()))
    assert "invoke deploy" in caught.value.__notes__[0]
