"""The attachments of WACI-DIDComm 1.0 §Issuance: offer, request and record as DIF Credential Manifest says.

The profile is from before Credential Manifest 1.0, and so are its names: ``credential_fulfillment`` is what that calls
``credential_response``. It fits :mod:`ld_proof` as follows, so that one machine speaks both:

* The **manifest** says in an offer what kinds of records there are. The records themselves, unsigned, are the preview
  of their fulfillment beside it. They become details without options: the profile does not say how they are proved.
* The **application** is a presentation that asks for all of them, and names who it is for as its ``holder``. Where the
  offer has a challenge it is signed by that holder, which is left to the node. Where the manifest has a
  ``presentation_definition``, it holds the records that answer it, and says which is which.
* The **fulfillment** holds the signed records, under the ids of the manifest's output descriptors.

A fulfillment may add to the preview what a request of RFC 0593 lets the issuer add, a status of any type, and contexts
of cryptosuites; and the issuer may leave the subject unnamed, as in the profile's example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from protocols.credentials.data_integrity.registry import CRYPTOSUITES
from protocols.credentials.model import (
    CONTEXT_V1,
    CONTEXT_V2,
    Version,
    as_list,
    contexts,
    is_url,
    issuer_id,
    status_entries,
    types_of,
    version_of,
)
from protocols.didcomm.fields import Fields
from protocols.errors import PeerFault
from protocols.issue_credential.ld_proof import LdProofVcDetail, first_difference

__all__ = [
    "APPLICATION_FORMAT", "FULFILLMENT_FORMAT", "MANIFEST_FORMAT", "PROOF_TYPES", "Fulfillment", "Manifest",
    "applicant", "build_application", "build_manifest", "fulfillment_difference", "fulfillment_json", "manifest_json",
    "read_application", "read_fulfillment", "read_manifest",
]  # fmt: skip

MANIFEST_FORMAT = "dif/credential-manifest/manifest@v1.0"
APPLICATION_FORMAT = "dif/credential-manifest/application@v1.0"
FULFILLMENT_FORMAT = "dif/credential-manifest/fulfillment@v1.0"

PROOF_TYPES = tuple(sorted({suite.proof_type for suite in CRYPTOSUITES.values()}))
"""Of proofs that are read, as ``format`` names them."""

_APPLICATION_CONTEXT = "https://identity.foundation/credential-manifest/application/v1"
_FULFILLMENT_CONTEXT = "https://identity.foundation/credential-manifest/fulfillment/v1"
_VERSION = "0.1.0"
_LDP_VC = "ldp_vc"
_LDP_VP = "ldp_vp"
_MALFORMED = "issue_credential.malformed"
_MAX_RECORDS = 16
_MAX_ID = 256
_MAX_OPTION = 512
_PATH = re.compile(r"\$\.verifiableCredential(?:\[(0|[1-9][0-9]?)\])?")
_SHOWN = ("presentation_submission", "verifiableCredential")
_ADDABLE = ("id", "validFrom", "credentialStatus")
_SUITE_CONTEXTS = frozenset(context for suite in CRYPTOSUITES.values() for context in suite.contexts)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an issuer offers (Credential Manifest §Credential Manifest).

    Attributes:
        content: the ``credential_manifest``, exactly as received.
        challenge, domain: what the application must be signed for; None where it need not be.
    """

    content: dict[str, Any]
    challenge: str | None = None
    domain: str | None = None

    @property
    def id(self) -> str:
        """By which applications and fulfillments name it."""
        return str(self.content["id"])

    @property
    def descriptors(self) -> tuple[str, ...]:
        """The ids of its output descriptors, sorted."""
        return tuple(sorted(one["id"] for one in self.content["output_descriptors"]))

    @property
    def definition(self) -> dict[str, Any] | None:
        """What the issuer wants to see before it issues (``presentation_definition``), as received."""
        found = self.content.get("presentation_definition")
        return found if isinstance(found, dict) else None

    @property
    def proof_types(self) -> tuple[str, ...]:
        """What an application may be signed with, by the name of the suite or proof type; empty for anything."""
        allowed = self.content.get("format")
        for name in ("ldp_vp", "ldp"):
            entry = allowed.get(name) if isinstance(allowed, dict) else None
            types = entry.get("proof_type") if isinstance(entry, dict) else None
            if isinstance(types, list):
                return tuple(one for one in types if isinstance(one, str))
        return ()


class Fulfillment(msgspec.Struct, frozen=True, kw_only=True):
    """Records under a manifest, in the order of the ids of their output descriptors."""

    manifest_id: str
    descriptors: tuple[str, ...]
    credentials: tuple[dict[str, Any], ...]


def build_manifest(
    details: Sequence[LdProofVcDetail],
    *,
    manifest_id: str,
    issuer_name: str,
    challenge: str,
    domain: str,
) -> Manifest:
    """The manifest of an offer, with one output descriptor a record.

    Args:
        challenge, domain: what the application must be signed for.
    """
    content = {
        "id": manifest_id,
        "version": _VERSION,
        "issuer": {"id": issuer_id(details[0].credential), "name": issuer_name},
        "output_descriptors": [_descriptor(position, detail) for position, detail in enumerate(details)],
        "format": {
            _LDP_VC: {"proof_type": sorted({detail.proof_type for detail in details})},
            "ldp_vp": {"proof_type": list(PROOF_TYPES)},
        },
    }
    return Manifest(content=content, challenge=challenge, domain=domain)


def manifest_json(manifest: Manifest) -> dict[str, Any]:
    """The content of the attachment."""
    options = {"challenge": manifest.challenge, "domain": manifest.domain}
    given = {name: value for name, value in options.items() if value is not None}
    return {**({"options": given} if given else {}), "credential_manifest": manifest.content}


def fulfillment_json(manifest_id: str, credentials: Sequence[dict[str, Any]], *, fulfillment_id: str) -> dict[str, Any]:
    """The content of the attachment: the records that were built a manifest for, signed or as a preview."""
    entries = [
        {"id": _descriptor_id(position), "format": _LDP_VC, "path": f"$.verifiableCredential[{position}]"}
        for position in range(len(credentials))
    ]
    return {
        # Each version's context can hold records of that version only.
        "@context": [CONTEXT_V2 if version_of(credentials[0]) is Version.V2_0 else CONTEXT_V1, _FULFILLMENT_CONTEXT],
        "type": ["VerifiablePresentation", "CredentialFulfillment"],
        "credential_fulfillment": {"id": fulfillment_id, "manifest_id": manifest_id, "descriptor_map": entries},
        "verifiableCredential": list(credentials),
    }


def build_application(
    manifest: Manifest, *, application_id: str, holder: str, presentation: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The unsigned application for everything that a manifest offers.

    Args:
        holder: the DID that the records are to be about.
        presentation: the unsigned answer to the manifest's definition, where it has one.
    """
    shown = presentation or {"@context": CONTEXT_V1}
    return {
        "@context": [contexts(shown)[0], _APPLICATION_CONTEXT],
        "type": ["VerifiablePresentation", "CredentialApplication"],
        "holder": holder,
        "credential_application": {
            "id": application_id,
            "manifest_id": manifest.id,
            "format": {_LDP_VC: {"proof_type": list(PROOF_TYPES)}},
        },
        **{name: shown[name] for name in _SHOWN if name in shown},
    }


def read_manifest(content: Mapping[str, Any]) -> Manifest:
    """Read the content of an attachment.

    Raises:
        PeerFault: ``issue_credential.malformed``.
    """
    outer = Fields(content, where="attached manifest", code=_MALFORMED)
    options = Fields(outer.optional_mapping("options") or {}, where="options", code=_MALFORMED)
    manifest = outer.mapping("credential_manifest")
    fields = Fields(manifest, where="credential_manifest", code=_MALFORMED)
    fields.text("id", max_chars=_MAX_ID)
    fields.optional_mapping("presentation_definition")
    Fields(fields.mapping("issuer"), where="issuer", code=_MALFORMED).text("id")
    offered = fields.mappings("output_descriptors", max_items=_MAX_RECORDS)
    names = [Fields(one, where="output descriptor", code=_MALFORMED).text("id", max_chars=_MAX_ID) for one in offered]
    if not names or len(set(names)) != len(names):
        raise fields.fault("output_descriptors", "is empty, or has an id twice")
    return Manifest(
        content=manifest,
        challenge=options.optional_text("challenge", max_chars=_MAX_OPTION),
        domain=options.optional_text("domain", max_chars=_MAX_OPTION),
    )


def read_fulfillment(content: Mapping[str, Any]) -> Fulfillment:
    """Read the content of an attachment; every record in it has to be under an id of its own.

    Raises:
        PeerFault: ``issue_credential.malformed``; ``issue_credential.unsupported_format`` where one is not JSON-LD.
    """
    outer = Fields(content, where="attached fulfillment", code=_MALFORMED)
    fields = Fields(outer.mapping("credential_fulfillment"), where="credential_fulfillment", code=_MALFORMED)
    manifest_id = fields.text("manifest_id", max_chars=_MAX_ID)
    documents = as_list(content.get("verifiableCredential"))
    placed: dict[str, int] = {}
    for entry in fields.mappings("descriptor_map", max_items=_MAX_RECORDS):
        one = Fields(entry, where="descriptor_map", code=_MALFORMED)
        # Extrimian's issuers name the format of the presentation around a record, unless they are told otherwise.
        if one.text("format", max_chars=_MAX_ID) not in {_LDP_VC, _LDP_VP}:
            raise PeerFault(
                "issue_credential.unsupported_format", "A record is in a format that is not read.", "Use ldp_vc."
            )
        placed[one.text("id", max_chars=_MAX_ID)] = _position(one)
    if not placed or sorted(placed.values()) != list(range(len(documents))):
        raise fields.fault("descriptor_map", "does not name each record of verifiableCredential once")
    if not all(isinstance(document, dict) for document in documents):
        raise outer.fault("verifiableCredential", "holds something that is no record")
    names = tuple(sorted(placed))
    return Fulfillment(
        manifest_id=manifest_id, descriptors=names, credentials=tuple(documents[placed[name]] for name in names)
    )


def read_application(content: dict[str, Any]) -> dict[str, Any]:
    """Read the content of an attachment, which stays exactly as received.

    Raises:
        PeerFault: ``issue_credential.malformed``.
    """
    fields = Fields(content, where="attached application", code=_MALFORMED)
    application = Fields(fields.mapping("credential_application"), where="credential_application", code=_MALFORMED)
    application.text("manifest_id", max_chars=_MAX_ID)
    if not applicant(content).startswith("did:"):
        raise fields.fault("holder", "names no DID")
    return content


def applicant(application: Mapping[str, Any]) -> str:
    """The DID of the holder that applies; empty where there is none."""
    holder = application.get("holder")
    name = holder.get("id") if isinstance(holder, dict) else holder
    return name if isinstance(name, str) else ""


def fulfillment_difference(expected: LdProofVcDetail, credential: dict[str, Any]) -> str | None:
    """The first property in which an issued record differs from its preview more than it may, or None."""
    shown, issued = dict(expected.credential), dict(credential)
    if issued.pop("proof", None) is None:
        return "proof"
    for name in _ADDABLE:
        if name in issued and name not in shown and not _may_be_added(name, issued.pop(name), expected):
            return name
    agreed = contexts(shown)
    shown["@context"], issued["@context"] = agreed, contexts(credential)[: len(agreed)]
    if not all(isinstance(one, str) and one in _SUITE_CONTEXTS for one in contexts(credential)[len(agreed) :]):
        return "@context"
    return first_difference(shown, issued)


def _may_be_added(name: str, value: Any, expected: LdProofVcDetail) -> bool:
    if name == "id":
        return is_url(value)
    if name == "validFrom":
        return isinstance(value, str) and version_of(expected.credential) is Version.V2_0
    return bool(status_entries({"credentialStatus": value}))


def _descriptor_id(position: int) -> str:
    return f"record-{position + 1:02}"


def _descriptor(position: int, detail: LdProofVcDetail) -> dict[str, Any]:
    credential = detail.credential
    name, text = credential.get("name"), credential.get("description")
    title = name if isinstance(name, str) else types_of(credential)[-1]
    display: dict[str, Any] = {
        "title": {"path": ["$.name", "$.vc.name"], "schema": {"type": "string"}, "fallback": title}
    }
    if isinstance(text, str):
        display["description"] = {"text": text}
    return {"id": _descriptor_id(position), "schema": _schema_of(credential), "display": display}


def _schema_of(credential: dict[str, Any]) -> str:
    """The schema that the record names; else its own context, as in the profile's example."""
    for schema in as_list(credential.get("credentialSchema")):
        if isinstance(schema, dict) and isinstance(schema.get("id"), str):
            return str(schema["id"])
    named = [one for one in contexts(credential) if isinstance(one, str)]
    return named[1] if len(named) > 1 else named[0]


def _position(entry: Fields) -> int:
    found = _PATH.fullmatch(entry.text("path", max_chars=_MAX_ID))
    if found is None:
        raise entry.fault("path", "names no record of verifiableCredential")
    return int(found[1] or 0)
