"""The options of `python -m loadtest`, as values."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from loadtest.campaign import Request
from loadtest.option_types import names, scale, size


@dataclass(frozen=True)
class Options:
    """What is asked for: a campaign, unless one of the other fields is set."""

    request: Request
    compare: tuple[str, str] | None = None
    """Two runs to be compared; nothing is measured."""
    report_only: Path | None = None
    """A run whose report is to be made again; nothing is measured."""
    hosts: tuple[str, ...] = ()
    """Engines to measure on at the same time, in place of the one here."""


def parse(argv: list[str]) -> Options:
    """What the options ask for. Exits with 2 on options that cannot be understood."""
    parser = argparse.ArgumentParser(
        prog="loadtest",
        allow_abbrev=False,
        description="Confirm or refute the capacity table of the staging guide in real containers.",
        epilog="Exit codes: 0 confirmed, 1 refuted, 2 cannot run, 3 inconclusive, 130 interrupted.",
    )
    add = parser.add_argument
    add("--plan", default="quick", help="quick (default), release, boundary or regression")
    add(
        "--scale",
        type=scale,
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
        "--claim",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only claims of the plan with such ids, for example 'cap-*'; may be repeated",
    )
    add(
        "--limit",
        type=size,
        metavar="48G",
        help="memory limit of the server at true size, in place of the staging model's (G is GiB)",
    )
    add("--runs", type=int, metavar="N", help="ramps a workload, in place of the plan's")
    add("--seed", type=int, default=0, metavar="N", help="seed of the agents (default 0)")
    add("--target", choices=["standin"], default="standin", help="what carries the agents")
    add(
        "--hosts",
        type=names,
        default=(),
        metavar="A,B",
        help="run the plan's ramps on several engines at once: ssh://, unix:// or Docker contexts",
    )
    add("--out", type=Path, default=Request.out, metavar="DIR", help="where reports go")
    add(
        "--baseline",
        metavar="REF|FILE",
        help="compare with an earlier run, and end with 1 where something is worse: last, history "
        "(all good runs since the baseline), a baseline's name, a run, a commit, or summary.json",
    )
    add("--prometheus", type=Path, metavar="FILE", help="write metrics for the textfile collector")
    add("--dry-run", action="store_true", help="print the plan, its memory and time; run nothing")
    instead = parser.add_argument_group("instead of a campaign").add_mutually_exclusive_group()
    instead.add_argument(
        "--compare", nargs=2, metavar=("A", "B"), help="compare run B with run A; measure nothing"
    )
    instead.add_argument(
        "--report-only", type=Path, metavar="DIR", help="make the report of an earlier run again"
    )
    options = parser.parse_args(argv)
    request = Request(
        plan=options.plan,
        scale=options.scale,
        workloads=tuple(options.workload),
        claims=tuple(options.claim),
        limit=options.limit,
        runs=options.runs,
        seed=options.seed,
        out=options.out,
        baseline=options.baseline,
        prometheus=options.prometheus,
        dry_run=options.dry_run,
    )
    compare = (options.compare[0], options.compare[1]) if options.compare else None
    return Options(request, compare, options.report_only, options.hosts)
