"""What an issuer says of a record after it was issued, beyond taking it back: messages, and newer versions."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from node.app import Node
from node.config import parse
from node.roles.issuer import Award
from protocols import strict_json
from protocols.credentials.issue import issue as secure
from protocols.credentials.policy import Policy
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.credentials.verify import verify
from protocols.errors import BadInput, LernodeError, WrongState
from protocols.jose import read_jwt
from protocols.multiformats import Multicodec
from protocols.status.token import StatusReference, parse_claims, parse_reference, read_token_status
from storage import audit, credentials
from storage.credentials import IssuedCredential
from storage.dids import DidPurpose
from storage.status_lists import STATUS_LIST
from tests.node.nodes import WELDING, Nodes

MESSAGES = ("pending review", "accepted", "rejected")
PAGE = "https://college.example/statuses"


async def college(nodes: Nodes, **status: Any) -> Node:
    """A college whose records can be refreshed and have messages, and that believes itself."""
    purposes = ("revocation", "refresh", "message")
    values = {"purposes": purposes, "messages": MESSAGES, "references": (PAGE,), **status}
    return await nodes.make("college", issuer=True, status=values, verify={"blocking_statuses": ("rejected",)})


async def issue(node: Node) -> IssuedCredential:
    return await node.issuer.issue(Award(achievement_id=WELDING, subject_did="did:example:ada"))


def entries(record: IssuedCredential) -> dict[str, Any]:
    found = strict_json.loads_object(record.document)["credentialStatus"]
    return {entry["statusPurpose"]: entry for entry in found}


async def status(node: Node, record: IssuedCredential) -> CheckResult:
    """How the status check of a record ends now at the college's own desk, and that nothing else is in its way."""
    result = await node.verifier.verify_document(record.document, any_issuer=True)
    assert {item.check for item in result.checks if item.outcome is Outcome.FAIL} <= {Check.STATUS}
    found = next(item for item in result.checks if item.check is Check.STATUS)
    assert result.verified == (found.outcome is Outcome.PASS)
    return found


def told(result: CheckResult) -> dict[str, str]:
    assert result.details is not None
    return {item["purpose"]: item["message"] for item in result.details["statuses"]}


async def test_a_record_commits_to_the_messages_that_can_be_set_on_it(nodes: Nodes) -> None:
    entry = entries(await issue(await college(nodes)))["message"]
    assert (entry["statusSize"], entry["statusReference"]) == (2, PAGE)
    assert [(item["status"], item["message"]) for item in entry["statusMessage"]] == [
        ("0x0", "pending review"),
        ("0x1", "accepted"),
        ("0x2", "rejected"),
        ("0x3", "undefined"),
    ]
    assert not {"statusSize", "statusMessage"} & entries(await issue(await nodes.make("plain", issuer=True))).keys()


async def test_a_message_reaches_verifiers_and_takes_nothing_back(nodes: Nodes) -> None:
    node = await college(nodes)
    record, other = await issue(node), await issue(node)
    assert told(await status(node, record)) == {"revocation": "unset", "refresh": "unset", "message": "pending review"}
    changed = await node.issuer.set_status(record.id, "message", "accepted", "passed the review")
    assert changed.state == record.state
    found = await status(node, record)
    assert (found.outcome, found.code, told(found)["message"]) == (Outcome.PASS, "status.message", "accepted")
    assert told(await status(node, other))["message"] == "pending review"
    await node.issuer.set_status(record.id, "message", "pending review", None)
    assert (await status(node, record)).code == "ok"


async def test_a_verifier_can_refuse_a_message_by_its_configuration(nodes: Nodes) -> None:
    node = await college(nodes)
    record = await issue(node)
    await node.issuer.set_status(record.id, "message", "rejected", None)
    assert ((await status(node, record)).outcome, (await status(node, record)).code) == (Outcome.FAIL, "status.blocked")


async def test_a_newer_version_is_told_and_cannot_be_untold(nodes: Nodes) -> None:
    node = await college(nodes)
    record = await issue(node)
    await node.issuer.set_status(record.id, "refresh", True, None)
    assert ((await status(node, record)).outcome, (await status(node, record)).code) == (Outcome.PASS, "status.refresh")
    with pytest.raises(WrongState) as error:
        await node.issuer.set_status(record.id, "refresh", False, None)
    assert error.value.code == "issued_record.refreshed"


async def test_saying_the_same_again_changes_no_list_and_no_log(nodes: Nodes) -> None:
    node = await college(nodes)
    record = await issue(node)
    ref = next(ref for ref in record.statuses if ref.purpose == "message")
    await node.issuer.set_status(record.id, "message", "accepted", None)
    first = await node.publisher.published(ref.list_id)
    await node.issuer.set_status(record.id, "message", "accepted", "again")
    assert (await node.publisher.published(ref.list_id)).version == first.version
    async with node.store.read() as tx:
        assert [event.event for event in await audit.page(tx, limit=10)].count("record.message") == 1


@pytest.mark.parametrize("message", ["undefined", "lost", ""])
async def test_a_message_that_the_record_does_not_have_cannot_be_set(nodes: Nodes, message: str) -> None:
    node = await college(nodes)
    record = await issue(node)
    with pytest.raises(BadInput) as error:
        await node.issuer.set_status(record.id, "message", message, None)
    assert error.value.code == "status.message_unknown"
    assert "accepted" in error.value.hint
    assert told(await status(node, record))["message"] == "pending review"


async def test_other_messages_in_the_configuration_are_for_records_issued_from_then_on(nodes: Nodes) -> None:
    node = await college(nodes)
    old = await issue(node)
    await nodes.stop(node)
    text = (node.home / "lernode.toml").read_text(encoding="utf-8")
    (node.home / "lernode.toml").write_text(text.replace('"rejected"]', '"refused", "lost"]', 1), encoding="utf-8")
    node = await nodes.again(node)
    new = await issue(node)
    assert entries(new)["message"]["statusListCredential"] != entries(old)["message"]["statusListCredential"]
    await node.issuer.set_status(old.id, "message", "accepted", None)
    await node.issuer.set_status(new.id, "message", "lost", None)
    assert told(await status(node, old))["message"] == "accepted"
    assert told(await status(node, new))["message"] == "lost"
    with pytest.raises(LernodeError):
        await node.issuer.set_status(old.id, "message", "lost", None)


async def test_a_record_without_messages_has_none_to_set(nodes: Nodes) -> None:
    node = await nodes.make("plain", issuer=True)
    record = await issue(node)
    with pytest.raises(BadInput) as error:
        await node.issuer.set_status(record.id, "message", "accepted", None)
    assert error.value.code == "status.no_entry"


@pytest.mark.parametrize(
    "status",
    [
        {"messages": ["a"]},
        {"purposes": ["message"], "messages": ["a", "a"]},
        {"purposes": ["message"], "messages": [""]},
        {"purposes": ["message"], "messages": [str(number) for number in range(257)]},
        {"purposes": ["message"], "references": ["there"]},
        {"purposes": ["status_list"]},
    ],
)
def test_a_configuration_of_statuses_that_cannot_be_is_refused(status: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as error:
        parse({"status": status})
    assert error.value.code == "config.malformed"


async def test_a_token_status_list_is_served_signed_and_says_what_the_issuer_says(nodes: Nodes) -> None:
    node = await college(nodes)
    async with node.store.write() as tx:
        first, second = await node.publisher.allocate(tx, ["t1", "t2"], (STATUS_LIST,))
        assert await node.publisher.allocate(tx, ["t1"], (STATUS_LIST,)) == [first]
    assert first.entries == ()
    references = [parse_reference({"status": place.claim}) for place in (first, second)]

    async def read() -> list[int]:
        reference = references[0]
        assert reference is not None
        async with aiohttp.ClientSession() as session, session.get(reference.uri) as answer:
            assert answer.content_type == "application/statuslist+jwt"
            token = read_jwt(await answer.read())
        document = await node.resolver.resolve(token.claims["iss"])
        (method,) = [m for m in document.raw["verificationMethod"] if m["id"] == token.jws.kid]
        assert method["id"] in document.raw["assertionMethod"]
        assert token.jws.typ == "statuslist+jwt"
        parsed = parse_claims(token.claims)
        assert len(parsed.statuses) == 131_072
        return [read_token_status(parsed, item) for item in references if isinstance(item, StatusReference)]

    assert await read() == [0, 0]
    for value in (2, 1):
        async with node.store.write() as tx:
            assert await node.publisher.set(tx, first.refs[0], value, None)
        assert await read() == [value, 0]


async def test_an_sd_jwt_vc_is_suspended_reinstated_and_revoked_by_its_token_status_list(nodes: Nodes) -> None:
    node = await college(nodes)
    async with node.store.write() as tx:
        own = await node.identity.default(tx, DidPurpose.ISSUER)
        (place,) = await node.publisher.allocate(tx, ["sd"], (STATUS_LIST,), issuer=own)
        claims = {"vct": "https://college.example/types/welding", "sub": "did:example:ada", "status": place.claim}
        now = node.world.clock()
        made = secure(claims, "dc+sd-jwt", await node.identity.signer(tx, own), created=now)
        record = IssuedCredential(
            id="sd",
            exchange_id=None,
            connection_id=None,
            document=made.data,
            credential_id="urn:example:sd",
            subject=None,
            achievement_id=None,
            issued_at=now,
            statuses=place.refs,
        )
        await credentials.add_issued(tx, record)
    assert (await status(node, record)).code == "ok"
    for purpose, value, code in (
        ("suspension", True, "status.suspended"),
        ("suspension", False, "ok"),
        ("revocation", True, "status.revoked"),
    ):
        await node.issuer.set_status("sd", purpose, value, None)
        assert (await status(node, record)).code == code
    with pytest.raises(WrongState):
        await node.issuer.set_status("sd", "suspension", False, None)


@pytest.mark.parametrize("kind", [Multicodec.ED25519_PUB, Multicodec.P256_PUB])
async def test_lists_stay_signed_by_who_issued_the_records(nodes: Nodes, kind: Multicodec) -> None:
    node = await college(nodes)
    old = await issue(node)
    async with node.store.write() as tx:
        own = await node.identity.create(tx, "key", DidPurpose.ISSUER, (kind,))
        await node.identity.choose(tx, own.did)
    async with node.store.write() as tx:
        (place,) = await node.publisher.allocate(tx, ["new"], ("revocation",))
    await node.issuer.set_status(old.id, "message", "accepted", None)
    assert (await status(node, old)).code == "status.message"
    of_new = await node.statuses.get(node.publisher.url(place.refs[0].list_id))
    assert isinstance(of_new.document, dict)
    assert of_new.document["issuer"] == own.did
    policy = Policy(required=frozenset({Check.PROOF, Check.CONTROLLER}))
    result = await verify(
        of_new.document, resolver=node.resolver, statuses=node.statuses, policy=policy, now=node.world.clock()
    )
    assert result.verified
