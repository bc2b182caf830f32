"""Contexts that an issuer states in the record: under a signature over RDF too, these are there, and no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from protocols.credentials.context_binding import CONTEXT_MEDIA_TYPE, RELATED_RESOURCES, with_contexts_bound
from protocols.credentials.data_integrity import derive_proof
from protocols.credentials.verification import Check, Outcome
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.processor import DEFAULT, Processor
from tests.credentials.test_schemas import sri
from tests.credentials.transcripts import MANDATORY, issue_selective
from tests.credentials.worlds import (
    ISSUER,
    OB,
    STRANGER,
    TRUSTING,
    V1,
    V2,
    check_credential,
    codes,
    found,
    issue,
    issue_with,
    record,
)

MORE = "https://w3id.org/security/suites/ed25519-2020/v1"  # defines no term that the record uses
OTHER = "https://w3id.org/security/suites/jws-2020/v1"
EDITION = OB.replace("3.0.3", "3.0.2")
OWN = "https://college.example/context"
LOGO = {"id": "https://college.example/logo.png", "digestSRI": sri(b"\x89PNG")}
HOLDING = replace(TRUSTING, accept_base_proofs=True)

Change = Callable[[dict[str, Any]], dict[str, Any]]


def signed(suite: str, *more: str) -> dict[str, Any]:
    """A record as a node issues it, with ``more`` contexts."""
    bound = with_contexts_bound(record(**{"@context": [V2, OB, *more]}), DEFAULT.store)
    if suite.startswith("ecdsa-sd-2023"):
        base = issue_selective(bound, (*MANDATORY, RELATED_RESOURCES))
        return base if suite == "ecdsa-sd-2023" else derive_proof(base, ["/credentialSubject/achievement/name"])
    return issue_with(suite, bound)  # type: ignore[no-any-return]


def with_contexts(*contexts: Any) -> Change:
    return lambda document: {**document, "@context": list(contexts)}


def in_the_subject(context: Any, *others: str) -> Change:
    def change(document: dict[str, Any]) -> dict[str, Any]:
        subject = {"@context": context, **document["credentialSubject"]}
        return {**document, "@context": [V2, OB, *others], "credentialSubject": subject}

    return change


def in_the_proof(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "proof": {**document["proof"], "@context": MORE}}


CHANGES: dict[str, tuple[tuple[str, ...], Change]] = {
    "added": ((), with_contexts(V2, OB, MORE)),
    "added before": ((), with_contexts(V2, MORE, OB)),
    "added within": ((), with_contexts(V2, OB, {"grade": "https://college.example/terms#grade"})),
    "added vocabulary": ((), with_contexts(V2, OB, {"@vocab": "https://college.example/terms#"})),
    "added twice": ((), with_contexts(V2, OB, OB)),
    "added to the subject": ((), in_the_subject(MORE)),
    "added to the subject again": ((), in_the_subject(OB)),
    "added to the proof": ((), in_the_proof),
    "removed": ((MORE,), with_contexts(V2, OB)),
    "replaced": ((MORE,), with_contexts(V2, OB, OTHER)),
    "replaced by another edition": ((), with_contexts(V2, EDITION)),
    "moved into the subject": ((MORE,), in_the_subject(MORE)),
}
SUITES = ("eddsa-rdfc-2022", "ecdsa-rdfc-2019", "ecdsa-sd-2023", "ecdsa-sd-2023 derived")
EACH_SUITE = pytest.mark.parametrize("suite", SUITES)


@EACH_SUITE
@pytest.mark.parametrize("more", [(), (MORE,)])
def test_a_record_with_its_contexts_stated_is_verified(suite: str, more: tuple[str, ...]) -> None:
    document = signed(suite, *more)
    result = check_credential(document, policy=HOLDING)
    assert result.verified, codes(result)
    context = found(result, Check.CONTEXT)
    assert context.reason.endswith("they are those that the issuer states.") and context.details is None
    related = found(result, Check.RELATED_RESOURCES)
    assert (related.outcome, related.details) == (Outcome.PASS, {"resources": 1 + len(more), "matching": 1 + len(more)})


@EACH_SUITE
@pytest.mark.parametrize("how", CHANGES)
def test_a_context_that_is_changed_after_signing_fails(suite: str, how: str) -> None:
    more, change = CHANGES[how]
    changed = change(signed(suite, *more))
    result = check_credential(changed, policy=HOLDING)
    assert not result.verified
    assert codes(result)[Check.CONTEXT] == "context.not_bound"


@EACH_SUITE
def test_what_is_stated_cannot_be_taken_out_or_said_otherwise(suite: str) -> None:
    document = signed(suite, MORE)
    silent = {name: value for name, value in document.items() if name != "relatedResource"}
    fewer = {**document, "relatedResource": document["relatedResource"][:1]}
    media_type = [{**item, "mediaType": "image/png"} for item in document["relatedResource"]]
    for changed in (silent, fewer, {**document, "relatedResource": media_type}):
        assert not check_credential(changed, policy=HOLDING).verified


def test_the_order_of_contexts_is_not_signed() -> None:
    document = signed("eddsa-rdfc-2022", MORE)
    assert check_credential({**document, "@context": [V2, MORE, OB]}).verified


def test_contexts_that_were_all_exchanged_are_missed_by_one_who_never_knew_them() -> None:
    own = Processor(ContextStore({OWN: b'{"@context": {}}'}))
    document = issue(with_contexts_bound(record(**{"@context": [V2, OB, OWN]}), own.store), processor=own)
    assert check_credential(document, processor=own).verified
    assert codes(check_credential({**document, "@context": [V2, OB]}))[Check.CONTEXT] == "context.not_bound"


def test_an_added_proof_does_not_sign_contexts_in_place_of_the_issuer() -> None:
    changed = {**signed("eddsa-rdfc-2022"), "@context": [V2, OB, MORE]}
    assert codes(check_credential(issue(changed, by=STRANGER, suite="eddsa-jcs-2022")))[Check.CONTEXT] == (
        "context.not_bound"
    )
    over_json = {**issue(record(), suite="eddsa-jcs-2022"), "@context": [V2, OB, MORE]}
    both = issue(over_json, by=STRANGER, suite="eddsa-jcs-2022")
    assert codes(check_credential(both)) == {Check.CONTEXT: "context.unsigned"}
    assert check_credential(issue(over_json, by=ISSUER, suite="eddsa-jcs-2022")).verified


@pytest.mark.parametrize("related", [[], [LOGO], [{"id": V2, "digestSRI": sri(b"x")}]])
def test_where_an_issuer_states_no_context_the_check_says_that_they_are_not_covered(related: list[Any]) -> None:
    document = issue(record(**({"relatedResource": related} if related else {})))
    for contexts in ([V2, OB], [V2, OB, MORE]):
        context = found(check_credential({**document, "@context": contexts}), Check.CONTEXT)
        assert (context.outcome, context.details) == (Outcome.PASS, {"contextsCovered": False})
        assert "does not cover which contexts" in context.reason


def test_a_policy_can_ask_for_contexts_that_are_signed_or_stated() -> None:
    strict = replace(TRUSTING, contexts_signed=True)
    for contexts in ([V2, OB], [V2, OB, MORE]):
        refused = check_credential({**issue(record()), "@context": contexts}, policy=strict)
        assert codes(refused) == {Check.CONTEXT: "context.not_covered"}
        assert not refused.verified
    assert check_credential(signed("eddsa-rdfc-2022"), policy=strict).verified
    assert check_credential(issue(record(), suite="eddsa-jcs-2022"), policy=strict).verified
    broken = {**signed("eddsa-rdfc-2022"), "@context": [V2, OB, MORE]}
    assert codes(check_credential(broken, policy=strict))[Check.CONTEXT] == "context.not_bound"


def test_an_issuer_who_states_some_contexts_and_not_others_is_not_understood() -> None:
    stated = {"id": OB, "digestSRI": sri(b"x")}
    document = issue(record(**{"@context": [V2, OB, MORE], "relatedResource": stated}))
    assert codes(check_credential(document))[Check.CONTEXT] == "context.not_bound"
    assert found(check_credential(issue(record(relatedResource=[stated, LOGO]))), Check.CONTEXT).outcome is Outcome.PASS


def test_a_context_of_other_content_than_stated_fails() -> None:
    theirs = Processor(ContextStore({OWN: b'{"@context": {}}'}))
    document = issue(with_contexts_bound(record(**{"@context": [V2, OB, OWN]}), theirs.store), processor=theirs)
    ours = Processor(ContextStore({OWN: b'{"@context": {} }'}))
    assert codes(check_credential(document, processor=ours)) == {Check.RELATED_RESOURCES: "related.digest_mismatch"}


def test_a_credential_inside_has_contexts_of_its_own() -> None:
    endorsement = {
        "@context": [V2, OB],
        "id": "urn:uuid:6",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "A good course",
        "issuer": {"id": "did:example:other", "type": ["Profile"]},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "https://college.example/achievements/welding-2", "type": ["EndorsementSubject"]},
    }
    document = issue(with_contexts_bound(record(endorsement=[endorsement]), DEFAULT.store))
    assert found(check_credential(document), Check.CONTEXT).outcome is Outcome.PASS


def test_what_is_stated_is_the_digest_of_the_published_file() -> None:
    (stated,) = with_contexts_bound(record(), DEFAULT.store)["relatedResource"]
    assert (stated["id"], stated["mediaType"]) == (OB, CONTEXT_MEDIA_TYPE)
    assert stated["digestSRI"].startswith("sha384-")
    twice = with_contexts_bound(with_contexts_bound(record(relatedResource=LOGO), DEFAULT.store), DEFAULT.store)
    assert twice["relatedResource"] == [LOGO, stated]


@pytest.mark.parametrize(
    "changes",
    [
        {"@context": [V1, OB]},
        {"@context": [V2]},
        {"@context": [V2, OB, {"@vocab": "https://college.example/terms#"}]},
        {"evidence": {"@context": OB, "type": ["Evidence"]}},
    ],
)
def test_a_record_whose_contexts_cannot_be_stated_stays_as_it_is(changes: dict[str, Any]) -> None:
    unsigned = record(**changes)
    assert with_contexts_bound(unsigned, DEFAULT.store) == unsigned
