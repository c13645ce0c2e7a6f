"""What is to run and when: one command a day, at a time of the host's own clock. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from compose.errors import ComposeError

SUFFIX = "capacity"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
REMOVAL = "made by `invoke schedule.install`; `invoke schedule.remove` takes it away"
LOCALTIME = Path("/etc/localtime")
# Everything that was written says in its own words what it was made from, in one line.
_NOTE = re.compile(r"^# job: (\{.*\})$", re.MULTILINE)
_DAILY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True)
class Job:
    """One command a day. Paths are absolute; `daily` is HH:MM of the host's time zone."""

    name: str
    checkout: str
    daily: str
    plan: str
    env_file: str = ""
    """Empty: `.env.staging` of the checkout."""
    prometheus: str = ""
    """Where metrics go; empty: beside the state."""
    engine: str = ""
    """DOCKER_HOST, where that was set: cron and systemd do not know it."""

    @property
    def argv(self) -> tuple[str, ...]:
        """The command."""
        invoke = f"{self.checkout}/.venv/bin/invoke"
        words = [invoke, "-r", self.checkout, "schedule.run", "--plan", self.plan]
        if self.prometheus:
            words += ["--prometheus", self.prometheus]
        if self.env_file:
            words += ["--path", self.env_file]
        return tuple(words)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that it needs: cron's own PATH lacks where Docker may be."""
        engine = {"DOCKER_HOST": self.engine} if self.engine else {}
        return {"PATH": SYSTEM_PATH, **engine}

    @property
    def note(self) -> str:
        """The line by which it is known again."""
        given = {key: value for key, value in asdict(self).items() if value}
        return f"# job: {json.dumps(given)}"

    def check(self) -> None:
        """Raise ComposeError (2) for what neither cron nor systemd could hold, or means nothing."""
        if not _DAILY.fullmatch(self.daily):
            raise ComposeError(
                f"--daily {self.daily!r}: not a time of day from 00:00 to 23:59",
                next_step="as in --daily 03:30, in the time zone of this host",
                exit_code=2,
            )
        for text in (*self.argv, self.engine):
            # Cron keeps a backslash that stands before a %, and both end a line at its end.
            if "\\" in text or not text.isprintable():
                raise ComposeError(
                    f"{text!r}: a backslash or a character that cannot be printed, which cron "
                    "and systemd cannot be told",
                    next_step="move it to another path",
                    exit_code=2,
                )

    def last(self, now: datetime) -> datetime:
        """The latest planned time up to `now`, in its time zone."""
        today = self._at(now)
        return today if today <= now else self._at(now - timedelta(days=1))

    def next(self, now: datetime) -> datetime:
        """The first planned time after `now`, in its time zone."""
        today = self._at(now)
        return today if today > now else self._at(now + timedelta(days=1))

    def _at(self, day: datetime) -> datetime:
        hour, minute = map(int, self.daily.split(":"))
        return day.replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)


def parse_job(text: str) -> Job | None:
    """Find the job that a text was made from; None where it was not made here."""
    found = _NOTE.search(text)
    try:
        return Job(**json.loads(found[1])) if found else None
    except (ValueError, TypeError):
        return None


def host_zone(path: Path = LOCALTIME) -> tzinfo:
    """The time zone of the host, which is cron's and systemd's; TZ of a login does not matter."""
    try:
        with path.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return UTC


def shown(moment: datetime) -> str:
    """Return a moment as a person reads it, with its time zone."""
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".rstrip()
