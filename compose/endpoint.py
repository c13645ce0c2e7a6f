"""Where an engine is, read from its address: on this host, or under which name elsewhere."""

from __future__ import annotations

HERE = "127.0.0.1"
LOCAL_SCHEMES = ("unix", "npipe")


def is_local(endpoint: str) -> bool:
    """Whether files, ports and processes seen here are those of the engine's own host.

    `endpoint` is an address as of DOCKER_HOST. Loopback over TCP is not local: behind it may be
    a tunnel, or an engine in a virtual machine.
    """
    return _scheme(endpoint) in LOCAL_SCHEMES


def host_of(endpoint: str) -> str:
    """Return the name under which ports that the engine publishes are reached from here.

    Made for `f"{host}:{port}"`, so an IPv6 address keeps its brackets. A name that only
    ~/.ssh/config knows is returned as it is.
    """
    if is_local(endpoint):
        return HERE
    authority = endpoint.split("://", 1)[-1].partition("/")[0].rpartition("@")[2]
    if authority.startswith("["):
        return authority.partition("]")[0] + "]"
    return authority.partition(":")[0] or HERE  # the client takes tcp://:2375 as loopback too


def where(endpoint: str) -> str:
    """Say it for a person. What stands before an `@` may be a password, so it is left out."""
    if is_local(endpoint):
        return f"on this host: {endpoint}"
    return f"on another host: {host_of(endpoint)} ({_scheme(endpoint)})"


def _scheme(endpoint: str) -> str:
    """Return what stands before `://`; the client takes a bare host:port as tcp."""
    scheme, separator, _ = endpoint.partition("://")
    return scheme.lower() if separator else "tcp"
