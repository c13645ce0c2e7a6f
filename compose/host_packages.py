"""Which packages bring an engine, Compose v2 and buildx to a distribution, and from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compose.provision_steps import RunCommand, Step, WriteFile

DOCKER_REPOSITORY = "https://download.docker.com/linux"
DOCKER_KEYRING = "/etc/apt/keyrings/docker.asc"

# What the engine needs beside itself, and debootstrap for making a base image with no registry.
COMPANIONS = ("ca-certificates", "iptables", "debootstrap")

APT_GET = ("env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=l", "apt-get")
PATIENCE = (
    *("-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=20"),
    *("-o", "Acquire::https::Timeout=20", "-o", "DPkg::Lock::Timeout=120"),
)

TRIXIE_SOURCE = """\
Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
# Priority 100 is below every package of the host's own release: only what is asked for by name
# comes from trixie, and nothing that is installed is upgraded to it.
TRIXIE_PIN = """\
Package: *
Pin: release n=trixie
Pin-Priority: 100
"""


@dataclass(frozen=True)
class Packages:
    """Package names as apt-get takes them; with `trixie`, some come from Debian 13's archive."""

    engine: tuple[str, ...]
    compose: str
    buildx: str
    trixie: bool = False


FROM_DOCKER = Packages(
    engine=("docker-ce", "docker-ce-cli", "containerd.io"),
    compose="docker-compose-plugin",
    buildx="docker-buildx-plugin",
)
FROM_DISTRIBUTION = {
    # Debian 12 has Compose 1 and no buildx; those of Debian 13 need nothing but libc >= 2.34.
    ("debian", "12"): Packages(
        engine=("docker.io",),
        compose="docker-compose/trixie",
        buildx="docker-buildx/trixie",
        trixie=True,
    ),
    ("debian", "13"): Packages(
        engine=("docker.io", "docker-cli"), compose="docker-compose", buildx="docker-buildx"
    ),
    ("ubuntu", "22.04"): Packages(
        engine=("docker.io",), compose="docker-compose-v2", buildx="docker-buildx"
    ),
    ("ubuntu", "24.04"): Packages(
        engine=("docker.io",), compose="docker-compose-v2", buildx="docker-buildx"
    ),
}


def supported(distribution: str, release: str) -> bool:
    """Whether packages are known for this `ID` and `VERSION_ID` of /etc/os-release."""
    return (distribution, release) in FROM_DISTRIBUTION


def docker_repository(distribution: str, codename: str, prefix: Sequence[str]) -> list[Step]:
    """Make Docker's own repository known to apt: its key, then its source."""
    source = (
        f"Types: deb\nURIs: {DOCKER_REPOSITORY}/{distribution}\nSuites: {codename}\n"
        f"Components: stable\nSigned-By: {DOCKER_KEYRING}\n"
    )
    key = f"{DOCKER_REPOSITORY}/{distribution}/gpg"
    return [
        update(prefix),
        install("install what fetching a key needs", ["ca-certificates", "curl"], prefix),
        RunCommand("make the directory for keys", (*prefix, "install", "-d", "/etc/apt/keyrings")),
        RunCommand(
            "fetch the key of Docker's repository",
            (*prefix, "curl", "-fsSL", "--max-time", "30", key, "-o", DOCKER_KEYRING),
        ),
        WriteFile(
            "name Docker's repository",
            "/etc/apt/sources.list.d/docker.sources",
            source,
            tuple(prefix),
        ),
    ]


def trixie_archive(prefix: Sequence[str]) -> list[Step]:
    """Make Debian 13's archive known to apt on Debian 12; the pin is written before the source."""
    return [
        WriteFile(
            "hold Debian 13 below this release",
            "/etc/apt/preferences.d/automaker-staging-trixie",
            TRIXIE_PIN,
            tuple(prefix),
        ),
        WriteFile(
            "name Debian 13's archive, which has Compose v2 and buildx",
            "/etc/apt/sources.list.d/automaker-staging-trixie.sources",
            TRIXIE_SOURCE,
            tuple(prefix),
        ),
    ]


def update(prefix: Sequence[str]) -> Step:
    """Refresh apt's lists. A third party's source that is gone must not stop the install."""
    return RunCommand(
        "refresh the package lists",
        (*prefix, *APT_GET, *PATIENCE, "update"),
        may_fail="some package source does not answer; going on with the others",
    )


def install(why: str, names: Sequence[str], prefix: Sequence[str]) -> Step:
    """Install packages by name. None is removed or upgraded: a clash ends in an error instead."""
    options = ("install", "-y", "--no-upgrade", "--no-remove", "--no-install-recommends")
    return RunCommand(why, (*prefix, *APT_GET, *PATIENCE, *options, *names))
