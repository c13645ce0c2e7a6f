"""Which machines: names as people write them, and the addresses of the engines behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from compose.run import Run
from loadtest.plan import PlanError

_SCHEMES = ("unix://", "ssh://")


@dataclass(frozen=True)
class FleetHost:
    """One machine of a fleet."""

    name: str
    """As it was given: an address, or a context of Docker's."""
    address: str
    """unix:///path.sock, or ssh://[user@]host[:port]."""
    folder: str
    """Its name as that of a folder; no two hosts of a fleet have the same."""

    @property
    def ssh(self) -> str | None:
        """The address of the machine for ssh; None for a socket of this one."""
        return self.address if self.address.startswith("ssh://") else None


def fleet_of(names: Sequence[str], run: Run) -> list[FleetHost]:
    """The hosts of a fleet, in the order given. Raises PlanError for one that cannot be meant."""
    if not names:
        raise PlanError("--hosts names no host: ssh://user@host, unix:///path.sock or a context")
    hosts: list[FleetHost] = []
    for name in names:
        address = address_of(name, run)
        if address in [host.address for host in hosts]:
            raise PlanError(f"--hosts: {name} is named twice ({address})")
        hosts.append(FleetHost(name, address, _folder(name, [host.folder for host in hosts])))
    return hosts


def split(text: str) -> list[str]:
    """Names in what follows `--hosts`, separated by commas."""
    return [name for part in text.split(",") if (name := part.strip())]


def address_of(name: str, run: Run) -> str:
    """The address that a name stands for; contexts are looked up. Raises PlanError."""
    address = name if "://" in name else _context(name, run)
    if not address.startswith(_SCHEMES):
        raise PlanError(
            f"--hosts: {name}: {address}: a target there could not be reached; "
            "use ssh://user@host, or unix:///path.sock for an engine of this machine"
        )
    return address


def _context(name: str, run: Run) -> str:
    argv = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}", "--", name]
    done = run(argv, check=False)
    if done.returncode != 0:
        raise PlanError(
            f"--hosts: {name}: neither an address nor a context of Docker's "
            "(docker context ls shows them)"
        )
    return done.stdout.strip()


def _folder(name: str, taken: Sequence[str]) -> str:
    bare = re.sub(r"[^A-Za-z0-9.]+", "-", re.sub(r"^\w+://", "", name)).strip("-.") or "host"
    folder, number = bare, 1
    while folder in taken:
        number += 1
        folder = f"{bare}-{number}"
    return folder
