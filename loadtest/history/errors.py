"""The exceptions of the history."""

from __future__ import annotations


class HistoryError(Exception):
    """A comparison or a record that cannot be made; the message says what and where.

    Each note (`add_note`) says what to do next. `exit_code` is what the command line ends with:
    2, since nothing was found to be worse.
    """

    exit_code = 2

    def __init__(self, message: str, *, next_step: str | None = None) -> None:
        super().__init__(message)
        if next_step is not None:
            self.add_note(next_step)


class NoBaselineError(HistoryError):
    """Nothing alike was measured before: there is nothing to compare with yet."""
