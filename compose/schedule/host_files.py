"""Files and programs of the host that are not ours; a dry run shows what it would write."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from compose.deploy.host import Host
from compose.deploy.store import write
from settings.docker_host import SYSTEM_PATH

READABLE = 0o644


def installed(program: str) -> bool:
    """Whether a program is on PATH, or where the system keeps its own."""
    return any(shutil.which(program, path=path) for path in (None, SYSTEM_PATH))


def text_of(path: Path) -> str:
    """Return what is in a file; nothing where there is none. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""


def show_text(host: Host, what: str, text: str) -> None:
    """In a dry run, show a text that would go somewhere."""
    if host.dry:
        host.progress.note("\n".join([f"{what}:", *(f"  {line}" for line in text.splitlines())]))


def write_file(host: Host, path: Path, text: str) -> None:
    """Replace a file in one step, for all to read. Raises ComposeError, or OSError."""
    show_text(host, f"write {path}", text)
    if not host.dry:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, text)
        path.chmod(READABLE)


def remove_file(host: Host, path: Path) -> None:
    """Remove a file, if there is one. Raises OSError."""
    host.act(f"remove {path}", lambda: path.unlink(missing_ok=True))
