"""Status entries of given credentials, and ``POST /credentials/status``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from node.app import Node, create
from node.cli.init import settings_of
from node.config import to_toml
from node.http.admin import admin_app
from tests.admin.helpers import Client, free_port
from tests.opening import KEY
from tests.vc_api.conftest import issuer_did
from tests.vc_api.documents import credential

_ENTRY = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}


async def test_a_status_that_is_set_shows_in_the_published_list(tmp_path: Path) -> None:
    port, admin = free_port(), free_port()
    values = settings_of("College", None, port, True, False, (), False)
    await create(tmp_path / "n", KEY, to_toml(values))
    node = await Node.open(tmp_path / "n", KEY)
    try:
        await node.start()
        await node.serve(admin_app(node, token=None), "127.0.0.1", admin)
        async with aiohttp.ClientSession(base_url=f"http://127.0.0.1:{admin}") as session:

            async def ask(path: str, **body: Any) -> tuple[int, Any]:
                async with session.post(path, json=body) as response:
                    return response.status, await response.json(content_type=None)

            await ask("/admin/dids", purpose="issuer")
            _, issued = await ask("/credentials/issue", credential=credential(), options={"credentialStatus": [_ENTRY]})
            signed = issued["verifiableCredential"]
            assert signed["credentialStatus"]["statusPurpose"] == "revocation"
            status, result = await ask("/credentials/verify", verifiableCredential=signed)
            assert (status, result["verified"]) == (200, True)
            update = {"credentialId": signed["id"], "credentialStatus": _ENTRY, "status": True}
            for _ in range(2):
                assert (await ask("/credentials/status", **update))[0] == 200
            status, result = await ask("/credentials/verify", verifiableCredential=signed)
            assert (status, result["verified"]) == (400, False)
            assert [(p["check"], p["code"]) for p in result["problemDetails"]] == [("status", "status.revoked")]
            async with session.get(
                signed["credentialStatus"]["statusListCredential"], headers={"Accept": "application/ld+json"}
            ) as response:
                assert response.content_type == "application/ld+json"
                assert "BitstringStatusListCredential" in (await response.json(content_type=None))["type"]
    finally:
        await node.stop()


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"credentialId": "urn:nothing"}, 404, "issued_record.unknown"),
        ({"credentialStatus": {**_ENTRY, "statusPurpose": "suspension"}}, 400, "status.no_entry"),
        ({"credentialStatus": {**_ENTRY, "statusListIndex": "9999999"}}, 400, "status.no_entry"),
        ({"credentialStatus": {**_ENTRY, "statusListCredential": "https://x.example/1"}}, 400, "status.no_entry"),
        ({"credentialStatus": {**_ENTRY, "type": "Other"}}, 400, "http.body_malformed"),
        ({"status": 1}, 400, "http.body_malformed"),
        ({"indexAllocator": "x"}, 400, "http.body_malformed"),
    ],
)
async def test_a_status_that_is_not_there_cannot_be_set(
    api: Client, change: dict[str, Any], status: int, code: str
) -> None:
    given = credential()
    await api.post("/credentials/issue", credential=given, options={"credentialStatus": _ENTRY})
    body = {"credentialId": given["id"], "credentialStatus": _ENTRY, "status": True, **change}
    answered, problem = await api.ask("POST", "/credentials/status", json=body)
    assert (answered, problem["code"]) == (status, code), problem


async def test_a_revocation_is_final(api: Client) -> None:
    given = credential()
    await api.post("/credentials/issue", credential=given, options={"credentialStatus": _ENTRY})
    await api.post("/credentials/status", credentialId=given["id"], credentialStatus=_ENTRY, status=True)
    body = {"credentialId": given["id"], "credentialStatus": _ENTRY, "status": False}
    status, problem = await api.ask("POST", "/credentials/status", json=body)
    assert (status, problem["code"]) == (409, "issued_record.revoked")


async def test_each_did_of_the_node_has_status_lists_of_its_own(api: Client) -> None:
    dids = [await issuer_did(api, kind) for kind in ("p256", "p384")]
    lists = set()
    for did in dids:
        issued = await api.post(
            "/credentials/issue", credential=credential(issuer=did), options={"credentialStatus": _ENTRY}
        )
        lists.add(issued["verifiableCredential"]["credentialStatus"]["statusListCredential"])
    assert len(lists) == 2


async def test_a_client_cannot_take_a_place_in_a_list_by_itself(api: Client) -> None:
    issued = await api.post("/credentials/issue", credential=credential(), options={"credentialStatus": _ENTRY})
    stolen = credential(credentialStatus=issued["verifiableCredential"]["credentialStatus"])
    status, problem = await api.ask("POST", "/credentials/issue", json={"credential": stolen})
    assert (status, problem["code"]) == (400, "record.foreign_status")
