"""The connection to the engine: errors explained, leftovers swept, strangers left alone."""

from __future__ import annotations

import os
from typing import Any

import docker
import pytest
import requests
from docker.errors import APIError, DockerException, NotFound

from loadtest.rig.engine import connect, leftovers, sweep
from loadtest.rig.errors import RigError
from loadtest.rig.labels import OWNER, RUN, labels_for
from settings.owner import Owner

ME = str(Owner.this_process())
DEAD = f"{os.getpid()}@1"


class FakeClient:
    """A client whose ping may fail, with things that bear labels."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.closed = False
        self.containers = Things(self)
        self.networks = Things(self)
        self.volumes = Things(self)
        self.removed: list[str] = []

    def ping(self) -> bool:
        if self.failure:
            raise self.failure
        return True

    def close(self) -> None:
        self.closed = True


class Things:
    """Containers, networks or volumes; listed as the engine does, by label."""

    def __init__(self, client: FakeClient) -> None:
        self.client = client
        self.all: list[Thing] = []

    def put(self, name: str, labels: dict[str, str], failure: Exception | None = None) -> None:
        self.all.append(Thing(self.client, name, labels, failure))

    def list(self, *, filters: dict[str, str], **_options: Any) -> list[Thing]:
        key, _, value = filters["label"].partition("=")
        return [
            thing
            for thing in self.all
            if key in thing.labels and (not value or thing.labels[key] == value)
        ]


class Thing:
    """One of them."""

    def __init__(
        self, client: FakeClient, name: str, labels: dict[str, str], failure: Exception | None
    ) -> None:
        self.client, self.name, self.labels, self.failure = client, name, labels, failure
        self.attrs: dict[str, object] = {"Labels": labels or None}

    def remove(self, **_: Any) -> None:
        if self.failure:
            raise self.failure
        self.client.removed.append(self.name)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    """What `connect` gets from the Docker library."""
    fake = FakeClient()
    monkeypatch.setattr(docker, "from_env", lambda **_: fake)
    return fake


RESPONSE = requests.Response()
RESPONSE.status_code = 500
RESPONSE.url, RESPONSE.reason = "http://engine/start", "Internal Server Error"
FAILURES = [
    (DockerException("Error: PermissionError(13, 'Permission denied')"),
     "no permission on the Docker socket", "usermod -aG docker", "not in the group"),
    (DockerException("permission denied while trying to connect"),
     "no permission on the Docker socket", "usermod", "the same in small letters"),
    (DockerException("Error while fetching server API version: FileNotFoundError"),
     "no Docker engine answers", "invoke provision", "no socket"),
    (DockerException("ConnectionRefusedError(111, 'Connection refused')"),
     "no Docker engine answers", "invoke provision", "a socket that nobody listens to"),
    (APIError("409", RESPONSE, "name is in use"),
     "the Docker engine refused: name is in use", None, "the engine's own words"),
    (APIError("no words", RESPONSE),
     "the Docker engine refused: 500 Server Error for http://engine/start: Internal Server Error",
     None, "it gives no reason"),
    (requests.ConnectionError("aborted"),
     "the Docker engine stopped answering", "invoke provision", "it went away"),
    (requests.ReadTimeout("60 s"),
     "the Docker engine stopped answering", "invoke provision", "it hangs"),
]  # fmt: skip


@pytest.mark.parametrize(("failure", "says", "note", "why"), FAILURES)
def test_a_failure_of_the_engine_is_explained_with_the_command_that_helps(
    client: FakeClient, failure: Exception, says: str, note: str | None, why: str
) -> None:
    client.failure = failure
    with pytest.raises(RigError) as refused, connect():
        pytest.fail("connected")
    assert str(refused.value) == says, why
    notes = getattr(refused.value, "__notes__", [])
    assert len(notes) == (note is not None)
    assert all((note or "") in one for one in notes)
    assert client.closed


def test_without_an_engine_nothing_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise DockerException("FileNotFoundError(2, 'No such file or directory')")

    monkeypatch.setattr(docker, "from_env", fail)
    with pytest.raises(RigError, match="no Docker engine answers"), connect():
        pytest.fail("connected")


def test_an_error_in_the_midst_of_work_is_explained_and_the_client_closed(
    client: FakeClient,
) -> None:
    with pytest.raises(RigError, match="stopped answering"), connect():
        raise requests.ConnectionError("reset")
    assert client.closed


def test_another_error_is_passed_on_as_it_is(client: FakeClient) -> None:
    with pytest.raises(ZeroDivisionError), connect():
        raise ZeroDivisionError
    assert client.closed


def fill(client: FakeClient) -> None:
    for things, kind in (
        (client.containers, "container"),
        (client.networks, "network"),
        (client.volumes, "volume"),
    ):
        things.put(f"{kind}-mine", labels_for("run-1"))
        things.put(f"{kind}-dead", {RUN: "run-0", OWNER: DEAD})
        things.put(f"{kind}-nobodys", {RUN: "run-0"})
        things.put(f"{kind}-stranger", {"other": "label"})
        things.put(f"{kind}-bare", {})


def test_a_sweep_removes_what_dead_owners_left_and_nothing_else(client: FakeClient) -> None:
    fill(client)
    with connect() as connected:
        swept = [str(one) for one in sweep(connected)]
    gone = [f"{kind}-{who}" for kind in ("container", "network", "volume")
            for who in ("dead", "nobodys")]  # fmt: skip
    assert client.removed == gone
    assert swept == [f"{name.partition('-')[0]} {name}" for name in gone]


def test_a_sweep_of_one_run_removes_all_of_it_though_its_owner_lives(client: FakeClient) -> None:
    fill(client)
    with connect() as connected:
        assert [one.name for one in leftovers(connected, "run-1")] == [
            "container-mine",
            "network-mine",
            "volume-mine",
        ]
        assert client.removed == [], "looking removes nothing"
        sweep(connected, "run-1")
    assert client.removed == ["container-mine", "network-mine", "volume-mine"]


def test_what_somebody_else_has_removed_meanwhile_is_no_error(client: FakeClient) -> None:
    client.networks.put("gone", {RUN: "run-0"}, NotFound("404"))
    client.volumes.put("here", {RUN: "run-0"})
    with connect() as connected:
        sweep(connected)
    assert client.removed == ["here"]


def test_this_process_owns_what_it_makes() -> None:
    assert labels_for("x")[OWNER] == ME
