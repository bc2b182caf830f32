"""did:webvh 1.0: a did:web whose whole history can be verified, from a log whose first entry the DID is the hash of.

The log (``did.jsonl``) and, where it names witnesses, their proofs (``did-witness.json``) are read as bytes; fetching
is left to ``node/net``. The log holds as a whole or not at all: an entry that breaks a rule makes the DID invalid, also
where an earlier version is asked for. A log may only grow: one that is shorter than a copy kept before, or says
something else of the past, is refused, which TLS alone would not notice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

from protocols.did import web
from protocols.did.document import parse_document
from protocols.did.files import AlsoNeeded
from protocols.did.resolution import Resolved, Version
from protocols.did.syntax import check_did
from protocols.did.webvh.entry import Entry, broken
from protocols.did.webvh.log import read_log, verify_log
from protocols.did.webvh.witness import check_witnesses, is_witnessed
from protocols.errors import BadInput

__all__ = ["PREFIX", "check_change", "document_url", "read"]

PREFIX = "did:webvh:"
_WITNESS_FILE = "did-witness.json"
_SCID = re.compile(r"Qm[1-9A-HJ-NP-Za-km-z]{44}", re.ASCII)


def document_url(did: str, *, allow_http: bool = False) -> str:
    """Where the log of a did:webvh is (did:webvh §The DID to HTTPS Transformation): beside a did:web's document.

    Args:
        allow_http: take plain http for ``localhost`` and names below it, for nodes on one machine.

    Raises:
        BadInput: ``did.malformed`` or ``did.web_url``.
    """
    _, place = _split(did)
    return web.document_url(web.PREFIX + place, allow_http=allow_http) + "l"


def read(did: str, files: Sequence[bytes], *, now: datetime) -> Resolved | AlsoNeeded:
    """The document of a did:webvh with all its versions, or that the proofs of its witnesses are needed too.

    Args:
        files: the log, and what witnesses proved where that was asked for.
        now: entries from the future are refused.

    Raises:
        BadInput: ``did.log_broken``, ``did.witnesses_missing``, ``did.document_malformed``, ``did.malformed``.
    """
    scid, _ = _split(did)
    entries = verify_log(read_log(files[0]), scid, now=now)
    if is_witnessed(entries):
        if len(files) == 1:
            return AlsoNeeded(_WITNESS_FILE)
        check_witnesses(entries, files[1])
    last = entries[-1]
    versions = tuple(Version(entry.version_id, entry.time, entry.state) for entry in entries)
    if last.parameters.get("deactivated"):
        return Resolved(did, None, _metadata(entries), versions)
    if last.state["id"] != did:
        raise broken("the DID has moved to another place")
    return Resolved(did, parse_document(last.state, did, now=now), _metadata(entries), versions)


def check_change(kept: bytes, new: bytes) -> None:
    """Refuse a log that does not begin with all entries of the one kept before.

    Raises:
        BadInput: ``did.log_rolled_back``; ``did.log_broken``.
    """
    # The id of an entry is the hash of it and all before it, so that ids say whether the content is the same.
    for before, after in zip_longest(_version_ids(kept), _version_ids(new)):
        if before is None:
            return
        if before != after:
            raise BadInput(
                "did.log_rolled_back",
                "The log of the DID is shorter than the one known before, or says otherwise of the past.",
                "Do not rely on the DID before its controller has explained it.",
            )


def _version_ids(log: bytes) -> list[Any]:
    return [entry.get("versionId") for entry in read_log(log)]


def _split(did: str) -> tuple[str, str]:
    """The self-certifying identifier, and the place."""
    check_did(did)
    scid, _, place = did.removeprefix(PREFIX).partition(":")
    if not did.startswith(PREFIX) or not _SCID.fullmatch(scid) or not place:
        raise BadInput(
            "did.malformed",
            "The did:webvh cannot be used: it is not did:webvh: with a hash and a place.",
            "Ask its owner for the DID again.",
        )
    return scid, place


def _metadata(entries: Sequence[Entry]) -> dict[str, Any]:
    """What did:webvh §Read (Resolve) has in DID document metadata; numbers as text, as it says."""
    first, last = entries[0], entries[-1]
    parameters = last.parameters
    metadata: dict[str, Any] = {
        "versionId": last.version_id,
        "versionTime": last.version_time,
        "created": first.version_time,
        "updated": last.version_time,
        "scid": first.parameters["scid"],
        "portable": parameters.get("portable", False),
        "deactivated": parameters.get("deactivated", False),
    }
    if "ttl" in parameters:
        metadata["ttl"] = str(parameters["ttl"])
    if parameters.get("watchers"):
        metadata["watchers"] = parameters["watchers"]
    if parameters.get("witness"):
        metadata["witness"] = {**parameters["witness"], "threshold": str(parameters["witness"]["threshold"])}
    return metadata
