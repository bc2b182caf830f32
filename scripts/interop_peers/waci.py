"""A wallet, an issuer and a verifier that speak WACI-DIDComm, from what others have published, in its own process.

Extrimian's interpreter of the profile (npm ``@extrimian/waci``) decides what is said and when. It knows neither keys
nor envelopes nor HTTP: envelopes are SICPA's (``didcomm-node``), signatures Digital Bazaar's, and
``waci_driver/driver.mjs`` ties them together.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from protocols import strict_json
from protocols.multiformats import b64url_decode
from scripts.interop_peers.driven import Driven, install_packages
from scripts.interop_peers.lernode import Lernode
from scripts.interop_peers.peer import DataModel
from scripts.interop_peers.report import Run, StepFailed

__all__ = ["WaciWallet", "walk_waci"]

_VERSION = "3.3.0"
_DATA_MODEL: DataModel = "1.1"
_PACKAGES = (
    f"@extrimian/waci@{_VERSION}",
    "didcomm-node@0.4.1",
    "@digitalbazaar/vc@7.3.0",
    "@digitalbazaar/ed25519-signature-2020@5.4.0",
    "@digitalbazaar/ed25519-verification-key-2020@4.2.0",
    "base58-universal@2.0.0",
)


class WaciWallet:
    """The wallet."""

    key: ClassVar[str] = "waci"
    name: ClassVar[str] = "@extrimian/waci"
    version: ClassVar[str] = _VERSION
    proof_types: ClassVar[tuple[str, ...]] = ("Ed25519Signature2020",)
    takes_status: ClassVar[bool] = False

    def __init__(self) -> None:
        self._folder = Path()
        self._driven = Driven(self.name, Path(__file__).with_name("waci_driver") / "driver.mjs")

    async def install(self, folder: Path) -> None:
        """Its packages.

        Raises:
            PeerMissing: there is no npm.
            RuntimeError: a step of it failed.
        """
        self._folder = folder
        await install_packages(folder, self.name, _PACKAGES)

    async def start(self, port: int) -> None:
        """Start it with new keys.

        Raises:
            RuntimeError: it ended; its log says why.
            TimeoutError: it is not ready in time.
        """
        await self._driven.start(self._folder, port)

    async def stop(self) -> None:
        """Stop it, gently first; also where it did not start."""
        await self._driven.stop()

    async def answer(self, url: str) -> str:
        """Answer an invitation of Out-of-Band 2.0; the thread of the exchange."""
        invitation = strict_json.loads_object(b64url_decode(url.partition("oob=")[2]))
        return str(await self._driven.ask("answer", invitation=invitation))

    async def invite(self, goal: str, *, asking: bool = False) -> tuple[str, str]:
        """An invitation with a goal of the profile: its URL, and its id.

        Args:
            asking: whether records have to be shown before anything is issued.
        """
        made = await self._driven.ask("invite", goal=goal, records=asking)
        return str(made["url"]), str(made["id"])

    async def answered(self, invitation: str) -> str:
        """The thread of who answered an invitation."""
        return str(await self._driven.ask("answered", invitation=invitation))

    async def make_did(self) -> str:
        """The DID that it does everything under."""
        return str(await self._driven.ask("did"))

    async def shown(self, thread: str) -> int:
        """How many records it was shown, and has verified, before it issued."""
        return int(await self._driven.ask("shown", thread=thread))

    async def ended(self, thread: str) -> str:
        """How an exchange ended: ``stored``, ``acknowledged``, ``verified``, or the code of a problem report."""
        return str(await self._driven.ask("ended", thread=thread))


async def walk_waci(run: Run, node: Lernode, wallet: WaciWallet) -> None:
    """Walk both goals of the profile in both directions; how each step ended is in ``run``."""

    async def issue() -> None:
        thread = await wallet.answer((await node.invite_to_a_record(_DATA_MODEL)).url)
        await _expect(wallet, node, thread, "stored")

    async def ask() -> None:
        thread = await wallet.answer((await node.invite_to_show("OpenBadgeCredential")).url)
        found = await node.verification(await _expect(wallet, node, thread, "acknowledged"))
        if not found.verified:
            raise ValueError("lernode did not verify what it was shown.")

    async def take() -> None:
        url, invitation = await wallet.invite("streamlined-vc")
        await node.accept_invitation(url)
        thread = await wallet.answered(invitation)
        await node.accept((await node.asked(thread)).id)
        await _expect(wallet, node, thread, "acknowledged")

    async def take_for_records() -> None:
        url, invitation = await wallet.invite("streamlined-vc", asking=True)
        await node.accept_invitation(url)
        thread = await wallet.answered(invitation)
        await node.present((await node.asked(thread)).id)
        mine = await _expect(wallet, node, thread, "acknowledged")
        if await wallet.shown(thread) != 1 or len((await node.ended(mine)).record_ids) != 1:
            raise ValueError("Nothing was issued for a record that was shown and verified.")

    async def show() -> None:
        url, invitation = await wallet.invite("streamlined-vp")
        await node.accept_invitation(url)
        thread = await wallet.answered(invitation)
        await node.present((await node.asked(thread)).id)
        await _expect(wallet, node, thread, "verified")

    to, back = f"lernode -> {wallet.name}", f"{wallet.name} -> lernode"
    for direction, name, work in (
        (to, "streamlined-vc: proposed, offered, requested, issued, stored, acked", issue),
        (to, "streamlined-vp: proposed, requested, presented, verified, acked", ask),
        (back, "streamlined-vc: proposed, offered, requested, issued, stored, acked", take),
        (back, "streamlined-vc: records asked for in the offer, shown, verified, then issued, acked", take_for_records),
        (back, "streamlined-vp: proposed, requested, presented, verified, acked", show),
    ):
        with suppress(StepFailed):
            await run.step(direction, name, work())


async def _expect(wallet: WaciWallet, node: Lernode, thread: str, how: str) -> str:
    """The node's exchange of a thread that ended well on both sides.

    Raises:
        ValueError: it did not.
    """
    found = await wallet.ended(thread)
    mine = await node.in_thread(thread)
    ended = await node.ended(mine.id)
    if (found, ended.state) != (how, "done"):
        raise ValueError(f"{wallet.name}: {found}; lernode: {ended.state}, {ended.error}")
    return mine.id
