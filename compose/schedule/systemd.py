"""The door to systemd: a timer and its service."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from compose.deploy.host import Host
from compose.errors import ComposeError
from compose.run import failure_text
from compose.schedule.host_files import installed, remove_file, text_of, write_file
from compose.schedule.job import Job
from compose.schedule.units import service, timer

RUNS = Path("/run/systemd/system")
SYSTEM_UNITS = Path("/etc/systemd/system")
LINGERING = Path("/var/lib/systemd/linger")


class Systemd:
    """A timer and its service; of the system for root, else of the user's own manager."""

    word = "systemd timer"

    def __init__(
        self, host: Host, name: str, *, user: str = "", folder: Path | None = None
    ) -> None:
        self.host, self.name, self.user = host, name, user
        self.folder = folder or (_user_units() if user else SYSTEM_UNITS)
        self.control = ["systemctl", *(["--user"] if user else [])]
        self.unit = f"{name}.timer"

    def there(self) -> Mapping[str, str]:
        """The two files."""
        paths = [self.folder / f"{self.name}.{kind}" for kind in ("service", "timer")]
        return {str(path): text for path in paths if (text := text_of(path))}

    def wanted(self, job: Job) -> Mapping[str, str]:
        """The two files as they would be."""
        start = self.folder / self.name
        texts = {"service": service(job, user=bool(self.user)), "timer": timer(job)}
        return {f"{start}.{kind}": text for kind, text in texts.items()}

    def lacks(self) -> ComposeError | None:
        """Nothing: systemd runs here."""
        return None

    def trouble(self) -> list[str]:
        """A timer that is not active, or one of a user who has to be logged in for it."""
        found = []
        if self.host.look([*self.control, "is-active", self.unit]).returncode != 0:
            found.append(f"{self.unit} is not active: invoke schedule.install")
        if self.user and not (LINGERING / self.user).exists():
            found.append(
                f"it runs only while {self.user} is logged in: "
                f"sudo loginctl enable-linger {self.user}"
            )
        return found

    def put(self, job: Job) -> None:
        """Have systemd read the units somewhere else first; then write and start the timer."""
        files = self.wanted(job)
        self._verify(files)
        for where, text in files.items():
            write_file(self.host, Path(where), text)
        self.host.change([*self.control, "daemon-reload"])
        self.host.change([*self.control, "enable", self.unit])
        self.host.change([*self.control, "stop", self.unit])
        self._forget_last()
        self.host.change([*self.control, "start", self.unit])

    def take(self) -> None:
        """Stop the timer, never a run; forget when it was called last."""
        self.host.tidy([*self.control, "disable", "--now", self.unit])
        self._forget_last()
        for where in self.there():
            remove_file(self.host, Path(where))
        self.host.change([*self.control, "daemon-reload"])

    def _forget_last(self) -> None:
        """Forget when the timer fired, else a new time that has passed today would fire at once."""
        self.host.tidy([*self.control, "clean", "--what=state", self.unit])

    def _verify(self, files: Mapping[str, str]) -> None:
        if not installed("systemd-analyze"):
            return
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder, Path(where).name) for where in files]
            for path, text in zip(paths, files.values(), strict=True):
                path.write_text(text, encoding="utf-8")
            argv = ["systemd-analyze", *(["--user"] if self.user else []), "verify"]
            done = self.host.look([*argv, *map(str, paths)])
        if done.returncode != 0:
            raise ComposeError(f"systemd does not take the units: {failure_text(argv, done)}")


def systemd_runs() -> bool:
    """Whether systemd is what started this host."""
    return RUNS.is_dir()


def _user_units() -> Path:
    return Path.home() / ".config" / "systemd" / "user"
