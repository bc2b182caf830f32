"""Adding proofs to documents, and checking one proof of a set or chain.

Spec: VC Data Integrity 1.0 §4.2 to §4.5. A document is never changed: what is added makes a new one. Which key a
proof has to be checked with, and whether it may be used, is decided by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from protocols.credentials.compacted import compaction_problem
from protocols.credentials.data_integrity.registry import suite_named, suite_of
from protocols.credentials.data_integrity.suite import Cryptosuite, Entropy, Selective, UnsecuredDocument, malformed
from protocols.credentials.model import as_list, proofs_of
from protocols.credentials.times import format_time
from protocols.errors import BadInput
from protocols.jsonld.processor import DEFAULT, Processor
from protocols.keys import PublicKey, Signer

__all__ = [
    "add_proof",
    "base_proof",
    "derive_proof",
    "is_base_proof",
    "is_derived_proof",
    "is_selective",
    "previous_proofs",
    "require_signable",
    "shows_more",
    "unsecured_for",
    "verify_proof",
]


def add_proof(
    document: Mapping[str, Any],
    *,
    suite: str,
    signer: Signer,
    created: datetime,
    purpose: str = "assertionMethod",
    challenge: str | None = None,
    domain: str | None = None,
    expires: datetime | None = None,
    proof_id: str | None = None,
    previous_proof: str | list[str] | None = None,
    mandatory_pointers: Sequence[str] = (),
    entropy: Entropy | None = None,
    processor: Processor = DEFAULT,
) -> dict[str, Any]:
    """A copy of ``document`` with one more proof (VC Data Integrity 1.0 §4.2, §4.3).

    A document without proofs gets one object; a document that has some gets a set. Where no context of the document
    defines the terms of the proof, the suite's own is appended (§2.4.2, context injection).

    Args:
        suite: a key of ``CRYPTOSUITES``.
        created, expires: timezone-aware; written to the second.
        proof_id: a URL, needed where a later proof is to build on this one.
        previous_proof: ids of proofs in the document that this one builds on (a proof chain).
        mandatory_pointers: JSON Pointers to what no holder may withhold; suites of selective disclosure only.
        entropy: what such a suite needs; others use none.

    Raises:
        BadInput: ``proof.suite_unknown``; ``proof.key_type``; ``proof.previous_missing``; ``proof.not_compacted``
            where the document's JSON could be changed under the signature; ``jsonld.*`` where
            its contexts or terms are not known; ``pointer.*``, ``proof.chain_selective``.
    """
    chosen = suite_named(suite)
    if signer.codec not in chosen.key_types:
        raise _wrong_key()
    existing = proofs_of(dict(document))
    optional = {
        "id": proof_id,
        "expires": None if expires is None else format_time(expires),
        "challenge": challenge,
        "domain": domain,
        "previousProof": previous_proof,
    }
    options = {
        "type": chosen.proof_type,
        **({} if chosen.name == chosen.proof_type else {"cryptosuite": chosen.name}),
        "created": format_time(created),
        "verificationMethod": signer.verification_method,
        "proofPurpose": purpose,
        **{name: value for name, value in optional.items() if value is not None},
    }
    bare = _with_terms_of(chosen, {name: value for name, value in document.items() if name != "proof"})
    base = require_signable(UnsecuredDocument(bare, processor))
    unsecured = unsecured_for(base, previous_proofs(options, existing), processor)
    if not isinstance(chosen, Selective):
        proof = chosen.create(unsecured, options, signer)
    elif entropy is None:
        raise ValueError(f"{suite} needs entropy")
    elif previous_proof is not None:
        message = "A proof of selective disclosure cannot build on another, which its holder would have to show whole."
        raise BadInput("proof.chain_selective", message, "Add it beside the other proof.")
    else:
        proof = chosen.create_base(unsecured, options, signer, mandatory_pointers=mandatory_pointers, entropy=entropy)
    return {**bare, "proof": [*existing, proof] if existing else proof}


def is_base_proof(proof: Mapping[str, Any]) -> bool:
    """Whether a proof is one that its holder derives others from."""
    suite = suite_of(proof)
    return isinstance(suite, Selective) and suite.is_base(proof)


def is_derived_proof(proof: Mapping[str, Any]) -> bool:
    """Whether a proof is of a part of a document, which its holder chose."""
    suite = suite_of(proof)
    return isinstance(suite, Selective) and not suite.is_base(proof)


def base_proof(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The proof of a document that parts of it can be shown with, or ``None`` where it has none."""
    return next(filter(is_base_proof, proofs_of(dict(document))), None)


def is_selective(document: Mapping[str, Any]) -> bool:
    """Whether a document can be shown in part, or is a part that is shown."""
    return any(isinstance(suite_of(proof), Selective) for proof in proofs_of(dict(document)))


def derive_proof(
    document: Mapping[str, Any], selective_pointers: Sequence[str], *, processor: Processor = DEFAULT
) -> dict[str, Any]:
    """What the holder of ``document`` shows: its mandatory parts, those chosen, and the proof of just these.

    Other proofs of the document hold for all of it only, and are left out.

    Args:
        selective_pointers: JSON Pointers (RFC 6901); what they lead through keeps its ids and types.

    Raises:
        BadInput: ``proof.not_selective``; ``proof.malformed``; ``jsonld.*``; ``pointer.*``.
    """
    proof = base_proof(document)
    suite = None if proof is None else suite_of(proof)
    if proof is None or not isinstance(suite, Selective):
        message = "The document is secured as a whole, so no part of it can be shown alone."
        raise BadInput("proof.not_selective", message, "Show all of it, or ask its issuer for one with ecdsa-sd-2023.")
    bare = {name: value for name, value in document.items() if name != "proof"}
    return suite.derive(UnsecuredDocument(bare, processor), proof, selective_pointers=selective_pointers)


def shows_more(document: Mapping[str, Any], pointers: Sequence[str], *, processor: Processor = DEFAULT) -> bool:
    """Whether a part of a document that its holder chose has more than what is mandatory and what is pointed to.

    Args:
        pointers: JSON Pointers (RFC 6901) into ``document``.

    Raises:
        BadInput: ``proof.malformed``; ``jsonld.*``; ``pointer.*``.
    """
    bare = {name: value for name, value in document.items() if name != "proof"}
    for proof in filter(is_derived_proof, proofs_of(dict(document))):
        suite = suite_of(proof)
        if isinstance(suite, Selective) and suite.shows_more(UnsecuredDocument(bare, processor), proof, pointers):
            return True
    return False


def previous_proofs(proof: Mapping[str, Any], proofs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of ``proofs`` that ``proof`` builds on (VC Data Integrity 1.0 §4.5).

    Raises:
        BadInput: ``proof.previous_missing`` where one of them is not there; ``proof.malformed``.
    """
    wanted = as_list(proof.get("previousProof"))
    if not all(isinstance(item, str) for item in wanted):
        raise malformed("its previousProof is not a string or list of strings")
    found = [item for item in proofs if item.get("id") in wanted]
    if {item["id"] for item in found} != set(wanted):
        raise BadInput(
            "proof.previous_missing",
            "The proof builds on another proof that the document does not have.",
            "Keep all proofs of a chain together.",
        )
    return found


def unsecured_for(
    base: UnsecuredDocument, previous: Sequence[dict[str, Any]], processor: Processor
) -> UnsecuredDocument:
    """What a proof signs: the document without proofs, with those only that it builds on."""
    return UnsecuredDocument({**base.document, "proof": list(previous)}, processor) if previous else base


def verify_proof(
    unsecured: UnsecuredDocument, proof: Mapping[str, Any], key: PublicKey, *, accept_base: bool = False
) -> bool:
    """Whether ``proof`` holds for the document under ``key`` (VC Data Integrity 1.0 §4.4, last steps).

    Args:
        accept_base: also take a base proof of selective disclosure, which only issuer and holder see.

    Raises:
        BadInput: ``proof.suite_unknown``; ``proof.key_type``; ``proof.malformed``; ``proof.base_proof``;
            ``proof.not_canonical`` or ``jsonld.*`` where the document has no canonical form.
    """
    suite = suite_of(proof)
    if suite is None:
        raise BadInput("proof.suite_unknown", "The proof is of an unknown kind.", "Update lernode.")
    if key.codec not in suite.key_types:
        raise _wrong_key()
    if accept_base and isinstance(suite, Selective) and suite.is_base(proof):
        return suite.verify_base(unsecured, proof, key)
    return suite.verify(unsecured, proof, key)


def _wrong_key() -> BadInput:
    return BadInput(
        "proof.key_type", "The key is of another kind than the cryptosuite's.", "Use a key and suite that go together."
    )


def _with_terms_of(suite: Cryptosuite, document: dict[str, Any]) -> dict[str, Any]:
    present = as_list(document.get("@context"))
    if any(context in present for context in suite.contexts):
        return document
    return {**document, "@context": [*present, suite.contexts[0]]}


def require_signable(unsecured: UnsecuredDocument) -> UnsecuredDocument:
    """Refuse to sign what nobody could verify: for JSON signatures too, every term has to be defined."""
    problem = compaction_problem(unsecured.document, unsecured.processor.store)
    if problem is not None:
        raise BadInput("proof.not_compacted", problem, "Write the document in compacted form.")
    unsecured.require_terms()
    return unsecured
