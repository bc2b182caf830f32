"""Finding the key that a proof or a JWS names, and whether its DID lets it be used for the purpose."""

from __future__ import annotations

from protocols.did.document import DidDocument, Relationship, VerificationMethod
from protocols.did.resolver import RenewingResolver, Resolver
from protocols.errors import BadInput, LernodeError, NotNow

__all__ = ["find_key"]


async def find_key(
    url: str, purpose: Relationship, resolver: Resolver
) -> tuple[VerificationMethod | None, LernodeError | None]:
    """The key that ``url`` names, wherever it stands in the DID document, and why it may not be used if so.

    Args:
        url: a verification method, as a proof names it.
    """
    signer = url.partition("#")[0]
    if not signer.startswith(("did:", "https://")):
        return None, _unresolvable()
    try:
        document = await resolver.resolve(signer)
        method, refusal = _look_up(document, url, purpose)
        if refusal is not None and refusal.code == "did.method_unknown" and isinstance(resolver, RenewingResolver):
            # The key may be newer than the copy.
            document = await _newest(signer, resolver)
            method, refusal = _look_up(document, url, purpose)
    except LernodeError as error:
        is_away = isinstance(error, NotNow) and not signer.startswith("did:")
        return None, _unresolvable() if is_away else error
    return (_elsewhere(document, url), refusal) if method is None else (method, None)


def _unresolvable() -> NotNow:
    message = "The document of who controls the verification method cannot be had, so nothing says whose key it is."
    return NotNow("controller.unresolvable", message, "Try again later, or ask the issuer for records under a DID.")


async def _newest(did: str, resolver: RenewingResolver) -> DidDocument:
    try:
        return await resolver.resolve_anew(did)
    except NotNow:
        raise NotNow(
            "did.document_outdated",
            "The copy of the DID document at hand does not have the key, which may be newer; its server is away.",
            "Verify again when the issuer's server can be reached.",
        ) from None


def _look_up(
    document: DidDocument, url: str, purpose: Relationship
) -> tuple[VerificationMethod | None, BadInput | None]:
    try:
        return document.method_for(url, purpose), None
    except BadInput as refusal:
        return None, refusal


def _elsewhere(document: DidDocument, url: str) -> VerificationMethod | None:
    """A key that is not authorised, so that it can still be said whether the signature is its own."""
    for relationship in Relationship:
        for method in document.methods(relationship):
            # A did:key without fragment names its only signing key, though not by a DID URL of a method.
            is_named = method.id == url or (url == document.id and url.startswith("did:key:"))
            if is_named and method.key.can_sign:
                return method
    return None
