"""Contexts that a signature covers though it is over RDF: the issuer names them, with their digests, in what it signs.

A signature over RDF covers what terms mean and not which contexts say so: one that changes no term in use can be added
or taken away unseen. VC Data Model 2.0 §5.3 has the means against that: an issuer states each context after the base
one as a related resource. The related resources are signed, so from then on the document may have these contexts and
no others. What cannot be stated there may not be in such a document either: contexts written into it, and contexts of
objects inside. Nothing says in which order contexts stand. The digests are compared where those of all related
resources are (``checks/related.py``).

A credential inside a credential is a document of its own, and the contexts of its issuer are left to that.
"""

from __future__ import annotations

import base64
from typing import Any

from protocols import strict_json
from protocols.credentials.compacted import JSON_LITERALS
from protocols.credentials.data_integrity.jcs import JcsSuite
from protocols.credentials.data_integrity.registry import CRYPTOSUITES
from protocols.credentials.model import CONTEXT_V1, CONTEXT_V2, Version, as_list, contexts, has_type, version_of
from protocols.jsonld.contexts import ContextStore

__all__ = [
    "CONTEXT_MEDIA_TYPE",
    "RELATED_RESOURCES",
    "binding_problem",
    "bound_contexts",
    "signs_contexts",
    "with_contexts_bound",
]

CONTEXT_MEDIA_TYPE = 'application/ld+json;profile="http://www.w3.org/ns/json-ld#context"'
"""Of a context (JSON-LD 1.1 §6.2): by it a verifier knows one that it has never heard of."""

RELATED_RESOURCES = "/relatedResource"
"""The JSON Pointer to what no holder may withhold where contexts are bound."""

_BASE = (CONTEXT_V2, CONTEXT_V1)


def signs_contexts(securing: str) -> bool:
    """Whether what is secured so (a key of ``SECURINGS``) is signed with its contexts: JSON is, RDF is not."""
    suite = CRYPTOSUITES.get(securing)
    return suite is None or isinstance(suite, JcsSuite)


def with_contexts_bound(credential: dict[str, Any], store: ContextStore) -> dict[str, Any]:
    """``credential`` with each context after the base one as a related resource.

    It comes back as it is where that is not possible: in VCDM 1.1, which has no such property, where there is no other
    context, and where one is written into the document or into an object inside.

    Raises:
        BadInput: ``jsonld.context_unknown``.
    """
    more = contexts(credential)[1:]
    if version_of(credential) is not Version.V2_0 or not more or _unnameable(credential):
        return credential
    stated = [item for item in as_list(credential.get("relatedResource")) if isinstance(item, dict)]
    known = {item.get("id") for item in stated}
    digests = {url: store.digest_of(url, "sha384") for url in dict.fromkeys(more) if url not in known}
    added = [
        {
            "id": url,
            "mediaType": CONTEXT_MEDIA_TYPE,
            "digestSRI": f"sha384-{base64.b64encode(digest).decode()}",
        }
        for url, digest in digests.items()
        if digest is not None
    ]
    return {**credential, "relatedResource": [*stated, *added]} if len(added) == len(digests) else credential


def bound_contexts(document: dict[str, Any], store: ContextStore) -> frozenset[str]:
    """The contexts after the base one that the issuer of a credential states; empty where it binds none.

    A related resource is a context where the document uses it as one, where it is known as one here, or where it says
    so by its media type: then a document whose contexts were all exchanged is still known for one that binds them.
    """
    used = [item for item in contexts(document) if isinstance(item, str)]
    items = [item for item in as_list(document.get("relatedResource")) if isinstance(item, dict)]
    return frozenset(
        item["id"]
        for item in items
        if isinstance(item.get("id"), str)
        and item["id"] not in _BASE
        and (item["id"] in used or item["id"] in store or item.get("mediaType") == CONTEXT_MEDIA_TYPE)
    )


def binding_problem(document: dict[str, Any], bound: frozenset[str]) -> str | None:
    """How the contexts of a document differ from those that its issuer states, as a sentence."""
    more = contexts(document)[1:]
    problem = _unnameable(document)
    if problem is not None:
        return problem
    if not bound.issuperset(more):
        return "A context is not among those that the issuer states."
    if not bound.issubset(more):
        return "A context that the issuer states is not there."
    if len(more) != len(bound):
        return "A context is there twice."
    return None


def _unnameable(document: dict[str, Any]) -> str | None:
    """Why the issuer cannot have stated all contexts, as a sentence."""
    if not all(isinstance(item, str) for item in contexts(document)):
        return "A context is written into the document, which the issuer cannot state."
    if _may_bring_contexts(document) and any(
        name != "@context" and _brings_contexts(name, value, document) for name, value in document.items()
    ):
        return "An object inside has a context of its own, which the issuer cannot state."
    return None


def _may_bring_contexts(document: dict[str, Any]) -> bool:
    """Whether the name stands anywhere but at the top: a search in the text of nearly every record spares the walk."""
    try:
        return strict_json.dumps(document).count(b'"@context"') > 1
    except (TypeError, ValueError, RecursionError):
        return True


def _brings_contexts(name: str, value: Any, document: dict[str, Any], in_proof: bool = False) -> bool:
    """Whether something inside has contexts of its own; a proof may repeat the document's."""
    if isinstance(value, list):
        return any(type(item) is not str and _brings_contexts(name, item, document, in_proof) for item in value)
    if not isinstance(value, dict) or name in JSON_LITERALS:
        return False
    in_proof = in_proof or name == "proof"
    if "@context" in value:
        if has_type(value, "VerifiableCredential") or has_type(value, "EnvelopedVerifiableCredential"):
            return False
        if not in_proof or as_list(value["@context"]) != contexts(document):
            return True
    for key, item in value.items():  # a loop, as this is walked for each record that is issued or verified
        if type(item) is not str and key != "@context" and _brings_contexts(key, item, document, in_proof):
            return True
    return False
