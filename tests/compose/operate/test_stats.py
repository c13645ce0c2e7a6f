"""How much is used: a line a container, signs of pressure below."""

from __future__ import annotations

import json
from pathlib import Path

from compose.operate.memory import Memory
from compose.operate.stats import Usage, show_usage, usage
from tests.compose.deploy.fakes import Engine, context, inspected, record, refusal, release

GIB = 2**30
SERVER, UI, DOCS = "automaker-server-staging", "automaker-ui-staging", "automaker-docs"
MEMORY = f"{GIB}\nanon {GIB}\noom_kill 0\n"


def stats(*rows: tuple[str, str, str]) -> str:
    names = ("Name", "CPUPerc", "PIDs")
    return "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)


def used(home: Path, engine: Engine) -> list[Usage]:
    ctx = context(home, engine)
    record(ctx, release(), live=True)
    return usage(ctx)


def test_every_container_that_runs_is_asked_about_at_once(tmp_path: Path) -> None:
    containers = {SERVER: inspected(SERVER), UI: inspected(UI, Status="exited")}
    containers[DOCS] = inspected(DOCS)
    said = stats((SERVER, "12.5%", "40"), (DOCS, "0.1%", "3"))
    engine = Engine({"docker stats": said, "docker exec": MEMORY}, containers)
    found = used(tmp_path, engine)
    memory = Memory(GIB, GIB, 4 * GIB, 0)
    assert found == [Usage("server", memory, "12.5%", "40"), Usage("docs", memory, "0.1%", "3")]
    (argv,) = [argv for argv in engine.argvs if argv[1] == "stats"]
    assert argv[-2:] == [SERVER, DOCS]


def test_what_is_not_told_is_not_known(tmp_path: Path) -> None:
    engine = Engine({"docker stats": ""}, {SERVER: inspected(SERVER)})
    found = used(tmp_path, engine)
    assert found == [Usage("server", None, "-", "-")]
    assert "not known" in show_usage(found)


def test_where_nothing_runs_nothing_is_used(tmp_path: Path) -> None:
    assert used(tmp_path, Engine({"docker stats": refusal("no")})) == []
    assert show_usage([]) == "nothing runs: invoke start"


def test_signs_of_pressure_stand_below_the_table() -> None:
    rows = [
        Usage("server", Memory(2 * GIB, 2 * GIB, 2 * GIB, 1), "12.5%", "40"),
        Usage("ui", Memory(GIB, GIB, 2 * GIB, 0), "0.1%", "3"),
    ]
    lines = show_usage(rows).splitlines()
    assert lines[0].split() == ["Service", "Memory", "CPU", "Processes"]
    assert lines[1].split()[-2:] == ["12.5%", "40"]
    assert lines[3:] == [
        "! server: memory pressure: 100% of the limit is in use (above 80 %)",
        "! server: the kernel has killed 1 processes for memory",
    ]
    assert [len(one.data()["warnings"]) for one in rows] == [2, 0]
