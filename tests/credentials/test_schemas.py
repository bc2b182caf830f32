"""credentialSchema: the three results of VC JSON Schema, its digests, schemas in credentials, and hostile schemas."""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node.config import Config, VerifyConfig
from node.roles.policy import VerificationPolicies
from node.skills.frameworks import SkillIndex
from protocols.credentials.asking import MAX_RESOURCES
from protocols.credentials.schema.json_schema import MAX_SCHEMA_BYTES, evaluate
from protocols.credentials.structure import credential_problems
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.errors import BadInput, NotNow
from tests.credentials.worlds import (
    EXTENSIONS,
    ISSUER,
    LIST_URL,
    OB,
    STRANGER,
    TRUSTING,
    V2,
    Lists,
    check_credential,
    check_presentation,
    did,
    found,
    issue,
    present,
    record,
    status_list,
)

URL = "https://college.example/schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAMED = {"$schema": DIALECT, "$id": URL, "type": "object", "required": ["name"]}
STRICT = {**NAMED, "properties": {"name": {"const": "Baking"}}}


@dataclass
class Files:
    """Resources as if published; what is not there cannot be had."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def get(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.files:
            raise NotNow("resource.unreachable", "It cannot be had.", "Try later.")
        return self.files[url]

    async def kept(self, url: str) -> bytes | None:
        return self.files.get(url)


def published(schema: Any) -> Files:
    return Files({URL: schema if isinstance(schema, bytes) else json.dumps(schema).encode()})


def sri(data: bytes, algorithm: str = "sha384") -> str:
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def checked(files: Files, kind: str = "JsonSchema", lists: Lists | None = None, **entry: Any) -> CheckResult:
    """The schema check of a record that names a schema."""
    schema = {"id": URL, "type": kind, **entry}
    signed = issue(record(credentialSchema=schema, **{"@context": [V2, OB, EXTENSIONS]}))
    policy = dataclasses.replace(TRUSTING, resources=files)
    result = check_credential(signed, policy=policy, lists=lists)
    assert result.verified is (found(result, Check.SCHEMA).outcome is not Outcome.FAIL)
    return found(result, Check.SCHEMA)


@pytest.mark.parametrize("kind", ["JsonSchema", "1EdTechJsonSchemaValidator2019"])
@pytest.mark.parametrize(
    "dialect",
    [DIALECT, "https://json-schema.org/draft/2019-09/schema", "http://json-schema.org/draft-07/schema#"],
)
def test_a_record_is_held_against_the_schema_that_it_names(kind: str, dialect: str) -> None:
    assert checked(published({**NAMED, "$schema": dialect}), kind).outcome is Outcome.PASS
    broken = checked(published({**STRICT, "$schema": dialect}), kind)
    assert (broken.outcome, broken.code) == (Outcome.FAIL, "schema.violated")
    assert "Welding" not in json.dumps(broken.details)
    assert json.dumps(broken.details).startswith('{"problems": ["$.name: ')


UNCLEAR = {
    "no dialect": ("schema.dialect_unknown", {"type": "object"}),
    "another dialect": ("schema.dialect_unknown", {"$schema": "http://json-schema.org/draft-04/schema#"}),
    "no JSON": ("schema.malformed", b"type: object"),
    "no object": ("schema.malformed", b"true"),
    "two keys of a name": ("schema.malformed", f'{{"$schema":"{DIALECT}","type":"object","type":"array"}}'.encode()),
    "no schema": ("schema.malformed", {"$schema": DIALECT, "type": "thing"}),
    "a pattern that is none": ("schema.malformed", {"$schema": DIALECT, "pattern": "("}),
    "a huge pattern": ("schema.malformed", {"$schema": DIALECT, "pattern": "(a{1000}){1000}"}),
    "a reference to the network": ("schema.remote_reference", {"$schema": DIALECT, "$ref": "https://a.example/x"}),
    "a reference to a file": ("schema.remote_reference", {"$schema": DIALECT, "$ref": "file:///etc/hostname"}),
    "a reference to nothing": ("schema.remote_reference", {"$schema": DIALECT, "$ref": "#/$defs/none"}),
    "too many bytes": ("schema.too_large", b" " * MAX_SCHEMA_BYTES + b"{}"),
    "too many patterns": (
        "schema.too_complex",
        {"$schema": DIALECT, "patternProperties": {f"^{number}$": {} for number in range(501)}},
    ),
    "doubling definitions": (
        "schema.too_complex",
        {
            "$schema": DIALECT,
            "$defs": {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(60)} | {"d60": {}},
            "$ref": "#/$defs/d0",
        },
    ),
    "a long chain": (
        "schema.too_complex",
        {
            "$schema": DIALECT,
            "$defs": {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(900)} | {"d900": {}},
            "$ref": "#/$defs/d0",
        },
    ),
}


@pytest.mark.parametrize(("code", "schema"), UNCLEAR.values(), ids=UNCLEAR)
def test_a_schema_that_cannot_be_used_leaves_the_record_unchecked(code: str, schema: Any) -> None:
    result = checked(published(schema))
    assert (result.outcome, result.code) == (Outcome.NOT_CHECKED, code)


def test_a_recursion_over_a_nested_document_is_counted_before_it_is_run() -> None:
    twice = [{"properties": {"c": {"$ref": "#"}}}] * 2
    deep = functools.reduce(lambda inner, _: {"c": inner}, range(50), {})
    for schema in ({"allOf": twice}, {"allOf": twice[:1], "unevaluatedProperties": True}):
        assert evaluate(json.dumps({"$schema": DIALECT, **schema}).encode(), deep).code == "schema.too_complex"
    assert evaluate(json.dumps({"$schema": DIALECT, **twice[0]}).encode(), deep).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$dynamicAnchor": "x", "properties": {"c": {"$dynamicRef": "#x"}}},
        {"$defs": {"a": {"$anchor": "here", "type": "object"}}, "$ref": "#here"},
        {"$id": "https://a.example/s/", "$defs": {"a~/b": {"$id": "other", "type": "object"}}, "$ref": "other"},
        {"$defs": {"a~/b": {"type": "object"}}, "$ref": "#/$defs/a~0~1b"},
    ],
)
def test_references_within_a_schema_are_followed_and_end(schema: dict[str, Any]) -> None:
    assert evaluate(json.dumps({"$schema": DIALECT, **schema}).encode(), {"c": {"c": {}}}).outcome is Outcome.PASS


def test_a_pattern_that_backtracks_without_end_is_given_up() -> None:
    schema = {"$schema": DIALECT, "properties": {"name": {"pattern": r"^(?=(a+)+\1$)(a|aa)+\1b$"}}}
    found = evaluate(json.dumps(schema).encode(), {"name": "a" * 5000})
    assert found.outcome is not Outcome.PASS


def test_formats_are_asserted_as_the_specification_shows() -> None:
    schema = json.dumps({"$schema": DIALECT, "properties": {"mail": {"format": "email"}}}).encode()
    assert evaluate(schema, {"mail": "tester@example.com"}).outcome is Outcome.PASS
    assert evaluate(schema, {"mail": "not an email"}).outcome is Outcome.FAIL


def test_the_digest_of_a_schema_is_compared_with_the_bytes_that_are_used() -> None:
    files = published(NAMED)
    good, other = sri(files.files[URL]), sri(b"other")
    assert checked(files, digestSRI=good).outcome is Outcome.PASS
    assert checked(files, digestSRI=f"{other} {good}").outcome is Outcome.PASS
    assert checked(files, digestSRI=other).code == "schema.digest_mismatch"
    assert checked(files, digestSRI=f"{sri(files.files[URL], 'sha256')} {other}").code == "schema.digest_mismatch"
    assert checked(files, digestMultibase="uAAAA").code == "schema.digest_unknown"


def test_the_digest_of_a_schema_may_stand_among_the_related_resources() -> None:
    files = published(NAMED)
    resource = {"id": URL, "digestSRI": sri(b"other")}
    signed = issue(record(credentialSchema={"id": URL, "type": "JsonSchema"}, relatedResource=resource))
    result = check_credential(signed, policy=dataclasses.replace(TRUSTING, resources=files))
    assert found(result, Check.SCHEMA).code == "schema.digest_mismatch"
    assert found(result, Check.RELATED_RESOURCES).code == "related.digest_mismatch"


def test_a_schema_that_is_not_to_be_had_is_said_so_and_asked_for_once() -> None:
    entries = [{"id": URL, "type": "JsonSchema"}, {"id": URL, "type": "JsonSchema", "digestSRI": sri(b"")}]
    assert "credentialSchema.many" in [
        problem.rule for problem in credential_problems(record(credentialSchema=[entries[0]] * 9))
    ]
    files = Files()
    result = checked(files)
    assert (result.code, files.asked) == ("schema.unavailable", [URL])


def test_the_gravest_of_several_schemas_stands_for_all() -> None:
    other = "https://college.example/other.json"
    files = published(NAMED)
    files.files[other] = json.dumps(STRICT).encode()
    entries = [{"id": url, "type": "JsonSchema"} for url in (URL, "https://nobody.example/", other)]
    result = check_credential(
        issue(record(credentialSchema=entries)), policy=dataclasses.replace(TRUSTING, resources=files)
    )
    assert found(result, Check.SCHEMA).code == "schema.violated"
    assert not result.verified


CREDENTIAL_SCHEMA = {"id": "https://www.w3.org/ns/credentials/json-schema/v2.json", "type": "JsonSchema"}


def schema_credential(schema: Any = NAMED, **changes: Any) -> dict[str, Any]:
    """An unsigned credential that holds a JSON Schema."""
    return {
        "@context": [V2],
        "id": URL,
        "type": ["VerifiableCredential", "JsonSchemaCredential"],
        "issuer": did(ISSUER),
        "credentialSchema": CREDENTIAL_SCHEMA,
        "credentialSubject": {"id": URL + "#schema", "type": "JsonSchema", "jsonSchema": schema},
        **changes,
    }


def checked_credential(document: dict[str, Any], lists: Lists | None = None, **entry: Any) -> CheckResult:
    return checked(published(document), "JsonSchemaCredential", lists, **entry)


def test_a_schema_in_a_credential_counts_where_the_credential_does() -> None:
    assert checked_credential(issue(schema_credential())).outcome is Outcome.PASS
    assert checked_credential(issue(schema_credential(STRICT))).code == "schema.violated"


def test_a_credential_with_a_schema_is_one_itself_and_names_the_schema_of_schemas() -> None:
    signed = issue(schema_credential())
    assert found(check_credential(signed), Check.SCHEMA).outcome is Outcome.PASS
    wrong = issue(schema_credential(credentialSubject={"id": URL, "type": "JsonSchema"}))
    assert found(check_credential(wrong), Check.SCHEMA).code == "schema.violated"


def expired() -> dict[str, Any]:
    return issue(schema_credential(validUntil="2026-01-01T00:00:00Z"))


def tampered() -> dict[str, Any]:
    signed = issue(schema_credential(STRICT))
    return {**signed, "credentialSubject": schema_credential()["credentialSubject"]}


@pytest.mark.parametrize(
    ("code", "document"),
    [
        ("schema.credential_unproved", schema_credential()),
        ("schema.credential_unproved", tampered()),
        ("schema.credential_unproved", expired()),
        ("schema.credential_unproved", issue(schema_credential(), by=STRANGER)),
        ("schema.issuer_untrusted", issue(schema_credential(issuer=did(STRANGER)), by=STRANGER)),
        ("schema.malformed", issue(schema_credential(type=["VerifiableCredential"]))),
        ("schema.malformed", issue(schema_credential(id="https://college.example/another"))),
        ("schema.malformed", issue(schema_credential("x"))),
        ("schema.malformed", issue(schema_credential(credentialSubject={"type": "JsonSchema"}))),
        ("schema.credential_unproved", {"type": "JsonSchemaCredential"}),
        ("schema.dialect_unknown", issue(schema_credential({"type": "object"}))),
    ],
)
def test_a_schema_of_a_credential_that_is_not_to_be_believed_says_nothing(code: str, document: Any) -> None:
    result = checked_credential(document)
    assert (result.outcome, result.code) == (Outcome.NOT_CHECKED, code)


def test_a_schema_of_somebody_else_counts_where_that_one_is_trusted() -> None:
    theirs = published(issue(schema_credential(STRICT, issuer=did(STRANGER)), by=STRANGER))
    policy = dataclasses.replace(TRUSTING, trust=TrustedIssuers({did(ISSUER), did(STRANGER)}), resources=theirs)
    signed = issue(record(credentialSchema={"id": URL, "type": "JsonSchemaCredential"}))
    assert found(check_credential(signed, policy=policy), Check.SCHEMA).code == "schema.violated"


def test_a_revoked_schema_says_nothing() -> None:
    entry = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": LIST_URL,
    }
    revoked = issue(schema_credential(STRICT, credentialStatus=entry))
    assert checked_credential(revoked, Lists({LIST_URL: status_list(7)})).code == "schema.credential_unproved"
    assert checked_credential(revoked, Lists({LIST_URL: status_list()})).code == "schema.violated"


def test_the_digest_of_a_credential_with_a_schema_is_compared_too() -> None:
    signed = issue(schema_credential())
    assert checked_credential(signed, digestSRI=sri(json.dumps(signed).encode())).outcome is Outcome.PASS
    assert checked_credential(signed, digestSRI=sri(b"")).code == "schema.digest_mismatch"


def test_a_schema_of_an_unknown_kind_is_not_checked() -> None:
    with pytest.raises(BadInput):
        issue(record(credentialSchema={"id": URL, "type": "Unknown"}))
    result = checked(published(NAMED), "https://college.example/terms#Own")
    assert (result.outcome, result.code) == (Outcome.NOT_CHECKED, "schema.unknown")


def test_no_more_schemas_are_asked_for_than_a_limit_whatever_is_shown() -> None:
    files = Files()
    entries = [
        [{"id": f"https://a.example/{number}/{each}", "type": "JsonSchema"} for each in range(8)] for number in range(9)
    ]
    shown = present(*(issue(record(credentialSchema=several)) for several in entries))
    result = check_presentation(shown, policy=dataclasses.replace(TRUSTING, resources=files))
    assert len(files.asked) == MAX_RESOURCES < 9 * 8
    assert found(result.credentials[-1], Check.SCHEMA).outcome is Outcome.NOT_CHECKED


async def test_a_schema_that_the_owner_gives_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(json.dumps(STRICT), encoding="utf-8")
    files = Files({"https://college.example/other": b"{}"})
    config = Config(verify=VerifyConfig(schemas={URL: "schema.json"}))
    resources = VerificationPolicies(config, tmp_path, files, SkillIndex(), TrustedIssuers()).verifier().resources
    assert await resources.get(URL) == await resources.kept(URL) == json.dumps(STRICT).encode()
    assert await resources.get("https://college.example/other") == b"{}"
    assert files.asked == ["https://college.example/other"]
    with pytest.raises(BadInput) as caught:
        lost = Config(verify=VerifyConfig(schemas={URL: "lost.json"}))
        VerificationPolicies(lost, tmp_path, files, SkillIndex(), TrustedIssuers())
    assert caught.value.code == "config.schema_missing"
