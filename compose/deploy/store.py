"""The deploy directory: releases, which of them is live, and what a killed deploy left undone.

    current -> releases/20260314-091500-ab12cd34     the live release
    releases/ID/release.json                         its record
    releases/ID/.env, docker-compose.staging.yml     what it runs with
    releases/ID/failure.log                          why it did not go live
    attempt.json                                     a deploy under way, or killed
    audit.jsonl, deploy.lock

`cd current && docker compose ps` works: its .env names the compose file and the images.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compose.deploy.release import COMPOSE_NAME, Release, parse_release
from compose.errors import ComposeError
from settings.env_syntax import read
from settings.env_write import write_private
from settings.errors import SettingsError

FOLDER_MODE = 0o700


@dataclass(frozen=True)
class Loop:
    """An auto-mode loop that a drain stops: to be started again afterwards."""

    project: str
    branch: str | None
    max_concurrency: int | None


@dataclass(frozen=True)
class Attempt:
    """A change of what is live that has begun; on disk until it has ended, well or not."""

    verb: str
    release: str
    step: str
    by: str
    pid: int
    started: str
    switching: bool = False
    """Whether containers may have been touched."""
    loops: tuple[Loop, ...] = ()


class Store:
    """Reads and writes one deploy directory. Every write is whole or not at all."""

    def __init__(self, home: Path) -> None:
        self.home = home

    @property
    def id(self) -> str:
        """What tells this directory from every other one, also on another machine."""
        try:
            return (self.home / "id").read_text(encoding="ascii").strip()
        except OSError:
            return ""

    def see_readable(self) -> None:
        """Raise ComposeError where the directory is there and this user may not look into it."""
        if self.home.exists() and not os.access(self.home, os.R_OK | os.X_OK):
            raise ComposeError(
                f"{self.home}: this user may not read the deploy directory",
                next_step="run as its owner, as with sudo",
                exit_code=2,
            )

    def prepare(self) -> None:
        """Make the directory, for its owner alone. Raises ComposeError where that fails."""
        try:
            (self.home / "releases").mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
            self.home.chmod(FOLDER_MODE)
            if not self.id:
                write(self.home / "id", secrets.token_hex(8) + "\n")
        except OSError as error:
            raise ComposeError(
                f"{self.home}: the deploy directory cannot be made: {error.strerror}",
                next_step="run as its owner, or set DEPLOY_DIR in .env.staging",
                exit_code=2,
            ) from None

    def folder(self, release: str) -> Path:
        """Where a release is kept."""
        return self.home / "releases" / release

    def compose_file(self, release: str) -> Path:
        """Return the compose file that a release runs with."""
        return self.folder(release) / COMPOSE_NAME

    def releases(self) -> list[Release]:
        """Every release, oldest first; folders without a whole record are no releases."""
        folders = sorted((self.home / "releases").glob("*/release.json"))
        found = []
        for file in folders:
            with contextlib.suppress(ComposeError):
                found.append(self.release(file.parent.name))
        return found

    def release(self, name: str) -> Release:
        """Return one release; ComposeError names those there are."""
        try:
            return parse_release(json.loads((self.folder(name) / "release.json").read_bytes()))
        except (OSError, ValueError):
            known = sorted(file.parent.name for file in (self.home / "releases").glob("*/*.json"))
            raise ComposeError(
                f"no release {name!r}",
                next_step=f"there are: {', '.join(known) or 'none'}; see invoke releases",
            ) from None

    def live_id(self) -> str | None:
        """Return the id of the live release; None before the first one."""
        try:
            return Path(os.readlink(self.home / "current")).name
        except OSError:
            return None

    def live(self) -> Release | None:
        """Return the live release; None before the first one."""
        name = self.live_id()
        return None if name is None else self.release(name)

    def values(self, release: str) -> dict[str, str]:
        """Return what a release's containers get. Holds secrets."""
        file = self.folder(release) / ".env"
        try:
            entries, problems = read(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise ComposeError(f"{file}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ComposeError(f"{file}: damaged: not UTF-8") from None
        if problems:
            raise ComposeError(f"{file}:{problems[0][0]}: damaged: {problems[0][1]}")
        return {entry.key: entry.value for entry in entries}

    def add(self, release: Release, env: str, compose: str) -> None:
        """Record a release with its two files; a record that is there means that all is."""
        folder = self.folder(release.id)
        try:
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as error:
            raise ComposeError(
                f"{folder}: cannot be made: {error.strerror}", next_step=_room(folder)
            ) from None
        write(folder / ".env", env)
        write(folder / COMPOSE_NAME, compose)
        self.save(release)

    def save(self, release: Release) -> None:
        """Write a release's record."""
        write(self.folder(release.id) / "release.json", json.dumps(release.data(), indent=2))

    def make_live(self, release: Release) -> None:
        """Point `current` at a release, in one step: from here on it is what rollbacks start at."""
        self.save(release)
        fresh = self.home / f".current.{os.getpid()}"
        try:
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(Path("releases", release.id))
            fresh.replace(self.home / "current")
        except OSError as error:
            raise ComposeError(f"{self.home / 'current'}: {error.strerror}") from None

    def make_live_again(self, release: str | None) -> None:
        """Point `current` back at a release, or at none."""
        if self.live_id() == release:
            return
        if release is None:
            (self.home / "current").unlink(missing_ok=True)
        else:
            self.make_live(self.release(release))

    def keep_evidence(self, release: str, text: str) -> Path:
        """Keep what a failure looked like beside the release; returns where."""
        file = self.folder(release) / "failure.log"
        write(file, text)
        return file

    def drop(self, releases: Sequence[str]) -> None:
        """Forget releases; their record goes first, so that half a folder is no release."""
        for name in releases:
            (self.folder(name) / "release.json").unlink(missing_ok=True)
            shutil.rmtree(self.folder(name), ignore_errors=True)

    def drop_halves(self) -> None:
        """Forget folders without a record: what a kill left of one being made or forgotten."""
        for folder in (self.home / "releases").glob("*"):
            if not (folder / "release.json").exists():
                shutil.rmtree(folder, ignore_errors=True)

    def attempt(self) -> Attempt | None:
        """Return what is under way, or was when it was killed; None where all has ended."""
        try:
            data: dict[str, Any] = json.loads((self.home / "attempt.json").read_bytes())
            loops = tuple(Loop(**one) for one in data.pop("loops"))
            return Attempt(**data, loops=loops)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def note_attempt(self, attempt: Attempt) -> None:
        """Write down how far an attempt is."""
        write(self.home / "attempt.json", json.dumps(_attempt_data(attempt), indent=2))

    def end_attempt(self) -> None:
        """Write down that nothing is under way any more."""
        (self.home / "attempt.json").unlink(missing_ok=True)


def _attempt_data(attempt: Attempt) -> Mapping[str, Any]:
    return asdict(attempt) | {"loops": [asdict(one) for one in attempt.loops]}


def write(path: Path, text: str) -> None:
    """Replace a file in one step, mode 0600. Raises ComposeError that says what and why."""
    try:
        write_private(path, text)
    except SettingsError as error:
        raise ComposeError(str(error), next_step=_room(path)) from None
    except OSError as error:
        raise ComposeError(
            f"{path}: cannot be written: {error.strerror}", next_step=_room(path)
        ) from None


def _room(path: Path) -> str:
    return f"see that there is room and permission: df -h {path.parent}"
