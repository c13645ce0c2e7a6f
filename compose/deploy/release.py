"""A release: one deployed state, described so that it can come back. Values and decisions only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from compose.errors import ComposeError
from settings.env_syntax import quoted

SHORT = 12
LONGEST_WORD = 32
COMPOSE_NAME = "docker-compose.staging.yml"
APP_SERVICES = ("server", "ui")


@dataclass(frozen=True)
class Image:
    """An image as a release pins it: a tag made of the content's id, and that id."""

    reference: str
    id: str

    @property
    def staging_name(self) -> str:
        """The name that the guide gives it, which always means what is live."""
        return f"{self.reference.rpartition(':')[0]}:staging"


@dataclass(frozen=True)
class Release:
    """One deployed state. Times are UTC in ISO 8601; `live_at` says when it went live, if ever."""

    id: str
    created: str
    by: str
    why: str
    source: str
    """Where its images come from, without credentials."""
    commit: str
    images: Mapping[str, Image]
    """By service: server, ui."""
    env_hash: str
    compose_hash: str
    live_at: tuple[str, ...] = ()
    before: str = ""
    """The release that was live when this one first went live."""
    failed: str = ""
    """Why it did not go live, in one line."""

    @property
    def was_live(self) -> bool:
        """Whether it has ever passed every check; only such a release can be gone back to."""
        return bool(self.live_at)

    def same_content(self, other: Release) -> bool:
        """Whether both would run the same: images, values and compose file alike."""
        ours, theirs = (
            ({name: image.id for name, image in one.images.items()}, one.env_hash, one.compose_hash)
            for one in (self, other)
        )
        return ours == theirs

    def went_live(self, when: str, before: str) -> Release:
        """Return it with one more time at which it went live, and with what was live until then."""
        first = before if not self.live_at else self.before
        return replace(self, live_at=(*self.live_at, when), before=first, failed="")

    def data(self) -> dict[str, Any]:
        """Return it as JSON would hold it; nothing in it is a secret."""
        return asdict(self) | {"live_at": list(self.live_at)}


def parse_release(data: Mapping[str, Any]) -> Release:
    """Read what `data` wrote. Raises ComposeError for anything else."""
    try:
        images = {name: Image(**image) for name, image in data["images"].items()}
        return Release(**{**data, "images": images, "live_at": tuple(data["live_at"])})
    except (KeyError, TypeError, AttributeError) as error:
        raise ComposeError(f"not a release record: {error}") from None


def release_id(now: datetime, commit: str, taken: Sequence[str] = ()) -> str:
    """Make a name that sorts by time and says the commit, as 20260314-091500-ab12cd34."""
    word = re.sub(r"[^A-Za-z0-9._]+", "-", short_commit(commit))[:LONGEST_WORD].strip("-.")
    base = f"{now:%Y%m%d-%H%M%S}-{word}"
    number = 1
    name = base
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def short_commit(commit: str) -> str:
    """Return a commit as people read it; of the stand-in what tells its commits apart."""
    kind, _, rest = commit.partition("-")
    if kind != "standin":
        return commit[:8] + ("-dirty" if commit.endswith("-dirty") else "")
    _, _, name = rest.partition("-")
    return f"standin-{name or rest[:8]}"


def digest(text: str) -> str:
    """Fingerprint of a text, for telling whether two releases are alike."""
    return hashlib.sha256(text.encode()).hexdigest()


def content_tag(repository: str, image_id: str) -> str:
    """Name an image after its content: the same build twice is the same name, and no restart."""
    return f"{repository}:{image_id.removeprefix('sha256:')[:SHORT]}"


def env_text(values: Mapping[str, str]) -> str:
    """Write values so that this project, Compose and a shell read them alike. Holds secrets."""
    head = "# Made by a deploy from .env.staging; edit that file and deploy again.\n"
    lines = [f"{key}={quoted(value)}\n" for key, value in sorted(values.items())]
    return head + "".join(lines)


def release_before(releases: Sequence[Release], live: Release | None) -> Release | None:
    """Return what was live before the live release was; None if nothing was.

    Not simply the one next in age: that may be one which was rolled back from. Where it has been
    forgotten, it is the newest older one that was live.
    """
    good = {one.id: one for one in releases if one.was_live}
    if live is not None and live.before in good and live.before != live.id:
        return good[live.before]
    older = [name for name in good if live is None or name < live.id]
    return good[max(older)] if older else None


@dataclass(frozen=True)
class Pruning:
    """What to forget, and which images the rest still needs."""

    drop: tuple[str, ...]
    """Ids of releases."""
    needed: frozenset[str]
    """Ids of images."""


def pruning(releases: Sequence[Release], live: str | None, keep: int) -> Pruning:
    """Decide what to forget: all but the live release and `keep` others that were live.

    A release that failed keeps its record, which holds its evidence, as long as it is newer
    than the oldest one kept; its images go.
    """
    good = sorted((one.id for one in releases if one.was_live and one.id != live), reverse=True)
    kept = {*good[: max(1, keep)], *([live] if live else [])}
    oldest = min(kept, default="")
    stays = [one for one in releases if one.id in kept or (not one.was_live and one.id > oldest)]
    needed = {image.id for one in stays if one.id in kept for image in one.images.values()}
    names = {one.id for one in stays}
    drop = tuple(one.id for one in releases if one.id not in names)
    return Pruning(drop, frozenset(needed))
