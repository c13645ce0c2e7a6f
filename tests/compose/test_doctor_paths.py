"""Paths of `.env.staging` with a second name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compose.doctor_paths import paths
from compose.host_report import EngineHost, EnvReport, HostReport, PathReport

HERE, ELSEWHERE = "unix:///run/docker.sock", "ssh://host"


def report(*reports: PathReport, endpoint: str = HERE) -> HostReport:
    return HostReport(
        host=EngineHost(endpoint),
        engine=None,
        compose=None,
        buildx=None,
        swap_accounting=None,
        env=EnvReport("/x", None),
        limits=None,
        beside_memory=0,
        mounts_missing=None,
        paths=reports,
        owner=(1000, 1000),
        ports=(),
        volumes_missing=None,
        containers=(),
    )


def projects(written: str, real: str | None) -> PathReport:
    return PathReport("PROJECTS_MOUNT", written, real)


def labs(written: str, real: str | None) -> PathReport:
    return PathReport("LABS_MOUNT", written, real)


def root(written: str, real: str | None) -> PathReport:
    return PathReport("ALLOWED_ROOT_DIRECTORY", written, real)


@pytest.mark.parametrize(
    ("written", "real", "found", "fix"),
    [
        ("/srv/p/", "/srv/p", "/srv/p/: another text than /srv/p", "PROJECTS_MOUNT=/srv/p in"),
        ("/srv//p", "/srv/p", "/srv//p: another text than /srv/p", "PROJECTS_MOUNT=/srv/p in"),
        ("/srv/./p", None, "/srv/./p: another text than /srv/p", "PROJECTS_MOUNT=/srv/p in"),
        ("/srv/p", "/data/p", "/srv/p: leads to /data/p", "PROJECTS_MOUNT=/data/p in"),
        ("/srv/p/", "/data/p", "/srv/p/: leads to /data/p", "PROJECTS_MOUNT=/data/p in"),
        ("/x/../srv/p", "/srv/p", "/x/../srv/p: leads to /srv/p", "PROJECTS_MOUNT=/srv/p in"),
    ],
)
def test_a_path_that_is_no_real_path_is_a_warning(
    written: str, real: str | None, found: str, fix: str
) -> None:
    (check,) = paths(report(projects(written, real)))
    assert (check.level, check.name) == ("warn", "PROJECTS_MOUNT")
    assert check.found.startswith(found)
    assert check.fix.startswith(fix)


def test_every_path_that_is_wrong_has_a_line() -> None:
    reports = (projects("/srv/p/", "/srv/p"), labs("/srv/l", "/data/l"), root("/srv/", "/srv"))
    names = [one.name for one in paths(report(*reports))]
    assert names == ["PROJECTS_MOUNT", "LABS_MOUNT", "ALLOWED_ROOT_DIRECTORY"]


def test_two_paths_that_are_one_directory_are_a_warning() -> None:
    own, alias = paths(report(projects("/srv/p", "/srv/p"), labs("/srv/l", "/srv/p")))
    assert own.name == "LABS_MOUNT"
    assert (alias.level, alias.name) == ("warn", "PROJECTS_MOUNT, LABS_MOUNT")
    assert alias.found == "/srv/p and /srv/l are one directory under two names"
    assert alias.fix.startswith("write /srv/p for both")


def test_two_spellings_are_one_directory_wherever_it_is() -> None:
    names = [one.name for one in paths(report(projects("/srv/p", None), root("/srv/p/", None)))]
    assert names == ["ALLOWED_ROOT_DIRECTORY", "PROJECTS_MOUNT, ALLOWED_ROOT_DIRECTORY"]


def test_one_text_for_two_keys_is_no_alias() -> None:
    (check,) = paths(report(projects("/srv", "/srv"), root("/srv", "/srv")))
    assert check.level == "pass"


def test_real_paths_pass_in_one_line() -> None:
    reports = (projects("/srv/p", "/srv/p"), labs("/srv/l", None), root("/", "/"))
    (check,) = paths(report(*reports))
    assert (check.level, check.name) == ("pass", "path names")


def test_links_of_another_host_are_not_known_and_spellings_are() -> None:
    plain = projects("/srv/p", None)
    (check,) = paths(report(plain, endpoint=ELSEWHERE))
    assert (check.level, check.found) == ("warn", "links not known, on another host")
    slashed = replace(plain, written="/srv/p/")
    names = [one.name for one in paths(report(slashed, endpoint=ELSEWHERE))]
    assert names == ["PROJECTS_MOUNT", "path names"]
