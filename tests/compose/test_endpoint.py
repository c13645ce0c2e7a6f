"""Where an engine is, by its address."""

from __future__ import annotations

import pytest

from compose.endpoint import host_of, is_local, where


@pytest.mark.parametrize(
    ("endpoint", "local", "host", "why"),
    [
        ("unix:///var/run/docker.sock", True, "127.0.0.1", "the usual socket"),
        ("unix:///run/user/1000/docker.sock", True, "127.0.0.1", "a rootless engine"),
        ("npipe:////./pipe/docker_engine", True, "127.0.0.1", "the same on Windows"),
        ("tcp://127.0.0.1:2375", False, "127.0.0.1", "it may be a tunnel"),
        ("tcp://localhost:2375", False, "localhost", "the same by its name"),
        ("tcp://[::1]:2375", False, "[::1]", "the same in IPv6"),
        ("tcp://10.0.0.5:2376", False, "10.0.0.5", "another host"),
        ("tcp://engine.example:2376/path", False, "engine.example", "with a path behind it"),
        ("tcp://[fe80::1%eth0]:2376", False, "[fe80::1%eth0]", "IPv6 with its zone"),
        ("tcp://[2001:db8::7]", False, "[2001:db8::7]", "IPv6 without a port"),
        ("tcp://:2375", False, "127.0.0.1", "the client's own default"),
        ("ssh://user@host:22", False, "host", "user and port go"),
        ("ssh://user@host", False, "host", "no port"),
        ("ssh://Prod", False, "Prod", "names of ~/.ssh/config have capitals"),
        ("ssh://user@[2001:db8::7]:22", False, "[2001:db8::7]", "user, IPv6 and port"),
        ("ssh://user:p@ss@host/run/docker.sock", False, "host", "an @ before the last one"),
        ("http://engine.example:2375", False, "engine.example", "a scheme that clients take"),
        ("engine.example:2375", False, "engine.example", "no scheme is tcp"),
    ],
)
def test_an_address_says_where_the_engine_is(
    endpoint: str, local: bool, host: str, why: str
) -> None:
    assert (is_local(endpoint), host_of(endpoint)) == (local, host), why


def test_it_is_said_without_what_stands_before_the_at() -> None:
    assert where("ssh://user:secret-1@host:22") == "on another host: host (ssh)"
    assert where("unix:///run/docker.sock") == "on this host: unix:///run/docker.sock"
