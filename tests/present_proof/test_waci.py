"""Present Proof 3.0 in the messages of WACI-DIDComm 1.0 §Presentation, and what they may not be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocols.didcomm import codec
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import BadInput, PeerFault
from protocols.exchange.presentation_exchange import parse_definition
from protocols.machine import Ask, Decision, Send, Verify
from protocols.out_of_band import messages as out_of_band
from protocols.out_of_band.goals import STREAMLINED_VP
from protocols.present_proof import machine
from protocols.present_proof.messages import Ack, Presentation, ProposePresentation, RequestPresentation, decode
from tests.didcomm.helpers import ids

new_id = ids()

INVITATION_ID = "0e5f8a0c-5a0e-4a55-9b6e-3c1f7c0f3a11"
PROPOSAL_ID = "1b7e2f7e-0a51-4a2b-8f0e-5d2f5a0b6c22"
TYPE = "https://didcomm.org/present-proof/3.0/"
VERIFIER, PROVER = "did:example:verifier", "did:example:prover"

INVITATION = {
    "type": "https://didcomm.org/out-of-band/2.0/invitation",
    "id": INVITATION_ID,
    "from": VERIFIER,
    "body": {"goal_code": "streamlined-vp", "accept": ["didcomm/v2"]},
}
PROPOSAL = {
    "type": TYPE + "propose-presentation",
    "id": PROPOSAL_ID,
    "pthid": INVITATION_ID,
    "from": PROVER,
    "to": [VERIFIER],
}
DEFINITION = {
    "id": "32f5c1f0-1d1e-4a7b-8a3d-0f1b2c3d4e5f",
    "frame": {"@context": ["https://www.w3.org/2018/credentials/v1"], "type": ["VerifiableCredential"]},
    "format": {"ldp_vp": {"proof_type": ["JsonWebSignature2020", "Ed25519Signature2018"]}},
    "input_descriptors": [
        {
            "id": "badge",
            "name": "A badge",
            "constraints": {
                "fields": [
                    {
                        "path": ["$.credentialSchema.id", "$.vc.credentialSchema.id"],
                        "filter": {"type": "string", "const": "https://example.org/schema"},
                    },
                    {"path": ["$.credentialSubject.name"], "filter": {"type": "string"}},
                ]
            },
        }
    ],
}


def with_attachment(name: str, attachment_format: str, content: Any, **headers: Any) -> dict[str, Any]:
    attachment = {
        "id": "ed7d9b1f-0000-4bde-b81c-3aa7485cf947",
        "media_type": "application/json",
        "format": attachment_format,
        "data": {"json": content},
    }
    return {
        "type": TYPE + name,
        "id": new_id(),
        "thid": PROPOSAL_ID,
        "from": VERIFIER,
        "to": [PROVER],
        "body": {},
        "attachments": [attachment],
        **headers,
    }


REQUEST = with_attachment(
    "request-presentation",
    "dif/presentation-exchange/definitions@v1.0",
    {"options": {"challenge": "3fa85f64-challenge", "domain": "4jt78h47"}, "presentation_definition": DEFINITION},
)
SHOWN = {
    "@context": ["https://www.w3.org/2018/credentials/v1"],
    "type": ["VerifiablePresentation", "PresentationSubmission"],
    "verifiableCredential": [{"type": ["VerifiableCredential"]}],
    "presentation_submission": {"id": "s", "definition_id": DEFINITION["id"], "descriptor_map": []},
    "proof": {"type": "Ed25519Signature2018", "challenge": "3fa85f64-challenge"},
}
PRESENTATION = with_attachment("presentation", "dif/presentation-exchange/submission@v1.0", SHOWN)
ACK = {
    "type": TYPE + "ack",
    "id": "e2f3747b-0000-4e46-abab-ba51472ab1c3",
    "pthid": PROPOSAL_ID,
    "from": VERIFIER,
    "to": [PROVER],
    "body": {"status": "OK"},
    "web_redirect": {"status": "OK", "redirectUrl": "https://example.com/thanks"},
}


def plain(message: dict[str, Any]) -> PlainMessage:
    return codec.decode(json.dumps(message).encode(), Wire.V2)


def test_an_invitation_says_what_it_is_for() -> None:
    read = out_of_band.decode(plain(INVITATION))
    assert isinstance(read, out_of_band.Invitation)
    assert (read.goal_code, read.services, read.id) == (STREAMLINED_VP, (VERIFIER,), INVITATION_ID)


def test_a_proposal_without_body_or_attachment_is_read_under_its_invitation() -> None:
    read = decode(plain(PROPOSAL))
    assert read == ProposePresentation(id=PROPOSAL_ID, thid=PROPOSAL_ID, pthid=INVITATION_ID)


def test_a_request_is_read_with_its_challenge() -> None:
    read = decode(plain(REQUEST))
    assert isinstance(read, RequestPresentation)
    assert (read.thid, read.challenge, read.domain) == (PROPOSAL_ID, "3fa85f64-challenge", "4jt78h47")
    assert read.definition == DEFINITION
    unframed = {name: value for name, value in read.definition.items() if name != "frame"}
    assert [d.id for d in parse_definition(unframed).descriptors] == ["badge"]


def test_nobody_is_asked_to_show_more_than_a_frame_leaves() -> None:
    with pytest.raises(BadInput) as refused:
        parse_definition(DEFINITION)
    assert refused.value.code == "pex.feature_unsupported"


def test_the_messages_of_the_profile_lead_both_sides_to_the_end() -> None:
    proposed = machine.propose(None, new_id=lambda: PROPOSAL_ID, pthid=INVITATION_ID)
    asked = machine.receive(proposed.exchange, decode(plain(REQUEST)), new_id=new_id)
    assert asked.effects == (Ask(Decision.SHARE_RECORDS),)
    (sent,) = proposed.effects
    assert isinstance(sent, Send)
    assert sent.message.encode(Wire.V2).pthid == INVITATION_ID

    begun = machine.receive(None, decode(plain(PROPOSAL)), new_id=new_id)
    requested = machine.request(
        DEFINITION, challenge="3fa85f64-challenge", exchange=begun.exchange, new_id=new_id, will_confirm=True
    )
    shown = machine.receive(requested.exchange, decode(plain(PRESENTATION)), new_id=new_id)
    (effect,) = shown.effects
    assert isinstance(effect, Verify)
    assert (effect.document, effect.challenge) == (SHOWN, "3fa85f64-challenge")
    assert isinstance(decode(plain(PRESENTATION)), Presentation)


def test_an_ack_may_name_its_thread_as_its_parent() -> None:
    read = decode(plain(ACK))
    assert isinstance(read, Ack)
    assert read.thid == PROPOSAL_ID


def altered(message: dict[str, Any], **changes: Any) -> dict[str, Any]:
    (attachment,) = message["attachments"]
    return message | {"attachments": [attachment | changes]}


def asking(**changes: Any) -> dict[str, Any]:
    content = REQUEST["attachments"][0]["data"]["json"] | changes
    return altered(REQUEST, data={"json": content})


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (REQUEST | {"attachments": []}, "present_proof.malformed"),
        (altered(REQUEST, format="dif/credential-manifest/manifest@v1.0"), "present_proof.unsupported_format"),
        (altered(REQUEST, format=7), "present_proof.unsupported_format"),
        (altered(REQUEST, data={"json": [DEFINITION]}), "present_proof.malformed"),
        (altered(REQUEST, data={}), "attachment.malformed"),
        (REQUEST | {"attachments": REQUEST["attachments"] * 2}, "present_proof.malformed"),
        (asking(presentation_definition=None), "present_proof.malformed"),
        (asking(presentation_definition={"id": "x", "input_descriptors": []}), "present_proof.malformed"),
        (asking(options={"challenge": 7}), "present_proof.malformed"),
        (asking(options="challenge"), "present_proof.malformed"),
        (altered(PRESENTATION, data={"json": "eyJ"}), "present_proof.malformed"),
        (
            altered(PRESENTATION, format="dif/presentation-exchange/definitions@v1.0"),
            "present_proof.unsupported_format",
        ),
        (ACK | {"pthid": ACK["id"]}, "message.malformed"),
        ({name: value for name, value in ACK.items() if name != "pthid"}, "message.malformed"),
        (ACK | {"body": {"status": "MAYBE"}}, "message.malformed"),
        (PROPOSAL | {"type": TYPE + "propose-credential"}, "message.type"),
    ],
)
def test_what_the_profile_does_not_know_is_refused(message: dict[str, Any], code: str) -> None:
    with pytest.raises(PeerFault) as refused:
        decode(plain(message))
    assert refused.value.code == code
