"""What provisioning decides for each kind of host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compose.errors import ComposeError
from compose.provision import HostState, plan
from compose.provision_steps import DAEMON_LOG, DAEMON_PID_FILE

APT = (
    "env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -o Acquire::Retries=2 "
    "-o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o DPkg::Lock::Timeout=120"
)
UPDATE = f"{APT} update || true"
INSTALL = f"{APT} install -y --no-upgrade --no-remove --no-install-recommends"
COMPANIONS = "ca-certificates iptables debootstrap"
PIN = "install -D -m 644 /dev/stdin /etc/apt/preferences.d/automaker-staging-trixie"
ARCHIVE = "install -D -m 644 /dev/stdin /etc/apt/sources.list.d/automaker-staging-trixie.sources"
DOCKER_SOURCE = "install -D -m 644 /dev/stdin /etc/apt/sources.list.d/docker.sources"
DAEMON = (
    f"setsid --fork sh -c 'exec dockerd --pidfile {DAEMON_PID_FILE} >>{DAEMON_LOG} 2>&1 </dev/null'"
)
START = f"service docker start || {DAEMON}"
ANSWER = "docker version --format '\"'\"'{{.Server.Version}}'\"'\"'"
AWAIT = f"timeout 60 sh -c 'until {ANSWER}; do sleep 1; done'"
SYSTEMD = "systemctl enable --now docker"

BARE = HostState(distribution="debian", release="12", codename="bookworm", root=True)
READY = replace(
    BARE,
    engine_version="20.10.24",
    compose_version="2.26.1",
    buildx_version="0.13.1",
    engine_installed=True,
    engine_package="docker.io",
)
STOPPED = replace(READY, engine_version=None)
DEBIAN_13 = replace(BARE, release="13", codename="trixie")
UBUNTU = replace(BARE, distribution="ubuntu", release="24.04", codename="noble")


def docker_repository(distribution: str) -> list[str]:
    key = f"https://download.docker.com/linux/{distribution}/gpg"
    return [
        UPDATE,
        f"{INSTALL} ca-certificates curl",
        "install -d /etc/apt/keyrings",
        f"curl -fsSL --max-time 30 {key} -o /etc/apt/keyrings/docker.asc",
        DOCKER_SOURCE,
    ]


FROM_DOCKER = (
    f"{INSTALL} docker-ce docker-ce-cli containerd.io {COMPANIONS} "
    "docker-compose-plugin docker-buildx-plugin"
)
PLANS = [
    pytest.param(READY, [], id="everything answers, so nothing is done"),
    pytest.param(
        replace(READY, distribution="arch", root=False),
        [],
        id="everything answers, whatever the host and the user are",
    ),
    pytest.param(
        replace(READY, endpoint="ssh://build@elsewhere"),
        [],
        id="an engine elsewhere that answers is as good as one here",
    ),
    pytest.param(
        replace(READY, compose_version=None, buildx_version=None),
        [PIN, ARCHIVE, UPDATE, f"{INSTALL} docker-compose/trixie docker-buildx/trixie"],
        id="the engine answers, so only the plugins come and it is not restarted",
    ),
    pytest.param(
        replace(READY, buildx_version=None, distribution="ubuntu", release="22.04"),
        [UPDATE, f"{INSTALL} docker-buildx"],
        id="only buildx is missing, so only buildx comes",
    ),
    pytest.param(
        replace(READY, compose_version=None, docker_repository=True),
        [PIN, ARCHIVE, UPDATE, f"{INSTALL} docker-compose/trixie"],
        id="the distribution's engine gets the distribution's plugin, though Docker's is there",
    ),
    pytest.param(
        replace(READY, compose_version=None, docker_repository=True, engine_package="docker-ce"),
        [*docker_repository("debian"), UPDATE, f"{INSTALL} docker-compose-plugin"],
        id="Docker's engine gets Docker's plugin",
    ),
    pytest.param(STOPPED, [START, AWAIT], id="installed but stopped, so it is started"),
    pytest.param(
        replace(STOPPED, systemd=True),
        [SYSTEMD, AWAIT],
        id="systemd starts its own units, also after a boot",
    ),
    pytest.param(
        replace(STOPPED, distribution="arch", release=""),
        [START, AWAIT],
        id="starting needs no packages, so any Linux will do",
    ),
    pytest.param(
        replace(STOPPED, root=False, sudo=True),
        [
            f"sudo -n service docker start || sudo -n {DAEMON}",
            AWAIT.replace("until ", "until sudo -n "),
        ],
        id="sudo without a password goes before what only root may do",
    ),
    pytest.param(
        BARE,
        [
            PIN,
            ARCHIVE,
            UPDATE,
            f"{INSTALL} docker.io {COMPANIONS} docker-compose/trixie docker-buildx/trixie",
            START,
            AWAIT,
        ],
        id="Debian 12 has an engine, and takes the plugins from Debian 13",
    ),
    pytest.param(
        replace(BARE, compose_version="2.40.0", buildx_version="0.30.0"),
        [UPDATE, f"{INSTALL} docker.io {COMPANIONS}", START, AWAIT],
        id="with plugins by hand, Debian 12 needs nothing of Debian 13",
    ),
    pytest.param(
        DEBIAN_13,
        [
            UPDATE,
            f"{INSTALL} docker.io docker-cli {COMPANIONS} docker-compose docker-buildx",
            START,
            AWAIT,
        ],
        id="Debian 13 has everything itself",
    ),
    pytest.param(
        replace(UBUNTU, systemd=True),
        [
            UPDATE,
            f"{INSTALL} docker.io {COMPANIONS} docker-compose-v2 docker-buildx",
            SYSTEMD,
            AWAIT,
        ],
        id="Ubuntu has everything itself, under other names",
    ),
    pytest.param(
        replace(UBUNTU, systemd=True, docker_repository=True),
        [*docker_repository("ubuntu"), UPDATE, FROM_DOCKER, SYSTEMD, AWAIT],
        id="Docker's own packages are preferred where its repository answers",
    ),
]


@pytest.mark.parametrize(("state", "lines"), PLANS)
def test_the_plan_prints_as_shell(state: HostState, lines: list[str]) -> None:
    assert [step.shell().split(" <<'EOF'")[0] for step in plan(state)] == lines


NOBODY = replace(BARE, root=False)
REFUSALS = [
    pytest.param(
        NOBODY,
        "this host lacks a Docker engine, Compose v2, buildx, and changing that takes root",
        "sudo .venv/bin/invoke provision",
        id="neither root nor sudo",
    ),
    pytest.param(
        replace(STOPPED, root=False),
        "this host lacks a Docker engine, and changing that takes root",
        "sudo .venv/bin/invoke provision",
        id="stopped, and starting takes root too",
    ),
    pytest.param(
        replace(NOBODY, system="darwin", distribution=""),
        "installing works on Linux only",
        "https://docs.docker.com/desktop/",
        id="a Mac",
    ),
    pytest.param(
        replace(BARE, distribution="fedora", release="43"),
        "packages for fedora 43 are not known here",
        "https://docs.docker.com/engine/install/",
        id="another distribution",
    ),
    pytest.param(
        replace(BARE, release="11", docker_repository=True),
        "packages for debian 11 are not known here",
        "https://docs.docker.com/engine/install/",
        id="an older release, even where Docker's repository answers",
    ),
    pytest.param(
        replace(BARE, distribution="", release=""),
        "packages for this distribution are not known here",
        "https://docs.docker.com/engine/install/",
        id="a Linux that does not say what it is",
    ),
    pytest.param(
        replace(STOPPED, socket_denied=True, root=False, sudo=True),
        "this user may not use its socket",
        'sudo usermod -aG docker "$USER"',
        id="the socket is there and denied, so installing would help nobody",
    ),
    pytest.param(
        replace(BARE, endpoint="tcp://10.0.0.5:2376"),
        "the Docker engine at tcp://10.0.0.5:2376 does not answer",
        "unset DOCKER_HOST",
        id="an engine elsewhere is silent, and one here is not what was asked for",
    ),
]


@pytest.mark.parametrize(("state", "message", "fix"), REFUSALS)
def test_what_a_person_must_fix_is_said_with_the_fix(
    state: HostState, message: str, fix: str
) -> None:
    with pytest.raises(ComposeError) as caught:
        plan(state)
    assert message in str(caught.value)
    assert fix in "".join(caught.value.__notes__)
    assert caught.value.exit_code == 2


def test_debian_13_is_held_below_the_release_before_it_is_named() -> None:
    pin, archive = plan(BARE)[:2]
    assert "Pin-Priority: 100" in pin.shell()
    assert "Suites: trixie" in archive.shell()


def test_docker_source_names_the_release() -> None:
    steps = plan(replace(UBUNTU, docker_repository=True))
    [source] = [step.shell() for step in steps if "docker.sources" in step.shell()]
    assert "URIs: https://download.docker.com/linux/ubuntu\nSuites: noble\n" in source
