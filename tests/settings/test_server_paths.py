"""One directory under two names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.server_paths import aliases, no_directory, plain_path, real_directory


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/p", "/p"),
        ("/p/", "/p"),
        ("//p//q/", "/p/q"),
        ("/p/./q/.", "/p/q"),
        ("/", "/"),
        ("/p/../q", "/p/../q"),
        ("/p/...", "/p/..."),
    ],
)
def test_slashes_and_dots_go_and_nothing_else(path: str, plain: str) -> None:
    assert plain_path(path) == plain


@given(st.text("/.ab"))
def test_a_plain_path_is_as_plain_as_it_gets(path: str) -> None:
    plain = plain_path(f"/{path}")
    assert plain_path(plain) == plain
    assert plain_path(f"{plain}/") == plain


def test_only_a_directory_that_is_here_leads_anywhere(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").touch()
    assert real_directory(f"{tmp_path}/link/") == os.path.realpath(tmp_path / "real")
    assert real_directory(f"{tmp_path}/file") is None
    assert real_directory(f"{tmp_path}/absent") is None
    assert no_directory("/") is None


def real(path: str) -> str | None:
    """Where paths lead on the host of these tests."""
    return {"/p": "/p", "/link": "/p", "/q": "/q"}.get(path)


@pytest.mark.parametrize(
    ("paths", "found", "why"),
    [
        (("/p", "/q"), [], "two directories"),
        (("/p", "/p"), [], "one name, written twice"),
        (("/x", "/y"), [], "neither is here"),
        (("/p", "/p/"), [1], "a slash"),
        (("/p/", "/p"), [1], "the slash first"),
        (("/x//y", "/x/y"), [1], "no directory is needed for that"),
        (("/p/", "/p/"), [0, 1], "alike, and yet not plain"),
        (("/p", "/link"), [1], "a link"),
        (("/link", "/q", "/p"), [2], "the link first"),
        (("/p", "/link", "/link"), [1, 2], "each place is named"),
        (("/p", "/link/"), [1, 1], "both at once"),
    ],
)
def test_each_place_with_another_name_is_named(
    paths: tuple[str, ...], found: list[int], why: str
) -> None:
    named = [(str(number), path) for number, path in enumerate(paths)]
    assert [int(place) for place, _ in aliases(named, real)] == found, why


def test_the_other_name_and_the_right_one_are_said() -> None:
    ((_, message),) = aliases([("a", "/link"), ("b", "/p")], real)
    assert message.startswith("the same directory as '/link' of a, and another project")
    assert message.endswith("write '/p' for both")
