"""What the verbs share: the lock, the journal, the audit log, and what a failure is told."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from compose.commands import STAGING_FILE
from compose.deploy.audit import entries
from compose.deploy.containers import HOME_LABEL, ID_LABEL
from compose.deploy.context import Context, open_context
from compose.deploy.lock import holder, holding
from compose.deploy.store import Attempt, Loop, Store
from compose.deploy.switch import site_of
from compose.errors import ComposeError
from settings.errors import SettingsError
from tests.compose.deploy.fakes import (
    KEY,
    Engine,
    Reply,
    always,
    context,
    inspected,
    record,
    release,
    serving,
)

KILLED = Attempt(
    "deploy", "20260315-091500-bbbbbbbb", "cut over ui", "ada@host", 7, "2026", switching=True
)


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    made = context(tmp_path / "home", Engine())
    made.store.prepare()
    return made


def test_a_step_is_on_disk_before_it_begins(ctx: Context) -> None:
    ctx.begin()
    ctx.journal.name("r2")
    with ctx.step("cut over server", switching=True):
        found = ctx.store.attempt()
        assert found is not None
        assert (found.step, found.release, found.switching) == ("cut over server", "r2", True)
        assert (found.verb, found.pid) == ("deploy", os.getpid())
    with ctx.step("smoke test"):
        found = ctx.store.attempt()
        assert found is not None
        assert (found.step, found.switching) == ("smoke test", True), "once touched, always touched"
    ctx.journal.finish()
    assert ctx.store.attempt() is None


def test_a_dry_run_leaves_nothing_on_disk(tmp_path: Path) -> None:
    said: list[str] = []
    dry = context(tmp_path / "home", Engine(), said, dry=True)
    with dry.locked():
        dry.begin()
        with dry.concluding(), dry.step("source"):
            dry.log("ok")
        dry.journal.finish()
    assert not (tmp_path / "home").exists()
    assert "free" in "".join(said)


def test_a_dry_run_says_who_holds_the_lock_and_does_not_wait(tmp_path: Path) -> None:
    said: list[str] = []
    store = Store(tmp_path)
    store.prepare()
    with holding(tmp_path, "deploy", "nightly", wait_s=0, note=print):
        with context(tmp_path, Engine(), said, dry=True).locked():
            pass
        assert "held by deploy (nightly) of " in "".join(said)


def test_what_a_killed_run_left_is_said_logged_and_inherited(tmp_path: Path) -> None:
    said: list[str] = []
    ctx = context(tmp_path, Engine(), said)
    ctx.store.prepare()
    ctx.store.note_attempt(replace(KILLED, loops=(Loop("/srv/a", None, 3),)))
    ctx.begin()
    assert ctx.journal.was_switching
    assert ctx.journal.loops == (Loop("/srv/a", None, 3),)
    assert "by ada@host was cut short at 'cut over ui'; going on from there" in "".join(said)
    (entry,) = entries(tmp_path)
    assert (entry["what"], entry["result"]) == ("deploy", "interrupted")
    assert entry["release"] == KILLED.release


@pytest.mark.parametrize(
    "error",
    [ComposeError(f"it broke with {KEY}"), SettingsError(["it broke"]), KeyboardInterrupt()],
    ids=["ours", "settings", "Ctrl-C"],
)
def test_a_failure_before_anything_is_touched_is_logged_told_and_over(
    ctx: Context, error: BaseException
) -> None:
    ctx.keep_secret({"AUTOMAKER_API_KEY": KEY})
    with serving(always(Reply(204))) as chat:
        ctx.webhooks = {"DISCORD_ALERTS_WEBHOOK": f"{chat.base}/alerts"}
        ctx.begin("r2")
        with pytest.raises(type(error)), ctx.concluding():
            raise error
    assert ctx.store.attempt() is None
    (entry,) = entries(ctx.stack.home)
    assert (entry["result"], entry["release"]) == ("failed", "r2")
    (told,) = chat.asked
    assert "no container was changed" in told.data["content"]
    assert KEY not in told.data["content"] + json.dumps(entry)


def test_a_failure_leaves_what_an_earlier_run_left_unfinished_as_it_was(ctx: Context) -> None:
    ctx.store.note_attempt(KILLED)
    ctx.begin("r3")
    with pytest.raises(ComposeError), ctx.concluding():
        raise ComposeError("it broke")
    assert ctx.store.attempt() == KILLED


def test_a_verb_that_never_began_a_change_ends_nobody_elses(ctx: Context) -> None:
    ctx.store.note_attempt(KILLED)
    with pytest.raises(ComposeError), ctx.concluding():
        raise ComposeError("the docs cannot be built")
    assert ctx.store.attempt() == KILLED


def test_a_full_disk_at_the_audit_log_undoes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    ctx = context(tmp_path, Engine(), said)
    (tmp_path / "audit.jsonl").mkdir()
    ctx.log("ok")
    assert "the audit log could not be written: Is a directory" in "".join(said)


def test_the_reason_is_in_the_log(ctx: Context) -> None:
    ctx.why = "a fix"
    ctx.log("ok")
    assert entries(ctx.stack.home)[0]["why"] == "a fix"


@pytest.mark.parametrize(
    ("dry", "hooks", "told", "why"),
    [
        (False, True, 1, "as asked"),
        (True, True, 0, "a dry run tells nobody"),
        (False, False, 0, "nobody wants to know"),
    ],
)
def test_the_chat_is_told_whose_stack_it_is(
    tmp_path: Path, dry: bool, hooks: bool, told: int, why: str
) -> None:
    with serving(always(Reply(204))) as chat:
        ctx = context(tmp_path, Engine(), dry=dry)
        ctx.webhooks = {"DISCORD_DEPLOY_WEBHOOK": chat.base} if hooks else {}
        ctx.tell("r2 is live", alert=False)
    assert len(chat.asked) == told, why
    for one in chat.asked:
        assert one.data["content"].startswith("automaker-staging: r2 is live (by ")


def test_a_chat_that_cannot_be_told_is_a_note(tmp_path: Path) -> None:
    said: list[str] = []
    ctx = context(tmp_path, Engine(), said)
    ctx.webhooks = {"DISCORD_DEPLOY_WEBHOOK": "https://[token"}
    ctx.tell("r2 is live", alert=False)
    assert "nobody was told" in "".join(said)
    assert "token" not in "".join(said)


def test_secrets_of_a_release_are_kept_from_then_on(tmp_path: Path) -> None:
    said: list[str] = []
    ctx = context(tmp_path, Engine(), said)
    record(ctx, release(), live=True)
    state = ctx.live_state()
    assert state is not None
    ctx.note(f"the key is {KEY}")
    assert KEY not in "".join(said)
    ctx.keep_secret(also=["another one"])
    ctx.note(f"{KEY} and another one")
    assert "another one" not in "".join(said)
    assert KEY not in "".join(said)


def test_a_release_is_reached_with_its_own_key_and_ports(ctx: Context) -> None:
    record(ctx, release(), live=True)
    state = ctx.live_state()
    assert state is not None
    server, ui = ctx.api(state.running), ctx.api(state.running, "ui")
    assert (server.base, server.key) == ("http://127.0.0.1:3008", KEY)
    assert (ui.base, ui.key) == ("http://127.0.0.1:3007", "")
    site = site_of(ctx, state)
    assert (site.commit, site.api, site.ui, site.docs) == (release().commit, server, ui, None)


def test_before_the_first_release_nothing_is_live(ctx: Context) -> None:
    assert ctx.live_state() is None


@pytest.mark.parametrize("file", [".env", "release.json"])
def test_a_live_release_that_is_damaged_is_said_and_done_without(tmp_path: Path, file: str) -> None:
    said: list[str] = []
    ctx = context(tmp_path, Engine(), said)
    record(ctx, release(), live=True)
    (ctx.store.folder(release().id) / file).unlink()
    assert ctx.state_to_go_back_to() is None
    assert "the live release is damaged" in "".join(said)
    with pytest.raises(ComposeError):
        ctx.live_state()


SERVER = "automaker-server-staging"


@pytest.mark.parametrize("local", [True, False])
def test_a_stack_of_another_deploy_directory_is_not_locked(tmp_path: Path, local: bool) -> None:
    labels = {ID_LABEL: "another", HOME_LABEL: "/var/lib/other"}
    engine = Engine(containers={SERVER: inspected(SERVER, labels=labels)})
    ctx = context(tmp_path, engine, local=local)
    with (
        pytest.raises(ComposeError, match="from another deploy directory: /var/lib/other") as no,
        ctx.locked(),
    ):
        pytest.fail("two directories for one stack")
    assert "DEPLOY_DIR" in no.value.__notes__[0]


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (ComposeError(f"it broke with {KEY}"), "it broke with "),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_a_failure_under_the_lock_that_nobody_logged_is_logged(
    ctx: Context, error: BaseException, detail: str
) -> None:
    ctx.keep_secret({"AUTOMAKER_API_KEY": KEY})
    with pytest.raises(type(error)), ctx.locked():
        raise error
    (entry,) = entries(ctx.stack.home)
    assert (entry["what"], entry["result"]) == ("deploy", "failed")
    assert entry["detail"].startswith(detail)
    assert KEY not in entry["detail"]


def test_a_failure_that_is_in_the_log_is_not_logged_twice(ctx: Context) -> None:
    ctx.begin("r2")
    with pytest.raises(ComposeError), ctx.locked(), ctx.concluding():
        raise ComposeError("it broke")
    assert [one["release"] for one in entries(ctx.stack.home)] == ["r2"]


def test_a_dry_run_that_fails_logs_nothing(tmp_path: Path) -> None:
    dry = context(tmp_path, Engine(), dry=True)
    with pytest.raises(ComposeError), dry.locked():
        raise ComposeError("it would break")
    assert entries(tmp_path) == []


@pytest.mark.parametrize("dry", [False, True])
def test_while_the_lock_is_held_the_loss_of_the_terminal_ends_nothing(
    tmp_path: Path, dry: bool
) -> None:
    before = signal.getsignal(signal.SIGHUP)
    with context(tmp_path, Engine(), dry=dry).locked():
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) == before


def test_after_a_kill_no_failure_says_that_no_container_was_changed(ctx: Context) -> None:
    ctx.store.note_attempt(KILLED)
    with serving(always(Reply(204))) as chat:
        ctx.webhooks = {"DISCORD_ALERTS_WEBHOOK": chat.base}
        ctx.begin("r3")
        with pytest.raises(ComposeError), ctx.concluding():
            raise ComposeError("it broke")
    assert "no container was changed" not in chat.asked[0].data["content"]


def test_todays_compose_file_is_read_for_this_stack_whatever_the_values_say(
    tmp_path: Path,
) -> None:
    engine = Engine()
    ctx = context(tmp_path, engine)
    view = ctx.staging_view({"STACK_NAME": "other", "API_PORT": "4008"})
    assert view["server"].container == SERVER
    assert str(STAGING_FILE) in engine.argvs[0]
    env = engine.environments[0]
    assert (env["STACK_NAME"], env["API_PORT"]) == ("automaker", "4008")


def test_a_stack_of_this_directory_is_locked(tmp_path: Path) -> None:
    ctx = context(tmp_path, Engine())
    ctx.store.prepare()
    labels = {ID_LABEL: ctx.store.id, HOME_LABEL: "/moved/since"}
    engine = Engine(containers={SERVER: inspected(SERVER, labels=labels)})
    with context(tmp_path, engine).locked():
        assert holder(tmp_path) is not None
    assert holder(tmp_path) is None


@pytest.mark.parametrize(
    ("address", "host", "local"),
    [
        ("unix:///var/run/docker.sock", "127.0.0.1", True),
        ("ssh://ada@far.example", "far.example", False),
        ("tcp://10.0.0.5:2376", "10.0.0.5", False),
    ],
)
def test_a_verb_speaks_to_the_engine_wherever_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, host: str, local: bool
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    path = tmp_path / "env"
    path.write_text(f"STACK_NAME=mine\nDEPLOY_DIR={tmp_path}/home\n", encoding="utf-8")
    ctx = open_context("status", path, lambda _text: None, dry=False, why="")
    assert (ctx.address, ctx.local) == (host, local)
    assert (ctx.stack.project, ctx.stack.home) == ("mine-staging", tmp_path / "home")
