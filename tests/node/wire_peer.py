"""A peer that speaks the wire by itself, so that it can also say what a node never would."""

from __future__ import annotations

import asyncio
import io
import os
import uuid
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from node.app import Node
from protocols import strict_json
from protocols.did import key as did_key
from protocols.did import peer4
from protocols.did.services import Service
from protocols.did_exchange.messages import Complete, Request
from protocols.didcomm import codec_v1
from protocols.didcomm.envelope_v1 import MEDIA_TYPE, pack, unpack
from protocols.didcomm.message import PlainMessage, ProtocolMessage, Wire
from protocols.keys import KeyPair, SoftwareSigner
from protocols.out_of_band import link
from tests.node.nodes import DEADLINE_SECONDS, free_port


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Answer:
    """What a node's HTTP endpoint said."""

    status: int
    media_type: str
    code: str | None


class WirePeer:
    """Listens, speaks, and has a DID to issue under; nothing of it is a node."""

    label = "Zebulon Quark"

    def __init__(self) -> None:
        self.pair = KeyPair.from_seed(os.urandom(32))
        issuer = KeyPair.from_seed(os.urandom(32))
        self.did_key = did_key.did_from_public(issuer.public)
        self.signer = SoftwareSigner(issuer, did_key.verification_method(self.did_key))
        self.url = f"http://localhost:{free_port()}"
        self.did = peer4.create(self.pair.public, endpoint=f"{self.url}/in")
        self.documents: dict[str, bytes] = {}
        self.their_did = ""
        self.their_verkey = ""
        self._inbox: asyncio.Queue[PlainMessage] = asyncio.Queue()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/in", self._take)
        app.router.add_get("/{name}", self._document)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE_SECONDS))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", int(self.url.rsplit(":", 1)[1])).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def post(self, node: Node, body: bytes, content_type: str = MEDIA_TYPE) -> Answer:
        """Bytes to a node's DIDComm endpoint."""
        return await self.post_to(f"{node.config.node.endpoint}/didcomm", body, content_type)

    async def post_to(self, url: str, body: bytes, content_type: str = MEDIA_TYPE) -> Answer:
        """Bytes to a DIDComm endpoint."""
        assert self._session is not None
        async with self._session.post(url, data=io.BytesIO(body), headers={"Content-Type": content_type}) as answer:
            raw = await answer.read()
            code = strict_json.loads_object(raw)["code"] if raw else None
            return Answer(answer.status, answer.content_type, code)

    async def say(
        self,
        node: Node,
        message: PlainMessage | ProtocolMessage | bytes,
        *,
        to: str | None = None,
        sender: KeyPair | None = None,
    ) -> Answer:
        """A message, packed by this peer's own key unless told otherwise."""
        return await self.post(node, self.packed(message, to=to, sender=sender or self.pair))

    def packed(
        self,
        message: PlainMessage | ProtocolMessage | bytes,
        *,
        sender: KeyPair | None,
        to: str | None = None,
    ) -> bytes:
        """The envelope; anonymous where ``sender`` is None."""
        if not isinstance(message, bytes | PlainMessage):
            message = message.encode(Wire.V1)
        plaintext = message if isinstance(message, bytes) else codec_v1.encode(message)
        return pack(plaintext, to=[to or self.their_verkey], sender=sender, entropy=os.urandom)

    async def hear(self, name: str) -> PlainMessage:
        """The next message, which must be of this name."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            message = await self._inbox.get()
        assert message.name == name, (message.name, message.body)
        return message

    def heard(self) -> list[PlainMessage]:
        """All that has come and was not looked at yet, without waiting."""
        found = []
        while not self._inbox.empty():
            found.append(self._inbox.get_nowait())
        return found

    async def request_for(self, node: Node, **changes: Any) -> tuple[Request, str]:
        """A DID Exchange request for a fresh invitation of the node, and the invitation's key."""
        invitation = link.from_text((await node.peering.invite()).url)
        service = invitation.services[0]
        assert isinstance(service, Service)
        message_id = new_id()
        values: dict[str, Any] = {"pthid": invitation.id, "did": self.did, "label": self.label, **changes}
        return Request(message_id, message_id, **values), service.recipient_keys[0]

    async def connect(self, node: Node) -> None:
        """Become a peer of the node by one of its invitations."""
        request, invitation_key = await self.request_for(node)
        assert (await self.say(node, request, to=invitation_key)).status == 202
        response = await self.hear("response")
        self.their_did = response.body["did"]
        (self.their_verkey,) = peer4.resolve(self.their_did).didcomm_service().recipient_keys
        complete = Complete(new_id(), request.thid, request.pthid)
        assert (await self.say(node, complete)).status == 202

    async def _take(self, request: web.Request) -> web.Response:
        self._inbox.put_nowait(await self.opened(await request.read()))
        return web.Response(status=202)

    async def opened(self, envelope: bytes) -> PlainMessage:
        """What is in an envelope for this peer."""
        return codec_v1.decode(unpack(envelope, self).plaintext)

    async def _document(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.documents:
            raise web.HTTPNotFound
        return web.Response(body=self.documents[name], content_type="application/vc")

    def find(self, verkey: str) -> KeyPair | None:
        """As a KeyStore: this peer has one key."""
        return self.pair if verkey == self.pair.verkey else None
