"""Rules, lists and accreditations in the store, on each engine: found by DID, in the edition that is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from protocols.credentials.trust.grants import Action, By, Grant, Origin
from protocols.credentials.trust.recognition import Entry
from protocols.credentials.trust.scope import Scope
from protocols.errors import WrongState
from storage import trust, trust_lists
from storage.engine import Store
from storage.trust import Rule
from storage.trust_lists import Followed, KeptAccreditation, Publication

NOW = datetime(2026, 11, 1, tzinfo=UTC)
COLLEGE, QUALITY = "did:web:college.example", "did:web:quality.example"
SCOPE = Scope(frozenset({"Certificate"}), frozenset(), frozenset({"https://www.onetonline.org/"}))


def followed(**changes: object) -> Followed:
    row = Followed(
        id="l-1", kind=By.LIST, name="Colleges", list_id="https://c.example/trust/colleges", publisher=QUALITY,
        source="https://c.example/trust/colleges", accreditors=False, sequence=1, body=b"{}", signed_at=NOW,
        valid_until=NOW + timedelta(days=30), fetched=NOW, refresh=NOW + timedelta(days=1),
    )  # fmt: skip
    return replace(row, **changes)  # type: ignore[arg-type]  # of a test


async def test_a_rule_is_found_by_its_did_as_it_was_added(store: Store) -> None:
    origin = Origin(by=By.RULE, id="r-1", name="Visited")
    rule = Rule(
        id="r-1", grant=Grant(did=COLLEGE, scope=SCOPE, start=NOW, end=None, origin=origin), note="Visited", created=NOW
    )
    async with store.write() as tx:
        assert not await trust.has_any(tx)
        await trust.add_rule(tx, rule)
    async with store.read() as tx:
        assert await trust.rules_about(tx, COLLEGE) == await trust.rules(tx) == [rule]
        assert await trust.find_rules_by_prefix(tx, "r-") == [rule]
        assert await trust.rules_about(tx, QUALITY) == []
        assert await trust.has_any(tx)
    async with store.write() as tx:
        await trust.remove_rule(tx, "r-1")
        with pytest.raises(WrongState):
            await trust.remove_rule(tx, "r-1")


async def test_a_new_edition_takes_the_place_of_the_one_before_with_all_its_entries(store: Store) -> None:
    old = [Entry(did=COLLEGE, scope=SCOPE), Entry(did=QUALITY, scope=Scope(), action=Action.RECOGNIZE)]
    async with store.write() as tx:
        await trust_lists.keep(tx, followed(), old)
    async with store.read() as tx:
        (grant,) = await trust_lists.grants_about(tx, COLLEGE)
        assert (grant.scope, grant.origin.by, grant.origin.publisher, grant.origin.sequence) == (
            SCOPE,
            By.LIST,
            QUALITY,
            1,
        )
        assert await trust_lists.grants_about(tx, QUALITY) == []
        assert await trust_lists.due(tx, NOW) == ([], NOW + timedelta(days=1))
        assert await trust_lists.due(tx, NOW + timedelta(days=1)) == ([followed()], None)
    newer = followed(sequence=2, accreditors=True)
    async with store.write() as tx:
        await trust_lists.keep(tx, newer, old[1:])
        await trust_lists.note_failure(tx, "l-1", "net.timeout", NOW)
    async with store.read() as tx:
        assert await trust_lists.grants_about(tx, COLLEGE) == []
        assert [grant.action for grant in await trust_lists.grants_about(tx, QUALITY)] == [Action.RECOGNIZE]
        assert await trust_lists.find(tx, newer.list_id) == replace(newer, error_code="net.timeout", refresh=NOW)
    async with store.write() as tx:
        await trust_lists.remove(tx, "l-1")
        assert await trust_lists.grants_about(tx, QUALITY) == []
        assert not await trust_lists.has_any(tx)


async def test_accreditations_and_publications_are_found_and_kept_once(store: Store) -> None:
    kept = KeptAccreditation(id="a" * 32, dids=(COLLEGE, QUALITY), accreditor="did:web:ministry.example", kept=NOW)
    edition = Publication(
        name="colleges", title="C", days=30, sequence=1, document=b"x", etag="e", published=NOW, valid_until=NOW
    )
    async with store.write() as tx:
        for _ in range(2):
            await trust_lists.keep_accreditation(tx, kept, b"document")
            await trust_lists.put_publication(tx, edition)
    async with store.read() as tx:
        assert await trust_lists.accreditations_about(tx, COLLEGE) == [b"document"]
        assert await trust_lists.accreditations(tx, prefix="aa") == [kept]
        assert await trust_lists.publications(tx) == [edition]
        assert await trust_lists.find_publication(tx, "colleges") == edition
    async with store.write() as tx:
        await trust_lists.forget_accreditation(tx, kept.id)
        assert await trust_lists.accreditations_about(tx, QUALITY) == []
