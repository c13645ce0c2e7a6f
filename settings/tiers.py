"""Limits that fit a host: the guide's tiers, from figures alone."""

from __future__ import annotations

from dataclasses import dataclass

from settings.host import GIB, NEARLY


@dataclass(frozen=True)
class Tier:
    """From `host_gib` on; sizes in GiB, the heap of the server process in MiB."""

    host_gib: int
    memory_gib: int
    old_space_mib: int
    max_concurrency: int
    cpus: int | None
    """None: all but one of the host's."""


# A heap as large as the container's memory would end in the kernel's killer before V8 ever
# collects, so the small tiers give the server half and leave the rest to its agents.
TIERS = (
    Tier(96, 64, 32768, 8, 12),
    Tier(48, 48, 32768, 6, 8),
    Tier(24, 16, 8192, 4, None),
    Tier(0, 8, 4096, 2, None),
)


@dataclass(frozen=True)
class Proposal:
    """What `.env.staging` should say about resources on one host."""

    memory_gib: int
    cpus: int
    old_space_mib: int
    max_concurrency: int

    def values(self) -> dict[str, str]:
        """Return the proposal as keys of `.env.staging`."""
        return {
            "MEMORY_LIMIT": f"{self.memory_gib}G",
            "CPU_LIMIT": str(self.cpus),
            "NODE_MAX_OLD_SPACE": str(self.old_space_mib),
            "AUTOMAKER_MAX_CONCURRENCY": str(self.max_concurrency),
        }


def tier_for(memory: int) -> Tier:
    """The highest tier that a host of `memory` bytes belongs to, firmware's share forgiven."""
    return next(tier for tier in TIERS if memory >= tier.host_gib * GIB * NEARLY)


def propose(memory: int, cpus: int) -> Proposal:
    """Limits for a host of `memory` bytes and `cpus` cores; never more cores than it has."""
    tier = tier_for(memory)
    wanted = cpus - 1 if tier.cpus is None else tier.cpus
    return Proposal(
        memory_gib=tier.memory_gib,
        cpus=max(1, min(wanted, cpus)),
        old_space_mib=tier.old_space_mib,
        max_concurrency=tier.max_concurrency,
    )
