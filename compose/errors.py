"""The one exception of this package."""

from __future__ import annotations


class ComposeError(Exception):
    """Something about the host or its containers that a person has to know.

    The message says what happened, each note (`add_note`) what to do next. `exit_code` is what
    the command line ends with: 1 when something failed, 2 when the host lacks what is needed.
    """

    def __init__(self, message: str, *, next_step: str | None = None, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        if next_step is not None:
            self.add_note(next_step)
