"""``from_prior``: the sender of a DIDComm v2 message goes by another DID from now on, or ends the relationship.

DIDComm 2.1 §DID Rotation. Promises that the prior DID itself says so, by a key that it lists under ``authentication``.
Which connection has the prior DID, and when the header need no longer be looked at, is left to the node.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from protocols.did.resolver import Resolver
from protocols.did.syntax import check_did, did_of
from protocols.didcomm.message import PlainMessage
from protocols.didcomm.signed_v2 import SIGNATURE_ALGORITHMS, check_signature
from protocols.errors import BadInput, PeerFault
from protocols.jose import Jwt, is_typ, read_jwt, sign_jwt, time_problem
from protocols.keys import Signer

__all__ = ["Rotation", "make_from_prior", "read_from_prior"]

_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Rotation:
    """A change of DID.

    Attributes:
        new: None where the relationship ends.
        issued_at: when the DID was changed, in seconds since 1970.
    """

    prior: str
    new: str | None
    issued_at: int


def make_from_prior(new: str | None, signer: Signer, *, now: datetime) -> str:
    """The JWT that says that ``new`` takes the place of the signer's DID; with None, that nothing does."""
    claims = {"iss": did_of(signer.verification_method), "iat": int(now.timestamp())}
    return sign_jwt(claims if new is None else {"sub": new, **claims}, signer, typ="JWT")


async def read_from_prior(message: PlainMessage, resolver: Resolver, *, now: datetime) -> Rotation | None:
    """What a message says about the DID that its sender had before; None where it says nothing.

    The message has to be encrypted, and ``from`` authenticated, before this is worth anything.

    Raises:
        PeerFault: ``message.from_prior`` where the JWT cannot be read or is not about this message's sender,
            ``envelope.signature`` where the prior DID did not sign it.
        NotNow: ``did.unreachable``.
    """
    if message.from_prior is None:
        return None
    try:
        jwt = read_jwt(message.from_prior, SIGNATURE_ALGORITHMS)
        rotation, kid = _read(jwt)
    except BadInput as error:
        raise _refused(error.message) from None
    if rotation.new != (None if message.from_ is None else did_of(message.from_)):
        raise _refused("It is about another DID than the one in from.")
    if time_problem(jwt.claims, now=now, skew=_SKEW) is not None:
        raise _refused("It is not valid now.")
    await check_signature(jwt.jws, kid, resolver)
    return rotation


def _read(jwt: Jwt) -> tuple[Rotation, str]:
    prior, new, issued_at = (jwt.claims.get(name) for name in ("iss", "sub", "iat"))
    kid = jwt.jws.kid
    if not isinstance(prior, str) or not isinstance(new, str | None) or type(issued_at) is not int:
        raise _refused("It has not the claims iss, sub and iat.")
    check_did(prior)
    if new is not None:
        check_did(new)
    if kid is None or "#" not in kid or did_of(kid) != prior or new == prior:
        raise _refused("It is not signed by the prior DID for another.")
    if jwt.jws.typ is not None and not is_typ(jwt.jws.typ, "jwt"):
        raise _refused("Its typ is not JWT.")
    return Rotation(prior, new, issued_at), kid


def _refused(why: str) -> PeerFault:
    return PeerFault("message.from_prior", f"The from_prior cannot be used. {why}", "See DIDComm 2.1, DID Rotation.")
