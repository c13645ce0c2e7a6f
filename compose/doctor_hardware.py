"""A host against the guide's hardware table, and against its own limits."""

from __future__ import annotations

from collections.abc import Iterator

from compose.checks import Check, Level, passed
from compose.host_report import EngineHost, HostReport
from settings.host import GIB, NEARLY
from settings.sizes import in_gib

GB = 10**9
# Docker's images of one release need a few GB, and a full disk takes the engine down.
DISK_FREE_NEEDED = 10 * GB
# What the kernel, the engine and a login need beside the containers.
HOST_RESERVE = 2 * GIB
# Name, what one unit is, the unit's name; then the guide's minimum, recommended, staging target.
TABLE = (
    ("RAM", GIB, "GiB", 8, 16, 48),
    ("CPU", 1, "cores", 2, 4, 8),
    ("disk", GB, "GB", 50, 100, 200),
    ("network", 1, "Mbps", 10, 100, 1000),
)


def hardware(report: HostReport) -> Iterator[Check]:
    """Yield the guide's table, free disk, and what MEMORY_LIMIT and the heap leave over."""
    host = report.host
    amounts = (host.memory, host.cpus, host.disk_total, host.network_mbps)
    for row, amount in zip(TABLE, amounts, strict=True):
        yield _against_table(row, amount, host)
    yield _disk_free(host)
    if report.limits is not None:
        yield _reserve(report, report.limits.memory_bytes)
        yield _processors(host, report.limits.cpus)
        yield _heap(report.limits.memory_bytes, report.limits.node_old_space_mib)


def _against_table(
    row: tuple[str, int, str, int, int, int], amount: int | None, host: EngineHost
) -> Check:
    name, unit, unit_name, minimum, recommended, target = row
    goal = f"staging target {target} {unit_name}"
    if amount is None:
        found, fix = host.unseen
        return Check("warn", name, f"{found}; {goal}", fix)
    shown = f"{amount / unit:.4g} {unit_name}"
    # Firmware, kernel and file systems keep a little of what was bought.
    if amount >= target * unit * NEARLY:
        return passed(name, f"{shown}, {goal}")
    if amount < minimum * unit * NEARLY:
        found = f"{shown}, below the minimum of {minimum} {unit_name}"
        return Check("fail", name, found, f"a host with {target} {unit_name}")
    met = "recommended" if amount >= recommended * unit * NEARLY else "minimum"
    return Check(
        "warn",
        name,
        f"{shown}, meets the {met}; {goal}",
        f"{target} {unit_name} for 6-10 agents; else fewer agents: invoke env",
    )


def _disk_free(host: EngineHost) -> Check:
    if host.disk_free is None:
        return Check("warn", "disk space", *host.unseen)
    found = f"{host.disk_free / GB:.4g} GB free"
    if host.disk_free >= DISK_FREE_NEEDED:
        return passed("disk space", found)
    return Check(
        "fail",
        "disk space",
        f"{found}, below the 10 GB that a release needs",
        "docker image prune; docker builder prune",
    )


def _reserve(report: HostReport, limit: int) -> Check:
    """Compare the host's memory with what all containers together may use."""
    memory = report.host.memory
    if memory is None:
        return Check("warn", "memory reserve", *report.host.unseen)
    left = memory - limit - report.beside_memory
    found = f"{in_gib(left, 1)} left beside MEMORY_LIMIT ({in_gib(limit, 1)}), UI and docs"
    if left >= HOST_RESERVE:
        return passed("memory reserve", found)
    room = max(1, (memory - report.beside_memory - HOST_RESERVE) // GIB)
    fix = f"MEMORY_LIMIT={room}G in .env.staging"
    # The guide's own 48G on a 48 GiB host is as tight as this; anything above can never be had.
    level: Level = "fail" if limit * NEARLY > memory else "warn"
    return Check(level, "memory reserve", f"{found}: the host itself may run out", fix)


def _processors(host: EngineHost, cpus: float | None) -> Check:
    if cpus is None:
        return Check("warn", "CPU limit", "none", "CPU_LIMIT in .env.staging")
    if host.cpus is None:
        found, fix = host.unseen
        return Check("warn", "CPU limit", f"{cpus:g}; what the host has is {found}", fix)
    if cpus <= host.cpus:
        return passed("CPU limit", f"{cpus:g} of {host.cpus}")
    return Check(
        "fail",
        "CPU limit",
        f"{cpus:g}, and the host has {host.cpus}: the engine refuses to start that",
        f"CPU_LIMIT={max(1, host.cpus - 1)} in .env.staging",
    )


def _heap(limit: int, old_space_mib: int | None) -> Check:
    """Check that V8 collects before the kernel kills: its heap has to end below the limit."""
    if old_space_mib is None:
        return Check("warn", "heap", "V8's own default", "NODE_MAX_OLD_SPACE in .env.staging")
    found = f"{old_space_mib} MiB of {in_gib(limit, 1)}"
    if old_space_mib * 2**20 < limit:
        return passed("heap", found)
    return Check(
        "fail",
        "heap",
        f"{found}: the kernel would kill the server before V8 collects",
        f"NODE_MAX_OLD_SPACE={limit // 2**21} in .env.staging",
    )
