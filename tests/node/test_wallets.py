"""A learner connects wallets of others: another lernode, and one whose OAuth 2.0 is Authlib's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from node.app import Node
from node.roles.issuer import Award
from node.roles.keeping import Accept, Change
from node.roles.trust import NewRule
from node.roles.wallets import PulledPage
from node.runtime.world import World
from protocols import strict_json
from protocols.errors import BadInput, LernodeError, NotNow, PeerFault, WrongState
from storage import audit, wallets
from storage.dids import DidPurpose
from storage.invariants import check
from storage.wallets import Wallet, WalletState
from tests.node.foreign_wallet import API, ForeignWallet, foreign_wallet
from tests.node.nodes import CARPENTRY, WELDING, Clock, Nodes, held
from tests.node.ob_client import READ, Platform

REDIRECT = "http://127.0.0.1:40000/answer"


@dataclass
class Scene:
    """A learner, where needed a college that the learner trusts, and a browser that follows nothing by itself."""

    learner: Node
    clock: Clock
    http: aiohttp.ClientSession
    nodes: Nodes
    made: Node | None = None

    async def college(self) -> Node:
        if self.made is None:
            self.made = await self.nodes.make("college", issuer=True)
            await self.trusted_by(self.learner)
        return self.made

    async def trusted_by(self, node: Node) -> None:
        assert self.made is not None
        async with self.made.store.read() as tx:
            did = (await self.made.identity.default(tx, DidPurpose.ISSUER)).did
        await node.trust.add(NewRule(did=did))

    async def issued(self, achievement: str = WELDING, subject: str = "did:example:a") -> bytes:
        return (
            await (await self.college()).issuer.issue(Award(achievement_id=achievement, subject_did=subject))
        ).document

    async def a_badge(self, achievement: str = WELDING) -> str:
        """The id of a record that the learner holds now."""
        async with self.learner.store.read() as tx:
            did = (await self.learner.identity.default(tx, DidPurpose.HOLDER)).did
        return (await self.learner.keeping.keep(await self.issued(achievement, did))).record.id

    async def led_to(self, url: str) -> str:
        """Where the page leads that has nothing to ask."""
        async with self.http.get(url, allow_redirects=False) as response:
            assert response.status in (302, 303), await response.text()
            return response.headers["Location"]

    async def connected(self, wallet: ForeignWallet, scopes: list[str] | None = None) -> Wallet:
        asking = await self.learner.wallets.connect(f"{wallet.base}/tenant", REDIRECT, scopes)
        return await self.learner.wallets.answer(asking.wallet.id, await self.led_to(asking.url))


@pytest.fixture
async def scene(nodes: Nodes) -> AsyncIterator[Scene]:
    clock = Clock()
    learner = await nodes.make("learner", world=World(clock=clock))
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield Scene(learner, clock, http, nodes)


@pytest.fixture
def wallet(monkeypatch: pytest.MonkeyPatch) -> Iterator[ForeignWallet]:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # of the peer: it is on loopback here
    with foreign_wallet() as made:
        yield made


async def events(node: Node) -> list[str]:
    async with node.store.read() as tx:
        return [entry.event for entry in await audit.page(tx, limit=1000)]


async def kept(scene: Scene, wallet_id: str) -> Wallet:
    async with scene.learner.store.read() as tx:
        return await wallets.get(tx, wallet_id)


async def all_pages(scene: Scene, wallet_id: str, **how: Any) -> list[PulledPage]:
    pages, query = [await scene.learner.wallets.pull(wallet_id, **how)], None
    while (query := pages[-1].following) is not None:
        pages.append(await scene.learner.wallets.pull(wallet_id, query=query, **how))
    return pages


def code_of(caught: pytest.ExceptionInfo[LernodeError]) -> str:
    return caught.value.code


# A wallet of others --------------------------------------------------------------------------------------------------


async def test_a_wallet_is_connected_with_what_it_granted(scene: Scene, wallet: ForeignWallet) -> None:
    made = await scene.connected(wallet)
    assert made.state is WalletState.CONNECTED
    (client,) = wallet.clients.values()
    assert client.metadata["redirect_uris"] == [REDIRECT]
    assert client.metadata["client_name"] == "learner"
    assert {urlsplit(client.metadata[name]).scheme for name in ("client_uri", "tos_uri", "policy_uri")} == {"https"}
    assert made.details["tokens"]["scope"] == " ".join(made.details["scopes"])
    assert "asked" not in made.details
    assert {"wallet.asked", "wallet.connected"} <= set(await events(scene.learner))


async def test_badges_go_there_as_they_were_received(scene: Scene, wallet: ForeignWallet) -> None:
    record_id, made = await scene.a_badge(), await scene.connected(wallet)
    outcomes = [(await scene.learner.wallets.push(made.id, record_id)).outcome for _ in range(2)]
    assert outcomes == ["created", "unchanged"]
    (record,) = await held(scene.learner)
    assert list(wallet.badges.values()) == [record.document]
    assert "wallet.pushed" in await events(scene.learner)


async def test_a_jwt_goes_as_text_and_an_sd_jwt_does_not_go(scene: Scene, wallet: ForeignWallet) -> None:
    made = await scene.connected(wallet)
    for name, securing in (("jwt", "vc+jwt"), ("sd", "vc+sd-jwt")):
        issuer = await scene.nodes.make(name, issuer={"securing": securing})
        document = (await issuer.issuer.issue(Award(achievement_id=WELDING, subject_did="did:example:a"))).document
        record = (await scene.learner.keeping.keep(document, Accept.ANY)).record
        if name == "jwt":
            assert (await scene.learner.wallets.push(made.id, record.id)).outcome == "created"
            assert list(wallet.badges.values()) == [document]
        else:
            with pytest.raises(BadInput) as caught:
                await scene.learner.wallets.push(made.id, record.id)
            assert code_of(caught) == "wallet.not_a_badge"


async def test_badges_come_page_by_page_each_if_it_verifies(scene: Scene, wallet: ForeignWallet) -> None:
    for number in range(5):
        wallet.badges[str(number)] = await scene.issued()
    wallet.badges["1"] = wallet.badges["1"].replace(b"Structural", b"Structured")
    made = await scene.connected(wallet)
    pages = await all_pages(scene, made.id)
    assert [len(page.badges) for page in pages] == [2, 2, 1]
    assert pages[0].total == 5
    badges = [badge for page in pages for badge in page.badges]
    assert [badge.change for badge in badges] == [Change.CREATED, Change.NONE, *[Change.CREATED] * 3]
    assert badges[1].refusal is not None
    assert badges[1].refusal.code == "record.not_genuine"
    assert {record.document for record in await held(scene.learner)} == {
        document for number, document in wallet.badges.items() if number != "1"
    }
    again = [badge.change for page in await all_pages(scene, made.id) for badge in page.badges]
    assert set(again) == {Change.NONE}


async def test_since_asks_for_later_ones_only(scene: Scene, wallet: ForeignWallet) -> None:
    wallet.badges["a"] = await scene.issued()
    made = await scene.connected(wallet)
    (page,) = await all_pages(scene, made.id, since=scene.clock())
    assert page.badges == []
    assert any("since=" in path for _, path in wallet.seen)


async def test_a_badge_of_a_stranger_is_held_marked_only_if_the_owner_says_so(
    scene: Scene, wallet: ForeignWallet
) -> None:
    stranger = await scene.nodes.make("stranger", issuer=True)
    issued = await stranger.issuer.issue(Award(achievement_id=WELDING, subject_did="did:example:a"))
    wallet.badges["a"] = issued.document
    made = await scene.connected(wallet)
    (page,) = await all_pages(scene, made.id)
    assert page.badges[0].refusal is not None
    assert page.badges[0].refusal.code == "record.not_verified"
    await all_pages(scene, made.id, unverified=True)
    (record,) = await held(scene.learner)
    assert record.unverified == "trust.undecided"


async def test_the_profile_is_read_and_put(scene: Scene, wallet: ForeignWallet) -> None:
    made = await scene.connected(wallet)
    before = strict_json.loads_object(await scene.learner.wallets.profile(made.id))
    assert before == wallet.profile
    put = await scene.learner.wallets.put_profile(made.id, strict_json.dumps(before | {"name": "Ada"}))
    assert strict_json.loads_object(put) == wallet.profile == before | {"name": "Ada"}


async def test_a_token_that_is_over_is_renewed_and_the_new_refresh_token_kept(
    scene: Scene, wallet: ForeignWallet
) -> None:
    wallet.lifetime = 60
    made = await scene.connected(wallet)
    scene.clock.advance(seconds=45)  # within what is left for the way
    await scene.learner.wallets.profile(made.id)
    assert len(wallet.tokens) == 2
    assert (await kept(scene, made.id)).details["tokens"]["refresh"] == wallet.tokens[1].refresh
    wallet.end_access()  # though it should be good for long
    await scene.learner.wallets.profile(made.id)
    assert len(wallet.tokens) == 3


async def test_many_at_once_renew_a_token_once(scene: Scene, wallet: ForeignWallet) -> None:
    made = await scene.connected(wallet)
    wallet.end_access()
    await asyncio.gather(*(scene.learner.wallets.profile(made.id) for _ in range(4)))
    assert len(wallet.tokens) == 2


async def test_what_was_taken_back_over_there_ends_here(scene: Scene, wallet: ForeignWallet) -> None:
    made = await scene.connected(wallet)
    wallet.end_all()
    for _ in range(2):
        with pytest.raises(WrongState) as caught:
            await scene.learner.wallets.profile(made.id)
        assert code_of(caught) == "wallet.ended"
    ended = await kept(scene, made.id)
    assert (ended.state, ended.details.keys() & {"tokens", "client"}) == (WalletState.ENDED, set())
    assert (await events(scene.learner)).count("wallet.ended") == 1
    await scene.learner.wallets.disconnect(made.id)


async def test_what_was_not_granted_is_said_so(scene: Scene, wallet: ForeignWallet) -> None:
    record_id, made = await scene.a_badge(), await scene.connected(wallet, [READ])
    with pytest.raises(WrongState) as caught:
        await scene.learner.wallets.push(made.id, record_id)
    assert code_of(caught) == "wallet.scope"


async def test_a_busy_wallet_is_asked_later(scene: Scene, wallet: ForeignWallet) -> None:
    made = await scene.connected(wallet)
    wallet.status = 503
    with pytest.raises(NotNow) as caught:
        await scene.learner.wallets.profile(made.id)
    assert (code_of(caught), caught.value.hint) == ("wallet.busy", "Try again in 7 s.")


async def test_a_token_goes_to_no_other_place_that_a_page_names(scene: Scene, wallet: ForeignWallet) -> None:
    made = await scene.connected(wallet)
    for number in range(3):
        wallet.badges[str(number)] = await scene.issued()
    for place in ("http://127.0.0.1:9/steal", f"{wallet.base}/other", f"https://evil.example{API}/credentials"):
        wallet.elsewhere = place
        with pytest.raises(PeerFault):
            await scene.learner.wallets.pull(made.id)
    assert await held(scene.learner) == []


async def test_disconnecting_gives_the_tokens_back(scene: Scene, wallet: ForeignWallet) -> None:
    made = await scene.connected(wallet)
    _, told = await scene.learner.wallets.disconnect(made.id)
    assert told
    assert all(token.is_over for token in wallet.tokens)
    assert await scene.learner.wallets.page() == []
    assert "wallet.disconnected" in await events(scene.learner)


async def test_a_wallet_that_is_away_is_forgotten_only_by_force(scene: Scene, wallet: ForeignWallet) -> None:
    made = await scene.connected(wallet)
    details = made.details
    details["service"]["revocation"] = "http://127.0.0.1:9/revoke"
    async with scene.learner.store.write() as tx:
        await wallets.save(tx, made)
    with pytest.raises(NotNow):
        await scene.learner.wallets.disconnect(made.id)
    _, told = await scene.learner.wallets.disconnect(made.id, force=True)
    assert (told, await scene.learner.wallets.page()) == (False, [])


# Answers that are none -----------------------------------------------------------------------------------------------


async def test_an_answer_to_another_request_connects_nothing(scene: Scene, wallet: ForeignWallet) -> None:
    asking = await scene.learner.wallets.connect(f"{wallet.base}{API}/discovery", REDIRECT)
    good = await scene.led_to(asking.url)
    answer = {name: value for name, (value,) in parse_qs(urlsplit(good).query).items()}
    for changes in (
        {"state": "other"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"code": None},
        {"state": None},
    ):
        changed = {name: value for name, value in (answer | changes).items() if value is not None}
        with pytest.raises(BadInput) as caught:
            await scene.learner.wallets.answer(asking.wallet.id, f"{REDIRECT}?{urlencode(changed)}")
        assert code_of(caught) == "wallet.answer_elsewhere", changes
    for address in (good.replace("40000", "40001"), good + "&state=x", "", "nonsense"):
        with pytest.raises(BadInput):
            await scene.learner.wallets.answer(asking.wallet.id, address)
    assert wallet.tokens == []
    assert (await scene.learner.wallets.answer(asking.wallet.id, good)).state is WalletState.CONNECTED
    with pytest.raises(WrongState) as twice:
        await scene.learner.wallets.answer(asking.wallet.id, good)
    assert twice.value.code == "wallet.not_asking"


async def test_a_no_and_an_answer_that_comes_too_late_leave_nothing(scene: Scene, wallet: ForeignWallet) -> None:
    asking = await scene.learner.wallets.connect(f"{wallet.base}/tenant", REDIRECT)
    state = asking.wallet.details["asked"]["state"]
    said = urlencode({"error": "access_denied", "state": state, "iss": wallet.base})
    with pytest.raises(BadInput) as caught:
        await scene.learner.wallets.answer(asking.wallet.id, f"{REDIRECT}?{said}")
    assert code_of(caught) == "wallet.denied"
    assert await scene.learner.wallets.page() == []
    late = await scene.learner.wallets.connect(f"{wallet.base}/tenant", REDIRECT)
    answer = await scene.led_to(late.url)
    scene.clock.advance(minutes=16)
    with pytest.raises(WrongState):
        await scene.learner.wallets.answer(late.wallet.id, answer)
    scene.clock.advance(days=2)
    assert (await scene.learner.housekeeping.prune())["wallet_requests"] == 1


async def test_what_is_no_service_must_not_be_reached_or_answers_elsewhere_is_refused(
    scene: Scene, wallet: ForeignWallet
) -> None:
    for url, code in (
        (wallet.base, "wallet.no_service"),
        ("http://10.0.0.1/badges", "net.address_forbidden"),
        ("ftp://wallet.example", "net.scheme"),
        ("https://", "net.url"),
    ):
        with pytest.raises(BadInput) as caught:
            await scene.learner.wallets.connect(url, REDIRECT)
        assert code_of(caught) == code
    for redirect in ("https://evil.example/", "http://localhost:4000/", "http://10.0.0.1:4000/", ""):
        with pytest.raises(BadInput) as caught:
            await scene.learner.wallets.connect(f"{wallet.base}/tenant", redirect)
        assert code_of(caught) == "wallet.redirect"
    assert wallet.clients == {}


# Keeping it in order -------------------------------------------------------------------------------------------------


async def test_no_token_is_in_the_store_in_the_clear(scene: Scene, wallet: ForeignWallet) -> None:
    made = await scene.connected(wallet)
    (token,) = wallet.tokens
    (client,) = wallet.clients.values()
    async with scene.learner.store.read() as tx:
        text = repr([tuple(row) for row in await tx.all("SELECT * FROM wallets")])
        assert made.id in text
        for secret in (token.access, token.refresh, client.secret, client.client_id, "Another wallet", wallet.base):
            assert str(secret) not in text
        assert [broken async for broken in check(tx)] == []


async def test_erasing_a_person_takes_the_wallet_that_names_them(scene: Scene, wallet: ForeignWallet) -> None:
    await scene.connected(wallet)
    erased = await scene.learner.erasing.erase_subject("Another wallet")
    assert [each.what for each in erased.erased] == ["wallet"]
    assert await scene.learner.wallets.page() == []


async def test_the_pages_that_a_registration_names_are_there(scene: Scene) -> None:
    for path, kind in (("/client", "text/html"), ("/client/logo.svg", "image/svg+xml")):
        async with scene.http.get(f"{scene.learner.config.node.endpoint}{path}") as response:
            assert (response.status, response.content_type) == (200, kind)


# Two lernodes --------------------------------------------------------------------------------------------------------


async def test_two_nodes_of_one_person_exchange_badges(scene: Scene) -> None:
    served = {"enabled": True, "requests_per_minute": 10_000}
    other = await scene.nodes.make("other", world=World(clock=scene.clock), open_badges_api=served)
    asking = await scene.learner.wallets.connect(other.apps.issuer, REDIRECT)
    page = await Platform(scene.http, other.apps.issuer).opened(asking.url)
    _, code = await other.apps.approve(page.number)
    answer = (await Platform(scene.http, other.apps.issuer).type_in(page, code)).headers["Location"]
    made = await scene.learner.wallets.answer(asking.wallet.id, answer)

    mine = await scene.a_badge()
    await scene.trusted_by(other)
    assert (await scene.learner.wallets.push(made.id, mine)).outcome == "created"
    await other.keeping.keep(await scene.issued(CARPENTRY))
    (pulled,) = await all_pages(scene, made.id)
    assert sorted(badge.change.value for badge in pulled.badges) == ["created", "none"]
    assert {r.document for r in await held(other)} == {r.document for r in await held(scene.learner)}

    scene.clock.advance(seconds=1000)  # the access token is over
    profile = strict_json.loads_object(await scene.learner.wallets.profile(made.id))
    assert profile["name"] == "other"
    _, told = await scene.learner.wallets.disconnect(made.id)
    assert told
    (app,) = await other.apps.list()
    assert list(app.grants) == []
