"""Where images come from: what was typed, and what is then built from."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.deploy.host import Host
from compose.deploy.source import (
    BuildContext,
    Source,
    check_dockerfile,
    fetched,
    missing_targets,
    parse_source,
    secrets_in,
    without_credentials,
)
from compose.errors import ComposeError
from compose.run import run
from tests.compose.deploy.fakes import host

GIT = ("git", "-c", "user.name=ada", "-c", "user.email=ada@localhost", "-c", "commit.gpgsign=false")


@pytest.mark.parametrize(
    ("text", "kind", "where", "shown", "why"),
    [
        ("standin", "standin", "", "stand-in", "to try things out"),
        ("standin:", "standin", "", "stand-in", "no fault at all"),
        ("standin:crash", "standin", "crash", "stand-in with the fault 'crash'", "a fault"),
        ("https://git.example/a.git", "git", "https://git.example/a.git",
         "https://git.example/a.git", "an address"),
        ("https://ada:s3cret@git.example/a.git", "git", "https://ada:s3cret@git.example/a.git",
         "https://git.example/a.git", "credentials are used and not shown"),
        ("ssh://git@git.example:22/a", "git", "ssh://git@git.example:22/a",
         "ssh://git.example:22/a", "ssh by its address"),
        ("git@git.example:team/a.git", "git", "git@git.example:team/a.git",
         "git@git.example:team/a.git", "ssh as git writes it"),
        ("git://git.example/a", "git", "git://git.example/a", "git://git.example/a", "plain git"),
        ("file:///srv/a.git", "git", "file:///srv/a.git", "file:///srv/a.git", "a bare repository"),
    ],
)  # fmt: skip
def test_what_was_typed_is_understood(
    text: str, kind: str, where: str, shown: str, why: str
) -> None:
    found = parse_source(text)
    assert (found.kind, found.where, found.shown) == (kind, where, shown), why
    assert "s3cret" not in repr(found)


def test_a_directory_is_a_checkout_wherever_it_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "automaker").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for text in ("automaker", "./automaker", "~/automaker", f"{tmp_path}/automaker"):
        assert parse_source(text, "v1") == Source("checkout", f"{tmp_path}/automaker", "v1"), text
    assert parse_source("automaker", "v1").shown == f"{tmp_path}/automaker at v1"


@pytest.mark.parametrize(
    ("text", "ref", "says", "why"),
    [
        ("/nope", "", "/nope: no such directory", "a directory that is missing"),
        ("standin:fire", "", "no fault 'fire'", "a fault that there is not"),
        ("ext::sh -c touch% /tmp/x", "", "no such directory", "a transport that runs commands"),
        ("ext::https://git.example/a", "", "no such directory", "the same in disguise"),
        ("--upload-pack=touch /tmp/x", "", "no such directory", "an option of git"),
        ("-x", "", "no such directory", "a short one"),
        ("http://ada:s3cret@git.example/a", "", "no such directory", "anybody could change it"),
        ("ftp://git.example/a", "", "no such directory", "no way that git should take"),
        ("https://git.example/a b", "", "no such directory", "two words"),
        ("https://git.example/a", "--upload-pack=x", "no name of a commit", "an option as a ref"),
        ("https://git.example/a", "-x", "no name of a commit", "a short one"),
        ("https://git.example/a", "a b", "no name of a commit", "two words as a ref"),
        ("/", "-x", "no name of a commit", "of a checkout, too"),
    ],
)
def test_what_is_no_source_ends_with_2_and_says_so(
    text: str, ref: str, says: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ComposeError, match=says) as caught:
        parse_source(text, ref)
    assert caught.value.exit_code == 2, why
    assert "s3cret" not in "".join([str(caught.value), *getattr(caught.value, "__notes__", ())])


def test_half_an_address_is_answered_like_any_other_mistake() -> None:
    with pytest.raises(ComposeError):
        assert parse_source("https://[git.example/a").shown


words = st.text("abcXYZ012._~-", min_size=1, max_size=12)


@given(words, words, words)
def test_no_address_shows_its_credentials(user: str, password: str, host_name: str) -> None:
    plain = f"https://{host_name}.example/a.git"
    assert without_credentials(plain) == plain
    assert without_credentials(f"https://{user}:{password}@{host_name}.example/a.git") == plain
    assert without_credentials(f"https://{user}@{host_name}.example/a.git") == plain


@pytest.mark.parametrize(
    ("address", "secret", "why"),
    [
        ("https://ada:s3cret@git.example/a", {"s3cret"}, "a user is none"),
        ("https://s3cret@git.example/a", {"s3cret"}, "a token instead of a user"),
        ("https://git.example/a", set(), "nothing secret"),
        ("git@git.example:a", set(), "everybody's user"),
        ("ssh://deploy@git.example/a", set(), "every `deploy` would be masked, also in the log"),
        ("/srv/a", set(), "a path"),
    ],
)
def test_what_is_secret_in_an_address(address: str, secret: set[str], why: str) -> None:
    assert set(secrets_in(Source("git", address))) == secret, why


@pytest.mark.parametrize(
    ("dockerfile", "missing", "why"),
    [
        ("FROM node AS server\nFROM nginx AS ui\n", [], "both"),
        ("from node as server\nFrom nginx aS UI\n", [], "in any case"),
        ("FROM --platform=$BUILDPLATFORM node:22 AS server\nFROM x AS ui", [], "with an option"),
        ("FROM --platform=a --other=b node AS server\nFROM x AS ui", [], "with two"),
        ("  FROM\tnode\tAS\tserver\nFROM x AS ui", [], "with tabs"),
        ("FROM node@sha256:ab AS server\r\nFROM x AS ui\r\n", [], "with the line ends of Windows"),
        ("FROM node AS server\n", ["ui"], "one of two"),
        ("# FROM node AS server\nFROM x AS ui", ["server"], "a comment is no target"),
        ("RUN echo FROM node AS server\nFROM x AS ui", ["server"], "nor is a command"),
        ("FROM node AS servers\nFROM x AS ui", ["server"], "nor a longer name"),
        ("FROM server\nFROM ui\n", ["server", "ui"], "nor a stage without a name"),
        ("", ["server", "ui"], "nothing"),
    ],
)
def test_targets_are_found(dockerfile: str, missing: list[str], why: str) -> None:
    assert missing_targets(dockerfile, ("server", "ui")) == missing, why


def test_a_source_that_cannot_be_built_is_refused_before_anything_is(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match="Dockerfile: cannot be read: No such file"):
        check_dockerfile(BuildContext(tmp_path, "c"), ("server",))
    (tmp_path / "Dockerfile").write_text("FROM node AS server\n", encoding="utf-8")
    check_dockerfile(BuildContext(tmp_path, "c"), ("server",))
    with pytest.raises(ComposeError, match="no target ui") as caught:
        check_dockerfile(BuildContext(tmp_path, "c"), ("server", "ui"))
    assert "FROM ... AS ui" in caught.value.__notes__[0]


def no_standin(_folder: Path, _fault: str, _ref: str) -> BuildContext:
    raise AssertionError("nobody asked for the stand-in")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [*GIT, "-C", str(folder), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with two commits, `v1` a tag of the first one and `feature/x` a branch at it."""
    folder = tmp_path / "automaker"
    subprocess.run([*GIT, "init", "--quiet", "--initial-branch=dev", str(folder)], check=True)
    for text, also in (
        ("one", ("tag", "--annotate", "--message=one", "v1")),
        ("two", ("branch", "feature/x", "v1")),
    ):
        (folder / "file").write_text(text, encoding="utf-8")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", text)
        git(folder, *also)
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home" / "work"
    assert not (tmp_path / "home" / "work").exists(), "the work folder goes in the end"


@pytest.fixture
def real() -> Host:
    return host(run)


def test_a_checkout_is_built_as_it_is(checkout: Path, work: Path, real: Host) -> None:
    with fetched(real, parse_source(str(checkout)), work, no_standin) as context:
        assert context == BuildContext(checkout, git(checkout, "rev-parse", "HEAD"))


@pytest.mark.parametrize("name", ["file", "untracked"])
def test_a_checkout_that_differs_from_its_commit_says_so(
    checkout: Path, work: Path, real: Host, name: str
) -> None:
    (checkout / name).write_text("uncommitted", encoding="utf-8")
    with fetched(real, parse_source(str(checkout)), work, no_standin) as context:
        assert context.commit == git(checkout, "rev-parse", "HEAD") + "-dirty"
        assert (context.folder / name).read_text(encoding="utf-8") == "uncommitted"


def test_a_folder_that_is_no_repository_has_no_commit(
    tmp_path: Path, work: Path, real: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "plain").mkdir()
    with fetched(real, parse_source(str(tmp_path / "plain")), work, no_standin) as context:
        assert context == BuildContext(tmp_path / "plain", "unknown")


@pytest.mark.parametrize("ref", ["v1", "feature/x", "COMMIT"])
def test_a_commit_is_exported_and_the_checkout_stays_as_it_was(
    checkout: Path, work: Path, real: Host, ref: str
) -> None:
    wanted = git(checkout, "rev-parse", "v1^{commit}")
    (checkout / "file").write_text("uncommitted", encoding="utf-8")
    before = (git(checkout, "status", "--porcelain"), git(checkout, "rev-parse", "HEAD"))
    source = parse_source(str(checkout), ref if ref != "COMMIT" else wanted)
    with fetched(real, source, work, no_standin) as context:
        assert context.commit == wanted
        assert context.folder.is_relative_to(work)
        assert (context.folder / "file").read_text(encoding="utf-8") == "one"
    assert (checkout / "file").read_text(encoding="utf-8") == "uncommitted"
    assert (git(checkout, "status", "--porcelain"), git(checkout, "rev-parse", "HEAD")) == before
    assert git(checkout, "branch", "--show-current") == "dev"


def test_a_repository_elsewhere_gives_its_head(checkout: Path, work: Path, real: Host) -> None:
    with fetched(real, parse_source(f"file://{checkout}"), work, no_standin) as context:
        assert context.commit == git(checkout, "rev-parse", "HEAD")
        assert (context.folder / "file").read_text(encoding="utf-8") == "two"


@pytest.mark.parametrize("address", ["{}", "file://{}"])
def test_a_ref_that_there_is_not_is_named(
    checkout: Path, work: Path, real: Host, address: str
) -> None:
    source = parse_source(address.format(checkout), "no-such-branch")
    with (
        pytest.raises(ComposeError, match="no-such-branch"),
        fetched(real, source, work, no_standin),
    ):
        pytest.fail("built from nothing")


def test_a_commit_as_people_abbreviate_it_is_found_in_a_checkout(
    checkout: Path, work: Path, real: Host
) -> None:
    short = git(checkout, "rev-parse", "--short=8", "v1^{commit}")
    with fetched(real, parse_source(str(checkout), short), work, no_standin) as context:
        assert context.commit.startswith(short)


def test_a_repository_that_is_not_there_is_named(tmp_path: Path, work: Path, real: Host) -> None:
    source = parse_source(f"file://{tmp_path}/absent")
    with pytest.raises(ComposeError, match="absent"), fetched(real, source, work, no_standin):
        pytest.fail("built from nothing")


def test_what_a_killed_build_left_is_in_nobodys_way(checkout: Path, work: Path, real: Host) -> None:
    (work / "git").mkdir(parents=True)
    (work / "git" / "HEAD").write_text("half", encoding="utf-8")
    with fetched(real, parse_source(str(checkout), "v1"), work, no_standin) as context:
        assert (context.folder / "file").read_text(encoding="utf-8") == "one"


def test_a_build_that_fails_leaves_no_work_folder_either(
    checkout: Path, work: Path, real: Host
) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        fetched(real, parse_source(str(checkout), "v1"), work, no_standin),
    ):
        raise ZeroDivisionError


def test_the_stand_in_is_laid_out_by_whoever_knows_it(work: Path, real: Host) -> None:
    def prepare(folder: Path, fault: str, ref: str) -> BuildContext:
        assert folder == work
        assert folder.is_dir()
        return BuildContext(folder / "context", f"standin-{fault}-{ref}")

    with fetched(real, parse_source("standin:crash", "v2"), work, prepare) as context:
        assert context.commit == "standin-crash-v2"


def test_a_dry_run_fetches_nothing_and_prints_what_it_would_run(work: Path) -> None:
    def refuse(*_words: object, **_options: object) -> None:
        raise AssertionError("a command was run")

    said: list[str] = []
    dry = host(refuse, said, dry=True)  # type: ignore[arg-type]
    source = parse_source("https://ada:s3cret@git.example/a", "v1")
    with fetched(dry, source, work, no_standin) as found:
        assert found == BuildContext(work / "tree", "COMMIT")
    assert not work.exists()
    git = f"git --git-dir {work}/git"
    assert [line.strip() for line in "".join(said).splitlines()] == [
        f"make the folder {work}",
        f"$ {git} init --quiet --bare",
        f"$ {git} fetch --quiet --depth 1 --no-tags -- source v1",
        f"$ {git} archive --format=tar --output={work}/tree.tar COMMIT",
        f"make the folder {work}/tree",
        f"$ tar --extract --file={work}/tree.tar --directory={work}/tree",
    ]


def test_a_dry_run_with_a_checkout_knows_its_commit_and_changes_nothing(
    checkout: Path, work: Path
) -> None:
    said: list[str] = []
    dry, wanted = host(run, said, dry=True), git(checkout, "rev-parse", "v1^{commit}")
    with fetched(dry, parse_source(str(checkout), "v1"), work, no_standin) as found:
        assert found == BuildContext(work / "tree", wanted)
        assert not work.exists()
    assert f"--output={work}/tree.tar {wanted}" in "".join(said)
    with fetched(dry, parse_source(str(checkout)), work, no_standin) as found:
        assert found == BuildContext(checkout, git(checkout, "rev-parse", "HEAD"))
    with (
        pytest.raises(ComposeError, match="no-such-branch"),
        fetched(dry, parse_source(str(checkout), "no-such-branch"), work, no_standin),
    ):
        pytest.fail("a plan for a commit that there is not")


def test_a_dry_run_lays_no_stand_in_out(work: Path) -> None:
    said: list[str] = []
    dry = host(run, said, dry=True)
    with fetched(dry, parse_source("standin"), work, no_standin) as found:
        assert found == BuildContext(work / "context", "COMMIT")
    assert f"lay the stand-in out in {work}/context" in "".join(said)


def test_a_work_folder_of_somebody_else_is_left_alone_by_a_dry_run(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    with fetched(host(run, dry=True), parse_source("standin"), tmp_path / "w", no_standin):
        pass
    assert (tmp_path / "w").is_dir()
