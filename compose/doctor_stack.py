"""What the stacks need from a host, and whether what runs is what the compose files say."""

from __future__ import annotations

from collections.abc import Iterator

from compose.checks import Check, passed
from compose.difference import size_as_compose_writes_it
from compose.doctor_paths import paths
from compose.host_report import ContainerReport, EngineHost, HostReport, PortReport


def stack(report: HostReport) -> Iterator[Check]:
    """Yield ports, path names, mounts, volumes and drift."""
    for port in report.ports:
        yield _port(port, report.host)
    yield from paths(report)
    if report.limits is None:
        yield Check("warn", "compose files", "not read", "mend what fails above, then look again")
        return
    if report.mounts_missing is None:
        yield Check("warn", "mounts", *report.host.unseen)
    else:
        yield _mounts(report.mounts_missing, report.owner)
    yield _volumes(report.volumes_missing)
    yield from map(_drift, report.containers)


def _port(one: PortReport, host: EngineHost) -> Check:
    name = f"port {one.port}"
    if one.holder is None and not one.looked:
        unseen, there = host.unseen
        fix = "sudo .venv/bin/invoke doctor" if host.local else there
        return Check("warn", name, f"no container seen to hold it; processes {unseen}", fix)
    if one.holder is None:
        return passed(name, "free")
    if one.ours:
        return passed(name, f"held by our {one.holder}")
    fix = f"stop {one.holder}, or another {one.key} in .env.staging"
    return Check("fail", name, f"held by {one.holder}", fix)


def _mounts(missing: tuple[str, ...], owner: tuple[int, int]) -> Check:
    if not missing:
        return passed("mounts", "present")
    uid, gid = owner
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
    if one.actual is None and one.status != "absent":
        return Check(
            "warn", one.name, "not known: the engine does not say", f"docker inspect {one.name}"
        )
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
    drifted = f", drifted: {'; '.join(found)}" if found else ""
    if one.status == "exited":
        fix = f"invoke start; if it exits again: docker logs --tail 50 {one.name}"
        return Check("fail", one.name, f"exited{drifted}", fix)
    if found:
        return Check("warn", one.name, f"{one.status}{drifted}", "recreate it: invoke restart")
    if one.status != "running":
        return Check("fail", one.name, one.status, f"docker logs --tail 50 {one.name}")
    return passed(one.name, "running as the compose file says")


def _memory(count: int) -> str:
    return size_as_compose_writes_it(count) if count else "unlimited"


def _short(image: str | None) -> str:
    return (image or "none").removeprefix("sha256:")[:12]
