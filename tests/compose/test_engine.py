"""Carrying a plan out: order, progress, and what is said when the engine stays silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from compose import engine
from compose.errors import ComposeError
from compose.provision_steps import AwaitReady, RunCommand, StartDaemon, Step, WriteFile
from compose.run import Completed


class Host:
    """A host that records commands; those whose first words are in `failing` fail."""

    def __init__(self, *failing: str, says: str = "") -> None:
        self.failing = failing
        self.says = says
        self.commands: list[str] = []
        self.inputs: list[str] = []

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
        stdin: str = "",
    ) -> Completed:
        command = " ".join(argv)
        self.commands.append(command)
        self.inputs.append(stdin)
        failed = command.startswith(self.failing) if self.failing else False
        if failed and check:
            raise ComposeError(f"exit status 1: {command}")
        return Completed(self.says, "", 1 if failed else 0)


DAEMON = StartDaemon("start", ("service", "docker", "start"))


def test_steps_run_in_order_with_a_line_each() -> None:
    host = Host()
    said: list[str] = []
    steps: list[Step] = [
        WriteFile("name it", "/etc/x", "text\n"),
        RunCommand("install it", ("apt", "install")),
    ]
    engine.execute(steps, host, said.append)
    assert host.commands == ["install -D -m 644 /dev/stdin /etc/x", "apt install"]
    assert host.inputs == ["text\n", ""]
    assert "".join(said).startswith("[1/2] name it ... done, 0.0 s\n[2/2] install it ... done")


def test_a_step_that_may_fail_is_passed_over_with_its_remark() -> None:
    host = Host("apt update")
    said: list[str] = []
    steps = [RunCommand("refresh", ("apt", "update"), "going on"), RunCommand("then", ("true",))]
    engine.execute(steps, host, said.append)
    assert "going on" in "".join(said)
    assert host.commands[-1] == "true"


def test_a_step_that_must_not_fail_ends_the_run() -> None:
    host = Host("apt install")
    said: list[str] = []
    steps = [RunCommand("install", ("apt", "install")), RunCommand("then", ("true",))]
    with pytest.raises(ComposeError, match="apt install") as caught:
        engine.execute(steps, host, said.append)
    assert "true" not in host.commands
    assert said[-1] == "failed\n"
    assert "run again" in caught.value.__notes__[0]


def test_the_init_script_is_enough_where_the_engine_then_answers() -> None:
    host = Host()
    engine.execute([DAEMON], host, lambda text: None)
    assert host.commands == ["service docker start", "docker version"]


def test_dockerd_is_started_directly_where_the_init_script_fails() -> None:
    host = Host("service")
    engine.execute([DAEMON], host, lambda text: None)
    assert host.commands[-1].startswith("setsid --fork sh -c exec dockerd")


def test_an_engine_that_stays_silent_is_reported_with_its_last_words() -> None:
    host = Host("docker version", says="level=fatal iptables: not found")
    wait = AwaitReady("wait", ("docker", "version"), ("tail", "log"), budget_s=0)
    with pytest.raises(ComposeError, match="0 s; its last words:\nlevel=fatal iptables"):
        engine.execute([wait], host, lambda text: None)
