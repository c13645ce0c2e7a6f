"""What all verbs share: expected errors end in one message and an exit code.

Only Invoke and the standard library are imported up here and beside the verbs, so that
`invoke --list` stays fast.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from invoke.context import Context
from invoke.exceptions import Exit, ParseError
from invoke.tasks import Task
from invoke.tasks import task as invoke_task

if TYPE_CHECKING:
    from compose.deploy.context import Context as StackContext

OUR_PACKAGES = ("compose", "loadtest", "settings")
INTERRUPTED = 130
DRY = "dry run: nothing was changed"
DRY_HELP = "print the exact commands and change nothing"
JSON_HELP = "print the result as JSON; progress goes to standard error"
WHY_HELP = "reason, for the lock, the record and the audit log"
PATH_HELP = "the env file (default: .env.staging beside tasks.py)"


class Verb(Task[Any]):
    """A task whose expected errors end in one message and an exit code, never in a traceback."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the body; an exception class of our own packages counts as expected."""
        # What CI sends when a job is cancelled ends as gently as Ctrl-C.
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            result = super().__call__(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            # `| head` has seen enough; what was done is done, and the end must not fail of it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return None
        except KeyboardInterrupt:
            raise Exit("interrupted", INTERRUPTED) from None
        except Exception as error:
            if type(error).__module__.split(".")[0] not in OUR_PACKAGES:
                raise
            lines = [str(error), *getattr(error, "__notes__", ())]
            raise Exit("\n  -> ".join(lines), getattr(error, "exit_code", 1)) from None
        return result


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class Count(int):
    """A whole number from 0, as an option takes it."""

    def __new__(cls, text: str | int) -> Count:
        """Read what was typed. Raises ParseError, which Invoke shows as one line."""
        if not str(text).isdecimal():
            raise ParseError(f"{text!r} is no whole number from 0 on")
        return super().__new__(cls, int(text))


class Amount(float):
    """A number of seconds or gigabytes, as an option takes it; -1 stands for not given."""

    def __new__(cls, text: str | float) -> Amount:
        """Read what was typed. Raises ParseError, which Invoke shows as one line."""
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", str(text)) and text != -1:
            raise ParseError(f"{text!r} is no number from 0 on")
        return super().__new__(cls, float(text))


task = partial(invoke_task, klass=Verb)


def is_dry(c: Context, dry_run: bool) -> bool:
    """Whether a verb must change nothing: its own option, or `invoke --dry`."""
    return dry_run or bool(c.config.run.dry)


@contextlib.contextmanager
def session(
    verb: str, path: str, *, dry: bool = False, json_: bool = False, why: str = ""
) -> Iterator[StackContext]:
    """Give what a verb needs to act on the stack of an env file.

    Progress goes to standard output, or to standard error where that carries JSON.
    """
    from compose.deploy.context import open_context  # noqa: PLC0415
    from compose.errors import ComposeError  # noqa: PLC0415
    from settings.env_file import ENV_FILE  # noqa: PLC0415

    stream = sys.stderr if json_ else sys.stdout

    def write(text: str) -> None:
        # A closed terminal, or one that cannot show a letter of somebody's log.
        with contextlib.suppress(OSError, ValueError):
            stream.write(text)
            stream.flush()

    ctx = open_context(verb, Path(path) if path else ENV_FILE, write, dry=dry, why=why)
    try:
        yield ctx
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        text = f"{verb}: {where}{error.strerror or error}"
        raise ComposeError(ctx.host.progress.redact(text)) from error
    except Exception as error:
        redact = ctx.host.progress.redact
        error.args = tuple(redact(one) if isinstance(one, str) else one for one in error.args)
        if hasattr(error, "__notes__"):
            error.__notes__ = [redact(note) for note in error.__notes__]
        raise
