"""What can call a job by the clock: systemd, cron for root, cron for any other user."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from typing import Protocol

from compose.deploy.host import Host
from compose.errors import ComposeError
from compose.schedule.cron import CronFile, Crontab
from compose.schedule.job import Job
from compose.schedule.systemd import Systemd, systemd_runs


class Kind(Protocol):
    """One way to have a job called."""

    word: str

    def there(self) -> Mapping[str, str]:
        """What is installed under the job's name: where, and the text; empty for nothing."""
        ...

    def wanted(self, job: Job) -> Mapping[str, str]:
        """What would be there with the job installed."""
        ...

    def lacks(self) -> ComposeError | None:
        """Why it cannot be used on this host."""
        ...

    def trouble(self) -> list[str]:
        """Why what is installed would not be called."""
        ...

    def put(self, job: Job) -> None:
        """Install the job, in place of what is there. Raises ComposeError."""
        ...

    def take(self) -> None:
        """Remove what is there. Raises ComposeError."""
        ...


def kinds_here(host: Host, name: str) -> list[Kind]:
    """Every way that there is for this user, the one to use first."""
    user = "" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    cron: Kind = Crontab(host, name, user) if user else CronFile(host, name)
    systemd = Systemd(host, name, user=user)
    return [systemd, cron] if systemd_runs() else [cron]
