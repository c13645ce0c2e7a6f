"""Verbs about the host: what it has, what it needs, what its settings say."""

# ruff: noqa: PLC0415 - the rest is imported where a verb needs it

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit

from verbs import PATH_HELP, is_dry, task


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
        dry_run=is_dry(c, dry_run),
    )
    if json_:
        print(json.dumps(asdict(result), indent=2))


@task(
    help={
        "dry_run": "say what would be added and write nothing",
        "json_": "print the result as JSON, secrets masked",
        "path": "the file (default: .env.staging beside this tasks.py)",
    }
)
def env(c: Context, dry_run: bool = False, json_: bool = False, path: str = "") -> None:
    """Write what .env.staging lacks: keys, paths, limits that fit this host; mode 0600."""
    from settings.env_file import ENV_FILE
    from settings.env_write import ensure_env

    dry = is_dry(c, dry_run)
    done = ensure_env(Path(path) if path else ENV_FILE, dry_run=dry)
    if json_:
        print(json.dumps(done.public(), indent=2))
        return
    state = "dry run, not written" if dry else ("written" if done.changed else "nothing to add")
    print("\n".join([f"{done.path}: {state}", *done.lines()]))


@task(
    help={
        "json_": "print the rows as JSON",
        "path": PATH_HELP,
    }
)
def diff(_c: Context, json_: bool = False, path: str = "") -> None:
    """Show how staging differs from production, read from both effective compose models."""
    from compose.commands import PRODUCTION_FILE
    from compose.difference import compare
    from compose.effective import staging_model, staging_values
    from compose.run import run
    from compose.show import show_difference
    from settings.env_file import ENV_FILE

    values = staging_values(Path(path) if path else ENV_FILE)
    rows = compare(staging_model(run, values, (PRODUCTION_FILE,)), staging_model(run, values))
    print(json.dumps([asdict(row) for row in rows], indent=2) if json_ else show_difference(rows))


@task(
    iterable=["settings", "set_"],
    help={
        "json_": "print as JSON, secrets masked",
        "path": PATH_HELP,
        "recommend": "recommend maxConcurrency for --mix instead",
        "mix": "agents in percent, as in small=60,medium=40; or a class or mix of agents.toml",
        "settings": "check a settings.json of the server instead; repeatable",
        "set_": "change a key of that file, as in maxConcurrency=6; repeatable",
        "dry_run": "with --set: say what would change and write nothing",
    },
)
def config(
    c: Context,
    json_: bool = False,
    path: str = "",
    recommend: bool = False,
    mix: str = "mixed",
    settings: list[str] | None = None,
    *,
    set_: list[str] | None = None,
    dry_run: bool = False,
) -> None:
    """Show every setting with its source; recommend maxConcurrency; check or set settings.json."""
    from compose import configuration
    from settings.env_file import ENV_FILE

    env_file = Path(path) if path else ENV_FILE
    if set_:
        dry = is_dry(c, dry_run)
        answer = configuration.change_file(settings or [], set_, env_file, dry_run=dry)
    elif settings:
        answer = configuration.check_files(settings, env_file)
    elif recommend:
        answer = configuration.recommended(mix, env_file)
    else:
        answer = configuration.effective(env_file)
    print(json.dumps(answer.data, indent=2) if json_ else answer.text)
    if answer.exit_code:
        raise Exit(code=answer.exit_code)


@task(
    help={
        "json_": "print every check as JSON",
        "path": PATH_HELP,
    }
)
def doctor(_c: Context, json_: bool = False, path: str = "") -> None:
    """Check this host and what runs on it against the guide; exit code 1 if anything fails."""
    from compose.checks import exit_code
    from compose.doctor import diagnose
    from compose.doctor_probe import examine
    from compose.run import run
    from compose.show import show_checks
    from settings.env_file import ENV_FILE

    checks = diagnose(examine(run, Path(path) if path else ENV_FILE))
    print(json.dumps([asdict(one) for one in checks], indent=2) if json_ else show_checks(checks))
    if exit_code(checks):
        raise Exit(code=exit_code(checks))


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

    dry = is_dry(c, dry_run)
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
