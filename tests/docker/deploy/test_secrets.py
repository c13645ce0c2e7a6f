"""No secret is printed, logged, audited, told to a chat or put on a command line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.deploy.staging import KEY, MODEL_KEY, Staging

pytestmark = pytest.mark.timeout(300)
TOKEN = "a-token-of-the-chat"
GIT_TOKEN = "ghp-a-token-of-git"
RECEIVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[1], "ab") as log:
            log.write(body + b"\\n")
        self.send_response(500 if b"unlucky" in self.path.encode() else 204)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", 9999), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def chat(staging: Staging) -> Iterator[Path]:
    """What the webhooks were told, a JSON object a line."""
    log = staging.folder / "chat.jsonl"
    process = staging.host.popen([sys.executable, "-c", RECEIVER, str(log)])
    time.sleep(0.5)
    yield log
    process.kill()
    process.communicate()


def told(chat: Path) -> list[str]:
    return [json.loads(line)["content"] for line in chat.read_text("utf-8").splitlines()]


def test_no_secret_gets_out_whatever_happens(staging: Staging, chat: Path, tmp_path: Path) -> None:
    commands = tmp_path / "commands"
    spy = tmp_path / "bin" / "docker"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\necho "$@" >>{commands}\nexec /usr/bin/docker "$@"\n', "utf-8")
    spy.chmod(0o755)
    env = {"PATH": f"{spy.parent}:{staging.host.environment()['PATH']}"}
    staging.write(
        DISCORD_DEPLOY_WEBHOOK=f"http://127.0.0.1:9999/{TOKEN}",
        DISCORD_ALERTS_WEBHOOK=f"http://127.0.0.1:9999/alerts/{TOKEN}",
    )
    printed = ""
    words = ("--min-free", "0.1", "--why", "to see")

    def type_in(*verb: str) -> None:
        nonlocal printed
        done = staging.invoke(*verb, env=env, check=False)
        printed += done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr

    type_in("deploy", "--source", "standin", *words)
    # The real server prints its key at every start.
    staging.host.docker("tag", "automaker-server:staging", "kept-server:1")
    staging.host.docker("tag", "automaker-ui:staging", "kept-ui:1")
    commit = "LABEL automaker.git.commit.sha=unknown"
    said = 'ENTRYPOINT ["sh", "-c", "echo API key: $AUTOMAKER_API_KEY $ANTHROPIC_API_KEY'
    source = tmp_path / "source"
    source.mkdir()
    for end in ("; exec python3 -m standin", "; exit 3"):
        (source / "Dockerfile").write_text(
            f'FROM kept-server:1 AS server\n{commit}\n{said}{end}"]\n'
            f"FROM kept-ui:1 AS ui\n{commit}\n",
            encoding="utf-8",
        )
        type_in("deploy", "--source", str(source), *words)
    type_in("deploy", "--source", f"https://{GIT_TOKEN}@127.0.0.1:1/automaker.git", *words)
    for verb in (
        ("logs", "--tail", "all"),
        ("status", "--json"),
        ("config",),
        ("doctor",),
        ("diff",),
        ("releases", "--audit"),
        ("smoke",),
        ("rollback",),
        ("deploy", "--source", "standin", "--dry-run"),
        ("restart",),
        ("teardown", "--dry-run"),
    ):
        type_in(*verb)
    assert "API key: **********" in printed
    written = "\n".join(
        path.read_text("utf-8", errors="replace")
        for path in staging.home.rglob("*")
        if path.is_file() and not path.is_symlink() and path.name != ".env"
    )
    assert "API key: **********" in written
    chatted = chat.read_text("utf-8")
    everything = {
        "printed": printed,
        "written": written,
        "told": chatted,
        "commands": commands.read_text("utf-8"),
    }
    for place, text in everything.items():
        for secret in (KEY, "wor$D", MODEL_KEY, TOKEN, GIT_TOKEN):
            assert secret not in text, f"{secret} in what was {place}"


def test_the_chat_is_told_how_each_deploy_ended(staging: Staging, chat: Path) -> None:
    found = told(chat)
    assert "is live (stand-in)" in found[0]
    crashed = next(one for one in found if "restarts exhausted" in one)
    assert "serves again" in crashed
    assert all(one.startswith("automaker-staging: ") for one in found)


def test_a_chat_that_does_not_listen_fails_no_deploy(staging: Staging, chat: Path) -> None:
    """Incident D24: an optional step was fatal."""
    urls = ("http://127.0.0.1:9999/unlucky", "http://127.0.0.1:1/", "http://localhost:1/x")
    for number, url in enumerate(urls):
        staging.write(DISCORD_DEPLOY_WEBHOOK=url)
        done = staging.invoke(
            "deploy", "--source", "standin", "--min-free", "0.1", "--ref", f"chat{number}"
        )
        assert "nobody was told" in done.stdout
        assert url not in done.stdout
