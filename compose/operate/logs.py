"""Container logs without secrets: the server prints its API key at every start."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from compose.deploy.context import Context
from compose.errors import ComposeError
from compose.operate.live import live_state
from compose.run import stream

# Compose clears a line that it never wrote, even where nobody has a terminal.
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def logs_argv(
    compose: Sequence[str], services: Sequence[str], tail: str, since: str, *, follow: bool
) -> list[str]:
    """Return the command that shows logs."""
    argv = [*compose, "logs", "--no-color", "--timestamps", "--tail", tail]
    argv += ["--since", since] if since else []
    argv += ["--follow"] if follow else []
    return [*argv, *services]


def show_logs(
    ctx: Context,
    services: Sequence[str],
    write: Callable[[str], None],
    *,
    tail: str,
    since: str,
    follow: bool,
) -> None:
    """Write log lines as they come. Raises ComposeError for a service that there is not."""
    running = live_state(ctx).running
    unknown = [one for one in services if one not in running.view.services]
    if unknown:
        known = ", ".join(running.view.services)
        raise ComposeError(f"no service {unknown[0]!r}", next_step=f"choose from {known}")
    argv = logs_argv(running.compose(), services, tail, since, follow=follow)
    redact = ctx.host.progress.redact

    def show(line: str) -> None:
        write(redact(_ANSI.sub("", line)))

    status = stream(argv, show, env=running.environment())
    if status != 0:
        raise ComposeError(f"docker compose logs ended with {status}", next_step="invoke status")
