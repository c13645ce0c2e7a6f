from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.conftest import MIB
from tests.docker.own_host import FOLDERS, NAMESPACES, TOP, OwnHost, remnants, sweep

# Where no such host can be had, this says so for every test here.
pytestmark = pytest.mark.usefixtures("own_host")

SERVE = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=3008)"


@pytest.fixture(scope="module")
def small_host(own_host: OwnHost, base: str) -> Iterator[OwnHost]:
    """A second host, beside the one that all tests share."""
    with OwnHost.start(disk=512 * MIB) as host:
        host.load(base)
        yield host


@pytest.fixture(scope="module")
def hosts(own_host: OwnHost, small_host: OwnHost, base: str) -> list[OwnHost]:
    own_host.load(base)
    return [own_host, small_host]


def serve(host: OwnHost, base: str, text: str) -> str:
    """A container that answers on port 3008 with a text."""
    code = f"open('/name', 'w').write({text!r}); {SERVE}"
    return host.docker(
        "run", "--detach", "--name=server", "--memory=64m", "--publish=127.0.0.1:3008:3008",
        "--workdir=/", "--init", base, "python3", "-c", code,
    ).strip()  # fmt: skip


def answer(host: OwnHost) -> tuple[int, str]:
    for _ in range(100):
        try:
            return host.http("GET", "http://127.0.0.1:3008/name")
        except ConnectionError:
            pass
    raise AssertionError(host.docker("logs", "server"))


def test_two_hosts_publish_the_same_port_under_the_same_name(
    hosts: list[OwnHost], base: str
) -> None:
    for host in hosts:
        serve(host, base, host.name)
    try:
        assert [answer(host) for host in hosts] == [(200, host.name) for host in hosts]
        assert hosts[0].http("GET", "http://127.0.0.1:3008/absent")[0] == 404
    finally:
        for host in hosts:
            host.docker("rm", "--force", "server")
    with pytest.raises(ConnectionError):
        hosts[0].http("GET", "http://127.0.0.1:3008/name")


def test_a_container_is_held_to_its_memory_limit(own_host: OwnHost, base: str) -> None:
    own_host.load(base)
    argv = ["docker", "run", "--rm", "--memory=32m", "--memory-swap=32m", base,
            "python3", "-c", "bytearray(100 * 2**20)"]  # fmt: skip
    assert own_host.run(argv, check=False).returncode == 137


def test_a_verb_sees_the_engine_of_the_host_and_nothing_of_the_machine(
    own_host: OwnHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "of-the-machine")
    path = str(own_host.folder / "absent")
    done = own_host.invoke("doctor", "--path", path, "--json", check=False)
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert found["engine"]["level"] == "pass"
    code = "import os; print(os.environ.get('ANTHROPIC_API_KEY'), os.environ['ADDED'])"
    printed = own_host.run([sys.executable, "-c", code], env={"ADDED": "here"}).stdout
    assert printed == "None here\n"


def test_an_engine_that_was_killed_starts_again(small_host: OwnHost, base: str) -> None:
    serve(small_host, base, "before the crash")
    small_host.docker("update", "--restart=always", "server")
    small_host.kill_engine()
    assert small_host.run(["docker", "ps"], check=False).returncode != 0
    small_host.start_engine()
    assert answer(small_host) == (200, "before the crash")
    small_host.stop_engine()
    assert small_host.run(["docker", "ps"], check=False).returncode != 0
    small_host.start_engine()
    small_host.docker("rm", "--force", "server")


def test_a_build_fails_on_a_full_disk_and_succeeds_on_a_freed_one(
    small_host: OwnHost, base: str
) -> None:
    context = small_host.folder / "build"
    context.mkdir()
    (context / "Dockerfile").write_text(f"FROM {base}\nCOPY big /big\n", encoding="utf-8")
    (context / "big").write_bytes(os.urandom(16 * MIB))
    build = ["docker", "build", "--quiet", str(context)]
    small_host.fill_disk(leave_bytes=4 * MIB)
    full = small_host.run(build, check=False)
    assert full.returncode != 0
    assert "no space left on device" in full.stderr
    small_host.free_disk()
    assert small_host.run(build).stdout.startswith("sha256:")


def test_nothing_is_left_of_a_host_even_when_its_engine_was_killed(base: str) -> None:
    with OwnHost.start(disk=512 * MIB) as host:
        host.load(base)
        for name in ("running", "paused"):
            host.docker("run", "--detach", f"--name={name}", base, "sleep", "600")
        host.docker("pause", "paused")
        waiting = host.popen(["sleep", "600"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        host.kill_engine()
        assert len([one for one in remnants(host.name) if "(sleep)" in one]) == 3
    assert remnants(host.name) == []
    assert waiting.wait(10) == -signal.SIGKILL
    assert host.name not in Path("/proc/mounts").read_text(encoding="utf-8")
    assert host.name not in "".join(os.listdir(NAMESPACES))
    assert not any(host.name in words for words in command_lines())


def command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue


def test_nothing_is_left_of_a_host_whose_engine_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.docker.own_host.secrets.token_hex", lambda _: "deadbeef")
    monkeypatch.setattr(OwnHost, "start_engine", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        OwnHost.start(disk=64 * MIB)
    assert remnants(f"ah-{os.getpid()}-deadbeef") == []


def test_the_host_of_a_killed_test_run_is_swept_and_that_of_a_running_one_is_not(
    own_host: OwnHost,
) -> None:
    code = (
        "import os, signal\n"
        "from tests.docker.own_host import OwnHost\n"
        f"print(OwnHost.start(disk={64 * MIB}).name, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True, check=False
    )
    name = killed.stdout.strip()
    assert name, killed.stderr
    assert any("(dockerd)" in one for one in remnants(name))
    assert name in sweep()
    assert remnants(name) == []
    assert (FOLDERS / own_host.name).exists()
    assert own_host.docker("version")
