"""Engines and ports of other machines: a stand-in for ssh on the PATH says what it was asked."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadtest.rig import ssh as module
from loadtest.rig.errors import RigError
from loadtest.rig.ssh import Dialer, ssh_argv, tunnel
from tests.loadtest.standin.fakes import wait_until

FakeSsh = Callable[[str], None]
# Answers connections to the port that -L names with the rest of it, until its input ends.
FORWARD = """
import os, socket, sys, threading
here = sys.argv[sys.argv.index("-L") + 1].split(":")
listener = socket.create_server(("127.0.0.1", int(here[1])))
def serve():
    while True:
        client, _ = listener.accept()
        client.sendall(":".join(here[2:]).encode())
        client.close()
threading.Thread(target=serve, daemon=True).start()
while os.read(0, 1):
    pass
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for sockets; pytest's own is too deep for their paths."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def fake_ssh(tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSsh:
    """Makes `ssh` a Python program with the text given."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(module, "_place", lambda: place)

    def make(program: str) -> None:
        script = tmp_path / "ssh"
        script.write_text(f"#!{sys.executable}\n{program}", encoding="utf-8")
        script.chmod(0o755)

    return make


@pytest.mark.parametrize(
    ("address", "end"),
    [
        ("ssh://far", ["--", "far"]),
        ("ssh://far/", ["--", "far"]),
        ("ssh://operator@far", ["--", "operator@far"]),
        ("ssh://operator@far:2222", ["-p", "2222", "--", "operator@far"]),
    ],
)
def test_an_address_becomes_a_command_that_asks_nobody(address: str, end: list[str]) -> None:
    argv = ssh_argv(address)
    assert argv[-len(end) :] == end
    assert "BatchMode=yes" in argv


@pytest.mark.parametrize(
    "address",
    ["ssh://", "ssh://-oProxyCommand=x", "ssh://-x@far", "ssh://far:port", "far", "ssh://a/b.sock"],
)
def test_what_is_no_address_never_becomes_an_option(address: str) -> None:
    with pytest.raises(RigError, match="not an address"):
        ssh_argv(address)


def test_each_connection_is_an_ssh_of_its_own_that_ends_with_it(fake_ssh: FakeSsh) -> None:
    fake_ssh("import os\nwhile data := os.read(0, 99): os.write(1, data.upper())\n")
    dialer = Dialer("ssh://far")
    try:
        clients = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for client in clients:
            client.connect(dialer.url.removeprefix("unix://"))
        for client in clients:
            client.sendall(b"hello")
            assert client.recv(99) == b"HELLO"
        children = list(dialer._children)
        clients[0].close()
        wait_until(lambda: children[0].poll() is not None, "the first ssh to end")
        assert children[1].poll() is None
        children[1].kill()
        assert clients[1].recv(99) == b"", "the client sees that it ended"
        clients[1].close()
    finally:
        dialer.close()


def test_what_ssh_complains_of_can_be_told(fake_ssh: FakeSsh) -> None:
    fake_ssh("import sys\nsys.exit('warning\\noperator@far: Permission denied (publickey).')\n")
    dialer = Dialer("ssh://operator@far")
    try:
        assert dialer.problem() == ""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(dialer.url.removeprefix("unix://"))
            assert client.recv(99) == b""
        wait_until(lambda: dialer.problem() != "", "a complaint")
        assert dialer.problem() == "operator@far: Permission denied (publickey)."
    finally:
        dialer.close()


def test_a_closed_dialer_leaves_neither_socket_nor_process(fake_ssh: FakeSsh, place: Path) -> None:
    fake_ssh("import time\ntime.sleep(600)\n")
    dialer = Dialer("ssh://far")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(dialer.url.removeprefix("unix://"))
        wait_until(lambda: len(dialer._children) == 1, "an ssh")
        [child] = dialer._children
        dialer.close()
    assert child.poll() is not None
    assert list(place.iterdir()) == []


def test_the_folder_of_a_process_that_was_killed_is_removed_by_the_next(
    fake_ssh: FakeSsh, place: Path
) -> None:
    fake_ssh("")
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    (place / f"automaker-staging-ssh-{gone.pid}@1-x").mkdir()
    (place / "automaker-staging-ssh-notes").mkdir()
    Dialer("ssh://far").close()
    assert [one.name for one in place.iterdir()] == ["automaker-staging-ssh-notes"]


def test_a_deep_folder_for_temporary_files_is_no_place_for_sockets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/var/folders/zz/" + "x" * 80)
    assert module._place() == Path("/tmp")
    monkeypatch.setattr(tempfile, "tempdir", "/var/tmp")
    assert module._place() == Path("/var/tmp")


def test_a_tunnel_leads_to_the_port_there_and_ends_with_its_block(fake_ssh: FakeSsh) -> None:
    fake_ssh(FORWARD)
    with (
        tunnel("ssh://far", 4711) as port,
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        assert client.recv(99) == b"127.0.0.1:4711"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_tunnel_that_cannot_be_made_says_why_and_what_to_try(fake_ssh: FakeSsh) -> None:
    fake_ssh("import sys\nsys.exit('channel 0: open failed')\n")
    with (
        pytest.raises(RigError, match="no tunnel to ssh://far: channel 0: open failed") as caught,
        tunnel("ssh://far", 1),
    ):
        pass
    assert caught.value.__notes__ == ["try it: ssh -o BatchMode=yes far true"]
