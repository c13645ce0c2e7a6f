"""`python -m loadtest.advise`: which maxConcurrency, answered from figures alone.

Exit codes: 0 advised, 1 not even one agent is within the risk, 2 options or files that cannot be
used, or no Docker Compose where the staging model is asked for.
"""

from __future__ import annotations

import json
import sys

from rich.console import Console

from compose.errors import ComposeError
from loadtest.advise.advice import advise
from loadtest.advise.figures import gather
from loadtest.advise.options import Request, parse
from loadtest.advise.show import as_data, print_advice
from loadtest.memory_model import MemoryModel
from settings.env_keys import HIGHEST_CONCURRENCY
from settings.errors import SettingsError
from settings.load import load_settings
from settings.models import Agents
from settings.recommend import recommend

_WIDTH_WITHOUT_TERMINAL = 100


def main(argv: list[str]) -> int:
    """Print the advice that the options ask for; returns the exit code."""
    request = parse(argv)
    try:
        return answer(
            request, Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)
        )
    except (SettingsError, ComposeError) as error:
        errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
        errors.print(f"error: {error}", *getattr(error, "__notes__", ()), sep="\n  -> ")
        return 2


def answer(request: Request, console: Console) -> int:
    """Print the advice. Raises SettingsError and ComposeError."""
    settings = load_settings()
    figures = gather(request, settings)
    advice = advise(figures.model, request.risk, HIGHEST_CONCURRENCY)
    guide = _guide(figures.model, settings.agents)
    if request.as_json:
        sys.stdout.write(json.dumps(as_data(advice, figures, guide), indent=2) + "\n")
    else:
        print_advice(console, advice, figures, guide)
    return 0 if advice.max_concurrency else 1


def _guide(model: MemoryModel, agents: Agents) -> int | None:
    """What the guide's rule says of the same mix and memory; None for classes it does not know."""
    try:
        found = recommend(model.weights, agents, round(model.limit), HIGHEST_CONCURRENCY)
    except SettingsError:
        return None
    return found.max_concurrency


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
