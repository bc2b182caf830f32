"""Status: a list is believed only when it is the issuer's own, proved, valid and fresh enough."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from protocols.credentials.asking import AskedLists, SeenLists
from protocols.credentials.checks.core import CoreChecks
from protocols.credentials.checks.status_lists import CheckedList
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.errors import BadInput
from protocols.jsonld.work import Work
from protocols.status.bitstring import MIN_LIST_ENTRIES, Bitstring
from protocols.status.inflate import MAX_LIST_BYTES
from protocols.status.source import StatusListCopy
from tests.credentials.worlds import (
    EXTENSIONS,
    LIST_URL,
    NOW,
    OB,
    STRANGER,
    TRUSTING,
    V2,
    Lists,
    check_credential,
    codes,
    found,
    issue,
    record,
    status_list,
    with_status,
)


def status(copy: StatusListCopy | None, *, document: dict[str, Any] | None = None, **policy: Any) -> tuple[str, str]:
    """How the status check ends for a record that points to index 7 of a list."""
    lists = Lists({LIST_URL: copy} if copy else {})
    signed = issue(document or with_status("revocation"))
    result = check_credential(signed, lists=lists, policy=dataclasses.replace(TRUSTING, **policy))
    item = found(result, Check.STATUS)
    assert result.verified == (item.outcome is Outcome.PASS)
    return item.outcome.value, item.code


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_a_record_whose_bit_is_clear_passes_and_one_whose_bit_is_set_is_revoked(suite: str) -> None:
    assert status(status_list(6, 8, suite=suite)) == ("pass", "ok")
    assert status(status_list(7, suite=suite)) == ("fail", "status.revoked")


def test_a_suspended_record_fails_for_that_reason() -> None:
    suspended = status_list(7, purpose="suspension")
    assert status(suspended, document=with_status("suspension")) == ("fail", "status.suspended")


def test_a_status_of_unknown_meaning_is_not_taken_for_good() -> None:
    flagged = status_list(7, purpose="probation")
    assert status(flagged, document=with_status("probation")) == ("not-checked", "status.purpose_unknown")
    assert status(status_list(purpose="probation"), document=with_status("probation")) == ("pass", "ok")


def test_a_record_with_a_newer_version_passes_and_the_fact_is_told() -> None:
    flagged, pointing = status_list(7, purpose="refresh"), with_status("refresh")
    assert status(flagged, document=pointing) == ("pass", "status.refresh")
    assert status(status_list(purpose="refresh"), document=pointing) == ("pass", "ok")
    assert status(flagged, document=pointing, blocking_statuses=frozenset({"refresh"})) == ("fail", "status.blocked")


MESSAGES = ("pending_review", "accepted", "rejected", "undefined")


def message(value: int, **policy: Any) -> CheckResult:
    """The status check of a record whose message, of four, is the one of ``value``."""
    copy = status_list(values={7: value}, size=2, purpose="message")
    pointing = with_status("message", messages=MESSAGES, references=["https://college.example/statuses"])
    lists = Lists({LIST_URL: copy})
    result = check_credential(issue(pointing), lists=lists, policy=dataclasses.replace(TRUSTING, **policy))
    item = found(result, Check.STATUS)
    assert result.verified == (item.outcome is Outcome.PASS)
    return item


@pytest.mark.parametrize(("value", "code"), [(0, "ok"), (1, "status.message"), (2, "status.message")])
def test_a_message_is_told_and_is_no_revocation(value: int, code: str) -> None:
    item = message(value)
    assert (item.outcome, item.code) == (Outcome.PASS, code)
    assert item.details == {
        "purpose": "message",
        "status": value,
        "valid": value == 0,
        "message": MESSAGES[value],
        "statusReference": ["https://college.example/statuses"],
        "statusListAge": 0,
        "fromCache": False,
        "statuses": [
            {
                "code": code,
                "outcome": "pass",
                "purpose": "message",
                "status": value,
                "valid": value == 0,
                "message": MESSAGES[value],
                "statusReference": ["https://college.example/statuses"],
                "statusListAge": 0,
                "fromCache": False,
            }
        ],
    }


def test_a_message_that_its_issuer_left_undefined_is_not_taken_for_good() -> None:
    assert (message(3).outcome, message(3).code) == (Outcome.NOT_CHECKED, "status.message_undefined")


@pytest.mark.parametrize(
    ("blocking", "refused"), [({"rejected"}, {2}), ({"pending_review"}, {0}), ({"message"}, {1, 2, 3}), (set(), set())]
)
def test_policy_says_which_messages_a_verifier_does_not_accept(blocking: set[str], refused: set[int]) -> None:
    results = {value: message(value, blocking_statuses=frozenset(blocking)) for value in range(4)}
    assert {value for value, item in results.items() if item.code == "status.blocked"} == refused
    assert all((item.outcome is Outcome.FAIL) == (value in refused) for value, item in results.items())


def test_a_revocation_of_several_bits_is_one_whatever_its_value_means() -> None:
    for value in (1, 2, 3):
        revoked = status_list(values={7: value}, size=2)
        assert status(revoked, document=with_status("revocation", messages=MESSAGES)) == ("fail", "status.revoked")


def test_an_entry_that_reads_the_list_in_another_size_than_it_has_fails() -> None:
    one_bit = status_list(7)
    pointing = with_status("revocation", messages=MESSAGES)
    assert status(one_bit, document=pointing) == ("fail", "status.list_length")


def test_every_entry_counts_and_the_gravest_answer_is_given() -> None:
    signed = issue(with_status("revocation", "suspension"))
    second = f"{LIST_URL}-1"
    clear = status_list()
    suspended = status_list(7, purpose="suspension", url=second)
    both = check_credential(signed, lists=Lists({LIST_URL: clear, second: suspended}))
    assert codes(both) == {Check.STATUS: "status.suspended"}
    details = found(both, Check.STATUS).details
    assert details is not None
    told = [(item["purpose"], item["outcome"], item["code"]) for item in details["statuses"]]
    assert told == [("revocation", "pass", "ok"), ("suspension", "fail", "status.suspended")]
    one = check_credential(signed, lists=Lists({LIST_URL: clear}))
    assert found(one, Check.STATUS).code == "status.unreachable"
    assert not one.verified


STATUS_LIST = "https://www.w3.org/ns/credentials/status-list#"


@pytest.mark.parametrize(
    ("copy", "changes", "problem"),
    [
        (None, {}, f"{STATUS_LIST}STATUS_RETRIEVAL_ERROR"),
        (status_list(until=timedelta(hours=-1)), {}, f"{STATUS_LIST}STATUS_VERIFICATION_ERROR"),
        (status_list(purpose="suspension"), {}, f"{STATUS_LIST}STATUS_VERIFICATION_ERROR"),
        (status_list(), {"messages": MESSAGES}, f"{STATUS_LIST}STATUS_LIST_LENGTH_ERROR"),
        (status_list(), {"index": -1}, "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR"),
        (status_list(), {"index": 200_000}, "https://www.w3.org/TR/vc-data-model#RANGE_ERROR"),
        (status_list(7), {}, None),
    ],
)
def test_an_error_has_the_name_that_the_specification_gives_it(
    copy: StatusListCopy | None, changes: dict[str, Any], problem: str | None
) -> None:
    lists = Lists({LIST_URL: copy} if copy else {})
    result = found(check_credential(issue(with_status("revocation", **changes)), lists=lists), Check.STATUS)
    assert result.details is not None
    assert result.details.get("problem") == problem


def test_a_list_that_cannot_be_had_leaves_the_record_unverified() -> None:
    assert status(None) == ("not-checked", "status.unreachable")


def test_a_kept_list_stands_in_for_as_long_as_policy_says_and_its_age_is_told() -> None:
    kept = status_list(fetched=timedelta(hours=3), from_cache=True)
    assert status(kept, status_max_age=timedelta(hours=4)) == ("pass", "ok")
    assert status(kept, status_max_age=timedelta(hours=2)) == ("not-checked", "status.stale")
    result = check_credential(issue(with_status("revocation")), lists=Lists({LIST_URL: kept}))
    details = found(result, Check.STATUS).details
    assert details is not None
    assert details["statusListAge"] == 3 * 3600
    assert details["fromCache"] is True


def test_a_stale_list_that_says_revoked_is_believed_but_one_that_says_suspended_is_not() -> None:
    old = timedelta(days=5)
    assert status(status_list(7, fetched=old, from_cache=True)) == ("fail", "status.revoked")
    suspended = status_list(7, purpose="suspension", fetched=old, from_cache=True)
    assert status(suspended, document=with_status("suspension")) == ("not-checked", "status.stale")


def test_a_kept_list_from_the_future_is_stale() -> None:
    assert status(status_list(fetched=timedelta(hours=-3), from_cache=True)) == ("not-checked", "status.stale")


def test_a_list_of_another_issuer_is_foreign() -> None:
    assert status(status_list(by=STRANGER)) == ("fail", "status.foreign_list")


def test_another_list_of_the_same_issuer_in_its_place_is_foreign() -> None:
    assert status(status_list(url="https://college.example/status/2")) == ("fail", "status.foreign_list")


def test_a_list_for_another_purpose_fails() -> None:
    assert status(status_list(purpose="suspension")) == ("fail", "status.purpose_mismatch")


def test_an_index_beyond_the_list_fails() -> None:
    assert status(status_list(), document=with_status("revocation", index=200_000)) == (
        "fail",
        "status.index_out_of_range",
    )


def test_a_list_that_was_changed_unsigned_or_has_expired_is_not_believed() -> None:
    good = status_list(7)
    clear = status_list().document["credentialSubject"]
    changed = {**good.document, "credentialSubject": clear}
    unsigned = {name: value for name, value in good.document.items() if name != "proof"}
    for document in (changed, unsigned):
        assert status(dataclasses.replace(good, document=document)) == ("fail", "status.list_invalid")
    assert status(status_list(until=timedelta(hours=-1))) == ("fail", "status.list_invalid")


@pytest.mark.parametrize("document", [{}, {"issuer": 5}, {"a": {1, 2}}])
def test_a_list_that_is_no_credential_fails(document: Any) -> None:
    outcome, code = status(StatusListCopy(document, NOW, False))
    assert (outcome, code) in {("fail", "status.foreign_list"), ("fail", "status.list_malformed")}


def test_a_status_of_unknown_type_is_not_checked_and_a_malformed_one_fails() -> None:
    entry = with_status("revocation")["credentialStatus"]
    foreign = {"id": "https://a.example/r", "type": "1EdTechCredentialRefresh"}
    other = record(credentialStatus=foreign, **{"@context": [V2, OB, EXTENSIONS]})
    assert status(status_list(), document=other) == ("not-checked", "status.type_unsupported")
    broken = {**with_status("revocation"), "credentialStatus": {**entry, "statusListIndex": "-1"}}
    assert status(status_list(), document=broken) == ("fail", "status.entry_malformed")


def test_policy_can_ask_for_a_fresh_list() -> None:
    lists = Lists({LIST_URL: status_list()})
    signed = issue(with_status("revocation"))
    check_credential(signed, lists=lists)
    check_credential(signed, lists=lists, policy=dataclasses.replace(TRUSTING, refresh_status=True))
    assert lists.refreshed == [False, True]


def test_a_short_list_is_unpacked_once_for_all_records_that_point_into_it() -> None:
    checked = CheckedList({}, CoreChecks({}, True))
    encoded = Bitstring(size=2).encode()
    assert checked.decode(encoded, 2) is checked.decode(encoded, 2)
    assert len(checked.decode(encoded, 1)) == 2 * len(checked.decode(encoded, 2))
    errors = []
    for _ in range(2):
        with pytest.raises(BadInput) as error:
            checked.decode(encoded, 4)
        errors.append(error.value)
    assert errors[0] is errors[1]


@pytest.mark.parametrize(("length", "is_kept"), [(MIN_LIST_ENTRIES // 8, True), (MAX_LIST_BYTES, False)])
async def test_long_lists_are_not_kept_and_unpacking_them_again_counts_as_work(length: int, is_kept: bool) -> None:
    encoded = Bitstring.from_bytes(bytes(length)).encode()
    assert len(encoded) < 10_000
    document = {"credentialSubject": {"encodedList": encoded}}

    async def check(published: Any) -> CheckedList:
        return CheckedList(published, CoreChecks({}, True))

    source = Lists({LIST_URL: StatusListCopy(document, NOW, False)})
    lists = AskedLists(source, check, Work(quads=1_000), SeenLists())
    copy = await lists.get(LIST_URL)
    readings = 0
    with suppress(BadInput):
        while readings < 20:
            checked = await lists.check(copy.document)
            assert (checked.decode(encoded, 1) is checked.decode(encoded, 1)) == is_kept
            readings += 1
    assert (readings == 20) == is_kept
