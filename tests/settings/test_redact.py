"""No secret in any text, wherever it stands in it and however JSON writes it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.env_keys import MASK, SECRET_KEYS
from settings.redact import SHORTEST, Redactor, secrets_of

# Not the star: what a mask is made of is no secret.
letters = st.characters(exclude_categories=["Cs"], exclude_characters="*")
secrets = st.text(letters, min_size=SHORTEST, max_size=12)


@given(st.lists(secrets, max_size=5), st.data())
def test_no_secret_is_left_in_any_text(known: list[str], data: st.DataObject) -> None:
    pieces = st.one_of(st.text(letters, max_size=8), st.sampled_from([*known, ""]))
    text = "".join(data.draw(st.lists(pieces, max_size=8)))
    redacted = Redactor(known)(text)
    assert [one for one in known if one in redacted] == []


@given(st.lists(secrets, max_size=5), st.text(max_size=30))
def test_a_text_without_secrets_stays_as_it_is(known: list[str], text: str) -> None:
    forms = {*known, *(json.dumps(one)[1:-1] for one in known)}
    if not any(one in text for one in forms):
        assert Redactor(known)(text) == text


@given(secrets)
def test_json_holds_no_secret_either(secret: str) -> None:
    text = Redactor([secret])(json.dumps({"detail": f"<{secret}>"}))
    assert json.loads(text) == {"detail": f"<{MASK}>"}


@given(st.lists(secrets, max_size=4), st.text(letters, max_size=30))
def test_masking_twice_is_masking_once(known: list[str], text: str) -> None:
    redact = Redactor(known)
    assert redact(redact(text)) == redact(text)


def test_of_two_secrets_the_longer_goes_first() -> None:
    assert Redactor(["pass", "password"])("password pass") == f"{MASK} {MASK}"


@pytest.mark.parametrize("short", ["", "a", "abc"])
def test_what_is_too_short_would_be_found_in_words_that_are_no_secret(short: str) -> None:
    assert Redactor([short])("a cabcab") == "a cabcab"
    assert Redactor(["abcd"])("abcd") == MASK


def test_a_redactor_does_not_show_what_it_knows() -> None:
    assert repr(Redactor(["s3cret"])) == "Redactor(1 secrets)"


def test_only_keys_that_hold_secrets_give_some() -> None:
    values = {**dict.fromkeys(SECRET_KEYS, "secret"), "API_PORT": "3008", "STACK_NAME": "mine"}
    assert secrets_of(values) == ["secret"] * len(SECRET_KEYS)
    assert secrets_of({"AUTOMAKER_API_KEY": ""}, {}) == []
    assert secrets_of({"AUTOMAKER_API_KEY": "a"}, {"AUTOMAKER_API_KEY": "b"}) == ["a", "b"]
