"""The vectors of ecdsa-sd-2023 (VC Data Integrity ECDSA 1.0 §A.7 and following) pass, each step byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from protocols.credentials.data_integrity import UnsecuredDocument, add_proof, derive_proof, verify_proof
from protocols.credentials.data_integrity.ecdsa_sd_2023 import EcdsaSd2023
from protocols.credentials.data_integrity.sd_proof_value import BaseProofValue, DerivedProofValue
from protocols.credentials.data_integrity.selection import select
from protocols.credentials.data_integrity.statements import Statements, shuffled_label
from protocols.jsonld.places import placed
from protocols.jsonld.rdfc import canonical_labels, sorted_nquads
from protocols.keys import EcdsaKeyPair, PublicKey, SoftwareSigner
from protocols.multiformats import Multicodec, multibase_decode, multikey_decode
from tests.credentials.vector_contexts import PROCESSOR
from tests.shared_data import shared_json, shared_path

ROOT = "vectors/vc-di-ecdsa"
INPUTS = {"employ": "employ", "prc": "prCred"}
EACH = pytest.mark.parametrize("name", INPUTS)


def published(name: str, step: str) -> Any:
    return shared_json(f"{ROOT}/ecdsa-sd-2023/{name}/{step}.json")


def unsigned(name: str) -> dict[str, Any]:
    """What was signed; the file published as such (prCredUnsigned) has another description than its own steps."""
    return {key: value for key, value in published(name, "addSignedSDBase").items() if key != "proof"}


def pointers(name: str, group: str) -> list[str]:
    return shared_json(f"{ROOT}/{INPUTS[name]}{group}.json")  # type: ignore[no-any-return]


def keys() -> Any:
    return shared_json(f"{ROOT}/ecdsa-sd-2023/SDKeyMaterial.json")


def hmac_key() -> bytes:
    return bytes.fromhex(keys()["hmacKeyString"])


def secret(pair: str) -> bytes:
    return multibase_decode(keys()[pair]["secretKeyMultibase"])[2:]


def entropy() -> Callable[[int], bytes]:
    """The published key of the HMAC, then that of the statements."""
    drawn = iter([hmac_key(), secret("proofKeyPair")])
    return lambda _size: next(drawn)


def statements(name: str) -> Statements:
    return Statements(unsigned(name), hmac_key(), PROCESSOR)


def without_proof(document: dict[str, Any]) -> UnsecuredDocument:
    return UnsecuredDocument({key: value for key, value in document.items() if key != "proof"}, PROCESSOR)


def issuer_key() -> PublicKey:
    return PublicKey.from_multikey(keys()["baseKeyPair"]["publicKeyMultibase"])


def multikey_bytes(text: str) -> bytes:
    codec, raw = multikey_decode(text)
    assert codec is Multicodec.P256_PUB
    return b"\x80\x24" + raw


@EACH
def test_the_canonical_document_is_the_published_one_under_both_kinds_of_labels(name: str) -> None:
    assert PROCESSOR.canonical_nquads(unsigned(name)).splitlines(keepends=True) == published(name, "addBaseDocCanon")
    assert statements(name).lines == published(name, "addBaseDocHMACCanon")


@EACH
def test_the_mandatory_statements_and_their_hash_are_the_published_ones(name: str) -> None:
    expected = published(name, "addBaseTransform")
    made = statements(name)
    indexes = made.group(pointers(name, "Mandatory")).indexes
    assert [[index, made.lines[index]] for index in indexes] == expected["mandatory"]["value"]
    rest = [[index, line] for index, line in enumerate(made.lines) if index not in indexes]
    assert rest == expected["nonMandatory"]["value"]
    digest = hashlib.sha256("".join(made.at(indexes)).encode()).hexdigest()
    assert digest == published(name, "addHashData")["mandatoryHash"]


@EACH
def test_what_the_pointers_name_is_selected(name: str) -> None:
    for item in published(name, "addPointerValues"):
        part = select(placed(unsigned(name)), [item["pointer"]])
        assert part is not None and part[item["pointer"][1:]] == item["value"]


@EACH
def test_the_canonical_proof_configuration_and_its_hash_are_the_published_ones(name: str) -> None:
    canonical = PROCESSOR.canonical_nquads(published(name, "addProofConfig"))
    assert canonical == shared_path(f"{ROOT}/ecdsa-sd-2023/{name}/addProofConfigCanon.txt").read_text()
    assert hashlib.sha256(canonical.encode()).hexdigest() == published(name, "addHashData")["proofHash"]


@EACH
def test_the_base_proof_is_the_published_one_with_each_of_its_signatures(name: str) -> None:
    expected = published(name, "addSignedSDBase")
    raw = published(name, "addRawBaseSignatureInfo")
    pair = EcdsaKeyPair.from_seed(Multicodec.P256_PUB, secret("baseKeyPair"))
    made = add_proof(
        unsigned(name),
        suite="ecdsa-sd-2023",
        signer=SoftwareSigner(pair, expected["proof"]["verificationMethod"]),
        created=datetime.fromisoformat(expected["proof"]["created"]),
        mandatory_pointers=pointers(name, "Mandatory"),
        entropy=entropy(),
        processor=PROCESSOR,
    )
    value = BaseProofValue.decode(made["proof"]["proofValue"])
    assert [item.hex() for item in value.signatures] == raw["signatures"]
    assert value.base_signature.hex() == raw["baseSignature"]
    assert value.public_key == multikey_bytes(raw["publicKey"])
    assert made == expected


@EACH
def test_the_published_base_proof_is_read_and_holds(name: str) -> None:
    signed, recovered = published(name, "addSignedSDBase"), published(name, "derivedRecoveredBaseData")
    value = BaseProofValue.decode(signed["proof"]["proofValue"])
    assert value.hmac_key.hex() == recovered["hmacKey"]
    assert [item.hex() for item in value.signatures] == recovered["signatures"]
    assert value.mandatory_pointers == pointers(name, "Mandatory")
    assert value.encode() == signed["proof"]["proofValue"]
    assert EcdsaSd2023().verify_base(without_proof(signed), signed["proof"], issuer_key())


@EACH
def test_the_groups_of_statements_are_the_published_ones(name: str) -> None:
    expected, indexes = published(name, "derivedAllGroupData")["groups"], published(name, "derivedGroupIndexes")
    mandatory, selective = pointers(name, "Mandatory"), pointers(name, "Selective")
    made = statements(name)
    for group, of in (("mandatory", mandatory), ("selective", selective), ("combined", mandatory + selective)):
        chosen = made.group(of).indexes
        assert chosen == indexes[f"{group}Indexes"]
        assert [[index, made.lines[index]] for index in chosen] == expected[group]["matching"]["value"]


@EACH
def test_what_is_shown_and_its_proof_are_the_published_ones(name: str) -> None:
    disclosed = published(name, "derivedDisclosureData")
    made = derive_proof(published(name, "addSignedSDBase"), pointers(name, "Selective"), processor=PROCESSOR)
    shown = {key: value for key, value in made.items() if key != "proof"}
    assert shown == published(name, "derivedUnsignedReveal")
    value = DerivedProofValue.decode(made["proof"]["proofValue"])
    labels = {f"c14n{number}": shuffled_label(digest)[2:] for number, digest in value.label_map.items()}
    assert labels == dict(disclosed["labelMap"]["value"])
    assert value.mandatory_indexes == published(name, "derivedAdjMandatoryIndexes")["adjMandatoryIndexes"]
    assert [item.hex() for item in value.signatures] == published(name, "derivedAdjSignatures")["filteredSignatures"]
    assert made == published(name, "derivedRevealDocument")


@EACH
def test_a_verifier_reads_the_published_derived_proof_and_finds_it_good(name: str) -> None:
    shown, data = published(name, "derivedRevealDocument"), published(name, "verifyCreateVerifyData")
    value = DerivedProofValue.decode(shown["proof"]["proofValue"])
    parsed = published(name, "verifyDerivedProofValue")
    assert value.base_signature.hex() == parsed["baseSignature"]
    assert value.public_key == multikey_bytes(parsed["publicKey"])
    assert value.mandatory_indexes == parsed["mandatoryIndexes"]
    unsecured = without_proof(shown)
    labels = {
        label: shuffled_label(value.label_map[int(canonical[6:])])
        for label, canonical in canonical_labels(unsecured.quads).items()
    }
    lines = sorted_nquads(unsecured.quads, labels)
    assert lines == published(name, "verifyNQuads")
    assert [line for index, line in enumerate(lines) if index not in value.mandatory_indexes] == data["nonMandatory"]
    assert verify_proof(unsecured, shown["proof"], issuer_key())
    assert not verify_proof(unsecured, {**shown["proof"], "created": "2023-08-15T23:36:39Z"}, issuer_key())
