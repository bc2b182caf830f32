"""Records of issuers that publish a 1EdTech revocation list: believed only where the list is theirs and can be had."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from protocols.credentials.verification import Check, Outcome
from protocols.errors import BadInput
from protocols.status.revocation_list import REVOCATION_LIST_TYPE
from protocols.status.source import StatusListCopy
from tests.credentials.worlds import (
    EXTENSIONS,
    ISSUER,
    NOW,
    OB,
    STRANGER,
    TRUSTING,
    V2,
    Lists,
    check_credential,
    codes,
    did,
    found,
    issue,
    record,
    status_list,
)

URL = "https://college.example/revocations"
NAME = record()["id"]
ANOTHER = "urn:uuid:another"
SIGNED = issue(record(credentialStatus={"id": URL, "type": REVOCATION_LIST_TYPE}, **{"@context": [V2, OB, EXTENSIONS]}))


def published(*revoked: Any, **changes: Any) -> dict[str, Any]:
    return {"id": URL, "issuer": did(ISSUER), "revokedCredential": list(revoked), **changes}


def status(document: Any, *, signed: dict[str, Any] = SIGNED, age: timedelta | None = None) -> tuple[str, str]:
    """How the status check ends; ``age`` is that of a kept copy."""
    given = StatusListCopy(document, NOW - (age or timedelta(0)), age is not None)
    result = check_credential(signed, lists=Lists({URL: given}), policy=TRUSTING)
    item = found(result, Check.STATUS)
    assert result.verified == (item.outcome is Outcome.PASS)
    return item.outcome.value, item.code


@pytest.mark.parametrize(
    "document",
    [
        published(),
        published({"id": ANOTHER}),
        published({"id": NAME, "revoked": False}),
        published(issuer={"id": did(ISSUER), "type": "Profile"}),
    ],
)
def test_a_record_that_the_list_does_not_call_revoked_passes(document: Any) -> None:
    assert status(document) == ("pass", "ok")


@pytest.mark.parametrize(
    "document",
    [
        published({"id": NAME}),
        published({"id": ANOTHER}, {"id": NAME, "revoked": True, "revocationReason": "Issued to Ada by mistake"}),
        published({"id": NAME, "revoked": False}, {"id": NAME}),
        published(revokedCredential={"id": NAME}),
        published(revokedCredentials=[{"id": NAME, "revoked": True}]),
    ],
)
def test_a_record_that_the_list_names_is_revoked(document: Any) -> None:
    assert status(document) == ("fail", "status.revoked")


def test_the_reason_is_not_told_for_it_may_name_the_learner() -> None:
    named = published({"id": NAME, "revocationReason": "Issued to Ada by mistake"})
    result = check_credential(SIGNED, lists=Lists({URL: StatusListCopy(named, NOW, False)}), policy=TRUSTING)
    assert "Ada" not in str(found(result, Check.STATUS))


@pytest.mark.parametrize(
    "changes", [{"issuer": did(STRANGER)}, {"id": "https://elsewhere.example/revocations"}, {"issuer": {"id": URL}}]
)
def test_a_list_of_someone_else_is_not_believed(changes: dict[str, Any]) -> None:
    assert status(published(**changes)) == ("fail", "status.foreign_list")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": URL, "issuer": did(ISSUER)},
        {"id": URL, "revokedCredential": []},
        {"issuer": did(ISSUER), "revokedCredential": []},
        published({"id": NAME, "revoked": "no"}),
        published({"id": NAME, "revoked": None}),
        published({"revoked": True}),
        published("urn:uuid:1"),
        published([]),
        "eyJhbGciOiJFZERTQSJ9.e30.",
        status_list(url=URL).document,
    ],
)
def test_what_is_no_such_list_does_not_clear_a_record(document: Any) -> None:
    assert status(document) == ("fail", "status.list_malformed")


def test_a_list_that_cannot_be_had_leaves_the_status_unchecked() -> None:
    result = check_credential(SIGNED, lists=Lists(), policy=TRUSTING)
    item = found(result, Check.STATUS)
    assert (item.outcome, item.code) == (Outcome.NOT_CHECKED, "status.unreachable")
    assert not result.verified


def test_a_list_that_may_not_be_fetched_fails() -> None:
    class Forbidden(Lists):
        async def get(self, url: str, *, refresh: bool = False) -> StatusListCopy:
            raise BadInput("net.address_forbidden", "The address may not be asked.", "Ask the issuer.")

    assert codes(check_credential(SIGNED, lists=Forbidden(), policy=TRUSTING)) == {
        Check.STATUS: "net.address_forbidden"
    }


def test_a_kept_list_clears_a_record_for_as_long_as_policy_says_and_revokes_it_at_any_age() -> None:
    old = TRUSTING.status_max_age + timedelta(seconds=1)
    assert status(published(), age=timedelta(hours=1)) == ("pass", "ok")
    assert status(published(), age=old) == ("not-checked", "status.stale")
    assert status(published({"id": NAME}), age=old) == ("fail", "status.revoked")


@pytest.mark.parametrize(
    "entry",
    [
        {"type": REVOCATION_LIST_TYPE},
        {"id": "urn:uuid:5", "type": REVOCATION_LIST_TYPE},
        {"id": "file:///etc/passwd", "type": REVOCATION_LIST_TYPE},
    ],
)
def test_an_entry_without_the_url_of_a_list_fails(entry: dict[str, Any]) -> None:
    signed = issue(record(credentialStatus=entry, **{"@context": [V2, OB, EXTENSIONS]}))
    assert status(published(), signed=signed) == ("fail", "status.entry_malformed")


def test_a_record_without_an_id_fails_for_no_list_could_name_it() -> None:
    unnamed = record(credentialStatus={"id": URL, "type": REVOCATION_LIST_TYPE}, **{"@context": [V2, OB, EXTENSIONS]})
    del unnamed["id"]
    assert status(published(), signed=issue(unnamed)) == ("fail", "status.entry_malformed")


def test_an_entry_of_two_types_is_not_checked_for_their_order_is_not_signed() -> None:
    types = [REVOCATION_LIST_TYPE, "BitstringStatusListEntry"]
    for order in (types, types[::-1]):
        signed = issue(record(credentialStatus={"id": URL, "type": order}, **{"@context": [V2, OB, EXTENSIONS]}))
        assert status(published(), signed=signed) == ("not-checked", "status.type_unsupported")


def endorsed() -> dict[str, Any]:
    """A record with another of the same status list inside."""
    entry = {"id": URL, "type": REVOCATION_LIST_TYPE}
    inner = {
        "@context": [V2, OB, EXTENSIONS],
        "id": "urn:uuid:7",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "issuer": {"id": did(ISSUER), "type": ["Profile"]},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": did(ISSUER), "type": ["EndorsementSubject"], "endorsementComment": "Well made."},
        "credentialStatus": dict(entry),
    }
    whole = record(credentialStatus=entry, endorsement=[inner], **{"@context": [V2, OB, EXTENSIONS]})
    return dict(issue(whole))


def test_records_inside_one_another_may_name_one_list() -> None:
    assert status(published(), signed=endorsed()) == ("pass", "ok")
    assert status(published({"id": NAME}), signed=endorsed()) == ("fail", "status.revoked")


@pytest.mark.parametrize("types", ["1EdTechCredentialRefresh", [REVOCATION_LIST_TYPE, "1EdTechCredentialRefresh"]])
def test_they_have_to_name_it_in_the_same_words(types: Any) -> None:
    other = copy.deepcopy(endorsed())
    other["endorsement"][0]["credentialStatus"]["type"] = types
    given = StatusListCopy(published(), NOW, False)
    result = check_credential(other, lists=Lists({URL: given}), policy=TRUSTING)
    assert codes(result)[Check.CONTEXT] == "context.not_compacted"


def test_a_status_cannot_be_hidden_in_the_same_status_of_a_record_inside() -> None:
    hidden = copy.deepcopy(endorsed())
    del hidden["credentialStatus"]["type"]
    given = StatusListCopy(published({"id": NAME}), NOW, False)
    result = check_credential(hidden, lists=Lists({URL: given}), policy=TRUSTING)
    assert Check.PROOF not in codes(result)
    assert not result.verified
    assert found(result, Check.STATUS).outcome is not Outcome.PASS
