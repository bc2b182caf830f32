"""Credo (OpenWallet Foundation, npm ``@credo-ts/...``), driven by ``credo_driver/driver.mjs`` in its own process.

Its parts are installed at one version, the newest of which npm has all. Askar's JavaScript wrapper would fetch its
native library from GitHub; the same library, of the version that the wrapper is made for, is in a wheel on PyPI, and is
taken from there. What of it is compiled when it is installed needs a C++ compiler, make, and the headers of Node.js.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, Literal

from scripts.interop_peers.driven import Driven, install_packages
from scripts.interop_peers.peer import DataModel

__all__ = ["Credo"]

_VERSION = "0.6.0-alpha-20251127043254"
_PACKAGES = (
    *(f"@credo-ts/{part}@{_VERSION}" for part in ("core", "didcomm", "node", "askar")),
    "@openwallet-foundation/askar-nodejs@0.4.3",
)
_ASKAR = "aries-askar==0.4.6"
"""The native library that askar-nodejs 0.4.3 is made for."""
_COMPILED = ("@2060.io/ref-napi", "@2060.io/ffi-napi")


class Credo:
    """One agent of Credo."""

    key: ClassVar[str] = "credo"
    name: ClassVar[str] = "Credo"
    answers_with: ClassVar[tuple[str, ...]] = ("did:peer:4", "did:peer:2", "did:peer:1")
    invites_with: ClassVar[tuple[str | None, ...]] = (None, "did:peer:4", "did:peer:2")
    data_models: ClassVar[tuple[DataModel, ...]] = ("1.1",)
    proof_types: ClassVar[tuple[str, ...]] = ("Ed25519Signature2018",)
    takes_status: ClassVar[bool] = False
    version: ClassVar[str] = _VERSION

    def __init__(self) -> None:
        self._folder = Path()
        self._driven = Driven(self.name, Path(__file__).with_name("credo_driver") / "driver.mjs")

    async def install(self, folder: Path) -> None:
        """Its packages, and Askar's library.

        Raises:
            PeerMissing: there is no npm, or no compiler.
            RuntimeError: a step of it failed.
        """
        self._folder = folder
        await install_packages(folder, self.name, _PACKAGES, compiled=_COMPILED, wheel=_ASKAR)

    async def start(self, port: int) -> None:
        """Start it with a wallet in memory.

        Args:
            port: 0 to listen nowhere, as a wallet on a phone.

        Raises:
            RuntimeError: it ended; its log says why.
            TimeoutError: it is not ready in time.
        """
        library = {"LIB_ASKAR_PATH": str(self._folder / "native" / "aries_askar")}
        await self._driven.start(self._folder, port, log="log" if port else "log-wallet", environment=library)

    async def stop(self) -> None:
        """Stop it, gently first; also where it did not start."""
        await self._driven.stop()

    async def make_did(self) -> str:
        """A did:key in its wallet."""
        return str(await self._ask("make_did"))

    # Connections --------------------------------------------------------------------------------------------------

    async def accept_invitation(self, url: str, did_method: str) -> str:
        """Answer an invitation."""
        return str(await self._ask("accept_invitation", url=url, did_method=did_method))

    async def invite(self, handshake: str, did_method: str | None) -> tuple[str, str]:
        """An invitation; with the service written out, or as a DID of this method."""
        made = await self._ask("invite", handshake=handshake, did_method=did_method)
        return str(made["url"]), str(made["id"])

    async def invited(self, invitation_id: str) -> str:
        """The connection that came of an invitation."""
        return str(await self._ask("invited", id=invitation_id))

    async def ping(self, connection: str) -> None:
        """Send a trust ping."""
        await self._ask("ping", connection=connection)

    async def features(self, connection: str, version: Literal["1.0", "2.0"]) -> Collection[str]:
        """What the other side discloses."""
        return [str(name) for name in await self._ask("features", connection=connection, version=version)]

    async def hang_up(self, connection: str) -> None:
        """End a connection."""
        await self._ask("hang_up", connection=connection)

    async def ended(self, connection: str) -> None:
        """Wait until a connection was ended by the other side."""
        await self._ask("ended", connection=connection)

    # Mediation ----------------------------------------------------------------------------------------------------

    async def use_mediator(self, url: str) -> None:
        """Connect with a mediator, have it mediate for whatever is new, and be told at once of what comes."""
        await self._ask("use_mediator", url=url)

    async def go_away(self) -> None:
        """Close every connection with the mediator."""
        await self._ask("go_away")

    async def come_back(self) -> None:
        """Come for what waits, and be told at once of what comes."""
        await self._ask("come_back")

    # Issue Credential ---------------------------------------------------------------------------------------------

    async def offer(self, connection: str, credential: dict[str, Any], proof_type: str) -> str:
        """Offer a record."""
        return str(await self._ask("offer", connection=connection, credential=credential, proof_type=proof_type))

    async def request_offered(self, thread: str, subject: str) -> None:
        """Request what is offered; Credo requests it as it is offered, for whatever subject is named there."""
        del subject
        await self._ask("request_offered", thread=thread)

    async def decline_offer(self, thread: str, reason: str) -> None:
        """Answer an offer with a problem report."""
        await self._ask("decline_offer", thread=thread, reason=reason)

    async def issued(self, thread: str) -> None:
        """Wait for the holder's acknowledgement."""
        await self._ask("issued", thread=thread)

    async def stored(self, thread: str) -> None:
        """Wait until a record is stored."""
        await self._ask("stored", thread=thread)

    # Present Proof ------------------------------------------------------------------------------------------------

    async def request_proof(self, connection: str, definition: dict[str, Any]) -> str:
        """Ask for records."""
        return str(await self._ask("request_proof", connection=connection, definition=definition))

    async def present(self, thread: str) -> None:
        """Answer a request with what fits."""
        await self._ask("present", thread=thread)

    async def acknowledged(self, thread: str) -> None:
        """Wait for the verifier's acknowledgement."""
        await self._ask("acknowledged", thread=thread)

    async def decline_proof(self, thread: str, reason: str) -> None:
        """Answer a request with a problem report."""
        await self._ask("decline_proof", thread=thread, reason=reason)

    async def verified(self, thread: str) -> None:
        """Wait until a presentation is verified."""
        await self._ask("verified", thread=thread)

    async def declined(self, thread: str) -> None:
        """Wait until an exchange was ended by the other side."""
        await self._ask("declined", thread=thread)

    async def _ask(self, what: str, **how: Any) -> Any:
        return await self._driven.ask(what, **how)
