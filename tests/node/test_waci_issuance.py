"""WACI-DIDComm, issuance: who answers the invitation proposes, and what is offered comes as a credential manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from node.app import Node
from node.roles.issuer import Award
from node.roles.lifetime import Terms
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.data_integrity import add_proof
from protocols.credentials.model import Version
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.errors import BadInput, WrongState
from protocols.out_of_band import link
from protocols.out_of_band.messages import Invitation
from storage import attached, dids
from tests.credentials.worlds import HOLDER, ISSUER, STRANGER, did
from tests.node.nodes import WELDING, Clock, Nodes, exchange_in, held, issued, tables
from tests.node.records import unsigned
from tests.node.test_contact import newest
from tests.node.test_hostile import settled
from tests.node.test_links import ISSUING, begun_in, waiting_in
from tests.node.test_waci import answering
from tests.node.wire_peer import new_id
from tests.node.wire_peer_v2 import WirePeerV2

TYPE = DIDCOMM_ORG + "issue-credential/3.0/"
MANIFEST, APPLICATION, FULFILLMENT = (
    f"dif/credential-manifest/{name}@v1.0" for name in ("manifest", "application", "fulfillment")
)
CONTEXT = "https://identity.foundation/credential-manifest/"
V1 = "https://www.w3.org/2018/credentials/v1"


def attachment(media_format: str, content: Any) -> dict[str, Any]:
    return {"id": media_format, "media_type": "application/json", "format": media_format, "data": {"json": content}}


def content_of(message: PlainMessage, media_format: str) -> Any:
    (found,) = [one["data"]["json"] for one in message.attachments if one["format"] == media_format]
    return found


async def propose(node: Node, peer: WirePeerV2, pthid: str, **headers: Any) -> Any:
    """The peer answers an invitation as the profile says; no body, no attachment."""
    message = peer.message(TYPE + "propose-credential", **{"pthid": pthid, "from_": peer.did, **headers})
    return await peer.tell(node, message, sender=peer.key(peer.did))


async def offered_to(node: Node, peer: WirePeerV2) -> PlainMessage:
    """What the node offers who answers its invitation with a proposal."""
    made = await node.links.offer(Award(achievement_id=WELDING, data_model=Version.V1_1), Terms(), wire=Wire.V2)
    assert (await propose(node, peer, answering(made.url, peer))).status == 202
    return await peer.hear("offer-credential")


def application_for(offer: PlainMessage, *, signer: Any = HOLDER, holder: Any = None, **options: Any) -> dict[str, Any]:
    """What a wallet applies with, signed as the profile's own wallets do."""
    said = content_of(offer, MANIFEST)
    application = {
        "@context": [V1, CONTEXT + "application/v1"],
        "type": ["VerifiablePresentation", "CredentialApplication"],
        "holder": holder or did(signer),
        "credential_application": {
            "id": new_id(),
            "manifest_id": said["credential_manifest"]["id"],
            "format": {"ldp_vc": {"proof_type": ["Ed25519Signature2018"]}},
        },
    }
    return add_proof(
        application,
        suite="Ed25519Signature2018",
        signer=signer,
        created=datetime.now(UTC),
        purpose="authentication",
        **{**said["options"], **options},
    )


async def apply(node: Node, peer: WirePeerV2, offer: PlainMessage, application: dict[str, Any]) -> Any:
    message = peer.message(
        TYPE + "request-credential", thid=offer.thid, attachments=(attachment(APPLICATION, application),)
    )
    return await peer.tell(node, message)


@pytest.fixture
async def college(nodes: Nodes) -> Node:
    return await nodes.make("college", issuer=True)


async def test_two_nodes_issue_several_records_by_one_invitation_of_the_profile(nodes: Nodes, college: Node) -> None:
    learner = await nodes.make("learner")
    award = Award(achievement_id=WELDING, name="Ada")
    made = await college.links.offer(award, Terms(comment="Well done"), also=[award], wire=Wire.V2)
    invitation = link.from_text(made.url)
    assert (invitation.wire, invitation.goal_code, invitation.requests) == (Wire.V2, "streamlined-vc", ())
    assert await issued(college) == []
    await learner.peering.accept(made.url)
    mine = await waiting_in(learner, ISSUING)
    said = strict_json.loads_object(mine.data)
    assert (mine.waiting_for, said["pthid"], said["comment"]) == ("accept-offer", made.id, "Well done")
    assert [one["credential"]["credentialSubject"]["identifier"] for one in said["offer"]]
    await learner.holder.accept_offer(mine.id)
    assert (await exchange_in(learner, mine.id)).state == "done"
    (theirs,) = await begun_in(college, ISSUING)
    assert (await exchange_in(college, theirs.id)).state == "done"
    kept, given = await held(learner), await issued(college)
    assert [one.credential_id for one in kept] == [one.credential_id for one in given]
    async with learner.store.read() as tx:
        assert {one.subject for one in kept} <= {own.did for own in await dids.page(tx)}
    async with college.store.read() as tx:
        assert await attached.find(tx, made.id) is None


async def test_a_wallet_that_knows_the_profile_alone_gets_its_record(college: Node, modern: WirePeerV2) -> None:
    offer = await offered_to(college, modern)
    manifest, preview = content_of(offer, MANIFEST)["credential_manifest"], content_of(offer, FULFILLMENT)
    (descriptor,) = manifest["output_descriptors"]
    (shown,) = preview["verifiableCredential"]
    assert (preview["@context"][0], manifest["issuer"]["name"]) == (V1, "college")
    assert (descriptor["display"]["title"]["fallback"], "proof" in shown) == (shown["name"], False)
    assert preview["credential_fulfillment"]["manifest_id"] == manifest["id"]
    assert (await apply(college, modern, offer, application_for(offer))).status == 202
    got = content_of(await modern.hear("issue-credential"), FULFILLMENT)
    (record,) = got["verifiableCredential"]
    assert got["credential_fulfillment"]["descriptor_map"][0]["id"] == descriptor["id"]
    assert (record["credentialSubject"]["id"], record["id"]) == (did(HOLDER), shown["id"])
    assert (await college.verifier.verify_document(record, any_issuer=True)).verified
    done = modern.message(TYPE + "ack", {"status": "OK"}, thid=offer.thid)
    assert (await modern.tell(college, done)).status == 202
    (row,) = await begun_in(college, ISSUING)
    assert (await exchange_in(college, row.id)).state == "done"


@pytest.mark.parametrize("challenge", ["508adef4-b8e0", None])
@pytest.mark.parametrize("names_subject", [True, False])
async def test_an_issuer_of_the_profile_is_answered_by_a_proposal_and_an_application(
    nodes: Nodes, modern: WirePeerV2, challenge: str | None, names_subject: bool
) -> None:
    learner = await nodes.make("learner", policy={"accept_offers": True})
    proposal = await invited(learner, modern)
    preview = badge()
    options = {"challenge": challenge, "domain": "9rf25a28rs96"} if challenge else {}
    assert (await offer(learner, modern, proposal.thid, preview, options)).status == 202
    application = content_of(await modern.hear("request-credential"), APPLICATION)
    assert application["credential_application"]["manifest_id"] == "manifest-1"
    assert application.get("proof", {}).get("challenge") == challenge
    if challenge:
        checked = await learner.verifier.verify_document(application, challenge=challenge, domain=options["domain"])
        assert checked.verified
    subject = {"id": application["holder"]} if names_subject else {}
    record = {**preview, "credentialSubject": {**subject, **preview["credentialSubject"]}}
    assert (await issue(learner, modern, proposal.thid, record)).status == 202
    assert (await modern.hear("ack")).thid == proposal.thid
    (kept,) = await held(learner)
    assert (kept.credential_id, kept.subject) == (preview["id"], subject.get("id"))


async def test_what_was_not_shown_is_not_kept(nodes: Nodes, modern: WirePeerV2) -> None:
    learner = await nodes.make("learner", policy={"accept_offers": True})
    proposal = await invited(learner, modern)
    await offer(learner, modern, proposal.thid, badge())
    await modern.hear("request-credential")
    assert (await issue(learner, modern, proposal.thid, badge(name="Another one"))).status == 202
    report = await modern.hear("problem-report")
    assert "differs in" in report.body["comment"]
    (row,) = await begun_in(learner, ISSUING)
    assert (row.state, row.error_code) == ("abandoned", "issue_credential.credential_differs")
    assert await held(learner) == []


async def test_an_offer_that_cannot_be_judged_is_declined_with_the_reason(nodes: Nodes, modern: WirePeerV2) -> None:
    learner = await nodes.make("learner", policy={"accept_offers": True})
    proposal = await invited(learner, modern)
    assert (await offer(learner, modern, proposal.thid, badge(), preview=False)).status == 202
    assert (await modern.hear("problem-report")).pthid is not None
    (row,) = await begun_in(learner, ISSUING)
    assert (row.state, row.error_code) == ("abandoned", "issue_credential.no_preview")


async def test_a_wallet_that_applies_with_nothing_gets_a_record_about_the_did_that_it_speaks_with(
    college: Node, modern: WirePeerV2
) -> None:
    """As Extrimian's does, which attaches an application only where records are asked of it."""
    offer = await offered_to(college, modern)
    asked = modern.message(TYPE + "request-credential", thid=offer.thid)
    assert (await modern.tell(college, asked)).status == 202
    got = content_of(await modern.hear("issue-credential"), FULFILLMENT)
    (record,) = got["verifiableCredential"]
    assert record["credentialSubject"]["id"] == asked.from_


async def test_a_request_for_nothing_is_for_an_offer_only(college: Node, modern: WirePeerV2) -> None:
    await offered_to(college, modern)
    await settled(college)
    before = await tables(college.store)
    for thread in ({}, {"thid": new_id()}):
        answer = await modern.tell(college, modern.message(TYPE + "request-credential", **thread))
        assert (answer.status, answer.code) == (400, "issue_credential.unknown_thread")
        await modern.hear("problem-report")
    await settled(college)
    assert await tables(college.store) == before
    assert await issued(college) == []


@pytest.mark.parametrize("how", ["stranger", "challenge", "domain", "unsigned", "manifest"])
async def test_who_does_not_sign_for_the_did_gets_no_record(college: Node, modern: WirePeerV2, how: str) -> None:
    offer = await offered_to(college, modern)
    good = application_for(offer)
    bad = {
        "stranger": lambda: application_for(offer, signer=STRANGER, holder=did(HOLDER)),
        "challenge": lambda: application_for(offer, challenge="of another offer"),
        "domain": lambda: application_for(offer, domain="https://elsewhere.example"),
        "unsigned": lambda: {name: value for name, value in good.items() if name != "proof"},
        "manifest": lambda: {**good, "credential_application": {"id": "a", "manifest_id": "another"}},
    }[how]()
    assert (await apply(college, modern, offer, bad)).status == 202
    assert (await modern.hear("problem-report")).pthid is not None
    (row,) = await begun_in(college, ISSUING)
    assert (await exchange_in(college, row.id)).state == "abandoned"
    assert await issued(college) == []


async def test_one_invitation_is_one_offer_and_a_counter_proposal_waits_for_a_person(
    college: Node, modern: WirePeerV2
) -> None:
    offer = await offered_to(college, modern)
    assert offer.pthid is not None
    again = modern.message(TYPE + "propose-credential", pthid=offer.pthid, thid=offer.thid)
    assert (await modern.tell(college, again)).status == 202
    another = modern.message(TYPE + "propose-credential", pthid=offer.pthid)
    assert (await modern.tell(college, another)).status == 202
    rows = await begun_in(college, ISSUING, 2)
    assert {row.waiting_for for row in rows} == {"answer-credential-proposal"}
    with pytest.raises(BadInput) as unclear:
        await college.issuer.approve(rows[0].id)
    assert unclear.value.code == "record.no_achievement"
    await college.issuer.offer_instead(rows[0].id, Award(achievement_id=WELDING))
    assert content_of(await modern.hear("offer-credential"), MANIFEST)["options"]["challenge"]
    second = WirePeerV2()
    await second.start()
    second.their_did = modern.their_did
    assert (await propose(college, second, offer.pthid)).code == "invitation.closed"
    await second.stop()


async def test_an_invitation_that_is_over_offers_nothing(nodes: Nodes, modern: WirePeerV2) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True, world=replace(World(), clock=clock))
    made = await college.links.offer(Award(achievement_id=WELDING), Terms(expires_in=3600), wire=Wire.V2)
    clock.advance(hours=2)
    assert (await propose(college, modern, answering(made.url, modern))).code == "invitation.closed"
    assert await issued(college) == []


async def test_hostile_proposals_get_a_code_and_leave_nothing(college: Node, modern: WirePeerV2) -> None:
    made = await college.links.offer(Award(achievement_id=WELDING), Terms(), wire=Wire.V2)
    pthid = answering(made.url, modern)
    await settled(college)
    before = await tables(college.store)
    assert (await propose(college, modern, "somebody-elses")).code == "out_of_band.wrong_invitation"
    assert (await propose(college, modern, pthid + "x")).code == "out_of_band.wrong_invitation"
    for bad, code in (
        (attachment(MANIFEST, {}), "issue_credential.unsupported_format"),
        (attachment("aries/ld-proof-vc-detail@v1.0", {"credential": {}}), "issue_credential.malformed"),
        (attachment("aries/ld-proof-vc-detail@v1.0", "all"), "issue_credential.malformed"),
    ):
        assert (await propose(college, modern, pthid, attachments=(bad,))).code == code
    assert await tables(college.store) == before
    assert (await propose(college, modern, pthid)).status == 202
    await modern.hear("offer-credential")


async def test_hostile_applications_get_a_code_and_leave_nothing(college: Node, modern: WirePeerV2) -> None:
    offer = await offered_to(college, modern)
    await settled(college)
    before = await tables(college.store)
    for bad in ({}, {"credential_application": {}}, {"credential_application": {"manifest_id": "m"}, "holder": [7]}):
        assert (await apply(college, modern, offer, bad)).code == "issue_credential.malformed"
    other = modern.message(TYPE + "request-credential", attachments=(attachment(APPLICATION, application_for(offer)),))
    assert (await modern.tell(college, other)).code == "issue_credential.unknown_thread"
    assert await tables(college.store) == before


async def test_no_such_link_is_made_for_what_cannot_be_offered_or_where_a_person_decides(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    with pytest.raises(WrongState) as unknown:
        await college.links.offer(Award(achievement_id="urn:nothing"), Terms(), wire=Wire.V2)
    assert unknown.value.code == "catalogue.unknown_achievement"
    careful = await nodes.make("careful", issuer=True, policy={"accept_connections": False})
    with pytest.raises(WrongState) as refused:
        await careful.links.offer(Award(achievement_id=WELDING), Terms(), wire=Wire.V2)
    assert refused.value.code == "invitation.person_decides"


async def invited(learner: Node, modern: WirePeerV2) -> PlainMessage:
    """The node's proposal that answers an invitation of the peer."""
    invitation = Invitation(new_id(), (modern.did,), goal_code="streamlined-vc", accept=("didcomm/v2",), wire=Wire.V2)
    connection = await learner.peering.accept(link.to_link(invitation, "https://peer.example/"))
    proposal = await modern.hear("propose-credential")
    assert (proposal.pthid, proposal.thid, proposal.attachments) == (invitation.id, proposal.id, ())
    assert proposal.from_ is not None
    modern.their_did = proposal.from_
    assert (await newest(learner, "request-sent")).id == connection.id
    return proposal


def badge(**changes: Any) -> dict[str, Any]:
    """A record that names its subject without a DID."""
    made = unsigned(did(ISSUER))
    named = {"type": "IdentityObject", "hashed": False, "identityHash": "Ada Byron", "identityType": "name"}
    subject = {**made["credentialSubject"], "identifier": [named]}
    return {**made, "id": "urn:uuid:0b7a3d1e-6c0f-4b8e-9a53-2f6d1c4e8a90", "credentialSubject": subject, **changes}


def fulfillment(*records: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": [records[0]["@context"][0], CONTEXT + "fulfillment/v1"],
        "type": ["VerifiablePresentation", "CredentialFulfillment"],
        "credential_fulfillment": {
            "id": new_id(),
            "manifest_id": "manifest-1",
            "descriptor_map": [
                {"id": "badge", "format": "ldp_vc", "path": f"$.verifiableCredential[{n}]"} for n in range(len(records))
            ],
        },
        "verifiableCredential": list(records),
    }


async def offer(
    learner: Node, modern: WirePeerV2, thid: str, record: dict[str, Any], *how: Mapping[str, Any], **more: Any
) -> Any:
    return await modern.tell(learner, offer_message(modern, thid, record, *how, **more))


def offer_message(
    modern: WirePeerV2,
    thid: str,
    record: dict[str, Any],
    options: Mapping[str, Any] | None = None,
    *,
    preview: bool = True,
    manifest: Mapping[str, Any] | None = None,
) -> PlainMessage:
    content = {
        "id": "manifest-1",
        "version": "0.1.0",
        "issuer": {"id": did(ISSUER), "name": "Some College"},
        "output_descriptors": [{"id": "badge", "schema": CONTEXT, "display": {"title": {"text": "A badge"}}}],
        **(manifest or {}),
    }
    said = [attachment(MANIFEST, {"options": dict(options or {}), "credential_manifest": content})]
    said += [attachment(FULFILLMENT, fulfillment(record))] if preview else []
    return modern.message(TYPE + "offer-credential", thid=thid, attachments=tuple(said))


async def issue(learner: Node, modern: WirePeerV2, thid: str, record: dict[str, Any]) -> Any:
    signed = add_proof(record, suite="eddsa-rdfc-2022", signer=ISSUER, created=datetime.now(UTC))
    said = (attachment(FULFILLMENT, fulfillment(signed)),)
    return await modern.tell(learner, modern.message(TYPE + "issue-credential", thid=thid, attachments=said))
