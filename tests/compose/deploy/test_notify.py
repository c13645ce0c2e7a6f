"""Telling a chat: the right webhook, no secrets, and no failure that matters."""

from __future__ import annotations

import time

import pytest

from compose.deploy import notify as module
from compose.deploy.notify import ALERTS, DEPLOYS, LONGEST, notify
from settings.redact import Redactor
from tests.compose.deploy.fakes import Asked, Reply, always, closed_port, serving

QUIET = Redactor()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "BUDGET_S", 0.3)


def values(base: str, *names: str) -> dict[str, str]:
    """Webhooks whose path is the name of their key."""
    return {name: f"{base}/{name}" for name in names}


@pytest.mark.parametrize(
    ("names", "alert", "told", "why"),
    [
        ((DEPLOYS, ALERTS), False, [DEPLOYS], "a deploy goes to the deploys"),
        ((DEPLOYS, ALERTS), True, [ALERTS], "an alert to the alerts, and nowhere else"),
        ((DEPLOYS,), True, [DEPLOYS], "without a place for alerts they go to the deploys"),
        ((ALERTS,), False, [], "a deploy is no alert"),
        ((), True, [], "nobody wants to know"),
    ],
)
def test_it_goes_to_whom_it_is_meant_for(
    names: tuple[str, ...], alert: bool, told: list[str], why: str
) -> None:
    with serving(always(Reply(204))) as chat:
        assert notify(values(chat.base, *names), "it is live", QUIET, alert=alert) == ""
    assert chat.paths() == [f"/{name}" for name in told], why


def test_an_empty_webhook_is_none() -> None:
    assert notify({DEPLOYS: "", ALERTS: ""}, "x", QUIET, alert=True) == ""


def test_the_message_has_the_form_that_discord_reads() -> None:
    with serving(always(Reply(204))) as chat:
        notify(values(chat.base, DEPLOYS), "grün is live", QUIET, alert=False)
    (asked,) = chat.asked
    assert asked.method == "POST"
    assert asked.headers["content-type"] == "application/json"
    assert asked.data == {"content": "grün is live"}


def test_secrets_are_masked_before_the_message_is_cut() -> None:
    secret = "s" * 40
    with serving(always(Reply(204))) as chat:
        text = "x" * (LONGEST - 20) + secret + "y" * 500
        notify(values(chat.base, DEPLOYS), text, Redactor([secret]), alert=False)
    (asked,) = chat.asked
    assert len(asked.data["content"]) == LONGEST
    assert "sss" not in asked.data["content"]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(500, text="<h1>oops</h1>"), "the webhook answered 500"),
        (Reply(404, {"message": "Unknown Webhook"}), "the webhook answered 404"),
        (Reply(429, {"retry_after": 1}), "the webhook answered 429"),
        (Reply(200, slow_s=20), "the webhook cannot be reached (ReadTimeout)"),
    ],
)
def test_a_chat_that_does_not_take_it_is_a_sentence(reply: Reply, says: str) -> None:
    with serving(always(reply)) as chat:
        began = time.monotonic()
        said = notify(values(chat.base, DEPLOYS), "x", QUIET, alert=False)
        assert time.monotonic() - began < 5
    assert said == f"nobody was told: {says}"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"http://127.0.0.1:{closed_port()}/token-of-the-hook", "nobody answers"),
        ("https://[token-of-the-hook", "half an address"),
        ("https://.token-of-the-hook/", "an empty name"),
        ("https:///token-of-the-hook", "no host"),
        ("http://127.0.0.1:99999/token-of-the-hook", "no port"),
    ],
)
def test_a_chat_that_is_not_there_is_a_sentence_without_its_address(url: str, why: str) -> None:
    said = notify({DEPLOYS: url}, "x", QUIET, alert=False)
    assert said.startswith("nobody was told: the webhook cannot be reached"), why
    assert "token" not in said
    assert "127.0.0.1" not in said


def test_an_address_that_only_urllib3_refuses_is_a_sentence_too() -> None:
    said = notify({DEPLOYS: f"https://{'a' * 70}.example/"}, "x", QUIET, alert=False)
    assert said.startswith("nobody was told")


def test_a_chat_that_moved_gets_it_where_it_is() -> None:
    def answer(asked: Asked) -> Reply:
        moved = Reply(308, headers={"location": "/elsewhere"})
        return Reply(204) if asked.path == "/elsewhere" else moved

    with serving(answer) as chat:
        assert notify(values(chat.base, DEPLOYS), "x", QUIET, alert=False) == ""
