"""Paths of `.env.staging` that have a second name, which the server takes for a second project."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from compose.checks import Check, passed
from compose.host_report import HostReport, PathReport
from settings.server_paths import plain_path

PATH_KEYS = ("PROJECTS_MOUNT", "LABS_MOUNT", "ALLOWED_ROOT_DIRECTORY")


def paths(report: HostReport) -> Iterator[Check]:
    """Yield a warning for each path that is no real path, and each two that are one directory.

    The server tells projects apart by their path as text: under two names, one board gets two
    loops.
    """
    found = [*_not_real(report.paths), *_aliases(report.paths)]
    yield from found
    if not report.host.local:
        unseen, fix = report.host.unseen
        yield Check("warn", "path names", f"links {unseen}", fix)
    elif not found:
        yield passed("path names", "every directory has one")


def _not_real(reports: tuple[PathReport, ...]) -> Iterator[Check]:
    for one in reports:
        real = _identity(one)
        if one.written == real:
            continue
        why = "leads to" if plain_path(one.written) != real else "another text than"
        yield Check(
            "warn",
            one.key,
            f"{one.written}: {why} {real}, and is another project to the server",
            f"{one.key}={real} in .env.staging",
        )


def _aliases(reports: tuple[PathReport, ...]) -> Iterator[Check]:
    for one, other in combinations(reports, 2):
        real = _identity(one)
        if one.written != other.written and real == _identity(other):
            yield Check(
                "warn",
                f"{one.key}, {other.key}",
                f"{one.written} and {other.written} are one directory under two names",
                f"write {real} for both, or give each a directory of its own",
            )


def _identity(one: PathReport) -> str:
    """Return the directory that is meant; where none is there to be looked at, the plain text."""
    return one.real or plain_path(one.written)
