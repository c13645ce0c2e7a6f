"""The real compose file, as the real Compose understands it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compose.commands import STAGING_FILE
from compose.errors import ComposeError
from compose.model import Health, Restart, ServiceLimits, load_model, read_limits
from compose.run import run

pytestmark = pytest.mark.docker

KEYS = {"ANTHROPIC_API_KEY": "sk-none", "AUTOMAKER_API_KEY": "pa$1wor$D"}
GUIDE = (
    *("UID", "GID", "MEMORY_LIMIT", "CPU_LIMIT", "NODE_MAX_OLD_SPACE", "AUTOMAKER_MAX_CONCURRENCY"),
    *("PROJECTS_MOUNT", "LABS_MOUNT", "ALLOWED_ROOT_DIRECTORY", "UI_PORT", "API_PORT"),
)


@pytest.fixture(autouse=True)
def _only_the_file_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*KEYS, *GUIDE):
        monkeypatch.delenv(name, raising=False)


def staging(**env: str) -> dict[str, Any]:
    return dict(load_model(run, [STAGING_FILE], env={**KEYS, **env}))


def server(**env: str) -> ServiceLimits:
    return read_limits(staging(**env))


def test_staging_is_48_gib_without_swap_and_8_processors() -> None:
    limits = server()
    assert limits.memory_bytes == limits.memswap_bytes == 51_539_607_552
    assert limits.cpus == 8


def test_twelve_agents_of_4_gb_fit_and_thirteen_do_not() -> None:
    assert 12 * 4 * 10**9 < server().memory_bytes < 13 * 4 * 10**9


def test_the_server_has_the_rest_of_the_staging_column() -> None:
    limits = server()
    assert limits.node_old_space_mib == 32768
    assert limits.max_concurrency == 6
    assert limits.restart == Restart("on-failure", 5)
    assert limits.health == Health(interval_s=30, timeout_s=10, retries=3, start_period_s=60)
    assert limits.init
    logging = staging()["services"]["server"]["logging"]
    assert logging == {"driver": "json-file", "options": {"max-size": "100m", "max-file": "10"}}


def test_the_ui_gets_2_gib_and_waits_for_a_healthy_server() -> None:
    model = staging()
    limits = read_limits(model, "ui")
    assert limits.memory_bytes == limits.memswap_bytes == 2 * 2**30
    assert limits.restart == Restart("unless-stopped")
    assert model["services"]["ui"]["depends_on"]["server"]["condition"] == "service_healthy"


def test_names_ports_and_volumes_are_those_of_the_guide() -> None:
    model = staging()
    services = model["services"]
    assert model["name"] == "automaker-staging"
    assert {name: body["container_name"] for name, body in services.items()} == {
        "server": "automaker-server-staging",
        "ui": "automaker-ui-staging",
    }
    assert {name: body["image"] for name, body in services.items()} == {
        "server": "automaker-server:staging",
        "ui": "automaker-ui:staging",
    }
    published = {name: body["ports"][0]["published"] for name, body in services.items()}
    assert published == {"server": "3008", "ui": "3007"}
    assert len(model["volumes"]) == 6
    assert all(volume["external"] for volume in model["volumes"].values())


def test_a_smaller_host_sets_its_own_limits() -> None:
    limits = server(
        MEMORY_LIMIT="16G", CPU_LIMIT="4", NODE_MAX_OLD_SPACE="8192", AUTOMAKER_MAX_CONCURRENCY="4"
    )
    assert limits.memory_bytes == limits.memswap_bytes == 16 * 2**30
    assert (limits.cpus, limits.node_old_space_mib, limits.max_concurrency) == (4, 8192, 4)


def test_values_of_the_environment_reach_the_container_unchanged() -> None:
    assert server().environment["AUTOMAKER_API_KEY"] == "pa$1wor$D"


def test_an_env_file_will_do(tmp_path: Path) -> None:
    file = tmp_path / ".env.staging"
    file.write_text("ANTHROPIC_API_KEY=a\nAUTOMAKER_API_KEY=b\nCPU_LIMIT=3\n")
    assert read_limits(load_model(run, env_file=file)).cpus == 3


@pytest.mark.parametrize("missing", sorted(KEYS))
def test_a_key_that_is_missing_or_empty_is_refused(missing: str) -> None:
    with pytest.raises(ComposeError, match=missing):
        load_model(run, env={**KEYS, missing: ""})
