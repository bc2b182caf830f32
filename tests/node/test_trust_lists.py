"""Trust lists between real nodes: a consortium publishes, an employer follows, and nobody can turn that back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from node.app import Node
from node.roles.trust import NewRule
from node.roles.trust_lists import ToFollow
from node.roles.vc_api_issuer import IssueWish
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.trust.grants import Action, By
from protocols.credentials.trust.scope import Achieved, Award, Scope
from protocols.credentials.verification import CheckResult, Outcome
from protocols.errors import BadInput, LernodeError
from storage import dids, trust_lists
from storage.trust_lists import Followed
from tests.node.nodes import Clock, Nodes, asks_for, check, connect, exchange_in, free_port, give, held

COLLEGE = "did:web:trades.example"
CERTIFICATES = Scope(achievement_types=frozenset({"Certificate"}))


@dataclass
class Mirror:
    """A server of somebody else, which gives what a test puts there."""

    files: dict[str, bytes] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    def url(self, path: str) -> str:
        return f"http://localhost:{self.port}{path}"

    async def answer(self, request: web.Request) -> web.Response:
        if request.path not in self.files:
            raise web.HTTPServiceUnavailable
        return web.Response(body=self.files[request.path], content_type="application/json")


@pytest.fixture
async def mirror() -> AsyncIterator[Mirror]:
    made = Mirror()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", made.port).start()
    yield made
    await runner.cleanup()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def consortium(nodes: Nodes, clock: Clock) -> Node:
    """It believes one college, for certificates, and publishes that."""
    made = await nodes.make("consortium", issuer=True, world=World(clock=clock))
    await made.trust.add(NewRule(did=COLLEGE, scope=CERTIFICATES, note="Trades"))
    await made.trust_lists.publish("colleges", title="Colleges of the Coast", days=30)
    return made


@pytest.fixture
async def employer(nodes: Nodes, clock: Clock) -> Node:
    return await nodes.make("employer", world=World(clock=clock))


async def did_of(node: Node) -> str:
    async with node.store.read() as tx:
        found = await dids.default(tx, dids.DidPurpose.ISSUER)
    assert found is not None
    return found.did


async def edition(node: Node) -> bytes:
    async with node.store.read() as tx:
        found = await trust_lists.find_publication(tx, "colleges")
    assert found is not None
    return found.document


async def why(node: Node, did: str = COLLEGE, kind: str = "Certificate") -> CheckResult:
    return await node.trust.explain(Award(did, (Achieved(achievement_type=kind),), node.world.clock()))


async def follow(node: Node, **wanted: Any) -> Followed:
    (row,) = await node.trust_lists.follow(ToFollow(**wanted))
    return row


async def refused(node: Node, **wanted: Any) -> str:
    with pytest.raises(LernodeError) as caught:
        await follow(node, **wanted)
    return caught.value.code


async def test_a_list_is_followed_by_its_url_and_named_as_the_reason(consortium: Node, employer: Node) -> None:
    assert (await why(employer)).code == "trust.undecided"
    row = await follow(employer, url=consortium.trust_lists.url("colleges"))
    assert (row.publisher, row.sequence, row.kind) == (await did_of(consortium), 1, By.LIST)
    told = await why(employer)
    assert told.outcome is Outcome.PASS
    (link,) = (told.details or {})["because"]
    assert (link["by"], link["publisher"], link["sequence"]) == ("list", row.publisher, 1)
    assert link["name"] == "Colleges of the Coast"
    assert (await why(employer, kind="Diploma")).code == "trust.out_of_scope"
    assert (await why(employer, "did:web:other.example")).code == "trust.issuer_untrusted"
    await employer.trust_lists.unfollow(row)
    assert (await why(employer)).code == "trust.undecided"


async def test_a_list_is_followed_by_the_did_of_its_publisher(consortium: Node, employer: Node) -> None:
    row = await follow(employer, publisher=await did_of(consortium))
    assert row.source == consortium.trust_lists.url("colleges")


async def test_a_mirrored_copy_counts_only_as_the_named_publisher_signed_it(
    consortium: Node, employer: Node, mirror: Mirror
) -> None:
    publisher = await did_of(consortium)
    mirror.files["/colleges"] = await edition(consortium)
    assert await refused(employer, url=mirror.url("/colleges")) == "trust.publisher_unnamed"
    assert await refused(employer, document=mirror.files["/colleges"]) == "trust.publisher_unnamed"
    assert await refused(employer, url=mirror.url("/colleges"), publisher=COLLEGE) == "trust.publisher_other"
    row = await follow(employer, url=mirror.url("/colleges"), publisher=publisher)
    changed = strict_json.loads_object(mirror.files["/colleges"])
    changed["credentialSubject"][0]["id"] = "did:web:evil.example"
    mirror.files["/colleges"] = strict_json.dumps(changed)
    with pytest.raises(BadInput, match="does not verify"):
        await employer.trust_lists.refresh(row)
    assert (await why(employer, "did:web:evil.example")).outcome is Outcome.FAIL
    assert (await why(employer)).outcome is Outcome.PASS


async def test_an_older_edition_than_was_seen_is_refused_wherever_it_comes_from(
    consortium: Node, employer: Node, mirror: Mirror
) -> None:
    first, publisher = await edition(consortium), await did_of(consortium)
    await follow(employer, url=consortium.trust_lists.url("colleges"))
    await consortium.trust.add(NewRule(did="did:web:new.example"))
    await consortium.trust_lists.publish("colleges", title="Colleges of the Coast", days=30)
    assert (await follow(employer, document=await edition(consortium), publisher=publisher)).sequence == 2
    assert (await why(employer, "did:web:new.example")).outcome is Outcome.PASS
    mirror.files["/old"] = first
    assert await refused(employer, url=mirror.url("/old"), publisher=publisher) == "trust.list_rolled_back"
    assert await refused(employer, document=first, publisher=publisher) == "trust.list_rolled_back"
    assert (await why(employer, "did:web:new.example")).outcome is Outcome.PASS


async def test_a_list_of_another_publisher_cannot_take_the_place_of_one(
    nodes: Nodes, consortium: Node, employer: Node
) -> None:
    await follow(employer, url=consortium.trust_lists.url("colleges"))
    thief = await nodes.make("thief", issuer=True)
    await thief.trust.add(NewRule(did="did:web:evil.example"))
    await thief.trust_lists.publish("colleges", title="Colleges of the Coast", days=30)
    stolen = strict_json.loads_object(await edition(thief))
    del stolen["proof"]
    stolen["id"], stolen["sequence"] = consortium.trust_lists.url("colleges"), 9
    signed = await thief.vc_api.issuer.issue(stolen, IssueWish())
    code = await refused(employer, document=signed.document, publisher=await did_of(thief))
    assert code == "trust.publisher_other"


async def test_an_expired_list_is_no_reason_and_a_renewed_one_is_again(
    consortium: Node, employer: Node, clock: Clock
) -> None:
    row = await follow(employer, document=await edition(consortium), publisher=await did_of(consortium))
    clock.advance(days=31)
    told = await why(employer)
    assert (told.outcome, told.code) == (Outcome.NOT_CHECKED, "trust.list_expired")
    assert await refused(employer, document=row.body, publisher=row.publisher) == "trust.list_unverified"
    await consortium.trust_lists._once()
    assert (await follow(employer, document=await edition(consortium), publisher=row.publisher)).sequence == 2
    assert (await why(employer)).outcome is Outcome.PASS


async def test_a_followed_list_is_asked_for_again_by_itself_and_kept_while_nobody_answers(
    nodes: Nodes, consortium: Node, employer: Node, clock: Clock
) -> None:
    row = await follow(employer, url=consortium.trust_lists.url("colleges"))
    await consortium.trust.add(NewRule(did="did:web:new.example"))
    await consortium.trust_lists.publish("colleges", title="Colleges of the Coast", days=30)
    clock.advance(days=1, seconds=1)
    await employer.trust_lists._once()
    assert (await why(employer, "did:web:new.example")).outcome is Outcome.PASS
    await nodes.stop(consortium)
    clock.advance(days=1, seconds=1)
    await employer.trust_lists._once()
    async with employer.store.read() as tx:
        kept = await trust_lists.find(tx, row.list_id)
    assert kept is not None
    assert (kept.error_code, kept.sequence) == ("net.unreachable", 2)
    assert (await why(employer)).outcome is Outcome.PASS


async def test_a_list_lets_others_be_recognised_only_where_its_follower_wants_that(
    consortium: Node, employer: Node
) -> None:
    await consortium.trust.add(NewRule(did="did:web:quality.example", action=Action.RECOGNIZE))
    await consortium.trust_lists.publish("colleges", title="Colleges", days=30)
    award = Award("did:web:quality.example", None, employer.world.clock())
    await follow(employer, url=consortium.trust_lists.url("colleges"))
    assert (await employer.trust.explain(award)).outcome is Outcome.FAIL
    await follow(employer, url=consortium.trust_lists.url("colleges"), accreditors=True)
    assert (await employer.trust.explain(award)).outcome is Outcome.PASS


async def test_a_registry_of_known_issuers_counts_and_is_marked_as_signed_by_nobody(
    employer: Node, mirror: Mirror
) -> None:
    issuers = {COLLEGE: {"name": "Trades", "url": "https://trades.example", "location": "Coast"}, "no did": {}}
    mirror.files["/registry.json"] = strict_json.dumps({"meta": {"created": "2020"}, "registry": issuers})
    listed = [
        {"name": "Members", "type": "oidf", "trustAnchorEC": "https://x.example"},
        {"name": "Sandbox", "type": "dcc-legacy", "url": mirror.url("/registry.json")},
    ]
    mirror.files["/known-did-registries.json"] = strict_json.dumps(listed)
    (row,) = await employer.trust_lists.follow(ToFollow(url=mirror.url("/known-did-registries.json")))
    assert (row.name, row.kind, row.publisher) == ("Sandbox", By.REGISTRY, None)
    (link,) = ((await why(employer, kind="Diploma")).details or {})["because"]
    assert (link["by"], link["url"]) == ("registry", mirror.url("/registry.json"))
    assert "publisher" not in link
    assert await refused(employer, document=mirror.files["/registry.json"]) == "trust.registry_unsigned"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"[7]",
        b'[{"url": 7}]',
        b"{}",
        b'{"registry": {}}',
        b'{"registry": [1]}',
        b"{" * 5000,
        b"\xff",
        b"eyJ",
    ],
)
async def test_what_is_no_list_is_refused_and_nothing_is_kept(employer: Node, mirror: Mirror, body: bytes) -> None:
    mirror.files["/list"] = body
    with pytest.raises(LernodeError):
        await employer.trust_lists.follow(ToFollow(url=mirror.url("/list")))
    async with employer.store.read() as tx:
        assert await trust_lists.followed(tx) == []


async def test_a_presentation_is_believed_by_a_list_while_its_publisher_is_away(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True, "share_records": True})
    consortium = await nodes.make("consortium", issuer=True)
    employer = await nodes.make("employer")
    await consortium.trust.add(NewRule(did=await did_of(college), scope=CERTIFICATES))
    await consortium.trust_lists.publish("colleges", title="Colleges", days=30)
    await follow(employer, url=consortium.trust_lists.url("colleges"))
    await nodes.stop(consortium)
    to_learner, _ = await connect(college, learner)
    hiring, _ = await connect(employer, learner)
    await give(college, to_learner.id)
    assert await held(learner)
    asked = await employer.verifier.request(hiring.id, asks_for())
    await exchange_in(employer, asked.id)
    kept = await employer.verifier.verify_again(asked.id)
    assert kept.verified, kept.result
    (link,) = check(kept.result, "issuer-trusted")["details"]["because"]
    assert link["by"] == "list"
