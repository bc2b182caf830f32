"""A learner shows parts of a record and not others: what is shown verifies, what is not shown is not there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.credentials.data_integrity import derive_proof
from protocols.credentials.verification import Check, Outcome
from protocols.errors import BadInput
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.processor import Processor
from tests.credentials.transcripts import COURSES, GRADES, MANDATORY, issue_selective, transcript
from tests.credentials.worlds import (
    HOLDER,
    ISSUER,
    ISSUER_P256,
    LIST_URL,
    TRUSTING,
    V1,
    V2,
    Lists,
    check_credential,
    check_presentation,
    codes,
    did,
    found,
    issue,
    present,
    record,
    status_list,
    with_status,
)

HOLDING = replace(TRUSTING, accept_base_proofs=True)
BASE = issue_selective()
BARE = {name: value for name, value in BASE.items() if name != "proof"}
ONE_RESULT = ["/credentialSubject/achievement/name", "/credentialSubject/result/2"]


def pointers_of(value: Any, path: str = "") -> Iterator[str]:
    """A pointer to everything in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        step = f"{path}/{str(name).replace('~', '~0').replace('/', '~1')}"
        yield step
        yield from pointers_of(item, step)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The pointer to and the value of everything that is neither object nor array, in order."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield path, value
    for name, item in items or ():
        yield from leaves(item, f"{path}/{name}")


def is_chosen(path: str, pointers: Sequence[str]) -> bool:
    """Whether a leaf is in what the pointers name, or is an id, a type or a context on the way to it."""
    parent, _, kept = re.sub(r"(/(type|@context))/\d+$", r"\1", path).rpartition("/")
    on_the_way = kept in {"id", "type", "@context"}
    return any(
        f"{path}/".startswith(f"{item}/") or (on_the_way and f"{item}/".startswith(f"{parent}/")) for item in pointers
    )


EVERYWHERE = [
    pointer
    for pointer in pointers_of(BARE)
    if "allowedValue/" not in pointer  # the items of an ordered list are shown together or not at all
]


def test_a_learner_shows_one_result_of_a_transcript_and_not_the_others() -> None:
    shown = derive_proof(BASE, ONE_RESULT)
    assert shown["credentialSubject"]["result"] == [transcript()["credentialSubject"]["result"][2]]
    text = json.dumps(shown)
    hidden = [*COURSES, GRADES[0], GRADES[1], GRADES[3], 'Welding, level 2", "id', "narrative"]
    assert not [item for item in hidden if f'"{item}"' in text]
    result = check_credential(shown)
    assert result.verified, codes(result)


def test_what_is_mandatory_is_shown_whatever_the_learner_chooses() -> None:
    shown = derive_proof(BASE, ["/credentialSubject/result/0/value"])
    assert shown["issuer"] == BASE["issuer"]
    assert (shown["validFrom"], shown["validUntil"]) == (BASE["validFrom"], BASE["validUntil"])
    assert shown["credentialSubject"] == {
        "id": did(HOLDER),
        "type": ["AchievementSubject"],
        "result": [{"type": ["Result"], "value": GRADES[0]}],
    }
    assert check_credential(shown).verified


def test_nothing_more_than_the_mandatory_parts_can_be_shown_too() -> None:
    shown = derive_proof(BASE, [])
    assert shown["credentialSubject"] == {"id": did(HOLDER), "type": ["AchievementSubject"]}
    assert check_credential(shown).verified


def test_a_revoked_record_stays_revoked_when_parts_of_it_are_shown() -> None:
    base = issue_selective(with_status("revocation"), [*MANDATORY, "/credentialStatus"])
    shown = derive_proof(base, ["/credentialSubject/achievement/name"])
    lists = {LIST_URL: status_list(7, by=ISSUER_P256, suite="ecdsa-rdfc-2019")}
    assert codes(check_credential(shown, lists=Lists(lists))) == {Check.STATUS: "status.revoked"}


def test_a_derived_record_is_presented_with_its_holders_own_proof() -> None:
    result = check_presentation(present(derive_proof(BASE, ONE_RESULT)))
    assert result.verified, codes(result)


def test_a_version_1_1_credential_is_shown_in_part() -> None:
    unsigned = record(issuanceDate="2026-01-01T00:00:00Z", expirationDate="2036-01-01T00:00:00Z")
    unsigned = {name: item for name, item in unsigned.items() if not name.startswith("valid")}
    unsigned["@context"] = [V1, *unsigned["@context"][1:]]
    base = issue_selective(unsigned, ["/issuer", "/issuanceDate", "/expirationDate"])
    result = check_credential(derive_proof(base, ["/credentialSubject/achievement/name"]))
    assert result.verified, codes(result)


def test_a_base_proof_is_refused_to_verifiers_and_good_for_its_holder() -> None:
    assert codes(check_credential(BASE)) == {Check.PROOF: "proof.base_proof"}
    assert check_credential(BASE, policy=HOLDING).verified
    inside = check_presentation(present(BASE), policy=HOLDING)
    assert codes(inside.credentials[0]) == {Check.PROOF: "proof.base_proof"}


def test_a_holder_notices_a_base_proof_that_is_not_of_the_record() -> None:
    other = {**BASE, "name": "Welding, level 9"}
    assert found(check_credential(other, policy=HOLDING), Check.PROOF).outcome is Outcome.FAIL


def test_issuing_twice_gives_labels_and_keys_that_do_not_repeat() -> None:
    again = issue_selective(record(id="urn:uuid:5"))
    assert again["proof"]["proofValue"] != BASE["proof"]["proofValue"]


def test_beside_a_proof_of_the_whole_the_base_proof_is_derived_from_and_the_other_left_out() -> None:
    both = issue(BASE, by=ISSUER_P256, suite="ecdsa-rdfc-2019")
    assert len(both["proof"]) == 2
    shown = derive_proof(both, ONE_RESULT)
    assert shown["proof"]["cryptosuite"] == "ecdsa-sd-2023"
    assert check_credential(shown).verified


@settings(max_examples=40)
@given(st.lists(st.sampled_from(EVERYWHERE), max_size=6, unique=True))
def test_any_choice_verifies_and_shows_just_what_is_chosen(pointers: list[str]) -> None:
    shown = derive_proof(BASE, pointers)
    result = check_credential(shown)
    for check in (Check.CONTEXT, Check.PROOF, Check.CONTROLLER):
        assert found(result, check).outcome is Outcome.PASS, (pointers, found(result, check))
    expected = [leaf for path, leaf in leaves(BARE) if is_chosen(path, (*MANDATORY, *pointers))]
    bare = {name: value for name, value in shown.items() if name != "proof"}
    assert [leaf for _, leaf in leaves(bare)] == expected


@pytest.mark.parametrize(
    ("pointer", "code"),
    [
        ("/credentialSubject/nothing", "pointer.nothing_there"),
        ("/credentialSubject/result/4", "pointer.nothing_there"),
        ("/credentialSubject/result/-1", "pointer.nothing_there"),
        ("/credentialSubject/result/-", "pointer.nothing_there"),
        ("/credentialSubject/result/01", "pointer.nothing_there"),
        ("/credentialSubject/result/" + "9" * 50, "pointer.nothing_there"),
        ("/name/0", "pointer.nothing_there"),
        ("/proof", "pointer.nothing_there"),
        ("name", "pointer.malformed"),
        ("/name~2", "pointer.malformed"),
        ("/" * 5000, "pointer.malformed"),
        ("/credentialSubject/achievement/resultDescription/0/allowedValue/1", "pointer.divides"),
    ],
)
def test_a_pointer_that_cannot_be_followed_is_refused(pointer: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        derive_proof(BASE, ["/name", pointer])
    assert caught.value.code == code
    with pytest.raises(BadInput) as caught:
        issue_selective(None, [pointer])
    assert caught.value.code == code


def test_an_empty_pointer_shows_everything() -> None:
    shown = derive_proof(BASE, [""])
    assert {**shown, "proof": None} == {**BASE, "proof": None}
    assert check_credential(shown).verified


def test_a_pointer_to_nowhere_is_refused_also_inside_what_is_chosen_already() -> None:
    with pytest.raises(BadInput, match="leads to nothing"):
        derive_proof(BASE, ["/credentialSubject", "/credentialSubject/nothing"])


def test_too_many_pointers_are_refused() -> None:
    with pytest.raises(BadInput) as caught:
        derive_proof(BASE, ["/name"] * 1_000)
    assert caught.value.code == "pointer.too_many"


def test_a_record_without_mandatory_parts_needs_a_choice() -> None:
    base = issue_selective(None, [])
    with pytest.raises(BadInput) as caught:
        derive_proof(base, [])
    assert caught.value.code == "pointer.none"
    assert check_credential(derive_proof(base, ["/issuer", "/credentialSubject/id"])).verified


@pytest.mark.parametrize("document", [issue(record()), record(), derive_proof(BASE, ONE_RESULT)])
def test_what_is_secured_as_a_whole_or_derived_already_cannot_be_derived_from(document: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        derive_proof(document, ["/issuer"])
    assert caught.value.code == "proof.not_selective"


def test_a_base_proof_builds_on_no_other() -> None:
    first = issue(record(), proof_id="urn:uuid:1", by=ISSUER)
    with pytest.raises(BadInput) as caught:
        issue_selective(first, previous_proof="urn:uuid:1")
    assert caught.value.code == "proof.chain_selective"


def test_a_record_with_too_many_statements_to_check_is_not_signed() -> None:
    unsigned = record(evidence=[{"type": ["Evidence"], "name": f"Report {number}"} for number in range(2_000)])
    with pytest.raises(BadInput) as caught:
        issue_selective(unsigned, [])
    assert caught.value.code == "proof.too_many_statements"


def test_a_document_whose_parts_cannot_be_told_apart_is_not_signed_in_parts() -> None:
    names = {"@context": {"title": {"@id": "https://a.example/title", "@container": "@language"}}}
    processor = Processor(ContextStore({"https://a.example/titles": names}))
    unsigned = record(title={"en": "Welding", "de": "Schweißen"})
    unsigned["@context"] = [V2, *unsigned["@context"][1:], "https://a.example/titles"]
    with pytest.raises(BadInput) as caught:
        issue_selective(unsigned, ["/issuer"], processor=processor)
    assert caught.value.code == "jsonld.not_selectable"
