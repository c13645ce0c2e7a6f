"""What is wrong with the settings, said once and in full."""

from __future__ import annotations


class SettingsError(Exception):
    """Settings that cannot be used: one line a problem, each naming file and key path."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
