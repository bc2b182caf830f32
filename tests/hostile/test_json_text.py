"""JSON from outside: texts that two parsers could read differently, or that keep a parser busy, are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadInput
from protocols.strict_json import MAX_BYTES, MAX_DEPTH, loads, loads_object

AMBIGUOUS = {
    "same key twice": '{"a":1,"a":1}',
    "same key twice, one escaped": r'{"a":1,"\u0061":1}',
    "same key twice, deep": '[{"b":{"a":1,"c":2,"a":3}}]',
    "NaN": "[NaN]",
    "Infinity": "[Infinity]",
    "minus Infinity": '{"a":-Infinity}',
    "beyond a double": "[1e309]",
    "beyond a double, below zero": "[-1e309]",
    "beyond a double in digits": "[1" + 400 * "0" + "]",
    "digits without end": "[" + 5000 * "9" + "]",
    "between two doubles": "[9007199254740993]",
    "between two doubles, below zero": "[-9007199254740993]",
    "high surrogate": r'["\ud83d"]',
    "low surrogate": r'["\ude00"]',
    "halves the wrong way round": r'["\ude00\ud83d"]',
    "high surrogate before a pair": r'["\uD83D\ud83d\ude00"]',
    "high surrogate and a letter": r'["\ud83dx"]',
    "high surrogate and another escape": r'["\ud83d\u0041"]',
    "surrogate after a backslash": r'["\\\ud83d"]',
    "surrogate in a key": r'{"\udfff":1}',
}
MALFORMED = ["", " ", "{", "[1,]", "{'a':1}", '["\n"]', "01", "+1", ".5", "[1 2]", "\ufeff[]", '["a" "b"]', "nul"]
UNREADABLE: list[bytes | str] = [b"\xff", b'["\xed\xa0\x80"]', b'["\xc0\xaf"]', "[]".encode("utf-16"), '"\ud800"']


@pytest.mark.parametrize("text", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_text_with_more_than_one_meaning_is_refused(text: str) -> None:
    for given_as in (text, text.encode()):
        with pytest.raises(BadInput) as refused:
            loads(given_as)
        assert refused.value.code == "json.ambiguous"


@pytest.mark.parametrize("text", [*MALFORMED, *UNREADABLE], ids=ascii)
def test_what_is_no_json_in_utf_8_is_refused(text: bytes | str) -> None:
    with pytest.raises(BadInput) as refused:
        loads(text)
    assert refused.value.code == "json.malformed"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'["\ud83d\ude00", "\\ud83d", "\uD7FF\uE000"]', ["\U0001f600", "\\ud83d", "\ud7ff\ue000"]),
        ("[9007199254740991, 9007199254740992, 100000000000000000000]", [2**53 - 1, 2**53, 10**20]),
        ("[1e308, 0.1, 1e-400, -0.0, 12345678901234567890.5]", [1e308, 0.1, 0.0, -0.0, 12345678901234567890.5]),
        ('{"a":{"a":{"a":1}},"A":2,"":3}', {"a": {"a": {"a": 1}}, "A": 2, "": 3}),
    ],
)
def test_what_every_parser_reads_alike_is_read(text: str, value: Any) -> None:
    assert loads(text) == value


@pytest.mark.parametrize(
    ("opening", "closing", "levels"),
    [("[", "]", 1), ('{"":', "}", 1), (r'["\\","[{\"",{"]":', "}]", 2)],
    ids=["lists", "objects", "both"],
)
def test_a_text_may_nest_so_deep_and_no_deeper(opening: str, closing: str, levels: int) -> None:
    times = MAX_DEPTH // levels
    assert loads(opening * times + "0" + closing * times)
    for more in (times + 1, 800, 20_000):
        with pytest.raises(BadInput) as refused:
            loads(opening * more + "0" + closing * more)
        assert refused.value.code == "json.too_deep"


def test_brackets_in_strings_and_side_by_side_do_not_count_as_depth() -> None:
    text = json.dumps(["[{" * 200, "\\", '"[', [[], {}] * 200, {'\\"[': "{" * 99}])
    assert loads(text) == json.loads(text)


def test_a_text_that_is_cut_off_at_great_depth_is_too_deep() -> None:
    for text in ("[" * MAX_BYTES, '{"":' * (MAX_BYTES // 4)):
        with pytest.raises(BadInput):
            loads(text)


@pytest.mark.parametrize("unit", ["[]", "{}", "0", "1.5", "[[]]", '""'])
def test_a_text_of_almost_nothing_but_values_is_too_complex(unit: str) -> None:
    with pytest.raises(BadInput) as refused:
        loads("[" + ",".join([unit] * 150_000) + "]")
    assert refused.value.code == "json.too_complex"


def test_a_large_text_of_ordinary_values_is_read() -> None:
    rows = [{"name": f"Learner {number} of the college", "grades": [1, 2.5, "A", None]} for number in range(12_000)]
    text = json.dumps(rows)
    assert len(text) > MAX_BYTES * 0.75
    assert loads(text) == rows


def test_a_text_of_the_greatest_length_is_read_and_one_byte_more_is_not() -> None:
    text = '"' + "x" * (MAX_BYTES - 2) + '"'
    assert len(loads(text)) == MAX_BYTES - 2
    with pytest.raises(BadInput) as refused:
        loads(text + " ")
    assert refused.value.code == "json.too_large"


@pytest.mark.parametrize("text", ["[]", "null", "0", '"{}"'])
def test_where_an_object_is_needed_nothing_else_will_do(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        loads_object(text)
    assert refused.value.code == "json.not_object"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["\\", '"', "[", "{", "\U0001f600"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)  # fmt: skip


def depth(value: Any) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if members is None else 1 + max(map(depth, members), default=0)


@given(JSON, st.booleans())
def test_any_value_is_read_back_as_it_was_and_its_depth_is_known(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert loads(text, max_depth=max(depth(value), 1)) == value
    if depth(value) > 1:
        # Few brackets are not looked at; with more of them beside it, the depth is that of the value.
        with pytest.raises(BadInput) as refused:
            loads(text, max_depth=depth(value) - 1)
        assert refused.value.code == "json.too_deep"


@given(st.text(alphabet='{}[]":,\\u0d8e1.-+ \n\ud83d\xe9NIatrue', max_size=30))
def test_any_text_is_read_as_python_reads_it_or_refused(text: str) -> None:
    try:
        value = loads(text)
    except BadInput:
        return
    assert value == json.loads(text)
