"""The lernodes of the matrix, each a process of its own: one issues, holds and verifies; two more are for mediation."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from node.config import CONFIG_FILE, to_toml
from node.http import schemas as s
from node.http.catalogue_schemas import CatalogueEntry, CatalogueView
from scripts.benchmark.processes import NodeProcess
from scripts.interop_peers.peer import DataModel, eventually

__all__ = ["Lernode"]

T = TypeVar("T")
_ACHIEVEMENT = "weld-101"
_EXCHANGES = "/admin/exchanges"
_OVER = ("done", "abandoned")


class Lernode:
    """What the matrix asks of the node, through its admin API."""

    def __init__(self, home: Path, port: int, *, issuer: bool = False, mediator: bool = False) -> None:
        """
        Args:
            port: 0 for a node that listens nowhere.
            mediator: whether it mediates for every peer that asks.
        """
        self._port = port
        settings = {"mediation": {"enabled": True, "grant": "invited"}} if mediator else {}
        self._process = NodeProcess(home, port, issuer=issuer, settings=settings)

    async def start(self) -> None:
        """Make it where it is not there yet, and start it."""
        if not (self._process.home / CONFIG_FILE).exists():
            await self._process.make()
        await self._process.start()

    async def start_as_issuer(self, trusted: str, *, securing: str, with_status: bool) -> None:
        """Make it, and start it; it issues under a did:key, and trusts itself and the DID that is given.

        A did:web on loopback is plain http, which no agent of others resolves.

        Args:
            securing: how its records are secured.
            with_status: whether its records can be revoked.
        """
        await self.start()
        made = await self._post("/admin/dids", s.DidView, s.NewDid(method="key", purpose="issuer"))
        await self._post(f"/admin/dids/{made.did}/default", s.DidView)
        await self._process.stop()
        settings: dict[str, dict[str, Any]] = {
            "node": {"label": "lernode", "listen_port": self._port, "endpoint": f"http://localhost:{self._port}"},
            "network": {"allow_http": True, "allowed_networks": ["127.0.0.0/8", "::1/128"]},
            "trust": {"issuers": [made.did, trusted]},
            "issuer": {"catalogue": "catalogue.json", "securing": securing},
            "status": {"purposes": ["revocation"] if with_status else []},
            "verify": {"require_domain": False},
        }
        (self._process.home / CONFIG_FILE).write_text(to_toml(settings), encoding="utf-8")
        await self._process.start()

    async def stop(self) -> None:
        """Stop it."""
        await self._process.stop()

    # Connections --------------------------------------------------------------------------------------------------

    async def invite(self) -> s.InvitationView:
        """An invitation."""
        return await self._post("/admin/invitations", s.InvitationView, s.NewInvitation())

    async def accept_invitation(self, url: str, *, direct: bool = False) -> str:
        """Answer an invitation, past any mediator where it is ``direct``; the connection, once it is complete."""
        answer = s.AcceptInvitation(invitation=url, direct=direct)
        made = await self._post("/admin/connections", s.ConnectionView, answer)

        async def look() -> str | None:
            found = await self._get(f"/admin/connections/{made.id}", s.ConnectionView)
            if found.state == "abandoned":
                raise ValueError("lernode gave the connection up.")
            return found.id if found.state == "completed" else None

        return await eventually(look, "connection at lernode")

    async def invited(self, invitation_id: str) -> str:
        """The connection that came of an invitation, once it is complete."""

        async def look() -> str | None:
            page = await self._get("/admin/connections", s.Page[s.ConnectionView])
            known = (c.id for c in page.items if c.invitation_id == invitation_id and c.state == "completed")
            return next(known, None)

        return await eventually(look, "connection at lernode")

    async def hang_up(self, connection: str) -> None:
        """End a connection."""
        await self._post(f"/admin/connections/{connection}/end", s.ConnectionView)

    async def peer_hung_up(self, connection: str) -> None:
        """Wait until a connection was ended by the peer."""

        async def look() -> bool | None:
            found = await self._get(f"/admin/connections/{connection}", s.ConnectionView)
            return found.state == "ended" or None

        await eventually(look, "end of the connection at lernode")

    async def features(self, connection: str, version: Literal["1.0", "2.0"]) -> Collection[str]:
        """The protocols that the peer discloses."""
        asked = await self._post(
            f"/admin/connections/{connection}/features", s.ExchangeView, s.FeaturesQuery(version=version)
        )
        ended = await self.ended(asked.id)
        return [str(feature["id"]) for feature in json.loads(bytes(ended.data))["features"]]

    async def answered(self, kind: str) -> None:
        """Wait until the log says that a message of this type was delivered."""

        async def look() -> bool | None:
            lines = self._process.home.with_suffix(".log").read_text(encoding="utf-8").splitlines()
            return any('"delivered"' in line and kind in line for line in lines) or None

        await eventually(look, f"{kind} from lernode")

    # Mediation ----------------------------------------------------------------------------------------------------

    async def ask_to_mediate(self, connection: str, *, live: bool) -> None:
        """Ask a peer to mediate, wait until it has granted that and, where it can, hands messages over at once."""
        await self._post("/admin/mediators", s.MediatorView, s.NewMediator(connection=connection))

        async def look() -> bool | None:
            found = await self._get(f"/admin/mediators/{connection}", s.MediatorView)
            if found.state in {"denied", "ended"}:
                raise ValueError("The peer does not mediate.")
            return (found.state == "granted" and found.live >= live) or None

        await eventually(look, "mediation for lernode")

    async def has_sent(self) -> None:
        """Wait until nothing is still to be delivered."""

        async def look() -> bool | None:
            return (await self._get("/admin/status", s.StatusView)).outbox.waiting == 0 or None

        await eventually(look, "delivery by lernode")

    async def held_for_others(self) -> int:
        """How many messages it holds for peers that it mediates for."""
        return sum(client.messages for client in (await self._get("/admin/clients", s.Page[s.ClientView])).items)

    # Issue Credential ---------------------------------------------------------------------------------------------

    async def offer(self, connection: str, data_model: DataModel, subject: str | None = None) -> s.ExchangeView:
        """Offer an Open Badges 3.0 record about ``subject``, or about whom the peer names."""
        award = s.AwardOverConnection(
            connection=connection, achievement=_ACHIEVEMENT, result="B", data_model=data_model, did=subject
        )
        return await self._post("/admin/credentials/offers", s.ExchangeView, award)

    async def achievement(self) -> CatalogueEntry:
        """What :meth:`offer` offers."""
        catalogue = await self._get("/admin/catalogue", CatalogueView)
        return next(entry for entry in catalogue.items if entry.slug == _ACHIEVEMENT)

    async def revoke(self, issued_id: str) -> None:
        """Revoke what was issued."""
        await self._post(f"/admin/issued/{issued_id}/status", s.IssuedView, s.StatusChange(action="revoke"))

    # Present Proof ------------------------------------------------------------------------------------------------

    async def request(self, wanted: s.NewRequest) -> s.ExchangeView:
        """Ask for records."""
        return await self._post("/admin/presentations/requests", s.ExchangeView, wanted)

    async def present(self, exchange_id: str) -> None:
        """Answer a request with what the node chooses."""
        await self._post(f"{_EXCHANGES}/{exchange_id}/present", s.ExchangeDetail, s.Present())

    async def verification(self, exchange_id: str, *, again: bool = False) -> s.VerificationView:
        """What the checks of a presentation said, or say now."""
        path = f"{_EXCHANGES}/{exchange_id}"
        if again:
            return await self._post(f"{path}/verify", s.VerificationView, s.VerifyExchange())
        return await self._get(f"{path}/verification", s.VerificationView)

    # By an invitation of WACI-DIDComm -----------------------------------------------------------------------------

    async def invite_to_a_record(self, data_model: DataModel) -> s.InvitationView:
        """An invitation whose goal is to issue a record to who answers it."""
        award = s.OfferByLink(achievement=_ACHIEVEMENT, result="B", data_model=data_model, didcomm="v2")
        return await self._post("/admin/invitations/offers", s.InvitationView, award)

    async def invite_to_show(self, kind: str) -> s.InvitationView:
        """An invitation whose goal is to have records of a type shown by who answers it."""
        wanted = s.RequestByLink(type=kind, didcomm="v2")
        return await self._post("/admin/invitations/requests", s.InvitationView, wanted)

    async def in_thread(self, thread: str) -> s.ExchangeView:
        """The exchange that a peer's message began."""

        async def look() -> s.ExchangeView | None:
            page = await self._get(_EXCHANGES, s.Page[s.ExchangeView])
            return next((one for one in page.items if one.thread_id == thread), None)

        return await eventually(look, "exchange at lernode")

    # Any exchange -------------------------------------------------------------------------------------------------

    async def accept(self, exchange_id: str) -> None:
        """Say yes."""
        await self._post(f"{_EXCHANGES}/{exchange_id}/accept", s.ExchangeDetail)

    async def decline(self, exchange_id: str, reason: str) -> None:
        """Say no."""
        await self._post(f"{_EXCHANGES}/{exchange_id}/decline", s.ExchangeDetail, s.Decline(reason=reason))

    async def asked(self, thread: str) -> s.ExchangeView:
        """The exchange that a peer's message began, once it waits for a decision."""

        async def look() -> s.ExchangeView | None:
            page = await self._get(_EXCHANGES, s.Page[s.ExchangeView])
            return next((one for one in page.items if one.thread_id == thread and one.waiting_for), None)

        return await eventually(look, "message of the peer at lernode")

    async def ended(self, exchange_id: str) -> s.ExchangeDetail:
        """An exchange, once it is over."""
        query: dict[str, str | float] = {"wait": 20.0, "state": ",".join(_OVER)}
        found = await self._process.api.get(f"{_EXCHANGES}/{exchange_id}", s.ExchangeDetail, **query)
        if found.state not in _OVER:
            raise TimeoutError(f"lernode is still in {found.state}")
        return found

    async def _get(self, path: str, kind: type[T]) -> T:
        return await self._process.api.get(path, kind)

    async def _post(self, path: str, kind: type[T], body: msgspec.Struct | None = None) -> T:
        return await self._process.api.post(path, kind, body)
