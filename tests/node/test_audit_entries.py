"""The audit trail is complete: whatever an operator can do that changes something has an entry of its own.

The tables name every operation of the admin API and every command that opens a store itself. An operation or command
that is in neither table fails the test; each is then carried out, and held against what its table says.
"""

from __future__ import annotations

import ast
import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import click
import pyrage
import pytest
from click.testing import CliRunner

from node.app import Node
from node.cli.main import COMMANDS, cli
from node.config import load
from node.http.admin import ALL_OPERATIONS
from node.roles.desk import Wanted
from node.runtime.opening import open_node_store
from node.runtime.world import World
from storage import audit
from tests.admin.helpers import Client, administered
from tests.node.foreign_wallet import foreign_wallet
from tests.node.nodes import (
    CARPENTRY,
    SKILL,
    WELDING,
    Clock,
    Nodes,
    achievement,
    asks_for,
    connection_in,
    exchange_in,
    other_end,
    settled,
    tables,
)
from tests.node.ob_client import METADATA, READ, REDIRECT
from tests.opening import KEY_TEXT
from tests.postgresql import empty_place_url
from tests.vc_api.documents import credential, presentation

OPERATIONS: dict[str, str] = {
    "createDid": "did.created",
    "addDidKey": "did.key_added",
    "rotateDidKeys": "did.key_rotated",
    "chooseDid": "did.chosen",
    "createInvitation": "invitation.created",
    "inviteWithOffer": "invitation.created",
    "inviteWithRequest": "invitation.created",
    "acceptInvitation": "invitation.accepted",
    "endConnection": "connection.ended",
    "rotateDid": "connection.rotated",
    "requestMediation": "mediation.requested",
    "leaveMediator": "mediation.closing",
    "endClient": "mediation.ended",
    "askFeatures": "discover-features.queries-sent",
    "offerRecord": "issue-credential.offer-sent",
    "proposeRecord": "issue-credential.proposal-sent",
    "issueRecord": "record.issued",
    "endorseRecord": "record.issued",
    "offerEndorsement": "issue-credential.offer-sent",
    "makeLearnerRecord": "record.issued",
    "offerLearnerRecord": "issue-credential.offer-sent",
    "issueBatch": "record.issued",
    "keepRecords": "record.stored",
    "correctRecord": "record.revoked",
    "changeStatus": "record.revoked",
    "acceptExchange": "issue-credential.request-sent",
    "declineExchange": "issue-credential.abandoned",
    "resendExchange": "issue-credential.offer-sent",
    "retryMessages": "messages.retried",
    "presentRecords": "records.shared",
    "requestRecords": "present-proof.request-sent",
    "proposePresentation": "present-proof.proposal-sent",
    "verifyExchange": "presentation.verified",
    "addWebhook": "webhook.added",
    "removeWebhook": "webhook.removed",
    "rotateWebhook": "webhook.rotated",
    "replayWebhook": "webhook.replayed",
    "resumeWebhook": "webhook.resumed",
    "addAchievements": "catalogue.added",
    "editAchievement": "catalogue.edited",
    "retireAchievement": "catalogue.retired",
    "importFramework": "framework.imported",
    "removeFramework": "framework.removed",
    "publishFramework": "framework.published",
    "takeFramework": "framework.taken",
    "publishCatalogue": "catalogue.published",
    "takeCatalogue": "catalogue.taken",
    "forgetCatalogue": "catalogue.forgotten",
    "addOrder": "order.brought",
    "approveOrder": "order.approved",
    "declineOrder": "order.declined",
    "runOrder": "record.issued",
    "removeOrder": "order.removed",
    "keepMapping": "mapping.kept",
    "removeMapping": "mapping.removed",
    "makeStatement": "record.stored",
    "makeResume": "resume.saved",
    "changeResume": "resume.saved",
    "forgetResume": "resume.forgotten",
    "sendResume": "present-proof.proposal-sent",
    "printResume": "records.shared",
    "shareResume": "records.shared",
    "withdrawShare": "share.withdrawn",
    "approveApp": "app.approved",
    "declineApp": "app.declined",
    "revokeApp": "app.revoked",
    "connectWallet": "wallet.asked",
    "answerWallet": "wallet.connected",
    "pushToWallet": "wallet.pushed",
    "pullFromWallet": "wallet.pulled",
    "putWalletProfile": "wallet.profile_put",
    "disconnectWallet": "wallet.disconnected",
    "askCohorts": "cohort-counts.question-sent",
    "setCohortPolicy": "cohort.policy_set",
    "allowAsker": "cohort.asker_allowed",
    "refuseAsker": "cohort.asker_refused",
    "addJobProfile": "job_profile.added",
    "addJobProfileFile": "job_profile.added",
    "removeJobProfile": "job_profile.removed",
    "addTrustRule": "trust.rule_added",
    "removeTrustRule": "trust.rule_removed",
    "followTrustList": "trust.list_followed",
    "refreshTrustList": "trust.list_renewed",
    "unfollowTrustList": "trust.list_unfollowed",
    "publishTrustList": "trust.list_published",
    "accredit": "record.issued",
    "keepAccreditation": "trust.accreditation_kept",
    "forgetAccreditation": "trust.accreditation_forgotten",
    "prune": "store.pruned",
    "erasePerson": "person.erased",
    "issueCredential": "record.issued",
    "updateCredentialStatus": "record.suspended",
    "deleteCredential": "record.deleted",
    "createPresentation": "presentation.signed",
}
"""Operation -> the entry that it writes; where what it does depends on its object, one of them."""

CHANGES_NOTHING: dict[str, str] = {
    "collectMessages": "what comes of it has entries of its own",
    "deriveRecord": "a part of a record is made for the operator, and not kept",
    "previewRecords": "shows what would be shared",
    "verifyDocument": "nothing is kept of the document",
    "testWebhook": "sends what tells of nothing",
    "match": "reads",
    "pathways": "reads",
    "checkList": "reads",
    "previewResume": "shows what would be shown",
    "writeResume": "a file is made for the operator, and not kept",
    "bakeRecord": "a picture is made for the operator, and not kept",
    "bakeIssued": "a picture is made for the operator, and not kept",
    "explainTrust": "reads",
    "verifyLog": "reads",
    "signLogHead": "the signed head is kept with the trail, and is its own record",
    "verifyCredential": "nothing is kept of the credential",
    "verifyPresentation": "nothing is kept of the presentation",
    "deriveCredential": "a part of a credential is made for the client, and not kept",
}
"""Operation that writes no entry -> why. It leaves the store as it is."""

_NOT_WHAT_IT_HOLDS = frozenset({"audit_heads", "documents", "inbox"})
"""Tables that such an operation may change: signed heads, copies of public documents, which messages were seen."""

COMMANDS_WITH_STORE: dict[str, str] = {
    "init": "did.created",
    "passphrase": "vault.rewrapped",
    "backup": "backup.written",
    "restore": "store.restored",
    "db move": "store.moved",
}
"""Command that opens a store itself -> the entry that it writes."""

COMMANDS_THAT_CHANGE_NOTHING: dict[str, str] = {
    "run": "it is the node",
    "db status": "reads",
    "db upgrade": "the shape of tables changes, and not what they hold; `schema_version` has the time of each",
    "db check": "reads",
    "verify": "reads",
    "demo": "its nodes write their own",
}

_OPEN_A_STORE = {
    "node.app": {"Node", "create", "rewrap"},
    "node.runtime.opening": {"open_node_store"},
    "node.runtime.unlocking": {"unlock"},
}
_ASKS_THE_NODE = "node.cli.client"
"""Opens a node where none runs, and asks its admin API; so what is asked there has its entry."""


def test_every_operation_says_which_entry_it_writes() -> None:
    writing = {operation.name for operation in ALL_OPERATIONS if operation.method != "GET"}
    assert OPERATIONS.keys() | CHANGES_NOTHING.keys() == writing
    assert not OPERATIONS.keys() & CHANGES_NOTHING.keys()


def _leaves(name: str, command: click.Command) -> list[str]:
    if not isinstance(command, click.Group):
        return [name]
    return [leaf for part, inner in command.commands.items() for leaf in _leaves(f"{name} {part}", inner)]


def _opens_a_store(name: str, seen: set[str]) -> bool:
    """Whether a module of the command line, or one that it imports, also only when used, opens a store by itself."""
    seen.add(name)
    file = find_spec(name)
    assert file is not None
    assert file.origin is not None
    tree = ast.parse(Path(file.origin).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    if any({part.name for part in each.names} & _OPEN_A_STORE.get(str(each.module), set()) for each in imports):
        return True
    others = {str(each.module) for each in imports} - {_ASKS_THE_NODE}
    return any(_opens_a_store(each, seen) for each in others if each.startswith("node.cli.") and each not in seen)


def test_every_command_that_opens_a_store_says_which_entry_it_writes() -> None:
    found = set()
    context = click.Context(cli)
    for name, (module, _about) in COMMANDS.items():
        if _opens_a_store(module, set()):
            command = cli.get_command(context, name)
            assert command is not None
            found.update(_leaves(name, command))
    assert found == COMMANDS_WITH_STORE.keys() | COMMANDS_THAT_CHANGE_NOTHING.keys()


@dataclass
class Office:
    """Who works with one node."""

    node: Node
    client: Client
    done: set[str]

    @property
    def did(self) -> str:
        """Its did:web."""
        return "did:web:" + self.node.config.node.endpoint.removeprefix("http://").replace(":", "%3A")

    async def head(self) -> int:
        async with self.node.store.read() as tx:
            return (await audit.head(tx))[0]

    async def do(
        self,
        operation_id: str,
        about: str = "",
        /,
        *,
        given: bytes | None = None,
        refused: bool = False,
        query: Any = (),
        **body: Any,
    ) -> Any:
        """Carry an operation out, and see that it writes the entry that is its own, or changes nothing."""
        operation = next(each for each in ALL_OPERATIONS if each.name == operation_id)
        path = operation.path.replace("{id}", quote(about, safe=""))
        if query:
            path += "?" + urlencode(query)
        more: dict[str, Any] = {"data": given} if given is not None else {"json": body}
        if operation_id in CHANGES_NOTHING:
            await settled(self.node)
            before = await tables(self.node.store)
        seq = await self.head()
        status, answer = await self.client.ask(operation.method, path, **more)
        assert (status >= 300) is refused, (operation_id, answer)
        self.done.add(operation_id)
        if operation_id in CHANGES_NOTHING:
            after = await tables(self.node.store)
            assert {table for table in after if after[table] != before[table]} <= _NOT_WHAT_IT_HOLDS, operation_id
            return answer
        async with self.node.store.read() as tx:
            written = [entry.event for entry in await audit.page(tx, after=seq, limit=1000)]
        assert OPERATIONS[operation_id] in written, (operation_id, written)
        return answer


@dataclass
class Pair:
    college: Office
    learner: Office
    desk: Office
    clock: Clock


@pytest.fixture
async def pair(nodes: Nodes) -> AsyncIterator[Pair]:
    clock, done = Clock(), set[str]()
    world = World(clock=clock)
    desk = await nodes.make("desk", issuer={"second_person": True}, world=world)
    college = await nodes.make("college", issuer=True, world=world, mediation={"enabled": True, "grant": "invited"})
    learner = await nodes.make("learner", world=world, mediation={"live": False, "poll_seconds": 3600})
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(administered(node)) for node in (college, learner, desk)]
        yield Pair(
            Office(college, clients[0], done), Office(learner, clients[1], done), Office(desk, clients[2], done), clock
        )


async def meet(pair: Pair) -> tuple[str, str]:
    """Connect the two; the college's end, and the learner's."""
    college, learner = pair.college, pair.learner
    invited = await college.do("createInvitation")
    accepted = await learner.do("acceptInvitation", invitation=invited["url"])
    theirs = await connection_in(learner.node, accepted["id"])
    (ours,) = [
        each["id"]
        for each in (await college.client.get("/admin/connections"))["items"]
        if each["invitationId"] == invited["id"]
    ]
    await connection_in(college.node, ours)
    return ours, theirs.id


async def keep_names(office: Office) -> None:
    made = await office.do("createDid", purpose="issuer")
    await office.do("chooseDid", made["did"])
    (web,) = [own for own in (await office.client.get("/admin/dids"))["items"] if own["method"] == "web"]
    await office.do("addDidKey", web["did"], kind="p256")
    await office.do("rotateDidKeys", web["did"])
    await office.do("chooseDid", web["did"])


async def mediate(pair: Pair, ours: str, theirs: str) -> None:
    await pair.learner.do("requestMediation", connection=theirs)
    async with asyncio.timeout(20):
        while (await pair.learner.client.get(f"/admin/mediators/{theirs}"))["state"] != "granted":
            await asyncio.sleep(0.01)
    await settled(pair.college.node)
    await pair.learner.do("collectMessages")
    await pair.learner.do("leaveMediator", theirs)
    await pair.college.do("endClient", ours)


async def issue(pair: Pair, ours: str, theirs: str) -> None:
    college, learner = pair.college, pair.learner
    await college.do("askFeatures", ours)
    offered = await college.do("offerRecord", connection=ours, achievement=WELDING, email="ada@example.org")
    asked = await exchange_in(college.node, offered["id"], "offer-sent")
    waiting = await other_end(learner.node, asked, "offer-received")
    await college.do("resendExchange", offered["id"])
    await college.do("retryMessages", connection=ours)
    await learner.do("acceptExchange", waiting.id)
    assert (await exchange_in(college.node, offered["id"])).state == "done"
    (given,) = (await college.client.get("/admin/issued"))["items"]
    document = (await college.client.get(f"/admin/issued/{given['id']}"))["document"]
    await college.do("offerEndorsement", document=document, comment="We stand by it.", connection=ours)
    await college.do("offerLearnerRecord", connection=ours)
    proposed = await learner.do("proposeRecord", connection=theirs, achievements=[CARPENTRY])
    there = await other_end(college.node, await exchange_in(learner.node, proposed["id"], "proposal-sent"))
    await college.do("declineExchange", there.id, reason="not yet")


async def hand_over(pair: Pair) -> None:
    college, learner = pair.college, pair.learner
    award = {"achievement": WELDING, "did": "did:example:ada", "name": "Ada"}
    made = await college.do("issueRecord", **award)
    await college.do("issueBatch", batch="autumn", achievement=WELDING, awards=[{"key": "1", "did": "did:example:b"}])
    await learner.do("addTrustRule", did=college.did)
    held = await learner.do("keepRecords", document=made["document"])
    await learner.do("deriveRecord", held["kept"][0]["record"]["id"], reveal=["/credentialSubject"], refused=True)
    image = base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg"></svg>').decode()
    await learner.do("bakeRecord", held["kept"][0]["record"]["id"], image=image)
    await college.do("bakeIssued", made["id"], image=image)
    await college.do("verifyDocument", document=made["document"], anyIssuer=True)
    await college.do("endorseRecord", document=made["document"], comment="We hire on it.")
    await college.do("makeLearnerRecord", records=[made["id"]])
    corrected = await college.do("correctRecord", made["id"], name="Ada Byron")
    await college.do("changeStatus", corrected["record"]["id"], action="revoke")
    await college.do("inviteWithOffer", achievement=WELDING, did="did:example:c")
    await college.do("erasePerson", subject="did:example:c")


async def present(pair: Pair, ours: str, theirs: str) -> None:
    college, learner = pair.college, pair.learner
    await college.do("inviteWithRequest", skills=[SKILL])
    asked = await college.do("requestRecords", connection=ours, definition=asks_for())
    row = await exchange_in(college.node, asked["id"], "request-sent")
    waiting = await other_end(learner.node, row, "request-received")
    await learner.do("previewRecords", waiting.id)
    await learner.do("presentRecords", waiting.id)
    await exchange_in(college.node, asked["id"])
    await college.do("verifyExchange", asked["id"], trust=[college.did])
    await learner.do("proposePresentation", connection=theirs, skills=[SKILL])
    await college.do("addJobProfile", name="welder", skills=[{"skill": SKILL}])
    await college.do("addJobProfileFile", given=b"skill,name\n51-4121.00,Welders\n", query={"name": "other"})
    await college.do("match", profile="welder", exchange=asked["id"])
    await college.do("pathways", profile="welder", exchange=asked["id"])
    await college.do("removeJobProfile", "welder")


async def count(pair: Pair, ours: str, theirs: str) -> None:
    college, learner = pair.college, pair.learner
    await college.do("setCohortPolicy", minimum=5)
    await college.do("allowAsker", connection=ours)
    asked = await learner.do("askCohorts", connections=[theirs], skills=[SKILL])
    await exchange_in(learner.node, asked["peers"][0]["exchange"]["id"])
    await college.do("refuseAsker", ours)


async def keep_lists(office: Office, other: Office) -> None:
    another = achievement("https://college.example/achievements/masonry", "Masonry", "47-2021.00", "Brickmasons")
    added = await office.do("addAchievements", documents=[another])
    slug = added["items"][0]["slug"]
    await office.do("editAchievement", slug, document=another | {"description": "Walls."})
    await office.do("retireAchievement", slug)
    how = {"name": "ours", "file": "ours.csv", "licence": "CC0-1.0"}
    kept = await office.do("importFramework", given=b"code,name\n1,Welding\n2,Grinding\n", query=how)
    published = await office.do("publishFramework", kept["framework"]["id"])
    await other.do("takeFramework", given=b"", query={"url": published["url"], "publisher": office.did})
    await office.do("publishCatalogue", given=b"")
    endpoint = office.node.config.node.endpoint
    taken = await other.do("takeCatalogue", given=b"", query={"url": f"{endpoint}/catalogue", "publisher": office.did})
    await other.do("forgetCatalogue", taken["issuer"])
    await office.do("removeFramework", kept["framework"]["id"])


async def keep_a_portfolio(office: Office, connection: str) -> None:
    said = await office.do("makeStatement", name="Crane", text="I rebuilt it.", skills=[SKILL])
    whole = {"title": "Welding", "entries": [{"record": said["id"]}]}
    resume = await office.do("makeResume", **whole)
    await office.do("changeResume", resume["id"], **whole)
    await office.do("previewResume", resume["id"])
    await office.do("writeResume", resume["id"])
    await office.do("sendResume", resume["id"], connection=connection)
    shared = await office.do("shareResume", resume["id"])
    await office.do("printResume", resume["id"], link=True)
    await office.do("withdrawShare", shared["share"]["id"])
    await office.do("forgetResume", resume["id"])


async def let_apps_in(office: Office) -> None:
    client = (await office.node.apps.register(METADATA)).client
    wanted = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": REDIRECT,
        "scope": READ,
        "state": "s",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    for decision in ("approveApp", "declineApp"):
        asked = await office.node.apps.ask(wanted)
        assert not isinstance(asked, str)
        await office.do(decision, asked.request.id)
    await office.do("revokeApp", client.id)


async def connect_a_wallet(office: Office) -> None:
    with foreign_wallet() as wallet:
        redirect = "http://127.0.0.1:40000/"
        asking = await office.do("connectWallet", url=f"{wallet.base}/tenant", redirectUri=redirect)
        async with (
            aiohttp.ClientSession() as browser,
            browser.get(asking["authorizationUrl"], allow_redirects=False) as page,
        ):
            address = page.headers["Location"]
        name = asking["wallet"]["id"]
        await office.do("answerWallet", name, address=address)
        record = (await office.client.get("/admin/records"))["items"][-1]
        await office.do("pushToWallet", name, record=record["id"])
        await office.do("pullFromWallet", name)
        await office.do("putWalletProfile", name, profile={"type": ["Profile"], "id": "https://w.example/ada"})
        await office.do("disconnectWallet", name)


async def work_at_the_desk(office: Office) -> None:
    file, query = b"name,email\nAda Byron,ada@example.org\n", {"achievement": WELDING}
    await office.do("keepMapping", name="sis", names={"name": "Student"})
    await office.do("removeMapping", "sis")
    await office.do("checkList", given=file, query=query)
    await office.do("addOrder", given=file, query=query)
    brought = [await office.node.desk.add(file, Wanted(achievement=WELDING), "token:clerk") for _ in range(2)]
    await office.do("approveOrder", brought[0].id)
    await office.do("runOrder", brought[0].id)
    await office.do("declineOrder", brought[1].id, reason="twice")
    await office.do("removeOrder", brought[1].id)


async def tell_others(office: Office) -> None:
    added = await office.do("addWebhook", url="http://localhost:9/hook", topics=["verifications"])
    webhook = added["webhook"]["id"]
    await office.do("testWebhook", webhook)
    await office.do("rotateWebhook", webhook)
    await office.do("replayWebhook", webhook)
    await office.do("resumeWebhook", webhook)
    await office.do("removeWebhook", webhook)


async def trust(pair: Pair) -> None:
    college, learner = pair.college, pair.learner
    rule = await college.do("addTrustRule", did="did:web:trades.example")
    published = await college.do("publishTrustList", name="colleges", title="Colleges")
    followed = await learner.do("followTrustList", url=published["url"])
    await college.do("addTrustRule", did="did:web:arts.example")
    await college.do("publishTrustList", name="colleges", title="Colleges")
    await learner.do("refreshTrustList", followed["items"][0]["id"])
    await learner.do("explainTrust", did="did:web:trades.example")
    await learner.do("unfollowTrustList", followed["items"][0]["id"])
    await college.do("removeTrustRule", rule["id"])
    given = await college.do("accredit", did="did:web:trades.example")
    kept = await learner.do("keepAccreditation", document=given["document"])
    await learner.do("forgetAccreditation", kept["id"])


async def call_vc_api(office: Office) -> None:
    entry = {"type": "BitstringStatusListEntry", "statusPurpose": "suspension"}
    made = await office.do("issueCredential", credential=credential(), options={"credentialStatus": [entry]})
    signed = made["verifiableCredential"]
    await office.do("verifyCredential", verifiableCredential=signed)
    await office.do("updateCredentialStatus", credentialId=signed["id"], credentialStatus=entry, status=True)
    await office.do("deriveCredential", verifiableCredential=signed, options={"selectivePointers": []}, refused=True)
    terms = {"challenge": "c", "domain": "d"}
    shown = await office.do("createPresentation", presentation=presentation(), options=terms)
    proven = shown["verifiablePresentation"]
    await office.do("verifyPresentation", verifiablePresentation=proven, options=terms)
    await office.do("deleteCredential", signed["id"])


async def tidy(pair: Pair, ours: str, theirs: str) -> None:
    await pair.college.do("verifyLog")
    await pair.college.do("signLogHead")
    await pair.learner.do("rotateDid", theirs)
    await settled(pair.learner.node)
    await pair.college.do("endConnection", ours)
    pair.clock.advance(days=100)
    await pair.college.do("prune")


async def test_each_operation_writes_its_entry_or_changes_nothing(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    await keep_names(pair.college)
    ours, theirs = await meet(pair)
    await mediate(pair, ours, theirs)
    await issue(pair, ours, theirs)
    await present(pair, ours, theirs)
    await count(pair, ours, theirs)
    await hand_over(pair)
    await keep_lists(pair.college, pair.learner)
    await keep_a_portfolio(pair.learner, theirs)
    await let_apps_in(pair.learner)
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    await connect_a_wallet(pair.learner)
    await work_at_the_desk(pair.desk)
    await tell_others(pair.college)
    await trust(pair)
    await call_vc_api(pair.college)
    await settled(pair.college.node)
    before = await tables(pair.college.node.store)
    for operation in ALL_OPERATIONS:
        if operation.method == "GET" and "{id}" not in operation.path:
            await pair.college.client.ask("GET", operation.path)
    after = await tables(pair.college.node.store)
    assert after | {"documents": ()} == before | {"documents": ()}, "who reads changes nothing"
    await tidy(pair, ours, theirs)
    assert pair.college.done == OPERATIONS.keys() | CHANGES_NOTHING.keys()


async def last_entry(home: Path) -> str:
    store = await open_node_store(home, load(home))
    try:
        async with store.read() as tx:
            last, _ = await audit.head(tx)
            (entry,) = await audit.page(tx, after=last - 1)
            return entry.event
    finally:
        await store.close()


def test_each_command_that_opens_a_store_writes_its_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LERNODE_KEY", "LERNODE_NEW_KEY"):
        monkeypatch.setenv(name, KEY_TEXT)
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "identity").write_text(f"{identity}\n")
    home, file, again = tmp_path / "n", tmp_path / "n.age", tmp_path / "again"
    database = empty_place_url()
    for name, home_of, arguments in (
        ("init", home, ("init", "--label", "Ada", "--local")),
        ("passphrase", home, ("passphrase",)),
        ("backup", home, ("backup", str(file), "--recipient", str(identity.to_public()))),
        ("restore", again, ("restore", str(file), "--identity-file", str(tmp_path / "identity"), "--yes")),
        ("db move", home, ("db", "move", "--to", database)),
    ):
        done = CliRunner().invoke(cli, ["--home", str(home_of), *arguments])
        assert done.exit_code == 0, (name, done.output, done.exception)
        if name == "db move":
            monkeypatch.setenv("LERNODE_DATABASE_URL", database)
        assert asyncio.run(last_entry(home_of)) == COMMANDS_WITH_STORE[name], name
