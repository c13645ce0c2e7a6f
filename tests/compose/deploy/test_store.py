"""The deploy directory: for its owner alone, and never half of anything."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from compose.deploy.release import env_text
from compose.deploy.store import Attempt, Loop, Store, write
from compose.errors import ComposeError
from tests.compose.deploy.fakes import release

FIRST, SECOND = release("20260314-091500-aaaaaaaa"), release("20260315-091500-bbbbbbbb")
ENV = env_text({"AUTOMAKER_API_KEY": "pa$1wor$D", "UID": "7"})
ATTEMPT = Attempt(
    verb="deploy",
    release=SECOND.id,
    step="cut over server",
    by="ada@host",
    pid=7,
    started="2026-03-15T09:15:00+00:00",
    switching=True,
    loops=(Loop("/srv/a", None, None), Loop("/srv/b", "feature/x", 4)),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "home")
    store.prepare()
    return store


def add(store: Store, *releases: object) -> None:
    for one in releases or (FIRST, SECOND):
        store.add(one, ENV, "name: x\n")  # type: ignore[arg-type]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_before_the_first_deploy_there_is_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "absent")
    assert (store.releases(), store.live_id(), store.live(), store.attempt()) == (
        [],
        None,
        None,
        None,
    )
    assert not (tmp_path / "absent").exists(), "looking makes nothing"


def test_what_was_added_is_read_back_oldest_first(store: Store) -> None:
    add(store, SECOND, FIRST)
    assert store.releases() == [FIRST, SECOND]
    assert store.release(SECOND.id) == SECOND
    assert store.values(FIRST.id) == {"AUTOMAKER_API_KEY": "pa$1wor$D", "UID": "7"}
    assert store.compose_file(FIRST.id).read_text(encoding="utf-8") == "name: x\n"


def test_everything_is_for_its_owner_alone(store: Store) -> None:
    add(store)
    store.make_live(FIRST)
    store.note_attempt(ATTEMPT)
    store.keep_evidence(SECOND.id, "last words")
    for path in [store.home, *store.home.rglob("*")]:
        if not path.is_symlink():
            assert mode_of(path) == (0o700 if path.is_dir() else 0o600), path


def test_a_directory_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    Store(tmp_path / "home").prepare()
    assert mode_of(tmp_path / "home") == 0o700


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ComposeError, match=r"file/home: the deploy directory cannot be made") as no:
        Store(tmp_path / "file" / "home").prepare()
    assert no.value.exit_code == 2
    assert "DEPLOY_DIR" in no.value.__notes__[0]


def test_going_live_points_at_the_release_and_records_it(store: Store) -> None:
    add(store)
    store.make_live(FIRST)
    assert store.live() == FIRST
    again = SECOND.went_live("2026-03-16T00:00:00+00:00", FIRST.id)
    store.make_live(again)
    assert (store.live_id(), store.live()) == (SECOND.id, again)
    assert os.readlink(store.home / "current") == f"releases/{SECOND.id}", "also after a move"
    assert (store.home / "current" / ".env").exists()


def test_going_live_replaces_the_link_in_one_step(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store)
    store.make_live(FIRST)
    seen: list[str | None] = []

    def looking(self: Path, target: Path) -> Path:
        seen.append(store.live_id())
        os.rename(self, target)
        seen.append(store.live_id())
        return target

    monkeypatch.setattr(Path, "replace", looking)
    store.make_live(SECOND)
    assert seen == [FIRST.id, SECOND.id], "at no time is there no live release"


def test_what_a_kill_left_of_going_live_is_in_nobodys_way(store: Store) -> None:
    add(store)
    (store.home / f".current.{os.getpid()}").symlink_to("releases/gone")
    store.make_live(FIRST)
    assert store.live() == FIRST


def test_a_folder_without_a_record_is_no_release(store: Store) -> None:
    add(store, FIRST)
    half = store.folder(SECOND.id)
    half.mkdir()
    write(half / ".env", ENV)
    write(half / "docker-compose.staging.yml", "")
    assert store.releases() == [FIRST]
    with pytest.raises(ComposeError, match="no release"):
        store.release(SECOND.id)


def test_the_record_is_written_last(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    real = os.replace

    def noting(source: str, target: Path) -> None:
        written.append(Path(target).name)
        real(source, target)

    monkeypatch.setattr(os, "replace", noting)
    add(store, FIRST)
    assert written[-1] == "release.json"
    assert sorted(written[:-1]) == [".env", "docker-compose.staging.yml"]


@pytest.mark.parametrize("text", ["", "{", "null", "[]", '{"id": "x"}', "\xff"])
def test_a_damaged_record_hides_no_other_release(store: Store, text: str) -> None:
    add(store)
    (store.folder(FIRST.id) / "release.json").write_bytes(text.encode("latin-1"))
    assert store.releases() == [SECOND]


def test_a_name_that_is_no_release_is_answered_with_those_there_are(store: Store) -> None:
    add(store)
    with pytest.raises(ComposeError, match="no release 'x'") as caught:
        store.release("x")
    assert f"there are: {FIRST.id}, {SECOND.id}" in caught.value.__notes__[0]
    with pytest.raises(ComposeError) as caught:
        Store(store.home / "elsewhere").release("x")
    assert "there are: none" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A=1\nnot a line", r"\.env:2: damaged: not of the form"),
        ("A='1", r"\.env:1: damaged: A: the quotation does not end"),
        ("A=1\nA=2\n", r"\.env:2: damaged: A: set already"),
    ],
)
def test_damaged_values_are_refused_with_their_line(store: Store, text: str, says: str) -> None:
    add(store, FIRST)
    (store.folder(FIRST.id) / ".env").write_text(text, encoding="utf-8")
    with pytest.raises(ComposeError, match=says):
        store.values(FIRST.id)


def test_values_that_are_gone_are_named(store: Store) -> None:
    add(store, FIRST)
    (store.folder(FIRST.id) / ".env").unlink()
    with pytest.raises(ComposeError, match=r"\.env: cannot be read: No such file"):
        store.values(FIRST.id)


def test_values_that_are_no_text_are_named(store: Store) -> None:
    add(store, FIRST)
    (store.folder(FIRST.id) / ".env").write_bytes(b"A=\xff\n")
    with pytest.raises(ComposeError, match=r"\.env"):
        store.values(FIRST.id)


def test_an_attempt_reads_back_until_it_has_ended(store: Store) -> None:
    store.note_attempt(ATTEMPT)
    assert store.attempt() == ATTEMPT
    store.note_attempt(replace(ATTEMPT, step="smoke test", loops=()))
    assert store.attempt() == replace(ATTEMPT, step="smoke test", loops=())
    store.end_attempt()
    assert store.attempt() is None
    store.end_attempt()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"loops": [{}]}', '{"loops": [], "verb": "deploy"}', "\x00"]
)
def test_a_damaged_attempt_is_none(store: Store, text: str) -> None:
    (store.home / "attempt.json").write_text(text, encoding="utf-8")
    assert store.attempt() is None


@pytest.mark.parametrize("text", ["null", "5", '"text"'])
def test_an_attempt_that_is_no_object_is_none(store: Store, text: str) -> None:
    (store.home / "attempt.json").write_text(text, encoding="utf-8")
    assert store.attempt() is None


def test_forgetting_takes_the_record_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store)
    left: list[bool] = []
    monkeypatch.setattr(
        "shutil.rmtree",
        lambda folder, ignore_errors: left.append((Path(folder) / "release.json").exists()),
    )
    store.drop([FIRST.id])
    assert left == [False]
    assert store.releases() == [SECOND], "a kill in between leaves no half release"


def test_forgetting_leaves_nothing_and_touches_no_other(store: Store) -> None:
    add(store)
    store.keep_evidence(FIRST.id, "last words")
    store.drop([FIRST.id, "never-there"])
    assert [one.name for one in (store.home / "releases").iterdir()] == [SECOND.id]


Action = Callable[[Store], object]
ACTIONS: list[tuple[str, str, Action]] = [
    ("release.json", "a record", lambda store: store.save(replace(FIRST, failed="x"))),
    ("attempt.json", "an attempt", lambda store: store.note_attempt(replace(ATTEMPT, step="x"))),
    ("failure.log", "evidence", lambda store: store.keep_evidence(FIRST.id, "new")),
]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize(("name", "what", "action"), ACTIONS, ids=[one[1] for one in ACTIONS])
def test_a_full_disk_is_named_and_leaves_the_old_file_whole(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    name: str,
    what: str,
    action: Action,
) -> None:
    add(store, FIRST)
    store.note_attempt(ATTEMPT)
    store.keep_evidence(FIRST.id, "old")
    before = {path: path.read_bytes() for path in store.home.rglob("*") if path.is_file()}

    def full(*_anything: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(ComposeError, match=rf"{name}: .*No space left") as caught:
            action(store)
    assert "df -h" in caught.value.__notes__[0]
    after = {path: path.read_bytes() for path in store.home.rglob("*") if path.is_file()}
    assert after == before, f"{what}: nothing new, nothing half, nothing gone"


def test_a_file_that_can_not_even_be_begun_is_named(store: Store) -> None:
    with pytest.raises(ComposeError, match=r"absent/x: cannot be written: No such file") as caught:
        write(store.home / "absent" / "x", "text")
    assert "df -h" in caught.value.__notes__[0]


@pytest.mark.parametrize("call", ["symlink_to", "replace"])
def test_a_link_that_cannot_be_made_is_named(
    store: Store, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    add(store)
    store.make_live(FIRST)

    def full(*_anything: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, call, full)
    with pytest.raises(ComposeError, match="current"):
        store.make_live(SECOND)
    assert store.live() == FIRST


def test_a_folder_that_cannot_be_made_is_named(store: Store) -> None:
    (store.home / "releases" / FIRST.id).write_text("a file in the way", encoding="utf-8")
    with pytest.raises(ComposeError, match=FIRST.id):
        add(store, FIRST)


def test_a_record_that_cannot_be_written_leaves_live_what_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store)
    store.make_live(FIRST)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ComposeError, match="No space left"):
        store.make_live(SECOND)
    assert store.live_id() == FIRST.id


def test_records_hold_no_secret(store: Store) -> None:
    add(store)
    for file in store.home.rglob("*.json"):
        assert "pa$1wor$D" not in file.read_text(encoding="utf-8")
        json.loads(file.read_bytes())
