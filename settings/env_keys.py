"""The keys of `.env.staging`: what each means, and which values it may have."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from settings.sizes import parse_size

HIGHEST_CONCURRENCY = 20
MEBIBYTE = 2**20
# Shorter ones can be guessed, and could not be found in what is printed.
SHORTEST_SECRET = 8
# Printed in documentation or compiled into the server: everybody knows them.
PUBLIC_KEYS = frozenset(
    {"automaker-staging-key-2026", "protoLabs_studio_key", "your_anthropic_key", "changeme"}
)
# Of an address such as https://token@host/...
_CREDENTIALS = re.compile(r"(\w://)[^/@\s]+@")
_COMPOSE_SIZE = re.compile(r"[1-9][0-9]*[kKmMgGtT]")


def _secret(text: str) -> str:
    if not text.strip():
        raise ValueError("empty")
    if len(text) < SHORTEST_SECRET:
        raise ValueError(f"too short: a secret has {SHORTEST_SECRET} characters or more")
    if text in PUBLIC_KEYS:
        raise ValueError("a published example; use a key of your own")
    return text


def _memory(text: str) -> int:
    """Bytes, from what Compose takes: there GB means GiB, so that spelling is refused here."""
    if not _COMPOSE_SIZE.fullmatch(text):
        raise ValueError("not a size such as 48G, which is 48 GiB")
    return parse_size(text)


def _cpus(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) or float(text) <= 0:
        raise ValueError("not a number of processors above 0, such as 8")
    return float(text)


def _path(text: str) -> str:
    if not text.startswith("/") or ":" in text:
        raise ValueError("not an absolute path without colons")
    return text


def _webhook(text: str) -> str:
    # Plain HTTP only to a relay on this host, where nobody can listen in.
    if not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", text):
        raise ValueError("not an address that begins with https://")
    return text


def _stack_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,40}", text):
        raise ValueError("not a name of lower-case letters, digits, - and _")
    return text


def _origin(text: str) -> str:
    if not all(re.fullmatch(r"https?://[^\s/]+", one.strip()) for one in text.split(",")):
        raise ValueError("not an origin such as http://localhost:3007")
    return text


def _text(text: str) -> str:
    if not text:
        raise ValueError("empty")
    return text


def _whole(low: int, high: int) -> Callable[[str], int]:
    """Make a reader of whole numbers from `low` to `high`; stricter than int, which takes 1_0."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(f"not a whole number from {low} to {high}")
        return int(text)

    return read


Secret = Annotated[SecretStr, BeforeValidator(_secret)]
Webhook = Annotated[SecretStr, BeforeValidator(_webhook)]
AbsolutePath = Annotated[str, BeforeValidator(_path)]
StackName = Annotated[str, BeforeValidator(_stack_name)]
Port = Annotated[int, BeforeValidator(_whole(1, 65535))]
UserId = Annotated[int, BeforeValidator(_whole(0, 2**31 - 1))]


class StagingEnv(BaseModel):
    """`.env.staging` as typed values; None where a key is left to the compose file's default."""

    # Input is hidden since pydantic's own error text would quote it, and it may be a secret.
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, alias_generator=str.upper
    )

    anthropic_api_key: Secret | None = Field(None, description="the agents' key for the model")
    automaker_api_key: Secret | None = Field(None, description="the key clients of the server need")
    uid: UserId | None = Field(None, description="user who owns the projects")
    gid: UserId | None = Field(None, description="group of that user")
    projects_mount: AbsolutePath | None = Field(None, description="projects, same path inside")
    labs_mount: AbsolutePath | None = Field(None, description="labs, same path inside")
    allowed_root_directory: AbsolutePath | None = Field(
        None, description="agents work below this path only"
    )
    memory_limit: Annotated[int, BeforeValidator(_memory)] | None = Field(
        None, description="memory of the server and its agents, in GiB"
    )
    cpu_limit: Annotated[float, BeforeValidator(_cpus)] | None = Field(
        None, description="processors of the server and its agents"
    )
    node_max_old_space: Annotated[int, BeforeValidator(_whole(64, 2**20))] | None = Field(
        None, description="heap of the server process, in MiB"
    )
    automaker_max_concurrency: (
        Annotated[int, BeforeValidator(_whole(1, HIGHEST_CONCURRENCY))] | None
    ) = Field(None, description="agents at once; the server takes no more")
    ui_port: Port | None = Field(None, description="port of the UI")
    api_port: Port | None = Field(None, description="port of the API")
    docs_port: Port | None = Field(None, description="port of the docs site")
    cors_origin: Annotated[str, BeforeValidator(_origin)] | None = Field(
        None, description="origins browsers may call the API from"
    )
    build_context: Annotated[str, BeforeValidator(_text)] | None = Field(
        None, description="checkout of automaker that images are built from"
    )
    build_ca_bundle: AbsolutePath | None = Field(
        None, description="certificates that builds behind a TLS proxy need (secret id=ca_bundle)"
    )
    stack_name: StackName | None = Field(
        None, description="what all names of this stack begin with; automaker if not set"
    )
    deploy_dir: AbsolutePath | None = Field(
        None, description="where releases, lock and audit log of this stack are kept"
    )
    smoke_project: AbsolutePath | None = Field(
        None, description="project in which the smoke test runs an agent; else one of its own"
    )
    discord_deploy_webhook: Webhook | None = Field(None, description="where deploys are told")
    discord_alerts_webhook: Webhook | None = Field(None, description="where alerts are told")


REQUIRED = ("ANTHROPIC_API_KEY", "AUTOMAKER_API_KEY")
KEYS = tuple(str(field.alias) for field in StagingEnv.model_fields.values())
# What a deploy pins in the compose files; never settings, so never keys of `.env.staging`.
PINS = ("SERVER_IMAGE", "UI_IMAGE", "DOCS_IMAGE", "GIT_COMMIT_SHA", "DEPLOY_ID")
DESCRIPTIONS = {str(f.alias): str(f.description) for f in StagingEnv.model_fields.values()}
SECRET_KEYS = frozenset(
    {
        "ANTHROPIC_API_KEY",
        "AUTOMAKER_API_KEY",
        "DISCORD_DEPLOY_WEBHOOK",
        "DISCORD_ALERTS_WEBHOOK",
    }
)
MASK = "*" * 10


def shown(key: str, value: Any) -> str:
    """Return a value as it may be printed: a secret as `**********`."""
    return MASK if key in SECRET_KEYS else _CREDENTIALS.sub(rf"\1{MASK}@", str(value))
