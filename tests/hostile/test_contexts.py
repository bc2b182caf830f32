"""Contexts changed after signing, under every cryptosuite that there is: what a term means is part of what was signed.

A signature over RDF covers what terms mean and not how their contexts are written, so a context that changes no meaning
may be added to a record or taken from it; a signature over JSON covers the contexts themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from protocols.credentials.data_integrity import CRYPTOSUITES, UnsecuredDocument
from protocols.credentials.data_integrity.suite import Selective
from protocols.credentials.verification import Check, Outcome
from protocols.errors import BadInput
from protocols.jsonld.contexts import BUNDLED
from protocols.jsonld.processor import DEFAULT
from tests.credentials.worlds import (
    ISSUER,
    ISSUER_P256,
    ISSUER_P384,
    OB,
    V1,
    V2,
    check_credential,
    codes,
    did,
    issue,
    record,
)

TERMS = "https://college.example/terms#"
INLINE = {"grade": {"@id": TERMS + "grade"}}
EVIL = "https://evil.example/"
EACH = pytest.mark.parametrize(
    ("suite", "by"),
    [
        pytest.param(name, by, id=f"{name} with {by.codec.name}")
        for name, suite in CRYPTOSUITES.items()
        for by in (ISSUER, ISSUER_P256, ISSUER_P384)
        if by.codec in suite.key_types
    ],
)
CHECKS = {Check.CONTEXT, Check.PROOF, Check.STRUCTURE}


def secured(name: str, by: Any) -> dict[str, Any]:
    """A record with terms of a bundled and of an inline context; where parts can be shown, all of them are."""
    unsigned = record(issuer={"id": did(by), "type": ["Profile"], "name": "College"})
    unsigned["@context"] = [V2, OB, INLINE]
    unsigned["credentialSubject"]["grade"] = "A"
    suite = CRYPTOSUITES[name]
    if not isinstance(suite, Selective):
        return issue(unsigned, by=by, suite=name)
    parts = [f"/{member}" for member in unsigned if member != "@context"]
    signed = issue(unsigned, by=by, suite=name, mandatory_pointers=parts[:2], entropy=_entropy)
    bare = {member: value for member, value in signed.items() if member != "proof"}
    return suite.derive(UnsecuredDocument(bare, DEFAULT), signed["proof"], selective_pointers=parts[2:])


def _entropy(size: int) -> bytes:
    return hashlib.shake_256(b"entropy").digest(size)


def names(value: Any) -> Iterator[str]:
    """The terms of a document: its properties and types."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in ("@context", "proof"):
                yield name
                yield from names(member)
            if name == "type":
                yield from member if isinstance(member, list) else [member]
    elif isinstance(value, list):
        for member in value:
            yield from names(member)


def verified_with(document: dict[str, Any], contexts: Any) -> bool:
    result = check_credential({**document, "@context": contexts})
    if not result.verified:
        assert codes(result, outcome=Outcome.FAIL).keys() & CHECKS, contexts
    return result.verified


@EACH
def test_a_context_taken_away_exchanged_or_put_elsewhere_breaks_the_record(suite: str, by: Any) -> None:
    signed = secured(suite, by)
    contexts = signed["@context"]
    assert verified_with(signed, contexts)
    for changed in (
        None, [], {}, V2, [V2], [V2, OB], [V2, INLINE], [OB, V2, INLINE], [INLINE, V2, OB], [V1, OB, INLINE],
        [V2, OB.replace("3.0.3", "3.0.1"), {"grade": {"@id": EVIL + "grade"}}], [V2, OB, None, INLINE],
        [None, *contexts], [V2, [OB], {"grade": {"@id": TERMS + "grade", "@type": "@id"}}], [*contexts, None], [{}],
        [V2, OB, {"grade": {"@id": TERMS + "grade", "@language": "en"}}], [V2, OB, {"mark": TERMS + "grade"}],
        [V2, OB, {"grade": None}], [V2 + "#", OB, INLINE], [V2, OB, "https://w3id.org/security/unknown/v1", INLINE],
    ):  # fmt: skip
        assert not verified_with(signed, changed), changed


@EACH
def test_a_term_given_another_meaning_breaks_the_record(suite: str, by: Any) -> None:
    signed = secured(suite, by)
    terms = sorted(set(names(signed)))
    assert {"grade", "issuer", "narrative", "Achievement", "id"} <= set(terms)
    for term in terms:
        for meaning in (EVIL + term, None, {"@id": EVIL + term, "@protected": True}, "@id"):
            if (term, meaning) != ("id", "@id"):
                assert not verified_with(signed, [*signed["@context"], {term: meaning}]), (term, meaning)
        assert not verified_with(signed, [V2, OB, {**INLINE, term: {"@id": EVIL + term}}]), term


@EACH
@pytest.mark.parametrize(
    "more",
    [
        {"@vocab": EVIL}, {"@vocab": TERMS}, {"@base": EVIL}, {"@language": "en"}, {"@direction": "rtl"},
        {"@import": OB}, {"@version": 1.0}, {"@propagate": False, "grade": EVIL}, {"@protected": True, "grade": EVIL},
        {"proof": None}, {"proof": {"@id": EVIL, "@container": "@graph"}}, {"proofValue": EVIL}, {"created": EVIL},
        {"verificationMethod": EVIL}, {"proofPurpose": EVIL}, {"@foo": EVIL}, {"grade": {"@reverse": TERMS + "grade"}},
        {"grade": {"@id": TERMS + "grade", "@container": "@language"}}, {"x": "@graph"}, {"name": "@none"},
    ],
    ids=str,
)  # fmt: skip
def test_an_inline_context_that_says_more_breaks_the_record(suite: str, by: Any, more: dict[str, Any]) -> None:
    signed = secured(suite, by)
    contexts = [V2, OB, {**INLINE, **more}]
    assert verified_with(signed, contexts) <= is_harmless(suite, signed, {**signed, "@context": contexts})


@EACH
@pytest.mark.parametrize("url", BUNDLED)
def test_a_context_that_is_added_breaks_the_record_unless_it_changes_no_meaning(suite: str, by: Any, url: str) -> None:
    signed = secured(suite, by)
    contexts = signed["@context"]
    for added in ([*contexts, url], [contexts[0], url, *contexts[1:]]):
        changed = {**signed, "@context": added}
        assert url in contexts or verified_with(signed, added) <= is_harmless(suite, signed, changed)


def is_harmless(suite: str, signed: dict[str, Any], changed: dict[str, Any]) -> bool:
    """Whether both say the same, and the suite covers no more than what is said."""
    return "jcs" not in suite and meaning(signed) == meaning(changed)


def meaning(document: dict[str, Any]) -> str | None:
    try:
        return DEFAULT.canonical_nquads({name: value for name, value in document.items() if name != "proof"})
    except BadInput:
        return None


@EACH
def test_a_context_inside_the_record_breaks_it_unless_it_changes_no_meaning(suite: str, by: Any) -> None:
    signed = secured(suite, by)
    for inner in (OB, V2, {}, None, [], {"grade": EVIL}, {"@vocab": EVIL}, {"name": EVIL}, [None, V2, OB, INLINE]):
        changed = {**signed, "credentialSubject": {"@context": inner, **signed["credentialSubject"]}}
        assert check_credential(changed).verified <= is_harmless(suite, signed, changed), inner
    for inner in ({"grade": EVIL}, {"created": EVIL}, {"proofValue": EVIL}, {"verificationMethod": EVIL}, None):
        assert not check_credential({**signed, "proof": {**signed["proof"], "@context": inner}}).verified, inner
