"""One door for people and CI: every check and every measurement is a session here."""

from __future__ import annotations

import os

import nox
from nox.command import CommandFailed

nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "typecheck", "tests"]

PYTHON_CODE = ["settings", "compose", "loadtest", "tests", "verbs", "tasks.py", "noxfile.py"]
# Taking a target down takes a few seconds; nox would kill the session after 0.3.
PATIENCE_S = 60.0
NO_ENGINE = "no Docker engine: see above for what is missing and the command that helps"


def install(session: nox.Session, *groups: str) -> None:
    """Install dependency groups of pyproject.toml at the versions of constraints.txt."""
    project = nox.project.load_toml("pyproject.toml")
    wanted = nox.project.dependency_groups(project, *groups)
    session.install("--quiet", "--constraint", "constraints.txt", *wanted)


def run_patiently(session: nox.Session, *argv: str) -> None:
    """Run a command that cleans up after itself when it is interrupted."""
    session.run(*argv, interrupt_timeout=PATIENCE_S, terminate_timeout=PATIENCE_S)


def provision(session: nox.Session) -> bool:
    """Install and start a Docker engine where none answers; whether there is one now."""
    try:
        run_patiently(session, "invoke", "provision")
    except CommandFailed:
        return False  # it has said what is missing and which command helps
    return True


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format with ruff."""
    install(session, "lint")
    session.run("ruff", "check", *PYTHON_CODE)
    session.run("ruff", "format", "--check", *PYTHON_CODE)


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check types with mypy, strictly."""
    install(session, "typecheck")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test; container tests too, for which an engine is installed if need be."""
    install(session, "tests")
    if not provision(session) and os.environ.get("CI"):
        session.error("CI must run the container tests, and there is no Docker engine")
    run_patiently(session, "python", "-m", "pytest", *session.posargs)


@nox.session
def loadtest(session: nox.Session) -> None:
    """Confirm or refute the guide's capacity table in real containers (-- --help for options)."""
    install(session, "loadtest")
    given = {word.partition("=")[0] for word in session.posargs}
    only_asks = {"-h", "--help", "--dry-run", "--compare", "--report-only"} & given
    if not only_asks and not provision(session):
        session.error(NO_ENGINE)
    run_patiently(session, "python", "-m", "loadtest", *session.posargs)


@nox.session
def advise(session: nox.Session) -> None:
    """Advise maxConcurrency for memory, mix and risk; runs nothing (-- --help for options)."""
    install(session, "loadtest")
    session.run("python", "-m", "loadtest.advise", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed as ratios, side by side in one run."""
    install(session, "bench")
    if not provision(session):
        session.error(NO_ENGINE)
    run_patiently(session, "python", "-m", "loadtest.bench", *session.posargs)
