"""An issuer whose DID leads to another address is warned when it starts: a new domain, or the store of another node."""

from __future__ import annotations

import pytest

from node.config import CONFIG_FILE
from storage.dids import DidPurpose
from tests.node.nodes import Nodes


async def test_a_node_says_that_its_did_leads_elsewhere(nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    node = await nodes.make("college", issuer=True)
    async with node.store.write() as tx:
        own = await node.identity.default(tx, DidPurpose.ISSUER)
        if own.method != "web":
            own = await node.identity.create(tx, "web", DidPurpose.ISSUER)
    async with node.store.write() as tx:
        await node.identity.choose(tx, own.did)
    await nodes.stop(node)
    node = await nodes.again(node)
    assert "another address" not in caplog.text
    await nodes.stop(node)
    config = node.home / CONFIG_FILE
    config.write_text(config.read_text(encoding="utf-8").replace("http://localhost", "http://elsewhere.localhost"))
    await nodes.again(node)
    assert "another address" in caplog.text
