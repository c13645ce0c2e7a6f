"""In place of ssh: carries an engine's API, and ports, from a host of its own to the tests.

`install` writes a command `ssh` that understands what this project asks of the real one: to run
`docker system dial-stdio` there, and to lead a port here (-L) to one there until its input ends.
"""

from __future__ import annotations

import sys
from pathlib import Path

SCRIPT = """#!{python}
import ctypes, os, socket, sys, threading

args = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(" ".join(args) + "\\n")
if "-L" not in args:
    os.environ["DOCKER_HOST"] = {engine!r}
    os.execvp("docker", ["docker", "system", "dial-stdio"])

_, here, there_host, there = args[args.index("-L") + 1].split(":")
listener = socket.create_server(("127.0.0.1", int(here)))
# Sockets belong to the namespace that their process is in when it makes them.
namespace = os.open({namespace!r}, os.O_RDONLY)
if ctypes.CDLL(None, use_errno=True).setns(namespace, 0x40000000):
    sys.exit("setns: " + os.strerror(ctypes.get_errno()))


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    try:
        sink.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def serve():
    while True:
        client, _ = listener.accept()
        try:
            server = socket.create_connection((there_host, int(there)))
        except OSError:
            client.close()
            continue
        for pair in ((client, server), (server, client)):
            threading.Thread(target=pump, args=pair, daemon=True).start()


threading.Thread(target=serve, daemon=True).start()
while os.read(0, 1):
    pass
"""


def install(folder: Path, engine: str, namespace: Path) -> Path:
    """Write `ssh` into a folder, which is to come first in PATH; returns its log of calls."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "ssh.log"
    script = folder / "ssh"
    script.write_text(
        SCRIPT.format(python=sys.executable, log=str(log), engine=engine, namespace=str(namespace)),
        encoding="utf-8",
    )
    script.chmod(0o755)
    return log
