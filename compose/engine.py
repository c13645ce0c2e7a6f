"""Brings the engine of this host up: carries the plan out, one line of progress a step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compose.errors import ComposeError
from compose.host_probe import probe
from compose.provision import HostState, plan
from compose.provision_steps import AwaitReady, RunCommand, StartDaemon, Step, WriteFile
from compose.run import Completed, Run

STEP_BUDGET_S = 900.0
# An engine that its init script did start answers within a second or two.
SERVICE_BUDGET_S = 10.0

Report = Callable[[str], None]
"""Takes text to show as it is, line ends included."""


@dataclass(frozen=True)
class Provisioned:
    """What provisioning found or did. `steps` are lines of shell; `changed` says if they ran."""

    steps: tuple[str, ...]
    changed: bool
    engine: str | None
    compose: str | None
    buildx: str | None


def provision(run: Run, report: Report, *, dry_run: bool = False) -> Provisioned:
    """Leave this host with a running engine, Compose v2 and buildx; a second call changes nothing.

    `dry_run` only shows the steps. Raises ComposeError where a person has to act or a step fails.
    """
    before = probe(run)
    steps = plan(before)
    shown = tuple(step.shell() for step in steps)
    if not steps:
        report(f"nothing to do: {_versions(before)}\n")
        return _provisioned(before, shown, changed=False)
    if dry_run:
        for step in steps:
            report(f"# {step.why}\n{step.shell()}\n")
        return _provisioned(before, shown, changed=False)
    execute(steps, run, report)
    after = probe(run)
    if plan(after):
        raise ComposeError("every step ran, yet this host lacks " + ", ".join(after.missing()))
    report(f"ready: {_versions(after)}\n")
    return _provisioned(after, shown, changed=True)


def execute(steps: Sequence[Step], run: Run, report: Report) -> None:
    """Carry steps out in order. The first that fails, and may not, ends it with a ComposeError."""
    for number, step in enumerate(steps, start=1):
        report(f"[{number}/{len(steps)}] {step.why} ... ")
        began = time.monotonic()
        try:
            remark = _carry_out(step, run)
        except ComposeError as error:
            report("failed\n")
            error.add_note("provision can simply be run again; what is done already stays done")
            raise
        report(f"{remark or 'done'}, {time.monotonic() - began:.1f} s\n")


def _carry_out(step: Step, run: Run) -> str:
    """Do one step; returns a remark for its line of progress, empty when there is none."""
    match step:
        case RunCommand():
            done = run(step.argv, check=not step.may_fail, timeout_s=STEP_BUDGET_S)
            return step.may_fail if done.returncode != 0 else ""
        case WriteFile():
            run(step.argv, stdin=step.text, timeout_s=STEP_BUDGET_S)
            return ""
        case StartDaemon():
            return _start(step, run)
        case AwaitReady():
            _await(step, run)
            return ""


def _start(step: StartDaemon, run: Run) -> str:
    """Start the daemon through `service`; where that does not bring it up, directly."""
    if step.service is not None and _attempt(step.service, run).returncode == 0:
        answer = (*step.prefix, "docker", "version")
        if _answers(answer, run, SERVICE_BUDGET_S):
            return "done by its init script"
    run(step.argv, timeout_s=STEP_BUDGET_S)
    return "done by running dockerd detached"


def _await(step: AwaitReady, run: Run) -> None:
    """Wait for an answer; without one in time, raise with the daemon's last words."""
    if _answers(step.argv, run, step.budget_s):
        return
    words = _attempt(step.evidence, run).stdout.rstrip()
    raise ComposeError(
        f"the engine does not answer after {step.budget_s:g} s; its last words:\n{words}"
    )


def _answers(argv: Sequence[str], run: Run, budget_s: float) -> bool:
    """Whether a command succeeds before `budget_s` seconds are over."""
    deadline = time.monotonic() + budget_s
    while _attempt(argv, run).returncode != 0:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.5)
    return True


def _attempt(argv: Sequence[str], run: Run) -> Completed:
    """Run a command that may be missing, fail or hang."""
    try:
        return run(argv, check=False, timeout_s=60.0)
    except ComposeError as error:
        return Completed("", str(error), 127)


def _versions(state: HostState) -> str:
    return (
        f"engine {state.engine_version}, Compose {state.compose_version}, "
        f"buildx {state.buildx_version}"
    )


def _provisioned(state: HostState, steps: tuple[str, ...], *, changed: bool) -> Provisioned:
    return Provisioned(
        steps, changed, state.engine_version, state.compose_version, state.buildx_version
    )
