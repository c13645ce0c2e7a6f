"""A staging stack on a host of its own, driven as an operator drives it: by typing verbs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.docker.own_host import OwnHost

KEY = "pa$1wor$D-of-the-test"
MODEL_KEY = "sk-ant-of-the-test"
API = "http://127.0.0.1:3008"
UI = "http://127.0.0.1:3007"
DOCS = "http://127.0.0.1:3009"
SERVER, UI_NAME, DOCS_NAME = "automaker-server-staging", "automaker-ui-staging", "automaker-docs"


@dataclass
class Staging:
    """One stack: its host, its env file, its deploy directory."""

    host: OwnHost
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the env file, and make the directories that projects are in."""
        for name in ("projects", "labs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            (self.folder / name).chmod(0o777)
        self.write()

    @property
    def env_file(self) -> Path:
        """The stack's `.env.staging`."""
        return self.folder / ".env.staging"

    @property
    def home(self) -> Path:
        """The stack's deploy directory."""
        return self.folder / "deploys"

    def write(self, **changes: str) -> None:
        """Write the env file, with other settings than before."""
        self.settings |= changes
        values = {
            "ANTHROPIC_API_KEY": MODEL_KEY,
            "AUTOMAKER_API_KEY": KEY,
            "DEPLOY_DIR": str(self.home),
            "PROJECTS_MOUNT": str(self.folder / "projects"),
            "LABS_MOUNT": str(self.folder / "labs"),
            "ALLOWED_ROOT_DIRECTORY": str(self.folder),
            "MEMORY_LIMIT": "1G",
            "CPU_LIMIT": "1",
            "NODE_MAX_OLD_SPACE": "512",
        } | self.settings
        text = "".join(f"{key}='{value}'\n" for key, value in values.items())
        self.env_file.write_text(text, encoding="utf-8")
        self.env_file.chmod(0o600)

    def invoke(
        self, *words: str, env: Mapping[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Type a verb."""
        return self.host.invoke(*words, "--path", str(self.env_file), env=env, check=check)

    def deploy(self, *words: str, source: str = "standin", check: bool = True) -> Any:
        """Deploy; returns the JSON of what came out, or the process where it need not succeed."""
        words = ("deploy", "--source", source, "--json", "--min-free", "0.1", *words)
        done = self.invoke(*words, check=check)
        return json.loads(done.stdout) if check else done

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Type a verb and do not wait for its end; both streams come as one."""
        argv = [sys.executable, "-m", "invoke", *words, "--path", str(self.env_file)]
        return self.host.popen(argv, stderr=subprocess.STDOUT)

    def kill_at(self, step: str, after_s: float, *words: str) -> str:
        """Type a verb and kill it with SIGKILL, so long after a step's line; returns its output.

        Fails where the verb never gets there.
        """
        process = self.begin(*words)
        seen = ""
        assert process.stdout is not None
        for line in _pieces(process):
            seen += line
            if f"] {step} ..." in seen:
                time.sleep(after_s)
                process.send_signal(signal.SIGKILL)
                process.communicate()
                return seen
        process.wait()
        raise AssertionError(f"no step {step!r} in:\n{seen}")

    def status(self) -> dict[str, Any]:
        """What `invoke status --json` says."""
        return dict(json.loads(self.invoke("status", "--json", check=False).stdout))

    def live(self) -> str:
        """The id of the live release; empty before the first."""
        current = self.home / "current"
        return os.readlink(current).rpartition("/")[2] if current.is_symlink() else ""

    def container_id(self, name: str) -> str:
        """A container's id; empty where there is none of that name."""
        return self.host.docker("ps", "-aq", "--no-trunc", "--filter", f"name=^{name}$").strip()

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call the server's API with the key that it has; fails on anything but success."""
        status, text = self.host.http(method, f"{API}{path}", {"X-API-Key": KEY}, body)
        assert status == 200, text
        return json.loads(text)

    def serves(self, url: str = f"{API}/api/health/ready") -> bool:
        """Whether an address answers with success."""
        try:
            return self.host.http("GET", url)[0] == 200
        except ConnectionError:
            return False

    def assert_all_serves(self) -> None:
        """API, UI and the UI's way to the API answer."""
        assert self.serves()
        assert self.serves(f"{UI}/")
        assert self.serves(f"{UI}/api/health")

    def clear(self) -> None:
        """Take the stack down with all its data."""
        self.invoke("teardown", "--yes", check=False)


def _pieces(process: subprocess.Popen[str]) -> Iterator[str]:
    """What a process writes, as it comes: a step's line has no end before the step has one."""
    assert process.stdout is not None
    while piece := process.stdout.read(1):
        yield piece
