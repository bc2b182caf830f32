"""What an agent of others has to do so that the matrix can be walked with it; one file a peer implements this."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar

__all__ = ["DataModel", "MediatedPeer", "Peer", "PeerMissing", "eventually"]

DataModel = Literal["1.1", "2.0"]
"""Version of the W3C Verifiable Credentials data model."""
T = TypeVar("T")
_DEADLINE_SECONDS = 20.0
_LOOK_EVERY_SECONDS = 0.03


class PeerMissing(Exception):
    """The peer cannot be had on this machine; the message says what to install."""


class Peer(Protocol):
    """An agent in a process of its own, driven through whatever interface it has.

    Threads are the protocols' own ``thid``, by which both sides know an exchange; connections are the peer's ids.

    Attributes:
        key: by which the command names it.
        name: with which the table names it.
        answers_with: the DID methods that it can answer an invitation with.
        data_models: of the records that it takes and makes; it presents in a presentation of the first.
        proof_types: that it makes and checks with a did:key; of them the node uses the first.
        takes_status: whether it takes records that can be revoked.
        invites_with: the DID methods with which it can name its service in an invitation; None writes it out.
    """

    key: ClassVar[str]
    name: ClassVar[str]
    answers_with: ClassVar[tuple[str, ...]]
    invites_with: ClassVar[tuple[str | None, ...]]
    data_models: ClassVar[tuple[DataModel, ...]]
    proof_types: ClassVar[tuple[str, ...]]
    takes_status: ClassVar[bool]

    @property
    def version(self) -> str:
        """Of the agent that is installed."""

    async def install(self, folder: Path) -> None:
        """Put it into ``folder``, which belongs to it; quick where it is there already.

        Raises:
            PeerMissing: this machine cannot run it.
        """

    async def start(self, port: int) -> None:
        """Start it on ``port`` for peers and ``port + 1`` for its owner; with port 0, which only some can, on none."""

    async def stop(self) -> None:
        """Stop it, also where it did not start."""

    async def make_did(self) -> str:
        """A did:key with an Ed25519 key in its wallet, to issue as and to be the subject of records."""

    async def accept_invitation(self, url: str, did_method: str) -> str:
        """Answer an invitation with a DID of this method; the connection, once it is complete."""

    async def invite(self, handshake: str, did_method: str | None) -> tuple[str, str]:
        """An invitation to ``handshake``: its URL, and its id."""

    async def invited(self, invitation_id: str) -> str:
        """The connection that came of an invitation, once it is complete."""

    async def ping(self, connection: str) -> None:
        """Send a trust ping."""

    async def features(self, connection: str, version: Literal["1.0", "2.0"]) -> Collection[str]:
        """The protocols that the other side discloses when it is asked with this version of Discover Features."""

    async def hang_up(self, connection: str) -> None:
        """End a connection."""

    async def ended(self, connection: str) -> None:
        """Wait until a connection was ended by the other side."""

    async def offer(self, connection: str, credential: dict[str, Any], proof_type: str) -> str:
        """Offer a record; the thread. What is requested then is issued without asking."""

    async def request_offered(self, thread: str, subject: str) -> None:
        """Answer an offer: request it for ``subject``, which the offer names too."""

    async def decline_offer(self, thread: str, reason: str) -> None:
        """Answer an offer with a problem report."""

    async def issued(self, thread: str) -> None:
        """Wait until the holder has acknowledged a record that was issued."""

    async def stored(self, thread: str) -> None:
        """Wait until a received record is verified and stored."""

    async def request_proof(self, connection: str, definition: dict[str, Any]) -> str:
        """Ask for records; the thread."""

    async def present(self, thread: str) -> None:
        """Answer a request for records with whatever fits."""

    async def acknowledged(self, thread: str) -> None:
        """Wait until the verifier has acknowledged a presentation."""

    async def decline_proof(self, thread: str, reason: str) -> None:
        """Answer a request for records with a problem report."""

    async def verified(self, thread: str) -> None:
        """Wait until a presentation was received and found genuine."""

    async def declined(self, thread: str) -> None:
        """Wait until the other side has ended an exchange with a problem report."""


class MediatedPeer(Peer, Protocol):
    """An agent that can be behind a mediator, and listens nowhere."""

    async def use_mediator(self, url: str) -> None:
        """Connect with a mediator, have it mediate for whatever is new, and be told at once of what comes."""

    async def go_away(self) -> None:
        """Close every connection with the mediator, as a phone that is put away."""

    async def come_back(self) -> None:
        """Come for what waits, and be told at once of what comes."""


async def eventually(look: Callable[[], Awaitable[T | None]], what: str) -> T:
    """What ``look`` finds, as soon as it does.

    Raises:
        TimeoutError: nothing in time; the message says what was waited for.
    """
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            while (found := await look()) is None:
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
            return found
    except TimeoutError:
        raise TimeoutError(f"no {what} within {_DEADLINE_SECONDS:.0f} s") from None
