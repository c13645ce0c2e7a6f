"""Doors to systemd and cron: which commands are run, which files are written, and dry runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.errors import ComposeError
from compose.run import Completed
from compose.schedule import cron, kinds, systemd
from compose.schedule.cron import CronFile, Crontab
from compose.schedule.systemd import Systemd
from compose.schedule.units import service
from tests.compose.deploy.fakes import Engine, host, refusal
from tests.compose.schedule.examples import NAME, a_job

FOREIGN = "5 4 * * * true\n"


@pytest.fixture(autouse=True)
def _all_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (cron, systemd):
        monkeypatch.setattr(module, "installed", lambda _program: True)
    monkeypatch.setattr(cron, "_cron_runs", lambda: True)


def a_timer(
    folder: Path, *, dry: bool = False, user: str = ""
) -> tuple[Systemd, Engine, list[str]]:
    said: list[str] = []
    engine = Engine({"systemctl": "", "systemd-analyze": ""})
    return Systemd(host(engine, said, dry=dry), NAME, user=user, folder=folder), engine, said


def test_units_are_verified_before_the_timer_is_started(tmp_path: Path) -> None:
    timer, engine, _ = a_timer(tmp_path)
    timer.put(a_job())
    verify, *rest = engine.commands
    assert verify.startswith("systemd-analyze verify /tmp/")
    assert rest == [
        "systemctl daemon-reload",
        f"systemctl enable {NAME}.timer",
        f"systemctl stop {NAME}.timer",
        f"systemctl clean --what=state {NAME}.timer",
        f"systemctl start {NAME}.timer",
    ]
    assert timer.there() == timer.wanted(a_job())
    assert {path.name for path in tmp_path.iterdir()} == {f"{NAME}.service", f"{NAME}.timer"}
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in tmp_path.iterdir())


def test_units_that_systemd_does_not_take_are_shown_and_never_written(tmp_path: Path) -> None:
    timer, engine, _ = a_timer(tmp_path)
    engine.prints["systemd-analyze"] = refusal("a.service: Command /x is not executable")
    with pytest.raises(ComposeError, match="Command /x is not executable"):
        timer.put(a_job())
    assert timer.there() == {}


def test_the_units_of_a_user_go_to_the_users_own_manager(tmp_path: Path) -> None:
    timer, engine, _ = a_timer(tmp_path, user="ada")
    timer.put(a_job())
    assert f"systemctl --user start {NAME}.timer" in engine.commands
    assert any("loginctl enable-linger ada" in one for one in timer.trouble())
    assert timer.there()[f"{tmp_path}/{NAME}.service"] == service(a_job(), user=True)


def test_removing_stops_the_timer_and_never_the_service(tmp_path: Path) -> None:
    timer, engine, _ = a_timer(tmp_path)
    timer.put(a_job())
    engine.argvs.clear()
    timer.take()
    assert engine.commands == [
        f"systemctl disable --now {NAME}.timer",
        f"systemctl clean --what=state {NAME}.timer",
        "systemctl daemon-reload",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_timer_that_is_not_active_is_a_trouble(tmp_path: Path) -> None:
    timer, engine, _ = a_timer(tmp_path)
    assert timer.trouble() == []
    engine.prints["systemctl is-active"] = Completed("inactive\n", "", 3)
    assert timer.trouble() == [f"{NAME}.timer is not active: invoke schedule.install"]


def test_a_dry_run_shows_files_and_commands_and_changes_nothing(tmp_path: Path) -> None:
    timer, engine, said = a_timer(tmp_path, dry=True)
    timer.put(a_job())
    text = "".join(said)
    assert f"write {tmp_path}/{NAME}.timer:" in text
    assert "OnCalendar=*-*-* 03:30:00" in text
    assert f"$ systemctl enable {NAME}.timer" in text
    assert list(tmp_path.iterdir()) == []
    assert [one for one in engine.commands if not one.startswith("systemd-analyze")] == []


def test_a_file_of_cron_is_written_whole_and_taken_away(tmp_path: Path) -> None:
    file = CronFile(host(Engine()), NAME, tmp_path)
    assert file.there() == {}
    file.put(a_job())
    assert file.there() == file.wanted(a_job())
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o644
    file.take()
    file.take()
    assert list(tmp_path.iterdir()) == []


class CrontabEngine(Engine):
    """A crontab(1) with one user's lines; None is none."""

    def __init__(self, text: str | None) -> None:
        super().__init__()
        self.text = text

    def _answer(self, argv: list[str]) -> Completed:
        if argv == ["crontab", "-l"]:
            none = refusal("no crontab for ada")
            return none if self.text is None else Completed(self.text, "", 0)
        self.text = None if argv == ["crontab", "-r"] else self.inputs[-1]
        return Completed("", "", 0)


def test_a_crontab_keeps_the_lines_of_others() -> None:
    engine = CrontabEngine(FOREIGN)
    tab = Crontab(host(engine), NAME, "ada")
    tab.put(a_job())
    assert tab.there() == tab.wanted(a_job())
    assert engine.text is not None
    assert engine.text.startswith(FOREIGN)
    tab.take()
    assert (engine.text, tab.there()) == (FOREIGN, {})


def test_a_crontab_that_was_not_there_is_gone_again() -> None:
    engine = CrontabEngine(None)
    tab = Crontab(host(engine), NAME, "ada")
    assert tab.there() == {}
    tab.put(a_job())
    tab.take()
    assert engine.text is None


def test_a_crontab_that_may_not_be_read_is_an_error_and_not_an_empty_one() -> None:
    engine = Engine({"crontab -l": refusal("You (ada) are not allowed to use this program")})
    with pytest.raises(ComposeError, match="not allowed"):
        Crontab(host(engine), NAME, "ada").there()


def test_a_dry_run_shows_the_lines_and_leaves_the_crontab() -> None:
    said: list[str] = []
    engine = CrontabEngine(FOREIGN)
    Crontab(host(engine, said, dry=True), NAME, "ada").put(a_job())
    assert "30 3 * * * PATH=" in "".join(said)
    assert "$ crontab -" in "".join(said)
    assert engine.text == FOREIGN


@pytest.mark.parametrize(
    ("there", "runs", "says", "fix"),
    [
        (False, False, "cron is not installed", "apt-get install cron"),
        (True, False, "does not run", "service cron start"),
    ],
)
def test_without_a_cron_that_runs_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, there: bool, runs: bool, says: str, fix: str
) -> None:
    monkeypatch.setattr(cron, "installed", lambda _program: there)
    monkeypatch.setattr(cron, "_cron_runs", lambda: runs)
    for kind in (CronFile(host(Engine()), NAME), Crontab(host(Engine()), NAME, "ada")):
        problem = kind.lacks()
        assert problem is not None
        assert says in str(problem)
        assert fix in problem.__notes__[0]
        assert problem.exit_code == 2
        assert fix in kind.trouble()[0]


@pytest.mark.parametrize(
    ("uid", "runs", "words"),
    [
        (0, True, ["systemd timer", "cron job of root"]),
        (0, False, ["cron job of root"]),
        (1, True, ["systemd timer", "cron job of daemon"]),
        (1, False, ["cron job of daemon"]),
    ],
)
def test_systemd_comes_first_where_it_runs(
    monkeypatch: pytest.MonkeyPatch, uid: int, runs: bool, words: list[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: uid)
    monkeypatch.setattr(kinds, "systemd_runs", lambda: runs)
    assert [kind.word for kind in kinds.kinds_here(host(Engine()), NAME)] == words
