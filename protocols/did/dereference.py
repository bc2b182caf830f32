"""DID URLs: taken apart into DID, parameters and fragment, and the part of a document that a fragment names.

Spec: DID Core 1.0 §3.2, DID Resolution 1.0 §3 and §5. A parameter given twice is refused, as §3.3 advises. Services
are not followed: what a path, or a parameter other than one for versions, leads to is left to the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from protocols.did.document import Relationship
from protocols.did.syntax import did_of
from protocols.errors import BadInput

__all__ = ["DidUrl", "find_part", "parse_did_url"]


@dataclass(frozen=True, slots=True)
class DidUrl:
    """A DID URL.

    Attributes:
        path: with its ``/``, or empty.
        parameters: decoded.
        fragment: without ``#``, or empty.
    """

    did: str
    path: str
    parameters: Mapping[str, str]
    fragment: str

    @property
    def is_did(self) -> bool:
        """Whether it is a DID and nothing more."""
        return not (self.path or self.parameters or self.fragment)


def parse_did_url(text: str) -> DidUrl:
    """Take a DID or DID URL apart.

    Raises:
        BadInput: ``did.malformed`` for what would be a DID, ``did.url_malformed`` for more.
    """
    head = text.partition("#")[0].partition("?")[0].partition("/")[0]
    if head == text:
        return DidUrl(did_of(text), "", {}, "")
    try:
        did_of(text)
    except BadInput as error:
        raise BadInput("did.url_malformed", error.message, error.hint) from None
    before, _, fragment = text.partition("#")
    place, _, query = before.partition("?")
    parameters: dict[str, str] = {}
    for item in query.split("&") if query else []:
        name, _, value = item.partition("=")
        if unquote(name) in parameters:
            raise BadInput("did.url_malformed", "A DID URL has a parameter twice.", "Write each parameter once.")
        parameters[unquote(name)] = unquote(value)
    return DidUrl(head, place.removeprefix(head), parameters, unquote(fragment))


def find_part(document: Mapping[str, Any], fragment: str) -> dict[str, Any]:
    """The verification method or service whose id has this fragment, with the context of the document.

    Raises:
        BadInput: ``did.part_unknown``.
    """
    wanted = {f"#{fragment}", f"{document['id']}#{fragment}"}
    for name in ("verificationMethod", *Relationship, "service"):
        for item in document.get(name, []):
            if isinstance(item, dict) and item.get("id") in wanted:
                return {"@context": document["@context"], **item} if "@context" in document else dict(item)
    raise BadInput("did.part_unknown", "The DID document has no such part.", "Check what follows the # of the DID URL.")
