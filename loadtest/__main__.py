"""`python -m loadtest`: the edge where options come in and errors become one line.

Exit codes: 0 all gating claims confirmed, 1 one refuted or a metric worse than its baseline,
2 bad settings or nothing to run on, 3 inconclusive, 130 interrupted.
"""

from __future__ import annotations

import io
import os
import signal
import sys

from rich.console import Console

from compose.errors import ComposeError
from loadtest.campaign import run_campaign
from loadtest.fleet.run import run_fleet
from loadtest.history.errors import HistoryError
from loadtest.history.regression import compare_runs
from loadtest.history.terminal import print_comparison
from loadtest.options import Options, parse
from loadtest.plan import PlanError
from loadtest.rerender import RerenderError, rerender
from loadtest.rig.errors import RigError
from loadtest.summary import CONFIRMED, INTERRUPTED, REFUTED, UNUSABLE
from settings.errors import SettingsError
from settings.load import load_settings

_WIDTH_WITHOUT_TERMINAL = 100
_EXPECTED = (SettingsError, PlanError, RigError, ComposeError, HistoryError, RerenderError)


def main(argv: list[str]) -> int:
    """Run what the options ask for; returns the exit code."""
    options = parse(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without the symbols is no error
    console = Unstoppable(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
            signal.signal(number, signal.default_int_handler)
    try:
        return act(options, console)
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


def act(options: Options, console: Console) -> int:
    """Do what is asked for; returns the exit code."""
    if options.report_only:
        page = rerender(options.report_only)
        console.print(f"made again: {page}", markup=False, highlight=False, soft_wrap=True)
        return CONFIRMED
    if options.compare:
        first, second = options.compare
        found = compare_runs(options.request.out, first, second, load_settings())
        print_comparison(console, found)
        return REFUTED if found.regressed else CONFIRMED
    if options.hosts:
        return run_fleet(options.request, options.hosts, console)
    return run_campaign(options.request, console)


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
