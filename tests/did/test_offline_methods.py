"""did:key, did:peer:2 and did:peer:4: the document follows from the identifier."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import strict_json
from protocols.did import key, peer2, peer4
from protocols.did.document import Relationship
from protocols.did.resolver import resolve_offline
from protocols.errors import BadInput, LernodeError
from protocols.keys import KeyPair
from protocols.multiformats import (
    Multicodec,
    b58_decode,
    b64url_encode,
    multibase_encode,
)
from tests.shared_data import shared_json, shared_path

KEY = KeyPair.from_seed(bytes(32))
MEDIATOR = KeyPair.from_seed(bytes([1]) * 32)
ENDPOINT = "https://college.example/didcomm"

# seed, did:key, derived X25519 key: the test vectors of the did:key method (w3c-ccg/did-method-key)
KEY_VECTORS = [
    (0, "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW"),
    (1, "z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG", "z6LSrHyXiPBhUbvPUtyUCdf32sniiMGPTAesgHrtEa4FePtr"),
    (2, "z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf", "z6LSkkqoZRC34AEpbkhZCqLDcHQVAxuLpQ7kC8XCXMVUfvjE"),
    (3, "z6MkvqoYXQfDDJRv8L4wKzxYeuKyVZBfi9Qo6Ro8MiLH3kDQ", "z6LSiUo6AEDat8Ze4nQzDo67SGuHLLwsUGkxndHGUjsywHow"),
    (4, "z6MkwW6aqMnjgrhJXFUko3NnZPGzVpkNzhYK7yEhnsibmLwL", "z6LSrGb3qm4xMCEBjvwkLb2WEcXfTM94Tu1RyGCbT5wbg8i9"),
]

# The example of Peer DID Method Specification, Method 3: a did:peer:2 and its did:peer:3.
PEER2_EXAMPLE = (
    "did:peer:2.Ez6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc.Vz6MkqRYqQiSgvZQdnBytw86Qbs2ZWUkGv22od935YF4s8M7V"
    ".Vz6MkgoLTnTypo3tDRwCkZXSccTPHRLhF4ZnjhueYAFpEX6vg.SeyJ0IjoiZG0iLCJzIjoiaHR0cHM6Ly9leGFtcGxlLmNvbS9lbmRwb2ludCIs"
    "InIiOlsiZGlkOmV4YW1wbGU6c29tZW1lZGlhdG9yI3NvbWVrZXkiXSwiYSI6WyJkaWRjb21tL3YyIiwiZGlkY29tbS9haXAyO2Vudj1yZmM1ODci"
    "XX0"
)
PEER3_EXAMPLE = "did:peer:3zQmS19jtYDvGtKVrJhQnRFpBQAx3pJ9omx2HpNrcXFuRCz9"


@pytest.mark.parametrize(("number", "multikey", "agreement"), KEY_VECTORS)
def test_did_key_vectors(number: int, multikey: str, agreement: str) -> None:
    pair = KeyPair.from_seed(number.to_bytes(32, "big"))
    did = key.did_from_public(pair.public)
    assert did == f"did:key:{multikey}"
    assert key.verification_method(did) == f"{did}#{multikey}"
    document = key.resolve(did)
    for relationship in set(Relationship) - {Relationship.KEY_AGREEMENT}:
        assert document.method_for(f"{did}#{multikey}", relationship).key.raw == pair.public
    (found,) = document.methods(Relationship.KEY_AGREEMENT)
    assert (found.id, found.key.codec, found.key.raw) == (
        f"{did}#{agreement}", Multicodec.X25519_PUB, pair.x25519_public(),
    )  # fmt: skip


def test_an_x25519_did_key_can_only_agree_on_keys() -> None:
    document = key.resolve("did:key:z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW")
    assert [r for r in Relationship if document.methods(r)] == [Relationship.KEY_AGREEMENT]


@pytest.mark.parametrize(
    "did",
    [
        "did:key:z6Mk",
        "did:key:u7QE7aicnvyTVLAt5n-dXPtbVfZ27kF8PiVUUUm6FLpgXkw",
        f"did:key:{KEY.multikey}#{KEY.multikey}",
        "did:key:zUC7EK3ZakmukHhuncwkbySmomv3FmrkmS36E4Ks5rsb6VQSRpoCrx6Hb8e2Nk6UvJFSdyw9NK1scFXJp21gNNYFjVWNgaqyGnkyhtaga",
        f"did:key:1:{KEY.multikey}",
        f"did:key:-4:{KEY.multikey}",
        "did:key:z" + "1" * 9000,
        "did:web:example.com",
    ],
)
def test_a_did_key_without_a_good_key_is_refused(did: str) -> None:
    with pytest.raises(BadInput) as caught:
        key.resolve(did)
    assert caught.value.code == "did.malformed"


def test_the_did_peer_2_example_of_the_specification() -> None:
    document = peer2.resolve(PEER2_EXAMPLE)
    assert document.also_known_as == (PEER3_EXAMPLE,)
    assert [m.id for m in document.methods(Relationship.KEY_AGREEMENT)] == [f"{PEER2_EXAMPLE}#key-1"]
    assert [m.id for m in document.methods(Relationship.AUTHENTICATION)] == [
        f"{PEER2_EXAMPLE}#key-2",
        f"{PEER2_EXAMPLE}#key-3",
    ]
    (service,) = document.raw["service"]
    assert service == {
        "type": "DIDCommMessaging",
        "serviceEndpoint": "https://example.com/endpoint",
        "routingKeys": ["did:example:somemediator#somekey"],
        "accept": ["didcomm/v2", "didcomm/aip2;env=rfc587"],
        "id": "#service",
    }


def encoded(service: Any) -> str:
    return ".S" + b64url_encode(json.dumps(service).encode())


@pytest.mark.parametrize("as_list", [False, True])
def test_did_peer_2_services_are_read_one_by_one_or_as_a_list(as_list: bool) -> None:
    services = [
        {"t": "did-communication", "s": ENDPOINT, "recipientKeys": ["#key-1"], "priority": 5},
        {"id": "#named", "t": "dm", "s": {"uri": ENDPOINT, "a": ["didcomm/v2"], "r": []}},
        {"type": "did-communication", "serviceEndpoint": ENDPOINT, "recipientKeys": ["#key-1"]},
    ]
    did = f"did:peer:2.V{KEY.multikey}" + (encoded(services) if as_list else "".join(map(encoded, services)))
    document = peer2.resolve(did)
    assert [s.id for s in document.services] == [f"{did}#service", f"{did}#named", f"{did}#service-1"]
    assert document.services[1].type == "DIDCommMessaging"
    assert document.services[1].accept == ("didcomm/v2",)
    assert document.didcomm_service().id == f"{did}#service-1"
    assert document.didcomm_service().recipient_keys == (KEY.verkey,)


@pytest.mark.parametrize(
    ("code", "relationship"),
    [
        ("A", Relationship.ASSERTION_METHOD), ("V", Relationship.AUTHENTICATION), ("E", Relationship.KEY_AGREEMENT),
        ("I", Relationship.CAPABILITY_INVOCATION), ("D", Relationship.CAPABILITY_DELEGATION),
    ],
)  # fmt: skip
def test_did_peer_2_purpose_codes(code: str, relationship: Relationship) -> None:
    document = peer2.resolve(f"did:peer:2.{code}{KEY.multikey}")
    assert [r for r in Relationship if document.methods(r)] == [relationship]


@pytest.mark.parametrize(
    "tail",
    ["", ".", f".X{KEY.multikey}", f".V{KEY.multikey[1:]}", ".Sabc", encoded("text"), encoded(["text"]),
     encoded({"t": "dm", "type": "dm"}), ".V" + KEY.multikey + encoded({}) * 80],
)  # fmt: skip
def test_a_malformed_did_peer_2_is_refused(tail: str) -> None:
    with pytest.raises(BadInput) as caught:
        peer2.resolve("did:peer:2" + tail)
    assert caught.value.code == "did.malformed"


@pytest.mark.parametrize("method", [peer2, peer4])
def test_a_created_peer_did_resolves_to_its_key_endpoint_and_route(method: Any) -> None:
    did = method.create(KEY.public, endpoint=ENDPOINT, routing_keys=[MEDIATOR.verkey])
    document = method.resolve(did)
    assert resolve_offline(did) == document
    assert [m.key.raw for m in document.methods(Relationship.AUTHENTICATION)] == [KEY.public]
    assert document.methods(Relationship.KEY_AGREEMENT)
    service = document.didcomm_service()
    assert (service.endpoint, service.recipient_keys, service.routing_keys) == (
        ENDPOINT, (KEY.verkey,), (MEDIATOR.verkey,),
    )  # fmt: skip
    assert (service.type, service.priority, service.accept) == ("did-communication", 0, ("didcomm/aip2;env=rfc19",))
    assert document.raw["service"][0]["routingKeys"] == [f"did:key:{MEDIATOR.multikey}#{MEDIATOR.multikey}"]


@pytest.mark.parametrize("method", [peer2, peer4])
@pytest.mark.parametrize(
    "arguments",
    [
        {"public": bytes(5), "endpoint": ENDPOINT},
        {"public": KEY.public, "endpoint": "nowhere"},
        {"public": KEY.public, "endpoint": ENDPOINT, "routing_keys": ["did:key:abc"]},
        {"public": KEY.public, "endpoint": ENDPOINT, "routing_keys": ["abc"]},
    ],
)
def test_a_peer_did_is_not_made_of_bad_parts(method: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        method.create(**arguments)


def aca_py_dids() -> list[str]:
    text = shared_path("wire/acapy/exchange.json").read_text()
    return sorted({did for did in re.findall(r'did:peer:4[^"\\#]+', text) if did.count(":") == 3})


def test_the_did_peer_4_of_aca_py_resolves_to_the_keys_that_packed_its_messages() -> None:
    verkeys = {m["sender_verkey"] for m in shared_json("wire/acapy/exchange.json")}
    dids = aca_py_dids()
    assert len(dids) == 2
    for did in dids:
        service = peer4.resolve(did).didcomm_service()
        assert set(service.recipient_keys) <= verkeys
        assert service.endpoint.startswith("http://127.0.0.1:80")


def test_our_did_peer_4_has_the_shape_of_aca_pys() -> None:
    theirs = content(aca_py_dids()[0])
    ours = content(peer4.create(KEY.public, endpoint=ENDPOINT))
    accept = ours["service"][0].pop("accept")
    assert accept == ["didcomm/aip2;env=rfc19"]
    ours["verificationMethod"][0]["publicKeyMultibase"] = theirs["verificationMethod"][0]["publicKeyMultibase"]
    ours["service"][0]["serviceEndpoint"] = theirs["service"][0]["serviceEndpoint"]
    assert ours == theirs


def content(did: str) -> Any:
    return json.loads(b58_decode(did.split(":")[3][1:])[2:])


def test_did_peer_4_is_contextualised() -> None:
    did = peer4.create(KEY.public, endpoint=ENDPOINT)
    short = peer4.short_form(did)
    assert did.startswith(short + ":")
    assert peer4.short_form(short) == short
    assert (peer4.is_long_form(did), peer4.is_long_form(short)) == (True, False)
    long_document, short_document = peer4.resolve(did), peer4.resolve_short(did)
    assert (long_document.id, long_document.also_known_as) == (did, (short,))
    assert (short_document.id, short_document.also_known_as) == (short, (did,))
    assert long_document.raw["verificationMethod"][0]["controller"] == did
    assert long_document.raw["verificationMethod"][0]["id"] == "#key-0"
    assert short_document.method_for(f"{short}#key-0", Relationship.AUTHENTICATION).key.raw == KEY.public


def test_the_did_peer_4_hash_of_the_reference_implementation() -> None:
    did = "did:peer:4zQmb7xLdVY9TXx8oov5XgpGUmGELgqiAV2699s43i6Qdm3M:zQSJgiFTYiCHjQ9MktwNThRXM7a"
    assert peer4.resolve(did).raw == {"hello": "world", "id": did, "alsoKnownAs": [peer4.short_form(did)]}


def long_form(document: Any, prefix: bytes = b"\x80\x04") -> str:
    text = multibase_encode(prefix + json.dumps(document).encode())
    digest = hashlib.sha256(text.encode()).digest()
    return f"did:peer:4{multibase_encode(bytes([0x12, 0x20]) + digest)}:{text}"


def test_a_did_peer_4_keeps_another_controller_and_other_names() -> None:
    other = {"id": "#key-0", "type": "Multikey", "controller": "did:example:a", "publicKeyMultibase": KEY.multikey}
    did = long_form({"alsoKnownAs": ["did:example:b"], "authentication": [other]})
    document = peer4.resolve(did)
    assert document.also_known_as == ("did:example:b", peer4.short_form(did))
    assert document.methods(Relationship.AUTHENTICATION) == ()


def test_a_did_peer_4_whose_document_was_changed_is_refused() -> None:
    mine, yours = (peer4.create(pair.public, endpoint=ENDPOINT) for pair in (KEY, MEDIATOR))
    with pytest.raises(BadInput) as caught:
        peer4.resolve(f"{peer4.short_form(mine)}:{yours.split(':')[3]}")
    assert caught.value.code == "did.hash_mismatch"


def test_a_short_did_peer_4_alone_cannot_be_resolved() -> None:
    with pytest.raises(BadInput) as caught:
        resolve_offline(peer4.short_form(peer4.create(KEY.public, endpoint=ENDPOINT)))
    assert caught.value.code == "did.short_form"


@pytest.mark.parametrize(
    ("did", "code"),
    [
        (long_form({"id": "did:example:a"}), "did.malformed"),
        (long_form([]), "did.malformed"),
        (long_form({}, prefix=b"\x00\x00"), "did.malformed"),
        (long_form({"authentication": "#key-0"}), "did.document_malformed"),
        (long_form({"alsoKnownAs": "x"}), "did.document_malformed"),
        (long_form({"a": "x" * 7000}), "did.malformed"),
        ("did:peer:4zabc:m123", "did.malformed"),
        ("did:peer:4zabc:z123", "did.hash_mismatch"),
        ("did:peer:4zabc:z:z", "did.malformed"),
    ],
)  # fmt: skip
def test_a_malformed_did_peer_4_is_refused(did: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        peer4.resolve(did)
    assert caught.value.code == code


def test_a_method_that_has_no_file_is_unsupported() -> None:
    with pytest.raises(BadInput) as caught:
        resolve_offline("did:sov:WRfXPg8dantKVubE3HX8pw")
    assert caught.value.code == "did.method_unsupported"


def test_did_web_is_not_resolved_offline() -> None:
    assert resolve_offline("did:web:college.example") is None


@settings(max_examples=200)
@given(
    st.sampled_from(["did:key:z", "did:peer:2.", "did:peer:2.S", "did:peer:4z", "did:web:", "did:", ""]),
    st.text(max_size=60) | st.text("123ABCxyz.:%-_SV", max_size=60),
)
def test_any_text_resolves_or_is_refused(prefix: str, text: str) -> None:
    try:
        document = resolve_offline(prefix + text)
    except LernodeError:
        return
    assert document is None or document.id == prefix + text


NAMES = st.sampled_from(["verificationMethod", "authentication", "service", "alsoKnownAs", "id", "t", "type"])
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
)


@settings(max_examples=100)
@given(JSON)
def test_any_json_in_a_peer_did_resolves_or_is_refused(value: Any) -> None:
    for did in (long_form(value), f"did:peer:2.V{KEY.multikey}{encoded(value)}"):
        try:
            assert resolve_offline(did) is not None
        except LernodeError as error:
            assert error.code.startswith("did.")


def test_created_documents_are_compact_json() -> None:
    body = b58_decode(peer4.create(KEY.public, endpoint=ENDPOINT).split(":")[3][1:])[2:]
    assert body == strict_json.dumps(json.loads(body))


@pytest.mark.parametrize(
    "did",
    [
        # did:key method 0.9, §A.3 (P-256) and §A.4 (P-384)
        "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
        "did:key:z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9",
    ],
)
def test_the_key_of_an_ecdsa_did_key_has_every_relationship(did: str) -> None:
    document = key.resolve(did)
    multikey = did.removeprefix("did:key:")
    for relationship in Relationship:
        assert document.method_for(f"{did}#{multikey}", relationship).key.multikey == multikey
