"""The door through which a deploy acts on a host; a dry run walks the same path."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from compose.errors import ComposeError
from compose.run import Completed, Run, failure_text, stream
from settings.owner import OWNER_VARIABLE, Owner
from settings.redact import Redactor

LOOK_S = 60.0
CHANGE_S = 300.0

Write = Callable[[str], None]
"""Takes text to show as it is, line ends included."""


@dataclass
class Progress:
    """One line a step, with what happened during it below; secrets are taken out."""

    write: Write
    total: int = 0
    redact: Redactor = field(default_factory=Redactor)
    number: int = 0
    _open: bool = False
    """Whether a step's line has been begun and not ended."""

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show a step while it is carried out, and how long it took."""
        self.number += 1
        self._show(f"[{self.number}/{max(self.total, self.number)}] {name} ... ")
        self._open = True
        began = time.monotonic()
        try:
            yield
        except BaseException:
            self._end("FAILED", began)
            raise
        self._end("done", began)

    def note(self, text: str) -> None:
        """Show something below the step's line."""
        if self._open:
            self._show("\n")
            self._open = False
        self._show("".join(f"      {line}\n" for line in text.splitlines()))

    def line(self, text: str) -> None:
        """Show a line that belongs to no step."""
        self._show(f"{text}\n")

    def _end(self, word: str, began: float) -> None:
        indent = "" if self._open else "      "
        self._open = False
        self._show(f"{indent}{word}, {time.monotonic() - began:.1f} s\n")

    def _show(self, text: str) -> None:
        self.write(self.redact(text))


@dataclass(frozen=True)
class Host:
    """A host to deploy on. With `dry`, what would change something is only shown."""

    run: Run
    progress: Progress
    dry: bool = False

    def look(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> Completed:
        """Run a command that changes nothing; a failure is for the caller to judge."""
        return self.run(argv, env=env, check=False, timeout_s=LOOK_S)

    def listing(self, argv: Sequence[str]) -> list[str]:
        """Run a command that lists things, one a line; ComposeError where it cannot say."""
        done = self.look(argv)
        if done.returncode != 0:
            raise ComposeError(self.progress.redact(failure_text(argv, done)))
        return [line for line in done.stdout.splitlines() if line.strip()]

    def change(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout_s: float = CHANGE_S,
        stdin: str = "",
    ) -> Completed:
        """Run a command that changes something; raises ComposeError, without secrets."""
        if self.dry:
            self.progress.note(f"$ {shlex.join(argv)}")
            return Completed("", "", 0)
        marked = {**(env or {}), OWNER_VARIABLE: str(Owner.this_process())}
        done = self.run(argv, env=marked, check=False, timeout_s=timeout_s, stdin=stdin)
        if done.returncode != 0:
            raise ComposeError(self.progress.redact(failure_text(argv, done)))
        return done

    def tidy(self, argv: Sequence[str]) -> None:
        """Run a command that takes something away; where it fails, that is said and no more."""
        try:
            self.change(argv)
        except ComposeError as error:
            self.progress.note(f"not tidied up: {error}")

    def follow(
        self, argv: Sequence[str], on_line: Callable[[str], None], *, timeout_s: float
    ) -> None:
        """Run a long command that changes something, showing it line by line as it goes."""
        if self.dry:
            self.progress.note(f"$ {shlex.join(argv)}")
            return
        last: list[str] = []

        def keep(line: str) -> None:
            if line.strip():
                last[:] = [*last[-200:], line]
            on_line(line)

        marked = {OWNER_VARIABLE: str(Owner.this_process())}
        status = stream(argv, keep, env=marked, timeout_s=timeout_s)
        if status != 0:
            done = Completed("\n".join(last), "", status)
            raise ComposeError(self.progress.redact(failure_text(argv, done)))

    def act(self, what: str, effect: Callable[[], object]) -> None:
        """Do something to files or over the network; a dry run says `what` instead."""
        if self.dry:
            self.progress.note(what)
        else:
            effect()
