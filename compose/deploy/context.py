"""What the verbs that change a stack share: the host, the stack, its journal, log and chat."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from compose.commands import STAGING_FILE
from compose.deploy import audit
from compose.deploy.api import Api
from compose.deploy.containers import HOME_LABEL, ID_LABEL, container
from compose.deploy.cutover import Running
from compose.deploy.host import Host, Progress, Write
from compose.deploy.journal import LEFT_OFF, STOPPED, Journal, unfinished
from compose.deploy.lock import holder, holding
from compose.deploy.notify import ALERTS, DEPLOYS, notify
from compose.deploy.release import APP_SERVICES, Release
from compose.deploy.signals import ignoring_hangup
from compose.deploy.store import Store
from compose.deploy.view import StackView, view_stack
from compose.endpoint import host_of, is_local
from compose.errors import ComposeError
from compose.host_probe import endpoint
from compose.run import run
from settings.environment import operator
from settings.errors import SettingsError
from settings.redact import Redactor, secrets_of
from settings.stack import Stack, find_stack, setting_of


@dataclass(frozen=True)
class State:
    """A release with all that is needed to run it."""

    release: Release
    running: Running


@dataclass
class Context:
    """One run of a verb on one stack."""

    host: Host
    stack: Stack
    address: str
    """Where the engine's published ports are reached."""
    local: bool
    """Whether the engine is on this host."""
    verb: str
    why: str = ""
    lock_wait_s: float = 0.0
    ready_s: float | None = None
    """Seconds to get ready in, instead of what the healthcheck allows."""
    webhooks: Mapping[str, str] = field(default_factory=dict, repr=False)
    _secrets: list[str] = field(default_factory=list, repr=False)
    _logged: bool = False
    """Whether the audit log knows how this run went."""

    @cached_property
    def store(self) -> Store:
        """The deploy directory."""
        return Store(self.stack.home)

    @cached_property
    def journal(self) -> Journal:
        """What is under way, on disk."""
        return Journal(self.store, self.note, dry=self.host.dry)

    def note(self, text: str) -> None:
        """Show something below the current step."""
        self.host.progress.note(text)

    def keep_secret(self, *values: Mapping[str, str], also: list[str] | None = None) -> None:
        """Have these values taken out of everything shown from here on."""
        self._secrets += [*secrets_of(*values), *(also or [])]
        self.host.progress.redact = Redactor(self._secrets)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the stack's lock, and see that the stack is this directory's.

        A dry run takes no lock, and says who has it.
        """
        with contextlib.ExitStack() as held:
            with self.host.progress.step("lock"):
                if self.host.dry:
                    has = holder(self.stack.home)
                    self.note(f"held by {has.text()}" if has else "free")
                else:
                    self.store.prepare()
                    home, wait = self.stack.home, self.lock_wait_s
                    lock = holding(home, self.verb, self.why, wait_s=wait, note=self.note)
                    held.enter_context(lock)
                self._refuse_other_directory()
            # The loss of a terminal must not end what is half done.
            held.enter_context(ignoring_hangup())
            try:
                yield
            except BaseException as error:
                if not self._logged:
                    reason = self.host.progress.redact(str(error) or "interrupted")
                    self.log("failed", detail=reason)
                raise

    @contextlib.contextmanager
    def step(self, name: str, *, switching: bool | None = None) -> Iterator[None]:
        """Carry out a step, which is on disk before it begins: a kill then says where it was."""
        self.journal.step(name, switching=switching)
        with self.host.progress.step(name):
            yield

    def begin(self, release: str = "") -> None:
        """Begin to change something; what an earlier run left undone is said and taken over."""
        before = self.journal.begin(self.verb, release)
        if before is None or before.step in (STOPPED, LEFT_OFF):
            return
        undone = unfinished(before)
        text = undone or f"{before.verb} was cut short at {before.step!r}"
        if undone:
            self.note(undone.partition(": ")[0] + "; going on from there")
        self.log("interrupted", what=before.verb, release=before.release, detail=text)

    @contextlib.contextmanager
    def concluding(self) -> Iterator[None]:
        """While no container is touched: a failure is logged and told, and all is over."""
        try:
            yield
        except BaseException as error:
            reason = self.host.progress.redact(str(error) or "interrupted")
            attempt = self.journal.attempt
            self.journal.give_up()
            self.log("failed", release=attempt.release if attempt else "", detail=reason)
            stays = "" if self.journal.was_switching else "; no container was changed"
            self.tell(f"{self.verb} failed: {reason}{stays}", alert=True)
            raise

    def live_state(self) -> State | None:
        """Return the live release, made concrete; None before the first one."""
        live = self.store.live()
        return self.state(live) if live else None

    def state_to_go_back_to(self) -> State | None:
        """Return the live release; where its record is damaged, say so and go on without."""
        try:
            return self.live_state()
        except (ComposeError, SettingsError) as error:
            self.note(f"the live release is damaged, so nothing could be gone back to: {error}")
            return None

    def log(self, result: audit.Result, *, what: str = "", **fields: object) -> None:
        """Add a line to the audit log. A disk that is full must not undo what was done."""
        if self.host.dry or not self.stack.home.exists():
            return
        self._logged = self._logged or not what
        redact = self.host.progress.redact
        fields.setdefault("why", self.why)
        try:
            audit.append(self.stack.home, redact, what or self.verb, result, **fields)
        except OSError as error:
            self.note(f"the audit log could not be written: {error.strerror}")

    def tell(self, text: str, *, alert: bool) -> None:
        """Tell the chat; a failure to is shown and nothing more."""
        if self.host.dry or not self.webhooks:
            return
        whole = f"{self.stack.project}: {text} (by {operator()})"
        problem = notify(self.webhooks, whole, self.host.progress.redact, alert=alert)
        if problem:
            self.note(problem)

    def as_recorded(self, release: Release) -> Release:
        """Return a release as it is on disk by now; in a dry run it never gets there."""
        return release if self.host.dry else self.store.release(release.id)

    def state(self, release: Release) -> State:
        """Make a recorded release concrete. ComposeError where its files are damaged."""
        values = self.store.values(release.id)
        self.keep_secret(values)
        file = self.store.compose_file(release.id)
        return State(release, Running(file, values, view_stack(self.host.run, file, values)))

    def staging_view(self, values: Mapping[str, str]) -> StackView:
        """Read today's compose file with these values."""
        return view_stack(self.host.run, STAGING_FILE, {**values, "STACK_NAME": self.stack.name})

    def api(self, running: Running, service: str = "server") -> Api:
        """Return a client for a service of a release, with the key that this release has."""
        port = running.view[service].port
        key = running.values.get("AUTOMAKER_API_KEY", "") if service == "server" else ""
        return Api(f"http://{self.address}:{port}", key)

    def _refuse_other_directory(self) -> None:
        """Refuse where another deploy directory, here or on another machine, has this stack."""
        for service in APP_SERVICES:
            name = f"{self.stack.name}-{service}-staging"
            state = container(self.host, name)
            owner = state.labels.get(ID_LABEL, "") if state else ""
            if state is not None and owner and owner != self.store.id:
                where = state.labels.get(HOME_LABEL, "another directory")
                raise ComposeError(
                    f"{name} is deployed from another deploy directory: {where}",
                    next_step="go on there, as its user and on its machine (DEPLOY_DIR in "
                    f".env.staging); if it is gone for good: docker rm -f {name}",
                )


def open_context(verb: str, path: Path, write: Write, *, dry: bool, why: str) -> Context:
    """Put together what a verb needs for the stack of an env file, wherever its engine is."""
    where = endpoint(run)
    webhooks = {key: found for key in (DEPLOYS, ALERTS) if (found := setting_of(path, key))}
    ctx = Context(
        host=Host(run, Progress(write), dry),
        stack=find_stack(path),
        address=host_of(where),
        local=is_local(where),
        verb=verb,
        why=why,
        webhooks=webhooks,
    )
    ctx.store.see_readable()
    keys = ("ANTHROPIC_API_KEY", "AUTOMAKER_API_KEY")
    ctx.keep_secret(webhooks, {key: setting_of(path, key) for key in keys})
    return ctx


def work_folder(home: Path) -> Path:
    """Where sources are laid out for a build."""
    return home / "work"
