"""The stand-in's image: built once for each content."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from compose.errors import ComposeError
from compose.run import Completed
from loadtest.rig import image as module
from loadtest.rig.image import build_argv, content_digest, ensure_image, prepare_context


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what goes into the image, to be changed."""
    standin = tmp_path / "loadtest" / "standin"
    shutil.copytree(module.STANDIN, standin, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("constraints.txt", "pyproject.toml"):
        shutil.copy(module.ROOT / name, tmp_path)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "STANDIN", standin)
    return tmp_path


def test_the_same_content_has_the_same_digest(checkout: Path) -> None:
    assert content_digest("base:1") == content_digest("base:1")
    (checkout / "README.md").write_text("not in the image", encoding="utf-8")
    (checkout / "loadtest" / "standin" / "notes.txt").write_text("nor this", encoding="utf-8")
    before = content_digest("base:1")
    assert before == content_digest("base:1")
    assert len(before) == 12


@pytest.mark.parametrize(
    "name", ["loadtest/standin/app.py", "loadtest/standin/Dockerfile", "constraints.txt"]
)
def test_one_byte_of_any_source_changes_the_digest(checkout: Path, name: str) -> None:
    before = content_digest("base:1")
    with (checkout / name).open("ab") as file:
        file.write(b"#")
    assert content_digest("base:1") != before


def test_a_new_a_renamed_and_a_missing_source_change_the_digest(checkout: Path) -> None:
    standin = checkout / "loadtest" / "standin"
    seen = [content_digest("base:1")]
    (standin / "more.py").touch()
    seen.append(content_digest("base:1"))
    (standin / "more.py").rename(standin / "less.py")
    seen.append(content_digest("base:1"))
    assert len(set(seen)) == 3
    (standin / "less.py").unlink()
    assert content_digest("base:1") == seen[0]


def test_another_base_is_another_image(checkout: Path) -> None:
    assert content_digest("base:1") != content_digest("base:2")


def test_the_build_command_word_by_word() -> None:
    assert build_argv("image:1", "server", "base:1", Path("/c")) == [
        *("docker", "build", "--quiet", "--target", "server", "--tag", "image:1"),
        *("--build-arg", "BASE=base:1", "--label", "automaker-staging.image=standin"),
        *("--file", "/c/Dockerfile", "/c"),
    ]


class FakeRun:
    """Notes commands; has the images it is told to have."""

    def __init__(self, *, has_standin: bool) -> None:
        self.has_standin = has_standin
        self.commands: list[list[str]] = []

    def __call__(self, argv: Sequence[str], **_: Any) -> Completed:
        self.commands.append(list(argv))
        return Completed("", "", 0 if self.has_standin else 1)


def test_an_image_that_the_engine_has_is_not_built_again(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ensure_base", lambda _run: "base:1")
    run = FakeRun(has_standin=True)
    name = ensure_image(run, checkout / ".build")
    assert name == f"automaker-staging-standin-server:{content_digest('base:1')}"
    assert run.commands == [["docker", "image", "inspect", name]]


def test_an_image_that_is_missing_is_built_and_its_context_removed(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ensure_base", lambda _run: "base:1")
    run = FakeRun(has_standin=False)
    name = ensure_image(run, checkout / ".build", target="ui")
    assert name.startswith("automaker-staging-standin-ui:")
    assert [command[1] for command in run.commands] == ["image", "-m", "build"]
    [cached] = (checkout / ".build").iterdir()
    assert cached.name.startswith("site-packages-")


def test_the_context_holds_the_sources_and_pure_wheels_only(checkout: Path) -> None:
    run = FakeRun(has_standin=False)
    context = checkout / "context"
    context.mkdir()
    (context / "stale.py").touch()
    prepare_context(run, context, checkout / "cache")
    standin = checkout / "loadtest" / "standin"
    copied = {path.name for path in (context / "standin").iterdir()}
    assert copied == {path.name for path in standin.glob("*.py")}
    assert (context / "Dockerfile").read_bytes() == (standin / "Dockerfile").read_bytes()
    assert not (context / "stale.py").exists()
    [pip] = run.commands
    assert {"--only-binary=:all:", "--platform=any", "--no-compile"} <= set(pip)
    assert f"--constraint={checkout / 'constraints.txt'}" in pip


def test_libraries_are_fetched_once_and_anew_when_their_versions_change(checkout: Path) -> None:
    run, cache = FakeRun(has_standin=True), checkout / "cache"
    for number in (1, 2):
        prepare_context(run, checkout / f"context-{number}", cache)
    assert len(run.commands) == 1
    with (checkout / "constraints.txt").open("a", encoding="utf-8") as file:
        file.write("# newer\n")
    prepare_context(run, checkout / "context-3", cache)
    assert len(run.commands) == 2
    assert len(list(cache.iterdir())) == 1


def test_a_fetch_that_fails_leaves_no_half_folder(checkout: Path) -> None:
    def failing(argv: Sequence[str], **_: Any) -> Completed:
        raise ComposeError("no network")

    with pytest.raises(ComposeError):
        prepare_context(failing, checkout / "context", checkout / "cache")
    assert list((checkout / "cache").iterdir()) == []
