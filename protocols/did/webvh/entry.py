"""What one entry of a did:webvh log has to look like (did:webvh 1.0 §The DID Log File, §DID Method Parameters).

Checked before anything is hashed: the cryptosuite and purpose of proofs, times, types of parameters, what may follow a
deactivation, a move or a pre-rotation, the rule for witnesses, and sizes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protocols.did.syntax import check_did
from protocols.errors import BadInput
from protocols.multiformats import Multicodec, multikey_decode

__all__ = ["Entry", "broken", "check_entry", "check_proof"]

_METHOD = "did:webvh:1.0"
_MAX_ITEMS = 64
_MAX_CHARS = 256
_MAX_PROOFS = 8
_HASH = r"Qm[1-9A-HJ-NP-Za-km-z]{44}"
_VERSION_ID = re.compile(rf"[1-9][0-9]{{0,5}}-{_HASH}", re.ASCII)
_KEY_HASH = re.compile(_HASH, re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_MEMBERS = frozenset({"versionId", "versionTime", "parameters", "state", "proof"})
_PROOF = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod"}
_DID_KEY = "did:key:"


@dataclass(frozen=True, slots=True)
class Entry:
    """A verified entry.

    Attributes:
        parameters: those in force from this entry on.
        state: the DID document.
    """

    version_id: str
    version_time: str
    time: datetime
    parameters: Mapping[str, Any]
    state: dict[str, Any]


def broken(why: str) -> BadInput:
    """The error for a log that does not hold."""
    return BadInput("did.log_broken", f"The log of the DID does not hold: {why}.", "Its controller has to correct it.")


def check_entry(raw: dict[str, Any], scid: str, before: Entry | None) -> None:
    """Refuse an entry that is not one, or may not follow the entry ``before``.

    Raises:
        BadInput: ``did.log_broken``, ``did.malformed``.
    """
    if raw.keys() != _MEMBERS or not isinstance(raw["parameters"], dict) or not isinstance(raw["state"], dict):
        raise broken("an entry has not the members of an entry")
    if not (_matches(_VERSION_ID, raw["versionId"]) and _matches(_TIME, raw["versionTime"])):
        raise broken("an entry has a malformed versionId or versionTime")
    _check_proofs(raw["proof"])
    _check_parameters(raw["parameters"], is_first=before is None)
    _check_id(raw["state"], scid, before)
    if before is None:
        return
    if before.parameters.get("deactivated"):
        raise broken("an entry follows after the deactivation")
    if before.parameters.get("nextKeyHashes") and not {"updateKeys", "nextKeyHashes"} <= raw["parameters"].keys():
        raise broken("an entry under pre-rotation does not name its keys and the hashes of the next ones")


def _check_proofs(proofs: Any) -> None:
    if not isinstance(proofs, list) or not 0 < len(proofs) <= _MAX_PROOFS:
        raise broken("an entry has no proofs, or too many")
    for proof in proofs:
        check_proof(proof)


def check_proof(proof: Any) -> None:
    """Refuse a proof of another kind than did:webvh 1.0 permits (§Authorized Keys).

    Raises:
        BadInput: ``did.log_broken``.
    """
    if not isinstance(proof, dict) or any(proof.get(name) != value for name, value in _PROOF.items()):
        raise broken("a proof is not an eddsa-jcs-2022 proof for assertionMethod")
    if not all(_is_short(proof.get(name)) for name in ("verificationMethod", "proofValue")):
        raise broken("a proof has no verificationMethod or proofValue")


def _check_parameters(parameters: dict[str, Any], *, is_first: bool) -> None:
    if parameters.get("method", _METHOD) != _METHOD:
        raise broken("it is of another version of did:webvh than 1.0")
    if is_first and not {"method", "scid", "updateKeys"} <= parameters.keys():
        raise broken("its first entry has not the parameters of a first entry")
    for name in ("updateKeys", "nextKeyHashes", "watchers"):
        items = parameters.get(name, [])
        if not isinstance(items, list) or len(items) > _MAX_ITEMS or not all(_is_short(item) for item in items):
            raise broken(f"its {name} are not a short list of texts")
    if not all(_matches(_KEY_HASH, text) for text in parameters.get("nextKeyHashes", [])):
        raise broken("its nextKeyHashes are not SHA-256 multihashes")
    if not all(isinstance(parameters.get(name, False), bool) for name in ("portable", "deactivated")):
        raise broken("portable or deactivated is neither true nor false")
    if parameters.get("portable") and not is_first:
        raise broken("it becomes portable after the first entry")
    _check_witness(parameters.get("witness", {}))


def _check_witness(rule: Any) -> None:
    """§The witness Parameter: a threshold that the distinct witnesses can reach, each one a did:key of Ed25519."""
    if rule == {}:
        return
    if not isinstance(rule, dict) or rule.keys() != {"threshold", "witnesses"}:
        raise broken("its rule for witnesses is malformed")
    threshold, witnesses = rule["threshold"], rule["witnesses"]
    if not isinstance(witnesses, list) or not 0 < len(witnesses) <= _MAX_ITEMS:
        raise broken("its rule for witnesses names none, or too many")
    names = {witness["id"] for witness in witnesses if isinstance(witness, dict) and _is_witness(witness)}
    if len(names) != len(witnesses):
        raise broken("a witness is named twice, or is not a did:key of an Ed25519 key")
    if not isinstance(threshold, int) or isinstance(threshold, bool) or not 0 < threshold <= len(names):
        raise broken("its witnesses cannot reach their threshold")


def _is_witness(witness: dict[str, Any]) -> bool:
    name = witness.get("id")
    if witness.keys() != {"id"} or not isinstance(name, str) or len(name) > _MAX_CHARS:
        return False
    if not name.startswith(_DID_KEY + "z"):
        return False
    try:
        return multikey_decode(name.removeprefix(_DID_KEY))[0] is Multicodec.ED25519_PUB
    except BadInput:
        return False


def _check_id(state: dict[str, Any], scid: str, before: Entry | None) -> None:
    name = state.get("id")
    if not isinstance(name, str) or not name.startswith(f"did:webvh:{scid}:"):
        raise broken("a document is of another DID")
    check_did(name)
    if before is None or name == before.state["id"]:
        return
    known_as = state.get("alsoKnownAs")
    if not before.parameters.get("portable") or not isinstance(known_as, list) or before.state["id"] not in known_as:
        raise broken("the DID moves without being portable, or without naming where it was")


def _matches(pattern: re.Pattern[str], text: Any) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None


def _is_short(text: Any) -> bool:
    return isinstance(text, str) and len(text) <= _MAX_CHARS
