"""A real node with issuer and holder DIDs, its VC API on its socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from node.app import Node
from tests.admin.helpers import Client, make_node, served

Served = tuple[Node, Client]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Client]:
    await make_node(tmp_path / "n", "College")
    async with served(tmp_path / "n") as (_, client):
        await client.post("/admin/dids", purpose="issuer", keys=["ed25519"])
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def untouched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """The same, shared by the tests of a module, which have to leave it as it is."""
    home = tmp_path_factory.mktemp("untouched") / "n"
    await make_node(home, "College")
    async with served(home) as (_, client):
        await client.post("/admin/dids", purpose="issuer", keys=["ed25519"])
        yield client


async def issuer_did(api: Client, key: str = "ed25519") -> str:
    """Another DID of the node that issues."""
    return str((await api.post("/admin/dids", purpose="issuer", keys=[key]))["did"])
