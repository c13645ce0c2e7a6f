"""The first deploy of a stack: what it makes, and what it leaves when it fails."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.deploy.staging import DOCS, DOCS_NAME, KEY, MODEL_KEY, SERVER, Staging
from tests.docker.own_host import OwnHost

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def fresh(ready_host: OwnHost, tmp_path: Path) -> Iterator[Staging]:
    stack = Staging(ready_host, tmp_path / "stack")
    tmp_path.chmod(0o755)
    yield stack
    stack.clear()


def engine_state(host: OwnHost) -> str:
    """All that an engine has, as one text."""
    asked = (
        ("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.Image}}"),
        ("images", "--all", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"),
        ("volume", "ls", "--format", "{{.Name}}"),
        ("network", "ls", "--no-trunc", "--format", "{{.ID}} {{.Name}}"),
    )
    return "\n".join("\n".join(sorted(host.docker(*words).splitlines())) for words in asked)


def file_state(folder: Path) -> dict[str, str]:
    """Every file below a folder with its mode, time and content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        digest = hashlib.sha256(content).hexdigest()
        found[str(path)] = f"{stat.st_mode:o} {stat.st_mtime_ns} {digest}"
    return found


def test_a_dry_run_prints_the_commands_and_changes_nothing(fresh: Staging) -> None:
    before = engine_state(fresh.host), file_state(fresh.folder)
    done = fresh.invoke("deploy", "--source", "standin", "--dry-run")
    assert (engine_state(fresh.host), file_state(fresh.folder)) == before
    assert "$ docker buildx build --load" in done.stdout
    assert "up --detach --no-deps --no-build" in done.stdout
    assert "dry run: nothing was changed" in done.stdout
    assert KEY not in done.stdout
    assert MODEL_KEY not in done.stdout


def test_dry_runs_beside_a_live_stack_change_nothing_either(fresh: Staging) -> None:
    fresh.deploy("--ref", "v1")
    fresh.deploy("--ref", "v2")
    before = engine_state(fresh.host), file_state(fresh.folder)
    for words in (
        ("deploy", "--source", "standin", "--ref", "v3", "--dry-run"),
        ("rollback", "--dry-run"),
        ("restart", "--dry-run"),
        ("stop", "--dry-run"),
        ("start", "--dry-run"),
        ("prune", "--keep", "1", "--dry-run"),
        ("teardown", "--dry-run"),
        ("build", "--source", "standin", "--dry-run"),
        ("docs.build", "--source", "standin", "--dry-run"),
        ("docs.deploy", "--source", "standin", "--dry-run"),
        ("docs.stop", "--dry-run"),
    ):
        done = fresh.invoke(*words)
        assert (engine_state(fresh.host), file_state(fresh.folder)) == before, words
        assert "$ " in done.stdout or "would" in done.stdout or "forget" in done.stdout, words


def test_what_a_dry_run_prints_is_what_a_deploy_runs(fresh: Staging, tmp_path: Path) -> None:
    """Every command that changes something, in order, but for what only a build can tell."""
    log = tmp_path / "commands"
    spy = tmp_path / "bin" / "docker"
    spy.parent.mkdir()
    spy.write_text(
        f"#!/bin/sh\n{{ printf %s \"$*\" | tr '\\n' ' '; echo; }} >>{log}\n"
        'exec /usr/bin/docker "$@"\n',
        encoding="utf-8",
    )
    spy.chmod(0o755)
    path = {"PATH": f"{spy.parent}:{fresh.host.environment()['PATH']}"}
    planned = fresh.invoke("deploy", "--source", "standin", "--dry-run", env=path).stdout
    assert not _changing(log.read_text("utf-8").splitlines())
    log.unlink()
    fresh.invoke("deploy", "--source", "standin", "--min-free", "0.1", env=path)
    plan = [
        line.strip().removeprefix("$ docker ")
        for line in planned.splitlines()
        if line.strip().startswith("$ docker ")
    ]
    ran = _changing(log.read_text("utf-8").splitlines())
    # Not planned: the probes of the preflight, and the smoke test's own project.
    kinds = [_kind(one) for one in ran if not one.startswith(("create", "start", "rm", "import"))]
    assert list(map(_kind, plan)) == [one for one in kinds if one != "exec"]


def _changing(commands: list[str]) -> list[str]:
    looks = ("version", "info", "container inspect", "image inspect", "image ls", "volume ls",
             "ps", "port", "logs", "context", "network ls", "stats")  # fmt: skip
    return [
        one
        for one in commands
        if not one.startswith(looks)
        and " config " not in one
        and not one.startswith(("compose version", "buildx version"))
    ]


def _kind(command: str) -> str:
    words = command.split()
    if words[0] == "image" and words[1] == "tag":
        return "tag staging" if words[3].endswith(":staging") else "tag content"
    if words[0] == "image":
        return "take the name for the time being away"
    if words[0] == "compose":
        return f"compose {words[words.index('up') + 1 :]}"
    if words[0] == "buildx":
        return f"build {words[words.index('--target') + 1]}"
    return " ".join(words) if words[0] == "volume" else words[0]


@pytest.mark.parametrize("fault", ["crash", "no-agents"])
def test_a_first_deploy_that_fails_leaves_nothing_running(fresh: Staging, fault: str) -> None:
    done = fresh.deploy(source=f"standin:{fault}", check=False)
    assert done.returncode == 1
    assert "no earlier release to go back to" in done.stderr
    assert fresh.live() == ""
    assert fresh.host.docker("ps", "-q", "--filter", f"name={SERVER}") == ""
    assert fresh.deploy()["result"] == "ok"
    fresh.assert_all_serves()


def test_docs_that_cannot_be_built_do_not_fail_the_first_deploy(
    fresh: Staging, tmp_path: Path
) -> None:
    """Incidents D7 and D8: an optional service broke deploys and rollbacks."""
    fresh.deploy()
    for service in ("server", "ui"):
        fresh.host.docker("tag", f"automaker-{service}:staging", f"kept-{service}:1")
    fresh.clear()
    source = tmp_path / "source"
    source.mkdir()
    commit = "LABEL automaker.git.commit.sha=unknown\n"
    text = f"FROM kept-server:1 AS server\n{commit}FROM kept-ui:1 AS ui\n{commit}"
    text += "FROM kept-ui:1 AS docs\nRUN false\n"
    (source / "Dockerfile").write_text(text, encoding="utf-8")
    done = fresh.invoke("deploy", "--source", str(source), "--min-free", "0.1")
    assert "no docs, and the deploy goes on" in done.stdout
    fresh.assert_all_serves()
    assert not fresh.serves(f"{DOCS}/")
    assert fresh.container_id(DOCS_NAME) == ""
    fresh.host.docker("rmi", "-f", "kept-server:1", "kept-ui:1")


def test_without_an_env_file_one_is_written_and_no_placeholder_is_in_it(fresh: Staging) -> None:
    path = fresh.folder / "own" / ".env.staging"
    path.parent.mkdir()
    words = ("deploy", "--source", "standin", "--path", str(path), "--min-free", "0.1")
    home = {"DEPLOY_DIR": str(fresh.home), "CPU_LIMIT": "1", "MEMORY_LIMIT": "1G",
            "NODE_MAX_OLD_SPACE": "512", "PROJECTS_MOUNT": str(fresh.folder / "projects"),
            "LABS_MOUNT": str(fresh.folder / "labs")}  # fmt: skip
    done = fresh.host.invoke(*words, env=home)
    text = path.read_text("utf-8")
    assert "written, with limits that fit this host" in done.stdout
    assert "AUTOMAKER_API_KEY=" in text
    assert "calls-no-model" not in text
    assert path.stat().st_mode & 0o777 == 0o600
    # A real deploy does not start without the key that is missing.
    done = fresh.host.invoke(
        "deploy", "--source", str(fresh.folder), "--path", str(path), check=False
    )
    assert "ANTHROPIC_API_KEY: missing" in done.stderr


def test_a_git_repository_is_deployed_without_touching_the_checkout(
    fresh: Staging, tmp_path: Path
) -> None:
    """Incident D2: every deploy reset the developer's tree."""
    fresh.deploy("--ref", "v1")
    for service in ("server", "ui"):
        fresh.host.docker("tag", f"automaker-{service}:staging", f"kept-{service}:1")
    checkout = tmp_path / "automaker"
    checkout.mkdir()
    text = "".join(
        f"FROM kept-{one}:1 AS {one}\nARG GIT_COMMIT_SHA\n"
        "LABEL automaker.git.commit.sha=${GIT_COMMIT_SHA}\n"
        for one in ("server", "ui")
    )
    (checkout / "Dockerfile").write_text(text, encoding="utf-8")
    git = ["git", "-C", str(checkout), "-c", "user.name=t", "-c", "user.email=t@localhost"]
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", "one")):
        fresh.host.run([*git, *words])
    commit = fresh.host.run([*git, "rev-parse", "HEAD"]).stdout.strip()
    (checkout / "Dockerfile").write_text("my own unfinished work\n", encoding="utf-8")
    done = fresh.deploy("--ref", "main", source=str(checkout))
    assert done["release"]["commit"] == commit
    assert (checkout / "Dockerfile").read_text("utf-8") == "my own unfinished work\n"
    done = fresh.deploy("--ref", "no-such-branch", source=f"file://{checkout}", check=False)
    assert done.returncode == 1
    assert "no-such-branch" in done.stderr
    assert not (fresh.home / "work").exists()
    fresh.assert_all_serves()
    fresh.host.docker("rmi", "-f", "kept-server:1", "kept-ui:1")


def test_an_engine_elsewhere_is_reached_through_ssh(fresh: Staging, tmp_path: Path) -> None:
    """DOCKER_HOST=ssh://, with a stand-in for ssh that carries the engine's API as the real one."""
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    log = tmp_path / "ssh.log"
    ssh.write_text(
        f'#!/bin/sh\necho "$@" >>{log}\n'
        f"exec env DOCKER_HOST={fresh.host.socket} docker system dial-stdio\n",
        encoding="utf-8",
    )
    ssh.chmod(0o755)
    env = {
        "PATH": f"{ssh.parent}:{fresh.host.environment()['PATH']}",
        "DOCKER_HOST": "ssh://operator@localhost",
    }
    words = ("deploy", "--source", "standin", "--min-free", "0.1")
    done = fresh.invoke(*words, env=env)
    assert "disk: not known: the engine's disk cannot be seen from here" in done.stdout
    assert "http://localhost:3007" in done.stdout
    assert "operator" in log.read_text("utf-8")
    fresh.assert_all_serves()
    fresh.write(LABS_MOUNT="/not/there")
    done = fresh.invoke(*words, env=env, check=False)
    assert "on the engine's host: sudo install -d" in done.stderr
    status = fresh.invoke("status", env=env, check=False)
    assert "server" in status.stdout
    assert os.path.exists(fresh.home / "current")


def test_a_first_deploy_that_was_killed_can_be_looked_at_and_gone_on_from(fresh: Staging) -> None:
    words = ("deploy", "--source", "standin", "--min-free", "0.1")
    fresh.kill_at("ui ready", 0.0, *words)
    found = fresh.status()
    assert found["live"] == ""
    assert {one["service"] for one in found["services"]} == {"server", "ui", "docs"}
    assert found["problems"][0].endswith("deploy again")
    assert "rollback" not in found["problems"][0]
    done = fresh.invoke("rollback", check=False)
    assert "invoke deploy again" in done.stderr
    fresh.invoke("stop")
    assert not fresh.serves()
    assert fresh.deploy()["result"] == "ok"
    fresh.assert_all_serves()


def test_who_has_seen_enough_makes_no_deploy_fail(fresh: Staging) -> None:
    """`invoke deploy | head -1`: what was done is done, and says so by its exit code."""
    line = f"invoke deploy --source standin --min-free 0.1 --path {fresh.env_file} | head -1"
    script = f"set -o pipefail; {sys.executable} -m {line}"
    done = fresh.host.run(["bash", "-c", script], check=False)
    assert (done.returncode, done.stderr) == (0, "")
    fresh.assert_all_serves()


def test_a_number_that_is_none_is_said_in_one_line(fresh: Staging) -> None:
    for words in (("--keep", "x"), ("--keep", "-1"), ("--lock-wait", "soon")):
        done = fresh.invoke("deploy", "--source", "standin", *words, check=False)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert words[1] in done.stderr
