"""The admin API of a real node, over its socket."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from node.app import Node
from node.http.admin import ALL_OPERATIONS
from node.http.openapi import openapi_document
from tests.admin.helpers import Client, make_node, served

_DOCUMENT = openapi_document(ALL_OPERATIONS, version="1")
Served = tuple[Node, Client]

UNASKED = {"resolveDid", "skill", "profiledSkill"}
"""Operations that answer only who names something in the query."""


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Served]:
    await make_node(tmp_path / "n", "College", issuer=True)
    async with served(tmp_path / "n") as opened:
        yield opened


def conforms(answer: Any, path: str, method: str = "get") -> bool:
    """Whether an answer is what the OpenAPI document declares."""
    responses = _DOCUMENT["paths"][path][method]["responses"]
    success = next(status for status in responses if status.startswith("2"))
    schema = responses[success]["content"]["application/json"]["schema"]
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": _DOCUMENT["components"]})
    return bool(validator.is_valid(answer))


async def test_answers_are_what_the_document_declares(admin: Served) -> None:
    _, client = admin
    invited = await client.post("/admin/invitations", goal="to test")
    assert conforms(invited, "/admin/invitations", "post")
    connected = await client.post("/admin/connections", invitation=invited["url"])
    assert conforms(connected, "/admin/connections", "post")
    issued = await client.post("/admin/credentials/issue", achievement="weld-101", did="did:example:ada", name="Ada")
    assert conforms(issued, "/admin/credentials/issue", "post")
    for operation in ALL_OPERATIONS:
        if operation.method == "GET" and "{id}" not in operation.path and operation.name not in UNASKED:
            assert conforms(await client.get(operation.path), operation.path), operation.path
    listed = await client.get("/admin/exchanges")
    shown = await client.get(f"/admin/exchanges/{listed['items'][0]['id']}")
    assert conforms(shown, "/admin/exchanges/{id}")
    served_document = await client.get("/openapi.json")
    assert served_document["paths"].keys() == _DOCUMENT["paths"].keys()


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "code"),
    [
        ("POST", "/admin/invitations", {"json": {"multiuse": True}}, 400, "http.body_malformed"),
        ("POST", "/admin/invitations", {"json": {"multiUse": "yes"}}, 400, "http.body_malformed"),
        ("POST", "/admin/invitations", {"json": [1]}, 400, "json.not_object"),
        ("POST", "/admin/connections", {"json": {}}, 400, "http.body_malformed"),
        ("POST", "/admin/connections", {"json": {"invitation": "hello there"}}, 400, "invitation.malformed"),
        ("POST", "/admin/credentials/issue", {"json": {"achievement": "no", "did": "did:example:a"}}, 409, None),
        ("POST", "/admin/credentials/issue", {"json": {"achievement": "weld-101"}}, 400, None),
        ("GET", "/admin/records?limit=0", {}, 400, "http.query_malformed"),
        ("GET", "/admin/records?limit=2&limit=3", {}, 400, "http.query_malformed"),
        ("GET", "/admin/records?page=2", {}, 400, "http.query_malformed"),
        ("GET", "/admin/exchanges/0?wait=61", {}, 400, "http.query_malformed"),
        ("GET", "/admin/exchanges/nothing", {}, 404, "exchange.unknown"),
        ("GET", "/admin/issued/nothing", {}, 404, "issued_record.unknown"),
        ("GET", "/admin/records/nothing", {}, 404, "record.unknown"),
        ("GET", "/admin/connections/nobody", {}, 404, "connection.unknown"),
        ("DELETE", "/admin/records", {}, 405, "http.405"),
        ("GET", "/admin/nothing", {}, 404, "http.404"),
        ("POST", "/admin/presentations/requests", {"json": {"connection": "x"}}, 400, "request.ambiguous"),
    ],
)
async def test_what_is_wrong_is_answered_by_a_problem(
    admin: Served, method: str, path: str, more: dict[str, Any], status: int, code: str | None
) -> None:
    _, client = admin
    answered, problem = await client.ask(method, path, **more)
    assert answered == status, problem
    assert problem["status"] == status
    assert problem["code"] == (code or problem["code"])
    assert problem["title"]


async def test_a_body_that_is_not_json_or_too_large_is_refused(admin: Served) -> None:
    _, client = admin
    kind = {"Content-Type": "application/json"}
    status, problem = await client.ask("POST", "/admin/invitations", data=b'{"goal": "a", "goal": "b"}', headers=kind)
    assert (status, problem["code"]) == (400, "json.ambiguous")
    status, problem = await client.ask("POST", "/admin/invitations", data=b"{}", headers={"Content-Type": "text/plain"})
    assert (status, problem["code"]) == (415, "http.media_type")
    status, problem = await client.ask("POST", "/admin/invitations", data=io.BytesIO(b" " * (5 << 20)), headers=kind)
    assert (status, problem["code"]) == (413, "json.too_large")


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Basic right-token-of-16", "Bearer ÿ", "right-token-of-16"])
async def test_without_the_token_nothing_is_shown(tmp_path: Path, given: str | None) -> None:
    await make_node(tmp_path / "n", "Ada")
    async with served(tmp_path / "n", token="right-token-of-16") as (_, client):
        headers = {"Authorization": given} if given else {}
        for path in ("/admin/status", "/openapi.json", "/admin/nothing"):
            async with client.session.get(f"http://node{path}", headers=headers) as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
        right = {"Authorization": "Bearer right-token-of-16"}
        status, _ = await client.ask("GET", "/admin/status", headers=right)
        assert status == 200


async def test_pages_follow_each_other_without_gap_or_repetition(admin: Served) -> None:
    _, client = admin
    made = {(await client.post("/admin/invitations"))["id"] for _ in range(3)}
    first = await client.get("/admin/invitations?limit=2")
    second = await client.get(f"/admin/invitations?limit=2&after={first['next']}")
    assert second["next"] is None
    assert [len(first["items"]), len(second["items"])] == [2, 1]
    assert {item["id"] for item in first["items"] + second["items"]} == made


async def test_a_peer_is_found_by_label_and_an_unclear_name_is_refused(admin: Served) -> None:
    _, client = admin
    first = await client.post("/admin/connections", invitation=(await client.post("/admin/invitations"))["url"])
    found = await client.get("/admin/connections/college")
    assert found["id"] == first["id"]
    assert (await client.get(f"/admin/connections/{first['id'][:13]}"))["id"] == first["id"]
    await client.post("/admin/connections", invitation=(await client.post("/admin/invitations"))["url"])
    status, problem = await client.ask("GET", "/admin/connections/college")
    assert (status, problem["code"]) == (409, "connection.ambiguous")
    assert first["id"] in problem["detail"]


async def test_a_record_is_suspended_reinstated_and_revoked_for_good(admin: Served) -> None:
    _, client = admin
    issued = await client.post("/admin/credentials/issue", achievement="weld-101", did="did:example:ada", name="Ada")
    path = f"/admin/issued/{issued['id'][:10]}/status"
    for action, state in [("suspend", "suspended"), ("reinstate", "active"), ("revoke", "revoked")]:
        changed = await client.post(path, action=action, reason="a test")
        assert changed["state"] == state
    status, problem = await client.ask("POST", path, json={"action": "reinstate"})
    assert (status, problem["code"]) == (409, "issued_record.revoked")
    assert (await client.get("/admin/issued?state=revoked"))["items"][0]["id"] == issued["id"]
    by_credential = await client.get(f"/admin/issued/{issued['credentialId']}")
    assert by_credential["document"] == issued["document"]


async def test_a_message_is_set_on_a_record_and_shown(tmp_path: Path) -> None:
    await make_node(tmp_path / "n", "College", issuer=True)
    config = tmp_path / "n" / "lernode.toml"
    said = '[status]\npurposes = ["revocation", "message", "refresh"]\nmessages = ["pending", "accepted", "rejected"]\n'
    config.write_text(config.read_text(encoding="utf-8").replace("[status]\n", said), encoding="utf-8")
    async with served(tmp_path / "n") as (_, client):
        issued = await client.post("/admin/credentials/issue", achievement="weld-101", did="did:example:ada")
        path = f"/admin/issued/{issued['id']}"
        assert conforms(issued, "/admin/issued/{id}")
        for body in ({"action": "message", "message": "accepted"}, {"action": "refresh"}):
            for _ in range(2):
                assert (await client.post(f"{path}/status", **body))["state"] == "active"
        assert (await client.get(path))["statuses"] == [
            {"purpose": "message", "value": 1, "message": "accepted"},
            {"purpose": "refresh", "value": 1, "message": "set"},
            {"purpose": "revocation", "value": 0, "message": "unset"},
        ]
        for body, code in [
            ({"action": "message"}, "status.message_misplaced"),
            ({"action": "revoke", "message": "accepted"}, "status.message_misplaced"),
            ({"action": "message", "message": "lost"}, "status.message_unknown"),
            ({"action": "suspend"}, "status.no_entry"),
        ]:
            status, problem = await client.ask("POST", f"{path}/status", json=body)
            assert (status, problem["code"]) == (400, code)


async def test_an_issued_document_verifies_only_where_its_issuer_is_trusted(admin: Served) -> None:
    _, client = admin
    issued = await client.post("/admin/credentials/issue", achievement="weld-101", did="did:example:ada", name="Ada")
    tampered = {**issued["document"], "name": "Another"}
    result = await client.post("/admin/verify", document=tampered, anyIssuer=True)
    assert not result["verified"]
    result = await client.post("/admin/verify", document=issued["document"])
    trusted = {check["check"]: check["outcome"] for check in result["checks"]}["issuer-trusted"]
    assert trusted != "pass"


async def test_who_waits_is_answered_when_the_exchange_goes_on(admin: Served) -> None:
    node, client = admin
    await client.post("/admin/connections", invitation=(await client.post("/admin/invitations"))["url"])
    peer = (await client.get("/admin/connections"))["items"][0]["id"]
    offered = await client.post("/admin/credentials/offers", connection=peer, achievement="weld-101", name="Ada")
    path = f"/admin/exchanges/{offered['id']}"
    waiting = asyncio.create_task(client.get(f"{path}?wait=30&state=abandoned,done"))
    early = await client.get(f"{path}?wait=0.05&state=done")
    assert early["state"] == offered["state"]
    await node.threads.decline(offered["id"], "changed our mind")
    answered = await asyncio.wait_for(waiting, 5)
    assert answered["state"] == "abandoned"


async def test_who_waits_is_answered_when_the_server_stops(tmp_path: Path) -> None:
    await make_node(tmp_path / "n", "College", issuer=True)
    async with served(tmp_path / "n") as (_, client):
        await client.post("/admin/connections", invitation=(await client.post("/admin/invitations"))["url"])
        found = (await client.get("/admin/exchanges"))["items"][0]
        waiting = asyncio.create_task(client.ask("GET", f"/admin/exchanges/{found['id']}?wait=60&state=never"))
        await client.get("/admin/status")
        await client.stop_server()
        status, answer = await asyncio.wait_for(waiting, 5)
    assert (status, answer["id"]) == (200, found["id"])


@pytest.mark.parametrize("what", ["accept", "decline", "present"])
async def test_a_decision_that_nobody_owes_is_refused(admin: Served, what: str) -> None:
    _, client = admin
    await client.post("/admin/connections", invitation=(await client.post("/admin/invitations"))["url"])
    exchange = (await client.get("/admin/exchanges"))["items"][0]["id"]
    status, problem = await client.ask("POST", f"/admin/exchanges/{exchange}/{what}", json={})
    assert (status, problem["code"]) == (409, "exchange.not_waiting")


async def test_the_log_is_whole_and_can_be_filtered(admin: Served) -> None:
    _, client = admin
    made = await client.post("/admin/invitations")
    entries = (await client.get(f"/admin/log?subject={made['id']}"))["items"]
    assert [entry["event"] for entry in entries] == ["invitation.created"]
    report = await client.post("/admin/log/verify")
    assert report["whole"]
    assert report["head"] == (await client.get("/admin/log"))["items"][-1]["hash"]


async def test_rows_of_a_list_are_issued_once_however_often_they_are_sent(admin: Served) -> None:
    node, client = admin
    path = "/admin/credentials/issue-batch"
    good = [{"key": str(n), "email": f"ada{n}@example.org", "name": "Ada"} for n in range(3)]
    bad = {"key": "bad", "email": "nobody"}
    first = await client.post(path, batch="b1", achievement="weld-101", awards=[*good[:2], bad])
    assert conforms(first, path, "post")
    assert [(row["key"], row["isNew"], row["document"]) for row in first["issued"]] == [
        ("0", True, None),
        ("1", True, None),
    ]
    assert [(row["key"], row["code"]) for row in first["problems"]] == [("bad", "record.email")]
    again = await client.post(path, batch="b1", achievement="weld-101", awards=good, documents=True)
    assert [row["isNew"] for row in again["issued"]] == [False, False, True]
    assert [row["id"] for row in again["issued"][:2]] == [row["id"] for row in first["issued"]]
    assert all(row["document"]["id"] == row["credentialId"] for row in again["issued"])
    # Rows without a date were all earned when the list was begun, whenever they are signed.
    assert len({row["document"]["validFrom"] for row in again["issued"]}) == 1
    async with node.store.read() as tx:
        entries = await tx.all("SELECT purpose, COUNT(*) AS n FROM status_entries GROUP BY purpose")
    assert [tuple(row) for row in entries] == [("revocation", 3), ("suspension", 3)]
    other = await client.post(path, batch="b2", achievement="weld-101", awards=good[:1])
    assert other["issued"][0]["isNew"] is True


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"achievement": "code-110"}, 409, "batch.other_achievement"),
        ({"achievement": "nothing"}, 409, "catalogue.unknown_achievement"),
        (
            {"awards": [{"key": "1", "did": "did:example:a"}, {"key": "1", "did": "did:example:b"}]},
            400,
            "batch.key_twice",
        ),
        ({"awards": []}, 400, "http.body_malformed"),
    ],
)
async def test_a_list_that_cannot_be_issued_as_it_was_sent_is_refused_whole(
    admin: Served, change: dict[str, Any], status: int, code: str
) -> None:
    node, client = admin
    path = "/admin/credentials/issue-batch"
    row = {"key": "1", "did": "did:example:ada"}
    await client.post(path, batch="b1", achievement="weld-101", awards=[row])
    sent = {"batch": "b1", "achievement": "weld-101", "awards": [{"key": "2", "did": "did:example:ben"}], **change}
    answered, problem = await client.ask("POST", path, json=sent)
    assert (answered, problem["code"]) == (status, code)
    async with node.store.read() as tx:
        assert len(await tx.all("SELECT id FROM issued_credentials")) == 1


async def test_a_record_is_offered_in_the_data_model_that_is_asked_for(admin: Served) -> None:
    _, client = admin
    await client.post("/admin/connections", invitation=(await client.post("/admin/invitations"))["url"])
    peer = (await client.get("/admin/connections"))["items"][0]["id"]
    for version, context in [
        ("1.1", "https://www.w3.org/2018/credentials/v1"),
        ("2.0", "https://www.w3.org/ns/credentials/v2"),
    ]:
        offer = {"connection": peer, "achievement": "weld-101", "name": "Ada", "dataModel": version}
        offered = await client.post("/admin/credentials/offers", **offer)
        data = (await client.get(f"/admin/exchanges/{offered['id']}"))["data"]
        assert data["offer"][0]["credential"]["@context"][0] == context


async def test_several_records_are_one_offer_that_shows_each(admin: Served) -> None:
    _, client = admin
    await client.post("/admin/connections", invitation=(await client.post("/admin/invitations"))["url"])
    peer = (await client.get("/admin/connections"))["items"][0]["id"]
    also = [{"achievement": "code-110"}]
    offered = await client.post("/admin/credentials/offers", connection=peer, achievement="weld-101", also=also)
    assert conforms(offered, "/admin/credentials/offers", "post")
    detail = await client.get(f"/admin/exchanges/{offered['id']}")
    assert conforms(detail, "/admin/exchanges/{id}")
    assert offered["credentialIds"] == [each["credential"]["id"] for each in detail["data"]["offer"]]
    assert len({about["name"] for about in detail["about"]}) == 2
    assert (detail["recordIds"], detail["issuedIds"]) == ([], [])
    too_many = {"connection": peer, "achievement": "weld-101", "also": also * 16}
    status, problem = await client.ask("POST", "/admin/credentials/offers", json=too_many)
    assert (status, problem["code"]) == (400, "http.body_malformed")


async def test_what_nobody_answered_is_sent_again_and_taken_back(admin: Served) -> None:
    _, client = admin
    await client.post("/admin/connections", invitation=(await client.post("/admin/invitations"))["url"])
    peer = (await client.get("/admin/connections"))["items"][0]["id"]
    offered = await client.post(
        "/admin/credentials/offers", connection=peer, achievement="weld-101", comment="Well done", expiresInSeconds=60
    )
    assert offered["expires"] is not None
    path = f"/admin/exchanges/{offered['id']}"
    again = await client.post(f"{path}/resend")
    assert conforms(again, "/admin/exchanges/{id}/resend", "post")
    assert again["state"] == "offer-sent"
    over = await client.post(f"{path}/decline", reason="sent by mistake")
    assert (over["state"], over["reason"]) == ("abandoned", "sent by mistake")
    status, problem = await client.ask("POST", f"{path}/resend")
    assert (status, problem["code"]) == (409, "issue_credential.wrong_state")


@pytest.mark.parametrize("partner", [{}, {"connection": "Ada", "exchange": "3f2a"}])
@pytest.mark.parametrize(
    ("path", "wish"),
    [
        ("/admin/credentials/offers", {"achievement": "weld-101"}),
        ("/admin/credentials/proposals", {"achievements": ["weld-101"]}),
        ("/admin/presentations/requests", {"type": "OpenBadgeCredential"}),
        ("/admin/presentations/proposals", {"type": "OpenBadgeCredential"}),
    ],
)
async def test_a_message_is_to_a_connection_or_in_an_exchange(
    admin: Served, path: str, wish: dict[str, Any], partner: dict[str, str]
) -> None:
    _, client = admin
    status, problem = await client.ask("POST", path, json={**wish, **partner})
    assert (status, problem["code"]) == (400, "exchange.partner")


async def test_offers_and_requests_are_made_as_links(admin: Served) -> None:
    _, client = admin
    offered = await client.post("/admin/invitations/offers", achievement="weld-101", name="Ada", expiresInSeconds=60)
    assert conforms(offered, "/admin/invitations/offers", "post")
    (request,) = offered["message"]["requests~attach"]
    assert request["data"]["json"]["@type"].endswith("/offer-credential")
    assert offered["shortUrl"].endswith(f"/i/{offered['id']}")
    assert not offered["multiUse"]
    poster = await client.post("/admin/invitations/requests", skills=["51-4121.00"], multiUse=True)
    assert conforms(poster, "/admin/invitations/requests", "post")
    by_waci = await client.post("/admin/invitations/requests", skills=["51-4121.00"], didcomm="v2")
    assert conforms(by_waci, "/admin/invitations/requests", "post")
    assert by_waci["message"]["body"]["goal_code"] == "streamlined-vp"
    assert poster["multiUse"]
    assert "requests~attach" not in poster["message"]
