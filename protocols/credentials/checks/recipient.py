"""Recipient: whether a record is for whoever has an address, by its hash or in clear.

Specs: Open Badges 3.0 §B, IdentityObject and IdentityHash; Open Badges 2.0, IdentityObject, which is the same.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.model import as_list, subjects
from protocols.credentials.verification import Check, CheckResult

__all__ = ["check_recipient", "identity_hash"]

_SPEC = "Open Badges 3.0 §B, IdentityObject"


def identity_hash(identity: str, salt: str) -> str:
    """The IdentityHash of an identity: how a holder or verifier who knows an address finds it."""
    return "sha256$" + hashlib.sha256((identity + salt).encode()).hexdigest()


def check_recipient(document: dict[str, Any], identity: str) -> CheckResult:
    """Whether ``identity``, such as an e-mail address, is one that the record is for."""
    found = [each for subject in subjects(document) for each in as_list(subject.get("identifier"))]
    named = [each for each in found if isinstance(each, dict) and isinstance(each.get("identityHash"), str)]
    if not named:
        reason = "The record names nobody by an address."
        return not_checked(Check.RECIPIENT, "recipient.unnamed", reason, _SPEC)
    if any(_is(each, identity) for each in named):
        return passed(Check.RECIPIENT, "The record is for the one who was asked about.", _SPEC)
    if any(each.get("hashed") is True and not each["identityHash"].startswith("sha256$") for each in named):
        reason = "The recipient is hashed in a way that this node does not take."
        return not_checked(Check.RECIPIENT, "recipient.hash_unknown", reason, _SPEC)
    return failed(Check.RECIPIENT, "recipient.differs", "The record is for somebody else.", _SPEC)


def _is(named: dict[str, Any], identity: str) -> bool:
    stated: str = named["identityHash"]
    if named.get("hashed") is not True:
        return hmac.compare_digest(stated.encode(), identity.encode())
    salt = named.get("salt")
    made = identity_hash(identity, salt if isinstance(salt, str) else "")
    return hmac.compare_digest(stated.lower().encode(), made.encode())
