"""Rolling back: where to, and never to what did not work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compose.deploy import rollback as module
from compose.deploy.audit import entries
from compose.deploy.context import Context, State
from compose.deploy.release import Release
from compose.deploy.rollback import rollback
from compose.deploy.store import Attempt, Loop
from compose.errors import ComposeError
from compose.run import Completed
from tests.compose.deploy.fakes import GIB, Engine, context, image_line, record, refusal, release

OLD = release("20260313-091500-aaaaaaaa")
FAILED = release("20260314-091500-ffffffff", live=False, failed="smoke test failed: ui: 502")
LIVE = release("20260315-091500-bbbbbbbb")
NEWER = release("20260316-091500-cccccccc")
INFO = f'{{"MemTotal": {48 * GIB}, "NCPU": 8}}'


class Images(Engine):
    """An engine that has every image of these releases under its name."""

    def _answer(self, argv: list[str]) -> Completed:
        if argv[:3] == ["docker", "image", "inspect"]:
            known = [one for each in (OLD, LIVE, NEWER) for one in each.images.values()]
            ids = [one.id for one in known if one.reference == argv[-1]]
            return Completed(image_line(ids[0]), "", 0) if ids else refusal("No such image")
        return super()._answer(argv)


def an_engine() -> Engine:
    prints: dict[str, str | Completed] = {
        "docker info": INFO,
        "docker volume ls": "automaker-data\nautomaker-cache\n",
    }
    return Images(prints)


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Switch nothing; returns from what to what it would have been switched."""
    done: list[tuple[str, str]] = []

    def switch(ctx: Context, target: State, back: State | None, **_options: Any) -> list[Any]:
        done.append((back.release.id if back else "", target.release.id))
        return []

    monkeypatch.setattr(module, "switch", switch)
    return done


def stack(home: Path, *releases: Release, live: Release | None = LIVE) -> Context:
    ctx = context(home, an_engine(), verb="rollback")
    for one in releases or (OLD, FAILED, LIVE):
        record(ctx, one, live=one == live)
    return ctx


def back(ctx: Context, wanted: str = "") -> str:
    done = rollback(ctx, wanted, no_drain=False, agent=False)
    assert done is not None
    return done.release.id


Switched = list[tuple[str, str]]


def test_back_is_the_release_before_the_live_one(tmp_path: Path, switched: Switched) -> None:
    ctx = stack(tmp_path)
    assert back(ctx) == OLD.id
    assert switched == [(LIVE.id, OLD.id)]
    assert ctx.store.attempt() is None
    (entry,) = entries(tmp_path)
    assert (entry["what"], entry["result"]) == ("rollback", "ok")
    assert (entry["release"], entry["before"]) == (OLD.id, LIVE.id)


def test_after_a_rollback_forward_is_a_name_away(tmp_path: Path, switched: Switched) -> None:
    ctx = stack(tmp_path, OLD, LIVE, NEWER)
    assert back(ctx, NEWER.id) == NEWER.id
    assert switched == [(LIVE.id, NEWER.id)]


@pytest.mark.parametrize(
    ("switching", "target", "why"),
    [
        (True, LIVE, "its containers may be half changed, so it is what has to come back"),
        (False, OLD, "nothing was touched, so it is as if nobody had begun"),
    ],
)
def test_after_a_deploy_that_was_killed_back_depends_on_how_far_it_got(
    tmp_path: Path, switched: Switched, switching: bool, target: Release, why: str
) -> None:
    ctx = stack(tmp_path)
    killed = Attempt("deploy", "20260317-091500-dddddddd", "x", "ada@host", 7, "2026")
    ctx.store.note_attempt(replace(killed, switching=switching))
    assert back(ctx) == target.id, why
    assert switched == [(LIVE.id, target.id)]
    assert [one["result"] for one in entries(tmp_path)] == ["interrupted", "ok"]


def test_only_if_something_is_unfinished_it_is_gone_back_to_the_live_release(
    tmp_path: Path, switched: Switched
) -> None:
    ctx = stack(tmp_path)
    killed = Attempt("deploy", "20260317-091500-dddddddd", "x", "ada@host", 7, "2026")
    ctx.store.note_attempt(replace(killed, switching=True))
    done = rollback(ctx, "", no_drain=False, agent=False, if_unfinished=True)
    assert done is not None
    assert done.release.id == LIVE.id
    assert switched == [(LIVE.id, LIVE.id)]
    assert ctx.store.attempt() is None


LOOP = Loop("/srv/a", None, 3)
TOUCHED_NOTHING = Attempt("deploy", "r", "x", "ada@host", 7, "2026", loops=(LOOP,))


@pytest.mark.parametrize("left", [None, TOUCHED_NOTHING])
def test_where_nothing_is_unfinished_nothing_is_gone_back_from(
    tmp_path: Path, switched: Switched, left: Attempt | None
) -> None:
    ctx = stack(tmp_path)
    if left is not None:
        ctx.store.note_attempt(left)
    assert rollback(ctx, "", no_drain=False, agent=False, if_unfinished=True) is None
    assert switched == []
    assert ctx.store.attempt() == left, "loops that are off are for `start`"
    assert entries(tmp_path) == []


def test_back_is_not_what_was_rolled_back_from(tmp_path: Path, switched: Switched) -> None:
    fixed = replace(NEWER, before=OLD.id)
    assert back(stack(tmp_path, OLD, LIVE, fixed, live=fixed)) == OLD.id


@pytest.mark.parametrize("switching", [True, False])
def test_a_name_counts_whatever_was_killed(
    tmp_path: Path, switched: Switched, switching: bool
) -> None:
    ctx = stack(tmp_path)
    ctx.store.note_attempt(Attempt("deploy", "x", "ui ready", "a", 7, "2026", switching))
    assert back(ctx, OLD.id) == OLD.id


def test_a_release_that_never_was_live_is_no_place_to_go_back_to(
    tmp_path: Path, switched: Switched
) -> None:
    ctx = stack(tmp_path)
    with pytest.raises(ComposeError, match="never passed its checks: smoke test failed: ui: 502"):
        back(ctx, FAILED.id)
    assert switched == []
    assert ctx.store.attempt() is None
    assert ctx.store.live_id() == LIVE.id
    assert [one["result"] for one in entries(tmp_path)] == ["failed"]


def test_a_name_that_is_none_is_answered_with_those_there_are(
    tmp_path: Path, switched: Switched
) -> None:
    with pytest.raises(ComposeError, match="no release 'x'") as caught:
        back(stack(tmp_path), "x")
    assert OLD.id in caught.value.__notes__[0]
    assert switched == []


def test_where_there_is_nothing_before_it_says_so(tmp_path: Path, switched: Switched) -> None:
    with pytest.raises(ComposeError, match="there is no release to go back to"):
        back(stack(tmp_path, LIVE))
    with pytest.raises(ComposeError, match="there is no release to go back to"):
        back(stack(tmp_path / "empty", FAILED, live=None))
    assert switched == []


def test_a_release_whose_image_is_gone_is_refused_before_anything_is_touched(
    tmp_path: Path, switched: Switched
) -> None:
    lost = release("20260312-091500-eeeeeeee")
    ctx = stack(tmp_path, lost, LIVE)
    with pytest.raises(ComposeError, match="the image of server is gone"):
        back(ctx)
    assert switched == []


def test_without_an_engine_nothing_is_even_locked(tmp_path: Path, switched: Switched) -> None:
    ctx = stack(tmp_path)
    silent = context(tmp_path, Engine({"docker info": refusal("Cannot connect")}))
    with pytest.raises(ComposeError, match="no Docker engine answers") as caught:
        back(silent)
    assert caught.value.exit_code == 2
    assert switched == []
    assert entries(tmp_path) == []
    assert ctx.store.live_id() == LIVE.id


def test_a_dry_run_says_where_to_and_changes_nothing(tmp_path: Path, switched: Switched) -> None:
    stack(tmp_path)
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
    said: list[str] = []
    dry = context(tmp_path, an_engine(), said, dry=True, verb="rollback")
    assert back(dry) == OLD.id
    assert f"to {OLD.id}" in "".join(said)
    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("file", [".env", "release.json"])
def test_a_live_release_that_is_damaged_can_be_gone_back_from(
    tmp_path: Path, switched: Switched, file: str
) -> None:
    ctx = stack(tmp_path)
    (ctx.store.folder(LIVE.id) / file).unlink()
    assert back(ctx, OLD.id) == OLD.id
