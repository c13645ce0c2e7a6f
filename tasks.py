"""Verbs that change a host. `invoke --list` names them, `invoke --help VERB` explains one.

Only Invoke and the standard library are imported up here, so that listing stays fast.
"""

# ruff: noqa: PLC0415 - the rest is imported where a verb needs it

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from functools import partial
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task
from invoke.tasks import task as invoke_task

OUR_PACKAGES = ("compose", "loadtest", "settings")
INTERRUPTED = 130


class Verb(Task[Any]):
    """A task whose expected errors end in one message and an exit code, never in a traceback."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the body; an exception class of our own packages counts as expected."""
        try:
            return super().__call__(*args, **kwargs)
        except KeyboardInterrupt:
            raise Exit("interrupted", INTERRUPTED) from None
        except Exception as error:
            if type(error).__module__.split(".")[0] not in OUR_PACKAGES:
                raise
            lines = [str(error), *getattr(error, "__notes__", ())]
            raise Exit("\n  -> ".join(lines), getattr(error, "exit_code", 1)) from None


task = partial(invoke_task, klass=Verb)


@task(
    help={
        "dry_run": "print every command and change nothing",
        "json_": "print the result as JSON; progress goes to standard error",
    }
)
def provision(c: Context, dry_run: bool = False, json_: bool = False) -> None:
    """Install and start what containers need here: an engine, Compose v2, buildx."""
    from compose import engine
    from compose.run import run

    stream = sys.stderr if json_ else sys.stdout
    result = engine.provision(
        run,
        lambda text: print(text, end="", file=stream, flush=True),
        dry_run=dry_run or bool(c.config.run.dry),
    )
    if json_:
        print(json.dumps(asdict(result), indent=2))


@task(
    help={
        "dry_run": "name what would be removed and remove nothing",
        "json_": "print what was (or would be) removed as JSON",
    }
)
def clean(c: Context, dry_run: bool = False, json_: bool = False) -> None:
    """Remove what load tests that were killed left behind; running ones are left alone."""
    from compose.run import run
    from loadtest.rig.backing import abandoned_swap, sweep_swap
    from loadtest.rig.engine import connect, leftovers, sweep

    dry = dry_run or bool(c.config.run.dry)
    with connect() as client:
        found = [str(left) for left in (leftovers(client) if dry else sweep(client))]
    # Swap comes after the containers: their pages need not be read back when they are gone.
    found += [f"swap {name}" for name in (abandoned_swap() if dry else sweep_swap(run))]
    if json_:
        print(json.dumps({"removed": [] if dry else found, "found": found}, indent=2))
        return
    for name in found:
        print(f"{'would remove' if dry else 'removed'} {name}")
    if not found:
        print("nothing to remove: no load test left anything behind")
