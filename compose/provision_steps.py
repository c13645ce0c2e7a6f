"""What provisioning a host is made of: values that say why, and print as a line of shell."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

DAEMON_LOG = "/var/log/automaker-staging-dockerd.log"
# The engine's own default: a second dockerd, whoever starts it, then refuses to start.
DAEMON_PID_FILE = "/var/run/docker.pid"


@dataclass(frozen=True)
class RunCommand:
    """Run a command. With `may_fail`, failure is reported with that remark and passed over."""

    why: str
    argv: tuple[str, ...]
    may_fail: str = ""

    def shell(self) -> str:
        """Return the step as it would be typed."""
        return shlex.join(self.argv) + (" || true" if self.may_fail else "")


@dataclass(frozen=True)
class WriteFile:
    """Put `text` into the file at `path`, mode 644, its directory included."""

    why: str
    path: str
    text: str
    prefix: tuple[str, ...] = ()

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that reads the text from its standard input; works through sudo too."""
        return (*self.prefix, "install", "-D", "-m", "644", "/dev/stdin", self.path)

    def shell(self) -> str:
        """Return the step as it would be typed: the command and a here-document."""
        return f"{shlex.join(self.argv)} <<'EOF'\n{self.text}EOF"


@dataclass(frozen=True)
class StartDaemon:
    """Start the engine: through the host's `service` command, or else detached from this shell."""

    why: str
    service: tuple[str, ...] | None
    prefix: tuple[str, ...] = ()

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that starts dockerd in a session of its own, so that it outlives this one."""
        daemon = f"exec dockerd --pidfile {DAEMON_PID_FILE} >>{DAEMON_LOG} 2>&1 </dev/null"
        return (*self.prefix, "setsid", "--fork", "sh", "-c", daemon)

    def shell(self) -> str:
        """Return the step as it would be typed."""
        first = f"{shlex.join(self.service)} || " if self.service else ""
        return first + shlex.join(self.argv)


@dataclass(frozen=True)
class AwaitReady:
    """Repeat `argv` until it succeeds, for `budget_s` seconds; then show what `evidence` says."""

    why: str
    argv: tuple[str, ...]
    evidence: tuple[str, ...]
    budget_s: float = 60.0

    def shell(self) -> str:
        """Return the step as it would be typed."""
        loop = f"until {shlex.join(self.argv)}; do sleep 1; done"
        return shlex.join(["timeout", f"{self.budget_s:g}", "sh", "-c", loop])


Step = RunCommand | WriteFile | StartDaemon | AwaitReady
