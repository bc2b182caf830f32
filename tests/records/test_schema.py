"""The record schema: what the standard's own samples say of it, and how it compares with the published one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from node.records.schema import MAX_PROBLEMS, SCHEMA_CHECKERS, endorsement_problems, validate
from tests.shared_data import shared_json

SAMPLES = "credentials/1edtech/ob30/"
V1, V2 = "https://www.w3.org/2018/credentials/v1", "https://www.w3.org/ns/credentials/v2"


@pytest.mark.parametrize(
    "name",
    ["complete", "simple", "simple-did-key-method", "simple-did-web-method", "simple-multiple-proofs",
     "simple-err-expired", "simple-err-proof-value"],
)  # fmt: skip
def test_a_record_of_the_standard_body_is_valid_whatever_its_proof_is_worth(name: str) -> None:
    assert validate(shared_json(f"{SAMPLES}{name}.json")) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("simple-err-issuer", {"$: \"issuer\" is missing.", "$.credentialSubject: \"achievement\" is missing."}),
        ("simple-noproof", {"$.credentialSubject: \"achievement\" is missing."}),
    ],
)  # fmt: skip
def test_what_a_bad_sample_lacks_is_told_by_its_path(name: str, expected: set[str]) -> None:
    assert {str(problem) for problem in validate(shared_json(f"{SAMPLES}{name}.json"))} == expected


def test_an_endorsement_is_valid_as_such_and_not_as_an_achievement() -> None:
    document = shared_json(f"{SAMPLES}endorsement-valid.json")
    assert endorsement_problems(document) == []
    assert validate(document)
    assert SCHEMA_CHECKERS["EndorsementCredential"](document) == []
    assert SCHEMA_CHECKERS["OpenBadgeCredential"](document)


def test_a_built_record_is_valid_before_and_after_it_is_signed(record: dict[str, Any]) -> None:
    proof = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": "2026-05-31T12:00:00Z"}
    assert validate(record) == []
    assert validate({**record, "proof": proof}) == []


def test_no_message_holds_a_value_of_the_record(record: dict[str, Any]) -> None:
    record["name"] = ["Ada-Secret"]
    record["validFrom"] = "Ada-Secret"
    record["issuer"]["id"] = "Ada-Secret"
    record["credentialSubject"]["achievement"]["achievementType"] = "Ada-Secret"
    record["credentialSubject"]["achievement"]["image"] = {"id": "x:y", "type": "Image", "Ada-Secret": 1}
    problems = [str(problem) for problem in validate(record)]
    assert len(problems) == 5
    assert "Ada-Secret" not in "".join(problems)
    assert "$.issuer.id: The value is not a URI." in problems


def test_every_place_where_the_published_schema_finds_fault_ours_does_too() -> None:
    """Each value of the complete sample removed or replaced; VCDM 1.1, for which the published copy is."""
    published = jsonschema_rs.Draft4Validator(
        shared_json("schemas/ob_v3p0_achievementcredential_schema_draft4.json"), validate_formats=True, offline=True
    )
    document = _as_1_1(shared_json(f"{SAMPLES}complete.json"))
    del document["endorsement"], document["issuer"]["endorsement"], document["evidence"][1]  # more of the same
    assert published.is_valid(document)
    assert validate(document) == []
    wider = set()
    for path, changed in _mutations(document):
        if not published.is_valid(changed) and not validate(changed):
            wider.add(".".join(part for part in path if isinstance(part, str))[-60:])
    # What the standard's model made optional since, an endorsement's or the record's status, and contexts as objects.
    assert {name.rpartition(".")[2] for name in wider} == {"name", "id", "@context"}
    assert all(name.endswith("credentialStatus.id") for name in wider if name.endswith("id"))
    assert [name for name in wider if name.endswith("name")] == ["name"]


@pytest.mark.parametrize(
    "hostile",
    [{"a": {1, 2}}, {1: 2}, {"a": "\ud800"}, {"a": float("nan")}, {"a": 10**400}, {}],
)  # fmt: skip
def test_what_is_no_json_document_is_a_problem_and_no_crash(hostile: dict[Any, Any]) -> None:
    assert validate(hostile)


def test_a_document_that_nests_without_end_is_a_problem_and_no_crash(record: dict[str, Any]) -> None:
    profile: dict[str, Any] = {"id": "urn:x:1", "type": ["Profile"]}
    for _ in range(100_000):
        profile = {**profile, "parentOrg": profile}
    assert validate({**record, "issuer": profile})


def test_problems_are_bounded(record: dict[str, Any]) -> None:
    record["evidence"] = [7] * 10_000
    assert len(validate(record)) == MAX_PROBLEMS


def _as_1_1(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_1_1(item) for item in value]
    if not isinstance(value, dict):
        return V1 if value == V2 else value
    renamed = {"validFrom": "issuanceDate", "validUntil": "expirationDate"}
    result = {renamed.get(key, key): _as_1_1(item) for key, item in value.items()}
    if "EndorsementCredential" in result.get("type", []):
        del result["name"]
    return result


def _mutations(document: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    for path in _paths(document):
        replacements: tuple[Any, ...] = (None, 7, {}, "x y", [7])
        for replacement in replacements:
            changed = copy.deepcopy(document)
            parent: Any = changed
            for part in path[:-1]:
                parent = parent[part]
            if replacement is None:
                del parent[path[-1]]
            else:
                parent[path[-1]] = replacement
            yield path, changed


def _paths(value: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*above, key)
        yield from _paths(item, (*above, key))
