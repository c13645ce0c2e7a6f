"""Paths that are one directory under two names: to the server, a project is its path as text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence


def plain_path(path: str) -> str:
    """Return an absolute path without `//`, `/./` and a slash at its end; `..` and links stay."""
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def real_directory(path: str) -> str | None:
    """Return the directory a path leads to here, links resolved; None where there is none."""
    return os.path.realpath(path) if os.path.isdir(path) else None


def no_directory(_path: str) -> str | None:
    """Say of no path that it leads anywhere, where the paths are those of another host."""
    return None


def aliases(
    named: Sequence[tuple[str, str]], real: Callable[[str], str | None]
) -> Iterator[tuple[str, str]]:
    """Yield (place, message) for each path of `named` that has another name there or elsewhere.

    `named` are (place, absolute path); `real` says which directory a path leads to, None where
    that is not known.
    """
    by_text: dict[str, list[tuple[str, str]]] = {}
    for place, path in named:
        by_text.setdefault(plain_path(path), []).append((place, path))
    by_directory: dict[str, tuple[str, str]] = {}
    for plain, same in by_text.items():
        yield from _spellings(plain, same)
        directory = real(plain)
        if directory is None:
            continue
        twin = by_directory.setdefault(directory, same[0])
        if twin != same[0]:
            yield from ((place, _alias_of(twin, directory)) for place, _ in same)


def _spellings(plain: str, same: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Look at paths that are alike but for slashes and dots."""
    first = same[0][1]
    if all(path == first for _, path in same):
        if first != plain:
            yield from ((place, f"another project than {plain!r}; write that") for place, _ in same)
        return
    for place, path in same:
        if path != first:
            yield place, _alias_of(same[0], plain)


def _alias_of(twin: tuple[str, str], directory: str) -> str:
    place, path = twin
    return (
        f"the same directory as {path!r} of {place}, and another project to the server: two "
        f"loops on one board; write {directory!r} for both"
    )
