"""A valid message of each type that a node takes, on each wire that carries it; and every way to spoil one field."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from protocols.cohort_counts.messages import Answer, Counts, Decline, Question, Wanted
from protocols.coordinate_mediation.messages import (
    Action,
    Keylist,
    KeylistQuery,
    KeylistUpdate,
    KeylistUpdateResponse,
    MediateDeny,
    MediateGrant,
    MediateRequest,
    Pagination,
    Result,
    Update,
    Updated,
)
from protocols.did_exchange import messages as did_exchange
from protocols.did_rotate.messages import Hangup, Rotate
from protocols.didcomm.ack import Ack
from protocols.didcomm.message import PlainMessage, ProtocolMessage, Wire
from protocols.didcomm.problem_report import ProblemReport
from protocols.discover_features.messages import Disclosures, Feature, Queries, Query
from protocols.issue_credential import messages as issue_credential
from protocols.out_of_band.messages import HandshakeReuse, HandshakeReuseAccepted, Invitation
from protocols.pickup.messages import (
    Delivery,
    DeliveryRequest,
    LiveDeliveryChange,
    MessagesReceived,
    Status,
    StatusRequest,
)
from protocols.present_proof import messages as present_proof
from protocols.revocation_notification.messages import Named, Revoke
from protocols.routing.messages import Forward
from protocols.trust_ping.messages import Ping, PingResponse
from tests.issue_credential import manifests
from tests.issue_credential import samples as credentials
from tests.node.wire_peer import new_id
from tests.present_proof import samples as presentations

BOTH = (Wire.V1, Wire.V2)
_MAX_DEPTH = 5
_LONG = 200_000


@dataclass(frozen=True)
class Sample:
    """A type of message.

    Attributes:
        make: a new message, given its id and thread.
        required: names of fields, anywhere in it, without which it must be refused.
    """

    kind: type
    make: Callable[[str, str], ProtocolMessage]
    required: frozenset[str] = frozenset()
    wires: tuple[Wire, ...] = BOTH
    label: str = ""

    @property
    def name(self) -> str:
        return self.label or self.kind.__name__

    def message(self, wire: Wire, thid: str | None = None) -> PlainMessage:
        """A new one, as its wire carries it; in a thread of its own unless told otherwise."""
        message_id = new_id()
        return self.make(message_id, thid or message_id).encode(wire)


def _of_issuing(kind: type, **values: Any) -> Callable[[str, str], ProtocolMessage]:
    return lambda i, t: kind(id=i, thid=t, pthid=None, comment="a comment", **values)


_DETAIL = credentials.detail()
RECIPIENT = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"
_ENVELOPE = b'{"protected":"e30","iv":"AA","ciphertext":"AA","tag":"AA"}'
_ATTACHED = frozenset({"base64", "json", "data", "attachments"})

SAMPLES: tuple[Sample, ...] = (
    Sample(Ping, lambda i, t: Ping(i, t, comment="hello", response_requested=True)),
    Sample(PingResponse, lambda i, t: PingResponse(i, t, comment="hello")),
    Sample(Queries, lambda i, t: Queries(i, t, (Query("protocol", "*"),)), frozenset({"queries"})),
    Sample(Queries, lambda i, t: Queries(i, t, (Query("protocol", "*"),), major=1), wires=(Wire.V1,), label="Query1"),
    Sample(Disclosures, lambda i, t: Disclosures(i, t, (Feature(id="https://didcomm.org/x/1.0"),))),
    Sample(Disclosures, lambda i, t: Disclosures(i, t, (), major=1), wires=(Wire.V1,), label="Disclose1"),
    Sample(HandshakeReuse, lambda i, _: HandshakeReuse(i, new_id()), wires=(Wire.V1,)),
    Sample(HandshakeReuseAccepted, lambda i, t: HandshakeReuseAccepted(i, t, new_id()), wires=(Wire.V1,)),
    Sample(Invitation, lambda i, _: Invitation(i, ("did:example:a",), label="x"), wires=(Wire.V1,)),
    Sample(Hangup, lambda i, _: Hangup(i)),
    Sample(Rotate, lambda i, _: Rotate(i, i, "did:example:a"), wires=(Wire.V1,)),
    Sample(
        Question,
        lambda i, t: Question(i, t, Wanted(skills=("W", "B"), epsilon=500, most=2, purpose="To plan")),
        frozenset({"skills", "epsilon", "most"}),
    ),
    Sample(
        Answer,
        lambda i, t: Answer(i, t, Counts(counts=(40, None), threshold=20, minimum=10, counted_at=1_700_000_000)),
        frozenset({"counts", "threshold", "minimum"}),
    ),
    Sample(Decline, lambda i, t: Decline(i, t, "x.y", "why"), frozenset({"code"})),
    Sample(Revoke, lambda i, t: Revoke(i, t, Named(thread_id=t)), frozenset({"thread_id"}), label="Revoke1"),
    Sample(Revoke, lambda i, t: Revoke(i, t, Named(revocation_format="x", credential_id="y"))),
    Sample(
        issue_credential.ProposeCredential,
        _of_issuing(issue_credential.ProposeCredential, details=(_DETAIL,)),
        _ATTACHED - {"attachments"},
    ),
    Sample(
        issue_credential.OfferCredential, _of_issuing(issue_credential.OfferCredential, details=(_DETAIL,)), _ATTACHED
    ),
    Sample(
        issue_credential.RequestCredential,
        _of_issuing(issue_credential.RequestCredential, details=(_DETAIL,)),
        _ATTACHED,
    ),
    Sample(
        issue_credential.IssueCredentialMessage,
        _of_issuing(issue_credential.IssueCredentialMessage, credentials=(credentials.signed(_DETAIL),)),
        _ATTACHED,
    ),
    Sample(
        issue_credential.OfferCredential,
        _of_issuing(issue_credential.OfferCredential, details=manifests.OFFERED, manifest=manifests.MANIFEST),
        _ATTACHED | {"credential_manifest"},
        (Wire.V2,),
        "OfferByManifest",
    ),
    Sample(
        issue_credential.RequestCredential,
        _of_issuing(issue_credential.RequestCredential, application=manifests.APPLICATION),
        _ATTACHED | {"credential_application", "holder"},
        (Wire.V2,),
        "Application",
    ),
    Sample(
        issue_credential.IssueCredentialMessage,
        _of_issuing(
            issue_credential.IssueCredentialMessage,
            credentials=manifests.SIGNED,
            manifest_id=manifests.MANIFEST.id,
        ),
        _ATTACHED | {"credential_fulfillment", "verifiableCredential", "manifest_id", "descriptor_map"},
        (Wire.V2,),
        "Fulfillment",
    ),
    Sample(
        present_proof.ProposePresentation,
        _of_issuing(present_proof.ProposePresentation, definition=presentations.DEFINITION),
    ),
    Sample(
        present_proof.RequestPresentation,
        _of_issuing(present_proof.RequestPresentation, definition=presentations.DEFINITION),
        _ATTACHED,
    ),
    Sample(
        present_proof.Presentation,
        _of_issuing(present_proof.Presentation, document=presentations.presentation()),
        _ATTACHED,
    ),
    Sample(Ack, lambda i, t: Ack(i, t, protocol=issue_credential.PROTOCOL), label="AckOfIssuing"),
    Sample(Ack, lambda i, t: Ack(i, t, message_id=new_id()), label="AckOfMessage"),
    Sample(ProblemReport, lambda i, t: ProblemReport(i, t, "x.y", protocol=present_proof.PROTOCOL), label="OfProof"),
    Sample(ProblemReport, lambda i, t: ProblemReport(i, t, "e.p.x", explain="why"), label="Plain"),
    Sample(
        did_exchange.Request,
        lambda i, t: did_exchange.Request(i, t, pthid=new_id(), did="did:example:a", label="x"),
        frozenset({"did"}),
        (Wire.V1,),
        "DidExchangeRequest",
    ),
    Sample(
        did_exchange.Response,
        lambda i, t: did_exchange.Response(i, t, did="did:example:a"),
        frozenset({"did"}),
        (Wire.V1,),
        "DidExchangeResponse",
    ),
    Sample(
        did_exchange.Complete,
        lambda i, t: did_exchange.Complete(i, t, new_id()),
        wires=(Wire.V1,),
        label="DidExchangeComplete",
    ),
    Sample(
        did_exchange.Problem,
        lambda i, t: did_exchange.Problem(i, t, did_exchange.ProblemCode.REQUEST_NOT_ACCEPTED),
        wires=(Wire.V1,),
        label="DidExchangeProblem",
    ),
)
_MEDIATION: tuple[tuple[type, Callable[[str, str, int], ProtocolMessage], frozenset[str]], ...] = (
    (MediateRequest, MediateRequest, frozenset()),
    (MediateGrant, lambda i, t, m: MediateGrant(i, t, m, "http://a.example", ("k",), ("did:example:m",)), frozenset()),
    (MediateDeny, MediateDeny, frozenset()),
    (KeylistUpdate, lambda i, t, m: KeylistUpdate(i, t, m, (Update(RECIPIENT, Action.ADD),)), frozenset({"updates"})),
    (
        KeylistUpdateResponse,
        lambda i, t, m: KeylistUpdateResponse(i, t, m, (Updated(RECIPIENT, Action.ADD, Result.SUCCESS),)),
        frozenset({"updated"}),
    ),
    (KeylistQuery, lambda i, t, m: KeylistQuery(i, t, m, limit=3, offset=1), frozenset()),
    (Keylist, lambda i, t, m: Keylist(i, t, m, (RECIPIENT,), Pagination(1, 0, 0)), frozenset()),
)
_PICKUP: tuple[tuple[type, Callable[[str, str, int], ProtocolMessage], frozenset[str]], ...] = (
    (StatusRequest, lambda i, t, m: StatusRequest(i, t, m, RECIPIENT), frozenset()),
    (Status, lambda i, t, m: Status(i, t, m, 3, RECIPIENT), frozenset({"message_count"})),
    (DeliveryRequest, lambda i, t, m: DeliveryRequest(i, t, m, 2, RECIPIENT), frozenset({"limit"})),
    (Delivery, lambda i, t, m: Delivery(i, t, m, (("one", _ENVELOPE),), RECIPIENT), frozenset()),
    (MessagesReceived, lambda i, t, m: MessagesReceived(i, t, m, ("one",)), frozenset({"message_id_list"})),
    (LiveDeliveryChange, lambda i, t, m: LiveDeliveryChange(i, t, m, False), frozenset({"live_delivery"})),
)
_MAJORS = {Wire.V1: 2, Wire.V2: 3}


def _held_for_others() -> Iterator[Sample]:
    """Coordinate Mediation, Pickup and Routing, in the version of each wire."""
    for wire, major in _MAJORS.items():
        for kind, make, required in (*_MEDIATION, *_PICKUP):
            label = f"{kind.__name__}{major}"
            yield Sample(kind, lambda i, t, make=make, m=major: make(i, t, m), required, (wire,), label)  # type: ignore[misc]
    for kind, make, required in _MEDIATION:
        if kind is not MediateDeny:
            yield Sample(kind, lambda i, t, make=make: make(i, t, 1), required, (Wire.V1,), f"{kind.__name__}1")  # type: ignore[misc]
    yield Sample(Forward, lambda i, _: Forward(i, RECIPIENT, (_ENVELOPE,)))


SAMPLES += tuple(_held_for_others())
CASES = [(wire, sample) for sample in SAMPLES for wire in sample.wires]
IDS = [f"{sample.name}-{wire.name}" for wire, sample in CASES]


@dataclass(frozen=True)
class Spoilt:
    """A message with one field spoilt: which, in what way, and the whole."""

    path: tuple[str | int, ...]
    way: str
    document: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.way} {'/'.join(map(str, self.path))}"


def spoilt(document: dict[str, Any]) -> Iterator[Spoilt]:
    """The message with each field missing, of every wrong type, and far too large."""
    for path, value in _fields(document):
        yield Spoilt(path, "missing", _without(document, path))
        for wrong in (None, 7, True, "text", [], {}, [[[]]], {"x": {}}):
            if type(wrong) is not type(value):
                yield Spoilt(path, f"as {wrong!r}", _with(document, path, wrong))
        yield Spoilt(path, "long text", _with(document, path, "x" * _LONG))
        yield Spoilt(path, "long list", _with(document, path, ["x"] * (_LONG // 8)))
        yield Spoilt(path, "many fields", _with(document, path, {f"f{n}": n for n in range(_LONG // 20)}))


def renamed(document: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """The same as a new message: no repetition of one that was taken."""
    name = "@id" if wire is Wire.V1 else "id"
    return {**document, name: new_id()} if isinstance(document.get(name), str) else document


def addressed(message: PlainMessage, sender: str, recipient: str) -> PlainMessage:
    """The message as v2 wants it: it says from whom and for whom it is."""
    return msgspec.structs.replace(message, from_=sender, to=(recipient,)) if message.wire is Wire.V2 else message


def _fields(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if len(path) > _MAX_DEPTH:
        return
    items: Any = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, inner in items:
        # What is attached as JSON is a credential or a query; tests/hostile spoils those.
        if path and path[-1] == "json":
            return
        yield (*path, name), inner
        yield from _fields(inner, (*path, name))


def _with(document: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    _parent(changed, path)[path[-1]] = value
    return changed


def _without(document: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    del _parent(changed, path)[path[-1]]
    return changed


def _parent(document: dict[str, Any], path: tuple[str | int, ...]) -> Any:
    found: Any = document
    for step in path[:-1]:
        found = found[step]
    return found
