"""The feature store: one folder a feature below {project}/.automaker/features.

Blocking; callers run it in a thread. Features read are shared with the cache: never change one.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .errors import Refusal
from .features import Feature, creation_time, normalised, same_title
from .files import BACKUPS, backup, rotate_backups, write_json

Change = Callable[[Feature], Mapping[str, Any] | None]

STRIPES = 64


class Stripes:
    """A fixed set of locks shared out by key: one lock a key, without one to forget."""

    def __init__(self) -> None:
        self._locks = [threading.RLock() for _ in range(STRIPES)]

    def of(self, *key: str) -> threading.RLock:
        """Return the lock of a key."""
        return self._locks[hash(key) % STRIPES]


class FeatureStore:
    """Reads and writes the features of any number of projects."""

    def __init__(self) -> None:
        # Taken in this order, never the other way round: the project's, then the feature's.
        self._projects = Stripes()
        self._features = Stripes()
        self._cache: dict[str, tuple[tuple[int, int, int], Feature]] = {}

    def all_of(self, project: str) -> list[Feature]:
        """All features in order of creation; none when the project has no folder yet."""
        try:
            names = os.listdir(_features_folder(project))
        except (FileNotFoundError, NotADirectoryError):
            return []
        found = (self.get(project, name) for name in names if is_safe_id(name))
        features = [feature for feature in found if feature is not None]
        return sorted(features, key=creation_time)

    def get(self, project: str, feature_id: str) -> Feature | None:
        """One feature, from its newest readable backup if the file is corrupt; None if absent."""
        if not is_safe_id(feature_id):
            return None
        key = _cache_key(project, feature_id)
        try:
            signature = _signature(key)
        except (FileNotFoundError, NotADirectoryError):
            self._cache.pop(key, None)
            return None
        cached = self._cache.get(key)
        if cached and cached[0] == signature:
            return cached[1]
        feature = _read(Path(key)) or self._restore(project, feature_id)
        if feature is not None:
            feature = normalised(feature)
            self._cache[key] = (signature, feature)
        return feature

    def create(self, project: str, feature: Feature) -> Feature:
        """Write a new feature. Raises Refusal 409 for a title in use and 400 for a bad id."""
        feature_id = feature["id"]
        if not is_safe_id(feature_id):
            raise Refusal(400, f"Invalid feature id: {feature_id}")
        with self._projects.of(project):
            self.refuse_duplicate(project, feature.get("title"), feature_id)
            with self._features.of(project, feature_id):
                self._write(project, feature_id, feature)
        return feature

    def update(self, project: str, feature_id: str, change: Change) -> Feature | None:
        """Apply `change` under the feature's lock; None from it leaves the feature as it is.

        Returns the feature afterwards, or None when there is none.
        """
        with self._features.of(project, feature_id):
            feature = self.get(project, feature_id)
            if feature is None:
                return None
            changes = change(feature)
            if changes is None:
                return feature
            updated = {**feature, **changes, "id": feature_id}
            self._write(project, feature_id, updated)
            return updated

    def retitle(self, project: str, feature_id: str, title: Any, change: Change) -> Feature | None:
        """Update with a new title. Raises Refusal 409 when another feature has it."""
        with self._projects.of(project):
            self.refuse_duplicate(project, title, feature_id)
            return self.update(project, feature_id, change)

    def delete(self, project: str, feature_id: str) -> bool:
        """Remove a feature's folder; True also when there was none, as in the real server."""
        if not is_safe_id(feature_id):
            return False
        with self._features.of(project, feature_id):
            self._cache.pop(_cache_key(project, feature_id), None)
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                shutil.rmtree(feature_file(project, feature_id).parent)
        return True

    def output(self, project: str, feature_id: str, name: str) -> str | None:
        """Return the text of one of the agent's output files; None when it wrote none."""
        if not is_safe_id(feature_id):
            return None
        try:
            file = feature_file(project, feature_id).with_name(name)
            return file.read_text("utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None

    def refuse_duplicate(self, project: str, title: Any, feature_id: str | None) -> None:
        """Raise Refusal 409 when a feature other than `feature_id` has the title."""
        if not isinstance(title, str) or not title.strip():
            return
        for feature in self.all_of(project):
            if feature["id"] != feature_id and same_title(feature.get("title"), title):
                message = f'A feature with title "{title}" already exists'
                raise Refusal(409, message, duplicateFeatureId=feature["id"])

    def _write(self, project: str, feature_id: str, feature: Feature) -> None:
        file = feature_file(project, feature_id)
        rotate_backups(file, _backups_folder(project, feature_id))
        write_json(file, feature)
        key = _cache_key(project, feature_id)
        self._cache[key] = (_signature(key), normalised(feature))

    def _restore(self, project: str, feature_id: str) -> Feature | None:
        file = feature_file(project, feature_id)
        folder = _backups_folder(project, feature_id)
        with self._features.of(project, feature_id):
            for number in range(1, BACKUPS + 1):
                feature = _read(backup(file, folder, number))
                if feature is not None:
                    write_json(file, feature)
                    return feature
        return None


def feature_file(project: str, feature_id: str) -> Path:
    """Where a feature is kept. The id must be safe."""
    return _features_folder(project) / feature_id / "feature.json"


def is_safe_id(feature_id: Any) -> bool:
    """Whether an id names one folder and nothing above it."""
    if not isinstance(feature_id, str) or not 0 < len(feature_id) <= 200:
        return False
    return not set(feature_id) & {"/", "\\", "\0"} and feature_id.strip(".") != ""


def _features_folder(project: str) -> Path:
    return Path(project, ".automaker", "features")


def _backups_folder(project: str, feature_id: str) -> Path:
    return Path(project, ".automaker", ".backups", "features", feature_id)


def _cache_key(project: str, feature_id: str) -> str:
    # Plain text: a listing asks for every feature, and ten listings a second must stay cheap.
    return f"{project}/.automaker/features/{feature_id}/feature.json"


def _signature(file: str) -> tuple[int, int, int]:
    stat = os.stat(file)
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _read(file: Path) -> Feature | None:
    try:
        feature = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return feature if isinstance(feature, dict) and isinstance(feature.get("id"), str) else None
