"""The stand-in as a source for `invoke deploy --source standin`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from compose.deploy.source import BuildContext, PrepareStandin
from compose.run import Run
from loadtest.rig.base_image import base_is_there, ensure_base
from loadtest.rig.image import BUILD, content_digest, prepare_context


def standin_context(run: Run, note: Callable[[str], None]) -> PrepareStandin:
    """Return what fills a folder with the stand-in's build context; what takes long is noted.

    Its commit is made of its content, of its fault and of the ref that was asked for, so that
    two of them can be told apart as two commits can.
    """

    def prepare(folder: Path, fault: str, ref: str) -> BuildContext:
        if not base_is_there(run):
            note("no base image yet: getting one takes up to a minute, once")
        base = ensure_base(run)
        context = folder / "context"
        prepare_context(run, context, BUILD)
        words = ["standin", content_digest(base), *(one for one in (fault, ref) if one)]
        arguments = {"BASE": base, "STANDIN_FAULT": fault}
        return BuildContext(context, "-".join(words), arguments)

    return prepare
