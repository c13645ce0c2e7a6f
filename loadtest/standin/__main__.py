"""Run the stand-in server: `python3 -m standin`. Configured by the environment alone."""

from __future__ import annotations

import os
import signal
import socket
import sys
from types import FrameType

from .config import read_config
from .fault import CRASH
from .memory import Ballast
from .profile import ProfileError
from .warm_parent import WarmParent

GRACE_S = 1


def main() -> int:
    """Run until SIGTERM or SIGINT; returns the exit code."""
    config = read_config(os.environ, os.getcwd())
    if config.fault == CRASH:
        print("this image was built to crash at its start", file=sys.stderr)
        return 1
    try:
        # Before the imports below: agents are forked from a process that holds none of them.
        warm_parent = WarmParent.fork(config.profiles, config.seed)
    except ProfileError as error:
        print(f"STANDIN_PROFILES: {error}", file=sys.stderr)
        return 2
    # uvicorn raises the signal again once it has shut down, which must not change the exit code.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)

    import uvicorn  # noqa: PLC0415

    from .app import create_app  # noqa: PLC0415

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                print(f"listening on {config.host}:{config.port}", flush=True)

    settings = uvicorn.Config(
        create_app(config, warm_parent),
        host=config.host,
        port=config.port,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    ballast = Ballast(config.base_bytes)
    ballast.grow_to(config.base_bytes)
    server = Announcing(settings)
    server.run()
    return 0 if server.started else 1


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
