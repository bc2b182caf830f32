"""A learner takes in what it has from elsewhere, in whatever format, and shows it to an employer."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from node.app import Node
from node.cli.main import cli
from node.roles.issuer import Award
from node.roles.keeping import Accept, Kept
from protocols import strict_json
from protocols.credentials.enveloped import envelope
from protocols.credentials.issue import issue
from protocols.credentials.reading import stated
from protocols.credentials.sd_jwt.presenting import disclosable, present_sd_jwt
from protocols.errors import BadInput
from storage.credentials import HeldCredential, delete_held
from storage.dids import DidPurpose
from tests.node.conftest import Town
from tests.node.nodes import WELDING, Nodes, asks_for, connect, exchange_in, held, other_end
from tests.opening import KEY_TEXT

TOKENS = ("vc+jwt", "vc+sd-jwt")


async def town_whose_college_signs(nodes: Nodes, securing: str, *, trusts: bool = True) -> Town:
    college = await nodes.make("college", issuer={"securing": securing})
    async with college.store.read() as tx:
        did = (await college.identity.default(tx, DidPurpose.ISSUER)).did
    believed = {"issuers": (did,)} if trusts else {}
    learner = await nodes.make("learner", policy={"accept_offers": True, "share_records": True}, trust=believed)
    employer = await nodes.make("employer", trust={"issuers": (did,)})
    to_learner, _ = await connect(college, learner)
    hiring, _ = await connect(employer, learner)
    return Town(nodes, college, learner, employer, to_learner, hiring)


async def holder_did(node: Node) -> str:
    async with node.store.read() as tx:
        return (await node.identity.default(tx, DidPurpose.HOLDER)).did


async def a_file(town: Town, **award: Any) -> bytes:
    """What the college hands the learner as a file."""
    wanted = Award(achievement_id=WELDING, subject_did=await holder_did(town.learner), **award)
    return (await town.college.issuer.issue(wanted)).document


async def taken(node: Node, data: bytes, accept: Accept = Accept.VERIFIED) -> HeldCredential:
    (outcome,) = await node.keeping.take(data, accept)
    assert isinstance(outcome, Kept)
    return outcome.record


async def refusal(node: Node, data: bytes, accept: Accept = Accept.VERIFIED) -> str:
    with pytest.raises(BadInput) as caught:
        await node.keeping.take(data, accept)
    return caught.value.code


def limited(definition: dict[str, Any]) -> dict[str, Any]:
    for descriptor in definition["input_descriptors"]:
        descriptor["constraints"]["limit_disclosure"] = "required"
    return definition


async def presented(town: Town, definition: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one credential that the employer received, as it stood there, and the result of its verification."""
    asked = await town.employer.verifier.request(town.employer_to_learner.id, definition)
    row = await exchange_in(town.employer, asked.id)
    assert row.state == "done", row.error_code
    (item,) = strict_json.loads_object(row.data)["presentation"]["verifiableCredential"]
    result = (await town.employer.verifier.verify_again(asked.id)).result
    assert result["verified"], result
    return item, result["credentials"][0]


@pytest.mark.parametrize("securing", TOKENS)
async def test_a_record_in_a_token_is_taken_in_listed_and_presented(nodes: Nodes, securing: str) -> None:
    town = await town_whose_college_signs(nodes, securing)
    file = await a_file(town, name="Ada Lovelace")
    record = await taken(town.learner, file)
    assert (record.name, record.document) == ("Structural Welding, Level 1", file)
    assert [skill.code for skill in record.skills] == ["51-4121.00"]
    assert record.unverified is None
    item, result = await presented(town, asks_for())
    assert item["type"] == ["EnvelopedVerifiableCredential"]
    assert item["id"].startswith(f"data:application/{securing},{file.decode().partition('~')[0]}")
    assert result["securing"] == securing


async def test_an_sd_jwt_shows_what_is_asked_for_bound_to_the_request(nodes: Nodes) -> None:
    town = await town_whose_college_signs(nodes, "vc+sd-jwt")
    file = await a_file(town, name="Ada Lovelace")
    assert "/credentialSubject/identifier" in disclosable(file.decode())
    await taken(town.learner, file)
    item, result = await presented(town, limited(asks_for()))
    text = item["id"].partition(",")[2]
    subject = stated(text)["credentialSubject"]
    assert "identifier" not in subject
    binding = next(check for check in result["checks"] if check["check"] == "holder-binding")
    assert binding["outcome"] == "pass"
    assert not text.endswith("~")


async def test_an_sd_jwt_that_names_its_holders_key_and_nobody_is_presented_by_who_has_that_key(nodes: Nodes) -> None:
    town = await town_whose_college_signs(nodes, "vc+sd-jwt")
    async with town.learner.store.read() as tx:
        me = await town.learner.identity.default(tx, DidPurpose.HOLDER)
    async with town.college.store.read() as tx:
        own = await town.college.identity.default(tx, DidPurpose.ISSUER)
        signer = await town.college.identity.signer(tx, own)
    whole = stated(await a_file(town, name="Ada"))
    del whole["credentialSubject"]["id"]
    for key in (me.keys[0].public, own.keys[0].public):
        made = issue(whole, "vc+sd-jwt", signer, created=town.college.world.clock(), holder=key)
        record = await taken(town.learner, made.data)
        asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
        row = await exchange_in(town.employer, asked.id)
        mine = key == me.keys[0].public
        assert (row.state, row.error_code) == (("done", None) if mine else ("abandoned", "holder.subject_unnamed"))
        async with town.learner.store.write() as tx:
            await delete_held(tx, record.id)


async def test_a_verifier_that_names_its_formats_gets_no_token_of_another(nodes: Nodes) -> None:
    town = await town_whose_college_signs(nodes, "vc+jwt")
    await taken(town.learner, await a_file(town))
    definition = asks_for() | {"format": {"ldp_vp": {"proof_type": ["DataIntegrityProof"]}, "vc+sd-jwt": {}}}
    asked = await town.employer.verifier.request(town.employer_to_learner.id, definition)
    theirs = await other_end(town.learner, asked)
    found = await town.learner.holder.matches(theirs.id)
    assert found.selection is None
    reasons = {
        entry.descriptor.id: {each.code for each in entry.reasons.values()} for entry in found.report.descriptors
    }
    assert reasons["skill-by-code"] == {"pex.format"}
    definition["format"]["jwt_vc"] = {"alg": ["EdDSA"]}
    item, _result = await presented(town, definition)
    assert item["id"].startswith("data:application/vc+jwt,")


async def test_an_envelope_a_presentation_and_an_array_are_opened(nodes: Nodes) -> None:
    town = await town_whose_college_signs(nodes, "vc+jwt")
    first, second = await a_file(town), await a_file(town, name="Ada")
    inside = envelope(first.decode(), "application/vc+jwt")
    assert (await taken(town.learner, strict_json.dumps(inside))).document == first
    presentation = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [inside, envelope(second.decode(), "application/vc+jwt")],
    }
    for file in (strict_json.dumps(presentation), strict_json.dumps([inside, second.decode()])):
        outcomes = await town.learner.keeping.take(file)
        assert all(isinstance(outcome, Kept) for outcome in outcomes)
    assert {record.document for record in await held(town.learner)} == {first, second}


async def test_what_is_not_trusted_is_kept_only_on_request_and_stays_marked(nodes: Nodes) -> None:
    town = await town_whose_college_signs(nodes, "eddsa-rdfc-2022", trusts=False)
    file = await a_file(town)
    assert await refusal(town.learner, file) == "record.not_verified"
    assert await held(town.learner) == []
    assert (await taken(town.learner, file, Accept.ANY)).unverified == "trust.undecided"
    (kept,) = await held(town.learner)
    assert kept.unverified == "trust.undecided"
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    theirs = await other_end(town.learner, asked, "request-received")
    found = await town.learner.holder.matches(theirs.id)
    assert found.selection is None, "it is sent to nobody by itself"
    (entry,) = [entry for entry in found.report.descriptors if entry.descriptor.id == "skill-by-code"]
    await town.learner.holder.present(theirs.id, {entry.descriptor.id: kept.id})
    assert (await exchange_in(town.employer, asked.id)).state == "done"


async def test_what_was_changed_is_refused_whoever_asks(nodes: Nodes) -> None:
    town = await town_whose_college_signs(nodes, "vc+jwt")
    header, payload, signature = (await a_file(town)).decode().split(".")
    other = (await a_file(town)).decode().split(".")[1]
    forged = f"{header}.{other}.{signature}".encode()
    assert payload != other
    for accept in Accept:
        assert await refusal(town.learner, forged, accept) == "record.not_genuine"
    assert await held(town.learner) == []


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"<svg/>",
        b"eyJ",
        b"eyJ.eyJ.x",
        b"[]",
        b"[1]",
        b'["x"]',
        b"{",
        b"{}",
        b"[" * 9999,
        b"e" * (3 << 20),
    ],
)
async def test_what_is_no_record_is_refused_with_what_to_do(town: Town, file: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        await town.learner.keeping.take(file, Accept.ANY)
    assert caught.value.hint
    assert await held(town.learner) == []


async def test_the_same_is_held_once_and_marked_anew(nodes: Nodes) -> None:
    town = await town_whose_college_signs(nodes, "vc+sd-jwt")
    file = await a_file(town, name="Ada")
    bare = present_sd_jwt(file.decode(), []).encode()
    for each in (file, bare, file):
        await taken(town.learner, each)
    assert len(await held(town.learner)) == 2, "a part of a record is another record"
    record = await town.college.issuer.issue(Award(achievement_id=WELDING, subject_did="did:example:ada"))
    await taken(town.learner, record.document)
    await town.college.issuer.set_status(record.id, "revocation", True, None)
    assert (await taken(town.learner, record.document, Accept.ANY)).unverified == "status.revoked"


async def test_it_is_fetched_from_a_link(nodes: Nodes) -> None:
    town = await town_whose_college_signs(nodes, "eddsa-rdfc-2022")
    with pytest.raises(BadInput) as caught:
        await town.learner.keeping.fetch(f"{town.college.config.node.endpoint}/nothing-here")
    assert caught.value.code == "intake.not_there"
    with pytest.raises(BadInput) as caught:
        await town.learner.keeping.fetch("http://192.0.2.1/badge.json")
    assert caught.value.code.startswith("net.")


@pytest.mark.parametrize("securing", ["eddsa-rdfc-2022", "vc+jwt"])
async def test_a_record_goes_out_in_a_picture_and_comes_in_again(nodes: Nodes, securing: str, tmp_path: Path) -> None:
    town = await town_whose_college_signs(nodes, securing)
    record = await taken(town.learner, await a_file(town))
    image = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'
    made = await town.learner.badges.bake(record.document, image)
    again = await taken(town.learner, made)
    assert again == record
    with pytest.raises(BadInput) as caught:
        await town.learner.badges.bake(record.document, None)
    assert caught.value.code == "badge.no_image"
    document = stated(record.document)
    document["credentialSubject"]["achievement"]["image"] = {
        "id": "data:image/svg+xml;base64," + base64.b64encode(image).decode(),
        "type": "Image",
    }
    assert (await town.learner.badges.bake(strict_json.dumps(document), None)).startswith(b"<svg")
    await town.nodes.stop(town.learner)
    (tmp_path / "seal.svg").write_bytes(image)
    out = tmp_path / "mine.svg"
    command = ["records", "--home", str(town.learner.home), record.id, "--bake", str(tmp_path / "seal.svg")]
    result = await asyncio.to_thread(
        CliRunner().invoke, cli, [*command, "--export", str(out)], env={"LERNODE_KEY": KEY_TEXT}
    )
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == made
