"""The goal codes of invitations by which a receiver answers with the first message of another protocol.

They are those of WACI-DIDComm 1.0 (DIF, Interoperability Profile): the holder of records proposes, and the inviter, who
knows by the parent thread what the invitation is for, answers with a request or an offer of its own making.
"""

from __future__ import annotations

__all__ = ["STREAMLINED_VC", "STREAMLINED_VP"]

STREAMLINED_VC = "streamlined-vc"
"""Issuance §Step 1: the receiver is to send ``propose-credential``."""

STREAMLINED_VP = "streamlined-vp"
"""Presentation §Step 1: the receiver is to send ``propose-presentation``."""
