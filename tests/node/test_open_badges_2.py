"""A learner takes in badges of Open Badges 2.0 from a real web server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner

from node.app import Node
from node.cli.main import cli
from node.roles.keeping import Accept, Kept
from protocols import strict_json
from protocols.credentials.open_badges_2.parts import assembled
from protocols.errors import BadInput
from storage.credentials import HeldCredential
from tests.credentials.badges_2 import ADA, Badges
from tests.net.helpers import serving
from tests.node.conftest import Town
from tests.node.nodes import Nodes, asks_for, held, other_end
from tests.node.records import NOW
from tests.opening import KEY_TEXT


@pytest.fixture
async def college() -> AsyncIterator[Badges]:
    """A web server with badges; what it has can be changed."""
    there: list[Badges] = []

    async def serve(request: web.Request) -> web.Response:
        found = there[0].there.get(f"{there[0].base}{request.path}")
        if there[0].away or found is None:
            return web.Response(status=503 if there[0].away else 404)
        return web.json_response(found) if isinstance(found, dict) else web.Response(text=found)

    async with serving(serve) as port:
        there.append(Badges(f"http://localhost:{port}", NOW))
        yield there[0]


async def taken(node: Node, data: bytes, accept: Accept = Accept.VERIFIED, **more: Any) -> HeldCredential:
    (outcome,) = await node.keeping.take(data, accept, **more)
    assert isinstance(outcome, Kept)
    return outcome.record


async def refusal(node: Node, data: bytes, accept: Accept = Accept.VERIFIED, **more: Any) -> str:
    with pytest.raises(BadInput) as caught:
        await node.keeping.take(data, accept, **more)
    return f"{caught.value.code} {caught.value.message}"


async def test_a_badge_is_fetched_listed_and_shown_with_who_vouches_for_it(
    nodes: Nodes, college: Badges, tmp_path: Path
) -> None:
    learner = await nodes.make("Ada", trust={"issuers": (f"{college.base}/issuer",)})
    url = f"{college.base}/assertions/1"
    record = await taken(learner, await learner.keeping.fetch(url), recipient=ADA)
    assert (record.name, record.issuer, record.unverified) == ("Structural Welding", f"{college.base}/issuer", None)
    signed = await taken(learner, college.signed().encode())
    assert len(await held(learner)) == 2
    assert (await taken(learner, strict_json.dumps(college.hosted))).id == record.id
    picture = await learner.badges.bake(signed.document, b'<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>')
    assert (await taken(learner, picture)).id == signed.id
    linked = f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org">
    <openbadges:assertion verify="{url}"/></svg>"""
    assert (await taken(learner, linked.encode())).id == record.id
    (skill,) = await learner.skill_profile.skills()
    assert {each.believed.by for each in skill.attestations} == {"trusted"}
    assert "rests on its web server" in skill.attestations[0].believed.reason
    assert "recipient.differs" in await refusal(learner, college.signed().encode(), recipient="bob@example.org")
    # The badge is kept with all that it says, and is no better than its server.
    college.hosted["revoked"] = True
    assert (await taken(learner, record.document, Accept.ANY)).unverified == "status.revoked"
    await nodes.stop(learner)
    out = tmp_path / "badge.json"
    for command in (["records", record.id, "--json"], ["records", record.id, "--export", str(out)]):
        result = await asyncio.to_thread(
            CliRunner().invoke, cli, [*command, "--home", str(learner.home)], env={"LERNODE_KEY": KEY_TEXT}
        )
        assert result.exit_code == 0, result.output
        if "--json" in command:
            assert json.loads(result.output)["securing"] == "HostedBadge"
    assert out.read_bytes() == record.document


async def test_a_badge_whose_server_is_away_is_kept_marked_and_verified_when_it_is_back(
    nodes: Nodes, college: Badges
) -> None:
    learner = await nodes.make("Ada", trust={"issuers": (f"{college.base}/issuer",)})
    whole = strict_json.dumps(await assembled(college.hosted, college))
    college.away = True
    assert "badge.class_unreachable" in await refusal(learner, strict_json.dumps(college.hosted), Accept.ANY)
    assert "record.not_verified" in await refusal(learner, whole)
    assert (await taken(learner, whole, Accept.ANY)).unverified == "badge.unreachable"
    college.away = False
    assert (await taken(learner, whole)).unverified is None


async def test_a_badge_stands_in_no_presentation(town: Town, college: Badges) -> None:
    data = strict_json.dumps(college.hosted)
    record = await taken(town.learner, data, Accept.ANY)
    assert record.unverified == "trust.undecided"
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    theirs = await other_end(town.learner, asked, "request-received")
    assert record.id not in (await town.learner.holder.matches(theirs.id)).records
