"""The node's own DIDs: made through the admin API, with keys of every kind, and what they sign verifies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from node.app import Node
from node.roles.identity import web_document
from protocols.did.document import DidDocument, Relationship, parse_document
from protocols.did.resolver import resolve_offline
from protocols.errors import WrongState
from protocols.keys import KEY_KINDS, Signer
from storage import dids
from storage.dids import DidPurpose, DidState, OwnDid
from tests.admin.helpers import Client, make_node, served
from tests.opening import KEY

Served = tuple[Node, Client]
KINDS = list(KEY_KINDS)


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Served]:
    await make_node(tmp_path / "n", "College", issuer=True)
    async with served(tmp_path / "n") as opened:
        yield opened


def document_of(own: OwnDid) -> DidDocument:
    return resolve_offline(own.did) or parse_document(web_document(own), own.did)


def holds(signer: Signer, document: DidDocument) -> bool:
    method = document.method_for(signer.verification_method, Relationship.ASSERTION_METHOD)
    return method.key.codec is signer.codec and method.key.verify(b"text", signer.sign(b"text"))


async def signer_of(node: Node, own: OwnDid, *kinds: str) -> Signer:
    async with node.store.read() as tx:
        return await node.identity.signer(tx, own, [KEY_KINDS[kind] for kind in kinds] or None)


async def own_did(node: Node, did: str) -> OwnDid:
    async with node.store.read() as tx:
        return await dids.get(tx, did)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["key", "jwk"])
async def test_a_did_that_is_its_key_signs_with_it(admin: Served, method: str, kind: str) -> None:
    node, client = admin
    made = await client.post("/admin/dids", method=method, purpose="issuer", keys=[kind])
    own = await own_did(node, made["did"])
    assert made["did"].startswith(f"did:{method}:")
    signer = await signer_of(node, own)
    assert made["keys"] == [{"verificationMethod": signer.verification_method, "kind": kind}]
    assert holds(signer, document_of(own))


async def test_a_did_web_signs_with_each_kind_of_key_that_it_was_given(admin: Served) -> None:
    node, client = admin
    (own,) = [d for d in (await client.get("/admin/dids"))["items"] if d["method"] == "web"]
    for kind in KINDS[1:]:
        shown = await client.post(f"/admin/dids/{quote(own['did'], safe='')}/keys", kind=kind)
    assert [key["kind"] for key in shown["keys"]] == KINDS
    kept = await own_did(node, own["did"])
    document = document_of(kept)
    assert {method["type"] for method in document.raw["verificationMethod"]} == {"Multikey"}
    assert (await signer_of(node, kept)).codec is KEY_KINDS["ed25519"]
    async with node.store.read() as tx:
        for kind in KINDS:
            signer = await signer_of(node, kept, kind)
            assert signer.codec is KEY_KINDS[kind] and holds(signer, document)
            assert await node.identity.signer_named(tx, kept, signer.verification_method) == signer
        with pytest.raises(WrongState) as caught:
            await node.identity.signer_named(tx, kept, f"{kept.did}#key-9")
    assert caught.value.code == "did.no_key"


async def test_keys_of_every_kind_sign_again_after_a_restart(tmp_path: Path) -> None:
    await make_node(tmp_path / "n", "College")
    async with served(tmp_path / "n") as (_, client):
        made = await client.post("/admin/dids", method="web", purpose="issuer", keys=KINDS)
    node = await Node.open(tmp_path / "n", KEY)
    try:
        own = await own_did(node, made["did"])
        assert all([holds(await signer_of(node, own, kind), document_of(own)) for kind in KINDS])
    finally:
        await node.stop()


async def test_the_did_that_can_sign_is_found_the_default_first(admin: Served) -> None:
    node, client = admin
    made = {
        kind: (await client.post("/admin/dids", method="key", purpose="issuer", keys=[kind]))["did"] for kind in KINDS
    }

    async def able(*kinds: str) -> OwnDid:
        async with node.store.read() as tx:
            return await node.identity.able(tx, DidPurpose.ISSUER, [KEY_KINDS[kind] for kind in kinds])

    assert (await able("p384")).did == made["p384"]
    assert (await able(*KINDS)).method == "web"
    chosen = await client.post(f"/admin/dids/{made['p256']}/default")
    assert chosen["isDefault"]
    assert next(d["did"] for d in (await client.get("/admin/dids"))["items"] if d["isDefault"]) == made["p256"]
    assert (await able(*KINDS)).did == made["p256"]
    async with node.store.write() as tx:
        await dids.set_state(tx, made["p384"], DidState.RETIRED)
    with pytest.raises(WrongState) as caught:
        await able("p384")
    assert caught.value.code == "did.no_key"
    status, problem = await client.ask("POST", f"/admin/dids/{made['p384']}/default")
    assert (status, problem["code"]) == (409, "did.retired")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/admin/dids", {"method": "web", "purpose": "holder"}, 400, "did.purpose_unfit"),
        ("/admin/dids", {"method": "web", "purpose": "issuer"}, 409, "did.exists"),
        ("/admin/dids", {"method": "key", "keys": ["p256", "p384"]}, 400, "did.keys_unfit"),
        ("/admin/dids", {"method": "key", "keys": []}, 400, "http.body_malformed"),
        ("/admin/dids", {"method": "key", "keys": ["rsa"]}, 400, "http.body_malformed"),
        ("/admin/dids/did:key:zNobody/keys", {"kind": "p256"}, 404, "did.unknown"),
        ("/admin/dids/did:key:zNobody/default", {}, 404, "did.unknown"),
        ("/admin/dids/did:key:zNobody/rotate-key", {}, 404, "did.unknown"),
    ],
)
async def test_what_cannot_be_made_says_why(
    admin: Served, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    answered, problem = await admin[1].ask("POST", path, json=body)
    assert (answered, problem["code"]) == (status, code)


async def test_a_did_is_resolved_for_whoever_asks_the_node(admin: Served) -> None:
    _, client = admin
    (holder,) = [d["did"] for d in (await client.get("/admin/dids"))["items"] if d["purpose"] == "holder"]
    shown = await client.get(f"/admin/dids/resolve?did={quote(holder, safe='')}")
    assert (shown["status"], shown["content"]["id"]) == (200, holder)
    status, problem = await client.ask("GET", "/admin/dids/resolve")
    assert (status, problem["code"]) == (400, "http.query_malformed")


async def test_a_did_that_is_its_key_gets_no_other(admin: Served) -> None:
    _, client = admin
    (holder,) = [d["did"] for d in (await client.get("/admin/dids"))["items"] if d["purpose"] == "holder"]
    answered, problem = await client.ask("POST", f"/admin/dids/{holder}/keys", json={"kind": "p256"})
    assert (answered, problem["code"]) == (400, "did.keys_unfit")


@pytest.mark.parametrize(("suite", "kind"), [("ecdsa-rdfc-2019", "p256"), ("ecdsa-jcs-2019", "p384")])
async def test_records_are_signed_with_the_key_that_the_configured_suite_needs(
    tmp_path: Path, suite: str, kind: str
) -> None:
    await make_node(tmp_path / "n", "College", issuer=True)
    settings = tmp_path / "n" / "lernode.toml"
    before = settings.read_text(encoding="utf-8")
    settings.write_text(before.replace("[issuer]\n", f'[issuer]\nsecuring = "{suite}"\n'), encoding="utf-8")
    assert settings.read_text(encoding="utf-8") != before
    award = {"achievement": "weld-101", "did": "did:example:ada", "name": "Ada"}
    async with served(tmp_path / "n") as (_, client):
        status, problem = await client.ask("POST", "/admin/credentials/issue", json=award)
        assert (status, problem["code"]) == (409, "did.no_key")
        (own,) = [d["did"] for d in (await client.get("/admin/dids"))["items"] if d["purpose"] == "issuer"]
        await client.post(f"/admin/dids/{quote(own, safe='')}/keys", kind=kind)
        issued = await client.post("/admin/credentials/issue", **award)
        proof = issued["document"]["proof"]
        assert (proof["cryptosuite"], proof["verificationMethod"]) == (suite, f"{own}#key-2")
