"""The allow-list of contexts."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import pytest

from protocols.errors import BadInput
from protocols.jsonld.contexts import BUNDLED, Bundled, ContextStore
from protocols.jsonld.processor import Processor

DATA = files("protocols.jsonld").joinpath("data")


@pytest.mark.parametrize("entry", BUNDLED.values(), ids=lambda entry: entry.url)
def test_a_bundled_context_is_the_file_of_the_table(entry: Bundled) -> None:
    assert hashlib.sha256(DATA.joinpath(entry.file).read_bytes()).hexdigest() == entry.sha256
    assert "@context" in entry.load()
    assert entry.source
    assert entry.version
    assert entry.licence in {"W3C-20150513", "BSD-3-Clause", "MIT", "Apache-2.0"}


def test_every_file_of_the_folder_is_in_the_table() -> None:
    assert {item.name for item in DATA.iterdir()} == {entry.file for entry in BUNDLED.values()}


@pytest.mark.parametrize("url", BUNDLED)
def test_a_bundled_context_can_be_used_alone(url: str) -> None:
    nquads = Processor(ContextStore()).canonical_nquads({"@context": url, "@id": "urn:a", "urn:p": "x"})
    assert nquads == '<urn:a> <urn:p> "x" .\n'


def test_an_unknown_context_is_refused_and_named() -> None:
    with pytest.raises(BadInput) as refused:
        ContextStore().get("https://unknown.example/v1")
    assert refused.value.code == "jsonld.context_unknown"
    assert "https://unknown.example/v1" in refused.value.message
    assert "configure" in refused.value.hint


def test_a_configured_context_is_known_and_a_later_change_by_the_caller_is_not_seen() -> None:
    mine = {"@context": {"name": "urn:name"}}
    processor = Processor(ContextStore({"https://mine.example/v1": mine}))
    mine["@context"]["name"] = "urn:other"
    document = {"@context": "https://mine.example/v1", "@id": "urn:a", "name": "x"}
    assert processor.canonical_nquads(document) == '<urn:a> <urn:name> "x" .\n'


def test_a_configured_context_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        ContextStore({"https://mine.example/v1": {"name": "urn:name"}})
    assert refused.value.code == "jsonld.context_malformed"


def test_a_context_that_leads_to_an_unknown_one_is_refused() -> None:
    processor = Processor(ContextStore({"https://mine.example/v1": {"@context": "https://unknown.example/v1"}}))
    with pytest.raises(BadInput) as refused:
        processor.canonical_nquads({"@context": "https://mine.example/v1", "@id": "urn:a", "urn:p": "x"})
    assert refused.value.code == "jsonld.context_unknown"


def test_contexts_in_a_circle_are_refused() -> None:
    circle = {
        "https://a.example/": {"@context": "https://b.example/"},
        "https://b.example/": {"@context": "https://a.example/"},
    }
    with pytest.raises(BadInput) as refused:
        Processor(ContextStore(circle)).canonical_nquads({"@context": "https://a.example/", "urn:p": "x"})
    assert refused.value.code == "jsonld.context_invalid"
