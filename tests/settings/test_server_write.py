"""Replacing a settings file: in one step, with backups, owner and mode."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from settings.errors import SettingsError
from settings.server_write import content_of, replace_file

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "settings.json"
    path.write_bytes(b"0")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def test_three_backups_rotate_and_the_newest_is_the_first(path: Path) -> None:
    for number in range(5):
        replace_file(path, b"%d" % (number + 1), b"%d" % number)
    assert contents(path.parent) == {
        "settings.json": b"5",
        "settings.json.bak1": b"4",
        "settings.json.bak2": b"3",
        "settings.json.bak3": b"2",
    }


def test_a_backup_that_is_missing_leaves_a_gap(path: Path) -> None:
    replace_file(path, b"1", b"0")
    (path.parent / "settings.json.bak2").write_bytes(b"old")
    (path.parent / "settings.json.bak1").unlink()
    replace_file(path, b"2", b"1")
    assert sorted(contents(path.parent).values()) == [b"1", b"2", b"old"]


def test_mode_stays_for_the_file_and_its_backup(path: Path) -> None:
    path.chmod(0o640)
    replace_file(path, b"1", b"0")
    for one in path.parent.iterdir():
        assert stat.S_IMODE(one.stat().st_mode) == 0o640, one.name


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_users_file_stays_the_users_when_root_writes_it(path: Path) -> None:
    os.chown(path, NOBODY, NOBODY)
    replace_file(path, b"1", b"0")
    for one in path.parent.iterdir():
        assert (one.stat().st_uid, one.stat().st_gid) == (NOBODY, NOBODY), one.name


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_new_file_belongs_to_whom_its_folder_belongs(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    replace_file(tmp_path / "new", b"1", None)
    found = (tmp_path / "new").stat()
    assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (NOBODY, 0o600)
    assert list(contents(tmp_path)) == ["new"], "nothing was there to be backed up"


@pytest.mark.skipif(os.geteuid() != 0, reason="takes a file of another user")
def test_a_file_that_would_change_hands_is_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_words: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    os.chown(path, NOBODY, NOBODY)
    monkeypatch.setattr(os, "fchown", refused)
    with pytest.raises(SettingsError, match=f"belongs to {NOBODY}:{NOBODY}, and would not any"):
        replace_file(path, b"1", b"0")
    assert contents(path.parent) == {"settings.json": b"0"}


def test_a_file_that_changed_meanwhile_is_not_overwritten(path: Path) -> None:
    with pytest.raises(SettingsError, match="changed just now"):
        replace_file(path, b"mine", b"what I read")
    with pytest.raises(SettingsError, match="changed just now"):
        replace_file(path, b"mine", None)
    assert contents(path.parent) == {"settings.json": b"0"}


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_no_draft(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_words: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(SettingsError, match="cannot be written: No space left"):
        replace_file(path, b"1", b"0")
    assert contents(path.parent) == {"settings.json": b"0"}


def test_the_file_is_whole_on_the_disk_before_it_has_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def renamed(old: Path, new: Path) -> None:
        steps.append(Path(new).name)
        replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    replace_file(path, b"1", b"0")
    assert steps == ["file", "file", "settings.json.bak1", "settings.json", "folder"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert content_of(tmp_path / "absent") is None
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        content_of(tmp_path)
