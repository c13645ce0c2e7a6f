"""What tests of the deploy path share: an engine that prints what it is told, a stack, a server."""

from __future__ import annotations

import contextlib
import copy
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from compose.deploy.context import Context, State
from compose.deploy.cutover import Running
from compose.deploy.host import Host, Progress
from compose.deploy.release import Image, Release, digest, env_text
from compose.deploy.view import StackView, read_view
from compose.errors import ComposeError
from compose.run import Completed, Run, failure_text
from settings.redact import Redactor
from settings.stack import Stack

KEY = "pa$1wor$D-of-the-test"
GIB = 2**30
MODEL: dict[str, Any] = {
    "name": "automaker-staging",
    "services": {
        "server": {
            "container_name": "automaker-server-staging",
            "image": "automaker-server:abc",
            "build": {"args": {"UID": 1000, "GIT_COMMIT_SHA": "unknown", "UNSET": None}},
            "mem_limit": str(4 * GIB),
            "cpus": 2,
            "environment": {
                "NODE_OPTIONS": "--max-old-space-size=1024",
                "AUTOMAKER_API_KEY": KEY.replace("$", "$$"),
                "DATA_DIR": "/data",
            },
            "stop_grace_period": "45s",
            "healthcheck": {"interval": "2s", "timeout": "1s", "retries": 3, "start_period": "4s"},
            "ports": [{"published": "3008", "target": 3008}],
            "volumes": [
                {"type": "volume", "source": "automaker-data", "target": "/data"},
                {"type": "bind", "source": "/srv/projects", "target": "/srv/projects"},
                {"type": "bind", "source": "/srv/labs", "target": "/srv/labs"},
            ],
        },
        "ui": {
            "container_name": "automaker-ui-staging",
            "image": "automaker-ui:abc",
            "mem_limit": str(2 * GIB),
            "ports": [{"published": "3007", "target": 80}],
        },
    },
    "volumes": {
        "automaker-data": {"name": "automaker-data", "external": True},
        "automaker-cache": {"name": "automaker-cache", "external": True},
        "own": {"name": "automaker-staging_own"},
    },
}


def model(**ports: int) -> dict[str, Any]:
    """The stack's model; `server=4008` publishes that port instead."""
    changed = copy.deepcopy(MODEL)
    for service, port in ports.items():
        changed["services"][service]["ports"][0]["published"] = str(port)
    return changed


def view(**ports: int) -> StackView:
    return read_view(model(**ports))


def running(file: Path = Path("/deploys/compose.yml"), **ports: int) -> Running:
    return Running(file, {"AUTOMAKER_API_KEY": KEY}, view(**ports))


class Engine:
    """Prints by how a command begins, the longest beginning first; anything else is refused.

    `containers` are what `docker container inspect NAME` prints, `model` what Compose makes of
    every compose file.
    """

    def __init__(
        self,
        prints: Mapping[str, str | Completed] | None = None,
        containers: Mapping[str, str] | None = None,
        model: Mapping[str, Any] | None = None,
    ) -> None:
        self.prints = dict(prints or {})
        self.containers = dict(containers or {})
        self.model = MODEL if model is None else model
        self.argvs: list[list[str]] = []
        self.environments: list[Mapping[str, str]] = []
        self.inputs: list[str] = []

    @property
    def commands(self) -> list[str]:
        return [" ".join(argv) for argv in self.argvs]

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
        stdin: str = "",
    ) -> Completed:
        self.argvs.append(list(argv))
        self.environments.append(env or {})
        self.inputs.append(stdin)
        done = self._answer(list(argv))
        if check and done.returncode != 0:
            raise ComposeError(failure_text(argv, done))
        return done

    def _answer(self, argv: list[str]) -> Completed:
        if argv[:3] == ["docker", "container", "inspect"]:
            text = self.containers.get(argv[-1])
            absent = Completed("", f"Error: No such container: {argv[-1]}", 1)
            return absent if text is None else Completed(text, "", 0)
        if argv[:2] == ["docker", "compose"] and argv[-3:] == ["config", "--format", "json"]:
            return Completed(json.dumps(self.model), "", 0)
        command = " ".join(argv)
        told = [one for one in self.prints if command.startswith(one)]
        if not told:
            return Completed("", f"refused: {command}", 1)
        said = self.prints[max(told, key=len)]
        return said if isinstance(said, Completed) else Completed(said, "", 0)


class Silent(Engine):
    """An engine that nobody reaches; Compose reads its files all the same."""

    def _answer(self, argv: list[str]) -> Completed:
        if "config" in argv:
            return super()._answer(argv)
        return refusal("Cannot connect to the Docker daemon at tcp://127.0.0.1:1.")


def refusal(text: str, status: int = 1) -> Completed:
    return Completed("", text, status)


def inspected(name: str, *, image: str = "sha256:server", **changes: Any) -> str:
    """What the engine prints of a container that runs; keywords change its state."""
    state = {"Status": "running", "ExitCode": 0, "OOMKilled": False, "StartedAt": "2026-03-14"}
    labels = changes.pop("labels", {"com.docker.compose.project": "automaker-staging"})
    restarts, limit = changes.pop("restarts", 0), changes.pop("limit", 5)
    policy = {"Name": "on-failure", "MaximumRetryCount": limit}
    fields = ["id-" + name, f"/{name}", image, state | changes, restarts, policy, 4 * GIB, labels]
    return json.dumps(fields)


def image_line(image_id: str, commit: str = "") -> str:
    """What the engine prints of an image: its id and its labels."""
    labels = {"automaker.git.commit.sha": commit, "other": "label"} if commit else None
    return f"{image_id} {json.dumps(labels)}\n"


def host(run: Run, said: list[str] | None = None, *, dry: bool = False) -> Host:
    return Host(run, Progress((said if said is not None else []).append, redact=Redactor()), dry)


def context(
    home: Path,
    run: Run,
    said: list[str] | None = None,
    *,
    dry: bool = False,
    local: bool = True,
    verb: str = "deploy",
) -> Context:
    """A run of a verb on a stack whose deploy directory is `home`; `said` takes what it shows."""
    stack = Stack("automaker", home)
    return Context(host(run, said, dry=dry), stack, "127.0.0.1", local, verb)


def release(
    name: str = "20260314-091500-ab12cd34", *, live: bool = True, tag: str = "", **changes: Any
) -> Release:
    """A release; `live` says whether it ever was, `tag` what its images are called."""
    tag = tag or name[-8:]
    images = {
        service: Image(f"automaker-{service}:{tag}", f"sha256:{service}-{tag}")
        for service in ("server", "ui")
    }
    fields: dict[str, Any] = {
        "id": name,
        "created": "2026-03-14T09:15:00+00:00",
        "by": "ada@host",
        "why": "",
        "source": "https://git.example/automaker.git",
        "commit": "ab12cd34" * 5,
        "images": images,
        "env_hash": digest("env"),
        "compose_hash": digest("compose"),
        "live_at": ("2026-03-14T09:20:00+00:00",) if live else (),
    }
    return Release(**(fields | changes))


def record(ctx: Context, one: Release, *, live: bool = False, **values: str) -> State:
    """Put a release on disk, as the live one if asked; returns it made concrete."""
    ctx.store.prepare()
    own = {"AUTOMAKER_API_KEY": KEY, "ANTHROPIC_API_KEY": "sk-ant-of-the-test", **values}
    ctx.store.add(one, env_text(own), "name: automaker-staging\n")
    if live:
        ctx.store.make_live(one)
    return State(one, Running(ctx.store.compose_file(one.id), own, view()))


@dataclass(frozen=True)
class Asked:
    """A request as the server saw it; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What to answer: `data` as JSON, unless there is `text`; after `slow_s` seconds."""

    status: int = 200
    data: object = None
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    slow_s: float = 0.0


class Web:
    """A real server on a free port of this host; `asked` is what it was asked."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        web = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, self.rfile.read(length))
                web.asked.append(asked)
                web._send(self, web.answer(asked))

            do_GET = do_POST = _any  # noqa: N815 - the names the library looks for

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # whoever asked went away

        self.server = Quiet(("127.0.0.1", 0), Handler)

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        self.closing.wait(reply.slow_s)
        body = (reply.text or json.dumps(reply.data)).encode()
        handler.send_response(reply.status)
        kind = "text/html" if reply.text else "application/json"
        for name, value in {"content-type": kind, **reply.headers}.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@contextlib.contextmanager
def serving(answer: Callable[[Asked], Reply]) -> Iterator[Web]:
    """Serve until the block ends."""
    web = Web(answer)
    thread = threading.Thread(target=lambda: web.server.serve_forever(0.001), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.closing.set()
        web.server.shutdown()
        web.server.server_close()
        thread.join()


def always(reply: Reply) -> Callable[[Asked], Reply]:
    return lambda _asked: reply


def closed_port() -> int:
    """A port where nobody answers: taken for a moment and let go."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return int(server.server_address[1])
