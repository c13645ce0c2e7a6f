"""What `invoke config` answers: as text for people and as data for JSON, made from one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compose.effective import effective_settings, staging_values
from compose.errors import ComposeError
from compose.show import show_findings, show_recommendation, show_settings
from settings.env_keys import StagingEnv
from settings.load import load_settings
from settings.recommend import parse_mix, recommend
from settings.server_changes import parse_changes
from settings.server_files import check_file, kind_of
from settings.server_merge import merge_file


@dataclass(frozen=True)
class Answer:
    """What to print, and the exit code to end with."""

    text: str
    data: Any
    exit_code: int = 0


def effective(env_file: Path) -> Answer:
    """Every key with its value and source, secrets masked."""
    settings = effective_settings(staging_values(env_file))
    return Answer(show_settings(settings), [one.public() for one in settings])


def recommended(mix: str, env_file: Path) -> Answer:
    """A figure for maxConcurrency under the limits that are in effect, with its arithmetic."""
    agents = load_settings().agents
    memory, cap = _limits(env_file)
    found = recommend(parse_mix(mix, agents), agents, memory, cap)
    return Answer(show_recommendation(found), asdict(found))


def check_files(paths: Sequence[str], env_file: Path) -> Answer:
    """What the server would ignore in its settings files; 1 where auto-mode would not work."""
    _, cap = _limits(env_file)
    found = {path: check_file(Path(path), cap) for path in paths}
    text = "\n".join(show_findings(path, findings) for path, findings in found.items())
    data = {path: [asdict(one) for one in findings] for path, findings in found.items()}
    failed = any(one.level == "fail" for findings in found.values() for one in findings)
    return Answer(text, data, int(failed))


def change_file(
    paths: Sequence[str], words: Sequence[str], env_file: Path, *, dry_run: bool = False
) -> Answer:
    """Merge changes such as `maxConcurrency=6` into the one settings file of `paths`."""
    if len(paths) != 1:
        raise ComposeError(
            f"--set changes one file, and {len(paths)} are named",
            next_step="invoke config --settings FILE --set KEY=VALUE",
            exit_code=2,
        )
    path = Path(paths[0])
    changes = parse_changes(words, kind_of(path))
    _, cap = _limits(env_file)
    done = merge_file(path, changes.values, dry_run=dry_run, cap=cap)
    text = "\n".join([*changes.remarks, *done.lines()])
    return Answer(text, {**done.public(), "dry_run": dry_run, "remarks": changes.remarks})


def _limits(env_file: Path) -> tuple[int, int]:
    """Return the server's memory in bytes and its cap on agents, defaults of the files included."""
    settings = effective_settings(staging_values(env_file))
    env = StagingEnv.model_validate({one.key: one.value for one in settings if one.value})
    if env.memory_limit is None or env.automaker_max_concurrency is None:
        raise ComposeError("the staging file has no default for a limit, and nothing else sets it")
    return env.memory_limit, env.automaker_max_concurrency
