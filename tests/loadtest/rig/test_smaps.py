from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.rig.smaps import Held, held_by

ROLLUP = """\
55d0c0000000-7ffd00000000 ---p 00000000 00:00 0                          [rollup]
Rss:               20000 kB
Pss:                9000 kB
Private_Clean:       100 kB
Private_Dirty:      7000 kB
Private_Hugetlb:       0 kB
Swap:               6400 kB
SwapPss:             500 kB
Locked:                0 kB
"""


def test_swapped_pages_count_by_their_share(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "smaps_rollup").write_text(ROLLUP, encoding="ascii")
    assert held_by(7, tmp_path) == Held(private=7600 * 1024, pss=9500 * 1024)


def test_a_process_that_fills_memory_is_seen_to_hold_it() -> None:
    code = "import sys\nx = bytearray(b'1') * 50_000_000\nprint(flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        held = held_by(process.pid)
        process.communicate()
    assert 50_000_000 <= held.private <= 70_000_000
    assert held.pss >= held.private


def test_a_process_that_is_gone_raises_oserror() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises((FileNotFoundError, ProcessLookupError)):
        held_by(process.pid)


def test_this_process_can_be_read() -> None:
    assert held_by(os.getpid()).private > 0
