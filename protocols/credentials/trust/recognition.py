"""``VerifiableRecognitionCredential``: a trust list, or an accreditation, as a credential.

Spec: Recognized Entities 1.0, W3C First Public Working Draft of 12 May 2026, §2. The draft has no context and no terms
for what may be awarded but JSON Schemas (``outputValidation``); the terms of Open Badges 3.0 stand in for them here,
and ``sequence`` for the number of a list, all under a context of lernode's own. An action that is limited by anything
else grants nothing, for nobody could hold the limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from protocols.credentials.model import CONTEXT_V2, as_list, has_type, id_of, subjects, types_of
from protocols.credentials.times import format_time, parse_time
from protocols.credentials.trust.grants import Action, Grant, Origin
from protocols.credentials.trust.scope import Scope
from protocols.did.syntax import check_did
from protocols.errors import BadInput

__all__ = [
    "RECOGNITION",
    "TRUST_CONTEXT",
    "Entry",
    "Recognition",
    "is_recognition",
    "read_recognition",
    "recognition_credential",
]

RECOGNITION: Final = "VerifiableRecognitionCredential"
TRUST_CONTEXT: Final = "urn:lernode:trust:v1"
MAX_ENTRIES: Final = 500

_MAX_SEQUENCE = (1 << 53) - 1
_TYPES = frozenset({"VerifiableCredential", RECOGNITION})
_OF_AN_ENTITY = frozenset({"id", "type", "name", "description", "recognizedTo"})
_OF_AN_ACTION = frozenset(
    {
        "id", "type", "action", "recognizedBy", "achievementType", "achievement", "targetFramework", "validFrom",
        "validUntil",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is said of one entity: that it may do something, for what, and for records issued when."""

    did: str
    name: str = ""
    action: Action = Action.ISSUE
    scope: Scope
    start: datetime | None = None
    end: datetime | None = None

    def grant(self, origin: Origin) -> Grant:
        """The entry as a grant by the word of ``origin``."""
        return Grant(did=self.did, action=self.action, scope=self.scope, start=self.start, end=self.end, origin=origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """A recognition credential, read.

    Attributes:
        sequence: the number of a list, which grows with every edition; ``None`` for an accreditation.
        entries: what grants something here.
    """

    id: str | None
    issuer: str
    name: str
    sequence: int | None
    valid_from: datetime
    valid_until: datetime | None
    subjects: tuple[str, ...]
    entries: tuple[Entry, ...]


def recognition_credential(
    entries: Iterable[Entry],
    *,
    issuer: str,
    name: str,
    valid_from: datetime,
    valid_until: datetime | None,
    credential_id: str | None = None,
    sequence: int | None = None,
) -> dict[str, Any]:
    """An unsigned recognition credential; entries of one DID become one subject.

    Raises:
        BadInput: ``trust.list_empty``, ``trust.list_too_long``.
    """
    by_did: dict[str, list[Entry]] = {}
    for entry in entries:
        by_did.setdefault(entry.did, []).append(entry)
    if not by_did:
        raise BadInput("trust.list_empty", "There is nobody to be recognised.", "Add a rule first: lernode trust add")
    if sum(map(len, by_did.values())) > MAX_ENTRIES:
        raise BadInput("trust.list_too_long", f"A list has at most {MAX_ENTRIES} entries.", "Publish several lists.")
    return {
        "@context": [CONTEXT_V2, TRUST_CONTEXT],
        **({"id": credential_id} if credential_id else {}),
        "type": ["VerifiableCredential", RECOGNITION],
        "name": name,
        "issuer": issuer,
        "validFrom": format_time(valid_from),
        **({"validUntil": format_time(valid_until)} if valid_until else {}),
        **({} if sequence is None else {"sequence": sequence}),
        "credentialSubject": [_subject(did, of, issuer) for did, of in by_did.items()],
    }


def is_recognition(document: dict[str, Any]) -> bool:
    """Whether a credential is a recognition and nothing besides, so that no record passes for one."""
    described = subjects(document)
    whole = len(described) == len(as_list(document.get("credentialSubject"))) > 0
    return (
        whole
        and frozenset(types_of(document)) == _TYPES
        and all(has_type(subject, "RecognizedEntity") and subject.keys() <= _OF_AN_ENTITY for subject in described)
    )


def read_recognition(document: dict[str, Any]) -> Recognition:
    """What a recognition credential says; that it is genuine is for others to see.

    Raises:
        BadInput: ``trust.list_malformed``.
    """
    issuer, start = id_of(document.get("issuer")), parse_time(document.get("validFrom"), zone_required=False)
    until, sequence = document.get("validUntil"), document.get("sequence")
    end = parse_time(until, zone_required=False)
    if not is_recognition(document):
        raise _malformed("It is no recognition credential, or says more than one says.")
    if issuer is None or start is None or (until is not None and end is None):
        raise _malformed("It does not say by whom, or since when, or until when.")
    if sequence is not None and (type(sequence) is not int or not 0 <= sequence <= _MAX_SEQUENCE):
        raise _malformed("Its sequence is not a whole number.")
    described = subjects(document)
    if len(described) > MAX_ENTRIES:
        raise _malformed(f"It names more than {MAX_ENTRIES} entities.")
    entries = tuple(entry for subject in described for entry in _entries(subject, issuer))
    if len(entries) > MAX_ENTRIES:
        raise _malformed(f"It has more than {MAX_ENTRIES} entries.")
    return Recognition(
        id=id_of(document.get("id")),
        issuer=issuer,
        name=_text(document.get("name")),
        sequence=sequence,
        valid_from=start,
        valid_until=end,
        subjects=tuple(_did(subject) for subject in described),
        entries=entries,
    )


def _subject(did: str, entries: list[Entry], issuer: str) -> dict[str, Any]:
    name = next((entry.name for entry in entries if entry.name), "")
    actions = [_action(entry, issuer) for entry in entries]
    return {"id": did, "type": "RecognizedEntity", **({"name": name} if name else {}), "recognizedTo": actions}


def _action(entry: Entry, issuer: str) -> dict[str, Any]:
    limits = {
        "achievementType": sorted(entry.scope.achievement_types),
        "achievement": sorted(entry.scope.achievements),
        "targetFramework": sorted(entry.scope.frameworks),
        "validFrom": entry.start and format_time(entry.start),
        "validUntil": entry.end and format_time(entry.end),
    }
    return {
        "type": "RecognizedAction",
        "action": entry.action.value,
        "recognizedBy": issuer,
        **{name: value for name, value in limits.items() if value},
    }


def _entries(subject: dict[str, Any], issuer: str) -> Iterator[Entry]:
    did = _did(subject)
    for action in as_list(subject.get("recognizedTo")):
        if not isinstance(action, dict) or not has_type(action, "RecognizedAction"):
            raise _malformed("What an entity is recognised to do is no RecognizedAction.")
        is_ours = action.keys() <= _OF_AN_ACTION and id_of(action.get("recognizedBy")) in (None, issuer)
        if is_ours and action.get("action") in tuple(Action):
            yield _entry(did, _text(subject.get("name")), action)


def _entry(did: str, name: str, action: dict[str, Any]) -> Entry:
    start, end = (_time(action, part) for part in ("validFrom", "validUntil"))
    scope = Scope(*(_words(action, part) for part in ("achievementType", "achievement", "targetFramework")))
    return Entry(did=did, name=name, action=Action(action["action"]), scope=scope, start=start, end=end)


def _words(action: dict[str, Any], name: str) -> frozenset[str]:
    words = as_list(action.get(name))
    # An empty set would not limit anything, and can only be a slip: what limits must name something.
    if name in action and (not words or not all(isinstance(word, str) and word for word in words)):
        raise _malformed(f"A limit by {name} is not made of texts.")
    return frozenset(words)


def _time(action: dict[str, Any], name: str) -> datetime | None:
    moment = parse_time(action.get(name), zone_required=False)
    if name in action and moment is None:
        raise _malformed("A date of an action cannot be read.")
    return moment


def _did(subject: dict[str, Any]) -> str:
    try:
        return check_did(id_of(subject) or "")
    except BadInput:
        raise _malformed("An entity is not named by its DID.") from None


def _text(value: Any) -> str:
    return value[:400] if isinstance(value, str) else ""


def _malformed(message: str) -> BadInput:
    return BadInput("trust.list_malformed", message, "Ask its publisher.")
