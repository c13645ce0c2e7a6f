"""What operators do with the docs site, which has a lifecycle of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from compose.deploy.containers import container
from compose.deploy.context import Context
from compose.deploy.docs import build_docs, docs_api, docs_running, docs_state, start_docs
from compose.deploy.make import Order, fetch
from compose.deploy.release import Image
from compose.deploy.values import build_values
from compose.errors import ComposeError
from compose.operate.logs import logs_argv
from compose.run import stream


def build_only(ctx: Context, order: Order) -> Image:
    """Build the docs image; what is served stays."""
    values = build_values(order.env_path)
    with ctx.locked(), fetch(ctx, order, ("docs",)) as context, ctx.step("build docs"):
        image = build_docs(ctx, context, values.get("BUILD_CA_BUNDLE", ""))
    return image


def deploy_docs(ctx: Context, order: Order) -> str:
    """Build and serve the docs; returns their address.

    Raises ComposeError; what was served before is then served still, or again.
    """
    values = build_values(order.env_path)
    ctx.webhooks = values
    with ctx.locked(), ctx.concluding(), fetch(ctx, order, ("docs",)) as context:
        with ctx.step("build docs"):
            image = build_docs(ctx, context, values.get("BUILD_CA_BUNDLE", ""))
        with ctx.step("serve docs"):
            shown = order.source.shown
            start_docs(ctx, values, image, commit=context.commit, source=shown)
        ctx.log("ok", detail=f"{shown}, commit {context.commit}")
    port = docs_running(ctx, values, image.reference).view["docs"].port
    return f"http://{ctx.address}:{port}"


def stop_docs(ctx: Context) -> None:
    """Stop the docs' container, if there is one."""
    with ctx.locked(), ctx.step("stop docs"):
        if container(ctx.host, f"{ctx.stack.name}-docs") is None:
            ctx.note("not deployed")
            return
        ctx.host.change(["docker", "stop", f"{ctx.stack.name}-docs"])
        ctx.log("ok")


@dataclass(frozen=True)
class DocsStatus:
    """What the docs are."""

    state: str
    health: str
    commit: str
    source: str
    since: str
    address: str
    served: bool

    def data(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return asdict(self)

    def raise_unless_served(self) -> None:
        """Raise ComposeError where nobody gets them."""
        if not self.served:
            raise ComposeError("the docs are not served", next_step="invoke docs.deploy")


def docs_status(ctx: Context) -> DocsStatus:
    """Look at the docs."""
    state, recorded, api = (
        container(ctx.host, f"{ctx.stack.name}-docs"),
        docs_state(ctx.stack.home),
        docs_api(ctx),
    )
    answer = api.answers("/") if api else None
    return DocsStatus(
        state=state.status if state else "absent",
        health=state.health if state else "",
        commit=recorded.commit if recorded else "",
        source=recorded.source if recorded else "",
        since=recorded.when if recorded else "",
        address=api.base if api else "",
        served=answer is not None and answer.ok,
    )


def show_docs(found: DocsStatus) -> str:
    """Return it as a person reads it."""
    lines = [f"docs: {found.state}" + (f", {found.health}" if found.health else "")]
    if found.commit:
        lines.append(f"commit {found.commit}, from {found.source}, since {found.since}")
    if found.address:
        lines.append(f"{found.address} {'answers' if found.served else 'does not answer'}")
    return "\n".join(lines)


def docs_logs(ctx: Context, write: Callable[[str], None], *, tail: str, follow: bool) -> None:
    """Write log lines as they come."""
    running = docs_running(ctx, {})
    argv = logs_argv(running.compose(), ["docs"], tail, "", follow=follow)
    if stream(argv, write, env=running.environment()) != 0:
        raise ComposeError("no logs of the docs", next_step="invoke docs.status")
