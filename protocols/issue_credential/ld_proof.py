"""The attachments of Aries RFC 0593: what credential is wanted (``ld-proof-vc-detail``), and what is issued.

What may change on the way from offer to credential stands here, and nowhere else:

* A **request** repeats the offer. The holder may only name itself: set ``credentialSubject.id`` where the offer left it
  open and there is one subject. The date of issuance is the offer's.
* A **credential** repeats the request, with a ``proof`` that the options describe. The issuer may add ``id``,
  ``validFrom`` (VC 2.0 only) and ``credentialStatus`` where the request has none; the status only of the type that
  ``options.credentialStatus`` names, and then it must.

RFC 0593 names a proof by ``proofType`` alone. A ``DataIntegrityProof`` is known by its suite too, so that the options
then also hold ``cryptosuite``; a peer may leave the suite to the issuer. ``proofType`` stays equal to ``proof.type``,
which is what ACA-Py and Credo compare. Whether a proof is *true* is left to ``protocols.credentials``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocols.credentials.model import (
    Version,
    has_type,
    is_url,
    issuer_id,
    proofs_of,
    status_entries,
    version_of,
)
from protocols.errors import BadInput, PeerFault

__all__ = [
    "DATA_INTEGRITY_PROOF", "DETAIL_FORMAT", "VC_FORMAT", "LdProofVcDetail", "credential_difference",
    "first_difference", "request_difference", "with_holder",
]  # fmt: skip

DETAIL_FORMAT = "aries/ld-proof-vc-detail@v1.0"
VC_FORMAT = "aries/ld-proof-vc@v1.0"
DATA_INTEGRITY_PROOF = "DataIntegrityProof"
ASSERTION_METHOD = "assertionMethod"

_MAX_OPTION = 512
_OPTIONAL_TEXTS = ("proofPurpose", "created", "domain", "challenge", "cryptosuite")
_ADDABLE = ("id", "validFrom", "credentialStatus")


@dataclass(frozen=True, slots=True)
class LdProofVcDetail:
    """RFC 0593 §ld-proof-vc-detail: a credential as it is going to be issued, and how it is going to be proved.

    Both parts stay as they were received, because peers compare what comes back with what they sent.

    Attributes:
        credential: without ``proof``.
        options: ``proofType`` and what else RFC 0593 §Reference lists, ``cryptosuite``, and what only the peer knows.
    """

    credential: dict[str, Any]
    options: dict[str, Any]

    @classmethod
    def of(
        cls,
        credential: dict[str, Any],
        *,
        proof_type: str,
        cryptosuite: str | None = None,
        status_type: str | None = None,
    ) -> LdProofVcDetail:
        """What this node proposes or offers; the purpose is written out because Credo compares it.

        Args:
            proof_type: as in ``proof.type``, e.g. ``Ed25519Signature2020`` or ``DataIntegrityProof``.
            cryptosuite: for a ``DataIntegrityProof``, e.g. ``eddsa-rdfc-2022``.
            status_type: of the ``credentialStatus`` that the issuer will add, e.g. ``BitstringStatusListEntry``.

        Raises:
            BadInput: ``issue_credential.detail``.
        """
        options: dict[str, Any] = {"proofType": proof_type, "proofPurpose": ASSERTION_METHOD}
        if cryptosuite is not None:
            options["cryptosuite"] = cryptosuite
        if status_type is not None:
            options["credentialStatus"] = {"type": status_type}
        problem = _credential_problem(credential) or _options_problem(options)
        if proof_type == DATA_INTEGRITY_PROOF and cryptosuite is None:
            problem = problem or "a DataIntegrityProof needs a cryptosuite"
        if problem:
            raise BadInput("issue_credential.detail", f"The credential cannot be offered: {problem}.", "See RFC 0593.")
        return cls(credential, options)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> LdProofVcDetail:
        """Read the content of an attachment.

        Raises:
            PeerFault: ``issue_credential.malformed``.
        """
        credential, options = value.get("credential"), value.get("options")
        if not isinstance(credential, dict) or not isinstance(options, dict):
            raise _malformed("credential or options is missing")
        problem = _credential_problem(credential) or _options_problem(options)
        if problem:
            raise _malformed(problem)
        return cls(credential, options)

    @classmethod
    def of_preview(cls, credential: dict[str, Any]) -> LdProofVcDetail:
        """A credential of which the issuer does not say how it is going to be proved.

        Raises:
            PeerFault: ``issue_credential.malformed``.
        """
        problem = _credential_problem(credential)
        if problem:
            raise _malformed(problem)
        return cls(credential, {})

    def to_json(self) -> dict[str, Any]:
        """The content of an attachment."""
        return {"credential": self.credential, "options": self.options}

    @property
    def proof_type(self) -> str:
        """As in ``proof.type``."""
        return str(self.options["proofType"])

    @property
    def cryptosuite(self) -> str | None:
        """As in ``proof.cryptosuite``, or None where the type says it all."""
        return self.options.get("cryptosuite")

    @property
    def status_type(self) -> str | None:
        """Of the status that the issued credential will have, or None."""
        status = self.options.get("credentialStatus")
        return None if status is None else str(status["type"])


def with_holder(detail: LdProofVcDetail, holder_did: str) -> LdProofVcDetail:
    """The detail with the holder as its subject, where the subject was left open."""
    subject = _open_subject(detail.credential)
    if subject is None:
        return detail
    named = {"id": holder_did, **{name: value for name, value in subject.items() if name != "id"}}
    in_list = isinstance(detail.credential["credentialSubject"], list)
    credential = detail.credential | {"credentialSubject": [named] if in_list else named}
    return LdProofVcDetail(credential, detail.options)


def request_difference(offer: LdProofVcDetail, request: LdProofVcDetail) -> str | None:
    """The first property in which a request differs from the offer more than it may, or None."""
    differing = first_difference(_effective(offer.options), _effective(request.options))
    if differing is not None:
        return f"options.{differing}"
    requested = request.credential
    if _open_subject(offer.credential) is not None:
        subject = _sole_subject(requested)
        if subject is not None and "id" in subject:
            offer = with_holder(offer, subject["id"])
    return first_difference(offer.credential, requested)


def credential_difference(requested: LdProofVcDetail, credential: dict[str, Any]) -> str | None:
    """The first property in which an issued credential differs from what was requested more than it may, or None."""
    issued = {name: value for name, value in credential.items() if name != "proof"}
    for name in _ADDABLE:
        if name in issued and name not in requested.credential:
            if not _may_be_added(name, issued.pop(name), requested):
                return name
        elif name == "credentialStatus" and requested.status_type and name not in issued:
            return name
    differing = first_difference(requested.credential, issued)
    if differing is not None:
        return differing
    return None if any(_is_as_asked(proof, requested) for proof in proofs_of(credential)) else "proof"


def _credential_problem(credential: dict[str, Any]) -> str | None:
    version = version_of(credential)
    subject = credential.get("credentialSubject")
    subjects = subject if isinstance(subject, list) else [subject]
    if version is None:
        return "credential.@context does not begin with a context of the W3C data model"
    if not has_type(credential, "VerifiableCredential"):
        return "credential.type lacks VerifiableCredential"
    if issuer_id(credential) is None:
        return "credential.issuer is missing or not an identifier"
    if not subjects or not all(isinstance(one, dict) and one and _has_good_id(one) for one in subjects):
        return "credential.credentialSubject is missing or not an object"
    if version is Version.V1_1 and not isinstance(credential.get("issuanceDate"), str):
        return "credential.issuanceDate is missing"
    if "proof" in credential:
        return "credential has a proof already"
    return None if _has_good_id(credential) else "credential.id is not an identifier"


def _options_problem(options: dict[str, Any]) -> str | None:
    proof_type = options.get("proofType")
    if not isinstance(proof_type, str) or not 0 < len(proof_type) <= _MAX_OPTION:
        return "options.proofType is missing"
    for name in _OPTIONAL_TEXTS:
        value = options.get(name)
        if value is not None and not (isinstance(value, str) and len(value) <= _MAX_OPTION):
            return f"options.{name} is not a short text"
    if proof_type != DATA_INTEGRITY_PROOF and options.get("cryptosuite") is not None:
        return "options.cryptosuite does not go with options.proofType"
    status = options.get("credentialStatus")
    if status is not None and not (isinstance(status, dict) and isinstance(status.get("type"), str)):
        return "options.credentialStatus has no type"
    return None


def _has_good_id(thing: dict[str, Any]) -> bool:
    return "id" not in thing or is_url(thing["id"])


def _sole_subject(credential: dict[str, Any]) -> dict[str, Any] | None:
    subject = credential.get("credentialSubject")
    if isinstance(subject, list) and len(subject) == 1:
        subject = subject[0]
    return subject if isinstance(subject, dict) else None


def _open_subject(credential: dict[str, Any]) -> dict[str, Any] | None:
    subject = _sole_subject(credential)
    return None if subject is None or "id" in subject else subject


def _may_be_added(name: str, value: Any, requested: LdProofVcDetail) -> bool:
    if name == "id":
        return is_url(value)
    if name == "validFrom":
        return isinstance(value, str) and version_of(requested.credential) is Version.V2_0
    entries = status_entries({"credentialStatus": value})
    listed = value if isinstance(value, list) else [value]
    if requested.status_type is None or not entries or len(entries) != len(listed):
        return False
    return all(entry.get("type") == requested.status_type for entry in entries)


def _is_as_asked(proof: dict[str, Any], requested: LdProofVcDetail) -> bool:
    """Whether the options describe this proof (RFC 0593 §Reference).

    ``created`` and ``cryptosuite`` bind where they were asked for; ``domain`` and ``challenge`` also where they were
    not, for a proof that holds either was made for another purpose.
    """
    asked = _effective(requested.options)
    if proof.get("type") != asked["proofType"] or proof.get("proofPurpose") != asked["proofPurpose"]:
        return False
    if any(name in asked and proof.get(name) != asked[name] for name in ("created", "cryptosuite")):
        return False
    return all(proof.get(name) == asked.get(name) for name in ("domain", "challenge"))


def _effective(options: dict[str, Any]) -> dict[str, Any]:
    """Options with RFC 0593's default, and without nulls, which say nothing."""
    return {"proofPurpose": ASSERTION_METHOD} | {k: v for k, v in options.items() if v is not None}


def first_difference(left: dict[str, Any], right: dict[str, Any]) -> str | None:
    """The first property that two JSON objects do not have alike, or None."""
    names = [*left, *(name for name in right if name not in left)]
    return next((n for n in names if n not in left or n not in right or not _same(left[n], right[n])), None)


def _same(left: Any, right: Any) -> bool:
    """JSON equality: as Python's, but ``true`` is not 1. ``1`` and ``1.0`` are one number (RFC 8259 §6)."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _malformed(what: str) -> PeerFault:
    return PeerFault("issue_credential.malformed", f"In the attached detail, {what}.", "See Aries RFC 0593.")
