"""Which version of a protocol goes with which wire version: what a message of it is called in DIDComm v1 and in v2.

A protocol that both wires carry has one state machine and one line here; its ``messages.py`` names the v1 version, and
asks this table what it is called on the wire at hand.
"""

from __future__ import annotations

from protocols.didcomm.message import Wire
from protocols.didcomm.message_type import DIDCOMM_ORG

__all__ = ["EMPTY", "known_as", "known_on_every_wire", "on_wire"]

EMPTY = DIDCOMM_ORG + "empty/1.0"
"""The protocol whose one message has headers only (DIDComm 2.1 §The Empty Message)."""

_V2 = {
    DIDCOMM_ORG + "trust_ping/1.0": DIDCOMM_ORG + "trust-ping/2.0",
    DIDCOMM_ORG + "report-problem/1.0": DIDCOMM_ORG + "report-problem/2.0",
    DIDCOMM_ORG + "out-of-band/1.1": DIDCOMM_ORG + "out-of-band/2.0",
    DIDCOMM_ORG + "issue-credential/2.0": DIDCOMM_ORG + "issue-credential/3.0",
    DIDCOMM_ORG + "present-proof/2.0": DIDCOMM_ORG + "present-proof/3.0",
    DIDCOMM_ORG + "routing/1.0": DIDCOMM_ORG + "routing/2.0",
}
"""PIURI of DIDComm v1 -> PIURI of DIDComm v2."""


def on_wire(protocol: str, wire: Wire) -> str:
    """The PIURI of the version of ``protocol`` (as v1 has it) that goes with ``wire``; itself where both share one."""
    return _V2.get(protocol, protocol) if wire is Wire.V2 else protocol


def known_as(protocol: str, wire: Wire) -> str:
    """Likewise with the major version only, as in ``PlainMessage.protocol``."""
    family, version = on_wire(protocol, wire).rsplit("/", 1)
    return f"{family}/{version.split('.', maxsplit=1)[0]}"


def known_on_every_wire(protocol: str) -> tuple[str, ...]:
    """What :func:`known_as` gives for each wire version, the older first."""
    return tuple(dict.fromkeys(known_as(protocol, wire) for wire in Wire))
