"""The verb for the runs that later ones are compared with."""

# ruff: noqa: PLC0415 - the rest is imported where a verb needs it

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit

from verbs import task

_REPORTS = Path(__file__).parent.parent / "reports"


@task(
    help={
        "set_": "give a run this name; a name that is another run's moves",
        "run": "which one, with --set: a run id, the start of a commit, another name, or last",
        "remove": "forget this name; its run stays",
        "json_": "print the result as JSON",
        "out": "the folder of the reports (default: reports beside tasks.py)",
    }
)
def baseline(
    _c: Context,
    set_: str = "",
    run: str = "",
    remove: str = "",
    json_: bool = False,
    out: str = "",
) -> None:
    """List the runs that later ones can be compared with; give one a name, or take it away."""
    from loadtest.history import listing
    from settings.load import load_settings

    if bool(set_) != bool(run) or (set_ and remove):
        raise Exit("baseline: not these together\n  -> --set NAME --run RUN, or --remove NAME", 2)
    folder = Path(out) if out else _REPORTS
    try:
        if set_ or remove:
            tolerances = load_settings().loadtest.tolerances
        if set_:
            row = listing.set_baseline(folder, set_, run, tolerances)
            text = f"{set_}: run {row.run_id} of {row.started_at[:19]}, {row.kind}"
            print(json.dumps(asdict(row), indent=2) if json_ else text)
        elif remove:
            listing.remove_baseline(folder, remove, tolerances)
            print(json.dumps({"removed": remove}) if json_ else f"{remove}: forgotten")
        else:
            rows = listing.candidates(folder)
            data = [asdict(row) for row in rows]
            print(json.dumps(data, indent=2) if json_ else listing.show_candidates(rows))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Exit(f"baseline: {error.filename}: {error.strerror}", 2) from None
