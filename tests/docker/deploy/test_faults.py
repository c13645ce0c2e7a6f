"""What goes wrong around a deploy: each ends with what ran still serving, and a clear error."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.deploy.staging import DOCS, DOCS_NAME, SERVER, UI, Staging
from tests.docker.own_host import OwnHost

pytestmark = pytest.mark.timeout(600)
HOLD = """
import socket, time
held = socket.create_server(("0.0.0.0", {port}))
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def live(staging: Staging) -> Staging:
    """A stack that serves."""
    staging.deploy("--ref", "start")
    return staging


@pytest.fixture(autouse=True)
def _goes_on(request: pytest.FixtureRequest, live: Staging) -> Iterator[None]:
    """Whatever happens, the release that was live serves afterwards and its docs are the same."""
    before, docs = live.live(), live.container_id(DOCS_NAME)
    yield
    live.write()
    if "moves_on" not in request.keywords:
        assert live.live() == before
    live.assert_all_serves()
    if "docs" not in request.node.name:
        assert live.container_id(DOCS_NAME) == docs


def failed(staging: Staging, *words: str, source: str = "standin") -> str:
    """Deploy what must fail with exit code 1; returns what it says."""
    done = staging.deploy(*words, source=source, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return str(done.stderr)


@pytest.fixture
def held_port(live: Staging) -> Iterator[int]:
    """A port of the host that some process has."""
    process = live.host.popen([sys.executable, "-c", HOLD.format(port=4007)])
    assert process.stdout is not None
    process.stdout.readline()
    yield 4007
    process.kill()
    process.communicate()


def test_a_port_that_a_process_holds_is_found_before_anything_is_built(
    live: Staging, held_port: int
) -> None:
    live.write(UI_PORT=str(held_port))
    said = failed(live, "--ref", "x")
    assert f"port {held_port} of ui is held by" in said
    assert "another UI_PORT in .env.staging" in said
    assert "build server" not in said
    live.settings.pop("UI_PORT")


def test_a_port_that_a_container_holds_is_found_with_its_name(live: Staging, base: str) -> None:
    live.host.docker("run", "-d", "--name", "holder", "-p", "4008:1", base, "sleep", "600")
    try:
        live.write(API_PORT="4008")
        assert "port 4008 of server is held by holder" in failed(live)
    finally:
        live.settings.pop("API_PORT")
        live.host.docker("rm", "-f", "holder")


def test_bad_lines_of_the_env_file_are_all_named(live: Staging) -> None:
    with live.env_file.open("a", encoding="utf-8") as file:
        file.write("CPU_LIMIT=7\nTYPO_KEY=sk-ant-typo\nnonsense\nMEMORY_LIMIT=lots\n")
    said = failed(live)
    for problem in ("set already", "unknown key", "not of the form KEY=value"):
        assert problem in said
    assert "sk-ant-typo" not in said
    # What runs can be seen and changed all the same.
    assert live.invoke("status").returncode == 0


def test_limits_that_this_host_cannot_give_are_refused_together(live: Staging) -> None:
    live.write(MEMORY_LIMIT="4000G", CPU_LIMIT="500")
    said = failed(live)
    assert "MEMORY_LIMIT is 4000.0 GiB" in said
    assert "CPU_LIMIT is 500" in said
    live.settings.clear()


def test_a_missing_directory_of_projects_is_found_by_the_engine(live: Staging) -> None:
    live.write(LABS_MOUNT="/mistyped/labs")
    said = failed(live)
    assert "missing: /mistyped/labs" in said
    assert not Path("/mistyped").exists()
    live.settings.clear()


def test_a_container_of_our_name_that_is_not_ours_is_left_alone(live: Staging, base: str) -> None:
    """Incident D10: a name conflict, which deploys swallowed."""
    live.write(STACK_NAME="other", DEPLOY_DIR=str(live.folder / "other"),
               API_PORT="4108", UI_PORT="4107")  # fmt: skip
    live.host.docker("run", "-d", "--name", "other-server-staging", base, "sleep", "600")
    try:
        assert "other-server-staging belongs to nobody, not to other-staging" in failed(live)
        assert "other-server-staging" in live.host.docker("ps", "--format", "{{.Names}}")
    finally:
        live.settings.clear()
        live.host.docker("rm", "-f", "other-server-staging")


def test_a_stack_is_deployed_from_one_directory_only(live: Staging) -> None:
    live.write(DEPLOY_DIR=str(live.folder / "elsewhere"))
    said = failed(live)
    assert f"is deployed from another deploy directory: {live.home}" in said
    assert "docker rm -f" in said
    live.settings.clear()


def test_two_deploys_at_once_are_one_after_the_other(live: Staging) -> None:
    first = live.begin("deploy", "--source", "standin:never-ready", "--ready-timeout", "6")
    _await_output(first, "] cut over server")
    refused = live.deploy("--ref", "second", check=False)
    assert refused.returncode == 1
    assert "locked: deploy of" in refused.stderr
    assert "--lock-wait" in refused.stderr
    waited = live.invoke("rollback", "--lock-wait", "60", "--release", live.live())
    assert "waiting for the lock: deploy of" in waited.stdout
    first.communicate()
    assert first.returncode == 1


def test_ctrl_c_amid_the_switch_goes_back(live: Staging) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        process = live.begin("deploy", "--source", "standin:never-ready")
        _await_output(process, "] server ready")
        time.sleep(0.5)
        process.send_signal(number)
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 130, said
        assert "serves again" in said
        assert live.status()["unfinished"] == ""


def test_ctrl_c_while_the_old_server_takes_its_time_to_stop(
    live: Staging, base: str, tmp_path: Path
) -> None:
    """It has been told to stop already: that it still answers says nothing."""
    for service in ("server", "ui"):
        live.host.docker("tag", f"automaker-{service}:staging", f"kept-{service}:1")
    commit = "LABEL automaker.git.commit.sha=unknown"
    slow = "trap 'sleep 6; kill $child' TERM; python3 -m standin & child=$!; wait; wait"
    (tmp_path / "Dockerfile").write_text(
        f'FROM kept-server:1 AS server\n{commit}\nENTRYPOINT ["sh", "-c", "{slow}"]\n'
        f"FROM kept-ui:1 AS ui\n{commit}\n",
        encoding="utf-8",
    )
    before = live.live()
    live.deploy(source=str(tmp_path))
    process = live.begin("deploy", "--source", "standin", "--ref", "hurry", "--min-free", "0.1")
    _await_output(process, "] cut over server")
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "serves again" in said
    time.sleep(8)  # by now the old one would have gone
    live.assert_all_serves()
    assert live.status()["problems"] == []
    live.invoke("rollback", "--release", before)
    live.host.docker("rmi", "-f", "kept-server:1", "kept-ui:1")


def test_the_loss_of_the_terminal_ends_nothing(live: Staging) -> None:
    process = live.begin("deploy", "--source", "standin:crash")
    _await_output(process, "] build ui")
    process.send_signal(signal.SIGHUP)
    said, _ = process.communicate(timeout=120)
    assert "serves again" in said
    assert process.returncode == 1


def test_a_source_without_the_targets_is_refused_by_name(live: Staging, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch AS server\n", encoding="utf-8")
    assert "no target ui" in failed(live, source=str(tmp_path))


def test_an_image_that_cannot_be_built_stops_nothing(
    live: Staging, base: str, tmp_path: Path
) -> None:
    text = f"FROM {base} AS server\nRUN echo the-reason >&2; exit 3\nFROM {base} AS ui\n"
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    said = failed(live, source=str(tmp_path))
    assert "the-reason" in said


def test_old_code_in_a_new_image_is_found(live: Staging, tmp_path: Path) -> None:
    """Incident D26: the build cache brought old code under a new commit."""
    image = live.host.docker("inspect", "-f", "{{.Image}}", SERVER).strip()
    live.host.docker("tag", image, "stale:1")
    (tmp_path / "Dockerfile").write_text("FROM stale:1 AS server\nFROM stale:1 AS ui\n", "utf-8")
    said = failed(live, source=str(tmp_path))
    assert "it would be old code in a new release" in said
    live.host.docker("rmi", "stale:1")


def test_a_refused_drain_stops_the_deploy_unless_told_otherwise(live: Staging) -> None:
    """Incident D3: the drain was refused, and skipped without a word."""
    files = {path: path.read_text("utf-8") for path in live.home.glob("releases/*/.env")}
    for path, right in files.items():
        path.write_text(right.replace("pa$1wor$D", "a-wrong-one"), "utf-8")
    live.write(AUTOMAKER_API_KEY="one-that-it-never-had")
    try:
        said = failed(live, "--ref", "undrained")
        assert "auto-mode status failed: 403 Invalid API key." in said
        assert "--no-drain" in said
    finally:
        live.settings.pop("AUTOMAKER_API_KEY")
        for path, right in files.items():
            path.write_text(right, "utf-8")


@pytest.mark.moves_on
def test_a_key_can_be_rotated(live: Staging) -> None:
    """The drain takes the key that the running server has, the smoke test the one it gets."""
    live.write(AUTOMAKER_API_KEY="another-key-from-now-on")
    try:
        live.deploy()
        headers = {"X-API-Key": "another-key-from-now-on"}
        address = "http://127.0.0.1:3008/api/health/quick"
        assert live.host.http("GET", address, headers)[0] == 200
    finally:
        live.settings.pop("AUTOMAKER_API_KEY")
    live.write()
    live.deploy()


def test_docs_that_cannot_be_built_or_started_leave_those_that_are_served(
    live: Staging, base: str, tmp_path: Path
) -> None:
    before = live.container_id(DOCS_NAME)
    for text in (f"FROM {base} AS docs\nRUN exit 3\n", f'FROM {base} AS docs\nCMD ["false"]\n'):
        (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
        done = live.invoke("docs.deploy", "--source", str(tmp_path), check=False)
        assert done.returncode == 1
        assert live.serves(f"{DOCS}/")
    assert "serve again" in done.stderr
    assert live.container_id(DOCS_NAME) != before


def test_features_of_the_board_are_never_deleted(live: Staging) -> None:
    """Incident D21: every start removed `.automaker/features` of real projects."""
    project = live.folder / "projects" / "mine"
    file = project / ".automaker" / "features" / "f1" / "feature.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}", encoding="utf-8")
    live.invoke("restart")
    assert file.read_text("utf-8") == "{}"


@pytest.mark.moves_on
def test_an_engine_that_is_restarted_amid_the_switch(live: Staging) -> None:
    process = live.begin("deploy", "--source", "standin", "--ref", "restarted")
    _await_output(process, "] cut over server")
    live.host.kill_engine()
    time.sleep(1)
    live.host.start_engine()
    said, _ = process.communicate(timeout=300)
    assert "Traceback" not in said
    if process.returncode != 0:
        assert "serves again" in said
    live.assert_all_serves()
    assert live.status()["problems"] == []


@pytest.mark.moves_on
def test_after_the_engine_was_away_start_brings_the_server_back(live: Staging) -> None:
    """on-failure does not restart a server after the engine itself was restarted."""
    live.host.stop_engine()
    live.host.start_engine()
    assert live.invoke("status", check=False).returncode == 1
    live.invoke("start")
    live.assert_all_serves()


def test_a_killed_ui_is_made_anew_by_start(live: Staging) -> None:
    live.host.docker("rm", "-f", "automaker-ui-staging")
    assert "ui is absent" in "".join(live.status()["problems"])
    live.invoke("start")
    assert live.serves(f"{UI}/")


def _await_output(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    seen = ""
    while text not in seen:
        piece = process.stdout.read(1)
        assert piece, seen
        seen += piece


def test_a_disk_that_fills_during_the_build(live: Staging, base: str, tmp_path: Path) -> None:
    with OwnHost.start(disk=900 * 10**6) as host:
        host.load(base)
        staging = Staging(host, host.folder / "stack")
        staging.deploy("--ref", "start")
        full = tmp_path / "full"
        full.mkdir()
        text = f"FROM {base} AS server\nRUN dd if=/dev/zero of=/big bs=1M\nFROM {base} AS ui\n"
        (full / "Dockerfile").write_text(text, encoding="utf-8")
        said = failed(staging, source=str(full))
        assert "no space left" in said.lower()
        assert "invoke prune" in said
        staging.assert_all_serves()
        # And one that is full before: found before anything is begun.
        host.fill_disk(50 * 10**6)
        assert "below 0.1 GB" in failed(staging, "--ref", "more")
        host.free_disk()
        staging.assert_all_serves()
        log = json.loads(staging.invoke("releases", "--audit", "--json").stdout)
        assert log[-1]["result"] in ("failed", "ok")
