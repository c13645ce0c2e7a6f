"""`python -m loadtest`: the edge where options come in and errors become one line.

Exit codes: 0 all gating claims confirmed, 1 one refuted, 2 bad settings or nothing to run on,
3 inconclusive, 130 interrupted.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from fractions import Fraction
from pathlib import Path

from rich.console import Console

from compose.errors import ComposeError
from loadtest.campaign import Request, run_campaign
from loadtest.plan import PlanError
from loadtest.rig.errors import RigError
from loadtest.summary import INTERRUPTED, UNUSABLE
from settings.errors import SettingsError
from settings.sizes import parse_size

_WIDTH_WITHOUT_TERMINAL = 100
_EXPECTED = (SettingsError, PlanError, RigError, ComposeError)


def main(argv: list[str]) -> int:
    """Run what the options ask for; returns the exit code."""
    request = parse(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without the symbols is no error
    console = Unstoppable(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
            signal.signal(number, signal.default_int_handler)
    try:
        return run_campaign(request, console)
    except KeyboardInterrupt:
        errors.print("interrupted")
        return INTERRUPTED
    except _EXPECTED as error:
        _explain(errors, str(error), getattr(error, "__notes__", []))
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        note = "make room there, or choose another folder with --out DIR"
        _explain(errors, f"{error.strerror or error}{where}", [note] if where else [])
    except Exception:
        # A mistake of ours: shown in full, but never as exit code 1, which means refuted.
        errors.print_exception()
    return UNUSABLE


class Unstoppable(Console):
    """A console whose reader may go away (`| head`): measuring goes on, and is written down."""

    def on_broken_pipe(self) -> None:
        """Print into nothing from here on."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(errors: Console, message: str, notes: list[str]) -> None:
    errors.print(f"[bold red]error:[/] {_plain(message)}")
    for note in notes:
        errors.print(f"  -> {_plain(note)}")


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def parse(argv: list[str]) -> Request:
    """The request that options make. Exits with 2 on options that cannot be understood."""
    parser = argparse.ArgumentParser(
        prog="loadtest",
        description="Confirm or refute the capacity table of the staging guide in real containers.",
        epilog="Exit codes: 0 confirmed, 1 refuted, 2 cannot run, 3 inconclusive, 130 interrupted.",
    )
    add = parser.add_argument
    add("--plan", default="quick", help="quick (default) or release: see settings/loadtest.toml")
    add(
        "--scale",
        type=_scale,
        metavar="auto|1|1/16",
        help="divide every memory size; auto is 1 where the host can hold the true sizes",
    )
    add(
        "--workload",
        action="append",
        default=[],
        metavar="NAME",
        help="only this agent class or mix; may be given more than once",
    )
    add(
        "--limit",
        type=_size,
        metavar="48G",
        help="memory limit of the server at true size, in place of the staging model's (G is GiB)",
    )
    add("--runs", type=int, metavar="N", help="ramps a workload, in place of the plan's")
    add("--seed", type=int, default=0, metavar="N", help="seed of the agents (default 0)")
    add("--target", choices=["standin"], default="standin", help="what carries the agents")
    add("--out", type=Path, default=Request.out, metavar="DIR", help="where reports go")
    add("--dry-run", action="store_true", help="print the plan, its memory and time; run nothing")
    options = parser.parse_args(argv)
    return Request(
        plan=options.plan,
        scale=options.scale,
        workloads=tuple(options.workload),
        limit=options.limit,
        runs=options.runs,
        seed=options.seed,
        out=options.out,
        dry_run=options.dry_run,
    )


def _scale(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        scale = float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text!r} is not auto, 1 or a fraction") from None
    if not 0 < scale <= 1:
        raise argparse.ArgumentTypeError(f"{text} must be above 0 and at most 1, such as 1/16")
    return scale


def _size(text: str) -> int:
    try:
        size = parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if size <= 0:
        raise argparse.ArgumentTypeError(f"{text} leaves no memory at all")
    return size


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
