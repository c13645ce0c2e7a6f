"""Lines of cron: what a shell makes of them, and that those of others stay."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.errors import ComposeError
from compose.schedule.crontab import (
    LONGEST,
    block,
    cron_file,
    find_block,
    line,
    with_block,
    without_block,
)
from compose.schedule.job import parse_job
from tests.compose.schedule.examples import NAME, a_job

FOREIGN = "MAILTO=ada\n5 4 * * * backup 100\\%  \n# a word\n"


def test_a_line_has_the_time_and_brings_its_own_path() -> None:
    assert line(a_job(daily="03:05"), "root") == (
        "5 3 * * * root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "
        "/srv/a/.venv/bin/invoke -r /srv/a schedule.run --plan regression"
    )


def test_a_file_says_what_it_was_made_from_and_ends_in_a_newline() -> None:
    text = cron_file(a_job())
    assert parse_job(text) == a_job()
    assert text.endswith("--plan regression\n")


@pytest.mark.parametrize("name", ["a b", "100%", "it's", 'a"b', "$HOME", "a;b&c|d", "%%", "`id`"])
def test_the_shell_gets_the_command_as_it_was_meant(tmp_path: Path, name: str) -> None:
    invoke = tmp_path / name / ".venv" / "bin" / "invoke"
    invoke.parent.mkdir(parents=True)
    script = "import json, os, sys; print(json.dumps([sys.argv, os.environ['PATH']]))"
    invoke.write_text(f"#!{sys.executable}\n{script}\n", encoding="utf-8")
    invoke.chmod(0o755)
    job = a_job(checkout=str(tmp_path / name))
    command = line(job).split(" ", 5)[5]
    assert "%" not in command.replace("\\%", "")
    # What cron does to a command before it gives it to the shell.
    shell = command.replace("\\%", "%")
    done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=True)
    argv, path = json.loads(done.stdout)
    assert (tuple(argv), path) == (job.argv, job.environment["PATH"])


def test_a_command_that_cron_would_drop_is_refused() -> None:
    with pytest.raises(ComposeError, match="longer than cron takes"):
        line(a_job(checkout="/srv/" + "a" * (LONGEST // 2)))


def test_lines_are_added_at_the_end_and_those_of_others_stay() -> None:
    assert with_block(FOREIGN, a_job()) == FOREIGN + block(a_job())
    assert with_block("", a_job()) == block(a_job())


def test_a_last_line_without_an_end_gets_one() -> None:
    assert with_block("5 4 * * * true", a_job()).startswith("5 4 * * * true\n# BEGIN")


def test_lines_are_replaced_where_they_are() -> None:
    text = with_block(FOREIGN, a_job()) + "6 6 * * * after\n"
    changed = with_block(text, a_job(daily="05:00"))
    assert changed == FOREIGN + block(a_job(daily="05:00")) + "6 6 * * * after\n"
    assert find_block(changed, NAME) == block(a_job(daily="05:00"))


def test_another_stack_has_lines_of_its_own() -> None:
    other = a_job(name="other-staging-capacity")
    both = with_block(with_block(FOREIGN, a_job()), other)
    assert without_block(both, NAME) == FOREIGN + block(other)


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="#\r")))
def test_whatever_others_wrote_stays_byte_for_byte(foreign: str) -> None:
    ended = foreign if not foreign or foreign.endswith("\n") else foreign + "\n"
    text = with_block(foreign, a_job())
    assert without_block(text, NAME) == ended
    assert find_block(text, NAME) == block(a_job())


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace(f"# END {NAME}\n", ""),
        lambda text: text.replace(f"# BEGIN {NAME}\n", ""),
        lambda text: text + text,
    ],
    ids=["no end", "no begin", "twice"],
)
def test_half_a_block_is_for_a_person_to_mend(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(ComposeError, match="both marks") as caught:
        without_block(damage(FOREIGN + block(a_job())), NAME)
    assert "crontab -e" in caught.value.__notes__[0]
