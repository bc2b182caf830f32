"""A learner takes in a European Digital Credential for Learning, sees what it says, and shows it to others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.app import Node
from node.cli.main import cli
from node.roles.keeping import Accept
from node.roles.trust import NewRule
from protocols import strict_json
from protocols.errors import BadInput
from storage.resumes import Entry, Resume
from tests.credentials.seals import WELD, authority, diploma, sealed
from tests.node.nodes import Nodes
from tests.node.test_import import taken
from tests.opening import KEY_TEXT

DIPLOMA = strict_json.dumps(sealed(diploma()))


@pytest.fixture
async def learner(nodes: Nodes, tmp_path: Path) -> Node:
    (tmp_path / "authority.pem").write_bytes(authority().pem)
    return await nodes.make("learner", verify={"seal_authorities": (str(tmp_path / "authority.pem"),)})


async def refusal(node: Node, data: bytes, accept: Accept = Accept.VERIFIED) -> BadInput:
    with pytest.raises(BadInput) as caught:
        await node.keeping.take(data, accept)
    return caught.value


async def believe(node: Node) -> str:
    """Believe the organisation of the seal, by the name that the check tells."""
    checked = await node.verifier.verify_document(DIPLOMA)
    assert checked.issuer is not None
    await node.trust.add(NewRule(did=checked.issuer))
    return checked.issuer


async def test_a_sealed_diploma_of_an_organisation_that_is_believed_is_kept_with_its_skills(learner: Node) -> None:
    assert "trust.undecided" in (await refusal(learner, DIPLOMA)).message
    name = await believe(learner)
    record = await taken(learner, DIPLOMA)
    assert (record.name, record.issuer, record.unverified) == ("Diploma of Shipbuilding", name, None)
    assert record.document == DIPLOMA
    skill = await learner.skill_profile.one(WELD)
    assert next((one.name, one.value) for one in skill.results) == ("EQF level", "6")
    assert [one.believed.by for one in skill.attestations] == ["trusted"]


async def test_a_diploma_of_an_unknown_authority_is_kept_marked_until_the_authority_is_named(
    nodes: Nodes, tmp_path: Path
) -> None:
    learner = await nodes.make("learner")
    assert "seal.authority_unknown" in (await refusal(learner, DIPLOMA)).message
    record = await taken(learner, DIPLOMA, Accept.ANY)
    assert (record.unverified, record.issuer) == ("seal.authority_unknown", "urn:epass:org:1")
    await nodes.stop(learner)
    config = learner.home / "lernode.toml"
    (tmp_path / "authority.pem").write_bytes(authority().pem)
    config.write_text(config.read_text().replace("[verify]", '[verify]\nseal_authorities = ["../authority.pem"]'))
    learner = await nodes.again(learner)
    name = await believe(learner)
    again = await taken(learner, DIPLOMA)
    assert (again.id, again.issuer, again.unverified) == (record.id, name, None)
    assert [one.believed.by for one in (await learner.skill_profile.one(WELD)).attestations] == ["trusted"]


@pytest.mark.parametrize("accept", list(Accept))
async def test_what_nobody_sealed_and_what_was_changed_is_kept_in_no_way(learner: Node, accept: Accept) -> None:
    changed = DIPLOMA.replace(b"Ada Lovelace", b"Eve Lovelace")
    for data in (strict_json.dumps(diploma()), changed):
        assert (await refusal(learner, data, accept)).code == "record.not_genuine"


async def test_the_diploma_goes_into_a_resume_whole_and_in_an_envelope(learner: Node) -> None:
    await believe(learner)
    record = await taken(learner, DIPLOMA)
    resume = Resume(
        id=learner.world.new_id(), title="Yards", entries=(Entry(record_id=record.id),), updated=learner.world.clock()
    )
    composed = await learner.portfolio.compose(resume)
    (item,) = composed.presentation["verifiableCredential"]
    assert item["type"] == ["EnvelopedVerifiableCredential"]
    assert item["id"].startswith("data:application/jose+json,%7B")
    result = await learner.verifier.verify_document(composed.presentation)
    assert [each.verified for each in result.credentials] == [True]
    assert (await taken(learner, strict_json.dumps(item))).document == DIPLOMA
    with pytest.raises(BadInput, match="signed as one text"):
        await learner.portfolio.save(
            Resume(
                id=resume.id,
                title="Part",
                entries=(Entry(record_id=record.id, reveal=("/issuer",)),),
                updated=resume.updated,
            )
        )


async def test_the_command_line_shows_the_outline_and_gives_the_file_back(
    nodes: Nodes, learner: Node, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)
    await believe(learner)
    record = await taken(learner, DIPLOMA)
    file, home = tmp_path / "again.json", ["--home", str(learner.home)]
    await nodes.stop(learner)
    shown = await asyncio.to_thread(CliRunner().invoke, cli, ["records", record.id, *home])
    assert shown.exit_code == 0, shown.output
    assert "- Bachelor of Shipbuilding (by Coast University, Qualification, EQF level 6," in shown.output
    assert "  - Final examination (by Coast University, proven by LearningAssessment, Final" in shown.output
    written = await asyncio.to_thread(CliRunner().invoke, cli, ["records", record.id, *home, "--export", str(file)])
    assert written.exit_code == 0, written.output
    assert file.read_bytes() == DIPLOMA
    checked = await asyncio.to_thread(CliRunner().invoke, cli, ["verify", str(file), *home, "--json"])
    assert json.loads(checked.output)["securing"] == "jose+json"
    assert json.loads(checked.output)["verified"] is True
