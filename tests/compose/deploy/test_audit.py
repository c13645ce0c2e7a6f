"""The audit log: whole lines, no secrets, whoever writes at the same time."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.deploy.audit import AUDIT_NAME, append, entries
from settings.environment import operator
from settings.redact import Redactor

ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from pathlib import Path
from compose.deploy.audit import append
from settings.redact import Redactor
home, name = Path(sys.argv[1]), sys.argv[2]
sys.stdin.readline()
for number in range(40):
    append(home, Redactor(), name, "ok", release=str(number), detail=name * 2000)
"""


def test_an_entry_is_one_line_that_says_it_all(tmp_path: Path) -> None:
    append(tmp_path, Redactor(), "deploy", "ok", release="r2", before="r1", why="a\nb", seconds=1.5)
    append(tmp_path, Redactor(), "rollback", "failed", detail="it broke")
    lines = (tmp_path / AUDIT_NAME).read_text(encoding="utf-8").split("\n")
    assert (len(lines), lines[-1]) == (3, "")
    first, second = entries(tmp_path)
    assert first["who"] == operator()
    assert first["when"].endswith("+00:00")
    wanted = {"what": "deploy", "result": "ok", "release": "r2", "before": "r1", "why": "a\nb"}
    assert wanted.items() <= first.items()
    assert first["seconds"] == 1.5
    assert (second["what"], second["result"], second["detail"]) == (
        "rollback",
        "failed",
        "it broke",
    )


def test_secrets_are_masked(tmp_path: Path) -> None:
    redact = Redactor(['pa"ss\\word', "sk-ant-1"])
    append(tmp_path, redact, "deploy", "failed", why="key sk-ant-1", detail='with pa"ss\\word')
    text = (tmp_path / AUDIT_NAME).read_text(encoding="utf-8")
    assert "sk-ant-1" not in text
    assert "word" not in text
    (entry,) = entries(tmp_path)
    assert (entry["why"], entry["detail"]) == ("key **********", "with **********")


def test_a_secret_that_json_escapes_only_in_part_is_masked_too(tmp_path: Path) -> None:
    append(tmp_path, Redactor(['é"secret']), "deploy", "failed", detail='with é"secret')
    (entry,) = entries(tmp_path)
    assert "secret" not in entry["detail"]


def test_the_log_is_its_owners_alone(tmp_path: Path) -> None:
    append(tmp_path, Redactor(), "deploy", "ok")
    assert stat.S_IMODE((tmp_path / AUDIT_NAME).stat().st_mode) == 0o600


def test_several_processes_never_mix_their_lines(tmp_path: Path) -> None:
    names = ["ada", "bob", "eve"]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for one in writers:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    for one in writers:
        with one:
            assert one.wait(30) == 0
    lines = (tmp_path / AUDIT_NAME).read_text(encoding="utf-8").splitlines()
    assert len([one for one in lines if one]) == 3 * 40
    assert len(entries(tmp_path)) == 3 * 40
    for name in names:
        mine = [one for one in entries(tmp_path) if one["what"] == name]
        assert [one["release"] for one in mine] == [str(number) for number in range(40)]
        assert all(one["detail"] == name * 2000 for one in mine)


def test_a_line_that_was_cut_is_left_out(tmp_path: Path) -> None:
    append(tmp_path, Redactor(), "deploy", "ok")
    with (tmp_path / AUDIT_NAME).open("a", encoding="utf-8") as file:
        file.write('{"what": "depl')
    assert [one["what"] for one in entries(tmp_path)] == ["deploy"]


def test_a_line_that_was_cut_swallows_no_later_one(tmp_path: Path) -> None:
    (tmp_path / AUDIT_NAME).write_text('{"what": "depl', encoding="utf-8")
    append(tmp_path, Redactor(), "rollback", "ok")
    assert [one["what"] for one in entries(tmp_path)] == ["rollback"]


def test_a_line_cut_amid_a_letter_hides_no_other(tmp_path: Path) -> None:
    append(tmp_path, Redactor(), "deploy", "ok")
    with (tmp_path / AUDIT_NAME).open("ab") as file:
        file.write('{"why": "é'.encode()[:-1])
    assert [one["what"] for one in entries(tmp_path)] == ["deploy"]


def test_without_a_log_there_are_no_entries(tmp_path: Path) -> None:
    assert entries(tmp_path) == []


def test_a_full_disk_is_the_callers_to_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        append(tmp_path, Redactor(), "deploy", "ok")


def written(why: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        append(Path(folder), Redactor(), "deploy", "ok", why=why)
        (entry,) = entries(Path(folder))
    return str(entry["why"])


# Ends of lines to `splitlines`, which JSON leaves as they are.
ENDS = "\x85\u2028\u2029"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=ENDS)))
def test_whatever_the_reason_it_reads_back(why: str) -> None:
    assert written(why) == why


@pytest.mark.parametrize("end", ENDS)
def test_a_reason_with_an_odd_end_of_line_reads_back(end: str) -> None:
    assert written(f"one{end}two") == f"one{end}two"


def test_a_reason_typed_on_a_terminal_of_another_encoding_fails_nothing() -> None:
    written(os.fsdecode(b"gr\xfcn"))


def test_the_log_is_json_that_others_can_read(tmp_path: Path) -> None:
    append(tmp_path, Redactor(), "deploy", "ok", why="because")
    assert json.loads((tmp_path / AUDIT_NAME).read_bytes())["why"] == "because"
