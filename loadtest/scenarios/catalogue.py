"""All scenarios, by their names."""

from __future__ import annotations

from collections.abc import Mapping

from loadtest.scenarios import admission, container, memory, projects, restarts, settings, slots
from loadtest.scenarios.model import Scenario

_MODULES = (settings, admission, slots, restarts, projects, container, memory)
SCENARIOS: Mapping[str, Scenario] = {
    found.name: found
    for module in _MODULES
    for found in vars(module).values()
    if isinstance(found, Scenario)
}
