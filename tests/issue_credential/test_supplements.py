"""Credentials about the issuer that go along with a record: carried by both wires, and no record hangs on them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.didcomm import codec
from protocols.didcomm.message import PlainMessage, Wire
from protocols.issue_credential import machine
from protocols.issue_credential.messages import IssueCredentialMessage, decode
from protocols.issue_credential.supplements import MAX_SUPPLEMENTS
from protocols.machine import Send
from tests.didcomm.helpers import ids
from tests.issue_credential.samples import HOLDER, detail, signed

ALONG = ({"id": "urn:uuid:1", "accredits": "a college"}, {"id": "urn:uuid:2"})
MESSAGE = IssueCredentialMessage(id="m-1", thid="t-1", credentials=(signed(detail()),), supplements=ALONG)


def carried(plain: PlainMessage) -> IssueCredentialMessage:
    read = decode(codec.decode(codec.encode(plain), plain.wire))
    assert isinstance(read, IssueCredentialMessage)
    return read


@pytest.mark.parametrize("wire", Wire)
def test_they_arrive_as_they_were_sent(wire: Wire) -> None:
    assert carried(MESSAGE.encode(wire)) == MESSAGE


def with_body(plain: PlainMessage, **members: Any) -> PlainMessage:
    return msgspec.structs.replace(plain, body={**plain.body, **members})


@pytest.mark.parametrize(
    "supplements",
    [
        None, 5, {}, [5], [{}], [{"type": "issuer-credential"}], [{"type": "issuer-credential", "ref": []}],
        [{"type": "issuer-credential", "ref": "nowhere"}], [{"type": "hashlink-data", "ref": "issuer-credential-1"}],
    ],
)  # fmt: skip
@pytest.mark.parametrize("wire", Wire)
def test_what_names_none_leaves_the_record_alone(wire: Wire, supplements: Any) -> None:
    read = carried(with_body(MESSAGE.encode(wire), supplements=supplements))
    assert (read.credentials, read.supplements) == (MESSAGE.credentials, ())


@pytest.mark.parametrize(
    "data", [{}, {"json": 5}, {"json": [1]}, {"base64": "!"}, {"links": ["https://a.example/"]}, {"base64": "e30x"}]
)
def test_what_cannot_be_read_is_left_out(data: Any) -> None:
    first, second = MESSAGE.encode(Wire.V1).body["~attach"]
    read = carried(with_body(MESSAGE.encode(Wire.V1), **{"~attach": [{**first, "data": data}, second, 7]}))
    assert (read.credentials, read.supplements) == (MESSAGE.credentials, ALONG[1:])


def test_no_more_are_sent_or_read_than_there_is_room_for() -> None:
    many = tuple({"id": f"urn:uuid:{number}"} for number in range(MAX_SUPPLEMENTS + 3))
    crowded = IssueCredentialMessage(id="m-1", thid="t-1", credentials=MESSAGE.credentials, supplements=many)
    assert carried(crowded.encode(Wire.V1)).supplements == many[:MAX_SUPPLEMENTS]
    new_id = ids()
    offered = machine.offer(detail(), new_id=new_id)
    (offer,) = [effect.message for effect in offered.effects if isinstance(effect, Send)]
    holder = machine.receive(None, offer, new_id=new_id)
    asked = machine.request(holder.exchange, new_id=new_id, holder_did=HOLDER)
    (request,) = [effect.message for effect in asked.effects if isinstance(effect, Send)]
    issuer = machine.receive(offered.exchange, request, new_id=new_id)
    documents = [signed(each) for each in issuer.exchange.requested]
    issued = machine.issue(issuer.exchange, *documents, new_id=new_id, supplements=many)
    (sent,) = [effect.message for effect in issued.effects if isinstance(effect, Send)]
    assert isinstance(sent, IssueCredentialMessage)
    assert sent.supplements == many[:MAX_SUPPLEMENTS]
    repeated = machine.resend(issued.exchange, issued=documents)
    (again,) = [effect.message for effect in repeated.effects if isinstance(effect, Send)]
    assert again == sent
    received = machine.receive(asked.exchange, sent, new_id=new_id)
    assert received.exchange.supplements == many[:MAX_SUPPLEMENTS]
    for ended in (
        machine.credential_checked(received.exchange, ok=True, new_id=new_id),
        machine.credential_checked(received.exchange, ok=False, new_id=new_id),
    ):
        assert ended.exchange.supplements == ()
