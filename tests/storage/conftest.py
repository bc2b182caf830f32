"""An open store on each engine, and its vault at the least cost that is still real."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.engine import Store
from storage.engines import ENGINES, open_store
from storage.sealing import Sealing
from storage.secrets import Strength, Vault
from tests.postgresql import empty_place_url, new_store_url

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a file for a store may be made."""
    return tmp_path / "node" / "store.db"


@pytest.fixture(params=list(ENGINES))
def place(request: pytest.FixtureRequest) -> str:
    """An empty place for a store, on each engine in turn; that of ``store`` where the test has it too."""
    if request.param == "postgresql":
        return new_store_url() if "store" in request.fixturenames else empty_place_url()
    path: Path = request.getfixturevalue("path")
    return f"sqlite://{path}"


@pytest.fixture
async def store(place: str) -> AsyncIterator[Store]:
    opened = await open_store(place, create=True)
    opened.unlock(Sealing(os.urandom(32), os.urandom))
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def vault() -> Vault:
    """One vault for every test that only needs some keys sealed: deriving its key is slow on purpose."""

    async def make() -> Vault:
        with tempfile.TemporaryDirectory() as folder:
            store = await open_store(Path(folder) / "store.db", create=True)
            made = await Vault.create(store, PASSPHRASE, entropy=os.urandom, strength=Strength.INTERACTIVE)
            await store.close()
            return made

    return asyncio.run(make())
