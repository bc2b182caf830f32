"""Messages of mediation, pickup and routing: read as they were written, in every version, or refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocols import strict_json
from protocols.coordinate_mediation import messages as coordinate
from protocols.coordinate_mediation.messages import Action, Pagination, Result, Update, Updated
from protocols.did import peer4
from protocols.didcomm import codec
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.return_route import Return, ReturnRoute, asked, asking
from protocols.errors import PeerFault
from protocols.keys import KeyPair
from protocols.pickup import messages as pickup
from protocols.routing import messages as routing
from protocols.routing.names import as_did, name_of

PAIR = KeyPair.from_seed(bytes(32))
KEY = PAIR.verkey
DID_KEY = "did:key:" + PAIR.multikey
PEER = peer4.create(PAIR.public, endpoint="https://mediator.example/didcomm")
ENVELOPE = b'{"protected":"e30","iv":"AA","ciphertext":"AAAA","tag":"AA"}'
HEAD = ("1", "1")


def again(message: Any, wire: Wire, decode: Any) -> Any:
    return decode(codec.decode(codec.encode(message.encode(wire)), wire))


@pytest.mark.parametrize("wire", list(Wire))
@pytest.mark.parametrize("major", [1, 2, 3])
def test_coordination_is_read_as_it_was_written(wire: Wire, major: int) -> None:
    head = (*HEAD, major)
    route: dict[str, Any] = {"endpoint": "https://m.example", "routing_keys": (KEY,)}
    if major > 1:
        route = {"routing_dids": (PEER,)}
    for message in (
        coordinate.MediateRequest(*head),
        coordinate.MediateGrant(*head, **route),
        coordinate.MediateDeny(*head),
        coordinate.KeylistUpdate(*head, (Update(DID_KEY, Action.ADD), Update(PEER, Action.REMOVE))),
        coordinate.KeylistUpdateResponse(*head, (Updated(DID_KEY, Action.ADD, Result.SUCCESS),)),
        coordinate.KeylistQuery(*head),
        coordinate.KeylistQuery(*head, 30, 60),
        coordinate.Keylist(*head, (DID_KEY,), Pagination(1, 60, 5)),
    ):
        assert again(message, wire, coordinate.decode) == message


def test_versions_use_their_own_words() -> None:
    names = {
        major: coordinate.KeylistUpdate(*HEAD, major, (Update(DID_KEY, Action.ADD),)).encode(Wire.V1)
        for major in (1, 2, 3)
    }
    assert [message.type.removeprefix(coordinate.FAMILY) for message in names.values()] == [
        "/1.0/keylist-update",
        "/2.0/keylist-update",
        "/3.0/recipient-update",
    ]
    assert [set(message.body["updates"][0]) for message in names.values()] == [
        {"recipient_key", "action"},
        {"recipient_did", "action"},
        {"recipient_did", "action"},
    ]


@pytest.mark.parametrize("wire", list(Wire))
@pytest.mark.parametrize("major", [2, 3])
def test_pickup_is_read_as_it_was_written(wire: Wire, major: int) -> None:
    head = (*HEAD, major)
    for message in (
        pickup.StatusRequest(*head),
        pickup.StatusRequest(*head, DID_KEY),
        pickup.Status(*head, 7, DID_KEY, longest_waited_seconds=3600, total_bytes=8096, live_delivery=True),
        pickup.DeliveryRequest(*head, 10, DID_KEY),
        pickup.Delivery(*head, (("a", ENVELOPE), ("b", ENVELOPE)), DID_KEY),
        pickup.MessagesReceived(*head, ("a", "b")),
        pickup.LiveDeliveryChange(*head, True),
    ):
        assert again(message, wire, pickup.decode) == message


def test_times_of_a_status_are_text_in_2_and_seconds_in_3() -> None:
    old = pickup.Status(*HEAD, 2, 1, newest_received_time=0).encode(Wire.V1)
    new = pickup.Status(*HEAD, 3, 1, newest_received_time=0).encode(Wire.V2)
    assert (old.body["newest_received_time"], new.body["newest_received_time"]) == ("1970-01-01 00:00:00Z", 0)


def test_a_delivery_that_attaches_json_is_read() -> None:
    body = {"~attach": [{"@id": "a", "data": {"json": json.loads(ENVELOPE)}}]}
    message = pickup.decode(PlainMessage(f"{pickup.FAMILY}/2.0/delivery", "1", "1", body=body))
    assert isinstance(message, pickup.Delivery)
    assert strict_json.loads(message.messages[0][1]) == json.loads(ENVELOPE)


@pytest.mark.parametrize("wire", list(Wire))
def test_a_forward_is_read_as_it_was_written(wire: Wire) -> None:
    message = routing.Forward("1", KEY, (ENVELOPE,))
    assert again(message, wire, routing.decode) == message


def test_a_forward_of_v2_carries_several_envelopes_and_its_end() -> None:
    message = routing.Forward("1", PEER, (ENVELOPE, ENVELOPE), 1_800_000_000)
    assert again(message, Wire.V2, routing.decode) == message


@pytest.mark.parametrize("name", [KEY, DID_KEY, f"{DID_KEY}#{PAIR.multikey}"])
def test_a_key_has_one_name_however_it_is_written(name: str) -> None:
    assert name_of(name) == KEY


@pytest.mark.parametrize("name", [PEER, peer4.short_form(PEER), f"{PEER}#key-0", f"{peer4.short_form(PEER)}#key-1"])
def test_a_did_has_one_name_however_it_is_written(name: str) -> None:
    assert name_of(name) == peer4.short_form(PEER)


def test_a_name_as_a_did_is_the_same_name() -> None:
    assert (as_did(KEY), as_did("did:web:a.example")) == (DID_KEY, "did:web:a.example")


@pytest.mark.parametrize("name", ["", "hello", "did:", "did:key:z", KEY + "1", "#key-1", "https://a.example"])
def test_what_names_nobody_is_refused(name: str) -> None:
    with pytest.raises(PeerFault) as error:
        name_of(name)
    assert error.value.code == "routing.recipient"


@pytest.mark.parametrize("wire", list(Wire))
def test_return_route_is_asked_for_in_the_words_of_the_wire(wire: Wire) -> None:
    message = pickup.StatusRequest(*HEAD, 3).encode(wire)
    assert asked(message) == Return(ReturnRoute.NONE)
    read = codec.decode(codec.encode(asking(message)), wire)
    assert asked(read) == Return(ReturnRoute.ALL)
    assert pickup.decode(read) == pickup.StatusRequest(*HEAD, 3)


def test_return_route_of_a_thread_covers_that_thread() -> None:
    message = PlainMessage("https://x.example/a/1.0/b", "1", "7", body={"~transport": {"return_route": "thread"}})
    assert (asked(message).covers("7"), asked(message).covers("8")) == (True, False)


C, M, R = "coordinate-mediation", "messagepickup", "routing"
BAD = [
    (f"{C}/1.0/mediate-grant", {}, "message.malformed"),
    (f"{C}/1.0/mediate-grant", {"endpoint": 1, "routing_keys": []}, "message.malformed"),
    (f"{C}/1.0/mediate-grant", {"endpoint": "x", "routing_keys": ["y"]}, "routing.recipient"),
    (f"{C}/1.0/mediate-grant", {"endpoint": "x", "routing_keys": ["did:web:a.b"]}, "message.malformed"),
    (f"{C}/3.0/mediate-grant", {"routing_did": []}, "message.malformed"),
    (f"{C}/3.0/mediate-grant", {"routing_did": ["x"]}, "message.malformed"),
    (f"{C}/1.0/keylist-update", {"updates": [{}]}, "message.malformed"),
    (f"{C}/1.0/keylist-update", {"updates": [{"recipient_key": "?", "action": "add"}]}, "routing.recipient"),
    (f"{C}/1.0/keylist-update", {"updates": [{"recipient_key": KEY, "action": "?"}]}, "message.malformed"),
    (f"{C}/1.0/keylist-update", {"updates": [{}] * 300}, "message.malformed"),
    (f"{C}/1.0/keylist-update-response", {"updated": [{"recipient_key": KEY}]}, "message.malformed"),
    (f"{C}/1.0/keylist-query", {"paginate": 3}, "message.malformed"),
    (f"{C}/1.0/keylist", {"keys": [{"recipient_key": 1}]}, "message.malformed"),
    (f"{C}/3.0/keylist-update", {}, "message.type"),
    (f"{C}/4.0/mediate-request", {}, "message.type"),
    (f"{C}/1.0/hello", {}, "message.type"),
    (f"{M}/2.0/status", {}, "message.malformed"),
    (f"{M}/2.0/delivery-request", {}, "message.malformed"),
    (f"{M}/2.0/delivery-request", {"limit": 0}, "message.malformed"),
    (f"{M}/2.0/delivery-request", {"limit": "10"}, "message.malformed"),
    (f"{M}/2.0/delivery-request", {"limit": 1, "recipient_key": "?"}, "routing.recipient"),
    (f"{M}/2.0/messages-received", {"message_id_list": []}, "message.malformed"),
    (f"{M}/2.0/messages-received", {"message_id_list": ["a b"]}, "message.malformed"),
    (f"{M}/2.0/messages-received", {"message_id_list": ["a"] * 101}, "message.malformed"),
    (f"{M}/2.0/live-delivery-change", {}, "message.malformed"),
    (f"{M}/2.0/delivery", {"~attach": [{"data": {"base64": "e30"}}]}, "attachment.malformed"),
    (f"{M}/1.0/status-request", {}, "message.type"),
    (f"{M}/2.0/hello", {}, "message.type"),
    (f"{R}/1.0/forward", {}, "message.malformed"),
    (f"{R}/1.0/forward", {"to": KEY}, "message.malformed"),
    (f"{R}/1.0/forward", {"to": KEY, "msg": "text"}, "message.malformed"),
    (f"{R}/1.0/forward", {"to": KEY, "msg": {"@type": "a/1.0/b", "@id": "1"}}, "routing.not_encrypted"),
    (f"{R}/1.0/hello", {"to": KEY, "msg": {}}, "message.type"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "body", "code"), BAD)
def test_what_breaks_a_protocol_is_refused_by_name(kind: str, body: dict[str, Any], code: str) -> None:
    decode = {"c": coordinate.decode, "m": pickup.decode, "r": routing.decode}[kind[0]]
    with pytest.raises(PeerFault) as error:
        decode(PlainMessage(f"https://didcomm.org/{kind}", "1", "1", body=body))
    assert error.value.code == code


def test_an_envelope_that_would_not_fit_into_a_delivery_is_not_forwarded() -> None:
    large = {"protected": "e30", "iv": "AA", "ciphertext": "A" * routing.MAX_FORWARDED, "tag": "AA"}
    with pytest.raises(PeerFault) as error:
        routing.decode(PlainMessage(f"{routing.PROTOCOL}/forward", "1", "1", body={"to": KEY, "msg": large}))
    assert error.value.code == "routing.too_large"


@pytest.mark.parametrize("wire", list(Wire))
def test_the_largest_envelope_that_is_forwarded_can_be_delivered(wire: Wire) -> None:
    empty = strict_json.dumps({"protected": "e30", "iv": "AA", "ciphertext": "", "tag": "AA"})
    filled = empty.replace(b'"ciphertext":""', b'"ciphertext":"%s"' % (b"A" * (routing.MAX_FORWARDED - len(empty))))
    message = pickup.Delivery(*HEAD, 3, (("x" * 36, filled),))
    assert len(filled) == routing.MAX_FORWARDED
    assert again(message, wire, pickup.decode) == message
