"""What the engine says of a container, and how that is said to people."""

from __future__ import annotations

import json
from typing import Any

import pytest

from compose.deploy.containers import container, last_words, of_project, parse
from compose.run import Completed
from settings.redact import Redactor
from tests.compose.deploy.fakes import GIB, Engine, host, inspected

CHECKS = [
    {"End": "2026-03-14T09:15:00.123456789+01:00", "ExitCode": 0, "Output": "fine\n"},
    {"End": "2026-03-14T09:15:30.123456789+01:00", "ExitCode": 22, "Output": " 503 key=sk-ant-1 "},
]


def read(**changes: Any) -> Any:
    return parse(json.loads(inspected("a", **changes)))


def test_a_container_that_runs() -> None:
    found = read(image="sha256:new", Health={"Status": "healthy", "Log": CHECKS})
    assert (found.name, found.id, found.image) == ("a", "id-a", "sha256:new")
    assert found.running
    assert not found.exhausted
    assert (found.restart_limit, found.memory) == (5, 4 * GIB)
    assert found.health == "healthy"
    assert found.health_log == (
        "2026-03-14T09:15:00 exit 0: fine",
        "2026-03-14T09:15:30 exit 22: 503 key=sk-ant-1",
    )
    assert found.labels == {"com.docker.compose.project": "automaker-staging"}


def test_what_an_engine_leaves_out_is_empty() -> None:
    state = {"Status": "created", "ExitCode": 0}
    found = parse(["id", "/a", "sha256:x", state, 0, {"Name": "no"}, 0, None])
    assert (found.health, found.health_log, found.oom_killed) == ("", (), False)
    assert (found.restart_limit, found.memory, found.labels) == (0, 0, {})
    assert parse(["id", "/a", "x", state | {"Health": None}, 0, {}, 0, {}]).health == ""


@pytest.mark.parametrize(
    ("changes", "exhausted", "end", "why"),
    [
        ({"ExitCode": 0}, False, "exited with 0", "it was stopped"),
        ({"ExitCode": 1}, False, "exited with 1", "it crashed, and will be tried again"),
        ({"ExitCode": 137, "OOMKilled": True}, False, "exited with 137 (out of memory)",
         "the kernel ended it"),
        ({"ExitCode": 1, "restarts": 5}, True,
         "exited with 1; restarts exhausted: it crashed 6 times in a row", "the engine gave up"),
        ({"ExitCode": 137, "OOMKilled": True, "restarts": 5}, True,
         "exited with 137 (out of memory); restarts exhausted: it crashed 6 times in a row",
         "both"),
        ({"ExitCode": 0, "restarts": 5}, False, "exited with 0", "the last run ended well"),
        ({"ExitCode": 1, "restarts": 9, "limit": 0}, False, "exited with 1",
         "without a limit the engine never gives up"),
    ],
)  # fmt: skip
def test_how_a_container_ended(
    changes: dict[str, Any], exhausted: bool, end: str, why: str
) -> None:
    found = read(Status="exited", **changes)
    assert not found.running
    assert (found.exhausted, found.end()) == (exhausted, end), why


def test_a_container_between_two_tries_is_not_given_up() -> None:
    assert not read(Status="restarting", ExitCode=1, restarts=5).exhausted


def test_only_single_fields_are_asked_for_since_the_rest_holds_secrets() -> None:
    engine = Engine(containers={"a": inspected("a")})
    found = container(host(engine), "a")
    assert found is not None
    assert found.name == "a"
    (argv,) = engine.argvs
    assert "Env" not in " ".join(argv)
    assert container(host(engine), "b") is None


def test_last_words_are_health_log_and_both_streams_without_secrets() -> None:
    log = Completed("starting\nkey sk-ant-1 loaded\n", "it broke\n", 0)
    state = inspected("a", Status="exited", ExitCode=1, Health={"Status": "", "Log": CHECKS})
    engine = Engine({"docker logs --tail 50 a": log}, {"a": state})
    words = last_words(host(engine), "a", Redactor(["sk-ant-1"]))
    assert words.splitlines() == [
        "--- a: exited",
        "health: 2026-03-14T09:15:00 exit 0: fine",
        "health: 2026-03-14T09:15:30 exit 22: 503 key=**********",
        "--- last 50 log lines of a",
        "starting",
        "key ********** loaded",
        "it broke",
    ]


def test_last_words_of_one_that_talks_much_are_the_last_ones() -> None:
    log = Completed("".join(f"{number}\n" for number in range(60)), "the reason\n", 0)
    engine = Engine({"docker logs": log}, {"a": inspected("a")})
    words = last_words(host(engine), "a", Redactor()).splitlines()
    assert (len(words), words[-1]) == (2 + 50, "the reason")


def test_one_that_is_gone_has_no_words() -> None:
    assert last_words(host(Engine()), "a", Redactor()) == "--- a: absent"


def test_containers_of_a_project_also_those_that_are_stopped() -> None:
    engine = Engine({"docker ps": "id1\ta-server\tserver\nid2\t0123_a-ui\tui\nid3\todd\n"})
    assert of_project(host(engine), "automaker-staging") == [
        ("id1", "a-server", "server"),
        ("id2", "0123_a-ui", "ui"),
        ("id3", "odd", ""),
    ]
    assert "--all" in engine.argvs[0]
    assert "label=com.docker.compose.project=automaker-staging" in engine.argvs[0]
