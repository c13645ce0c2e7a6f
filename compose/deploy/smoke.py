"""Is what runs really usable? From the key that must be refused to an agent that must finish."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from compose.checks import Check, passed
from compose.deploy.api import Api
from compose.deploy.build import COMMIT_LABEL
from compose.deploy.containers import container
from compose.deploy.cutover import Running
from compose.deploy.host import Host
from compose.deploy.ready import server_is_ready, serves_app
from compose.deploy.smoke_agent import FOLDER, Where, agent_runs
from compose.errors import ComposeError

AGENT_S = 300.0
PUBLIC_KEY = "protoLabs_studio_key"
PROTECTED = (
    "/api/health/detailed",
    "/api/settings/global",
    "/api/running-agents",
    "/api/deploy/status",
)


@dataclass(frozen=True)
class Site:
    """Where a stack is served, and what it should be."""

    running: Running
    commit: str
    api: Api
    ui: Api
    docs: Api | None = None

    @property
    def server(self) -> str:
        """Name of the server's container."""
        return self.running.view["server"].container


def smoke(host: Host, site: Site, *, agent: bool = True) -> list[Check]:
    """Return every check, in the order in which they depend on each other; none raises."""
    checks = list(_guarded(host, site))
    if agent and not any(check.level == "fail" for check in checks):
        checks.append(agent_runs(host, site.api, _project(site), AGENT_S))
    elif agent:
        checks.append(Check("fail", "agent", "not tried, since something above fails"))
    return checks


def _guarded(host: Host, site: Site) -> Iterator[Check]:
    parts = (
        ("health", _health),
        ("ready", _ready),
        ("commit", lambda one: _commit(host, one)),
        ("wrong key", _wrong_key),
        ("login", _login),
        ("protected", _protected),
        ("websocket", _websocket),
        ("ui", _ui),
        ("ui proxy", _ui_proxy),
        ("docs", _docs),
    )
    for name, check in parts:
        try:
            yield check(site)
        except ComposeError as error:
            yield Check("warn" if name == "docs" else "fail", name, str(error))


def _health(site: Site) -> Check:
    answer = site.api.get("/api/health", {})
    if answer.ok and answer.data.get("status") == "ok":
        return passed("health", "the server lives")
    return Check("fail", "health", answer.problem())


def _ready(site: Site) -> Check:
    answer = site.api.get("/api/health/ready", {})
    if not server_is_ready(answer):
        return Check("fail", "ready", answer.problem(), "is the data volume full or read-only?")
    checks = answer.data.get("checks") or {}
    if (checks.get("apiKey") or {}).get("source") == "default":
        fix = "AUTOMAKER_API_KEY in .env.staging, then deploy"
        return Check("fail", "ready", "the server runs with a key that everybody knows", fix)
    return passed("ready", "data can be written, the key is our own")


def _commit(host: Host, site: Site) -> Check:
    """Compare the running image's label: the API says nowhere which commit it is."""
    state = container(host, site.server)
    if state is None or not state.running:
        return Check("fail", "commit", "the server's container does not run", "invoke status")
    label = state.labels.get(COMMIT_LABEL, "")
    if label and label != site.commit:
        found = f"{label} runs, not {site.commit}"
        return Check("fail", "commit", found, "invoke restart")
    return passed("commit", label or "the image carries none")


def _wrong_key(site: Site) -> Check:
    nobody = site.api.get("/api/health/detailed", {})
    wrong = site.api.get("/api/health/detailed", {"X-API-Key": secrets.token_hex(8)})
    public = site.api.get("/api/health/detailed", {"X-API-Key": PUBLIC_KEY})
    answers = (nobody, wrong, public)
    if any(answer.ok for answer in answers):
        fix = "AUTOMAKER_API_KEY in .env.staging, then deploy"
        return Check("fail", "wrong key", "let in without the right key", fix)
    odd = [answer.problem() for answer in answers if answer.status not in (401, 403)]
    if odd:
        return Check("fail", "wrong key", f"neither let in nor refused: {odd[0]}")
    return passed("wrong key", f"refused: {nobody.status} without, {wrong.status} with a wrong one")


def _login(site: Site) -> Check:
    answer = site.api.post("/api/auth/login", {"apiKey": site.api.key}, headers={})
    token = answer.data.get("token")
    if not answer.ok or not token:
        return Check("fail", "login", answer.problem(), "is this the key that the server got?")
    session = {"X-Session-Token": str(token)}
    inside = site.api.get("/api/health/detailed", session)
    site.api.post("/api/auth/logout", headers=session)
    if not inside.ok:
        return Check("fail", "login", f"its session is refused: {inside.problem()}")
    return passed("login", "a session opens what needs one")


def _protected(site: Site) -> Check:
    answers = {path: site.api.get(path) for path in PROTECTED}
    answers["/api/auto-mode/status"] = site.api.post("/api/auto-mode/status")
    bad = [f"{path} {answer.problem()}" for path, answer in answers.items() if not answer.ok]
    if bad:
        return Check("fail", "protected", "; ".join(bad))
    return passed("protected", f"{len(answers)} endpoints answer with our key")


def _websocket(site: Site) -> Check:
    answer = site.api.get("/api/auth/token")
    if not answer.ok or not answer.data.get("token"):
        return Check("fail", "websocket", answer.problem())
    return passed("websocket", "a token for the event stream is given out")


def _ui(site: Site) -> Check:
    page = site.ui.get("/", {})
    if page.ok and serves_app(page):
        return passed("ui", "serves the app's root")
    said = "a page without the app's root" if page.ok else page.problem()
    return Check("fail", "ui", said)


def _ui_proxy(site: Site) -> Check:
    answer = site.ui.get("/api/health", {})
    if answer.ok and answer.data.get("status") == "ok":
        return passed("ui proxy", "the UI reaches the server")
    return Check("fail", "ui proxy", answer.problem(), "invoke restart")


def _docs(site: Site) -> Check:
    """Look at the docs, which are a stack of their own and never fail this one."""
    if site.docs is None:
        return Check("warn", "docs", "not deployed", "invoke docs.deploy")
    page = site.docs.get("/", {})
    if page.ok:
        return passed("docs", "served")
    return Check("warn", "docs", page.problem(), "invoke docs.logs")


def _project(site: Site) -> Where:
    chosen = site.running.values.get("SMOKE_PROJECT")
    if chosen:
        return Where(chosen, site.server, own=False)
    environment = site.running.view["server"].limits.environment
    data = environment.get("DATA_DIR") or "/data"
    # One a run: two smoke tests at once must not remove each other's.
    return Where(f"{data}/{FOLDER}-{secrets.token_hex(4)}", site.server, own=True)
