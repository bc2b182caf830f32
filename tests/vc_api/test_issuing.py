"""``POST /credentials/issue``, and what can be done with the credential afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from node.app import create
from node.config import to_toml
from tests.admin.helpers import Client, served
from tests.opening import KEY
from tests.vc_api.conftest import issuer_did
from tests.vc_api.documents import credential


async def test_a_given_credential_is_signed_and_verifies(api: Client) -> None:
    given = credential()
    status, answer = await api.ask("POST", "/credentials/issue", json={"credential": given})
    assert status == 201
    signed = answer["verifiableCredential"]
    assert {name: signed[name] for name in given} == given
    assert signed["issuer"].startswith("did:key:z6Mk")
    assert signed["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
    assert (await api.post("/credentials/verify", verifiableCredential=signed))["verified"] is True


@pytest.mark.parametrize(
    ("key", "options", "cryptosuite"),
    [
        ("ed25519", {}, "eddsa-rdfc-2022"),
        ("ed25519", {"cryptosuite": "eddsa-jcs-2022"}, "eddsa-jcs-2022"),
        ("ed25519", {"type": "Ed25519Signature2020"}, None),
        ("p256", {}, "ecdsa-rdfc-2019"),
        ("p384", {"cryptosuite": "ecdsa-jcs-2019"}, "ecdsa-jcs-2019"),
    ],
)
async def test_the_issuer_decides_the_key_and_the_options_the_cryptosuite(
    api: Client, key: str, options: dict[str, Any], cryptosuite: str | None
) -> None:
    did = await issuer_did(api, key)
    answer = await api.post("/credentials/issue", credential=credential(issuer=did), options=options)
    signed = answer["verifiableCredential"]
    assert signed["issuer"] == did
    assert signed["proof"].get("cryptosuite") == cryptosuite
    assert signed["proof"]["verificationMethod"].startswith(f"{did}#")
    assert (await api.post("/credentials/verify", verifiableCredential=signed))["verified"] is True


@pytest.mark.parametrize("key", ["ed25519", "p256", "p384"])
@pytest.mark.parametrize("media_type", ["application/vc+jwt", "application/vc+sd-jwt"])
async def test_a_credential_in_an_envelope_is_issued_kept_and_verified(api: Client, key: str, media_type: str) -> None:
    given = credential(issuer=await issuer_did(api, key))
    options = {"mediaType": media_type}
    if media_type == "application/vc+sd-jwt":
        options["selectivePointers"] = ["/credentialSubject/name"]
    issued = await api.post("/credentials/issue", credential=given, options=options)
    envelope = issued["verifiableCredential"]
    assert envelope["type"] == ["EnvelopedVerifiableCredential"]
    assert envelope["id"].startswith(f"data:{media_type},")
    assert await api.get(f"/credentials/{quote(given['id'], safe='')}") == issued
    assert (await api.post("/credentials/verify", verifiableCredential=envelope))["verified"] is True
    envelope["id"] = envelope["id"].replace(".", ".e", 1)
    status, result = await api.ask("POST", "/credentials/verify", json={"verifiableCredential": envelope})
    assert (status, result["verified"]) == (400, False)


async def test_without_an_issuer_the_oldest_did_that_can_make_the_proof_signs(api: Client) -> None:
    did = await issuer_did(api, "p384")
    answer = await api.post("/credentials/issue", credential=credential(), options={"cryptosuite": "ecdsa-rdfc-2019"})
    assert answer["verifiableCredential"]["issuer"] == did


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, "EnvelopedVerifiableCredential"),
        ({"mediaType": "application/vc"}, "VerifiableCredential"),
        ({"type": "DataIntegrityProof"}, "VerifiableCredential"),
        ({"cryptosuite": "eddsa-jcs-2022"}, "VerifiableCredential"),
    ],
)
async def test_the_nodes_own_way_of_securing_holds_where_the_client_names_none(
    tmp_path: Path, options: dict[str, Any], kind: str
) -> None:
    values: dict[str, Any] = {"issuer": {"securing": "vc+jwt"}}
    await create(tmp_path / "n", KEY, to_toml(values))
    async with served(tmp_path / "n") as (_, api):
        await issuer_did(api)
        issued = await api.post("/credentials/issue", credential=credential(), options=options)
        assert issued["verifiableCredential"]["type"] == [kind]


async def test_an_issuer_object_keeps_its_other_properties(api: Client) -> None:
    answer = await api.post("/credentials/issue", credential=credential(issuer={"name": "College"}))
    issuer = answer["verifiableCredential"]["issuer"]
    assert issuer["name"] == "College"
    assert issuer["id"].startswith("did:key:")


async def test_the_same_request_is_answered_by_the_same_credential_and_uses_one_place_in_the_list(api: Client) -> None:
    body = {"credential": credential(), "options": {"credentialStatus": {"statusPurpose": "revocation"}}}
    first = await api.ask("POST", "/credentials/issue", json=body)
    assert await api.ask("POST", "/credentials/issue", json=body) == first
    assert first[0] == 201


async def test_the_same_request_several_times_at_once_issues_once(api: Client) -> None:
    body = {"credential": credential()}
    answers = await asyncio.gather(*(api.ask("POST", "/credentials/issue", json=body) for _ in range(5)))
    assert [status for status, _ in answers] == [201] * 5
    assert len({answer["verifiableCredential"]["proof"]["proofValue"] for _, answer in answers}) == 1
    assert len((await api.get("/admin/issued"))["items"]) == 1


async def test_proofs_that_are_there_are_kept_beside_the_new_one(api: Client) -> None:
    first = (await api.post("/credentials/issue", credential=credential()))["verifiableCredential"]
    again = {**first, "id": "urn:uuid:00000000-0000-4000-8000-000000000000"}
    del again["proof"]
    signed = (await api.post("/credentials/issue", credential=again))["verifiableCredential"]
    options = {"cryptosuite": "eddsa-jcs-2022", "credentialId": signed["id"]}
    status, problem = await api.ask("POST", "/credentials/issue", json={"credential": signed, "options": options})
    assert (status, problem["code"]) == (409, "issued_record.exists")
    await api.ask("DELETE", f"/credentials/{quote(signed['id'], safe='')}")
    both = (await api.post("/credentials/issue", credential=signed, options=options))["verifiableCredential"]
    assert [proof["cryptosuite"] for proof in both["proof"]] == ["eddsa-rdfc-2022", "eddsa-jcs-2022"]
    assert (await api.post("/credentials/verify", verifiableCredential=both))["verified"] is True


async def test_another_credential_with_the_same_id_is_refused(api: Client) -> None:
    given = credential()
    await api.post("/credentials/issue", credential=given)
    status, problem = await api.ask("POST", "/credentials/issue", json={"credential": {**given, "name": "Other"}})
    assert (status, problem["code"]) == (409, "issued_record.exists")


async def test_a_credential_is_found_by_its_id_until_it_is_deleted(api: Client) -> None:
    given = credential()
    issued = await api.post("/credentials/issue", credential=given)
    path = f"/credentials/{quote(given['id'], safe='')}"
    assert await api.get(path) == issued
    status, _ = await api.ask("DELETE", path)
    assert status == 202
    for method in ("GET", "DELETE"):
        status, problem = await api.ask(method, path)
        assert (status, problem["code"]) == (404, "record.unknown")


async def test_a_credential_without_an_id_is_found_by_the_credential_id_that_the_client_gave(api: Client) -> None:
    given = credential()
    del given["id"]
    name = "https://college.example/diplomas/1?a=b#c"
    issued = await api.post("/credentials/issue", credential=given, options={"credentialId": name})
    assert "id" not in issued["verifiableCredential"]
    assert await api.get(f"/credentials/{quote(name, safe='')}") == issued
