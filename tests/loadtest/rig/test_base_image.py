"""The base image's recipe on every kind of host, and who makes one when."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import Any

import pytest

from compose.errors import ComposeError
from compose.run import Completed
from loadtest.rig import base_image as module
from loadtest.rig.base_image import REGISTRY_IMAGE, Recipe, ensure_base, recipe_for
from loadtest.rig.errors import RigError

DEBIAN = "http://deb.debian.org/debian"
UBUNTU = "http://archive.ubuntu.com/ubuntu"


@pytest.mark.parametrize(
    ("codename", "mirrors", "recipe", "why"),
    [
        ("bookworm", "", Recipe("bookworm", DEBIAN), "Debian 12"),
        ("trixie", "", Recipe("trixie", DEBIAN), "Debian 13"),
        ("noble", "", Recipe("noble", UBUNTU), "Ubuntu 24.04"),
        ("jammy", "", Recipe("bookworm", DEBIAN), "Ubuntu 22.04: its Python is too old"),
        ("jammy", "http://mirror/ubuntu jammy", Recipe("bookworm", DEBIAN), "nor its mirror"),
        (None, "", Recipe("bookworm", DEBIAN), "no Debian at all"),
        ("bookworm", "http://mirror/debian/ bookworm\n", Recipe("bookworm", "http://mirror/debian"),
         "the host's own mirror"),
        ("bookworm", "http://security.debian.org/debian-security bookworm\nhttp://m/d bookworm",
         Recipe("bookworm", "http://m/d"), "updates alone make no system"),
        ("bookworm", "http://security.debian.org/debian-security bookworm",
         Recipe("bookworm", DEBIAN), "there are only updates"),
        ("bookworm", "http://m/d bookworm-updates\nhttp://n/d bookworm-backports",
         Recipe("bookworm", DEBIAN), "other releases"),
        ("noble", "http://m/a noble\nhttp://m/b noble", Recipe("noble", "http://m/a"),
         "the first of two"),
        ("bookworm", "\n  \nnonsense\n", Recipe("bookworm", DEBIAN), "lines that say nothing"),
    ],
)  # fmt: skip
def test_a_host_makes_its_own_suite_from_its_own_mirror(
    codename: str | None, mirrors: str, recipe: Recipe, why: str
) -> None:
    os_release = {"ID": "any"} if codename is None else {"VERSION_CODENAME": codename}
    assert recipe_for(os_release, mirrors) == recipe, why


def test_equal_recipes_give_equal_tags_and_others_do_not() -> None:
    recipe = Recipe("bookworm", DEBIAN)
    assert recipe.tag == Recipe("bookworm", DEBIAN).tag
    others = {
        Recipe("trixie", DEBIAN).tag,
        Recipe("bookworm", UBUNTU).tag,
        Recipe("bookworm", DEBIAN, ("python3", "git")).tag,
        recipe.tag,
    }
    assert len(others) == 4


def test_the_three_commands_word_by_word() -> None:
    recipe = Recipe("bookworm", DEBIAN, ("python3", "git"))
    assert recipe.bootstrap("/t/system") == [
        *("debootstrap", "--variant=minbase", "--include=python3,git"),
        *("bookworm", "/t/system", DEBIAN),
    ]
    pack = recipe.pack("/t/system", "/t/system.tar")
    assert pack[:4] == ["tar", "--create", "--file=/t/system.tar", "--directory=/t/system"]
    assert "--exclude=./usr/share/doc/*" in pack
    assert pack[-1] == "."
    load = recipe.load("/t/system.tar")
    assert load[:3] == ["docker", "import", "--change"]
    assert load[-2:] == ["/t/system.tar", recipe.tag]


class FakeRun:
    """Notes what it is asked to run; some images exist, and a registry may answer."""

    def __init__(self, images: Sequence[str] = (), pull: int | Exception = 1) -> None:
        self.images = images
        self.pull = pull
        self.programs: list[str] = []

    def __call__(self, argv: Sequence[str], **_: Any) -> Completed:
        words = " ".join(argv[:3]) if argv[0] == "docker" else argv[0]
        self.programs.append(words)
        if words == "docker image inspect":
            return Completed("", "", 0 if argv[3] in self.images else 1)
        if words.startswith("docker pull"):
            if isinstance(self.pull, Exception):
                raise self.pull
            return Completed("", "", self.pull)
        return Completed("", "", 0)


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A host with bookworm and debootstrap, run by root."""
    monkeypatch.setattr(module, "_os_release", lambda: {"VERSION_CODENAME": "bookworm"})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/sbin/{name}")
    return Recipe("bookworm", DEBIAN)


def test_an_image_that_was_made_before_is_taken_first(recipe: Recipe) -> None:
    run = FakeRun([recipe.tag, REGISTRY_IMAGE])
    assert ensure_base(run) == recipe.tag
    assert "docker pull --quiet" not in run.programs


def test_an_image_that_was_pulled_before_is_taken(recipe: Recipe) -> None:
    run = FakeRun([REGISTRY_IMAGE])
    assert ensure_base(run) == REGISTRY_IMAGE
    assert "docker pull --quiet" not in run.programs


def test_a_registry_that_answers_gives_the_image(recipe: Recipe) -> None:
    run = FakeRun(pull=0)
    assert ensure_base(run) == REGISTRY_IMAGE
    assert "debootstrap" not in run.programs


@pytest.mark.parametrize(
    ("pull", "why"),
    [(1, "it refuses"), (ComposeError("no end after 300 s"), "it does not answer in time")],
)
def test_without_a_registry_an_image_is_made(
    recipe: Recipe, pull: int | Exception, why: str
) -> None:
    run = FakeRun(pull=pull)
    assert ensure_base(run) == recipe.tag, why
    assert run.programs[-3:] == ["debootstrap", "tar", "docker import --change"]


@pytest.mark.parametrize(
    ("tool", "user", "why"), [(None, 0, "debootstrap is missing"), ("/x", 1000, "not root")]
)
def test_where_no_image_can_be_made_the_way_out_is_named(
    monkeypatch: pytest.MonkeyPatch, recipe: Recipe, tool: str | None, user: int, why: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: tool)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    with pytest.raises(RigError, match=f"no registry has {REGISTRY_IMAGE}") as refused:
        ensure_base(FakeRun())
    assert "invoke provision" in refused.value.__notes__[0], why
