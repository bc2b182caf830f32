"""Routing 2.0: each mediator opens its own layer, learns the next hop, and what is inside stays shut to it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import pytest

from protocols import strict_json
from protocols.did import peer2
from protocols.did.document import DidDocument
from protocols.did.key import did_from_public
from protocols.did.resolver import resolve_offline
from protocols.did.services import Service
from protocols.didcomm import envelope_v2
from protocols.didcomm.routing_v2 import FORWARD, Route, route_to, wrap
from protocols.errors import BadInput, PeerFault
from protocols.keys import AgreementKeyPair, KeyPair
from protocols.multiformats import Multicodec
from tests.didcomm.helpers import ids, key

LEARNER, NEAR, FAR = key("learner"), key("near"), key("far")
URL = "https://far.example/didcomm"
FAR_DID = peer2.create(FAR.public, endpoint=URL, v2_uri=URL)
LEARNER_DID = peer2.create(LEARNER.public, endpoint=URL, v2_uri=FAR_DID)
TEXT = b'{"id":"1","type":"https://didcomm.org/empty/1.0/empty","body":{}}'


class Offline:
    """Resolves what carries its document."""

    async def resolve(self, did: str) -> DidDocument:
        document = resolve_offline(did)
        assert document is not None
        return document


class Has:
    """One agreement key, whatever it is called."""

    def __init__(self, pair: KeyPair, did: str) -> None:
        self._pair, self._did = pair, did

    def find_agreement(self, kid: str) -> AgreementKeyPair | None:
        return AgreementKeyPair.of_ed25519(self._pair) if kid.startswith(self._did + "#") else None


def service(**changes: object) -> Service:
    (found,) = peer2.resolve(LEARNER_DID).didcomm_v2_services()
    return replace(found, **changes)  # type: ignore[arg-type]


def sealed() -> bytes:
    keys = envelope_v2.recipients_of(peer2.resolve(LEARNER_DID), [Multicodec.X25519_PUB])
    return envelope_v2.pack(TEXT, to=keys, sender=None, entropy=os.urandom)


def opened(envelope: bytes, pair: KeyPair, did: str) -> envelope_v2.Unpacked:
    return asyncio.run(envelope_v2.unpack(envelope, Has(pair, did), Offline()))


def test_a_mediator_and_the_one_behind_it_each_learn_the_next_hop_alone() -> None:
    near = did_from_public(NEAR.public)
    route = asyncio.run(route_to(service(routing_keys=(near,)), Offline()))
    assert (route.endpoint, len(route.hops)) == (URL, 2)
    envelope = wrap(sealed(), route, to=LEARNER_DID, new_id=ids(), entropy=os.urandom)
    for pair, did, following in ((FAR, FAR_DID, near), (NEAR, near, LEARNER_DID)):
        with pytest.raises(PeerFault):
            opened(envelope, LEARNER, LEARNER_DID)
        forward = opened(envelope, pair, did).message
        assert (forward.type, forward.body, forward.to) == (FORWARD, {"next": following}, (did,))
        assert forward.from_ is None
        (attachment,) = forward.attachments
        envelope = strict_json.dumps(attachment["data"]["json"])
    assert opened(envelope, LEARNER, LEARNER_DID).message.id == "1"


def test_without_mediators_the_envelope_stays_as_it_is() -> None:
    envelope = sealed()
    route = asyncio.run(route_to(service(endpoint=URL), Offline()))
    assert route == Route(URL)
    assert wrap(envelope, route, to=LEARNER_DID, new_id=ids(), entropy=os.urandom) == envelope


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": LEARNER_DID},  # a mediator that is behind another one
        {"endpoint": URL, "routing_keys": (FAR_DID,) * 17},
        {"endpoint": did_from_public(NEAR.public)},  # no service at all
    ],
)
def test_a_way_that_leads_nowhere_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadInput) as refused:
        asyncio.run(route_to(service(**changes), Offline()))
    assert refused.value.code == "envelope.route"
