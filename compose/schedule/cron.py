"""The door to cron: a file of root's, or lines in a user's crontab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psutil

from compose.deploy.host import Host
from compose.errors import ComposeError
from compose.run import Completed, failure_text
from compose.schedule import crontab
from compose.schedule.host_files import installed, remove_file, show_text, text_of, write_file
from compose.schedule.job import Job

CRON_FILES = Path("/etc/cron.d")
DAEMONS = frozenset({"cron", "crond", "fcron"})


class CronFile:
    """A file in /etc/cron.d, which root alone may write."""

    word = "cron job of root"

    def __init__(self, host: Host, name: str, folder: Path = CRON_FILES) -> None:
        self.host, self.path = host, folder / name

    def there(self) -> Mapping[str, str]:
        """The file."""
        text = text_of(self.path)
        return {str(self.path): text} if text else {}

    def wanted(self, job: Job) -> Mapping[str, str]:
        """The file as it would be."""
        return {str(self.path): crontab.cron_file(job)}

    def lacks(self) -> ComposeError | None:
        """A cron that runs."""
        return _no_cron()

    def trouble(self) -> list[str]:
        """A cron that does not run."""
        return _cron_trouble()

    def put(self, job: Job) -> None:
        """Write the file; cron looks for changes every minute."""
        write_file(self.host, self.path, crontab.cron_file(job))

    def take(self) -> None:
        """Remove the file."""
        remove_file(self.host, self.path)


class Crontab:
    """Lines in a user's crontab between marks; those of others stay as they are."""

    def __init__(self, host: Host, name: str, user: str) -> None:
        self.host, self.name, self.user = host, name, user
        self.word = f"cron job of {user}"

    def there(self) -> Mapping[str, str]:
        """Our lines."""
        found = crontab.find_block(self._read(), self.name)
        return {self._where: found} if found else {}

    def wanted(self, job: Job) -> Mapping[str, str]:
        """Our lines as they would be."""
        return {self._where: crontab.block(job)}

    def lacks(self) -> ComposeError | None:
        """A cron that runs."""
        return _no_cron()

    def trouble(self) -> list[str]:
        """A cron that does not run."""
        return _cron_trouble()

    def put(self, job: Job) -> None:
        """Have crontab take the lines of others and ours."""
        show_text(self.host, f"add to the {self._where}", crontab.block(job))
        self._set(crontab.with_block(self._read(), job))

    def take(self) -> None:
        """Have crontab take the lines of others alone."""
        self._set(crontab.without_block(self._read(), self.name))

    @property
    def _where(self) -> str:
        return f"crontab of {self.user}"

    def _read(self) -> str:
        if not installed("crontab"):
            return ""
        done: Completed = self.host.run(["crontab", "-l"], env={"LC_ALL": "C"}, check=False)
        if done.returncode != 0 and "no crontab" not in done.stderr:
            raise ComposeError(failure_text(["crontab", "-l"], done), exit_code=2)
        return done.stdout if done.returncode == 0 else ""

    def _set(self, text: str) -> None:
        if text:
            self.host.change(["crontab", "-"], stdin=text)
        else:
            self.host.change(["crontab", "-r"])


def _no_cron() -> ComposeError | None:
    start = "start it: sudo service cron start (in a container: cron)"
    if not any(installed(name) for name in DAEMONS):
        return ComposeError(
            "neither systemd nor cron runs here, and cron is not installed",
            next_step=f"sudo apt-get install cron, then {start}",
            exit_code=2,
        )
    if not _cron_runs():
        return ComposeError("cron is installed and does not run", next_step=start, exit_code=2)
    return None


def _cron_trouble() -> list[str]:
    problem = _no_cron()
    return [f"{problem}: {problem.__notes__[0]}"] if problem else []


def _cron_runs() -> bool:
    return any(process.info["name"] in DAEMONS for process in psutil.process_iter(["name"]))
