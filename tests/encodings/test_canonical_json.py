"""Canonical JSON: the samples of RFC 8785, and the same as the rfc8785 library for every JSON value, refusals too."""

from __future__ import annotations

import math
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.canonical_json import NotCanonical, canonical_json

# Digits, separators and escapes, so that strings look like numbers; characters on both sides of the surrogates.
TEXTS = st.text(st.sampled_from('aé0179.,:]}[{e+-"\\/ \n\x00\x1f\x7f\u2028\ud7ff\ue000\uffff\U00010000\U0010ffff'))
ANY_TEXT = st.one_of(TEXTS, st.text(), st.sampled_from(["null", ":1.5,", ",1e5]", "NaN"]))
NUMBERS = st.one_of(
    st.floats(),
    st.integers(),
    st.integers(-(2**53) - 2, -(2**53) + 2),
    st.integers(2**53 - 2, 2**53 + 2),
    st.sampled_from([0.0, -0.0, 1.0, 1e16, 1e21, 1e-7, 5e-324, 1.5]),
)
VALUES = st.recursive(
    st.one_of(ANY_TEXT, NUMBERS, st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(ANY_TEXT, inner, max_size=4)),
    max_leaves=12,
)


def by_library(value: Any) -> bytes | None:
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        return None


def ours(value: Any) -> bytes | None:
    try:
        return canonical_json(value)
    except NotCanonical:
        return None


@given(VALUES)
@example({"a": 1.0})
@example([1.5])
@example([[1e100]])
@example({"a": math.nan})
@example({"a": None})
@example({"\ue000": 1, "\U00010000": 2})
@example({"a": 2**53})
@example({"a": "\ud800"})
@example({"\ud800": 1})
def test_it_writes_what_the_library_writes(value: Any) -> None:
    assert ours(value) == by_library(value)


def test_the_sample_of_the_specification() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    assert canonical_json(value).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


@pytest.mark.parametrize("value", [{1: "a"}, {"a": {1}}, [b"bytes"], {"a": math.inf}, {"a": 10**400}])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical_json(value)


def test_what_nests_too_deeply_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NotCanonical):
        canonical_json(value)
