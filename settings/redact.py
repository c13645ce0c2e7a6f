"""Takes secrets out of texts: whatever is printed, logged or audited passes here first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from settings.env_keys import MASK, SECRET_KEYS

# What is shorter would be found in words that are no secret.
SHORTEST = 4


class Redactor:
    """Replaces every secret it knows by `**********`, also where JSON has escaped it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {one for one in secrets if len(one) >= SHORTEST}
        known |= {json.dumps(one, ensure_ascii=how)[1:-1] for one in known for how in (True, False)}
        # The longest first: a secret may be part of another one.
        self._known = sorted(known, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return `text` without secrets."""
        for one in self._known:
            text = text.replace(one, MASK)
        return text

    def __repr__(self) -> str:
        return f"Redactor({len(self._known)} secrets)"


def secrets_of(*values: Mapping[str, str]) -> list[str]:
    """Return what is secret in mappings of `.env` keys to values."""
    return [one[key] for one in values for key in SECRET_KEYS if one.get(key)]
