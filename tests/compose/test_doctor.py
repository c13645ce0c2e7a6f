"""What the doctor makes of a host."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.checks import Check, exit_code, verdict
from compose.doctor import diagnose
from compose.host_report import (
    ContainerReport,
    ContainerState,
    EngineHost,
    EnvReport,
    HostReport,
    PathReport,
    PortReport,
)
from compose.model import Restart, ServiceLimits
from compose.show import show_checks
from settings.host import GIB

ENGINE_HOST = EngineHost(
    endpoint="unix:///var/run/docker.sock",
    memory=64 * GIB,
    swap=0,
    cpus=8,
    disk_total=200 * 10**9,
    disk_free=100 * 10**9,
    network_mbps=1000,
    cgroup_version=2,
)
ELSEWHERE = EngineHost("ssh://user@prod.example", memory=64 * GIB, cpus=8, cgroup_version=2)
PATHS = (
    PathReport("PROJECTS_MOUNT", "/srv/p", "/srv/p"),
    PathReport("LABS_MOUNT", "/srv/l", "/srv/l"),
    PathReport("ALLOWED_ROOT_DIRECTORY", "/srv", "/srv"),
)
LIMITS = ServiceLimits(
    memory_bytes=48 * GIB,
    memswap_bytes=48 * GIB,
    cpus=8,
    node_old_space_mib=32768,
    max_concurrency=6,
    health=None,
    restart=Restart("on-failure", 5),
    init=True,
    environment={"AUTOMAKER_API_KEY": "secret-1"},
)
WANTED = ContainerState(48 * GIB, "on-failure:5", "sha256:aaaa")
SERVER = ContainerReport("automaker-server-staging", WANTED, WANTED, "running")
HOST = HostReport(
    host=ENGINE_HOST,
    engine="28.0",
    compose="2.30",
    buildx="0.20",
    swap_accounting=True,
    env=EnvReport("/x/.env.staging", 0o600),
    limits=LIMITS,
    beside_memory=2 * GIB,
    mounts_missing=(),
    paths=PATHS,
    owner=(1000, 1000),
    ports=(PortReport("UI_PORT", 3007),),
    volumes_missing=(),
    containers=(SERVER,),
)


def host(**changes: Any) -> HostReport:
    return replace(HOST, host=replace(ENGINE_HOST, **changes))


def limits(**changes: Any) -> HostReport:
    return replace(HOST, limits=replace(LIMITS, **changes))


def server(status: str = "running", **changes: Any) -> HostReport:
    return replace(
        HOST, containers=(replace(SERVER, actual=replace(WANTED, **changes), status=status),)
    )


def env(**changes: Any) -> HostReport:
    return replace(HOST, env=replace(HOST.env, **changes))


def others(report: HostReport) -> list[Check]:
    """Every check that is no pass."""
    return [one for one in diagnose(report) if one.level != "pass"]


def test_a_staging_host_passes_everything() -> None:
    assert others(HOST) == []
    assert exit_code(diagnose(HOST)) == 0


@pytest.mark.parametrize(
    ("report", "level", "name", "found", "fix"),
    [
        (host(network_mbps=None), "warn", "network", "not known", "ask"),
        (host(network_mbps=100), "warn", "network", "recommended", "1000"),
        (host(network_mbps=5), "fail", "network", "below the minimum of 10", "1000"),
        (host(disk_total=60 * 10**9), "warn", "disk", "meets the minimum", "200"),
        (host(disk_free=9 * 10**9), "fail", "disk space", "9 GB free", "docker image prune"),
        (limits(cpus=None), "warn", "CPU limit", "none", "CPU_LIMIT"),
        (limits(cpus=9), "fail", "CPU limit", "9, and the host has 8", "CPU_LIMIT=7"),
        (limits(node_old_space_mib=49152), "fail", "heap", "before V8", "NODE_MAX_OLD_SPACE=24576"),
        (limits(node_old_space_mib=None), "warn", "heap", "own default", "NODE_MAX_OLD_SPACE"),
        (limits(memory_bytes=61 * GIB), "warn", "memory reserve", "1.0 GiB left", "LIMIT=60G"),
        (limits(memory_bytes=70 * GIB), "fail", "memory reserve", "-8.0 GiB left", "LIMIT=60G"),
        (replace(HOST, engine=None), "fail", "engine", "missing", "invoke provision"),
        (replace(HOST, compose=None), "fail", "Compose", "missing", "invoke provision"),
        (replace(HOST, buildx=None), "fail", "buildx", "missing", "invoke provision"),
        (host(cgroup_version=0), "fail", "cgroup", "none", "mount"),
        (replace(HOST, swap_accounting=None), "warn", "swap accounting", "not known", "invoke"),
        (replace(HOST, swap_accounting=False), "warn", "swap accounting", "off", "swapaccount=1"),
        (env(mode=None), "fail", "env file", "missing", "invoke env"),
        (env(mode=0o644), "fail", "env file mode", "0644", "chmod 600 /x/.env.staging"),
        (env(problems=("x:3: UID: bad",)), "fail", "env file", "x:3: UID: bad", "correct"),
        (env(remarks=("x:3: $; quote it",)), "warn", "env file", "x:3: $", "quote it"),
        (
            replace(HOST, mounts_missing=("/srv/a", "/srv/b")),
            *("fail", "mounts", "missing: /srv/a, /srv/b"),
            "sudo install -d -o 1000 -g 1000 /srv/a /srv/b",
        ),
        (
            replace(HOST, volumes_missing=("v1", "v2")),
            *("fail", "volumes", "missing: v1, v2"),
            'for v in v1 v2; do docker volume create "$v"; done',
        ),
        (replace(HOST, volumes_missing=None), "warn", "volumes", "not known", "invoke provision"),
        (
            replace(HOST, ports=(PortReport("API_PORT", 3008, "nginx (pid 7)"),)),
            *("fail", "port 3008", "held by nginx (pid 7)", "another API_PORT"),
        ),
        (replace(HOST, limits=None), "warn", "compose files", "not read", "mend"),
        (server(memory=96 * GIB), "warn", SERVER.name, "memory 96G, not 48G", "invoke restart"),
        (server(memory=0), "warn", SERVER.name, "memory unlimited, not 48G", "recreate"),
        (server(restart="always"), "warn", SERVER.name, "always, not on-failure:5", "recreate"),
        (server(image="sha256:bbbb"), "warn", SERVER.name, "image bbbb, not aaaa", "recreate"),
        (server(status="exited"), "fail", SERVER.name, "exited", "invoke start"),
        (server(status="restarting"), "fail", SERVER.name, "restarting", "docker logs"),
        (server("exited", memory=0), "fail", SERVER.name, "exited, drifted: mem", "invoke start"),
        (
            replace(HOST, containers=(replace(SERVER, actual=None, status="unknown"),)),
            *("warn", SERVER.name, "not known: the engine does not say", "docker inspect"),
        ),
        (
            replace(HOST, ports=(PortReport("UI_PORT", 3007, looked=False),)),
            *("warn", "port 3007", "no container seen to hold it; processes not known", "sudo"),
        ),
    ],
)
def test_one_thing_that_is_wrong_is_one_line_with_its_fix(
    report: HostReport, level: str, name: str, found: str, fix: str
) -> None:
    (check,) = others(report)
    assert (check.level, check.name) == (level, name)
    assert found in check.found
    assert fix in check.fix
    assert exit_code([check]) == (level == "fail")


@pytest.mark.parametrize(
    ("gib", "level", "found"),
    [
        (7, "fail", "below the minimum of 8 GiB"),
        (7.8, "warn", "meets the minimum"),
        (16, "warn", "meets the recommended"),
        (46.9, "pass", "46.9 GiB, staging target 48 GiB"),
        (48, "pass", "48 GiB, staging target 48 GiB"),
    ],
)
def test_memory_is_held_against_the_guides_table(gib: float, level: str, found: str) -> None:
    check = diagnose(host(memory=round(gib * GIB)))[0]
    assert (check.name, check.level) == ("RAM", level)
    assert found in check.found


def test_the_guides_own_limit_on_the_guides_own_host_is_a_warning() -> None:
    (check,) = others(host(memory=round(46.9 * GIB)))
    assert (check.level, check.name) == ("warn", "memory reserve")


def test_no_swap_accounting_on_a_host_with_swap_fails() -> None:
    report = replace(host(swap=GIB), swap_accounting=False)
    assert [one.level for one in others(report)] == ["fail"]


def test_where_the_engine_is_has_a_line_of_its_own() -> None:
    lines = {one.name: (one.level, one.found) for one in diagnose(HOST)}
    assert lines["engine host"] == ("pass", "on this host: unix:///var/run/docker.sock")
    lines = {one.name: (one.level, one.found) for one in diagnose(host(endpoint="ssh://u@prod"))}
    assert lines["engine host"] == ("pass", "on another host: prod (ssh)")


def test_nothing_that_cannot_be_seen_on_another_host_is_a_pass() -> None:
    report = replace(
        HOST,
        host=ELSEWHERE,
        mounts_missing=None,
        paths=tuple(replace(one, real=None) for one in PATHS),
        ports=(PortReport("UI_PORT", 3007, looked=False),),
    )
    unseen = ["disk", "network", "disk space", "port 3007", "path names", "mounts"]
    assert [one.name for one in others(report)] == unseen
    for one in others(report):
        assert one.level == "warn"
        assert "not known, on another host" in one.found
        assert one.fix == "invoke doctor on that host"


def test_another_host_whose_engine_does_not_answer_is_not_known_at_all() -> None:
    report = replace(HOST, host=EngineHost(ELSEWHERE.endpoint), swap_accounting=None)
    levels = {one.name: one.level for one in diagnose(report)}
    about_the_host = ("RAM", "CPU", "disk", "memory reserve", "CPU limit", "cgroup")
    assert {levels[name] for name in about_the_host} == {"warn"}
    assert levels["heap"] == "pass", "two settings that are compared with each other"


def test_a_port_of_ours_is_fine_however_little_is_seen() -> None:
    ours = PortReport("UI_PORT", 3007, "automaker-ui-staging", ours=True, looked=True)
    lines = {one.name: one.level for one in diagnose(replace(HOST, host=ELSEWHERE, ports=(ours,)))}
    assert lines["port 3007"] == "pass"


def test_ports_and_containers_of_ours_are_fine() -> None:
    ours = PortReport("UI_PORT", 3007, "automaker-ui-staging", ours=True)
    absent = replace(SERVER, actual=None, status="absent")
    assert others(replace(HOST, ports=(ours,), containers=(absent,))) == []


def test_an_image_whose_tag_is_gone_is_drift() -> None:
    untagged = replace(SERVER, wanted=replace(WANTED, image=None))
    (check,) = others(replace(HOST, containers=(untagged,)))
    assert "no tag any more" in check.found


@given(
    st.integers(0, 2**43), st.integers(1, 512), st.integers(2**20, 2**43), st.none() | st.integers()
)
def test_whatever_is_no_pass_says_what_to_do(
    memory: int, cpus: int, limit: int, mbps: int | None
) -> None:
    changed = host(memory=memory, cpus=cpus, network_mbps=mbps)
    checks = diagnose(replace(changed, limits=replace(LIMITS, memory_bytes=limit)))
    assert all(bool(one.fix) is (one.level != "pass") for one in checks)


def test_what_is_shown_ends_in_a_count_and_holds_no_secret() -> None:
    checks = diagnose(env(mode=0o644))
    text = show_checks(checks)
    assert "FAIL  env file mode" in text
    assert "-> chmod 600" in text
    assert text.splitlines()[-1] == verdict(checks)
    assert verdict(checks).startswith("1 failed, 0 warned, ")
    assert "secret-1" not in text + repr(HOST)
