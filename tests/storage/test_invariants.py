"""A whole store has nothing to report; each kind of damage is found, and named."""

from __future__ import annotations

import ast
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

import storage
from protocols.status.bitstring import Bitstring
from protocols.strict_json import dumps
from storage import (
    audit,
    batches,
    connections,
    credentials,
    events,
    exchanges,
    jobs,
    outbox,
    status_lists,
    verifications,
)
from storage.credentials import IssuedState, StatusRef
from storage.engine import Store
from storage.events import Event
from storage.invariants import _SEALED, Broken, Invariant, check
from storage.secrets import Vault
from storage.status_lists import Terms
from storage.verifications import Verification
from tests.storage.rows import NOW, add_peer, exchange, held, issued, key
from tests.store_files import changed

SIZE = 131_072


@pytest.fixture
def place(path: Path) -> str:
    """In a file: damage is done to it behind the engine's back, by SQLite's own means."""
    return f"sqlite://{path}"


@pytest.fixture
async def full(store: Store, vault: Vault) -> AsyncIterator[Store]:
    """A store with something of everything, as the node would leave it."""
    async with store.write() as tx:
        await add_peer(tx, vault)
        before = replace(await connections.get(tx, "c1"), their_did="did:example:before")
        await connections.retire_theirs(tx, before, NOW)
        for name in ("e1", "e2"):
            await exchanges.insert(tx, exchange(name))
            place = await status_lists.allocate(
                tx, terms=Terms("revocation"), exchange_id=name, entropy=os.urandom, now=NOW, size_bits=SIZE
            )
            ref = StatusRef(purpose="revocation", list_id=place.list_id, index=place.index)
            await credentials.add_issued(tx, issued(f"i-{name}", exchange_id=name, statuses=(ref,)))
            await credentials.add_held(tx, held(f"h-{name}", exchange_id=name))
            await audit.append(tx, at=NOW, event="record.issued", actor="operator", subjects=(f"i-{name}",))
            await audit.append(tx, at=NOW, event="record.stored", actor="c1", subjects=(f"h-{name}",))
            await outbox.enqueue(
                tx,
                id=name,
                connection_id="c1",
                lane="c1",
                message=b"{}",
                message_type="m",
                thid="t",
                wire="w",
                my_verkey=key("mine").verkey,
                now=NOW,
            )
        await status_lists.set_value(tx, ref.list_id, ref.index, 1, "a reason", NOW)
        await credentials.set_issued_state(tx, "i-e2", IssuedState.REVOKED)
        bits = Bitstring(SIZE)
        bits.set(ref.index, 1)
        document = dumps({"credentialSubject": {"encodedList": bits.encode()}})
        version = (await status_lists.get(tx, ref.list_id)).version
        await status_lists.publish(tx, ref.list_id, document, "tag", NOW, version=version)
        await events.add(tx, Event(id="ev1", at=NOW, type="t", topic="exchanges", lane="e1", data={"state": "done"}))
        await batches.begin(tx, "list", "achievement", NOW)
        await jobs.add(tx, id="j1", kind="verify", exchange_id="e1", payload={}, run_at=NOW)
        await verifications.add(
            tx,
            Verification(
                id="v1", exchange_id="e1", document_digest="d", document=b"{}", result={}, verified=True, at=NOW
            ),
        )
    yield store


async def found(store: Store) -> list[Broken]:
    async with store.read() as tx:
        return [broken async for broken in check(tx)]


async def test_a_whole_store_has_nothing_to_report(full: Store) -> None:
    assert await found(full) == []


async def test_an_empty_store_has_nothing_to_report(store: Store) -> None:
    assert await found(store) == []


@pytest.mark.parametrize(
    ("damage", "invariant", "where"),
    [
        ("UPDATE status_lists SET allocated = 7", Invariant.ONE_INDEX, "status_lists/"),
        ("UPDATE status_lists SET size_bits = 1", Invariant.ONE_INDEX, "status_lists/"),
        ("UPDATE status_entries SET value = 0", Invariant.STATUS_SHOWN, "issued_credentials/i-e2"),
        ("UPDATE status_entries SET value = 1", Invariant.STATUS_SHOWN, "issued_credentials/i-e1"),
        ("UPDATE issued_credentials SET state = 'active'", Invariant.STATUS_SHOWN, "issued_credentials/i-e2"),
        ("UPDATE status_lists SET document = x'7B7D'", Invariant.STATUS_SHOWN, "status_lists/"),
        ("UPDATE outbox SET next_attempt = NULL", Invariant.MESSAGES_WAIT, "outbox/lane/c1"),
        ("UPDATE outbox SET sequence = -sequence", Invariant.MESSAGES_WAIT, "outbox/lane/c1"),
        ("DELETE FROM connections", Invariant.REFERENCES, "connections/c1"),
        ("DELETE FROM keys", Invariant.REFERENCES, "keys/"),
        ("UPDATE exchanges SET data = x'00' WHERE id = 'e1'", Invariant.CONTENTS, "exchanges/e1"),
        ("UPDATE status_entries SET reason = x'00' WHERE value = 1", Invariant.CONTENTS, "status_entries/"),
        (
            "UPDATE held_credentials SET document = (SELECT document FROM held_credentials WHERE id = 'h-e1')",
            Invariant.CONTENTS,
            "held_credentials/h-e2",
        ),
        ("UPDATE former_names SET did = x'00' WHERE did IS NOT NULL", Invariant.CONTENTS, "former_names/c1"),
        ("UPDATE events SET data = x'00'", Invariant.CONTENTS, "events/ev1"),
        ("UPDATE events SET type = 'u'", Invariant.CONTENTS, "events/ev1"),
        ("UPDATE events SET lane = 'e2'", Invariant.CONTENTS, "events/ev1"),
        ("UPDATE jobs SET id = 'j2'", Invariant.CONTENTS, "jobs/j2"),
        ("UPDATE verifications SET result = x'', document = x''", Invariant.CONTENTS, "verifications/v1"),
        ("INSERT INTO issued_credentials SELECT 'i9', NULL, 0, NULL, document, details, x'00', NULL, NULL, 1, "
         "'active' FROM issued_credentials WHERE id = 'i-e1'", Invariant.TRAIL, "issued_credentials/i9"),
        ("DROP TRIGGER audit_no_update; UPDATE audit SET actor = 'x' WHERE seq = 2", Invariant.TRAIL, "audit/2"),
    ],
)  # fmt: skip
async def test_damage_is_found_and_named(full: Store, damage: str, invariant: Invariant, where: str) -> None:
    # Behind the node's back, and without the database's own constraints.
    changed(full.path, f"PRAGMA foreign_keys = OFF; {damage};")
    broken = await found(full)
    assert [each for each in broken if each.invariant is invariant and each.where.startswith(where)], broken


@pytest.mark.parametrize(
    ("table", "column"), [("issued_credentials", "exchange_id"), ("held_credentials", "exchange_id")]
)
async def test_a_second_record_of_an_exchange_is_found(full: Store, table: str, column: str) -> None:
    changed(
        full.path,
        # A table without the constraint that the real one has, as a damaged file may be.
        f"PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; ALTER TABLE {table} RENAME TO old; "
        f"CREATE TABLE {table} AS SELECT * FROM old; UPDATE {table} SET {column} = 'e1';",
    )
    assert Invariant.ONE_RECORD in {each.invariant for each in await found(full)}


def _sealed_columns() -> set[str]:
    """Every column that a module of the store seals something for, by the constants that it names them with."""
    found: set[str] = set()
    for file in Path(storage.__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        named = {
            target.id: value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for targets, values in [(node.targets[0], node.value)]
            for target, value in (
                zip(targets.elts, values.elts, strict=True)
                if isinstance(targets, ast.Tuple) and isinstance(values, ast.Tuple)
                else [(targets, values)]
            )
            if isinstance(target, ast.Name) and isinstance(value, ast.Constant)
        }
        found |= {
            str(named[node.args[0].id])
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"seal", "seal_json"}
            and "sealing" in ast.unparse(node.func.value)
            and isinstance(node.args[0], ast.Name)
        }
    return found


def test_every_column_that_is_sealed_is_looked_into() -> None:
    looked_into = {f"{table}.{column}" for table, columns in _SEALED.items() for column in columns}
    with_own_checks = {"status_entries.reason", "former_names.did", "events.data"}
    assert _sealed_columns() == looked_into | with_own_checks
