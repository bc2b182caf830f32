"""Verifying what this node has signed itself with what it has in its own store, so that no server has to answer.

Status lists are not looked at: what this node says of its records now stands in the store with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from node.roles.checker import Checker
from node.roles.identity import web_document
from protocols import strict_json
from protocols.credentials.asking import SeenLists
from protocols.credentials.verification import VerificationResult
from protocols.did.document import DidDocument, parse_document
from protocols.did.resolver import RenewingResolver
from protocols.errors import NotNow
from protocols.status.source import StatusListCopy
from storage import dids
from storage.dids import DidPurpose
from storage.engine import Transaction

__all__ = ["OwnChecker"]


@dataclass(frozen=True, slots=True)
class _OwnDids:
    """The documents of this node's DIDs as it serves them, and those of others as they are resolved."""

    own: Mapping[str, DidDocument]
    others: RenewingResolver

    async def resolve(self, did: str) -> DidDocument:
        """The document of ``did``."""
        return self.own.get(did) or await self.others.resolve(did)

    async def resolve_anew(self, did: str) -> DidDocument:
        """The document of ``did`` as it is now."""
        return self.own.get(did) or await self.others.resolve_anew(did)


class _NoLists:
    """A :class:`protocols.status.source.StatusSource` that has nothing."""

    async def get(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """Raises NotNow."""
        raise _not_asked()

    async def get_token(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """Raises NotNow."""
        raise _not_asked()


def _not_asked() -> NotNow:
    return NotNow("status.unreachable", "The status list is not asked for.", "Look at the store.")


@dataclass(frozen=True, slots=True)
class OwnChecker:
    """Tells whether a record of this node is genuine and within its time."""

    checker: Checker

    @classmethod
    async def of(cls, tx: Transaction, checker: Checker) -> OwnChecker:
        """One that knows the keys which the node's DIDs have, and had, at this moment."""
        found = [own for own in await dids.page(tx, purpose=DidPurpose.ISSUER) if own.method == "web"]
        own = {
            each.did: parse_document(strict_json.loads(strict_json.dumps(web_document(each))), each.did)
            for each in found
        }
        return cls(replace(checker, resolver=_OwnDids(own, checker.resolver), statuses=_NoLists(), at_hand=None))

    async def check(self, document: bytes) -> VerificationResult:
        """How the checks end that are the holder's."""
        return await self.checker.check(document, self.checker.policies.holder(), seen=SeenLists())
