"""One campaign at a time, whatever becomes of the one that runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.lock import NAME, only_campaign
from loadtest.plan import PlanError

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from loadtest.lock import only_campaign
with only_campaign(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def hold_elsewhere(folder: Path) -> subprocess.Popen[str]:
    """Take the lock in a process of its own; returns once it is held."""
    argv = [sys.executable, "-c", HOLDER, str(folder)]
    holder = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_campaign_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with hold_elsewhere(tmp_path) as holder:
        with (
            pytest.raises(
                PlanError, match=rf"another load test is running \(process {holder.pid}\)"
            ),
            only_campaign(tmp_path),
        ):
            pytest.fail("two campaigns at once")
        holder.kill()


def test_the_refused_one_leaves_the_lock_with_its_holder(tmp_path: Path) -> None:
    with hold_elsewhere(tmp_path) as holder:
        for _ in range(2):
            with pytest.raises(PlanError, match=str(holder.pid)), only_campaign(tmp_path):
                pytest.fail("two campaigns at once")
        holder.kill()


def test_kill_9_of_the_holder_frees_the_lock(tmp_path: Path) -> None:
    with hold_elsewhere(tmp_path) as holder:
        holder.kill()
        holder.wait()
        assert (tmp_path / NAME).with_suffix(".owner").exists(), "it had no time to tidy up"
        with only_campaign(tmp_path):
            owner = (tmp_path / NAME).with_suffix(".owner").read_text(encoding="ascii")
            assert owner == str(os.getpid())


def test_a_campaign_that_ends_leaves_room_for_the_next(tmp_path: Path) -> None:
    for _ in range(2):
        with only_campaign(tmp_path):
            pass
        assert not (tmp_path / NAME).with_suffix(".owner").exists()


def test_a_campaign_that_fails_lets_go_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), only_campaign(tmp_path):
        raise ZeroDivisionError
    with only_campaign(tmp_path):
        pass


def test_a_holder_without_a_name_is_unknown(tmp_path: Path) -> None:
    with hold_elsewhere(tmp_path) as holder:
        (tmp_path / NAME).with_suffix(".owner").unlink()
        with pytest.raises(PlanError, match=r"process unknown"), only_campaign(tmp_path):
            pytest.fail("two campaigns at once")
        holder.kill()


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()  # also root cannot open a folder for writing
    with pytest.raises(PlanError, match=r"the lock .* cannot be taken"), only_campaign(tmp_path):
        pytest.fail("locked nothing")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PlanError, match="Permission denied"), only_campaign(tmp_path):
        pytest.fail("locked nothing")
