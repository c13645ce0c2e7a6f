"""Tells a chat how a deploy ended. Webhooks in Discord's form; no failure here matters."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from settings.redact import Redactor

BUDGET_S = 10.0
LONGEST = 1900  # Discord takes 2000 characters
DEPLOYS, ALERTS = "DISCORD_DEPLOY_WEBHOOK", "DISCORD_ALERTS_WEBHOOK"


def notify(values: Mapping[str, str], text: str, redact: Redactor, *, alert: bool) -> str:
    """Post `text` to the webhook of `values` that is meant for it.

    Returns what to tell the operator: empty where nothing was to be sent or all went well.
    An alert goes to the alerts' webhook, and where there is none to the deploys'.
    """
    url = (values.get(ALERTS) if alert else None) or values.get(DEPLOYS)
    if not url:
        return ""
    try:
        answer = requests.post(url, json={"content": redact(text)[:LONGEST]}, timeout=BUDGET_S)
    except Exception as error:  # whatever it is, no deploy is to fail of it
        # Not its text: that would hold the address, which is a secret.
        return f"nobody was told: the webhook cannot be reached ({type(error).__name__})"
    return "" if answer.ok else f"nobody was told: the webhook answered {answer.status_code}"
