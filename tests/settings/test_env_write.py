"""The file on disk: its owner's alone, whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from settings.env_file import load_env
from settings.env_keys import KEYS
from settings.env_write import ensure_env, write_private
from settings.environment import staging_overrides, staging_owner
from settings.errors import SettingsError


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_private_and_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-1")
    path = tmp_path / ".env.staging"
    done = ensure_env(path)
    assert done.changed
    assert mode_of(path) == 0o600
    assert len(load_env(path).plain()["AUTOMAKER_API_KEY"]) >= 32
    assert [one.name for one in tmp_path.iterdir()] == [".env.staging"], "no half file is left"


def test_two_files_have_two_secrets(tmp_path: Path) -> None:
    for name in ("a", "b"):
        ensure_env(tmp_path / name)
    first, other = (load_env(tmp_path / one, complete=False).plain() for one in ("a", "b"))
    assert first["AUTOMAKER_API_KEY"] != other["AUTOMAKER_API_KEY"]


def test_a_second_time_the_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "env"
    ensure_env(path)
    before = path.stat()
    assert not ensure_env(path).changed
    assert path.stat().st_ino == before.st_ino


def test_a_file_open_to_others_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "env"
    ensure_env(path)
    text = path.read_text(encoding="utf-8")
    path.chmod(0o644)
    assert ensure_env(path).changed
    assert mode_of(path) == 0o600
    assert path.read_text(encoding="utf-8") == text


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    done = ensure_env(tmp_path / "env", dry_run=True)
    assert not done.changed
    assert done.completion.added
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_a_mistake_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("CPU_LIMIT=many\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="CPU_LIMIT"):
        ensure_env(path)
    assert path.read_text(encoding="utf-8") == "CPU_LIMIT=many\n"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "env"
    link.symlink_to(tmp_path / "real")
    ensure_env(link)
    assert link.is_symlink()
    assert mode_of(tmp_path / "real") == 0o600


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "env"
    path.write_text("old", encoding="utf-8")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["env"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be written: No such file"):
        ensure_env(tmp_path / "absent" / "env")


def test_what_is_printed_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-1")
    done = ensure_env(tmp_path / "env")
    printed = "\n".join(done.lines()) + repr(done.public()) + repr(done)
    for secret in ("sk-ant-1", load_env(tmp_path / "env").plain()["AUTOMAKER_API_KEY"]):
        assert secret not in printed


def test_a_missing_key_is_said_with_what_to_do(tmp_path: Path) -> None:
    (line,) = [one for one in ensure_env(tmp_path / "env").lines() if one.startswith("missing")]
    assert line.startswith("missing: ANTHROPIC_API_KEY;")
    assert "ANTHROPIC_API_KEY=... invoke env" in line


def test_only_keys_of_the_file_count_as_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPU_LIMIT", "2")
    monkeypatch.setenv("MEMORY_LIMIT", "")
    monkeypatch.setenv("SOMETHING", "else")
    assert staging_overrides() == {"CPU_LIMIT": "2"}


def test_files_belong_to_whoever_called_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "1234")
    monkeypatch.setenv("SUDO_GID", "1235")
    assert staging_owner() == (1234, 1235)


def test_root_itself_owns_no_projects(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SUDO_UID", "SUDO_GID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert staging_owner() == (1000, 1000)
