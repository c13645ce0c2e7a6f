"""A job as systemd has it: a service that runs once, and a timer. Pure."""

from __future__ import annotations

import re

from compose.schedule.job import REMOVAL, Job

POSTPONED = 75
"""Exit code of a run that gave way; EX_TEMPFAIL of sysexits.h. No failure of the service."""
_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@+-]+")


def service(job: Job, *, user: bool) -> str:
    """The service. `user`: for the service manager of a user, who is then who runs it."""
    # With ":", $ means nothing in the command. HOME is set for a user that is named, even root.
    # systemd takes no program with a quote in its name, but an argument.
    through = ("/usr/bin/env",) if {"'", '"'} & set(job.argv[0]) else ()
    command = " ".join(quoted(word) for word in (*through, *job.argv))
    owner = "" if user else "User=root\n"
    variables = " ".join(quoted(f"{key}={value}") for key, value in job.environment.items())
    return f"""\
# {REMOVAL}
{job.note}
[Unit]
Description=Capacity run of {job.name.removesuffix("-capacity")}
After=docker.service

[Service]
Type=oneshot
{owner}Environment={variables}
ExecStart=:{command}
SuccessExitStatus={POSTPONED}
# It may wait for six hours, and a campaign takes minutes; ending one takes a moment.
TimeoutStartSec=10h
KillMode=mixed
TimeoutStopSec=180
"""


def timer(job: Job) -> str:
    """The timer; a run that was missed while the host was down is made up for."""
    return f"""\
# {REMOVAL}
{job.note}
[Unit]
Description=When the capacity run of {job.name.removesuffix("-capacity")} begins

[Timer]
OnCalendar=*-*-* {job.daily}:00
Persistent=true
RandomizedDelaySec=2min

[Install]
WantedBy=timers.target
"""


def quoted(word: str) -> str:
    """One word as a unit has it: % begins specifiers there."""
    text = word.replace("%", "%%").replace('"', '\\"')
    return text if _PLAIN.fullmatch(word) else f'"{text}"'
