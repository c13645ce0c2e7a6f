"""What the stacks need from a host, and whether what runs is what the compose files say."""

from __future__ import annotations

from collections.abc import Iterator

from compose.checks import Check, passed
from compose.difference import size_as_compose_writes_it
from compose.host_report import ContainerReport, HostReport, PortReport


def stack(report: HostReport) -> Iterator[Check]:
    """Yield ports, mounts, volumes and drift."""
    yield from map(_port, report.ports)
    if report.limits is None:
        yield Check("warn", "compose files", "not read", "mend what fails above, then look again")
        return
    yield _mounts(report)
    yield _volumes(report.volumes_missing)
    yield from map(_drift, report.containers)


def _port(one: PortReport) -> Check:
    name = f"port {one.port}"
    if one.holder is None:
        return passed(name, "free")
    if one.ours:
        return passed(name, f"held by our {one.holder}")
    fix = f"stop {one.holder}, or another {one.key} in .env.staging"
    return Check("fail", name, f"held by {one.holder}", fix)


def _mounts(report: HostReport) -> Check:
    missing = report.mounts_missing
    if not missing:
        return passed("mounts", "present")
    uid, gid = report.owner
    return Check(
        "fail",
        "mounts",
        f"missing: {', '.join(missing)}",
        f"sudo install -d -o {uid} -g {gid} {' '.join(missing)}",
    )


def _volumes(missing: tuple[str, ...] | None) -> Check:
    if missing is None:
        return Check("warn", "volumes", "not known: the engine does not say", "invoke provision")
    if not missing:
        return passed("volumes", "present")
    fix = f'for v in {" ".join(missing)}; do docker volume create "$v"; done'
    return Check("fail", "volumes", f"missing: {', '.join(missing)}", fix)


def _drift(one: ContainerReport) -> Check:
    """Compare a container with what the compose file would make of it now."""
    if one.actual is None:
        return passed(one.name, "not deployed")
    wanted, actual = one.wanted, one.actual
    found = []
    if actual.memory != wanted.memory:
        found.append(f"memory {_memory(actual.memory)}, not {_memory(wanted.memory)}")
    if actual.restart != wanted.restart:
        found.append(f"restart {actual.restart}, not {wanted.restart}")
    if wanted.image is None:
        found.append("its image has no tag any more")
    elif actual.image != wanted.image:
        found.append(f"image {_short(actual.image)}, not {_short(wanted.image)}")
    if found:
        return Check(
            "warn",
            one.name,
            f"{one.status}, drifted: {'; '.join(found)}",
            "recreate it: docker compose up -d --force-recreate",
        )
    if one.status != "running":
        return Check("fail", one.name, one.status, f"docker logs --tail 50 {one.name}")
    return passed(one.name, "running as the compose file says")


def _memory(count: int) -> str:
    return size_as_compose_writes_it(count) if count else "unlimited"


def _short(image: str | None) -> str:
    return (image or "none").removeprefix("sha256:")[:12]
