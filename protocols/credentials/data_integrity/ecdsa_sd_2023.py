"""ecdsa-sd-2023: a signature a statement, so that the holder may show some statements and not others.

Spec: VC Data Integrity ECDSA 1.0 §3.4 to §3.6. The issuer signs the mandatory statements together with its own P-256
key, and each other statement with a key made for this proof alone, which the signature binds to the proof. Blank
nodes are labelled by an HMAC whose key the holder gets, so that statements that are not shown leave no gap in the
numbers of those that are.

What is shown has to be exactly what was signed: blank nodes that the issuer told apart may not be merged nor one of
them be split, each statement has its signature or is mandatory, and the mandatory ones are complete by their hash.
A derived proof is not unlinkable: its signatures are the same whenever they are shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.credentials.data_integrity.sd_proof_value import (
    MAX_STATEMENTS,
    BaseProofValue,
    DerivedProofValue,
    is_base_proof_value,
)
from protocols.credentials.data_integrity.selection import select
from protocols.credentials.data_integrity.statements import Group, Statements, shuffled_label
from protocols.credentials.data_integrity.suite import (
    Entropy,
    Selective,
    UnsecuredDocument,
    base_proof_shown,
    check_created,
    malformed,
)
from protocols.credentials.data_integrity.terms import DATA_INTEGRITY_CONTEXTS
from protocols.errors import BadInput
from protocols.jsonld.places import placed, plain
from protocols.jsonld.rdfc import sorted_nquads
from protocols.keys import EcdsaKeyPair, PublicKey, Signer
from protocols.multiformats import Multicodec

__all__ = ["EcdsaSd2023"]

_KEY_PREFIX = b"\x80\x24"  # of a P-256 multikey


@dataclass(frozen=True, slots=True)
class EcdsaSd2023(Selective):
    """The suite; it has no state."""

    name: str = "ecdsa-sd-2023"
    proof_type: str = "DataIntegrityProof"
    contexts: tuple[str, ...] = DATA_INTEGRITY_CONTEXTS
    key_types: frozenset[Multicodec] = frozenset({Multicodec.P256_PUB})

    def create_base(
        self,
        unsecured: UnsecuredDocument,
        options: dict[str, Any],
        signer: Signer,
        *,
        mandatory_pointers: Sequence[str],
        entropy: Entropy,
    ) -> dict[str, Any]:
        """Create Base Proof (§3.6.1)."""
        hmac_key = entropy(32)
        statements, mandatory, others = _grouped(unsecured, hmac_key, mandatory_pointers)
        if len(others) > MAX_STATEMENTS:
            message = f"The document has more than {MAX_STATEMENTS} statements that may be withheld."
            raise BadInput("proof.too_many_statements", message, "Make more of them mandatory.")
        pair = _new_pair(entropy)
        public_key = _KEY_PREFIX + pair.public
        value = BaseProofValue(
            base_signature=signer.sign(_sign_data(unsecured, options, public_key, statements.at(mandatory.indexes))),
            public_key=public_key,
            hmac_key=hmac_key,
            signatures=[pair.sign(line.encode()) for line in others],
            mandatory_pointers=list(mandatory_pointers),
        )
        return {**options, "proofValue": value.encode()}

    def derive(
        self, unsecured: UnsecuredDocument, proof: Mapping[str, Any], *, selective_pointers: Sequence[str]
    ) -> dict[str, Any]:
        """Add Derived Proof (§3.6.6)."""
        base = BaseProofValue.decode(proof.get("proofValue"))
        statements, mandatory, others = _grouped(unsecured, base.hmac_key, base.mandatory_pointers)
        if len(base.signatures) != len(others):
            raise malformed("it has another number of signatures than the document has statements")
        combined = statements.group([*base.mandatory_pointers, *selective_pointers])
        if combined.part is None:
            raise BadInput("pointer.none", "Nothing of the document is chosen.", "Give at least one pointer.")
        is_mandatory = set(mandatory.indexes)
        signature_at = dict(
            zip((index for index in range(len(statements.lines)) if index not in is_mandatory), base.signatures,
                strict=True)
        )  # fmt: skip
        value = DerivedProofValue(
            base_signature=base.base_signature,
            public_key=base.public_key,
            signatures=[signature_at[index] for index in combined.indexes if index not in is_mandatory],
            label_map=statements.label_map(combined),
            mandatory_indexes=[place for place, index in enumerate(combined.indexes) if index in is_mandatory],
        )
        return {**plain(combined.part), "proof": {**proof, "proofValue": value.encode()}}

    def verify(self, unsecured: UnsecuredDocument, proof: Mapping[str, Any], key: PublicKey, /) -> bool:
        """Verify Derived Proof (§3.6.7)."""
        if self.is_base(proof):
            raise base_proof_shown()
        value = DerivedProofValue.decode(proof.get("proofValue"))
        lines = _signed_lines(unsecured, value.label_map)
        is_mandatory = set(value.mandatory_indexes)
        if any(index >= len(lines) for index in is_mandatory):
            raise malformed("it names a mandatory statement that is not there")
        mandatory = [line for index, line in enumerate(lines) if index in is_mandatory]
        others = [line for index, line in enumerate(lines) if index not in is_mandatory]
        return _hold(unsecured, proof, value, mandatory, others, key)

    def shows_more(self, unsecured: UnsecuredDocument, proof: Mapping[str, Any], pointers: Sequence[str]) -> bool:
        """Compare the statements that are shown and not mandatory with those of the part that is pointed to."""
        value = DerivedProofValue.decode(proof.get("proofValue"))
        processor = unsecured.processor
        document = placed(unsecured.document)
        quads = processor.placed_quads(document)
        labels = _signed_labels(processor.canonical_labels(quads), value.label_map)
        is_mandatory = set(value.mandatory_indexes)
        part = select(document, pointers)
        asked = set() if part is None else set(sorted_nquads(processor.placed_quads(part), labels))
        chosen = (line for index, line in enumerate(sorted_nquads(quads, labels)) if index not in is_mandatory)
        return not asked.issuperset(chosen)

    def is_base(self, proof: Mapping[str, Any]) -> bool:
        """Whether the proof value has the header of a base proof."""
        return is_base_proof_value(proof.get("proofValue"))

    def verify_base(self, unsecured: UnsecuredDocument, proof: Mapping[str, Any], key: PublicKey) -> bool:
        """Whether all statements of the whole document hold, as a derived proof that shows everything would."""
        base = BaseProofValue.decode(proof.get("proofValue"))
        statements, mandatory, others = _grouped(unsecured, base.hmac_key, base.mandatory_pointers)
        return _hold(unsecured, proof, base, statements.at(mandatory.indexes), others, key)


def _grouped(
    unsecured: UnsecuredDocument, hmac_key: bytes, mandatory_pointers: Sequence[str]
) -> tuple[Statements, Group, list[str]]:
    """The statements of a document, the mandatory ones, and the others."""
    _ = unsecured.quads  # what is wrong with the document is found, and counted, once for all proofs
    statements = Statements(unsecured.document, hmac_key, unsecured.processor)
    mandatory = statements.group(mandatory_pointers)
    apart = set(mandatory.indexes)
    return statements, mandatory, [line for index, line in enumerate(statements.lines) if index not in apart]


def _signed_lines(unsecured: UnsecuredDocument, label_map: Mapping[int, bytes]) -> list[str]:
    """The statements of what is shown, under the labels that were signed."""
    canonical = unsecured.processor.canonical_labels(unsecured.quads)
    return sorted_nquads(unsecured.quads, _signed_labels(canonical, label_map))


def _signed_labels(canonical: Mapping[str, str], label_map: Mapping[int, bytes]) -> dict[str, str]:
    """The labels that were signed, for the canonical ones of what is shown."""
    if set(label_map) != set(range(len(canonical))) or len(set(label_map.values())) != len(label_map):
        raise malformed("its label map is not one of the blank nodes that are shown")
    return {label: shuffled_label(label_map[int(name.removeprefix("_:c14n"))]) for label, name in canonical.items()}


def _hold(
    unsecured: UnsecuredDocument,
    proof: Mapping[str, Any],
    value: BaseProofValue | DerivedProofValue,
    mandatory: list[str],
    others: list[str],
    key: PublicKey,
) -> bool:
    """Whether the signatures hold; the issuer's first, so that strangers cannot make anyone check thousands."""
    if len(value.signatures) != len(others):
        raise malformed("it has another number of signatures than there are statements")
    if len(others) > MAX_STATEMENTS:
        raise malformed(f"it has more than {MAX_STATEMENTS} signatures")
    options = {name: item for name, item in proof.items() if name != "proofValue"}
    if not key.verify(_sign_data(unsecured, options, value.public_key, mandatory), value.base_signature):
        return False
    statement_key = PublicKey(Multicodec.P256_PUB, value.public_key[len(_KEY_PREFIX) :])
    return all(
        statement_key.verify(line.encode(), signature) for line, signature in zip(others, value.signatures, strict=True)
    )


def _sign_data(
    unsecured: UnsecuredDocument, options: Mapping[str, Any], public_key: bytes, mandatory: list[str]
) -> bytes:
    """What the issuer's key signs (§3.5.1)."""
    check_created(options)
    proof_hash = hashlib.sha256(unsecured.nquads_of(options).encode()).digest()
    return proof_hash + public_key + hashlib.sha256("".join(mandatory).encode()).digest()


def _new_pair(entropy: Entropy) -> EcdsaKeyPair:
    """The key pair of one proof; its secret is gone when the proof is made."""
    while True:
        try:
            return EcdsaKeyPair.from_seed(Multicodec.P256_PUB, entropy(32))
        except BadInput:  # not a number of the curve: about once in 2**32 times
            continue
