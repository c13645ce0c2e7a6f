"""What a person reads of deploys, releases and the audit log."""

from __future__ import annotations

from pathlib import Path

from compose.deploy.deploy import Deployed
from compose.deploy.show import show_audit, show_deployed, show_releases
from compose.operate.releases import ReleaseRow
from tests.compose.deploy.fakes import Engine, context, record, release, view

OLD, NEW = release("20260314-091500-aaaaaaaa"), release("20260315-091500-bbbbbbbb")


def test_a_deploy_ends_with_what_is_live_where_and_how_to_get_back(tmp_path: Path) -> None:
    ctx = context(tmp_path, Engine())
    record(ctx, NEW, live=True)
    text = show_deployed(ctx, Deployed("ok", NEW, view(), OLD.id, 12.4))
    assert text.splitlines() == [
        f"{NEW.id} is live, 12 s",
        "  UI   http://127.0.0.1:3007",
        "  API  http://127.0.0.1:3008",
        f"  back to {OLD.id}: invoke rollback --release {OLD.id}",
    ]


def test_a_deploy_of_what_runs_already_says_so_and_there_is_no_way_back(tmp_path: Path) -> None:
    ctx = context(tmp_path, Engine())
    record(ctx, NEW, live=True)
    text = show_deployed(ctx, Deployed("unchanged", NEW, view(), NEW.id, 3))
    assert text.startswith(f"nothing changed: {NEW.id} is live")
    assert "rollback" not in text
    assert "rollback" not in show_deployed(ctx, Deployed("ok", NEW, view(), "", 3))


def test_what_is_shown_needs_nothing_on_disk_any_more(tmp_path: Path) -> None:
    engine = Engine()
    done = Deployed("ok", NEW, view(ui=4007, server=4008), "", 3)
    text = show_deployed(context(tmp_path / "gone", engine), done)
    assert "http://127.0.0.1:4007" in text
    assert "http://127.0.0.1:4008" in text
    assert engine.argvs == []


def test_a_dry_run_changed_nothing(tmp_path: Path) -> None:
    done = Deployed("dry run", NEW, view(), "", 3)
    text = show_deployed(context(tmp_path, Engine(), dry=True), done)
    assert text == f"dry run: nothing was changed; {NEW.id} would be live"


def test_releases_are_a_table() -> None:
    row = ReleaseRow("*", NEW.id, "bbbbbbbb", "live", "ada@host", "a fix", "s", "2026")
    head, line = show_releases([row]).splitlines()
    assert head.split() == ["Release", "Commit", "State", "By", "Why"]
    assert line.split() == ["*", NEW.id, "bbbbbbbb", "live", "ada@host", "a", "fix"]
    assert show_releases([]) == "no release yet: invoke deploy"


def test_the_audit_log_is_a_table_with_one_line_an_entry() -> None:
    log = [
        {
            "when": "2026-03-14T09:15:00+00:00",
            "who": "ada@host",
            "what": "deploy",
            "result": "rolled back",
            "release": NEW.id,
            "detail": "it broke\nin two lines",
        },
        {"what": "rollback", "why": "as asked", "detail": "not shown beside a reason"},
    ]
    lines = show_audit(log).splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("2026-03-14 09:15:00  ada@host  deploy")
    assert lines[1].endswith("it broke")
    assert lines[2].endswith("as asked")
    assert show_audit([]) == "nothing happened yet"
