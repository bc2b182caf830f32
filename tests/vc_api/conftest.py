"""A real node with issuer and holder DIDs, its VC API on its socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.app import Node
from tests.admin.helpers import Client, make_node, served

Served = tuple[Node, Client]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Client]:
    await make_node(tmp_path / "n", "College")
    async with served(tmp_path / "n") as (_, client):
        await client.post("/admin/dids", purpose="issuer", keys=["ed25519"])
        yield client


async def issuer_did(api: Client, key: str = "ed25519") -> str:
    """Another DID of the node that issues."""
    return str((await api.post("/admin/dids", purpose="issuer", keys=[key]))["did"])
