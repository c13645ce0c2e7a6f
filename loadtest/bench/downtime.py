"""How long staging is away during a deploy, beside the command that anybody would type."""

from __future__ import annotations

import contextlib
import http.client
import socket
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from compose.deploy.view import compose_environment, stack_command
from compose.run import run
from loadtest.bench.measure import Ratio
from settings.env_syntax import read

ROOT = Path(__file__).parent.parent.parent
ROUNDS = 2
TICK_S = 0.02
PATIENCE_S = 1.0
_CALM_S = 1.0
_BASELINE_S = 240.0
PATHS = {"API": "/api/health", "UI": "/", "docs": "/"}


@dataclass
class Probe:
    """Asks every service 50 times a second, each time anew, whatever became of the time before."""

    ports: Mapping[str, int]
    answers: dict[str, list[Future[bool]]] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch while the block runs, and a little before and after it."""
        self.answers = {name: [] for name in self.ports}
        self._over.clear()
        with ThreadPoolExecutor(128) as pool:
            thread = threading.Thread(target=self._tick, args=(pool,))
            thread.start()
            try:
                time.sleep(_CALM_S)
                yield
                time.sleep(_CALM_S)
            finally:
                self._over.set()
                thread.join()

    def away(self, *names: str) -> float:
        """Milliseconds in which one of these services gave no answer."""
        ticks = zip(*(self.answers[name] for name in names), strict=True)
        return 1000 * TICK_S * sum(not all(one.result() for one in tick) for tick in ticks)

    def _tick(self, pool: ThreadPoolExecutor) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            for name, port in self.ports.items():
                self.answers[name].append(pool.submit(_answers, port, PATHS[name]))
            due += TICK_S
            time.sleep(max(0.0, due - time.monotonic()))


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return answer.status < 400
    finally:
        connection.close()


def downtime() -> list[Ratio]:
    """Deploy the stand-in over itself, and have Compose recreate the same images, in turns."""
    ours: dict[str, list[float]] = {name: [] for name in ("either", *PATHS)}
    theirs: dict[str, list[float]] = {name: [] for name in ("either", *PATHS)}
    with tempfile.TemporaryDirectory(prefix="automaker-staging-bench-") as folder:
        env_file, ports = _write_env(Path(folder))
        try:
            _invoke("deploy", "--source", "standin", "--path", str(env_file))
            for number in range(ROUNDS):
                probe = Probe(ports)
                again = ("deploy", "--source", "standin", "--ref", f"round{number}")
                with probe.watching():
                    _invoke(*again, "--path", str(env_file))
                _note(probe, ours)
                with probe.watching():
                    _recreate(Path(folder) / "deploys" / "current")
                _note(probe, theirs)
        finally:
            _invoke("teardown", "--yes", "--path", str(env_file))
    return [
        _ratio("away: API or UI", ours["either"], theirs["either"], 0.5),
        _ratio("away: UI", ours["UI"], theirs["UI"], 0.5),
        # Both have to end the old server and start the new one, and two may never run at once:
        # only what Compose does in between can be saved.
        _ratio("away: API", ours["API"], theirs["API"], 1.0),
        Ratio("away: docs (ms)", max(ours["docs"]), 0, "lower", "a deploy", "never touched"),
    ]


def _note(probe: Probe, into: Mapping[str, list[float]]) -> None:
    into["either"].append(probe.away("API", "UI"))
    for name in PATHS:
        into[name].append(probe.away(name))


def _ratio(name: str, ours: Sequence[float], theirs: Sequence[float], goal: float) -> Ratio:
    """Compare the least of both: what lies above it is what the machine did meanwhile."""
    mine, other = min(ours), max(TICK_S * 1000, min(theirs))
    text = f"{other:.0f} ms with up -d --force-recreate"
    return Ratio(name, mine / other, goal, "lower", f"{mine:.0f} ms with invoke deploy", text)


def _write_env(folder: Path) -> tuple[Path, Mapping[str, int]]:
    """Write settings of a stack of its own, on free ports."""
    ports = dict(zip(PATHS, _free_ports(len(PATHS)), strict=True))
    for name in ("projects", "labs"):
        (folder / name).mkdir()
    values = {
        "STACK_NAME": f"bench-{uuid.uuid4().hex[:8]}",
        "DEPLOY_DIR": str(folder / "deploys"),
        "ANTHROPIC_API_KEY": "the-stand-in-calls-no-model",
        "AUTOMAKER_API_KEY": uuid.uuid4().hex,
        "PROJECTS_MOUNT": str(folder / "projects"),
        "LABS_MOUNT": str(folder / "labs"),
        "ALLOWED_ROOT_DIRECTORY": str(folder),
        "MEMORY_LIMIT": "1G",
        "CPU_LIMIT": "1",
        "NODE_MAX_OLD_SPACE": "512",
        "API_PORT": str(ports["API"]),
        "UI_PORT": str(ports["UI"]),
        "DOCS_PORT": str(ports["docs"]),
    }
    env_file = folder / ".env.staging"
    env_file.touch(mode=0o600)
    text = "".join(f"{key}={value}\n" for key, value in values.items())
    env_file.write_text(text, encoding="utf-8")
    return env_file, ports


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


def _invoke(*words: str) -> None:
    run([sys.executable, "-m", "invoke", "--search-root", str(ROOT), *words], timeout_s=600.0)


def _recreate(current: Path) -> None:
    """Do what anybody would type, in the folder of the release that is live."""
    entries, _ = read((current / ".env").read_text(encoding="utf-8"))
    values = {entry.key: entry.value for entry in entries}
    argv = stack_command(current / "docker-compose.staging.yml", values["COMPOSE_PROJECT_NAME"])
    run(
        [*argv, "up", "-d", "--force-recreate", "--no-build"],
        env=compose_environment(values),
        timeout_s=_BASELINE_S,
    )
