"""Is it healthy: a line for each container and for each address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.checks import Check
from compose.operate.health import check_health
from tests.compose.deploy.automaker import Automaker
from tests.compose.deploy.fakes import (
    Engine,
    Web,
    closed_port,
    context,
    inspected,
    model,
    record,
    release,
    serving,
)

SERVER, UI, DOCS = "automaker-server-staging", "automaker-ui-staging", "automaker-docs"
LOG = [{"End": "2026-03-14T09:15:00Z", "ExitCode": 22, "Output": "503"}]


@pytest.fixture
def automaker() -> Automaker:
    return Automaker()


@pytest.fixture
def web(automaker: Automaker) -> Iterator[tuple[Web, Web]]:
    with serving(automaker.server) as server, serving(automaker.ui) as ui:
        yield server, ui


def health(home: Path, ports: dict[str, int], **containers: str) -> dict[str, Check]:
    names = {"server": SERVER, "ui": UI, "docs": DOCS}
    usual = {"server": inspected(SERVER, Health={"Status": "healthy"}), "ui": inspected(UI)}
    there = {names[one]: text for one, text in (usual | containers).items() if text}
    ctx = context(home, Engine({}, there, model(**ports)))
    record(ctx, release(), live=True)
    return {one.name: one for one in check_health(ctx)}


def ports(web: tuple[Web, Web]) -> dict[str, int]:
    return {"server": web[0].port, "ui": web[1].port}


def test_where_all_is_well_every_line_passes(tmp_path: Path, web: tuple[Web, Web]) -> None:
    found = health(tmp_path, ports(web))
    assert {name: one.level for name, one in found.items()} == {
        SERVER: "pass",
        UI: "pass",
        "ready": "pass",
        "ui": "pass",
    }
    assert (found[SERVER].found, found[UI].found) == ("healthy", "no healthcheck")


@pytest.mark.parametrize(
    ("server", "level", "says", "fix"),
    [
        ("", "fail", "absent", "invoke start"),
        (inspected(SERVER, Status="exited", ExitCode=137, OOMKilled=True), "fail",
         "exited with 137 (out of memory)", "invoke logs; then invoke start, or rollback"),
        (inspected(SERVER, Health={"Status": "unhealthy", "Log": LOG}), "fail",
         "unhealthy: 2026-03-14T09:15:00 exit 22: 503", "invoke logs; invoke restart"),
        (inspected(SERVER, Health={"Status": "unhealthy"}), "fail", "unhealthy: no log",
         "invoke logs; invoke restart"),
        (inspected(SERVER, Health={"Status": "healthy"}, restarts=2), "warn",
         "healthy, restarted 2 times", "invoke logs"),
        (inspected(SERVER, Health={"Status": "starting"}), "pass", "starting", ""),
    ],
)  # fmt: skip
def test_a_container_that_is_not_well_says_what_to_do(
    tmp_path: Path, web: tuple[Web, Web], server: str, level: str, says: str, fix: str
) -> None:
    line = health(tmp_path, ports(web), server=server)[SERVER]
    assert (line.level, line.found, line.fix) == (level, says, fix)


def test_addresses_that_do_not_answer_fail(tmp_path: Path) -> None:
    port = closed_port()
    found = health(tmp_path, {"server": port, "ui": port})
    assert found["ready"].level == "fail"
    assert found["ready"].found == f"http://127.0.0.1:{port}/api/health/ready does not answer"
    assert found["ui"].level == "fail"


def test_a_server_that_is_not_ready_and_a_page_that_is_not_the_ui_fail(
    tmp_path: Path, automaker: Automaker, web: tuple[Web, Web]
) -> None:
    automaker.ready, automaker.page = False, "<h1>Welcome to nginx!</h1>"
    found = health(tmp_path, ports(web))
    assert "503 not_ready" in found["ready"].found
    assert found["ui"].level == "fail"
