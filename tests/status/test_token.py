"""Token Status List (draft-ietf-oauth-status-list-20): values, claims and references, also hostile ones."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadInput, LernodeError
from protocols.multiformats import b64url_encode
from protocols.status.inflate import MAX_LIST_BYTES
from protocols.status.status_array import StatusArray
from protocols.status.token import (
    StatusReference,
    StatusType,
    TokenStatusList,
    parse_claims,
    parse_reference,
    read_token_status,
    status_claim,
    status_list_claims,
)

URI = "https://example.com/statuslists/1"
# §4.1 and §4.2: the statuses, the bytes they make, and the lst.
EXAMPLES = [
    (1, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1], "b9a3", "eNrbuRgAAhcBXQ"),
    (2, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3], "c944f9", "eNo76fITAAPfAgc"),
]
# Appendix "Test vectors for Status List encoding", 1-bit Status List of 2^20 entries.
LONG_LST = (
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAA"
    "ADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb"
)
LONG_SET = {0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345}
# §5.1: the example of a Status List Token's claims.
CLAIMS: dict[str, Any] = {
    "exp": 2291720170,
    "iat": 1686920170,
    "status_list": {"bits": 1, "lst": "eNrbuRgAAhcBXQ"},
    "sub": URI,
    "ttl": 43200,
}
SIZES = st.sampled_from([1, 2, 4, 8])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(("bits", "values", "data", "lst"), EXAMPLES)
def test_the_examples_of_the_draft_are_read(bits: int, values: list[int], data: str, lst: str) -> None:
    array = StatusArray.decode(lst, bits=bits)
    assert bytes(array).hex() == data
    assert [array.get(index) for index in range(len(array))] == values


@pytest.mark.parametrize(("bits", "values", "data", "lst"), EXAMPLES)
def test_the_examples_of_the_draft_are_written(bits: int, values: list[int], data: str, lst: str) -> None:
    array = StatusArray.of_zeros(len(values), bits=bits)
    for index, value in enumerate(values):
        array.set(index, value)
    assert (bytes(array).hex(), array.encode()) == (data, lst)


def test_the_long_vector_of_the_draft_has_its_eleven_statuses_set_and_no_other() -> None:
    array = StatusArray.decode(LONG_LST, bits=1)
    assert len(array) == 1 << 20
    assert {index for index in range(len(array)) if array.get(index)} == LONG_SET


@given(st.data(), SIZES, st.integers(1, 100_000))
def test_values_of_every_size_are_read_back_after_encoding(data: st.DataObject, bits: int, entries: int) -> None:
    places = st.integers(0, entries - 1) | st.sampled_from([0, entries - 1])
    values = data.draw(st.dictionaries(places, st.integers(0, (1 << bits) - 1), max_size=20))
    probe = data.draw(places)
    array = StatusArray.of_zeros(entries, bits=bits)
    for index, value in values.items():
        array.set(index, 0xFF & (1 << bits) - 1)
        array.set(index, value)
    again = StatusArray.decode(array.encode(), bits=bits)
    assert bytes(again) == bytes(array)
    assert entries <= len(again) < entries + 8
    assert {index: again.get(index) for index in {*values, probe}} == {probe: 0} | values


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_an_index_or_value_out_of_range_is_refused(bits: int) -> None:
    array = StatusArray.of_zeros(16, bits=bits)
    for index in (-1, 16, 10**400):
        acts: tuple[Callable[[int], object], ...] = (array.get, partial(array.set, value=1))
        for act in acts:
            with pytest.raises(BadInput) as error:
                act(index)
            assert error.value.code == "status.index_out_of_range"
    for value in (-1, 1 << bits):
        with pytest.raises(BadInput) as error:
            array.set(0, value)
        assert error.value.code == "status.value_out_of_range"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: StatusArray(b"", bits=3), "status.size_unsupported"),
        (lambda: StatusArray.of_zeros(10**15, bits=8), "status.list_too_large"),
        (lambda: StatusArray.decode("!", bits=1), "status.list_encoding"),
        (lambda: StatusArray.decode(b64url_encode(b"\0" * 20), bits=1), "status.list_encoding"),
        (lambda: StatusArray.decode(EXAMPLES[0][3][:-4], bits=1), "status.list_encoding"),
        (lambda: StatusArray.decode(b64url_encode(zlib.compress(b"a") + b"more"), bits=1), "status.list_encoding"),
        (
            lambda: StatusArray.decode(b64url_encode(zlib.compress(bytes(MAX_LIST_BYTES + 1))), bits=1),
            "status.list_too_large",
        ),
    ],
)
def test_what_is_no_list_is_refused(make: Any, code: str) -> None:
    with pytest.raises(BadInput) as error:
        make()
    assert error.value.code == code


def test_the_claims_of_the_draft_are_read() -> None:
    found = parse_claims(CLAIMS)
    assert (found.uri, found.issuer, found.ttl) == (URI, None, timedelta(hours=12))
    assert found.issued_at == datetime(2023, 6, 16, 12, 56, 10, tzinfo=UTC)
    assert found.expires == found.issued_at + timedelta(days=7000)
    assert read_token_status(found, StatusReference(0, URI)) == StatusType.INVALID
    assert read_token_status(found, StatusReference(1, URI)) == StatusType.VALID


def test_an_aggregation_uri_and_claims_that_are_not_known_are_no_hindrance() -> None:
    status_list = {**CLAIMS["status_list"], "aggregation_uri": "https://example.com/statuslists", "more": 1}
    assert parse_claims({**CLAIMS, "status_list": status_list, "jti": 5}).aggregation_uri is not None


@given(SIZES, st.integers(0, 63), st.integers(1, 10**6))
def test_claims_that_this_node_writes_are_read_back(bits: int, index: int, seconds: int) -> None:
    array = StatusArray.of_zeros(64, bits=bits)
    array.set(index, (1 << bits) - 1)
    at, ttl = datetime(2026, 1, 1, tzinfo=UTC), timedelta(seconds=seconds)
    claims = status_list_claims(
        uri=URI, issuer="did:web:a.example", statuses=array, issued_at=at, ttl=ttl, expires=at + ttl
    )
    found = parse_claims(claims)
    assert (found.uri, found.issuer, found.issued_at, found.expires) == (URI, "did:web:a.example", at, at + ttl)
    assert (found.ttl, found.statuses.bits, bytes(found.statuses)) == (ttl, bits, bytes(array))
    assert read_token_status(found, StatusReference(index, URI)) == (1 << bits) - 1


def test_a_list_that_calls_itself_otherwise_or_is_too_short_says_nothing() -> None:
    for reference, code in (
        (StatusReference(0, f"{URI}0"), "status.list_foreign"),
        (StatusReference(16, URI), "status.index_out_of_range"),
    ):
        with pytest.raises(BadInput) as error:
            read_token_status(parse_claims(CLAIMS), reference)
        assert error.value.code == code


@pytest.mark.parametrize("name", ["sub", "iat", "status_list"])
def test_claims_without_what_they_must_have_are_refused(name: str) -> None:
    with pytest.raises(BadInput) as error:
        parse_claims({key: value for key, value in CLAIMS.items() if key != name})
    assert error.value.code == "status.list_malformed"


@pytest.mark.parametrize(
    "change",
    [
        {"sub": 5}, {"sub": ""}, {"iss": 5}, {"iat": "now"}, {"iat": True}, {"iat": -1}, {"iat": float("nan")},
        {"exp": 10**18}, {"exp": "never"}, {"ttl": 0}, {"ttl": -1}, {"ttl": "1"}, {"ttl": True}, {"status_list": []},
        {"status_list": {"bits": 3, "lst": ""}}, {"status_list": {"bits": True, "lst": "eNrbuRgAAhcBXQ"}},
        {"status_list": {"bits": 1}}, {"status_list": {"lst": "eNrbuRgAAhcBXQ"}},
        {"status_list": {**CLAIMS["status_list"], "aggregation_uri": 5}},
    ],
)  # fmt: skip
def test_malformed_claims_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as error:
        parse_claims({**CLAIMS, **change})
    assert error.value.code == "status.list_malformed"


def test_a_reference_is_read_and_written() -> None:
    reference = StatusReference(7, URI)
    assert parse_reference({"status": status_claim(reference)}) == reference
    assert parse_reference({"status": {"status_list": {"idx": 7, "uri": URI, "more": 1}, "other": {}}}) == reference
    assert parse_reference({"vct": "x"}) is None


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (None, "status.reference_malformed"),
        ({}, "status.reference_malformed"),
        ("valid", "status.reference_malformed"),
        ({"status_list": []}, "status.reference_malformed"),
        ({"status_list": {"idx": 1}}, "status.reference_malformed"),
        ({"status_list": {"uri": URI}}, "status.reference_malformed"),
        ({"status_list": {"idx": -1, "uri": URI}}, "status.reference_malformed"),
        ({"status_list": {"idx": "1", "uri": URI}}, "status.reference_malformed"),
        ({"status_list": {"idx": True, "uri": URI}}, "status.reference_malformed"),
        ({"status_list": {"idx": 1.0, "uri": URI}}, "status.reference_malformed"),
        ({"status_list": {"idx": 1, "uri": "file:///etc/passwd"}}, "status.reference_malformed"),
        ({"status_list": {"idx": 1, "uri": 5}}, "status.reference_malformed"),
        ({"other": {"url": URI}}, "status.mechanism_unsupported"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_refused(status: Any, code: str) -> None:
    with pytest.raises(BadInput) as error:
        parse_reference({"status": status})
    assert error.value.code == code


@given(JSON, st.sampled_from([*CLAIMS, "bits", "lst", "status"]))
def test_whatever_stands_in_the_claims_they_are_read_or_refused(value: Any, name: str) -> None:
    inner = CLAIMS["status_list"] | ({name: value} if name in ("bits", "lst") else {})
    claims = {**CLAIMS, "status_list": inner, **({} if name in ("bits", "lst") else {name: value})}
    for parse in (parse_claims, parse_reference):
        try:
            found = parse(claims)
        except LernodeError as error:
            assert error.code.startswith("status.")
        else:
            assert found is None or isinstance(found, TokenStatusList | StatusReference)
