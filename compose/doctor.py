"""Is this host fit for staging, and does what runs match the compose files? Decisions only."""

from __future__ import annotations

from collections.abc import Iterator

from compose.checks import Check, Level, passed
from compose.doctor_hardware import hardware
from compose.doctor_stack import stack
from compose.endpoint import where
from compose.host_report import HostReport
from settings.env_file import PRIVATE_MODE

PROVISION = "invoke provision"


def diagnose(report: HostReport) -> list[Check]:
    """Return every check of a host, hardware first; each that is no pass says what to do."""
    return [*hardware(report), *_engine(report), *_env_file(report), *stack(report)]


def _engine(report: HostReport) -> Iterator[Check]:
    yield passed("engine host", where(report.host.endpoint))
    tools = (("engine", report.engine), ("Compose", report.compose), ("buildx", report.buildx))
    for name, version in tools:
        if version is None:
            yield Check("fail", name, "missing, or does not answer", PROVISION)
        else:
            yield passed(name, version)
    yield _cgroup(report)
    yield _swap_accounting(report)


def _cgroup(report: HostReport) -> Check:
    match report.host.cgroup_version:
        case None:
            return Check("warn", "cgroup", *report.host.unseen)
        case 0:
            return Check(
                "fail", "cgroup", "none: no limit would be enforced", "mount /sys/fs/cgroup"
            )
        case version:
            return passed("cgroup", f"version {version}")


def _swap_accounting(report: HostReport) -> Check:
    name = "swap accounting"
    match report.swap_accounting:
        case None:
            return Check("warn", name, "not known: the engine does not say", PROVISION)
        case True:
            return passed(name, "on: a memory limit is a limit")
    # Without swap there is none to account for.
    level: Level = "fail" if report.host.swap else "warn"
    return Check(
        level,
        name,
        "off: the server could swap beyond its limit",
        "boot the kernel with swapaccount=1",
    )


def _env_file(report: HostReport) -> Iterator[Check]:
    env, name = report.env, "env file"
    if env.mode is None:
        yield Check("fail", name, f"{env.path}: missing", "invoke env")
        return
    for problem in env.problems:
        yield Check("fail", name, problem, "correct that line; invoke env adds what is missing")
    for remark in env.remarks:
        what, _, fix = remark.partition("; ")
        yield Check("warn", name, what, fix)
    if not (env.problems or env.remarks):
        yield passed(name, "valid, with every key that is required")
    if env.mode == PRIVATE_MODE:
        yield passed("env file mode", "0600")
    else:
        found = f"{env.mode:04o}: others may read its secrets"
        yield Check("fail", "env file mode", found, f"chmod 600 {env.path}")
