"""Locust users that run agents: `locust -f loadtest/swarm/locustfile.py --host http://...`.

Alone it offers HaikuAgent, SonnetAgent and OpusAgent to Locust's web UI. With `--trial FILE` it
follows one trial of a campaign and writes what it saw to `--result FILE`.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

# Locust patches the sockets of its process: nothing may be imported before it that opens some.
from locust import HttpUser, events, task  # isort: split

from locust.clients import HttpSession
from locust.env import Environment

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import gevent
import gevent.os

from loadtest.outcome import Trial
from loadtest.swarm.allowance import Allowance
from loadtest.swarm.api import Api, ApiError
from loadtest.swarm.board import Board
from loadtest.swarm.capacity_tab import add_capacity_tab
from loadtest.swarm.conductor import Conductor, Slot
from loadtest.swarm.distributed import lead
from loadtest.swarm.result import SwarmTask
from loadtest.swarm.sessions import Session
from loadtest.swarm.shapes import SHAPES, PlannedDispatcher
from loadtest.swarm.status import counts

# The server allows 300 requests a minute; creating and running agents needs some of them.
# Where agents come and go, more is left to that: what they print is looked at less.
_OUTPUT_BURST, _OUTPUT_PER_S = 150, 3.0
_TURNOVER_BURST, _TURNOVER_PER_S = 40, 0.7
_STEP_S = 0.03
_LAG_S = 0.1
_STATUS_S = 0.5
NOT_COMPLETED = 4


class Swarm:
    """What all users of this process share."""

    def __init__(self, environment: Environment, trial: SwarmTask, *, planned: bool) -> None:
        self.environment = environment
        self.trial = trial
        self.planned = planned
        self.is_worker = bool(getattr(environment.parsed_options, "worker", False))
        self._watchers: list[gevent.Greenlet] = []
        self.result_file: Path | None = None
        self.status_file: Path | None = None
        self.conductor = Conductor(trial)
        client = HttpSession(trial.host, environment.events.request, None)
        client.trust_env = False  # as HttpUser: the server is never behind the host's proxy
        self.api = Api(client, trial.api_key)
        self.board = Board(self.api, trial.poll_s)
        turnover = planned and trial.trial.kind == "stable"
        self.allowance = (
            Allowance(_TURNOVER_BURST, _TURNOVER_PER_S)
            if turnover
            else Allowance(_OUTPUT_BURST, _OUTPUT_PER_S)
        )
        self.max_lag_s = 0.0
        self.token = uuid.uuid4().hex[:8]

    def session(self, user: AgentUser, slot: Slot) -> Session:
        """The session of one user; titles begin with what tells them apart."""
        title = f"{self.token}-{slot.index + 1:04d} {slot.agent_class} agent"
        api = Api(user.client, self.trial.api_key)
        return Session(api, self.board, self.conductor, self.allowance, user.fire, title)

    def conduct(self) -> None:
        """Move the trial on until it is over, then end the run."""
        backlog_started = self.conductor.kind != "cap"
        while not self.conductor.finished:
            gevent.sleep(_STEP_S)
            if not backlog_started and all(slot.feature_id for slot in self.conductor.slots):
                project = self.conductor.slots[0].project
                try:
                    self.api.start_auto_mode(project, self.trial.trial.concurrent or 1)
                except ApiError as error:
                    self.conductor.finished = f"the loop was not started: {error}"
                backlog_started = True
            self.conductor.step(self.conductor.now(), self.board.silence())
        if self.is_worker:
            self.rest()
        # Locust's own clock for shapes ticks once a second; the end need not wait for it.
        elif self.environment.runner:
            gevent.spawn(self.environment.runner.quit)

    def rest(self) -> None:
        """Say what came of the trial and leave the server alone; other workers may go on."""
        self.write_result()
        gevent.killall(self._watchers, block=False)
        if runner := self.environment.runner:
            runner.stop_users(dict(runner.user_classes_count))

    def start(self) -> None:
        """Begin to watch the server, and to conduct if there is a plan."""
        self._watchers = [gevent.spawn(self.board.watch), gevent.spawn(self.watch_lag)]
        if self.status_file:
            self._watchers.append(gevent.spawn(self.tell_status, self.status_file))
        if self.planned:
            gevent.spawn(self.conduct)

    def write_result(self) -> None:
        """Write what was seen; called at every way out, the last one counts."""
        if self.result_file is None:
            return
        stats = self.environment.stats
        agents = [s.agent_class for s in self.conductor.slots if s.started_s is not None]
        classes = Counter(USERS[self.conductor.model_of(name)].__name__ for name in agents)
        result = self.conductor.result(
            max_reported=self.board.most,
            requests=sum(e.num_requests for e in stats.entries.values() if e.method != "AGENT"),
            refused=sum(slot.end == "refused" for slot in self.conductor.slots),
            max_lag_s=self.max_lag_s,
            classes=dict(classes),
        )
        _replace(self.result_file, result.model_dump_json())

    def tell_status(self, path: Path) -> None:
        """Write agents by state for whoever watches the trial, for ever."""
        while True:
            _replace(path, json.dumps(counts(self.conductor.slots)))
            gevent.sleep(_STATUS_S)

    def watch_lag(self) -> None:
        """Note how late this process wakes up: a starved generator proves nothing."""
        while True:
            began = time.monotonic()
            gevent.sleep(_LAG_S)
            self.max_lag_s = max(self.max_lag_s, time.monotonic() - began - _LAG_S)


class AgentUser(HttpUser):
    """One agent session after another on the server."""

    abstract = True
    model = ""
    agent_class = ""
    """What the model works on when no trial says otherwise."""

    def fire(self, step: str, agent_class: str, milliseconds: float) -> None:
        """Tell Locust's statistics of a spawn, a turn or a completion."""
        self.environment.events.request.fire(
            request_type="AGENT",
            name=f"{step} {agent_class}",
            response_time=milliseconds,
            response_length=0,
            exception=None,
            context={},
        )

    def wait_time(self) -> float:
        """Seconds between two sessions of this user."""
        return 0.0 if self._swarm.planned else 1.0

    @property
    def _swarm(self) -> Swarm:
        swarm: Swarm = self.environment.swarm  # type: ignore[attr-defined]
        return swarm

    @task
    def work(self) -> None:
        """Run one session: a planned one first, then more of the same class."""
        conductor = self._swarm.conductor
        slot = conductor.claim(self.model)
        if slot is None and conductor.kind == "stable":
            slot = conductor.add_slot(self.agent_class)
        while slot is None:
            gevent.sleep(1)  # there is no place in the plan for one more
        self.agent_class = slot.agent_class
        self._swarm.session(self, slot).run(slot)
        while conductor.kind == "rounds" and conductor.is_dismissed(slot):
            slot = conductor.again(slot)
            self._swarm.session(self, slot).run(slot)
        while conductor.kind != "stable":
            gevent.sleep(1)  # a ramp and a backlog have one agent a user, and end for all at once


class HaikuAgent(AgentUser):
    """Small features."""

    model, agent_class = "haiku", "small"


class SonnetAgent(AgentUser):
    """Medium and large features."""

    model, agent_class = "sonnet", "medium"


class OpusAgent(AgentUser):
    """Architectural features."""

    model, agent_class = "opus", "architectural"


USERS = {user.model: user for user in (HaikuAgent, SonnetAgent, OpusAgent)}


@events.init_command_line_parser.add_listener
def _options(parser: Any) -> None:
    group = parser.add_argument_group("Agents")
    group.add_argument("--trial", default="", help="follow the trial in this file", metavar="FILE")
    group.add_argument("--result", default="", help="write the result here", metavar="FILE")
    group.add_argument(
        "--status", default="", help="write agents by state here now and then", metavar="FILE"
    )
    group.add_argument("--go-fd", type=int, default=-1, help="start when this pipe says so")
    group.add_argument(
        "--api-key", default="", env_var="AUTOMAKER_API_KEY", help="key of the server"
    )
    group.add_argument(
        "--projects-root", default="/projects", help="where projects live on the server"
    )


@events.init.add_listener
def _set_up(environment: Environment, **_: Any) -> None:
    options = environment.parsed_options
    if options is None:
        return
    if options.trial:
        trial = SwarmTask.model_validate_json(Path(options.trial).read_bytes())
    else:
        trial = _unplanned(options)
    if options.master and options.trial:
        plan = [USERS[model].__name__ for model in Conductor(trial).plan_of_models()]
        lead(environment, plan, Path(options.result), options.go_fd)
        return
    swarm = Swarm(environment, trial, planned=bool(options.trial))
    environment.swarm = swarm  # type: ignore[attr-defined]
    if environment.web_ui:
        add_capacity_tab(environment, swarm)
    environment.events.test_start.add_listener(lambda **_: swarm.start())
    if not swarm.planned:
        return
    swarm.result_file = Path(options.result)
    for user in USERS.values():
        user.host = trial.host  # a master, which knows no server, tells its workers none
    swarm.status_file = Path(options.status) if options.status else None
    environment.process_exit_code = NOT_COMPLETED
    environment.shape_class = SHAPES[trial.trial.kind](swarm.conductor)
    PlannedDispatcher.plan = [USERS[model].__name__ for model in swarm.conductor.plan_of_models()]
    environment.dispatcher_class = PlannedDispatcher
    environment.events.test_stop.add_listener(lambda **_: _finish(swarm))
    _wait_for_go(options.go_fd, swarm.conductor)


def _unplanned(options: Any) -> SwarmTask:
    return SwarmTask(
        host=options.host or "http://127.0.0.1:3008",
        api_key=options.api_key,
        models={user.agent_class: user.model for user in USERS.values()},
        trial=Trial(id="by-hand", kind="stable", workload="", run=1, agents=(), seed=0),
        began=time.time(),
        projects_root=options.projects_root,
        agents_per_project=10,
        hold_s=0,
        duration_s=0,
        poll_s=0.5,
        agent_budget_s=0,
        unanswered_budget_s=0,
    )


def _replace(path: Path, text: str) -> None:
    """Write a file in one step: whoever reads it finds the old one or the new one."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _finish(swarm: Swarm) -> None:
    swarm.write_result()
    if swarm.conductor.completed:
        swarm.environment.process_exit_code = 0


def _wait_for_go(fd: int, conductor: Conductor) -> None:
    """Wait until the campaign says go, and end with it: a closed pipe is its death.

    Every byte after that says that no agent's process is left on the target.
    """
    if fd < 0:
        return
    gevent.os.make_nonblocking(fd)
    if not gevent.os.nb_read(fd, 2):
        os._exit(NOT_COMPLETED)

    def listen() -> None:
        while gevent.os.nb_read(fd, 1):
            conductor.cleared = True
        os._exit(NOT_COMPLETED)

    gevent.spawn(listen)
