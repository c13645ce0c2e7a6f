"""A job as cron has it: a line, a file of its own or a block among the lines of others. Pure."""

from __future__ import annotations

import shlex

from compose.errors import ComposeError
from compose.schedule.job import REMOVAL, Job

# What Debian's cron takes of a command; it drops the whole line of a longer one.
LONGEST = 990


def line(job: Job, user: str = "") -> str:
    """The line that runs the job; with `user` as files in /etc/cron.d have it.

    Variables stand in the command, since a line of their own would be for all lines below it.
    """
    variables = [f"{key}={shlex.quote(value)}" for key, value in job.environment.items()]
    command = " ".join([*variables, shlex.join(job.argv)]).replace("%", r"\%")
    if len(command) > LONGEST:
        raise ComposeError(
            f"the command is longer than cron takes ({LONGEST} characters): {command[:80]}...",
            next_step="a checkout with a shorter path",
            exit_code=2,
        )
    hour, minute = map(int, job.daily.split(":"))
    return " ".join([f"{minute} {hour} * * *", *([user] if user else []), command])


def cron_file(job: Job) -> str:
    """The whole file for /etc/cron.d."""
    return f"# {REMOVAL}\n{job.note}\n{line(job, 'root')}\n"


def block(job: Job) -> str:
    """The lines for the crontab of a user, between their marks."""
    begin, end = _marks(job.name)
    return f"{begin}\n# {REMOVAL}\n{job.note}\n{line(job)}\n{end}\n"


def find_block(crontab: str, name: str) -> str:
    """Our lines of a crontab with their marks; empty where there are none."""
    return _split(crontab, name)[1]


def without_block(crontab: str, name: str) -> str:
    """The crontab without our lines, every other one as it was."""
    before, _, after = _split(crontab, name)
    return before + after


def with_block(crontab: str, job: Job) -> str:
    """The crontab with our lines: where they were, else at the end; every other one as it was."""
    before, found, after = _split(crontab, job.name)
    if not found and before and not before.endswith("\n"):
        before += "\n"  # cron ignores a last line without one, and crontab refuses it
    return before + block(job) + after


def _split(crontab: str, name: str) -> tuple[str, str, str]:
    begin, end = _marks(name)
    lines = crontab.splitlines(keepends=True)
    bare = [text.rstrip() for text in lines]
    if begin not in bare and end not in bare:
        return crontab, "", ""
    if bare.count(begin) != 1 or bare.count(end) != 1 or bare.index(end) < bare.index(begin):
        raise ComposeError(
            f"the crontab does not have both marks of our lines once: {begin!r}, {end!r}",
            next_step="take what is left of them out: crontab -e",
            exit_code=2,
        )
    first, last = bare.index(begin), bare.index(end) + 1
    return "".join(lines[:first]), "".join(lines[first:last]), "".join(lines[last:])


def _marks(name: str) -> tuple[str, str]:
    return f"# BEGIN {name}", f"# END {name}"
