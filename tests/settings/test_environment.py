"""What the swarm inherits, and what it must never see."""

from __future__ import annotations

import pytest

from settings.environment import compose_placeholders, git_environment, swarm_environment


@pytest.mark.parametrize(
    ("name", "kept", "why"),
    [
        ("PATH", True, "the swarm has to find its Python"),
        ("HOME", True, "an ordinary variable"),
        ("HTTPS_PROXY", True, "a proxy is no secret"),
        ("ANTHROPIC_API_KEY", False, "a key"),
        ("AUTOMAKER_API_KEY", False, "the trial brings its own"),
        ("anthropic_api_key", False, "small letters hide nothing"),
        ("GH_TOKEN", False, "a token"),
        ("CLIENT_SECRET", False, "a secret"),
        ("DB_PASSWORD", False, "a password"),
        ("DISCORD_WEBHOOK_URL", False, "whoever has it can post"),
        ("LOCUST_USERS", False, "it would change the swarm's plan"),
        ("LOCUST_HOST", False, "it would send agents elsewhere"),
        ("MY_LOCUST_NOTE", True, "only Locust's own prefix counts"),
    ],
)
def test_the_swarm_inherits_no_secret_and_no_option_of_locust(
    monkeypatch: pytest.MonkeyPatch, name: str, kept: bool, why: str
) -> None:
    monkeypatch.setenv(name, "value")
    assert (swarm_environment().get(name) == "value") is kept, why


def test_placeholders_stand_for_the_required_keys_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a real one")
    placeholders = compose_placeholders()
    assert set(placeholders) == {"ANTHROPIC_API_KEY", "AUTOMAKER_API_KEY"}
    assert "a real one" not in placeholders.values()
    assert all(placeholders.values()), "an empty value would count as unset"


def test_ssh_asks_nobody() -> None:
    """Nobody is there to answer: a question would wait for ever."""
    env = git_environment("git@git.example:a.git")
    assert (env["SSH_ASKPASS"], env["SSH_ASKPASS_REQUIRE"]) == ("/bin/false", "force")
