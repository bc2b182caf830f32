"""relatedResource: what is at hand has the digests that the issuer stated, or the record is not verified."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import json
from typing import Any

import pytest

from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.credentials.verify import verify
from protocols.jsonld.contexts import BUNDLED, ContextStore
from protocols.jsonld.editions import EDITIONS
from protocols.jsonld.processor import Processor
from protocols.multiformats import b64url_encode, multibase_encode
from tests.credentials.test_schemas import Files, sri
from tests.credentials.worlds import NOW, OB, TRUSTING, V2, Dids, Lists, found, issue, record

URL = "https://college.example/logo.png"
OWN = "https://college.example/context"
OWN_BYTES = b'{ "@context": {"grade": "https://college.example/terms#grade"} }'
LOGO = b"\x89PNG"


def checked(*resources: dict[str, Any], processor: Processor | None = None) -> CheckResult:
    files = Files({URL: LOGO})
    processor = processor or Processor(ContextStore({OWN: OWN_BYTES}))
    related = {"relatedResource": list(resources)} if resources else {}
    signed = issue(record(**related), suite="eddsa-jcs-2022", processor=processor)  # whose contexts are signed
    policy = dataclasses.replace(TRUSTING, resources=files)
    result = asyncio.run(verify(signed, resolver=Dids(), statuses=Lists(), policy=policy, now=NOW, processor=processor))
    check = found(result, Check.RELATED_RESOURCES)
    assert files.asked == []
    assert result.verified is (check.outcome is not Outcome.FAIL)
    return check


def multihash(prefix: bytes, algorithm: str) -> bytes:
    return prefix + hashlib.new(algorithm, LOGO).digest()


@pytest.mark.parametrize(
    "digests",
    [
        {"digestSRI": sri(LOGO, "sha256")},
        {"digestSRI": sri(LOGO, "sha512")},
        {"digestSRI": sri(LOGO).replace("+", "-").replace("/", "_") + "?ct=image/png"},
        {"digestSRI": f"{sri(b'', 'sha256')} {sri(b'')} {sri(LOGO)}"},
        {"digestMultibase": multibase_encode(multihash(b"\x12\x20", "sha256"))},
        {"digestMultibase": "u" + b64url_encode(multihash(b"\x20\x30", "sha384"))},
        {"digestMultibase": ["zQmA", "u" + b64url_encode(multihash(b"\x13\x40", "sha512"))]},
        {"digestMultibase": "u" + b64url_encode(multihash(b"", "sha256"))},
        {"digestSRI": sri(LOGO), "digestMultibase": "u" + b64url_encode(multihash(b"\x12\x20", "sha256"))},
    ],
)
def test_a_resource_has_the_digest_that_is_stated(digests: dict[str, Any]) -> None:
    check = checked({"id": URL, **digests})
    assert (check.outcome, check.details) == (Outcome.PASS, {"resources": 1, "matching": 1})


@pytest.mark.parametrize(
    "digests",
    [
        {"digestSRI": sri(b"")},
        {"digestSRI": f"{sri(LOGO, 'sha256')} {sri(b'')}"},
        {"digestSRI": "sha384-AAAA"},
        {"digestMultibase": "u" + b64url_encode(hashlib.sha256(b"").digest())},
        {"digestSRI": sri(LOGO), "digestMultibase": "u" + b64url_encode(hashlib.sha256(b"").digest())},
        {"digestSRI": sri(b""), "digestMultibase": "u" + b64url_encode(hashlib.sha256(LOGO).digest())},
    ],
)
def test_another_digest_fails(digests: dict[str, Any]) -> None:
    check = checked({"id": OWN, "digestSRI": sri(OWN_BYTES)}, {"id": URL, **digests})
    assert (check.outcome, check.code) == (Outcome.FAIL, "related.digest_mismatch")
    assert check.details == {"resources": 2, "matching": 1, "position": 1}


@pytest.mark.parametrize(
    "resource",
    [
        {"id": "https://college.example/elsewhere", "digestSRI": sri(b"")},
        {"id": URL, "digestMultibase": "zQmA"},
    ],
)
def test_what_is_not_at_hand_or_not_comparable_is_not_checked(resource: dict[str, Any]) -> None:
    check = checked(resource, {"id": OWN, "digestSRI": sri(OWN_BYTES)})
    assert (check.outcome, check.code) == (Outcome.NOT_CHECKED, "related.not_at_hand")


def test_a_record_without_related_resources_passes() -> None:
    assert checked().code == "related.none"


@pytest.mark.parametrize("url", BUNDLED)
def test_a_bundled_context_has_the_digest_of_its_file(url: str) -> None:
    assert checked({"id": url, "digestSRI": sri(BUNDLED[url].read())}).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("url", "digest"), [(url, each.digests) for url, several in EDITIONS.items() for each in several]
)
def test_a_context_has_the_digests_of_its_published_forms(url: str, digest: dict[str, bytes]) -> None:
    for algorithm, value in digest.items():
        text = f"{algorithm}-{base64.b64encode(value).decode()}"
        assert checked({"id": url, "digestSRI": text}).outcome is Outcome.PASS
        assert len(value) == hashlib.new(algorithm).digest_size


def test_the_digest_of_version_2_is_that_of_its_specification() -> None:
    stated = "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"
    assert stated in [edition.digests["sha256"].hex() for edition in EDITIONS[V2]]


def test_an_older_edition_does_not_stand_for_a_term_that_it_defines_otherwise() -> None:
    (older,) = [edition for edition in EDITIONS[V2] if edition.other_terms]
    resource = {"id": V2, "digestMultibase": "u" + b64url_encode(older.digests["sha256"])}
    assert checked(resource).outcome is Outcome.PASS
    status = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "message",
        "statusListIndex": "7",
        "statusListCredential": "https://college.example/status/1",
        "statusSize": 2,
    }
    processor = Processor(ContextStore())
    signed = issue(record(relatedResource=resource, credentialStatus=status), processor=processor)
    result = asyncio.run(verify(signed, resolver=Dids(), statuses=Lists(), policy=TRUSTING, now=NOW))
    assert found(result, Check.RELATED_RESOURCES).code == "related.digest_mismatch"


def test_a_configured_context_is_compared_by_the_bytes_of_its_file() -> None:
    assert checked({"id": OWN, "digestSRI": sri(OWN_BYTES)}).outcome is Outcome.PASS
    assert checked({"id": OWN, "digestSRI": sri(json.dumps(json.loads(OWN_BYTES)).encode())}).outcome is Outcome.FAIL
    parsed = Processor(ContextStore({OWN: json.loads(OWN_BYTES)}))
    assert checked({"id": OWN, "digestSRI": sri(OWN_BYTES)}, processor=parsed).outcome is Outcome.NOT_CHECKED


def test_a_configured_context_in_place_of_a_bundled_one_has_its_own_bytes_alone() -> None:
    mine = BUNDLED[V2].read() + b"\n"
    processor = Processor(ContextStore({V2: mine}))
    (published, *_) = EDITIONS[V2]
    text = f"sha256-{base64.b64encode(published.digests['sha256']).decode()}"
    assert checked({"id": V2, "digestSRI": sri(mine)}, processor=processor).outcome is Outcome.PASS
    assert checked({"id": V2, "digestSRI": text}, processor=processor).outcome is Outcome.FAIL
    assert checked({"id": OB, "digestSRI": sri(BUNDLED[OB].read())}, processor=processor).outcome is Outcome.PASS
