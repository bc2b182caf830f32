"""What a holder shows of a record that can be shown in part: what is asked for, and all where nothing limits it."""

from __future__ import annotations

from typing import Any

from protocols.exchange.claims import read_claim
from protocols.exchange.disclosure import WHOLE, pointers_asked_for
from protocols.exchange.matching import Selection
from protocols.exchange.presentation_exchange import check_submission, parse_definition
from tests.exchange.helpers import match

RECORD = {
    "type": ["VerifiableCredential"],
    "credentialSubject": {"id": "did:key:z6Mk", "result": [{"value": "A"}, {"value": "B"}], "a/b~c": "x"},
    "proof": {"type": "DataIntegrityProof", "cryptosuite": "ecdsa-sd-2023", "proofValue": "u2V0A"},
}
BOTH = Selection((("one", "record"), ("two", "record")))


def asked(name: str, *paths: str, limit: str | None = "required") -> dict[str, Any]:
    constraints: dict[str, Any] = {"fields": [{"path": [path]} for path in paths]}
    return {"id": name, "constraints": constraints | ({"limit_disclosure": limit} if limit else {})}


def pointers(*descriptors: dict[str, Any], selection: Selection = BOTH) -> tuple[str, ...]:
    definition = parse_definition({"id": "d", "input_descriptors": list(descriptors)})
    return pointers_asked_for(definition, selection, "record", read_claim(RECORD))


def test_each_field_is_shown_where_it_was_found() -> None:
    one, two = asked("one", "$.credentialSubject.result[1].value"), asked("two", "$['credentialSubject']['a/b~c']")
    assert pointers(one, two) == ("/credentialSubject/result/1/value", "/credentialSubject/a~1b~0c")


def test_a_field_that_is_looked_for_anywhere_is_shown_where_it_is_first() -> None:
    found = pointers(asked("one", "$..value"), selection=Selection((("one", "record"),)))
    assert found == ("/credentialSubject/result/0/value",)


def test_all_is_shown_where_one_of_the_descriptors_does_not_limit_it() -> None:
    assert pointers(asked("one", "$.type"), asked("two", "$.type", limit=None)) == WHOLE


def test_descriptors_that_the_record_does_not_answer_show_nothing_of_it() -> None:
    other = Selection((("one", "record"), ("two", "another")))
    assert pointers(asked("one", "$.type"), asked("two", "$.credentialSubject", limit=None), selection=other) == (
        "/type",
    )


def test_a_record_that_can_be_shown_in_part_answers_a_request_to_limit_it_and_one_signed_as_a_whole_does_not() -> None:
    definition = parse_definition({"id": "d", "input_descriptors": [asked("one", "$.type")]})
    whole = {**RECORD, "proof": {**RECORD["proof"], "cryptosuite": "ecdsa-rdfc-2019"}}  # type: ignore[dict-item]
    report = match(definition, [("part", RECORD), ("whole", whole)])
    assert report.descriptors[0].record_ids == ("part",)
    assert report.descriptors[0].reasons["whole"].code == "pex.disclosure_cannot_be_limited"
    submission = {
        "id": "s",
        "definition_id": "d",
        "descriptor_map": [{"id": "one", "format": "ldp_vc", "path": "$.verifiableCredential[0]"}],
    }
    for record, ok in ((RECORD, True), (whole, False)):
        presentation = {"verifiableCredential": [record], "presentation_submission": submission}
        assert check_submission(definition, presentation).ok is ok
