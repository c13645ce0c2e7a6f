"""What is missing from `.env.staging`, and where it comes from; nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from settings.env_file import check_values, parse_env
from settings.env_keys import DESCRIPTIONS, REQUIRED, shown
from settings.env_syntax import quoted
from settings.errors import SettingsError
from settings.tiers import Proposal

HEADER = (
    "# Settings of the staging server; `invoke env` adds what is missing and changes nothing.\n"
)
# Defaults of the compose file, written out since this is where an operator looks for them.
PATHS = {
    "PROJECTS_MOUNT": "/srv/automaker/projects",
    "LABS_MOUNT": "/srv/automaker/labs",
    "ALLOWED_ROOT_DIRECTORY": "/srv/automaker",
}


@dataclass(frozen=True)
class Addition:
    """A key that goes into the file. The value may be a secret, so it is not shown."""

    key: str
    value: str = field(repr=False)
    source: str
    """Where the value comes from: environment, generated, this host, default."""

    def public(self) -> dict[str, str]:
        """Return what may be printed of it."""
        return {"key": self.key, "value": shown(self.key, self.value), "source": self.source}


@dataclass(frozen=True)
class Completion:
    """A file made whole: its new text (with secrets), what was added, kept, and still lacks."""

    text: str = field(repr=False)
    added: tuple[Addition, ...]
    kept: tuple[str, ...]
    missing: tuple[str, ...]


def complete(
    text: str,
    path: Path,
    environment: Mapping[str, str],
    proposal: Proposal,
    owner: tuple[int, int],
    new_secret: Callable[[], str],
) -> Completion:
    """Add to `text` the keys it lacks; what stands there stays, byte for byte.

    A value of `environment` goes before a proposed one; `owner` is (UID, GID). Raises
    SettingsError where the file or the environment holds something that cannot be used.
    """
    there = parse_env(text, path, complete=False)
    kept = tuple(entry.key for entry in there.entries)
    usual = {
        "UID": (str(owner[0]), "this host"),
        "GID": (str(owner[1]), "this host"),
        **{key: (value, "default") for key, value in PATHS.items()},
        **{key: (value, "this host") for key, value in proposal.values().items()},
    }
    added = []
    for key in DESCRIPTIONS:
        if key in kept:
            continue
        if environment.get(key):
            added.append(Addition(key, environment[key], "environment"))
        elif key == "AUTOMAKER_API_KEY":
            added.append(Addition(key, new_secret(), "generated"))
        elif key in usual:
            added.append(Addition(key, *usual[key]))
    check_values({one.key: one.value for one in added}, "environment")
    missing = tuple(key for key in REQUIRED if key not in {*kept, *(one.key for one in added)})
    whole = _append(text, added)
    _must_read_back(whole, path, {**there.plain(), **{one.key: one.value for one in added}})
    return Completion(whole, tuple(added), kept, missing)


def _append(text: str, added: list[Addition]) -> str:
    """Put the additions below what is there, each with a comment that says what it is."""
    if not added:
        return text
    before = text or HEADER
    if not before.endswith("\n"):
        before += "\n"
    blocks = [f"\n# {DESCRIPTIONS[one.key]}\n{one.key}={quoted(one.value)}\n" for one in added]
    return before + "".join(blocks)


def _must_read_back(text: str, path: Path, values: Mapping[str, str]) -> None:
    """Refuse to hand out a text that says anything else than what it was made from."""
    if parse_env(text, path, complete=False).plain() != values:
        raise SettingsError([f"{path}: the new text would not read back as it was meant"])
