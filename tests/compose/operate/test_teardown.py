"""Taking a stack down: what is listed is removed, in an order that loses nothing, and no more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compose.deploy.audit import entries
from compose.deploy.context import Context
from compose.errors import ComposeError
from compose.operate.teardown import Doomed, doomed, teardown
from compose.run import Completed
from tests.compose.deploy.fakes import GIB, Engine, context, inspected, record, refusal, release

PROJECT = "docker ps --all --filter label=com.docker.compose.project="
NETWORK = "docker network ls --filter label=com.docker.compose.project="
SERVER, UI, DOCS = "automaker-server-staging", "automaker-ui-staging", "automaker-docs"
WHAT = Doomed(
    (SERVER, UI, DOCS),
    ("automaker-staging_default", "automaker-docs_default"),
    ("automaker-server:abc", "automaker-docs:abc"),
    ("automaker-data", "automaker-cache"),
    (release().id,),
)


def an_engine(**prints: str | Completed) -> Engine:
    usual: dict[str, str | Completed] = {
        "docker info": json.dumps({"MemTotal": 48 * GIB, "NCPU": 8}),
        f"{PROJECT}automaker-staging ": f"1\t{SERVER}\tserver\n2\t{UI}\tui\n",
        f"{PROJECT}automaker-docs ": f"3\t{DOCS}\tdocs\n",
        f"{NETWORK}automaker-staging ": "automaker-staging_default\n",
        f"{NETWORK}automaker-docs ": "automaker-docs_default\n",
        "docker image ls": "x automaker-server abc\ny automaker-docs abc\ny mine latest\n",
        "docker volume ls": "automaker-data\nautomaker-cache\n",
        **dict.fromkeys(("docker stop", "docker rm", "docker network rm"), ""),
        **dict.fromkeys(("docker volume rm", "docker image rm"), ""),
    }
    containers = {one: inspected(one) for one in (SERVER, DOCS)}
    containers[UI] = inspected(UI, Status="exited")
    return Engine(usual | prints, containers)


def stack(home: Path, engine: Engine, *, dry: bool = False) -> Context:
    ctx = context(home, engine, verb="teardown")
    record(ctx, release(), live=True)
    return context(home, engine, dry=True) if dry else ctx


def test_all_that_is_this_stacks_is_listed_and_nothing_else(tmp_path: Path) -> None:
    engine = an_engine()
    assert doomed(stack(tmp_path, engine), keep_data=False) == WHAT
    filters = [one for argv in engine.argvs for one in argv if one.startswith("label=")]
    assert filters.count("label=automaker-staging.stack=automaker") == 2, "images and volumes"
    assert len(filters) == 6, "nothing is asked for without a label"


def test_data_that_is_kept_is_not_even_looked_for(tmp_path: Path) -> None:
    engine = an_engine(**{"docker volume ls": refusal("no")})
    assert doomed(stack(tmp_path, engine), keep_data=True).volumes == ()


@pytest.mark.parametrize(
    "silent", ["docker info", "docker image ls", "docker volume ls", f"{PROJECT}automaker-docs "]
)
def test_what_the_engine_does_not_tell_is_not_taken_for_gone(tmp_path: Path, silent: str) -> None:
    engine = an_engine(**{silent: refusal("Cannot connect to the Docker daemon")})
    with pytest.raises(ComposeError):
        doomed(stack(tmp_path, engine), keep_data=False)


def test_it_is_listed_line_by_line_with_a_word_about_data() -> None:
    lines = WHAT.lines()
    assert len(lines) == 10
    assert lines[0] == f"container: {SERVER}"
    assert "volume, with all that is in it: automaker-data" in lines
    assert Doomed((), (), (), (), ()).lines() == []


def test_it_goes_in_an_order_that_lets_agents_end(tmp_path: Path) -> None:
    engine = an_engine()
    ctx = stack(tmp_path, engine)
    teardown(ctx, WHAT)
    changes = [argv for argv in engine.argvs if argv[1] in ("stop", "rm") or argv[2:3] == ["rm"]]
    assert changes == [
        ["docker", "stop", "--time", "45", SERVER, DOCS],
        ["docker", "rm", "--force", SERVER, UI, DOCS],
        ["docker", "network", "rm", "automaker-staging_default", "automaker-docs_default"],
        ["docker", "volume", "rm", "automaker-data", "automaker-cache"],
        ["docker", "image", "rm", "automaker-server:abc"],
        ["docker", "image", "rm", "automaker-docs:abc"],
    ]
    assert (ctx.store.releases(), ctx.store.live_id()) == ([], None)
    (entry,) = entries(tmp_path)
    assert (entry["what"], entry["result"]) == ("teardown", "ok")
    assert f"container: {SERVER}" in entry["detail"]


def test_afterwards_no_secret_is_left_on_disk(tmp_path: Path) -> None:
    ctx = stack(tmp_path, an_engine())
    half = ctx.store.folder("20260316-091500-half")
    half.mkdir()
    (half / ".env").write_text("AUTOMAKER_API_KEY=secret\n", encoding="utf-8")
    teardown(ctx, WHAT)
    left = {one.name for one in tmp_path.rglob("*") if one.is_file()}
    assert left <= {"audit.jsonl", "deploy.lock", "id"}


def test_containers_that_will_not_go_keep_their_data_and_their_releases(tmp_path: Path) -> None:
    engine = an_engine(**{"docker rm": refusal("device or resource busy")})
    ctx = stack(tmp_path, engine)
    with pytest.raises(ComposeError, match="device or resource busy"):
        teardown(ctx, WHAT)
    assert not any(argv[1:3] == ["volume", "rm"] for argv in engine.argvs)
    assert ctx.store.live_id() == release().id
    (entry,) = entries(tmp_path)
    assert (entry["what"], entry["result"]) == ("teardown", "failed")


def test_images_that_something_else_uses_stay_and_are_named(tmp_path: Path) -> None:
    busy = refusal("conflict: unable to remove repository reference (must force)")
    engine = an_engine(**{"docker image rm automaker-server:abc": busy})
    said: list[str] = []
    stack(tmp_path, engine)
    teardown(context(tmp_path, engine, said, verb="teardown"), WHAT)
    assert "images that something else still uses: automaker-server:abc\n" in "".join(said)
    assert engine.commands[-1] == "docker image rm automaker-docs:abc", "the others go"
    (entry,) = entries(tmp_path)
    assert entry["result"] == "ok"


def test_nothing_there_is_nothing_to_do(tmp_path: Path) -> None:
    engine = an_engine()
    teardown(stack(tmp_path, engine), Doomed((), (), (), (), ()))
    assert not any(argv[1] in ("stop", "rm") or argv[2:3] == ["rm"] for argv in engine.argvs)


def test_a_dry_run_removes_nothing(tmp_path: Path) -> None:
    engine = an_engine()
    ctx = stack(tmp_path, engine, dry=True)
    teardown(ctx, doomed(ctx, keep_data=False))
    assert not any(argv[1] in ("stop", "rm") or argv[2:3] == ["rm"] for argv in engine.argvs)
    assert ctx.store.live_id() == release().id
    assert entries(tmp_path) == []
