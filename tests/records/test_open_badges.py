"""Building records: what they say, for both versions of the data model, and what is refused."""

from __future__ import annotations

import copy
import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import jsonschema_rs
import pytest

from node.records.catalogue import Catalogue
from node.records.open_badges import OB_CONTEXT, IssuerProfile, build_credential, check_email
from node.records.results import make_result
from node.records.schema import SCHEMA_CHECKERS, validate
from node.skills.frameworks import SkillIndex
from protocols.credentials.checks.recipient import identity_hash
from protocols.credentials.compacted import compaction_problem
from protocols.credentials.data_integrity.proofs import add_proof
from protocols.credentials.model import Version
from protocols.credentials.policy import Policy
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, Outcome
from protocols.credentials.verify import verify
from protocols.did.document import DidDocument
from protocols.did.key import did_from_public, verification_method
from protocols.did.resolver import resolve_offline
from protocols.errors import BadInput, NotNow
from protocols.jsonld.processor import DEFAULT
from protocols.keys import KeyPair, SoftwareSigner
from protocols.status.entry import status_entry
from protocols.status.source import StatusListCopy
from tests.shared_data import shared_json

SALT = "k3Yf0q8Zt7Lw2Nv5"
LIST = "https://riverside.example/status/1"
OB = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"
ENTRIES = [status_entry(LIST, "revocation", 94567), status_entry(LIST + "s", "suspension", 94568)]


@pytest.fixture
def rich(base: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """The arguments of a record with everything that the node can put into one."""
    description = catalogue.get("weld-101").result
    assert description is not None
    return {
        **base,
        "valid_until": datetime(2029, 5, 31, tzinfo=UTC),
        "subject_did": None,
        "subject_email": "ada@example.org",
        "subject_name": "Ada Lovelace",
        "salt": SALT,
        "result": make_result(description, "B"),
        "evidence": [{"type": ["Evidence"], "id": "https://riverside.example/e/1", "name": "Bend test report"}],
    }


def test_a_record_says_who_issued_what_to_whom_from_when(base: dict[str, Any]) -> None:
    record = build_credential(**base)
    assert record["@context"] == ["https://www.w3.org/ns/credentials/v2", OB_CONTEXT]
    assert record["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert record["issuer"]["id"] == "did:web:riverside.example"
    assert record["validFrom"] == "2026-05-31T12:00:00Z"
    assert record["credentialSubject"]["id"] == base["subject_did"]
    assert record["credentialSubject"]["achievement"] == base["achievement"].document
    assert record.keys().isdisjoint({"proof", "credentialStatus", "validUntil", "evidence"})


def test_a_known_did_leaves_the_address_out(base: dict[str, Any]) -> None:
    record = build_credential(**base, subject_email="ada@example.org")
    assert "ada@example.org" not in str(record)
    assert "identifier" not in record["credentialSubject"]


def test_an_address_is_written_as_its_salted_hash_only(rich: dict[str, Any]) -> None:
    subject = build_credential(**rich)["credentialSubject"]
    assert "id" not in subject
    assert "ada@example.org" not in str(subject)
    digest = hashlib.sha256(b"ada@example.org" + SALT.encode()).hexdigest()
    assert subject["identifier"][0] == {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": f"sha256${digest}",
        "identityType": "emailAddress",
        "salt": SALT,
    }


def test_the_identity_hash_is_that_of_the_standard() -> None:
    expected = "sha256$b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"
    assert identity_hash("a@example.com", "Kosher") == expected


def test_a_time_in_another_zone_is_written_in_utc(base: dict[str, Any]) -> None:
    base["valid_from"] = datetime(2026, 5, 31, 1, tzinfo=timezone(timedelta(hours=2)))
    assert build_credential(**base)["validFrom"] == "2026-05-30T23:00:00Z"


def test_one_status_entry_stands_alone_and_several_in_a_list(base: dict[str, Any]) -> None:
    assert build_credential(**base, status_entries=ENTRIES[:1])["credentialStatus"] == ENTRIES[0]
    assert build_credential(**base, status_entries=ENTRIES)["credentialStatus"] == ENTRIES


def test_a_record_shares_nothing_with_the_catalogue(base: dict[str, Any]) -> None:
    before = copy.deepcopy(base["achievement"].document)
    build_credential(**base)["credentialSubject"]["achievement"]["name"] = "Changed"
    assert base["achievement"].document == before


@pytest.mark.parametrize("data_model", list(Version))
@pytest.mark.parametrize("slug", ["weld-101", "code-110", "data-120"])
def test_every_term_of_a_record_is_defined_and_signed(
    rich: dict[str, Any], catalogue: Catalogue, slug: str, data_model: Version
) -> None:
    arguments = rich | {"achievement": catalogue.get(slug), "status_entries": ENTRIES, "data_model": data_model}
    record = build_credential(**arguments)
    assert validate(record) == []
    assert compaction_problem(record, DEFAULT.store) is None
    nquads = DEFAULT.canonical_nquads(record)
    for term in ("result", "identifier", "identityHash", "achievement", "alignment", "targetCode", "hashed", "salt"):
        assert f"<{OB}{term}>" in nquads, term
    for text in ("94567", "94568", "Ada Lovelace", "Bend test report", '"B"'):
        assert text in nquads, text


class Offline:
    """Resolves what needs no network."""

    async def resolve(self, did: str) -> DidDocument:
        document = resolve_offline(did)
        assert document is not None
        return document


class NoLists:
    """Knows no status list: these records have none."""

    async def get(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        raise NotNow("status.unreachable", "There is no status list here.")

    get_token = get


@pytest.mark.parametrize("slug", ["weld-101", "code-110", "data-120"])
@pytest.mark.parametrize(
    ("data_model", "suite"),
    [
        (Version.V2_0, "eddsa-rdfc-2022"),
        (Version.V2_0, "eddsa-jcs-2022"),
        (Version.V1_1, "Ed25519Signature2020"),
    ],
)
async def test_a_signed_record_passes_every_check(
    rich: dict[str, Any], catalogue: Catalogue, slug: str, data_model: Version, suite: str
) -> None:
    key = KeyPair.from_seed(bytes(32))
    did = did_from_public(key.public)
    issuer = IssuerProfile(did, "Riverside Community College")
    arguments = rich | {"achievement": catalogue.get(slug), "issuer": issuer, "data_model": data_model}
    signer = SoftwareSigner(key, verification_method(did))
    signed = add_proof(build_credential(**arguments), suite=suite, signer=signer, created=rich["valid_from"])
    policy = Policy(trust=TrustedIssuers({did}), schemas=SCHEMA_CHECKERS, known_skills=SkillIndex().known)
    now = rich["valid_from"] + timedelta(days=1)
    result = await verify(signed, resolver=Offline(), statuses=NoLists(), policy=policy, now=now)
    outcomes = {check.check: check.outcome for check in result.checks}
    assert result.verified, result.to_json()
    assert outcomes[Check.SCHEMA] is outcomes[Check.SKILLS] is Outcome.PASS
    assert validate(signed) == []


def test_a_1_1_record_is_valid_under_the_schema_that_the_standard_body_published(rich: dict[str, Any]) -> None:
    published = shared_json("schemas/ob_v3p0_achievementcredential_schema_draft4.json")
    validator = jsonschema_rs.Draft4Validator(published, validate_formats=True, offline=True)
    record = build_credential(**rich, data_model=Version.V1_1)
    # The copy is older than `inLanguage`, which it calls `@language`, and is open there, so nothing needs to go.
    assert [error.message for error in validator.iter_errors(record)] == []
    assert record["issuanceDate"] == "2026-05-31T12:00:00Z"
    assert record["expirationDate"] == "2029-05-31T00:00:00Z"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"subject_did": None}, "record.no_subject"),
        ({"subject_did": "ada"}, "did.malformed"),
        ({"subject_did": None, "subject_email": "ada"}, "record.email"),
        ({"subject_did": None, "subject_email": "ada@example.org"}, "record.salt"),
        ({"subject_did": None, "subject_email": "ada@example.org", "salt": "short"}, "record.salt"),
        ({"credential_id": "3732"}, "record.id"),
        ({"valid_from": datetime(2026, 5, 31)}, "record.validity"),  # noqa: DTZ001
        ({"valid_until": datetime(2026, 5, 31, 12, tzinfo=UTC)}, "record.validity"),
        ({"issuer": IssuerProfile("https://riverside.example", "R")}, "did.malformed"),
    ],
)
def test_what_cannot_be_a_record_is_refused(base: dict[str, Any], change: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput) as caught:
        build_credential(**base | change)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "address", ["a@b.org", "first.last+tag@sub.example.co.uk", "ada@bücher.example", "o'neil@x.io"]
)
def test_an_address_in_use_is_accepted(address: str) -> None:
    assert check_email(address) == address


@pytest.mark.parametrize(
    "address",
    ["", "a", "a@", "@b.org", "a@b", "a b@c.org", "a@b..org", "a@-b.org", "a@b.org\n", "a@@b.org", "<a@b.org>",
     "a@b.org,c@d.org", "A <a@b.org>", "a@b.1", "x" * 65 + "@b.org", "a@" + "b." * 200 + "org"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadInput, match="not an e-mail address"):
        check_email(address)
