import json
from typing import Any

import jsonschema
import pytest

from loadtest.summary import SCHEMA_FILE, Summary, schema


@pytest.fixture
def shipped() -> Any:
    return json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def test_the_shipped_schema_is_the_models_own(shipped: Any) -> None:
    assert shipped == schema(), "refresh it: see the docstring of loadtest/report/__init__.py"


def test_a_summary_satisfies_the_schema(shipped: Any, summary: Summary) -> None:
    jsonschema.Draft202012Validator.check_schema(shipped)
    jsonschema.validate(json.loads(summary.to_json()), shipped)


def test_an_unknown_key_does_not(shipped: Any, summary: Summary) -> None:
    strange = json.loads(summary.to_json()) | {"strange": 1}
    with pytest.raises(jsonschema.ValidationError, match="strange"):
        jsonschema.validate(strange, shipped)
