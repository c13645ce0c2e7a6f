"""Reports on disk: each file whole or not there at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from loadtest.outcome import Outcome
from loadtest.report.html import render
from loadtest.report.junit import junit_xml
from loadtest.report.samples import Samples, read_samples
from loadtest.summary import Summary


def write_reports(folder: Path, summary: Summary, outcomes: Sequence[Outcome]) -> None:
    """Write summary.json, junit.xml and report.html into the folder of the run.

    Each replaces its predecessor in one step; what was there stays when writing fails. The summary
    comes first: it is the result, the others can be made from it again. Raises OSError.
    """
    replace_file(folder / "summary.json", summary.to_json() + "\n")
    write_views(folder, summary, outcomes)


def write_views(folder: Path, summary: Summary, outcomes: Sequence[Outcome]) -> None:
    """Write what is made from the summary, the outcomes and the samples in `folder`.

    Raises OSError, and ValueError for a file of samples that is none.
    """

    def samples_of(outcome: Outcome) -> Samples:
        return read_samples(folder / outcome.samples_file) if outcome.samples_file else Samples()

    replace_file(folder / "junit.xml", junit_xml(summary))
    replace_file(folder / "report.html", render(summary, outcomes, samples_of))


def replace_file(path: Path, text: str) -> None:
    """Make `text` the content of a file, on disk before this returns. Raises OSError."""
    # Not tempfile: its files are readable by their owner only, and reports are for everyone.
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        # A lone surrogate, from an undecodable name in some reason, must not cost the report.
        with fresh.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def point_latest(reports: Path, folder: Path) -> None:
    """Make `reports/latest` a link to the folder of a run, at no moment missing.

    Raises OSError, also where `latest` is a folder and not a link.
    """
    fresh = reports / f".latest.{os.getpid()}.tmp"
    fresh.unlink(missing_ok=True)  # left by a process of the same number that was killed
    try:
        fresh.symlink_to(os.path.relpath(folder, reports), target_is_directory=True)
        fresh.replace(reports / "latest")
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _sync_folder(reports)


def _sync_folder(folder: Path) -> None:
    # The new name is on disk only once its folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
