"""What the VC API takes and gives, as typed values; its part of the OpenAPI document is made from them.

Spec: W3C VCALM (the VC API), its OpenAPI components. What lernode adds to their options stands in the docstrings;
an option that is not known is refused, as the specification asks.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from node.http.schemas import Limit, Time, _Given, _View

__all__ = [
    "AllResults", "CheckedValue", "CredentialResults", "CredentialVerification", "CredentialsQuery",
    "DeriveCredential", "DeriveOptions", "IssueCredential", "IssueOptions", "PresentOptions", "PresentationResults",
    "PresentationVerification", "ProofResult", "ResolutionOptions", "SignPresentation", "SignedCredential",
    "SignedPresentation", "StatusEntryName", "StatusUpdate", "UpdateStatus", "VcProblem", "VerifyCredential",
    "VerifyCredentialOptions", "VerifyPresentation", "VerifyPresentationOptions", "WantedStatus",
]  # fmt: skip

Document = dict[str, Any]
Url = Annotated[str, Meta(min_length=1, max_length=20_000)]
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Pointers = Annotated[list[Annotated[str, Meta(max_length=2000, pattern="^(/.*)?$")]], Meta(max_length=1000)]
Checks = Annotated[list[Literal["proof", "credentialStatus"]], Meta(min_length=1, max_length=2)]


# Issuing ------------------------------------------------------------------------------------------------------------


class WantedStatus(_Given, frozen=True, kw_only=True):
    """A status entry that a credential is to have."""

    type: Literal["BitstringStatusListEntry"] = "BitstringStatusListEntry"
    status_purpose: Literal["revocation", "suspension", "refresh", "message"]


class IssueOptions(_Given, frozen=True, kw_only=True):
    """How a credential is issued; `credentialId` and `mandatoryPointers` are the specification's, the rest is added."""

    credential_id: Url | None = None
    mandatory_pointers: Pointers | None = None
    selective_pointers: Pointers = msgspec.field(default_factory=list)
    type: Word | None = None
    cryptosuite: Word | None = None
    media_type: Literal["application/vc", "application/vc+jwt", "application/vc+sd-jwt"] | None = None
    verification_method: Url | None = None
    credential_status: WantedStatus | Annotated[list[WantedStatus], Meta(max_length=4)] | None = None


class IssueCredential(_Given, frozen=True, kw_only=True):
    """A credential to be signed."""

    credential: Document
    options: IssueOptions = IssueOptions()


class SignedCredential(_View, frozen=True, kw_only=True):
    """A credential of this node."""

    verifiable_credential: msgspec.Raw


class StatusEntryName(_Given, frozen=True, kw_only=True):
    """Which status of a credential; its purpose is enough."""

    type: Literal["BitstringStatusListEntry"]
    status_purpose: Word
    id: Url | None = None
    status_list_index: Word | None = None
    status_list_credential: Url | None = None


class UpdateStatus(_Given, frozen=True, kw_only=True):
    """A new status of an issued credential; for the purpose `message`, the text of the message that holds."""

    credential_id: Url
    credential_status: StatusEntryName
    status: bool | Word


class StatusUpdate(_View, frozen=True, kw_only=True):
    """The status that is published now."""

    credential_id: str
    status_purpose: str
    status: bool | str


class CredentialsQuery(_Given, frozen=True, kw_only=True):
    """Which of the held credentials."""

    after: Url | None = None
    limit: Limit = 100


# Resolving ----------------------------------------------------------------------------------------------------------


class ResolutionOptions(_Given, frozen=True, kw_only=True):
    """Options of DID Resolution 1.0, and those of did:key, as they stand in a URL."""

    version_id: Url | None = None
    version_time: Word | None = None
    version_number: Word | None = None
    public_key_format: Word | None = None
    enable_experimental_public_key_types: Word | None = None
    enable_encryption_key_derivation: Word | None = None
    default_context: Url | None = None


# Holding ------------------------------------------------------------------------------------------------------------


class DeriveOptions(_Given, frozen=True, kw_only=True):
    """What of a credential is shown."""

    selective_pointers: Pointers = msgspec.field(default_factory=list)


class DeriveCredential(_Given, frozen=True, kw_only=True):
    """A credential of which a part is to be shown."""

    verifiable_credential: Document
    options: DeriveOptions = DeriveOptions()


class PresentOptions(_Given, frozen=True, kw_only=True):
    """How a presentation is signed; `mediaType` is added to the specification's."""

    type: Word | None = None
    cryptosuite: Word | None = None
    media_type: Literal["application/vp", "application/vp+jwt"] | None = None
    verification_method: Url | None = None
    proof_purpose: Literal["authentication"] = "authentication"
    created: Time | None = None
    challenge: Text | None = None
    domain: Text | None = None


class SignPresentation(_Given, frozen=True, kw_only=True):
    """A presentation to be signed."""

    presentation: Document
    options: PresentOptions = PresentOptions()


class SignedPresentation(_View, frozen=True, kw_only=True):
    """A presentation that this node signed."""

    verifiable_presentation: Document


# Verifying ----------------------------------------------------------------------------------------------------------


class VerifyCredentialOptions(_Given, frozen=True, kw_only=True):
    """What comes back; `checks` (earlier versions had it) without `credentialStatus` waives an unknown status."""

    return_results: bool = False
    return_problem_details: bool = True
    return_credential: bool = False
    checks: Checks | None = None


class VerifyCredential(_Given, frozen=True, kw_only=True):
    """A credential to be checked."""

    verifiable_credential: Document
    options: VerifyCredentialOptions = VerifyCredentialOptions()


class VerifyPresentationOptions(_Given, frozen=True, kw_only=True):
    """What the holder was to answer, and what comes back."""

    challenge: Text | None = None
    domain: Text | None = None
    return_results: bool = False
    return_problem_details: bool = True
    return_presentation: bool = False
    checks: Checks | None = None


class VerifyPresentation(_Given, frozen=True, kw_only=True):
    """A presentation to be checked, with all credentials in it."""

    verifiable_presentation: Document
    options: VerifyPresentationOptions = VerifyPresentationOptions()


class VcProblem(_View, frozen=True, kw_only=True, omit_defaults=True):
    """Why something was refused (RFC 9457); `type` is of the W3C's lists where they have one."""

    type: str
    title: str
    detail: str
    code: str
    check: str | None = None
    status: int | None = None


class CheckedValue(_View, frozen=True, kw_only=True):
    """Whether a property of the document holds."""

    verified: bool
    input: Any


class CredentialResults(_View, frozen=True, kw_only=True, omit_defaults=True):
    """What was found of each property that was looked at."""

    valid_from: CheckedValue | None = None
    valid_until: CheckedValue | None = None
    credential_schema: list[CheckedValue] | None = None
    credential_status: list[CheckedValue] | None = None
    proof: list[CheckedValue] | None = None


class CredentialVerification(_View, frozen=True, kw_only=True, omit_defaults=True):
    """What was found of a credential."""

    verified: bool
    credential: Document | None = None
    problem_details: list[VcProblem] | None = None
    results: CredentialResults | None = None


class ProofResult(_View, frozen=True, kw_only=True):
    """What was found of the presentation's own proof."""

    verified: bool
    input: Any
    problem_details: list[VcProblem]


class PresentationResults(_View, frozen=True, kw_only=True, omit_defaults=True):
    """What was found of the presentation itself."""

    challenge: CheckedValue | None = None
    domain: CheckedValue | None = None
    holder: CheckedValue | None = None
    proof: list[ProofResult]


class AllResults(_View, frozen=True, kw_only=True):
    """What was found of a presentation and of each credential in it."""

    presentation: PresentationResults
    credentials: list[CredentialVerification]


class PresentationVerification(_View, frozen=True, kw_only=True, omit_defaults=True):
    """What was found of a presentation."""

    verified: bool
    verifiable_presentation: Document | None = None
    problem_details: list[VcProblem] | None = None
    results: AllResults | None = None
