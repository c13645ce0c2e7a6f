"""Forgetting: old releases and their images go, and nothing that anybody needs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from compose.deploy.audit import entries
from compose.deploy.docs import DocsState
from compose.deploy.prune import images_of_stack, prune, prune_now
from compose.deploy.release import Image, Release
from compose.deploy.store import write
from compose.errors import ComposeError
from tests.compose.deploy.fakes import Engine, context, record, refusal, release

OLD, MIDDLE, LIVE = (release(f"2026031{n}-091500-{n:08}") for n in (1, 2, 3))


def listing(*releases: Release, more: str = "") -> str:
    """What `docker image ls` prints of these releases' images."""
    images = [image for one in releases for image in one.images.values()]
    return "".join(f"{one.id} {one.reference.replace(':', ' ')}\n" for one in images) + more


def an_engine(printed: str) -> Engine:
    return Engine({"docker image ls": printed, "docker image rm": ""})


def removed(engine: Engine) -> list[str]:
    return [argv[3] for argv in engine.argvs if argv[:3] == ["docker", "image", "rm"]]


def test_all_but_the_live_one_and_the_newest_go_with_their_images(tmp_path: Path) -> None:
    engine = an_engine(listing(OLD, MIDDLE, LIVE, more="sha256:stray <none> <none>\n"))
    ctx = context(tmp_path, engine)
    for one in (OLD, MIDDLE, LIVE):
        record(ctx, one, live=one == LIVE)
    done = prune(ctx, keep=1)
    assert done.releases == (OLD.id,)
    assert [one.id for one in ctx.store.releases()] == [MIDDLE.id, LIVE.id]
    assert removed(engine) == [*(one.reference for one in OLD.images.values()), "sha256:stray"]
    assert done.images == tuple(removed(engine))


def test_only_images_with_this_stacks_label_are_looked_at(tmp_path: Path) -> None:
    engine = an_engine("")
    assert images_of_stack(context(tmp_path, engine)) == []
    assert "label=automaker-staging.stack=automaker" in engine.argvs[0]
    assert "--no-trunc" in engine.argvs[0], "ids are compared as a whole"


def test_images_of_the_docs_stay_and_so_do_those_before_them(tmp_path: Path) -> None:
    images = [Image(f"automaker-docs:{n}", f"sha256:docs-{n}") for n in range(3)]
    engine = an_engine("".join(f"{one.id} automaker-docs {n}\n" for n, one in enumerate(images)))
    ctx = context(tmp_path, engine)
    record(ctx, LIVE, live=True)
    (tmp_path / "docs").mkdir()
    state = DocsState(images[2], "c", "s", "2026", images[1])
    write(tmp_path / "docs" / "docs.json", json.dumps(asdict(state)))
    prune(ctx, keep=5)
    assert removed(engine) == ["automaker-docs:0"]


def test_an_image_that_the_engine_will_not_remove_is_not_counted(tmp_path: Path) -> None:
    engine = Engine({"docker image ls": listing(OLD), "docker image rm": refusal("in use")})
    ctx = context(tmp_path, engine)
    record(ctx, LIVE, live=True)
    assert prune(ctx, keep=1).images == ()


def test_a_dry_run_says_it_all_and_forgets_nothing(tmp_path: Path) -> None:
    engine, said = an_engine(listing(OLD, MIDDLE, LIVE)), list[str]()
    ctx = context(tmp_path, engine)
    for one in (OLD, MIDDLE, LIVE):
        record(ctx, one, live=one == LIVE)
    dry = context(tmp_path, engine, said, dry=True)
    assert prune(dry, keep=1).releases == (OLD.id,)
    assert removed(engine) == []
    assert [one.id for one in ctx.store.releases()] == [OLD.id, MIDDLE.id, LIVE.id]
    assert f"forget {OLD.id}" in "".join(said)
    assert f"$ docker image rm {OLD.images['server'].reference}" in "".join(said)


def test_pruning_on_its_own_is_in_the_audit_log(tmp_path: Path) -> None:
    ctx = context(tmp_path, an_engine(""), verb="prune")
    record(ctx, LIVE, live=True)
    prune_now(ctx, 5)
    (entry,) = entries(tmp_path)
    assert (entry["what"], entry["result"]) == ("prune", "ok")
    assert entry["detail"] == "0 releases, 0 images"


def test_a_name_that_somebody_else_gave_one_of_our_images_is_theirs(tmp_path: Path) -> None:
    engine = an_engine("sha256:x mine latest\nsha256:x automaker-server 1\n")
    ctx = context(tmp_path, engine)
    assert images_of_stack(ctx) == [("sha256:x", "automaker-server:1")]


def test_folders_that_a_kill_left_without_a_record_go_too(tmp_path: Path) -> None:
    ctx = context(tmp_path, an_engine(""))
    record(ctx, LIVE, live=True)
    half = ctx.store.folder(OLD.id)
    half.mkdir()
    write(half / ".env", "AUTOMAKER_API_KEY=secret\n")
    prune(ctx, keep=5)
    assert not half.exists()
    assert ctx.store.live() == LIVE


def test_an_engine_that_does_not_say_its_images_is_no_engine_without_any(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match="refused"):
        images_of_stack(context(tmp_path, Engine()))
