"""JSON that is read the quick way, because it is written compactly, means what it means when it is read slowly."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols import strict_json
from protocols.errors import BadInput
from tests.encodings.test_canonical_json import VALUES

TOKENS = st.sampled_from(
    ["{", "}", "[", "]", ",", ":", '"a"', '"b"', '"\\u0061"', '"\\ud800"', '"\\ud83d\\ude00"', '"é"', "0", "-0", "1.0",
     "1.50", "1e5", "1E5", "1e16", "-0.0", "9007199254740991", "9007199254740993", "18446744073709551616", "1e400",
     "null", "true", "NaN", " ", "\n"]
)  # fmt: skip


def outcome(text: str) -> Any:
    """What a reading gives: types and signs of zero included, or the code of the refusal."""
    try:
        return repr(strict_json.loads(text))
    except BadInput as error:
        return error.code


def both_ways(text: str) -> tuple[Any, Any]:
    """The text as it is, and with a space that makes it no longer compact, so that it is read slowly."""
    return outcome(text), outcome(text + " ")


@given(st.lists(TOKENS, max_size=12).map("".join))
@example('{"a":1,"a":1}')
@example('{"a":1,"\\u0061":1}')
@example("[-0]")
@example("[9007199254740993]")
def test_any_text_is_read_alike(text: str) -> None:
    quick, slow = both_ways(text)
    assert quick == slow


@given(VALUES)
def test_any_value_is_written_so_that_it_is_read_alike(value: Any) -> None:
    try:
        text = strict_json.dumps(value)
    except ValueError:
        return
    assert json.loads(text) == value
    quick, slow = both_ways(text.decode())
    assert quick == slow


@pytest.mark.parametrize("value", [{"a": math.nan}, [math.inf], {"a": "\ud800"}])
def test_what_json_cannot_say_is_not_written(value: Any) -> None:
    with pytest.raises((ValueError, UnicodeEncodeError)):
        strict_json.dumps(value)


def test_a_value_that_is_none_of_json_is_not_written() -> None:
    with pytest.raises(TypeError):
        strict_json.dumps({"a": {1}})
