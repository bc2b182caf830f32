"""Whether what a DIDComm v2 message says of itself agrees with the envelopes around it.

DIDComm 2.1 §Message Layer Addressing Consistency, §Message Headers (``from``, ``to``) and §DIDComm Signed Messages. Any
disagreement is an error: a ``to`` that names others too (§Message Headers would let it pass with a warning) is refused,
as the later section has it.
"""

from __future__ import annotations

from protocols.did.syntax import did_of
from protocols.didcomm.message import PlainMessage
from protocols.errors import PeerFault

__all__ = ["check_addressing"]


def check_addressing(
    message: PlainMessage, *, sender: str | None, signer: str | None, recipients: tuple[str, ...]
) -> None:
    """Compare the headers of a message with the keys of its envelopes.

    Args:
        sender: the key (DID URL) that authenticated the encryption, if one did.
        signer: the key that signed, if one did.
        recipients: the key of ours that opened each encryption.

    Raises:
        PeerFault: ``message.addressing``.
    """
    said = None if message.from_ is None else did_of(message.from_)
    if sender is not None and did_of(sender) != said:
        raise _inconsistent("its from is not who encrypted it")
    if signer is not None and did_of(signer) != said:
        raise _inconsistent("its from is not who signed it")
    if signer is not None and recipients and not message.to:
        raise _inconsistent("it is signed and encrypted, and does not say for whom")
    if message.to and not {did_of(key) for key in recipients} <= {did_of(did) for did in message.to}:
        raise _inconsistent("its to does not name the one whom it was encrypted for")


def _inconsistent(why: str) -> PeerFault:
    return PeerFault(
        "message.addressing",
        f"The message contradicts its envelope: {why}.",
        "See DIDComm 2.1, Message Layer Addressing Consistency.",
    )
