"""The warm parent: a small process that forks agents on request and reports how they end.

Forked before the server imports anything large, so that an agent starts in about a millisecond
and carries nothing of the server. It talks to the server over one socket pair, a JSON object a
message. The kernel kills it when the server ends, and its agents when it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import random
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from .agent import AgentOrder, become_agent, bind_to_parent, live
from .memory import huge_pages_pay
from .profile import Profile, parse_profiles

__all__ = ["Agent", "AgentOrder", "WarmParent"]

TERM_GRACE_S = 5.0
_MESSAGE = 65536


class Agent:
    """One running agent process, as the server sees it."""

    def __init__(self, pid: int, feature_id: str, parent: WarmParent) -> None:
        self.pid = pid
        self.feature_id = feature_id
        self._parent = parent
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int:
        """Exit code; negative for a signal (-9 when the kernel killed the agent)."""
        return await asyncio.shield(self._exit)

    def stop(self) -> None:
        """Ask with SIGTERM now and insist with SIGKILL five seconds later; returns at once."""
        self._parent.signal(self.pid, signal.SIGTERM)
        loop = asyncio.get_running_loop()
        loop.call_later(TERM_GRACE_S, self._parent.signal, self.pid, signal.SIGKILL)

    def ended(self, code: int) -> None:
        """Record the exit code for whoever waits."""
        if not self._exit.done():
            self._exit.set_result(code)


class WarmParent:
    """The server's end of the socket to the warm parent."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self._channel = channel
        self._starting: dict[str, asyncio.Future[int]] = {}
        self._agents: dict[int, Agent] = {}
        self._early_exits: dict[int, int] = {}

    @classmethod
    def fork(cls, profiles_json: str, seed: int) -> WarmParent:
        """Fork the warm parent. Call before any thread or event loop exists.

        Raises ProfileError for profiles that cannot be followed.
        """
        profiles = _choose_pages(parse_profiles(profiles_json))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            ours.close()
            _run_child(theirs, profiles, seed, server)
        theirs.close()
        ours.setblocking(False)
        return cls(pid, ours)

    async def attach(self) -> None:
        """Listen to the warm parent in the running event loop."""
        asyncio.get_running_loop().add_reader(self._channel.fileno(), self._receive)

    async def start(self, order: AgentOrder) -> Agent:
        """Start one agent. Raises OSError when no process could be made."""
        loop = asyncio.get_running_loop()
        started: asyncio.Future[int] = loop.create_future()
        self._starting[order.feature_id] = started
        try:
            self._channel.send(json.dumps({"start": asdict(order)}).encode())
            pid = await started
        finally:
            self._starting.pop(order.feature_id, None)
        agent = Agent(pid, order.feature_id, self)
        if pid in self._early_exits:
            agent.ended(self._early_exits.pop(pid))
        else:
            self._agents[pid] = agent
        return agent

    def signal(self, pid: int, number: int) -> None:
        """Send a signal to an agent that still runs; the warm parent knows which do."""
        with contextlib.suppress(OSError):
            self._channel.send(json.dumps({"signal": [pid, int(number)]}).encode())

    def close(self) -> None:
        """End the warm parent and with it every agent."""
        self._channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _receive(self) -> None:
        try:
            data = self._channel.recv(_MESSAGE)
        except BlockingIOError:
            return
        except ConnectionResetError:  # killed before it had read all that it was sent
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            self._lose_all()
            return
        self._handle(json.loads(data))

    def _handle(self, message: dict[str, Any]) -> None:
        if "started" in message:
            waiter = self._starting.get(message["started"])
            if waiter and not waiter.done():
                waiter.set_result(message["pid"])
        elif "failed" in message:
            waiter = self._starting.get(message["failed"])
            if waiter and not waiter.done():
                waiter.set_exception(OSError(message["errno"], message["error"]))
        elif message["exit"] in self._agents:
            self._agents.pop(message["exit"]).ended(message["code"])
        else:
            # The agent ended before the server had woken up to its start.
            self._early_exits[message["exit"]] = message["code"]

    def _lose_all(self) -> None:
        # The warm parent was killed; its agents died with it.
        for agent in self._agents.values():
            agent.ended(-signal.SIGKILL)
        self._agents.clear()
        for waiter in self._starting.values():
            if not waiter.done():
                waiter.set_exception(OSError("the warm parent is gone"))


def _choose_pages(profiles: Mapping[str, Profile]) -> Mapping[str, Profile]:
    if all(profile.huge_pages is not None for profile in profiles.values()):
        return profiles
    faster = huge_pages_pay()
    return {
        name: profile if profile.huge_pages is not None else replace(profile, huge_pages=faster)
        for name, profile in profiles.items()
    }


def _run_child(
    channel: socket.socket, profiles: Mapping[str, Profile], seed: int, server: int
) -> None:
    code = 1
    try:
        bind_to_parent(server)
        # Agents share what the warm parent holds: frozen objects keep those pages unwritten.
        gc.collect()
        gc.disable()
        gc.freeze()
        _serve(channel, profiles, seed)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _serve(channel: socket.socket, profiles: Mapping[str, Profile], seed: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the server decides when agents end
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    running: set[int] = set()
    # How agents of a class differ is the same in every run with the same seed.
    chance = random.Random(seed)  # noqa: S311 - a reproducible draw, no secret
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if wake_read in ready:
                os.read(wake_read, 4096)
                _report_exits(channel, running)
            if channel in ready:
                data = channel.recv(_MESSAGE)
                if not data:
                    return
                _obey(channel, json.loads(data), running, profiles, seed, chance)


def _obey(
    channel: socket.socket,
    message: dict[str, Any],
    running: set[int],
    profiles: Mapping[str, Profile],
    seed: int,
    chance: random.Random,
) -> None:
    if "signal" in message:
        pid, number = message["signal"]
        if pid in running:
            os.kill(pid, number)
        return
    order = AgentOrder(**message["start"])
    profile = profiles.get(order.agent_class, Profile()).drawn(chance)
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        reply = {"failed": order.feature_id, "errno": error.errno, "error": str(error)}
        channel.send(json.dumps(reply).encode())
        return
    if pid == 0:
        channel.close()
        _run_agent(order, profile, seed, parent)
    running.add(pid)
    channel.send(json.dumps({"started": order.feature_id, "pid": pid}).encode())


def _run_agent(order: AgentOrder, profile: Profile, seed: int, parent: int) -> None:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        become_agent(order.agent_class, parent)
        live(order, profile, seed)
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(code)


def _report_exits(channel: socket.socket, running: set[int]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        running.discard(pid)
        report = {"exit": pid, "code": os.waitstatus_to_exitcode(status)}
        channel.send(json.dumps(report).encode())
