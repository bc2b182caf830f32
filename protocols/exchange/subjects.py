"""Whom a record is about and who presents it: what ``is_holder`` and ``subject_is_issuer`` compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["is_self_attested", "presenter", "subject_at"]


def subject_at(document: Mapping[str, Any], location: tuple[str | int, ...]) -> str | None:
    """The id of the ``credentialSubject`` that holds the attribute at ``location``; None where it has none."""
    if not location or location[0] != "credentialSubject":
        return None
    subject = document.get("credentialSubject")
    if isinstance(subject, list):
        if len(location) < 2 or not isinstance(location[1], int):
            return None
        subject = subject[location[1]]
    return _id_of(subject)


def is_self_attested(document: Mapping[str, Any]) -> bool:
    """Whether every subject of the record is its issuer."""
    value = document.get("credentialSubject")
    subjects = [_id_of(subject) for subject in (value if isinstance(value, list) else [value])]
    issuer = document.get("issuer")
    issuer_id = issuer if isinstance(issuer, str) else _id_of(issuer)
    return issuer_id is not None and bool(subjects) and all(subject == issuer_id for subject in subjects)


def presenter(presentation: Mapping[str, Any]) -> str | None:
    """The DID that presents: the controller of the proof's key, which ``holder`` must not contradict.

    None where nobody is named, or where ``holder`` and proofs name different ones. That the proof is good and
    that the DID authorises its key is for the verification of the presentation.
    """
    named = {_id_of(presentation["holder"])} if "holder" in presentation else set()
    proof = presentation.get("proof")
    for entry in proof if isinstance(proof, list) else [] if proof is None else [proof]:
        method = entry.get("verificationMethod") if isinstance(entry, dict) else None
        named.add(method.partition("#")[0] if isinstance(method, str) else None)
    return named.pop() if len(named) == 1 else None


def _id_of(value: object) -> str | None:
    identifier = value.get("id") if isinstance(value, dict) else value
    return identifier if isinstance(identifier, str) and identifier else None
