from pathlib import Path

import pytest

from loadtest.report.samples import HEADER, Samples, read_samples
from loadtest.rig.probe import COLUMNS

ROWS = "0.050,100,80,20,0,1,0,\n0.100,120,90,30,5,2,1,2.5\n"


def test_every_column_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{HEADER}\n{ROWS}")
    assert read_samples(file) == Samples(
        t_s=(0.05, 0.1), usage=(100, 120), anon=(80, 90), file=(20, 30), swap=(0, 5),
        agents=(1, 2), oom_kills=(0, 1), health_ms=(None, 2.5),
    )  # fmt: skip


@pytest.mark.parametrize("cut", ["0.150,1", "0.150,130,90,30,0,2,1,3.", "\0\0\0\0"])
def test_a_last_line_cut_short_is_left_out(tmp_path: Path, cut: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{HEADER}\n{ROWS}{cut}")
    assert len(read_samples(file)) == 2


@pytest.mark.parametrize("content", ["", HEADER, f"{HEADER}\n", HEADER[:7]])
def test_a_file_without_a_whole_sample_has_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(content)
    assert len(read_samples(file)) == 0


def test_a_missing_file_has_no_samples(tmp_path: Path) -> None:
    assert read_samples(tmp_path / "missing.csv") == Samples()


@pytest.mark.parametrize("content", ["t_s,usage\n1,2\n", f"{HEADER}\n1,2,3\n{ROWS}"])
def test_a_file_of_another_shape_is_refused_by_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "odd.csv"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"odd\.csv"):
        read_samples(file)


def test_the_header_is_the_one_the_probe_writes() -> None:
    assert HEADER == COLUMNS
