"""Many issued records put straight into a store, as if each had been offered over a connection and accepted."""

from __future__ import annotations

from datetime import timedelta

from node.runtime.world import World
from storage import credentials, status_lists
from storage.credentials import IssuedCredential, StatusRef
from storage.engine import Store
from storage.status_lists import Terms
from storage.values import to_micros

__all__ = ["fill"]

_AT_ONCE = 500
_PURPOSES = ("revocation", "suspension")
_PROTOCOL = "https://didcomm.org/issue-credential/2.0"
_DATA_BYTES = 4000
_INSERT_EXCHANGE = (
    "INSERT INTO exchanges (id, protocol, role, connection_id, thid, state, data, created, updated, version) "
    "VALUES (?, ?, 'issuer', ?, ?, 'done', ?, ?, ?, 4)"
)


async def fill(store: Store, world: World, *, issuer: str, connection_id: str, document: bytes, count: int) -> None:
    """Add ``count`` records, each to another subject, a second apart up to now.

    Args:
        issuer: the DID that signs the status lists.
        document: what each of them is.
    """
    now = world.clock()
    data = b"{" + b" " * _DATA_BYTES + b"}"
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        ids = [world.new_id() for _ in numbers]
        when = [now - timedelta(seconds=count - number) for number in numbers]
        async with store.write() as tx:
            await tx.execute_many(
                _INSERT_EXCHANGE,
                [
                    (each, _PROTOCOL, connection_id, each, tx.sealing.seal("exchanges.data", each, data), at, at)
                    for each, at in zip(ids, map(to_micros, when), strict=True)
                ],
            )
            places: dict[str, list[StatusRef]] = {each: [] for each in ids}
            for purpose in _PURPOSES:
                terms = Terms(purpose, issuer=issuer)
                found = await status_lists.allocate_all(
                    tx, terms=terms, exchange_ids=ids, entropy=world.entropy, now=now
                )
                for each, place in zip(ids, found, strict=True):
                    places[each].append(StatusRef(purpose=purpose, list_id=place.list_id, index=place.index))
            await credentials.add_issued(
                tx,
                *(
                    IssuedCredential(
                        id=each,
                        exchange_id=each,
                        connection_id=connection_id,
                        document=document,
                        credential_id=f"urn:uuid:{each}",
                        subject=f"mailto:{each}@example.org",
                        achievement_id=f"https://college.example/achievements/{number % 50}",
                        issued_at=at,
                        statuses=tuple(places[each]),
                    )
                    for number, each, at in zip(numbers, ids, when, strict=True)
                ),
            )
