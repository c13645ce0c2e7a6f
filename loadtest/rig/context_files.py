"""Context files in the target's projects: agents read them every turn, as real ones do."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence

import docker

_UID = 1001  # the server's user in the image
_FILES = {
    "CLAUDE.md": b"# Load test project\n\nWrite small commits. Run the tests.\n" * 20,
    "architecture.md": b"A server, a queue and a board; agents work in worktrees.\n" * 40,
}


def put_context(
    client: docker.DockerClient, container_id: str, root: str, projects: Sequence[str]
) -> None:
    """Lay `{project}/.automaker/context` into a container, for projects below `root`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for project in projects:
            path = project.removeprefix(root).lstrip("/")
            for folder in (path, f"{path}/.automaker", f"{path}/.automaker/context"):
                archive.addfile(_entry(folder, tarfile.DIRTYPE, 0o755))
            for name, text in _FILES.items():
                entry = _entry(f"{path}/.automaker/context/{name}", tarfile.REGTYPE, 0o644)
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text))
    client.containers.get(container_id).put_archive(root, buffer.getvalue())


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    entry.uid = entry.gid = _UID
    return entry
