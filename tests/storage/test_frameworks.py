"""Frameworks in the store: whole or not at all, found by words in any script, compared, and old versions kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from protocols.errors import WrongState
from storage import frameworks, moving
from storage.engine import Store
from storage.engines import open_store
from storage.frameworks import CHILD, Item, Label, Relation, Version
from tests.postgresql import new_store_url

NOW = datetime(2026, 5, 1, tzinfo=UTC)


async def put(store: Store, version_id: str, items: list[Item], parents: dict[str, str] | None = None) -> Version:
    """Import a version of the framework ``f``."""
    draft = Version(
        id=version_id, framework_id="f", number=0, title="F", version="", source="", licence="", format="csv",
        digest=f"sha-256:{version_id}", imported=NOW,
    )  # fmt: skip
    related = [Relation(source=child, kind=CHILD, target=parent) for child, parent in (parents or {}).items()]
    async with store.write() as tx:
        draft = await frameworks.begin(tx, draft, {})
        await frameworks.add_items(tx, draft.id, items, position=0)
        await frameworks.add_relations(tx, draft.id, related)
        await frameworks.complete(tx, draft)
    return replace(draft, items=len(items))


def skill(code: str, name: str, **more: object) -> Item:
    return Item(key=code, code=code, name=name, **more)  # type: ignore[arg-type]  # of a test


async def found(store: Store, words: str) -> list[str | None]:
    async with store.read() as tx:
        return [each.item.code for each in await frameworks.search(tx, words)]


async def test_words_are_found_by_their_beginnings_in_any_script_case_and_accent(store: Store) -> None:
    await put(
        store,
        "v1",
        [
            skill("A.1", "Grüße schreiben"),
            skill("A.2", "Critical Thinking", labels=(Label("pensée critique", "fr"),)),
            skill("A.3", "كِتابة تقنية"),
            skill("A.4", "नमस्ते कहना"),
            skill("A.5", "Thinking critically, and much more of it"),
            skill("51-4121.00", "Welders' O'Brien & \"Sons\""),
        ],
    )
    assert await found(store, "GRUSSE") == ["A.1"]
    assert await found(store, "crit think") == ["A.2", "A.5"]
    assert await found(store, "pensee") == ["A.2"]
    assert await found(store, "كتابة") == ["A.3"]
    assert await found(store, "नमस्ते") == ["A.4"]
    assert await found(store, "51-4121") == ["51-4121.00"]
    assert await found(store, 'o\'brien "sons" & | ! * : ( )') == ["51-4121.00"]
    assert await found(store, "OR NOT") == await found(store, " ' ") == []


async def test_a_version_is_seen_only_once_it_is_complete(store: Store) -> None:
    draft = Version(
        id="v", framework_id="f", number=0, title="F", version="", source="", licence="", format="csv",
        digest="d", imported=NOW,
    )  # fmt: skip
    async with store.write() as tx:
        draft = await frameworks.begin(tx, draft, {"name": "Titel"})
        await frameworks.add_items(tx, draft.id, [skill("A", "apple")], position=0)
    assert await found(store, "apple") == []
    async with store.read() as tx:
        assert await frameworks.versions(tx) == []
        assert await frameworks.known(tx, {"A"}) == frozenset()
        assert [each.items for each in await frameworks.drafts(tx)] == [1]
        assert await frameworks.mapping(tx, "f") == {"name": "Titel"}
    async with store.write() as tx:
        await frameworks.discard(tx, draft.id)
    async with store.read() as tx:
        assert await frameworks.drafts(tx) == []
        assert (await tx.all("SELECT rowid FROM framework_words")) == []
        assert await frameworks.mapping(tx, "f") == {}


async def test_a_new_version_is_shown_and_the_old_one_stays_known(store: Store) -> None:
    old = await put(store, "v1", [skill("A", "apple"), skill("B", "pear")])
    new = await put(store, "v2", [skill("A", "big apple")])
    assert (old.number, new.number) == (1, 2)
    assert await found(store, "pear") == []
    assert await found(store, "apple") == ["A"]
    async with store.read() as tx:
        assert await frameworks.known(tx, {"A", "B", "C"}) == {"A", "B"}
        assert [each.number for each in await frameworks.items(tx, "B")] == [1]
        assert [each.item.name for each in await frameworks.items(tx, "A")] == ["big apple"]
        assert [item.name for _, item in await frameworks.page(tx, old.id)] == ["apple", "pear"]
        assert (await frameworks.latest(tx, "f", 1)).items == 2


async def test_a_complete_version_does_not_change(store: Store) -> None:
    version = await put(store, "v1", [skill("A", "apple")])
    async with store.write() as tx:
        await frameworks.discard(tx, version.id)
        await frameworks.complete(tx, replace(version, title="other"))
    async with store.read() as tx:
        assert (await frameworks.latest(tx, "f")).title == "F"
    assert await found(store, "apple") == ["A"]


async def test_two_versions_are_compared(store: Store) -> None:
    old = await put(
        store,
        "v1",
        [skill("A", "a"), skill("B", "b"), skill("C", "c"), skill("D", "d"), skill("E", "e")],
        {"C": "A"},
    )
    new = await put(
        store, "v2", [skill("A", "a"), skill("B", "bb"), skill("C", "c"), skill("E", "e"), skill("N", "n")], {"C": "B"}
    )
    async with store.read() as tx:
        difference = await frameworks.difference(tx, old.id, new.id)
        assert difference.counts == {"added": 1, "removed": 1, "changed": 1, "moved": 1}
        assert [change.new_name for change in difference.added] == ["n"]
        assert [change.old_name for change in difference.removed] == ["d"]
        assert [(change.old_name, change.new_name) for change in difference.changed] == [("b", "bb")]
        assert [(change.old_parent, change.new_parent) for change in difference.moved] == [("A", "B")]


async def test_the_tree_has_a_top_and_what_stands_under_each_item(store: Store) -> None:
    version = await put(
        store, "v1", [skill("A", "a"), skill("B", "b"), skill("A.1", "a1"), skill("A.2", "a2")],
        {"A": "https://no.item/document", "A.1": "A", "A.2": "A"},
    )  # fmt: skip
    async with store.read() as tx:
        top = await frameworks.children(tx, version, None)
        assert [each.item.code for each in top] == ["A", "B"]
        under = await frameworks.children(tx, version, "A")
        assert [each.item.code for each in under] == ["A.1", "A.2"]
        assert [each.item.parent for each in under] == ["A", "A"]


async def test_what_is_related_is_found_from_both_sides_the_most_important_first(store: Store) -> None:
    welder, reading, maths = skill("W", "welder"), skill("R", "reading"), skill("M", "maths")
    version = await put(store, "v1", [welder, reading, maths])
    draft = replace(version, id="x", framework_id="crosswalk", digest="x")
    async with store.write() as tx:
        await frameworks.begin(tx, draft, {})
        needs = [
            Relation(source="W", kind="requires", target="R", importance=288, level=262),
            Relation(source="W", kind="requires", target="M", importance=412),
            Relation(source="https://other.example/w", kind="exactMatch", target="W"),
        ]
        await frameworks.add_relations(tx, draft.id, needs)
        await frameworks.complete(tx, draft)
    async with store.read() as tx:
        of_welder = await frameworks.related(tx, welder)
        assert [(r.kind, name, r.importance) for r, name in of_welder] == [
            ("requires", "maths", 412), ("requires", "reading", 288), ("exactMatch", None, None),
        ]  # fmt: skip
        assert [name for _, name in await frameworks.related(tx, maths)] == ["welder"]


async def test_a_removed_framework_leaves_nothing(store: Store) -> None:
    await put(store, "v1", [skill("A", "apple")], {"A": "A0"})
    await put(store, "v2", [skill("A", "apple")])
    async with store.write() as tx:
        await frameworks.remove(tx, "f")
    async with store.read() as tx:
        for table in ("frameworks", "framework_versions", "framework_items", "framework_words", "framework_relations"):
            assert await tx.all(f"SELECT * FROM {table}") == []
        with pytest.raises(WrongState):
            await frameworks.latest(tx, "f")
    with pytest.raises(WrongState):
        async with store.write() as tx:
            await frameworks.remove(tx, "f")


async def test_skills_are_found_by_their_words_in_a_copy_on_the_other_engine_and_back(
    store: Store, tmp_path: Path
) -> None:
    await put(store, "v1", [skill("A", "Grüße schreiben")])
    there = await open_store(new_store_url(), create=True)
    back = await open_store(tmp_path / "back.db", create=True)
    await moving.copy(store, there)
    await moving.copy(there, back)
    assert await found(there, "grusse") == await found(back, "grusse") == ["A"]
    await there.close()
    await back.close()
