"""Bitstring Status List 1.0 §2.2 and §3.2: the credential on a list, and what it says of one record."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from protocols.errors import BadInput
from protocols.jsonld.processor import DEFAULT
from protocols.multiformats import b64url_encode
from protocols.status.bitstring import MIN_LIST_ENTRIES, Bitstring
from protocols.status.entry import MESSAGE, REVOCATION, SUSPENSION, StatusEntry, status_entry, whole_messages
from protocols.status.list_credential import Status, list_ttl, read_status, status_list_credential

URL = "https://college.example/status/3"
MESSAGES = ("pending_review", "accepted", "rejected", "undefined")


def the_list(bits: Bitstring, *purposes: str) -> dict[str, Any]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return status_list_credential(
        url=URL,
        issuer="did:web:college.example",
        purposes=purposes or (REVOCATION,),
        bits=bits,
        valid_from=start,
        valid_until=start + timedelta(days=7),
        ttl_ms=300_000,
    )


def with_subject(document: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {**document, "credentialSubject": {**document["credentialSubject"], **changes}}


def packed(data: bytes) -> str:
    return "u" + b64url_encode(gzip.compress(data, mtime=0))


def test_reading_tells_a_set_status_from_one_that_is_not() -> None:
    bits = Bitstring()
    bits.set(7, 1)
    document = the_list(bits)
    assert read_status(document, StatusEntry(REVOCATION, 7, URL)) == Status(REVOCATION, 1, "set")
    assert read_status(document, StatusEntry(REVOCATION, 8, URL)) == Status(REVOCATION, 0, "unset")
    assert [read_status(document, StatusEntry(REVOCATION, index, URL)).valid for index in (7, 8)] == [False, True]


@pytest.mark.parametrize("value", range(4))
@pytest.mark.parametrize("index", [0, 5, MIN_LIST_ENTRIES - 1])
def test_a_status_of_two_bits_gives_the_message_of_its_value(value: int, index: int) -> None:
    bits = Bitstring(size=2)
    bits.set(index, value)
    entry = StatusEntry(MESSAGE, index, URL, 2, MESSAGES)
    assert read_status(the_list(bits, MESSAGE), entry) == Status(MESSAGE, value, MESSAGES[value])


def test_a_list_for_several_purposes_serves_each() -> None:
    document = the_list(Bitstring(), REVOCATION, SUSPENSION)
    assert document["credentialSubject"]["statusPurpose"] == [REVOCATION, SUSPENSION]
    for purpose in (REVOCATION, SUSPENSION):
        assert read_status(document, StatusEntry(purpose, 0, URL)).valid


REVOKED = StatusEntry(REVOCATION, 0, URL)


@pytest.mark.parametrize(
    ("change", "entry", "code"),
    [
        ({}, StatusEntry(SUSPENSION, 0, URL), "status.purpose_mismatch"),
        ({"statusPurpose": [SUSPENSION, MESSAGE]}, REVOKED, "status.purpose_mismatch"),
        ({"statusPurpose": None}, REVOKED, "status.list_malformed"),
        ({"statusPurpose": []}, REVOKED, "status.list_malformed"),
        ({"statusPurpose": [REVOCATION, 5]}, REVOKED, "status.list_malformed"),
        ({"type": "Person"}, REVOKED, "status.list_malformed"),
        ({"encodedList": None}, REVOKED, "status.list_malformed"),
        ({"encodedList": packed(bytes(100))}, REVOKED, "status.list_length"),
        ({"encodedList": "z6Mk"}, REVOKED, "status.list_encoding"),
        ({}, StatusEntry(REVOCATION, 0, URL, 2, MESSAGES), "status.list_length"),
        ({"statusSize": 2}, REVOKED, "status.size_mismatch"),
        ({}, StatusEntry(REVOCATION, MIN_LIST_ENTRIES, URL), "status.index_out_of_range"),
        ({}, StatusEntry(REVOCATION, 0, "https://other.example/status/3"), "status.list_foreign"),
    ],
)
def test_a_list_that_does_not_fit_the_entry_is_refused(change: dict[str, Any], entry: StatusEntry, code: str) -> None:
    with pytest.raises(BadInput) as error:
        read_status(with_subject(the_list(Bitstring()), **change), entry)
    assert error.value.code == code


@pytest.mark.parametrize("change", [{"type": ["VerifiableCredential"]}, {"credentialSubject": []}])
def test_a_credential_that_is_no_status_list_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as error:
        read_status({**the_list(Bitstring()), **change}, REVOKED)
    assert error.value.code == "status.list_malformed"


def test_a_list_credential_says_when_it_is_valid_in_utc_and_how_long_to_keep_it() -> None:
    start = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    document = status_list_credential(
        url=URL,
        issuer="did:web:college.example",
        purposes=(SUSPENSION,),
        bits=Bitstring(),
        valid_from=start,
        valid_until=start + timedelta(hours=1),
        ttl_ms=60_000,
    )
    assert (document["validFrom"], document["validUntil"]) == ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")
    assert document["credentialSubject"]["id"] == f"{URL}#list"
    assert document["credentialSubject"]["statusPurpose"] == SUSPENSION
    assert list_ttl(document) == timedelta(minutes=1)
    assert json.loads(json.dumps(document)) == document


def test_a_list_and_an_entry_mean_the_same_to_a_json_ld_reader() -> None:
    entry = status_entry(f"{URL}0", MESSAGE, 4, messages=whole_messages(["a", "b", "c"]), references=["https://a.b/"])
    quads = DEFAULT.canonical_nquads({**the_list(Bitstring(), MESSAGE), "credentialStatus": entry})
    for term in ("encodedList", "statusPurpose", "ttl", *[name for name in entry if name.startswith("status")]):
        assert f"<https://www.w3.org/ns/credentials/status#{term}>" in quads


@pytest.mark.parametrize(("ttl", "expected"), [(None, None), ("300000", 300), (0, 0), (10**400, 366 * 86_400)])
def test_a_ttl_is_read_as_milliseconds(ttl: object, expected: int | None) -> None:
    found = list_ttl(with_subject(the_list(Bitstring()), ttl=ttl))
    assert found == (None if expected is None else timedelta(seconds=expected))


@pytest.mark.parametrize("ttl", [-1, True, 1.5, "soon", "9" * 400, []])
def test_a_ttl_that_is_no_number_is_refused(ttl: object) -> None:
    with pytest.raises(BadInput) as error:
        list_ttl(with_subject(the_list(Bitstring()), ttl=ttl))
    assert error.value.code == "status.list_malformed"
