"""An issuer whose records are JWTs or SD-JWTs: handed over as text, shown in part, offered with a proof inside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from node.app import Node
from node.http.documents import document_bytes, document_json, document_object
from node.roles.issuer import Award
from protocols import strict_json
from protocols.credentials.model import Version
from protocols.credentials.sd_jwt.presenting import present_sd_jwt
from protocols.credentials.verification import Outcome
from protocols.errors import BadInput
from protocols.multiformats import b64url_encode
from tests.admin.helpers import make_node, served
from tests.opening import KEY


@asynccontextmanager
async def college(home: Path) -> AsyncIterator[Node]:
    """An issuer that listens, so that its DID and its status lists can be had."""
    await make_node(home, "College", issuer=True)
    node = await Node.open(home, KEY)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


@pytest.mark.parametrize("securing", ["eddsa-jcs-2022", "vc+jwt", "vc+sd-jwt"])
async def test_what_the_issuer_signs_is_what_anybody_verifies(
    securing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LERNODE_ISSUER_SECURING", securing)
    async with college(tmp_path / "n") as node:
        award = Award(achievement_id="weld-101", subject_did="did:example:ada", name="Ada", result="B")
        document = (await node.issuer.issue(award)).document
        result = await node.verifier.verify_document(document, any_issuer=True)
        assert result.verified, result.to_json()
        assert result.securing == securing
        assert result.document is not None
        subject = result.document["credentialSubject"]
        assert (subject["id"], subject["result"][0]["value"]) == ("did:example:ada", "B")
        if securing == "vc+sd-jwt":
            less = await node.verifier.verify_document(present_sd_jwt(document.decode(), []), any_issuer=True)
            assert less.verified, less.to_json()
            assert less.document is not None
            assert {"identifier", "result"}.isdisjoint(less.document["credentialSubject"])


@pytest.mark.parametrize("securing", ["eddsa-rdfc-2022", "Ed25519Signature2020"])
async def test_the_contexts_of_a_record_that_is_signed_over_rdf_are_stated_in_it(
    securing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LERNODE_ISSUER_SECURING", securing)
    async with college(tmp_path / "n") as node:
        award = Award(achievement_id="weld-101", subject_did="did:example:ada")
        document = strict_json.loads_object((await node.issuer.issue(award)).document)
        assert [item["id"] for item in document["relatedResource"]] == document["@context"][1:]
        assert (await node.verifier.verify_document(document, any_issuer=True)).verified
        more = {**document, "@context": [*document["@context"], "https://w3id.org/security/multikey/v1"]}
        result = await node.verifier.verify_document(more, any_issuer=True)
        assert [check.code for check in result.checks if check.outcome is Outcome.FAIL] == ["context.not_bound"]
        older = replace(award, data_model=Version.V1_1)
        assert "relatedResource" not in strict_json.loads_object((await node.issuer.issue(older)).document)


@pytest.mark.parametrize(
    ("setting", "value"), [("LERNODE_ISSUER_BIND_CONTEXTS", "false"), ("LERNODE_ISSUER_SECURING", "eddsa-jcs-2022")]
)
async def test_contexts_are_stated_only_where_that_is_wanted_and_needed(
    setting: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting, value)
    async with college(tmp_path / "n") as node:
        issued = await node.issuer.issue(Award(achievement_id="weld-101", subject_did="did:example:ada"))
        assert "relatedResource" not in strict_json.loads_object(issued.document)
        assert (await node.verifier.verify_document(issued.document, any_issuer=True)).verified


async def test_compact_text_is_a_string_in_the_admin_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LERNODE_ISSUER_SECURING", "vc+jwt")
    await make_node(tmp_path / "n", "College", issuer=True)
    async with served(tmp_path / "n") as (_, client):
        issued = await client.post("/admin/credentials/issue", achievement="weld-101", did="did:example:ada")
        assert issued["document"].startswith("eyJ")
        assert (await client.get(f"/admin/issued/{issued['id']}"))["document"] == issued["document"]
        result = await client.post("/admin/verify", document=issued["document"], anyIssuer=True, show=True)
        assert result["document"]["id"] == issued["credentialId"]


async def test_an_offer_has_its_proof_inside_whatever_files_are_secured_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LERNODE_ISSUER_SECURING", "vc+jwt")
    await make_node(tmp_path / "n", "College", issuer=True)
    async with served(tmp_path / "n") as (_, client):
        await client.post("/admin/connections", invitation=(await client.post("/admin/invitations"))["url"])
        peer = (await client.get("/admin/connections"))["items"][0]["id"]
        offered = await client.post("/admin/credentials/offers", connection=peer, achievement="weld-101", name="Ada")
        assert offered["state"] == "offer-sent"


@pytest.mark.parametrize("document", [b'{"a":1}', b"eyJ.eyJ.x", b"eyJ.eyJ.x~abc~"])
def test_a_document_comes_back_from_json_as_it_was_kept(document: bytes) -> None:
    assert document_bytes(document_json(document)) == document


def test_where_only_objects_may_stand_text_is_in_an_envelope() -> None:
    jwt, old, sd_jwt_vc = (token(claims) for claims in ({"@context": []}, {"vc": {}}, {"vct": "urn:a"}))
    found = [
        msgspec.json.decode(document_object(text)) for text in (jwt, old, jwt + b"~", sd_jwt_vc + b"~", b'{"a":1}')
    ]
    types = [item.get("id", ",").partition(",")[0].removeprefix("data:application/") for item in found]
    assert types == ["vc+jwt", "jwt", "vc+sd-jwt", "dc+sd-jwt", ""]


def token(claims: dict[str, object]) -> bytes:
    parts = (strict_json.dumps({"alg": "EdDSA"}), strict_json.dumps(claims), bytes(64))
    return ".".join(map(b64url_encode, parts)).encode()


@pytest.mark.parametrize("securing", ["vp+jwt", "dc+sd-jwt", "none", ""])
async def test_a_way_that_secures_no_record_is_refused_at_the_start(
    securing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_node(tmp_path / "n", "College", issuer=True)
    monkeypatch.setenv("LERNODE_ISSUER_SECURING", securing)
    with pytest.raises(BadInput) as caught:
        await Node.open(tmp_path / "n", KEY)
    assert caught.value.code == "config.securing"
