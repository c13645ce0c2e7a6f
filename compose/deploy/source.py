"""Where images come from: an automaker checkout, a git repository, or the stand-in."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from compose.deploy.host import Host
from compose.errors import ComposeError
from settings.environment import git_environment

STANDIN = "standin"
FAULTS = ("crash", "never-ready", "no-agents")
_TARGET = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*\S+\s+AS\s+(\S+)", re.IGNORECASE | re.MULTILINE)
_URL = re.compile(r"(?:https|ssh|git|file)://\S+|[\w.-]+@[\w.-]+:\S+")


@dataclass(frozen=True)
class Source:
    """What was asked for. `where` is a path or an address; for the stand-in the fault to have."""

    kind: Literal["standin", "checkout", "git"]
    where: str = field(repr=False)
    ref: str = ""

    @property
    def shown(self) -> str:
        """Return it without credentials, as records and people see it."""
        at = f" at {self.ref}" if self.ref else ""
        if self.kind == "standin":
            return f"stand-in{f' with the fault {self.where!r}' if self.where else ''}{at}"
        return f"{without_credentials(self.where)}{at}"


@dataclass(frozen=True)
class BuildContext:
    """A folder to build from: its commit, and what its Dockerfile wants to know beside that."""

    folder: Path
    commit: str
    build_args: Mapping[str, str] = field(default_factory=dict)


PrepareStandin = Callable[[Path, str, str], BuildContext]
"""Fills a folder with the stand-in's context: (folder, fault, ref)."""


def parse_source(text: str, ref: str = "") -> Source:
    """Read `--source`. Raises ComposeError (exit code 2) for what is none of the three."""
    if ref.startswith("-") or re.search(r"[^\w./@^~+-]", ref):
        raise ComposeError(f"{ref!r} is no name of a commit, branch or tag", exit_code=2)
    name, _, fault = text.partition(":")
    if name == STANDIN:
        if fault and fault not in FAULTS:
            raise ComposeError(
                f"the stand-in has no fault {fault!r}",
                next_step=f"choose from {', '.join(FAULTS)}",
                exit_code=2,
            )
        return Source("standin", fault, ref)
    if _URL.fullmatch(text) and _is_address(text):
        return Source("git", text, ref)
    path = Path(text).expanduser()
    if not path.is_dir():
        raise ComposeError(
            f"--source {without_credentials(text)}: no such directory, and no address of git",
            next_step="give a checkout of automaker, https://..., or standin to try things out",
            exit_code=2,
        )
    return Source("checkout", str(path.resolve()), ref)


def without_credentials(address: str) -> str:
    """Return an address without user and password; tokens are often put there."""
    if "://" not in address or not _is_address(address):
        return address
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _is_address(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def secrets_in(source: Source) -> list[str]:
    """Return what is secret in an address: a password; and a user alone, if it may be a token."""
    if "://" not in source.where:
        return []
    parts = urlsplit(source.where)
    if parts.password:
        return [parts.password]
    return [parts.username] if parts.username and parts.scheme.startswith("http") else []


def missing_targets(dockerfile: str, wanted: tuple[str, ...]) -> list[str]:
    """Return the build targets that a Dockerfile does not have."""
    there = {name.lower() for name in _TARGET.findall(dockerfile)}
    return [one for one in wanted if one not in there]


@contextmanager
def fetched(
    host: Host, source: Source, work: Path, standin: PrepareStandin
) -> Iterator[BuildContext]:
    """Give a context to build from. Nobody's checkout is changed: a commit is exported from it."""
    host.act(f"make the folder {work}", lambda: _make_anew(work))
    try:
        if source.kind == "standin":
            yield _standin(host, source, work, standin)
        elif source.kind == "checkout" and not source.ref:
            yield BuildContext(Path(source.where), _commit_of(host, Path(source.where)))
        else:
            yield _exported(host, source, work)
    finally:
        if not host.dry:
            shutil.rmtree(work, ignore_errors=True)


def _make_anew(work: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)


def _standin(host: Host, source: Source, work: Path, standin: PrepareStandin) -> BuildContext:
    if host.dry:
        host.progress.note(f"lay the stand-in out in {work / 'context'}")
        return BuildContext(work / "context", "COMMIT")
    return standin(work, source.where, source.ref)


def check_dockerfile(context: BuildContext, wanted: tuple[str, ...]) -> None:
    """See that a Dockerfile is there and has the targets. Raises ComposeError."""
    file = context.folder / "Dockerfile"
    try:
        missing = missing_targets(file.read_text(encoding="utf-8"), wanted)
    except OSError as error:
        raise ComposeError(
            f"{file}: cannot be read: {error.strerror}",
            next_step="--source takes a checkout of automaker, which has one",
        ) from None
    if missing:
        raise ComposeError(
            f"the Dockerfile of this source has no target {', '.join(missing)}",
            next_step=f"automaker's has {', '.join(wanted)}: FROM ... AS {missing[0]}",
        )


def _commit_of(host: Host, folder: Path) -> str:
    """Return a checkout's commit, with `-dirty` where files differ: the label has to be true."""
    git = ["git", "-C", str(folder)]
    head = host.look([*git, "rev-parse", "--verify", "HEAD"])
    if head.returncode != 0:
        if "not a git repository" in head.stderr:
            return "unknown"
        if "Needed a single revision" in head.stderr:
            return "unknown"  # a repository without any commit
        # Not to be taken for no repository: the label would prove nothing.
        raise ComposeError(
            f"{folder}: git does not say its commit: {head.stderr.strip().splitlines()[0]}",
            next_step=f"git config --global --add safe.directory {folder}, if it is to be trusted",
        )
    changed = host.listing([*git, "status", "--porcelain"])
    return head.stdout.strip() + ("-dirty" if changed else "")


def _exported(host: Host, source: Source, work: Path) -> BuildContext:
    """Lay the files of one commit out, from a checkout or a repository that is fetched for it."""
    tree, archive = work / "tree", work / "tree.tar"
    if source.kind == "checkout":
        git = ["git", "-C", source.where]
        found = host.look([*git, "rev-parse", "--verify", "--quiet", f"{source.ref}^{{commit}}"])
        commit = found.stdout.strip()
        if found.returncode != 0:
            raise ComposeError(f"{source.where}: no commit, branch or tag {source.ref!r}")
    else:
        git = ["git", "--git-dir", str(work / "git")]
        commit = _fetch(host, source, git)
    host.change([*git, "archive", "--format=tar", f"--output={archive}", commit])
    host.act(f"make the folder {tree}", tree.mkdir)
    host.change(["tar", "--extract", f"--file={archive}", f"--directory={tree}"])
    return BuildContext(tree, commit)


def _fetch(host: Host, source: Source, git: list[str]) -> str:
    """Fetch one commit into a repository of our own; returns its full name."""
    env = git_environment(source.where)
    host.change([*git, "init", "--quiet", "--bare"], env=env)
    wanted = source.ref or "HEAD"
    # By a name: the address may hold a token, and a command line can be read by everybody.
    fetch = ["fetch", "--quiet", "--depth", "1", "--no-tags", "--", "source", wanted]
    host.change([*git, *fetch], env=env, timeout_s=900.0)
    if host.dry:
        return "COMMIT"
    [commit] = host.listing([*git, "rev-parse", "--verify", "FETCH_HEAD^{commit}"])
    return commit
