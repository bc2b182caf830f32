"""Bitstring Status List 1.0: entries, bits, lists, and what happens when they are hostile."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadInput, LernodeError
from protocols.jsonld.processor import DEFAULT
from protocols.multiformats import b64url_decode, b64url_encode
from protocols.status.bitstring import (
    MIN_LIST_ENTRIES,
    REVOCATION,
    SUSPENSION,
    Bitstring,
    StatusEntry,
    list_ttl,
    parse_status_entries,
    read_status,
    status_entry,
    status_list_credential,
)

URL = "https://college.example/status/3"
# The encodedList of the examples in the recommendation: 131,072 zeros.
SPEC_ENCODED_LIST = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def the_list(bits: Bitstring, purpose: str = REVOCATION) -> dict[str, Any]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return status_list_credential(
        url=URL,
        issuer="did:web:college.example",
        purpose=purpose,
        bits=bits,
        valid_from=start,
        valid_until=start + timedelta(days=7),
        ttl_ms=300_000,
    )


def with_subject(document: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {**document, "credentialSubject": {**document["credentialSubject"], **changes}}


def packed(data: bytes) -> str:
    return "u" + b64url_encode(gzip.compress(data, mtime=0))


def code_of(error: pytest.ExceptionInfo[LernodeError]) -> str:
    return error.value.code


def test_the_list_of_the_recommendation_is_all_zeros() -> None:
    bits = Bitstring.decode(SPEC_ENCODED_LIST)
    assert len(bits) == MIN_LIST_ENTRIES
    assert not any(bytes(bits))


def test_index_zero_is_the_left_most_bit() -> None:
    bits = Bitstring()
    bits.set(0, True)
    bits.set(MIN_LIST_ENTRIES - 1, True)
    assert bytes(bits)[0] == 0b1000_0000
    assert bytes(bits)[-1] == 0b0000_0001


def test_equal_bits_encode_to_equal_bytes_without_a_time_in_the_header() -> None:
    one, other = Bitstring(), Bitstring()
    for index in (5, 77_777):
        one.set(index, True)
        other.set(index, True)
    assert one.encode() == other.encode()
    assert b64url_decode(one.encode()[1:])[4:8] == bytes(4)


@given(st.sets(st.integers(0, MIN_LIST_ENTRIES - 1), max_size=20), st.integers(0, MIN_LIST_ENTRIES - 1))
def test_what_is_set_is_read_back_after_encoding(indices: set[int], probe: int) -> None:
    bits = Bitstring()
    for index in indices:
        bits.set(index, True)
    again = Bitstring.decode(bits.encode())
    assert again == bits
    assert {index for index in {*indices, probe} if again.get(index)} == indices


def test_a_bit_that_is_cleared_is_zero_and_leaves_its_neighbours() -> None:
    bits = Bitstring.from_bytes(b"\xff" * (MIN_LIST_ENTRIES // 8))
    bits.set(9, False)
    assert [bits.get(index) for index in (8, 9, 10)] == [1, 0, 1]


@pytest.mark.parametrize(("size", "index", "expected"), [(2, 1, 0b11), (4, 1, 0b0101), (8, 1, 0x5A), (3, 3, 0b101)])
def test_entries_of_several_bits_are_read_most_significant_bit_first(size: int, index: int, expected: int) -> None:
    bits = Bitstring.from_bytes(bytes([0b0011_0101, 0x5A]) + bytes(MIN_LIST_ENTRIES))
    assert bits.get(index, size) == expected


@pytest.mark.parametrize("index", [-1, MIN_LIST_ENTRIES])
def test_an_index_beyond_the_list_is_refused(index: int) -> None:
    with pytest.raises(BadInput) as reading:
        Bitstring().get(index)
    with pytest.raises(BadInput) as writing:
        Bitstring().set(index, True)
    assert code_of(reading) == code_of(writing) == "status.index_out_of_range"


@pytest.mark.parametrize("entries", [0, MIN_LIST_ENTRIES - 8, 10**12])
def test_a_list_too_short_to_hide_in_or_too_long_to_hold_is_refused(entries: int) -> None:
    with pytest.raises(BadInput) as error:
        Bitstring(entries)
    assert code_of(error) == "status.list_length"


def test_a_small_list_that_unpacks_a_thousandfold_is_refused_in_constant_memory() -> None:
    packer = zlib.compressobj(level=9, wbits=31)
    chunk = bytes(1 << 20)
    bomb = b"".join(packer.compress(chunk) for _ in range(256)) + packer.flush()
    encoded = "u" + b64url_encode(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(BadInput) as error:
            Bitstring.decode(encoded)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert code_of(error) == "status.list_too_large"
    assert peak < 32 << 20


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "u",
        "zH4sI",
        SPEC_ENCODED_LIST[1:],
        SPEC_ENCODED_LIST[:-8],
        SPEC_ENCODED_LIST + "AAAA",
        "u!!!!",
        "u" + b64url_encode(zlib.compress(bytes(1 << 14))),
        "u" + b64url_encode(bytes(1 << 14)),
    ],
)
def test_what_is_not_one_whole_gzip_member_in_base64url_is_refused(encoded: str) -> None:
    with pytest.raises(BadInput) as error:
        Bitstring.decode(encoded)
    assert code_of(error) == "status.list_encoding"


def test_an_entry_that_this_node_writes_is_read_back() -> None:
    entry = status_entry(URL, REVOCATION, 94567)
    assert entry["id"] == f"{URL}#94567"
    assert parse_status_entries({"credentialStatus": entry}) == (
        StatusEntry(REVOCATION, 94567, URL, 1, f"{URL}#94567"),
    )


def test_a_record_may_have_no_status_or_several() -> None:
    both = [status_entry(URL, REVOCATION, 1), status_entry(URL, SUSPENSION, 2)]
    assert parse_status_entries({}) == ()
    assert [entry.purpose for entry in parse_status_entries({"credentialStatus": both})] == [REVOCATION, SUSPENSION]


def test_a_purpose_that_is_not_known_is_kept() -> None:
    entry = {**status_entry(URL, "refresh", 1), "type": ["BitstringStatusListEntry"]}
    assert parse_status_entries({"credentialStatus": entry})[0].purpose == "refresh"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "1EdTechRevocationList"}, "status.type_unsupported"),
        ({"type": None}, "status.type_unsupported"),
        ({"statusListIndex": 7}, "status.entry_malformed"),
        ({"statusListIndex": "-1"}, "status.entry_malformed"),
        ({"statusListIndex": "1.0"}, "status.entry_malformed"),
        ({"statusListIndex": "٣"}, "status.entry_malformed"),
        ({"statusListIndex": "9" * 5000}, "status.entry_malformed"),
        ({"statusListCredential": "file:///etc/passwd"}, "status.entry_malformed"),
        ({"statusListCredential": {"id": URL}}, "status.entry_malformed"),
        ({"statusPurpose": ""}, "status.entry_malformed"),
        ({"statusSize": 0}, "status.entry_malformed"),
        ({"statusSize": True}, "status.entry_malformed"),
        ({"statusSize": 10**9}, "status.entry_malformed"),
        ({"id": 5}, "status.entry_malformed"),
    ],
)
def test_a_malformed_entry_is_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput) as error:
        parse_status_entries({"credentialStatus": {**status_entry(URL, REVOCATION, 1), **change}})
    assert code_of(error) == code


def test_a_record_with_a_flood_of_entries_is_refused() -> None:
    with pytest.raises(BadInput) as error:
        parse_status_entries({"credentialStatus": [status_entry(URL, REVOCATION, 1)] * 1000})
    assert code_of(error) == "status.entry_malformed"


def test_reading_tells_a_set_status_from_one_that_is_not() -> None:
    bits = Bitstring()
    bits.set(7, True)
    document = the_list(bits)
    assert read_status(document, StatusEntry(REVOCATION, 7, URL)) is True
    assert read_status(document, StatusEntry(REVOCATION, 8, URL)) is False


def test_a_list_for_several_purposes_serves_each() -> None:
    document = with_subject(the_list(Bitstring()), statusPurpose=[REVOCATION, SUSPENSION])
    assert read_status(document, StatusEntry(SUSPENSION, 0, URL)) is False


@pytest.mark.parametrize(
    ("change", "entry", "code"),
    [
        ({}, StatusEntry(SUSPENSION, 0, URL), "status.purpose_mismatch"),
        ({"statusPurpose": None}, StatusEntry(REVOCATION, 0, URL), "status.purpose_mismatch"),
        ({"type": "Person"}, StatusEntry(REVOCATION, 0, URL), "status.list_malformed"),
        ({"encodedList": None}, StatusEntry(REVOCATION, 0, URL), "status.list_malformed"),
        ({"encodedList": packed(bytes(100))}, StatusEntry(REVOCATION, 0, URL), "status.list_length"),
        ({}, StatusEntry(REVOCATION, 0, URL, size=2), "status.list_length"),
        ({}, StatusEntry(REVOCATION, MIN_LIST_ENTRIES, URL), "status.index_out_of_range"),
        ({}, StatusEntry(REVOCATION, 0, "https://other.example/status/3"), "status.list_foreign"),
    ],
)
def test_a_list_that_does_not_fit_the_entry_is_refused(change: dict[str, Any], entry: StatusEntry, code: str) -> None:
    with pytest.raises(BadInput) as error:
        read_status(with_subject(the_list(Bitstring()), **change), entry)
    assert code_of(error) == code


@pytest.mark.parametrize("change", [{"type": ["VerifiableCredential"]}, {"credentialSubject": []}])
def test_a_credential_that_is_no_status_list_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as error:
        read_status({**the_list(Bitstring()), **change}, StatusEntry(REVOCATION, 0, URL))
    assert code_of(error) == "status.list_malformed"


def test_a_list_credential_says_when_it_is_valid_in_utc_and_how_long_to_keep_it() -> None:
    start = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    document = status_list_credential(
        url=URL,
        issuer="did:web:college.example",
        purpose=SUSPENSION,
        bits=Bitstring(),
        valid_from=start,
        valid_until=start + timedelta(hours=1),
        ttl_ms=60_000,
    )
    assert (document["validFrom"], document["validUntil"]) == ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")
    assert document["credentialSubject"]["id"] == f"{URL}#list"
    assert list_ttl(document) == timedelta(minutes=1)
    assert json.loads(json.dumps(document)) == document


def test_a_list_and_an_entry_mean_the_same_to_a_json_ld_reader() -> None:
    document = {**the_list(Bitstring()), "credentialStatus": status_entry(f"{URL}0", REVOCATION, 4)}
    quads = DEFAULT.canonical_nquads(document)
    for term in ("encodedList", "statusPurpose", "ttl", "statusListIndex", "statusListCredential"):
        assert f"<https://www.w3.org/ns/credentials/status#{term}>" in quads


@pytest.mark.parametrize(("ttl", "expected"), [(None, None), ("300000", 300), (0, 0), (10**14, 366 * 86_400)])
def test_a_ttl_is_read_as_milliseconds(ttl: object, expected: int | None) -> None:
    found = list_ttl(with_subject(the_list(Bitstring()), ttl=ttl))
    assert found == (None if expected is None else timedelta(seconds=expected))


@pytest.mark.parametrize("ttl", [-1, True, 1.5, "soon", "9" * 400, [], 10**400])
def test_a_ttl_that_is_no_number_is_refused(ttl: object) -> None:
    with pytest.raises(BadInput) as error:
        list_ttl(with_subject(the_list(Bitstring()), ttl=ttl))
    assert code_of(error) == "status.list_malformed"


@given(JSON, JSON)
def test_arbitrary_json_is_read_or_refused_by_name(value: Any, subject: Any) -> None:
    document = {**the_list(Bitstring()), "credentialSubject": subject}
    for act in (
        lambda: parse_status_entries({"credentialStatus": value}),
        lambda: read_status(document, StatusEntry(REVOCATION, 0, URL)),
        lambda: Bitstring.decode(value if isinstance(value, str) else "u"),
    ):
        try:
            act()
        except LernodeError as error:
            assert error.code.startswith("status.")
