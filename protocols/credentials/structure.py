"""The rules of the W3C data model that a document keeps or breaks by itself: no network, no keys, no clock.

Specs: Verifiable Credentials Data Model 2.0 §4 and, for documents of its first context, 1.1 §4 to §6. Every problem
names the rule and the section that it breaks. What the JSON-LD processor finds (undefined terms) is not said here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from protocols.credentials.digests import is_digest_sri
from protocols.credentials.enveloped import ENVELOPED_CREDENTIAL, envelope_problems
from protocols.credentials.model import Version, as_list, contexts, has_type, id_of, is_url, version_of
from protocols.credentials.problem import Problem
from protocols.credentials.times import parse_time

__all__ = ["MAX_CREDENTIALS", "MAX_PROOFS", "MAX_SCHEMAS", "MAX_STATUS_ENTRIES", "Problem", "credential_problems",
           "presentation_problems"]  # fmt: skip

MAX_PROOFS = 16
MAX_STATUS_ENTRIES = 16
MAX_SCHEMAS = 8
MAX_CREDENTIALS = 128

_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", re.ASCII).fullmatch
_RESERVED = ("confidenceMethod", "renderMethod")
"""Properties that are nobody's yet, whose values have to say by a type whose they are (VCDM 2.0 §5.10)."""

_Rule = Callable[[dict[str, Any], Version], Iterator["Problem"]]


def credential_problems(document: dict[str, Any]) -> list[Problem]:
    """The rules for credentials that ``document`` breaks; empty where it breaks none."""
    return _problems(document, "VerifiableCredential", _CREDENTIAL_RULES)


def presentation_problems(document: dict[str, Any]) -> list[Problem]:
    """The rules for presentations that ``document`` breaks, leaving aside those of the credentials in it."""
    return _problems(document, "VerifiablePresentation", _PRESENTATION_RULES)


def _problems(document: dict[str, Any], kind: str, rules: tuple[_Rule, ...]) -> list[Problem]:
    version = version_of(document)
    if version is None:
        message = "The first @context is not that of Verifiable Credentials 2.0 or 1.1."
        return [Problem("context.first", message, "VCDM 2.0 §4.3")]
    found = [problem for rule in (_context, _id, _proof, *rules) for problem in rule(document, version)]
    if not has_type(document, kind):
        found.insert(0, Problem("type.missing", f"The type does not include {kind}.", "VCDM 2.0 §4.5"))
    return found


def _context(document: dict[str, Any], _version: Version) -> Iterator[Problem]:
    if not isinstance(document["@context"], list):
        yield Problem("context.set", "The @context is not an ordered set.", "VCDM 2.0 §4.3")
    elif not all(isinstance(item, dict) or is_url(item) for item in contexts(document)):
        yield Problem("context.item", "An item of @context is neither a URL nor an object.", "VCDM 2.0 §4.3")


def _id(document: dict[str, Any], _version: Version) -> Iterator[Problem]:
    if "id" in document and not is_url(document["id"]):
        yield Problem("id.url", "The id is not a URL.", "VCDM 2.0 §4.4")
    if not _is_type(document.get("type")):
        yield Problem("type.terms", "The type is not one or more terms and absolute URLs.", "VCDM 2.0 §4.5")


def _proof(document: dict[str, Any], _version: Version) -> Iterator[Problem]:
    proofs = as_list(document.get("proof"))
    if len(proofs) > MAX_PROOFS:
        yield Problem("proof.many", f"There are more than {MAX_PROOFS} proofs.", "VCDM 2.0 §4.12")
    if not all(isinstance(proof, dict) for proof in proofs):
        yield Problem("proof.object", "A proof is not an object.", "VC Data Integrity 1.0 §2.1")
    elif not all(_is_type(proof.get("type")) for proof in proofs):
        yield Problem("proof.type", "A proof has no type.", "VC Data Integrity 1.0 §2.1")
    elif any(has_type(proof, "DataIntegrityProof") and not _is_name(proof.get("cryptosuite")) for proof in proofs):
        yield Problem("proof.cryptosuite", "A DataIntegrityProof names no cryptosuite.", "VC Data Integrity 1.0 §2.1")
    ids = [proof["id"] for proof in proofs if isinstance(proof, dict) and "id" in proof]
    if not all(is_url(item) for item in ids) or len({str(item) for item in ids}) != len(ids):
        yield Problem("proof.id", "The ids of the proofs are not distinct URLs.", "VC Data Integrity 1.0 §2.1")


def _texts(document: dict[str, Any], version: Version) -> Iterator[Problem]:
    if version is Version.V1_1:
        return
    issuer = document.get("issuer")
    for holder, prefix in ((document, ""), (issuer if isinstance(issuer, dict) else {}, "issuer.")):
        for name in ("name", "description"):
            if name in holder and not _is_text(holder[name]):
                message = f"The {prefix}{name} is neither text nor language value objects."
                yield Problem(f"{prefix}{name}.text", message, "VCDM 2.0 §4.6, §11.1")


def _issuer(document: dict[str, Any], _version: Version) -> Iterator[Problem]:
    if "issuer" not in document:
        yield Problem("issuer.missing", "There is no issuer.", "VCDM 2.0 §4.7")
    elif id_of(document["issuer"]) is None:
        yield Problem("issuer.url", "The issuer is neither a URL nor an object whose id is one.", "VCDM 2.0 §4.7")


def _subject(document: dict[str, Any], _version: Version) -> Iterator[Problem]:
    values = as_list(document.get("credentialSubject"))
    if not values:
        yield Problem("subject.missing", "There is no credentialSubject.", "VCDM 2.0 §4.8")
    elif not all(isinstance(value, dict) for value in values):
        yield Problem("subject.object", "A credentialSubject is not an object.", "VCDM 2.0 §4.8")
    elif not all(values):  # one that says whom alone is a claim too: that the credential has this subject
        yield Problem("subject.claims", "A credentialSubject makes no claim.", "VCDM 2.0 §4.8")
    elif not all(_id_is_url_if_there(value) for value in values):
        yield Problem("subject.id", "The id of a credentialSubject is not a URL.", "VCDM 2.0 §4.8")


def _period(document: dict[str, Any], version: Version) -> Iterator[Problem]:
    second = version is Version.V2_0
    start_name, end_name = ("validFrom", "validUntil") if second else ("issuanceDate", "expirationDate")
    spec = "VCDM 2.0 §4.9" if second else "VCDM 1.1 §4.5, §4.6"
    if not second and start_name not in document:
        yield Problem("issuanceDate.missing", "There is no issuanceDate.", spec)
    times = []
    for name in (start_name, end_name):
        if name not in document:
            continue
        time = parse_time(document[name], zone_required=second)
        if time is None:
            yield Problem(f"{name}.time", f"The {name} is not an XML Schema date and time with a zone.", spec)
        times.append(time)
    if len(times) == 2 and times[0] is not None and times[1] is not None and times[1] < times[0]:
        yield Problem("period.order", f"The {end_name} is before the {start_name}.", spec)


def _status(document: dict[str, Any], version: Version) -> Iterator[Problem]:
    entries = as_list(document.get("credentialStatus"))
    spec = "VCDM 2.0 §4.10" if version is Version.V2_0 else "VCDM 1.1 §4.9"
    if len(entries) > MAX_STATUS_ENTRIES:
        yield Problem("status.many", f"There are more than {MAX_STATUS_ENTRIES} status entries.", spec)
    yield from _typed(document, "credentialStatus", spec, id_required=version is Version.V1_1)
    ids = [entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    if len(set(ids)) != len(ids):
        # In RDF, and so under the signature, entries of one id are one entry, whose parts could be mixed at will.
        yield Problem("credentialStatus.ambiguous", "Two status entries have the same id.", spec)


def _extensions(document: dict[str, Any], version: Version) -> Iterator[Problem]:
    second = version is Version.V2_0
    if len(as_list(document.get("credentialSchema"))) > MAX_SCHEMAS:
        yield Problem("credentialSchema.many", f"There are more than {MAX_SCHEMAS} schemas.", "VCDM 2.0 §4.11")
    yield from _typed(document, "credentialSchema", "VCDM 2.0 §4.11", id_required=True)
    yield from _typed(document, "refreshService", "VCDM 2.0 §5.4", id_required=not second)
    yield from _typed(document, "evidence", "VCDM 2.0 §5.6")


def _terms_of_use(document: dict[str, Any], _version: Version) -> Iterator[Problem]:
    yield from _typed(document, "termsOfUse", "VCDM 2.0 §5.5")


def _reserved(document: dict[str, Any], version: Version) -> Iterator[Problem]:
    if version is Version.V2_0:
        for name in _RESERVED:
            yield from _typed(document, name, "VCDM 2.0 §5.10")


def _related(document: dict[str, Any], version: Version) -> Iterator[Problem]:
    if version is Version.V1_1 or "relatedResource" not in document:
        return
    items = as_list(document["relatedResource"])
    spec = "VCDM 2.0 §5.3"
    if not items:
        yield Problem("relatedResource.empty", "There is no relatedResource in the set of them.", spec)
    if not all(isinstance(item, dict) and is_url(item.get("id")) for item in items):
        yield Problem("relatedResource.id", "A relatedResource is not an object whose id is a URL.", spec)
        return
    if len({item["id"] for item in items}) != len(items):
        yield Problem("relatedResource.unique", "Two relatedResources have the same id.", spec)
    if not all("digestSRI" in item or "digestMultibase" in item for item in items):
        yield Problem("relatedResource.digest", "A relatedResource has no digest.", spec)
    elif not all(_has_good_digests(item) for item in items):
        yield Problem("relatedResource.digest_form", "A digest of a relatedResource cannot be read.", spec)


def _holder(document: dict[str, Any], _version: Version) -> Iterator[Problem]:
    if "holder" in document and id_of(document["holder"]) is None:
        yield Problem("holder.url", "The holder is neither a URL nor an object whose id is one.", "VCDM 2.0 §4.13")


def _presented(document: dict[str, Any], version: Version) -> Iterator[Problem]:
    items = as_list(document.get("verifiableCredential"))
    spec = "VCDM 2.0 §4.13"
    if version is Version.V2_0 and "verifiableCredential" in document and not items:
        yield Problem("verifiableCredential.empty", "There is no credential in verifiableCredential.", spec)
    if len(items) > MAX_CREDENTIALS:
        yield Problem("verifiableCredential.many", f"There are more than {MAX_CREDENTIALS} credentials.", spec)
    # Version 1.1 lets credentials stand in a presentation as the text of a JWT (§6.3.1).
    objects = [item for item in items if not (version is Version.V1_1 and isinstance(item, str))]
    if not all(isinstance(item, dict) for item in objects):
        yield Problem("verifiableCredential.object", "Something in verifiableCredential is not an object.", spec)
        return
    for item in objects:
        if has_type(item, ENVELOPED_CREDENTIAL):
            yield from envelope_problems(item, ENVELOPED_CREDENTIAL)
        elif not has_type(item, "VerifiableCredential"):
            message = "Something in verifiableCredential is neither a credential nor an enveloped one."
            yield Problem("verifiableCredential.type", message, spec)


_CREDENTIAL_RULES: tuple[_Rule, ...] = (
    _texts, _issuer, _subject, _period, _status, _extensions, _terms_of_use, _reserved, _related,
)  # fmt: skip
_PRESENTATION_RULES: tuple[_Rule, ...] = (_holder, _presented, _terms_of_use)


def _typed(document: dict[str, Any], name: str, spec: str, *, id_required: bool = False) -> Iterator[Problem]:
    """Objects that have to have a type, and an id that is a URL where they have or need one."""
    if name not in document:
        return
    items = as_list(document[name])
    if not items:
        yield Problem(f"{name}.empty", f"There is no {name} in the set of them.", spec)
    for item in items:
        if not isinstance(item, dict):
            yield Problem(f"{name}.object", f"A {name} is not an object.", spec)
        elif not _is_type(item.get("type")):
            yield Problem(f"{name}.type", f"A {name} has no type.", spec)
        elif (id_required and "id" not in item) or not _id_is_url_if_there(item):
            yield Problem(f"{name}.id", f"The id of a {name} is not a URL.", spec)


def _id_is_url_if_there(item: dict[str, Any]) -> bool:
    return "id" not in item or is_url(item["id"])


def _is_type(value: Any) -> bool:
    names = as_list(value)
    return bool(names) and all(isinstance(name, str) and name and (":" not in name or is_url(name)) for name in names)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_text(value: Any) -> bool:
    """Whether this is a string, or one or several language value objects (VCDM 2.0 §11.1)."""
    items = as_list(value)
    return bool(items) and all(isinstance(item, str) or _is_language_value(item) for item in items)


def _is_language_value(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"@value", "@language", "@direction"}:
        return False
    language, direction = value.get("@language", "und"), value.get("@direction", "ltr")
    has_language = isinstance(language, str) and _LANGUAGE(language) is not None
    return isinstance(value.get("@value"), str) and has_language and direction in ("ltr", "rtl")


def _has_good_digests(item: dict[str, Any]) -> bool:
    multibase = as_list(item["digestMultibase"]) if "digestMultibase" in item else ["z"]
    is_readable = bool(multibase) and all(isinstance(text, str) and text[:1] in ("z", "u") for text in multibase)
    return is_readable and ("digestSRI" not in item or is_digest_sri(item["digestSRI"]))
