"""A record that replaces another: what is kept of the former one, and how it names it.

Neither VCDM 2.0 nor Open Badges 3.0 has a property for this. The new record names the former one as Evidence (OB 3.0
§B) of the genre ``replaces`` whose ``id`` is the former one's, so that it is signed, and shown by every wallet.
"""

from __future__ import annotations

from typing import Any

from protocols.credentials import model

__all__ = ["as_replacement", "replaced_by"]

_GENRE = "replaces"


def as_replacement(credential: dict[str, Any], former: dict[str, Any], *, says_result: bool) -> dict[str, Any]:
    """An unsigned record, with what it does not say itself as the former one says it.

    Args:
        says_result: whether it has a result of its own. Identifiers of a kind that it does not have, such as a hashed
            address, are the former one's.
    """
    subject, before = dict(credential["credentialSubject"]), former["credentialSubject"]
    new = model.as_list(subject.get("identifier"))
    kinds = {each["identityType"] for each in new}
    identifiers = [each for each in model.as_list(before.get("identifier")) if each["identityType"] not in kinds]
    if identifiers or new:
        subject["identifier"] = [*identifiers, *new]
    if not says_result and "result" in before:
        subject["result"] = before["result"]
    kept = [each for each in model.as_list(former.get("evidence")) if _former(each) is None]
    note = {
        "id": former["id"],
        "type": ["Evidence"],
        "name": "Replaces an earlier record",
        "narrative": "This record replaces an earlier one, which is revoked.",
        "genre": _GENRE,
    }
    return {**credential, "credentialSubject": subject, "evidence": [*kept, note]}


def replaced_by(document: dict[str, Any]) -> str | None:
    """The ``id`` of the record that this one says it replaces; None where it replaces none. Never raises."""
    return next(filter(None, map(_former, model.as_list(document.get("evidence")))), None)


def _former(evidence: Any) -> str | None:
    if not isinstance(evidence, dict) or evidence.get("genre") != _GENRE:
        return None
    return model.id_of(evidence)
