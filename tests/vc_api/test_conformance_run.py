"""What the W3C's suites are run against: a node with a DID for each kind of key, behind TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

import aiohttp
import pytest

from scripts.benchmark.processes import free_ports
from scripts.w3c_suites.gate import Gate, make_certificate
from scripts.w3c_suites.mocha import suite_name
from scripts.w3c_suites.node import NodeUnderTest, Ports
from scripts.w3c_suites.suites import SUITES, local_config
from tests.vc_api.documents import credential

_DIDS = {"ed25519": "did:key:z6Mk1", "p256": "did:key:zDna1", "p384": "did:key:z82L1"}


async def test_the_tested_node_issues_with_each_of_its_dids_behind_tls(tmp_path: Path) -> None:
    first = free_ports(4)
    ports = Ports(first, first + 1, first + 2, first + 3)
    certificate, key = make_certificate(tmp_path)
    gate, node = Gate(certificate, key), NodeUnderTest(tmp_path / "node", ports, certificate)
    trusted = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(certificate)))
    try:
        await gate.open(ports.admin_tls, ports.admin)
        await gate.open(ports.public_tls, ports.public)
        await node.start()
        async with aiohttp.ClientSession(f"https://localhost:{ports.admin_tls}", connector=trusted) as session:
            for did in node.dids.values():
                options = {"credentialStatus": {"statusPurpose": "revocation"}}
                body = {"credential": credential(issuer=did), "options": options}
                async with session.post("/credentials/issue", json=body) as response:
                    assert response.status == 201
                    issued = await response.json()
                # Its status list has to be fetched through the gate too.
                async with session.post("/credentials/verify", json=issued) as response:
                    assert (response.status, (await response.json())["verified"]) == (200, True)
    finally:
        await node.stop()
        await gate.close()


@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_is_told_of_this_node_only(suite: str) -> None:
    config = local_config(suite, "https://localhost:1", _DIDS)
    assert config["settings"]["testAllImplementations"] is False
    endpoints = [
        endpoint
        for implementation in config["implementations"]
        for listed in implementation.values()
        if isinstance(listed, list)
        for endpoint in listed
    ]
    assert endpoints
    assert all(endpoint["endpoint"].startswith("https://localhost:1/") for endpoint in endpoints)


def test_a_folder_that_is_no_suite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not the folder of a suite"):
        suite_name(tmp_path)
    (tmp_path / "package.json").write_text('{"name": "x"}', encoding="utf-8")
    with pytest.raises(RuntimeError, match="npm install"):
        suite_name(tmp_path)
