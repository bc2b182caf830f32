"""What a record says, one statement a line, and what of it a part does not say."""

from __future__ import annotations

from node.records.statements import statements, withheld

RECORD = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "credentialSubject": {"name": "Ada", "result": [{"value": "A"}, {"value": "B"}, {"value": "A"}]},
    "proof": {"type": "DataIntegrityProof"},
}


def test_every_statement_has_its_place() -> None:
    assert [(one.path, one.value) for one in statements(RECORD)] == [
        ("type[0]", "VerifiableCredential"),
        ("type[1]", "OpenBadgeCredential"),
        ("credentialSubject.name", "Ada"),
        ("credentialSubject.result[0].value", "A"),
        ("credentialSubject.result[1].value", "B"),
        ("credentialSubject.result[2].value", "A"),
    ]


def test_what_is_withheld_is_counted_also_where_two_statements_are_alike() -> None:
    part = {**RECORD, "credentialSubject": {"result": [{"value": "A"}]}}
    missing = withheld(RECORD, part)
    assert [(one.path, one.value) for one in missing] == [
        ("credentialSubject.name", "Ada"),
        ("credentialSubject.result[1].value", "B"),
        ("credentialSubject.result[2].value", "A"),
    ]
    assert withheld(RECORD, RECORD) == []


def test_what_could_move_other_text_is_not_shown() -> None:
    (hostile,) = statements({"na\u202eme": "x\x1b[2Jy"})
    assert (hostile.path, hostile.value) == ("na me", "x [2Jy")
