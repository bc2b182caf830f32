"""Bitstring Status List 1.0 §2.1: the entries in a record, as they are written and read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadInput, LernodeError
from protocols.status.entry import (
    DEFAULT_MESSAGES,
    MESSAGE,
    REVOCATION,
    SUSPENSION,
    StatusEntry,
    parse_status_entries,
    status_entry,
    whole_messages,
)

URL = "https://college.example/status/3"
# The second example of §2.1, completed.
BILL_OF_LADING = {
    "id": "https://example.com/credentials/status/8#492847",
    "type": "BitstringStatusListEntry",
    "statusPurpose": "message",
    "statusListIndex": "492847",
    "statusSize": 2,
    "statusListCredential": "https://example.com/credentials/status/8",
    "statusMessage": [
        {"status": "0x0", "message": "pending_review"},
        {"status": "0x1", "message": "accepted"},
        {"status": "0x2", "message": "rejected"},
        {"status": "0x3", "message": "undefined"},
    ],
    "statusReference": "https://example.org/status-dictionary/",
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def parse(entry: Any) -> StatusEntry:
    (parsed,) = parse_status_entries({"credentialStatus": entry})
    return parsed


def test_the_example_of_the_recommendation_is_read() -> None:
    assert parse(BILL_OF_LADING) == StatusEntry(
        purpose="message",
        index=492847,
        list_url="https://example.com/credentials/status/8",
        size=2,
        messages=("pending_review", "accepted", "rejected", "undefined"),
        references=("https://example.org/status-dictionary/",),
        id="https://example.com/credentials/status/8#492847",
    )


def test_an_entry_that_this_node_writes_is_read_back() -> None:
    entry = status_entry(URL, REVOCATION, 94567)
    assert entry["id"] == f"{URL}#94567"
    assert parse(entry) == StatusEntry(REVOCATION, 94567, URL, id=f"{URL}#94567")
    assert "statusSize" not in entry


@given(st.lists(st.text(max_size=20), min_size=1, max_size=40), st.lists(st.just("https://a.example/"), max_size=3))
def test_messages_and_references_that_this_node_writes_are_read_back(given: list[str], references: list[str]) -> None:
    messages = whole_messages(given)
    entry = status_entry(URL, MESSAGE, 5, messages=messages, references=references)
    parsed = parse(entry)
    assert (parsed.messages, parsed.references) == (messages, tuple(references))
    assert len(messages) == 2**parsed.size == 2 ** entry["statusSize"]
    assert messages[: len(given)] == tuple(given)
    assert set(messages[len(given) :]) <= {"undefined"}
    assert len(messages) < max(3, 2 * len(given))


def test_messages_belong_to_the_values_they_name_in_any_order_and_form() -> None:
    about = [{"status": "0x01", "message": "late", "more": 1}, {"status": "0x0", "message": "on time"}]
    assert parse({**status_entry(URL, MESSAGE, 1), "statusMessage": about}).messages == ("on time", "late")
    wide = [{"status": f"0x{value:02X}", "message": str(value)} for value in reversed(range(16))]
    entry = {**status_entry(URL, MESSAGE, 1), "statusSize": 4, "statusMessage": wide}
    assert parse(entry).messages == tuple(str(value) for value in range(16))


def test_one_bit_without_messages_is_unset_or_set() -> None:
    assert parse(status_entry(URL, MESSAGE, 1)).messages == DEFAULT_MESSAGES == ("unset", "set")


def test_a_record_may_have_no_status_or_several() -> None:
    both = [status_entry(URL, REVOCATION, 1), status_entry(URL, SUSPENSION, 2)]
    assert parse_status_entries({}) == ()
    assert [entry.purpose for entry in parse_status_entries({"credentialStatus": both})] == [REVOCATION, SUSPENSION]


def test_a_purpose_that_is_not_known_is_kept() -> None:
    assert parse({**status_entry(URL, "probation", 1), "type": ["BitstringStatusListEntry"]}).purpose == "probation"


def test_an_index_may_be_as_large_as_one_likes() -> None:
    assert parse({**status_entry(URL, REVOCATION, 1), "statusListIndex": "9" * 500}).index == 10**500 - 1


def two(*messages: object) -> dict[str, Any]:
    return {"statusMessage": list(messages)}


UNSET, SET = {"status": "0x0", "message": "unset"}, {"status": "0x1", "message": "set"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "1EdTechRevocationList"}, "status.type_unsupported"),
        ({"type": None}, "status.type_unsupported"),
        ({"statusListIndex": 7}, "status.entry_malformed"),
        ({"statusListIndex": True}, "status.entry_malformed"),
        ({"statusListIndex": "-1"}, "status.entry_malformed"),
        ({"statusListIndex": "1.0"}, "status.entry_malformed"),
        ({"statusListIndex": ""}, "status.entry_malformed"),
        ({"statusListIndex": "٣"}, "status.entry_malformed"),
        ({"statusListIndex": "9" * 5000}, "status.entry_malformed"),
        ({"statusListCredential": "file:///etc/passwd"}, "status.entry_malformed"),
        ({"statusListCredential": {"id": URL}}, "status.entry_malformed"),
        ({"statusPurpose": ""}, "status.entry_malformed"),
        ({"statusPurpose": ["revocation"]}, "status.entry_malformed"),
        ({"statusSize": 0}, "status.entry_malformed"),
        ({"statusSize": True}, "status.entry_malformed"),
        ({"statusSize": "1"}, "status.entry_malformed"),
        ({"statusSize": 1.5}, "status.entry_malformed"),
        ({"statusSize": 10**9}, "status.entry_malformed"),
        ({"statusSize": 2}, "status.entry_malformed"),
        ({"statusSize": 2, "statusMessage": [UNSET, SET]}, "status.entry_malformed"),
        (two(), "status.entry_malformed"),
        ({"statusMessage": {"0x0": "unset"}}, "status.entry_malformed"),
        (two(UNSET), "status.entry_malformed"),
        (two(UNSET, UNSET), "status.entry_malformed"),
        (two(UNSET, {**SET, "status": "0x2"}), "status.entry_malformed"),
        (two(UNSET, {**SET, "status": "1"}), "status.entry_malformed"),
        (two(UNSET, {**SET, "status": 1}), "status.entry_malformed"),
        (two(UNSET, {**SET, "status": "0x"}), "status.entry_malformed"),
        (two(UNSET, {**SET, "message": None}), "status.entry_malformed"),
        (two(UNSET, {**SET, "message": "x" * 5000}), "status.entry_malformed"),
        (two(UNSET, "set"), "status.entry_malformed"),
        (two({**UNSET, "id": "urn:a"}, {**SET, "id": "urn:a"}), "status.entry_malformed"),
        ({"statusReference": "see there"}, "status.entry_malformed"),
        ({"statusReference": [URL, 5]}, "status.entry_malformed"),
        ({"id": 5}, "status.entry_malformed"),
        ({"id": "94567"}, "status.entry_malformed"),
        ({"id": URL}, "status.entry_malformed"),
    ],
)
def test_a_malformed_entry_is_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput) as error:
        parse({**status_entry(URL, REVOCATION, 1), **change})
    assert error.value.code == code


@pytest.mark.parametrize("name", ["statusListIndex", "statusListCredential", "statusPurpose"])
def test_an_entry_without_what_it_must_have_is_refused(name: str) -> None:
    entry = status_entry(URL, REVOCATION, 1)
    del entry[name]
    with pytest.raises(BadInput) as error:
        parse(entry)
    assert error.value.code == "status.entry_malformed"


def test_a_record_with_a_flood_of_entries_is_refused() -> None:
    with pytest.raises(BadInput) as error:
        parse_status_entries({"credentialStatus": [status_entry(URL, REVOCATION, 1)] * 1000})
    assert error.value.code == "status.entry_malformed"


@given(JSON, st.sampled_from([*BILL_OF_LADING, "credentialStatus"]))
def test_whatever_stands_in_an_entry_it_is_read_or_refused(value: Any, name: str) -> None:
    whole = value if name == "credentialStatus" else {**BILL_OF_LADING, name: value}
    try:
        parse_status_entries({"credentialStatus": whole})
    except LernodeError as error:
        assert error.code in {"status.entry_malformed", "status.type_unsupported"}
