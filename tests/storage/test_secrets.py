"""Keys at rest: nothing without the passphrase, nothing moved, nothing changed."""

from __future__ import annotations

import base64
import copy
import os
import pickle
import unicodedata
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from nacl.secret import SecretBox

from protocols.errors import BadInput, LernodeError, WrongState
from protocols.keys import KEY_KINDS, KeyKind, new_key
from storage import audit, keys
from storage.engine import Store
from storage.engines import open_store
from storage.secrets import Strength, Vault, WrappingKey
from tests.storage.conftest import PASSPHRASE
from tests.storage.rows import NOW, add_key, key


@pytest.fixture
async def vault(store: Store) -> Vault:
    return await Vault.create(store, PASSPHRASE, entropy=os.urandom, strength=Strength.INTERACTIVE)


async def test_the_passphrase_opens_the_keys_again(store: Store, vault: Vault, place: str) -> None:
    async with store.write() as tx:
        pair = await add_key(tx, vault)
    await store.close()
    again = await open_store(place)
    unlocked = await Vault.unlock(again, PASSPHRASE)
    async with again.read() as tx:
        assert await keys.get(tx, unlocked, pair.verkey) == pair
        assert await keys.load_all(tx, unlocked) == {pair.verkey: pair}
    await again.close()


async def test_a_wrong_passphrase_opens_nothing(store: Store, vault: Vault) -> None:
    with pytest.raises(BadInput) as caught:
        await Vault.unlock(store, PASSPHRASE + "!")
    assert caught.value.code == "store.wrong_passphrase"
    assert PASSPHRASE not in str(caught.value)


@pytest.mark.parametrize("bad", ["", "x" * 2000, "\ud800"])
async def test_an_unusable_passphrase_is_refused(store: Store, bad: str) -> None:
    with pytest.raises(BadInput) as caught:
        await Vault.create(store, bad, entropy=os.urandom, strength=Strength.INTERACTIVE)
    assert caught.value.code == "store.passphrase_unusable"


async def test_a_passphrase_is_the_same_however_its_accents_are_typed(store: Store) -> None:
    await Vault.create(
        store, unicodedata.normalize("NFD", "crème brûlée"), entropy=os.urandom, strength=Strength.INTERACTIVE
    )
    await Vault.unlock(store, unicodedata.normalize("NFC", "crème brûlée"))


async def test_a_store_has_one_vault(store: Store, vault: Vault) -> None:
    with pytest.raises(WrongState) as caught:
        await Vault.create(store, "another", entropy=os.urandom, strength=Strength.INTERACTIVE)
    assert caught.value.code == "vault.exists"
    await Vault.unlock(store, PASSPHRASE)


async def test_a_store_without_a_vault_says_so(store: Store) -> None:
    with pytest.raises(WrongState) as caught:
        await Vault.unlock(store, PASSPHRASE)
    assert caught.value.code == "vault.unknown"


async def test_a_stolen_file_holds_neither_seed_nor_master_key_nor_passphrase(path: Path) -> None:
    drawn: list[bytes] = []
    store = await open_store(path, create=True)

    def watched(count: int) -> bytes:
        drawn.append(os.urandom(count))
        return drawn[-1]

    vault = await Vault.create(store, PASSPHRASE, entropy=watched, strength=Strength.INTERACTIVE)
    master = next(value for value in drawn if len(value) == SecretBox.KEY_SIZE)
    async with store.write() as tx:
        pair = await add_key(tx, vault)
    await store.close()
    stolen = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert pair.verkey.encode() in stolen
    for secret in (pair.seed, pair.secret[:32], pair.x25519_secret(), master, PASSPHRASE.encode()):
        assert secret not in stolen
        assert secret.hex().encode() not in stolen


async def test_swapped_rows_are_refused(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        one, two = await add_key(tx, vault, "one"), await add_key(tx, vault, "two")
        await tx.execute(
            "UPDATE keys SET sealed_seed = (SELECT sealed_seed FROM keys WHERE verkey = ?) WHERE verkey = ?",
            (two.verkey, one.verkey),
        )
    async with store.read() as tx:
        assert await keys.get(tx, vault, two.verkey) == two
        with pytest.raises(LernodeError) as caught:
            await keys.get(tx, vault, one.verkey)
        assert caught.value.code == "store.secret_altered"
        with pytest.raises(LernodeError):
            await keys.load_all(tx, vault)
        assert await keys.altered(tx, vault) == [one.verkey]


@pytest.mark.parametrize("position", [0, 24, 40, -1])
async def test_a_changed_byte_is_refused(vault: Vault, position: int) -> None:
    sealed = bytearray(vault.seal("name", b"secret"))
    sealed[position] ^= 1
    with pytest.raises(LernodeError) as caught:
        vault.unseal("name", bytes(sealed))
    assert caught.value.code == "store.secret_altered"


@pytest.mark.parametrize("garbage", [b"", b"x", b"x" * 24, b"x" * 200])
async def test_garbage_is_refused(vault: Vault, garbage: bytes) -> None:
    with pytest.raises(LernodeError) as caught:
        vault.unseal("name", garbage)
    assert caught.value.code == "store.secret_altered"


async def test_a_secret_is_bound_to_its_whole_name(vault: Vault) -> None:
    sealed = vault.seal("keys/a", b"bsecret")
    assert vault.unseal("keys/a", sealed) == b"bsecret"
    for other in ("keys/ab", "keys/", ""):
        with pytest.raises(LernodeError):
            vault.unseal(other, sealed)


async def test_sealing_twice_never_gives_the_same_bytes(vault: Vault) -> None:
    assert vault.seal("name", b"secret") != vault.seal("name", b"secret")


async def test_a_vault_shows_nothing_and_is_not_serialised(vault: Vault) -> None:
    assert repr(vault) == str(vault) == "Vault()"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(vault)


@pytest.mark.parametrize(
    "doctored",
    ["memlimit = 1099511627776", "opslimit = 1000000000", "memlimit = -1", "opslimit = 0", "salt = wrapped_key"],
)
async def test_doctored_key_parameters_cost_nothing(store: Store, vault: Vault, doctored: str) -> None:
    async with store.write() as tx:
        await tx.execute(f"UPDATE vault SET {doctored}")
    with pytest.raises(LernodeError) as caught:
        await Vault.unlock(store, PASSPHRASE)
    assert caught.value.code == "store.corrupt"


async def test_the_default_cost_is_moderate(store: Store) -> None:
    await Vault.create(store, PASSPHRASE, entropy=os.urandom)
    async with store.read() as tx:
        row = await tx.one("SELECT opslimit, memlimit FROM vault")
    assert row is not None
    assert (row["opslimit"], row["memlimit"]) == (3, 256 << 20)


async def test_another_passphrase_opens_what_the_first_sealed(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        pair = await add_key(tx, vault)
    await Vault.rewrap(store, PASSPHRASE, "another", NOW, strength=Strength.INTERACTIVE)
    again = await Vault.unlock(store, "another")
    async with store.read() as tx:
        assert await keys.get(tx, again, pair.verkey) == pair
        assert [entry.event for entry in await audit.page(tx)] == ["vault.rewrapped"]
    with pytest.raises(BadInput) as caught:
        await Vault.unlock(store, PASSPHRASE)
    assert caught.value.code == "store.wrong_passphrase"


async def test_a_wrong_passphrase_changes_nothing(store: Store, vault: Vault) -> None:
    with pytest.raises(BadInput):
        await Vault.rewrap(store, "wrong", "another", NOW, strength=Strength.INTERACTIVE)
    await Vault.unlock(store, PASSPHRASE)


async def test_a_key_opens_the_vault_and_a_passphrase_does_not(store: Store, vault: Vault) -> None:
    wrapping = WrappingKey(os.urandom(32))
    await Vault.rewrap(store, PASSPHRASE, wrapping, NOW)
    await Vault.unlock(store, wrapping)
    for wrong in (PASSPHRASE, WrappingKey(os.urandom(32))):
        with pytest.raises(BadInput) as caught:
            await Vault.unlock(store, wrong)
        assert caught.value.code == "store.wrong_passphrase"


@pytest.mark.parametrize(
    "write", [bytes, lambda raw: raw.hex().encode() + b"\n", base64.b64encode, base64.urlsafe_b64encode]
)
def test_a_key_is_read_as_it_is_usually_written(write: Callable[[bytes], bytes]) -> None:
    raw = os.urandom(32)
    assert WrappingKey.read(write(raw)) == WrappingKey(raw)
    assert raw.hex() not in repr(WrappingKey(raw))


@pytest.mark.parametrize("unusable", [b"", b"secret", b"00" * 31, b"00" * 33, b"\xff" * 40])
def test_what_is_no_key_is_refused(unusable: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        WrappingKey.read(unusable)
    assert caught.value.code == "store.key_unusable"


@pytest.mark.parametrize("kind", KEY_KINDS)
async def test_keys_of_every_kind_are_kept(store: Store, vault: Vault, kind: KeyKind) -> None:
    made = new_key(KEY_KINDS[kind], os.urandom)
    async with store.write() as tx:
        await keys.add(tx, vault, made, "issuer", NOW)
        assert await keys.get(tx, vault, keys.verkey_of(made)) == made
        assert await keys.load_all(tx, vault) == {keys.verkey_of(made): made}


@pytest.mark.parametrize(("kind", "said"), list(permutations(KEY_KINDS, 2)))
async def test_a_key_does_not_open_as_one_of_another_kind(store: Store, vault: Vault, kind: KeyKind, said: str) -> None:
    made = new_key(KEY_KINDS[kind], os.urandom)
    async with store.write() as tx:
        await keys.add(tx, vault, made, "issuer", NOW)
        await tx.execute("UPDATE keys SET kind = ?", (said,))
        with pytest.raises(LernodeError) as caught:
            await keys.get(tx, vault, keys.verkey_of(made))
        assert caught.value.code == "store.secret_altered"


async def test_a_key_is_added_once(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_key(tx, vault)
        with pytest.raises(WrongState) as caught:
            await add_key(tx, vault)
        assert caught.value.code == "key.exists"
        with pytest.raises(WrongState):
            await keys.get(tx, vault, key("other").verkey)
