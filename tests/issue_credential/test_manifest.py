"""Issue Credential 3.0 with the attachments of WACI-DIDComm §Issuance: what is read, refused, and allowed to differ."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.didcomm import codec
from protocols.didcomm.message import Wire
from protocols.errors import LernodeError, PeerFault
from protocols.issue_credential.ld_proof import LdProofVcDetail, with_holder
from protocols.issue_credential.manifest import fulfillment_difference
from protocols.issue_credential.messages import (
    IssueCredentialMessage,
    Message,
    OfferCredential,
    ProposeCredential,
    RequestCredential,
    decode,
)
from tests.issue_credential.manifests import APPLICATION, ASKING, MANIFEST, OFFERED, SIGNED
from tests.issue_credential.samples import HOLDER, credential, detail
from tests.issue_credential.test_wire_v2 import VALUES, carried, places

HEADERS: dict[str, Any] = {"id": "m-2", "thid": "m-1", "pthid": "i-1"}
MESSAGES: list[Message] = [
    ProposeCredential(**HEADERS, details=()),
    OfferCredential(**HEADERS, details=OFFERED, manifest=MANIFEST),
    RequestCredential(**HEADERS, application=APPLICATION),
    IssueCredentialMessage(**HEADERS, credentials=SIGNED, manifest_id="m"),
    OfferCredential(**HEADERS, details=OFFERED, manifest=ASKING),
]
OFFER, ISSUED = (codec.encode_object(MESSAGES[n].encode(Wire.V2)) for n in (1, 3))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_what_is_written_is_read_as_the_same(message: Message) -> None:
    assert decode(carried(message)) == message


@settings(max_examples=400)
@given(which=st.sampled_from(MESSAGES[1:]), data=st.data())
def test_any_part_may_be_anything_and_is_read_or_refused(which: Message, data: st.DataObject) -> None:
    raw = copy.deepcopy(codec.encode_object(which.encode(Wire.V2)))
    *above, last = data.draw(st.sampled_from([place for place in places(raw) if place]))
    parent = raw
    for step in above:
        parent = parent[step]
    parent[last] = data.draw(VALUES)
    try:
        decode(codec.decode(json.dumps(raw).encode(), Wire.V2))
    except LernodeError as refused:
        assert refused.code


def entry(position: int, **changes: Any) -> dict[str, Any]:
    return {"id": f"d-{position}", "format": "ldp_vc", "path": f"$.verifiableCredential[{position}]", **changes}


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([entry(0)], "issue_credential.malformed"),
        ([entry(0), entry(0, id="d-1")], "issue_credential.malformed"),
        ([entry(0), entry(1, id="d-0")], "issue_credential.malformed"),
        ([entry(0), entry(1, path="$.verifiableCredential[*]")], "issue_credential.malformed"),
        ([entry(0), entry(1, path="$..secret")], "issue_credential.malformed"),
        ([entry(0), entry(1), entry(2)], "issue_credential.malformed"),
        ([entry(0), entry(1, format="jwt_vc")], "issue_credential.unsupported_format"),
        ([entry(n % 2) for n in range(17)], "issue_credential.malformed"),
    ],
)
def test_each_record_is_named_once_and_nothing_comes_along(entries: list[Any], code: str) -> None:
    raw = copy.deepcopy(ISSUED)
    raw["attachments"][0]["data"]["json"]["credential_fulfillment"]["descriptor_map"] = entries
    with pytest.raises(PeerFault) as refused:
        decode(codec.decode(json.dumps(raw).encode(), Wire.V2))
    assert refused.value.code == code


def test_the_format_of_the_presentation_may_stand_for_that_of_the_records_in_it() -> None:
    """As Extrimian's issuers write it unless they are told otherwise."""
    raw = copy.deepcopy(ISSUED)
    for one in raw["attachments"][0]["data"]["json"]["credential_fulfillment"]["descriptor_map"]:
        one["format"] = "ldp_vp"
    read = decode(codec.decode(json.dumps(raw).encode(), Wire.V2))
    assert isinstance(read, IssueCredentialMessage)
    assert read.credentials == SIGNED


def test_records_are_known_by_their_descriptors_whatever_their_order() -> None:
    raw = copy.deepcopy(ISSUED)
    content = raw["attachments"][0]["data"]["json"]
    content["verifiableCredential"].reverse()
    for one, other in zip(content["credential_fulfillment"]["descriptor_map"], (1, 0), strict=True):
        one["path"] = f"$.verifiableCredential[{other}]"
    read = decode(codec.decode(json.dumps(raw).encode(), Wire.V2))
    assert isinstance(read, IssueCredentialMessage)
    assert read.credentials == SIGNED


def test_a_preview_of_another_manifest_is_refused() -> None:
    raw = copy.deepcopy(OFFER)
    raw["attachments"][1]["data"]["json"]["credential_fulfillment"]["manifest_id"] = "another"
    with pytest.raises(PeerFault) as refused:
        decode(codec.decode(json.dumps(raw).encode(), Wire.V2))
    assert refused.value.code == "issue_credential.malformed"


def test_where_both_are_attached_what_binds_the_issuer_is_read() -> None:
    plain = codec.encode_object(OfferCredential(**HEADERS, details=(detail(),)).encode(Wire.V2))
    raw = {**OFFER, "attachments": [*OFFER["attachments"], *plain["attachments"]]}
    read = decode(codec.decode(json.dumps(raw).encode(), Wire.V2))
    assert isinstance(read, OfferCredential)
    assert (read.manifest, read.details) == (None, (detail(),))


PROVED = {"proof": {"type": "Ed25519Signature2018"}}
SUITE = "https://w3id.org/security/suites/ed25519-2018/v1"


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        (PROVED, None),
        ({}, "proof"),
        ({**PROVED, "id": "urn:uuid:9"}, None),
        ({**PROVED, "id": 9}, "id"),
        ({**PROVED, "validFrom": "2026-01-01T00:00:00Z"}, None),
        ({**PROVED, "credentialStatus": {"type": "BitstringStatusListEntry"}}, None),
        ({**PROVED, "credentialStatus": []}, "credentialStatus"),
        ({**PROVED, "@context": ["https://www.w3.org/ns/credentials/v2", SUITE]}, None),
        ({**PROVED, "@context": ["https://www.w3.org/ns/credentials/v2", "https://example.org/odd"]}, "@context"),
        ({**PROVED, "@context": ["https://www.w3.org/ns/credentials/v2", {"name": "https://x.example"}]}, "@context"),
        ({**PROVED, "@context": [SUITE, "https://www.w3.org/ns/credentials/v2"]}, "@context"),
        ({**PROVED, "issuer": "did:example:other"}, "issuer"),
        ({**PROVED, "evidence": {}}, "evidence"),
        ({**PROVED, "credentialSubject": {"id": HOLDER}}, "credentialSubject"),
    ],
)
def test_a_record_is_what_its_preview_showed(changes: dict[str, Any], differing: str | None) -> None:
    preview = with_holder(LdProofVcDetail.of_preview(credential()), HOLDER)
    assert fulfillment_difference(preview, {**preview.credential, **changes}) == differing
