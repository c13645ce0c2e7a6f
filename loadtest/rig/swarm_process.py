"""The Locust process: started early, told when to go, never left behind."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from loadtest.swarm.result import SwarmResult, SwarmTask

LOCUSTFILE = Path(__file__).parent.parent / "swarm" / "locustfile.py"
ROOT = LOCUSTFILE.parent.parent.parent
_STOP_S = 10
_OUT_OF_TIME = 124  # as timeout(1) says it


class SwarmProcess:
    """One headless Locust run of one trial, in a process of its own.

    Locust replaces the sockets of the process that imports it, so it gets one; it loads while the
    target starts and waits for `go`. When this process dies, the pipe closes and Locust ends.
    """

    def __init__(
        self,
        task: SwarmTask,
        folder: Path,
        log: Path,
        environ: Mapping[str, str],
        role: Sequence[str] = ("--headless",),
    ) -> None:
        """`role` are Locust's options for what it is to be: alone, a master or a worker."""
        self._task_file = folder / "swarm-task.json"
        self._result_file = folder / "swarm-result.json"
        self._status_file = folder / "swarm-status.json"
        self._result_file.unlink(missing_ok=True)
        self._status_file.unlink(missing_ok=True)
        self._task_file.touch(mode=0o600)  # it holds the trial's API key
        self._task_file.write_text(task.model_dump_json(), encoding="utf-8")
        read_end, self._go = os.pipe()
        argv = [
            sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), *role,
            "--only-summary", "--host", task.host, "--trial", str(self._task_file),
            "--result", str(self._result_file), "--status", str(self._status_file),
            "--go-fd", str(read_end),
        ]  # fmt: skip
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[read_end],
                cwd=ROOT,
                env=dict(environ),
                start_new_session=True,  # Ctrl-C reaches us alone; we decide when the swarm ends
            )
        os.close(read_end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._result_file.unlink(missing_ok=True)  # what it said is in the outcome by now
        self._status_file.unlink(missing_ok=True)

    def go(self) -> None:
        """Let the agents come."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._go, b"go")

    def cleared(self) -> None:
        """Tell that no agent's process is left: the next round may begin."""
        with contextlib.suppress(OSError):  # it has ended; a trial needs no further round
            os.write(self._go, b"0")

    def status(self) -> dict[str, int]:
        """Agents by state, as the swarm last wrote them; empty before that."""
        try:
            counts: dict[str, int] = json.loads(self._status_file.read_bytes())
        except (OSError, ValueError):
            return {}
        return counts

    def wait(self, budget_s: float) -> tuple[int, SwarmResult | None]:
        """Exit code and result of the run; no result when it crashed or ran out of time."""
        try:
            code = self._process.wait(budget_s)
        except subprocess.TimeoutExpired:
            self.stop()
            return _OUT_OF_TIME, None
        return code, self._result()

    def _result(self) -> SwarmResult | None:
        try:
            return SwarmResult.model_validate_json(self._result_file.read_bytes())
        except (OSError, ValueError):
            return None

    def stop(self) -> None:
        """End the process, kindly first, and take its key away. A second call does nothing."""
        self._task_file.unlink(missing_ok=True)
        if self._go >= 0:
            os.close(self._go)
            self._go = -1
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
