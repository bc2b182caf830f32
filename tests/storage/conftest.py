"""An open store, and its vault at the least cost that is still real."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.engine import Store
from storage.sealing import Sealing
from storage.secrets import Strength, Vault

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node" / "store.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    """An open store whose contents are sealed under a key of its own, without the slow way by a passphrase."""
    opened = await Store.open(path, create=True)
    opened.unlock(Sealing(os.urandom(32), os.urandom))
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def vault() -> Vault:
    """One vault for every test that only needs some keys sealed: deriving its key is slow on purpose."""

    async def make() -> Vault:
        with tempfile.TemporaryDirectory() as folder:
            store = await Store.open(Path(folder) / "store.db", create=True)
            made = await Vault.create(store, PASSPHRASE, entropy=os.urandom, strength=Strength.INTERACTIVE)
            await store.close()
            return made

    return asyncio.run(make())
