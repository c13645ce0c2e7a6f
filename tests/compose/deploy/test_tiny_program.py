"""The program of a container that only has to be started: a real one, and nothing else with it."""

from __future__ import annotations

import io
import platform
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from compose.deploy.tiny_program import NAME, archive, program

MACHINES = {"x86_64": 62, "aarch64": 183}


def made(architecture: str) -> bytes:
    content = program(architecture)
    assert content is not None
    return content


@pytest.mark.skipif(sys.platform != "linux", reason="a program of Linux")
@pytest.mark.parametrize("architecture", MACHINES)
def test_it_runs_and_ends_well(tmp_path: Path, architecture: str) -> None:
    if platform.machine() != architecture:
        pytest.skip(f"no {architecture} here")
    file = tmp_path / NAME
    file.write_bytes(made(architecture))
    file.chmod(0o755)
    done = subprocess.run([file], env={}, capture_output=True, timeout=10, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(("architecture", "number"), MACHINES.items())
def test_its_headers_are_those_of_a_program(architecture: str, number: int) -> None:
    content = made(architecture)
    ident, kind, machine, version, entry, segments, sections, flags, size, each, count, *rest = (
        struct.unpack_from("<16sHHIQQQIHHHHHH", content)
    )
    assert ident == b"\x7fELF\x02\x01\x01" + bytes(9), "64 bits, little end first"
    assert (kind, machine, version) == (2, number, 1), "an executable for this processor"
    assert (segments, sections, flags, size, each, count) == (64, 0, 0, 64, 56, 1)
    assert rest == [0, 0, 0]
    kind, flags, offset, address, _, in_file, in_memory, align = struct.unpack_from(
        "<IIQQQQQQ", content, segments
    )
    assert (kind, flags) == (1, 5), "loaded, readable and executable, never writable"
    assert (offset - address) % align == 0, "the kernel maps whole pages"
    assert in_file == in_memory == len(content)
    assert entry - address == size + each, "it begins right behind its headers"
    assert entry - address < len(content)


@pytest.mark.parametrize("architecture", ["", "riscv64", "armv7l", "amd64"])
def test_for_a_processor_that_is_not_known_there_is_none(architecture: str) -> None:
    assert program(architecture) is None


def test_the_archive_holds_the_program_alone_and_anybody_may_run_it() -> None:
    content = made("x86_64")
    with tarfile.open(fileobj=io.BytesIO(archive(content))) as tar:
        (entry,) = tar.getmembers()
        file = tar.extractfile(entry)
        assert file is not None
        assert (entry.name, entry.mode, file.read()) == (NAME, 0o755, content)
        assert entry.isreg()
        assert (entry.uid, entry.gid) == (0, 0)


def test_twice_made_it_is_the_same_so_that_nothing_piles_up() -> None:
    assert archive(made("aarch64")) == archive(made("aarch64"))
