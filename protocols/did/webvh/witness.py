"""Witnesses of a did:webvh: enough of them have proved that they saw each version (did:webvh 1.0 §DID Witnesses).

A proof counts for its version and for all before it, and a witness counts once, however many proofs it gave. Proofs for
versions that the log does not have, and proofs of others, count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from protocols import strict_json
from protocols.did.webvh.entry import Entry, check_proof
from protocols.errors import BadInput

__all__ = ["check_witnesses", "is_witnessed"]

_MAX_PROOFS = 2000


def is_witnessed(entries: Sequence[Entry]) -> bool:
    """Whether any entry has to be witnessed."""
    return any(_rules(entries))


def check_witnesses(entries: Sequence[Entry], file: bytes) -> None:
    """Refuse a log of which an entry was not witnessed as the rule in force for it says.

    Args:
        file: ``did-witness.json``.

    Raises:
        BadInput: ``did.witnesses_missing``.
    """
    rules = list(_rules(entries))
    names = {witness["id"] for rule in rules if rule for witness in rule["witnesses"]}
    seen = _seen(file, {entry.version_id: number for number, entry in enumerate(entries)}, names)
    for number, rule in enumerate(rules):
        if rule and sum(seen.get(witness["id"], -1) >= number for witness in rule["witnesses"]) < rule["threshold"]:
            raise _missing("fewer witnesses than its rule asks for have proved a version")


def _rules(entries: Sequence[Entry]) -> Iterator[Mapping[str, Any]]:
    """The rule that each entry is under: the one before it; its own where there was none (§witness parameter)."""
    before: Mapping[str, Any] = {}
    for entry in entries:
        own = entry.parameters.get("witness", {})
        yield before or own
        before = own


def _seen(file: bytes, numbers: Mapping[str, int], names: set[str]) -> dict[str, int]:
    """The latest entry that each witness proved to have seen."""
    seen: dict[str, int] = {}
    for version_id, proof in _proofs(file):
        name = _witness_of(proof)
        number = numbers.get(version_id, -1)
        if name in names and number > seen.get(name, -1) and _holds(version_id, proof):
            seen[name] = number
    return seen


def _proofs(file: bytes) -> list[tuple[str, dict[str, Any]]]:
    try:
        items = strict_json.loads(file)
    except BadInput:
        raise _missing("the file of their proofs is not JSON") from None
    found: list[tuple[str, dict[str, Any]]] = []
    for item in items if isinstance(items, list) else [None]:
        if not isinstance(item, dict) or not isinstance(item.get("versionId"), str):
            raise _missing("the file of their proofs is malformed")
        proofs = item.get("proof")
        found += [(item["versionId"], proof) for proof in proofs] if isinstance(proofs, list) else []
    if len(found) > _MAX_PROOFS:
        raise _missing("the file of their proofs is too long")
    return found


def _witness_of(proof: Any) -> str:
    """The did:key whose one key is named, by the identifier and again after the ``#``; empty where they differ."""
    try:
        check_proof(proof)
    except BadInput:
        return ""
    did, _, fragment = proof["verificationMethod"].partition("#")
    return did if did == f"did:key:{fragment}" else ""


def _holds(version_id: str, proof: dict[str, Any]) -> bool:
    from did_webvh.core.proof import di_jcs_verify, resolve_did_key  # noqa: PLC0415 - as in log.py

    try:
        di_jcs_verify({"versionId": version_id}, proof, resolve_did_key(proof["verificationMethod"]))
    except Exception:  # the library's input is a stranger's: whatever it raises, the proof does not hold
        return False
    return True


def _missing(why: str) -> BadInput:
    return BadInput(
        "did.witnesses_missing", f"The DID is not witnessed: {why}.", "Its controller has to publish the proofs."
    )
