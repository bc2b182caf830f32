"""Related resources: whether what a credential refers to has the digests that its issuer stated (VCDM 2.0 §5.3).

Compared is what this node uses or has: the contexts, by the bytes that it reads them from (or the publisher's, see
``editions.py``), the schemas that it fetched, and files that it was given. Nothing is fetched to be compared alone: a
verifier that asks for every URL of a record tells its issuer who looks at it, and the specification asks for a digest
only of what is made use of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.digests import digest_of_bytes, digests_match
from protocols.credentials.model import as_list, types_of
from protocols.credentials.resources import ResourceSource
from protocols.credentials.verification import Check, CheckResult
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.editions import EDITIONS

__all__ = ["check_related_resources"]

_SPEC = "VCDM 2.0 §5.3"


async def check_related_resources(
    document: dict[str, Any], contexts: ContextStore, resources: ResourceSource
) -> CheckResult:
    """Whether every resource that the credential gives a digest of, and that is at hand, has that digest."""
    items = [item for item in as_list(document.get("relatedResource")) if isinstance(item, dict)]
    if not items:
        reason = "The record states no digest of a resource."
        return passed(Check.RELATED_RESOURCES, reason, _SPEC, code="related.none")
    found = [await _matches(item, document, contexts, resources) for item in items]
    details = {"resources": len(items), "matching": found.count(True)}
    if False in found:
        details["position"] = found.index(False)
        reason = "A resource does not have the digest that the issuer stated: one of the two was changed."
        return failed(Check.RELATED_RESOURCES, "related.digest_mismatch", reason, _SPEC, details=details)
    if None in found:
        reason = "The record states digests of resources that are not at hand; nothing is fetched for that."
        return not_checked(Check.RELATED_RESOURCES, "related.not_at_hand", reason, _SPEC, details=details)
    reason = "Every resource has the digest that the issuer stated."
    return passed(Check.RELATED_RESOURCES, reason, _SPEC, details=details)


async def _matches(
    item: dict[str, Any], document: dict[str, Any], contexts: ContextStore, resources: ResourceSource
) -> bool | None:
    url = str(item.get("id"))
    if url in contexts:
        return _context_matches(item, url, document, contexts)
    body = await resources.kept(url)
    return None if body is None else digests_match(item, digest_of_bytes(body))


def _context_matches(item: dict[str, Any], url: str, document: dict[str, Any], contexts: ContextStore) -> bool | None:
    if contexts.digest_of(url, "sha256") is None:
        return None
    found = digests_match(item, lambda algorithm: contexts.digest_of(url, algorithm) or b"")
    if found is not False or contexts.is_configured(url):
        return found
    used = set(_names(document))
    return any(
        digests_match(item, edition.digests.__getitem__) and used.isdisjoint(edition.other_terms)
        for edition in EDITIONS.get(url, ())
    )


def _names(value: Any) -> Iterator[str]:
    """Every property and type in a document."""
    if isinstance(value, dict):
        yield from value
        yield from types_of(value)
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _names(item)
