"""The DID document: a key is usable only under the relationship it stands under."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.did.document import Relationship, parse_document
from protocols.did.syntax import did_of
from protocols.errors import BadInput, LernodeError
from protocols.keys import KeyPair
from protocols.multiformats import Multicodec, b58_encode, b64url_encode, multikey_encode

DID = "did:example:college"
KEY = KeyPair.from_seed(bytes(32))
OTHER = KeyPair.from_seed(bytes([1]) * 32)
X25519 = multikey_encode(Multicodec.X25519_PUB, KEY.x25519_public())


def method(fragment: str = "#key-1", **changes: Any) -> dict[str, Any]:
    base = {"id": fragment, "type": "Multikey", "controller": DID, "publicKeyMultibase": KEY.multikey}
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def document(**changes: Any) -> dict[str, Any]:
    return {"id": DID, "verificationMethod": [method()], "assertionMethod": ["#key-1"], **changes}


def service(**changes: Any) -> dict[str, Any]:
    base = {
        "id": "#didcomm-0",
        "type": "did-communication",
        "serviceEndpoint": "https://college.example/didcomm",
        "recipientKeys": ["#key-1"],
    }
    return {**base, **changes}


def reachable(*services: dict[str, Any]) -> dict[str, Any]:
    return document(authentication=["#key-1"], service=list(services))


@pytest.mark.parametrize("reference", ["#key-1", f"{DID}#key-1"])
@pytest.mark.parametrize("name", ["#key-1", f"{DID}#key-1"])
def test_a_referenced_key_is_found_however_it_is_written(name: str, reference: str) -> None:
    parsed = parse_document(document(verificationMethod=[method(name)], assertionMethod=[reference]), DID)
    found = parsed.method_for(f"{DID}#key-1", Relationship.ASSERTION_METHOD)
    assert (found.id, found.key.raw, found.key.codec) == (f"{DID}#key-1", KEY.public, Multicodec.ED25519_PUB)
    assert parsed.method_for("#key-1", Relationship.ASSERTION_METHOD) == found
    assert parsed.methods(Relationship.ASSERTION_METHOD) == (found,)


def test_a_key_is_not_authorised_for_another_relationship() -> None:
    parsed = parse_document(document(), DID)
    with pytest.raises(BadInput) as caught:
        parsed.method_for(f"{DID}#key-1", Relationship.AUTHENTICATION)
    assert caught.value.code == "did.method_not_authorised"


def test_an_embedded_key_is_authorised_only_where_it_is_embedded() -> None:
    parsed = parse_document({"id": DID, "authentication": [method()]}, DID)
    assert parsed.method_for(f"{DID}#key-1", Relationship.AUTHENTICATION).key.raw == KEY.public
    with pytest.raises(BadInput) as caught:
        parsed.method_for(f"{DID}#key-1", Relationship.ASSERTION_METHOD)
    assert caught.value.code == "did.method_not_authorised"


@pytest.mark.parametrize("url", [f"{DID}#key-2", "did:example:other#key-1", DID, ""])
def test_a_method_that_the_document_does_not_have_is_unknown(url: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_document(document(), DID).method_for(url, Relationship.ASSERTION_METHOD)
    assert caught.value.code == "did.method_unknown"


@pytest.mark.parametrize(
    "unusable",
    [
        method(controller="did:example:other"),
        method(type="EcdsaSecp256k1VerificationKey2019"),
        method(publicKeyMultibase=X25519),
        method(publicKeyMultibase="z2J9gcGMwFj5dFRM6nhT4RDGwmurFXiy6maxztsN9qvkbDSVwQasde2BXH6AM73Mo9nrQdbvhaP7fSPmdsCVyRjRyhkkaKt7"),
        method(publicKeyMultibase="z0OIl"),
        method(publicKeyMultibase=None),
        method(publicKeyJwk={"kty": "OKP"}),
        method(type="Ed25519VerificationKey2020", publicKeyMultibase=X25519),
        method(type="Ed25519VerificationKey2018", publicKeyMultibase=None, publicKeyBase58="abc"),
        method(
            type="JsonWebKey",
            publicKeyMultibase=None,
            publicKeyJwk={"kty": "OKP", "crv": "Ed25519", "x": b64url_encode(KEY.public), "d": "secret"},
        ),
        method(type="JsonWebKey", publicKeyMultibase=None, publicKeyJwk={"kty": "EC", "crv": "P-256", "x": ""}),
    ],
)  # fmt: skip
def test_a_method_that_cannot_be_used_stays_in_raw_and_signs_nothing(unusable: dict[str, Any]) -> None:
    raw = document(verificationMethod=[unusable])
    parsed = parse_document(raw, DID)
    assert parsed.raw == raw
    assert parsed.methods(Relationship.ASSERTION_METHOD) == ()
    with pytest.raises(BadInput) as caught:
        parsed.method_for(f"{DID}#key-1", Relationship.ASSERTION_METHOD)
    assert caught.value.code == "did.method_not_authorised"


def test_a_key_under_the_name_of_another_did_is_not_usable() -> None:
    foreign = "did:example:other#key-1"
    parsed = parse_document(document(verificationMethod=[method(foreign)], assertionMethod=[foreign]), DID)
    assert parsed.methods(Relationship.ASSERTION_METHOD) == ()


@pytest.mark.parametrize(
    ("kind", "material", "codec", "key"),
    [
        ("Multikey", {"publicKeyMultibase": KEY.multikey}, Multicodec.ED25519_PUB, KEY.public),
        ("Multikey", {"publicKeyMultibase": X25519}, Multicodec.X25519_PUB, KEY.x25519_public()),
        (
            "Ed25519VerificationKey2018", {"publicKeyBase58": b58_encode(KEY.public)},
            Multicodec.ED25519_PUB, KEY.public,
        ),
        ("Ed25519VerificationKey2020", {"publicKeyMultibase": KEY.multikey}, Multicodec.ED25519_PUB, KEY.public),
        (
            "X25519KeyAgreementKey2019", {"publicKeyBase58": b58_encode(KEY.x25519_public())},
            Multicodec.X25519_PUB, KEY.x25519_public(),
        ),
        ("X25519KeyAgreementKey2020", {"publicKeyMultibase": X25519}, Multicodec.X25519_PUB, KEY.x25519_public()),
        (
            "JsonWebKey2020", {"publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": b64url_encode(KEY.public)}},
            Multicodec.ED25519_PUB, KEY.public,
        ),
        (
            "JsonWebKey", {"publicKeyJwk": {"kty": "OKP", "crv": "X25519", "x": b64url_encode(KEY.x25519_public())}},
            Multicodec.X25519_PUB, KEY.x25519_public(),
        ),
    ],
)  # fmt: skip
def test_every_supported_type_of_method_gives_its_key(
    kind: str, material: dict[str, Any], codec: Multicodec, key: bytes
) -> None:
    raw = {"id": DID, "keyAgreement": [method(type=kind, publicKeyMultibase=None) | material]}
    (found,) = parse_document(raw, DID).methods(Relationship.KEY_AGREEMENT)
    assert (found.type, found.key.codec, found.key.raw) == (kind, codec, key)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        [],
        document(id="did:example:other"),
        document(verificationMethod={"id": "#key-1"}),
        document(verificationMethod=["#key-1"]),
        document(verificationMethod=[method(controller=None)]),
        document(verificationMethod=[method("key-1")]),
        document(verificationMethod=[method("#key 1")]),
        document(verificationMethod=[method(), method(publicKeyMultibase=OTHER.multikey)]),
        document(authentication=[method(publicKeyMultibase=OTHER.multikey)]),
        document(assertionMethod="#key-1"),
        document(assertionMethod=[1]),
        document(assertionMethod=["#key-1"] * 1000),
        document(service=[service(), service()]),
        document(service=[service(id=None)]),
        document(alsoKnownAs="did:example:alias"),
    ],
)
def test_a_malformed_document_is_refused(raw: Any) -> None:
    with pytest.raises(BadInput) as caught:
        parse_document(raw, DID)
    assert caught.value.code == "did.document_malformed"


@pytest.mark.parametrize(
    "reference",
    [
        "#key-1",
        f"{DID}#key-1",
        KEY.verkey,
        f"did:key:{KEY.multikey}",
        f"did:key:{KEY.multikey}#{KEY.multikey}",
    ],
)
def test_recipient_and_routing_keys_come_out_as_raw_base58(reference: str) -> None:
    parsed = parse_document(reachable(service(recipientKeys=[reference], routingKeys=[reference])), DID)
    found = parsed.didcomm_service()
    assert found.recipient_keys == found.routing_keys == (KEY.verkey,)
    assert found.id == f"{DID}#didcomm-0"


def test_the_service_with_the_lowest_priority_number_is_taken_and_did_communication_before_indy_agent() -> None:
    later = service(id="#later", priority=2)
    indy = service(id="#indy", type="IndyAgent", priority=1, recipientKeys=[KEY.verkey])
    first = service(id="#first", priority=1)
    other = {"id": "#page", "type": "LinkedDomains", "serviceEndpoint": "https://college.example"}
    parsed = parse_document(reachable(other, later, indy, first), DID)
    assert parsed.didcomm_service().id == f"{DID}#first"
    assert [found.type for found in parsed.services].count("LinkedDomains") == 1


def test_a_didcomm_v2_service_is_read_in_its_map_form() -> None:
    endpoint = {"uri": "https://college.example", "accept": ["didcomm/v2"], "routingKeys": ["did:example:m#k"]}
    raw = document(service=[{"id": "#v2", "type": "DIDCommMessaging", "serviceEndpoint": [endpoint]}])
    (found,) = parse_document(raw, DID).services
    assert (found.endpoint, found.accept, found.routing_keys) == (
        "https://college.example", ("didcomm/v2",), ("did:example:m#k",),
    )  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [
        service(recipientKeys=[]),
        service(recipientKeys=["#key-9"]),
        service(recipientKeys="#key-1"),
        service(routingKeys=["did:example:mediator#key-1"]),
        service(serviceEndpoint=""),
        service(serviceEndpoint={"origins": []}),
        service(priority="high"),
        service(priority=True),
        service(type=7),
        service(accept=[1]),
    ],
)
def test_a_service_that_cannot_be_used_is_left_out(broken: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        parse_document(reachable(broken), DID).didcomm_service()
    assert caught.value.code == "did.no_didcomm_service"


@pytest.mark.parametrize(
    "text", ["", "did", "did:", "did:x", "did:x:", "DID:x:y", "did:X:y", "did:x:y z", "did:x:%zz",
                                  "did:x:y:", "did:x:é", "did:x:y#a b", "did:x:" + "y" * 20_000, "did:x:y#a#b",
                                  "did:x:y?a#b?#", "did:x:y" + 900 * "?" + "\0", "did:x:y" + 900 * "/#" + " "]
)  # fmt: skip
def test_what_is_not_a_did_url_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        did_of(text)
    assert caught.value.code == "did.malformed"


PROPERTY = st.sampled_from(
    ["id", "type", "controller", "verificationMethod", "publicKeyMultibase", "publicKeyJwk", "publicKeyBase58", "kty",
     "crv", "x", "service", "serviceEndpoint", "recipientKeys", "routingKeys", "accept", "priority", "uri",
     "alsoKnownAs", *Relationship]
)  # fmt: skip
LEAF = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from([DID, "#key-1", "Multikey", "JsonWebKey", "OKP", "Ed25519", "did-communication", KEY.multikey])
)  # fmt: skip
JSON = st.recursive(LEAF, lambda s: st.lists(s, max_size=4) | st.dictionaries(PROPERTY, s, max_size=5), max_leaves=25)


@settings(max_examples=300)
@given(st.dictionaries(PROPERTY, JSON, max_size=6), st.booleans())
def test_any_json_is_a_document_or_a_refusal(raw: dict[str, Any], named: bool) -> None:
    try:
        parsed = parse_document({**raw, "id": DID} if named else raw, DID)
        parsed.didcomm_service()
    except LernodeError:
        return
    assert parsed.id == DID


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ({"revoked": "2026-03-01T00:00:00Z"}, "did.method_revoked"),
        ({"revoked": "some day"}, "did.method_revoked"),
        ({"expires": "2026-03-01T00:00:00Z"}, "did.method_expired"),
        ({"expires": "2026-03-01T00:00:01Z"}, None),
        ({"expires": "2027-03-01T00:00:00Z", "revoked": "2025-01-01T00:00:00Z"}, "did.method_revoked"),
    ],
)
def test_a_key_ends_at_the_time_that_its_method_states(end: dict[str, str], code: str | None) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    raw = document(verificationMethod=[method() | end], assertionMethod=["#key-1"])
    parsed = parse_document(raw, DID, now=now)
    try:
        found: str | None = None
        parsed.method_for("#key-1", Relationship.ASSERTION_METHOD)
    except BadInput as error:
        found = error.code
    assert found == code


def test_without_a_clock_a_key_that_states_an_end_is_not_used() -> None:
    raw = document(verificationMethod=[method() | {"expires": "2999-01-01T00:00:00Z"}], assertionMethod=["#key-1"])
    assert parse_document(raw, DID).methods(Relationship.ASSERTION_METHOD) == ()
