"""What ``compacted.py`` relies on: no bundled context gives what verification reads a second name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from protocols.credentials.compacted import SECOND_NAMES
from protocols.credentials.inline_contexts import FREE_NAMES, RESERVED_NAMESPACES
from protocols.jsonld.contexts import BUNDLED

CRED = "https://www.w3.org/2018/credentials#"
SEC = "https://w3id.org/security#"
STATUS = "https://www.w3.org/ns/credentials/status#"
READ = {
    **{
        CRED + name: name
        for name in (
            "issuer", "credentialSubject", "credentialStatus", "credentialSchema", "validFrom", "validUntil",
            "issuanceDate", "expirationDate", "holder", "verifiableCredential", "VerifiableCredential",
            "VerifiablePresentation",
        )
    },
    **{
        SEC + name: name
        for name in (
            "proof", "proofPurpose", "verificationMethod", "challenge", "domain", "cryptosuite", "previousProof",
        )
    },
    **{STATUS + name: name for name in ("statusListCredential", "statusListIndex", "statusPurpose", "encodedList")},
    SEC + "expiration": "expires",
}  # fmt: skip


def terms(context: Any, prefixes: dict[str, str] | None = None) -> Iterator[tuple[str, str]]:
    """Every term of a context and of the contexts within it, with its IRI, prefixes resolved."""
    if isinstance(context, list):
        for item in context:
            yield from terms(item, prefixes)
    if not isinstance(context, dict):
        return
    named = {**(prefixes or {}), **{name: value for name, value in context.items() if isinstance(value, str)}}
    for name, definition in context.items():
        iri = definition.get("@id", name) if isinstance(definition, dict) else definition
        if isinstance(iri, str) and not name.startswith("@"):
            prefix, colon, rest = iri.partition(":")
            yield name, named[prefix] + rest if colon and prefix in named else iri
        if isinstance(definition, dict):
            yield from terms(definition.get("@context"), named)


@pytest.mark.parametrize("url", BUNDLED)
def test_what_verification_reads_has_one_name_in_every_context(url: str) -> None:
    seen = list(terms(BUNDLED[url].load()["@context"]))
    assert seen
    others = {name for name, iri in seen if READ.get(iri, name) != name}
    assert others <= SECOND_NAMES


@pytest.mark.parametrize("url", BUNDLED)
def test_keywords_have_no_other_names_than_id_and_type(url: str) -> None:
    aliases = {(name, iri) for name, iri in terms(BUNDLED[url].load()["@context"]) if iri.startswith("@")}
    assert aliases <= {("id", "@id"), ("type", "@type")}


@pytest.mark.parametrize("url", BUNDLED)
def test_an_inline_context_cannot_reach_what_verification_reads(url: str) -> None:
    known = {iri for _, iri in terms(BUNDLED[url].load()["@context"]) if iri in READ}
    assert all(iri.startswith(RESERVED_NAMESPACES) for iri in known | set(READ))
    assert not any(FREE_NAMES.fullmatch(iri) for iri in known | set(READ))


@pytest.mark.parametrize("url", BUNDLED)
def test_what_an_inline_context_may_define_has_no_other_name_in_a_bundled_one(url: str) -> None:
    for name, iri in terms(BUNDLED[url].load()["@context"]):
        is_free = FREE_NAMES.fullmatch(iri) is not None or (":" in iri and not iri.startswith(RESERVED_NAMESPACES))
        assert not is_free or iri.startswith("sec:") or iri.rpartition("/")[2] == name, (name, iri)


def test_no_property_of_bundled_contexts_has_two_names() -> None:
    names: dict[str, set[str]] = {}
    for bundled in BUNDLED.values():
        for name, iri in terms(bundled.load()["@context"]):
            if not iri.startswith("@"):
                names.setdefault(iri, set()).add(name)
    assert all(len(several - SECOND_NAMES) <= 1 for several in names.values())
