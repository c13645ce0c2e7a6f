"""`python -m loadtest.bench [NAME ...]`: all benchmarks, or those named."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from compose.errors import ComposeError
from loadtest.bench.measure import NotMeasuredError, Ratio
from loadtest.bench.ratios import ALL
from loadtest.history.errors import HistoryError
from loadtest.lock import only_campaign
from loadtest.plan import PlanError
from loadtest.rig.errors import RigError
from loadtest.summary import INTERRUPTED, UNUSABLE
from settings.errors import SettingsError


def main(names: list[str]) -> int:
    """Run benchmarks; 0 all goals met, 1 one missed, 2 nothing to run, 3 one not measured."""
    console = Console(width=None if sys.stdout.isatty() else 110)
    unknown = [name for name in names if name not in ALL]
    if unknown:
        console.print(f"unknown benchmark {unknown[0]!r}: choose from {', '.join(ALL)}")
        return 2
    try:
        with only_campaign():
            return measure_all(names or list(ALL), console)
    except KeyboardInterrupt:
        console.print("interrupted")
        return INTERRUPTED
    except (PlanError, SettingsError, HistoryError, OSError) as error:
        console.print(f"error: {error}", markup=False)
        return UNUSABLE


def measure_all(names: list[str], console: Console) -> int:
    """Run benchmarks one after the other and print their table; returns the exit code."""
    results: list[Ratio] = []
    missing = 0
    for name in names:
        console.print(f"measuring: {name} ...", style="dim")
        try:
            found = ALL[name]()
            results += found if isinstance(found, list) else [found]
        except NotMeasuredError as error:
            console.print(f"not measured: {name}: {error}")
            missing += 1
        except (ComposeError, RigError) as error:
            console.print(f"error: {error}", *getattr(error, "__notes__", ()), sep="\n  -> ")
            return 2
    console.print(_table(results))
    if not all(result.met for result in results):
        return 1
    return 3 if missing else 0


def _table(results: list[Ratio]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("ratio", "measured", "goal", "", "ours", "against"):
        table.add_column(column)
    for result in results:
        table.add_row(
            result.name,
            f"{result.value:.3g}",
            result.goal_text,
            "[green]met[/]" if result.met else "[red]missed[/]",
            result.ours,
            result.theirs,
        )
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
