"""Reading European Digital Credentials for Learning: the European Learning Model, version 3, as JSON-LD.

Spec: European Learning Model 3, application profile EDC. A learner claims achievements (whose specification may be a
qualification), activities, assessments and entitlements; achievements have parts, are proved by assessments, influenced
by activities, and entitle to more. Texts are language maps, levels and skills are concepts of published vocabularies
(EQF, ESCO).

Every reader here is total: for any JSON object it gives a value and never raises. Whether what it says is true is for
verification. What stands under a claim twice, or under itself, is read once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from protocols.credentials.checks.results import failed, passed
from protocols.credentials.model import (
    CONTEXT_V1,
    CONTEXT_V2,
    as_list,
    contexts,
    id_of,
    is_url,
    subjects,
    types_of,
)
from protocols.credentials.verification import Check, CheckResult
from protocols.jsonld.contexts import ContextStore

__all__ = ["ELM_CONTEXT", "EUROPEAN_DIGITAL_CREDENTIAL", "Claim", "Level", "as_open_badge", "claims_of",
           "read_by_terms_of"]  # fmt: skip

EUROPEAN_DIGITAL_CREDENTIAL = "EuropeanDigitalCredential"
ELM_CONTEXT = "http://data.europa.eu/snb/model/context/edc-ap"

_MAX_CLAIMS = 500
_MAX_DEPTH = 12
_MAX_SKILLS = 200
_ESCO = "http://data.europa.eu/esco/"
_EQF = "http://data.europa.eu/snb/eqf/"
_EQF_LEVELS = tuple(str(level) for level in range(1, 9))
_UNDER = (("hasPart", ""), ("provenBy", "proven by"), ("influencedBy", "influenced by"), ("entitlesTo", "entitles to"))
"""Property -> how what stands in it is to the claim; parts are what the claim is made of."""
_REFERENCE = frozenset({"id", "type"})
"""The members of an object that only names what is described elsewhere."""
_SPEC = "European Learning Model 3, EDC; VC-JOSE-COSE 1.0 §6"
_LANGUAGES = {
    "BUL": "bg", "CES": "cs", "DAN": "da", "DEU": "de", "ELL": "el", "ENG": "en", "EST": "et", "FIN": "fi", "FRA": "fr",
    "GLE": "ga", "HRV": "hr", "HUN": "hu", "ISL": "is", "ITA": "it", "LAV": "lv", "LIT": "lt", "MKD": "mk", "MLT": "mt",
    "NLD": "nl", "NOR": "no", "POL": "pl", "POR": "pt", "RON": "ro", "SLK": "sk", "SLV": "sl", "SPA": "es", "SQI": "sq",
    "SRP": "sr", "SWE": "sv", "TUR": "tr", "UKR": "uk",
}  # fmt: skip
"""The end of a language's URI in the EU's table -> its tag in a language map."""


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a qualifications framework, or a grade.

    Attributes:
        steps: the levels that there are, from low to high; empty where they are not known.
    """

    name: str
    value: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of a credential.

    Attributes:
        depth: 0 for what stands in ``hasClaim``.
        relation: how it is to the claim that it stands under; empty for a part, and at the top.
        kind: its class, ``Qualification`` where its specification is one.
        specification: the URL of what it is an instance of.
        bodies: who awarded it.
        skills: each an Open Badges Alignment (§B.4).
        levels: EQF and NQF level, and grades of what proves it.
    """

    depth: int
    relation: str
    id: str | None
    kind: str
    title: str
    description: str
    specification: str | None
    bodies: tuple[str, ...]
    skills: tuple[dict[str, Any], ...]
    levels: tuple[Level, ...]


def claims_of(document: dict[str, Any]) -> tuple[Claim, ...]:
    """The claims in the order of the document, each followed by what stands under it."""
    return tuple(_Reading(document).claims())


def as_open_badge(document: dict[str, Any]) -> dict[str, Any]:
    """What the credential awards, in the terms of Open Badges 3.0 (§B): a subject for each claim, with its results.

    What only proves a claim, led to it or follows from it awards nothing by itself, and is left out.
    """
    reading = _Reading(document)
    person = next((identifier for subject in subjects(document) if (identifier := id_of(subject))), None)
    about = {} if person is None else {"id": person}
    issuer = document.get("issuer")
    view = {
        **document,
        "issuer": {"id": id_of(issuer), "name": reading.label(issuer)},
        "credentialSubject": [about | _subject(claim) for claim in reading.claims() if not claim.relation] or [about],
    }
    title = reading.title()
    return view | ({"name": title} if title else {})


def read_by_terms_of(document: dict[str, Any], store: ContextStore) -> CheckResult | None:
    """The check of contexts for a credential of this model whose signature covers its JSON; ``None`` for all others.

    The model's context is not carried by lernode: it is the EU's, and large. A signature over the JSON covers every
    name as it stands, and the names are read as those of the model where no other context could give them another
    meaning. A verifier that has the context (``store``) has every term looked at.
    """
    named = contexts(document)
    if ELM_CONTEXT not in named or ELM_CONTEXT in store:
        return None
    if any(each not in (CONTEXT_V1, CONTEXT_V2, ELM_CONTEXT) for each in named):
        reason = "A context stands beside that of the European Learning Model."
        return failed(Check.CONTEXT, "context.beside_elm", reason, _SPEC)
    reason = "The signature covers the JSON, which is read by the terms of the European Learning Model."
    return passed(Check.CONTEXT, reason, _SPEC)


def _subject(claim: Claim) -> dict[str, Any]:
    key = claim.specification or claim.id
    described = [
        {
            "id": f"{key}#{number}",
            "type": ["ResultDescription"],
            "name": level.name,
            **({"allowedValue": list(level.steps)} if level.steps else {}),
        }
        for number, level in enumerate(claim.levels, 1)
    ]
    achievement = {
        "id": key,
        "type": ["Achievement"],
        "achievementType": claim.kind,
        "name": claim.title,
        "description": claim.description,
        "alignment": list(claim.skills),
        "resultDescription": described,
    }
    results = [
        {"type": ["Result"], "resultDescription": description["id"], "value": level.value}
        for description, level in zip(described, claim.levels, strict=True)
    ]
    return {"type": ["AchievementSubject"], "achievement": achievement, "result": results}


class _Reading:
    """One document, with its objects by their ids: what is described once may be named elsewhere."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._described: dict[str, dict[str, Any]] = {}
        self._languages: tuple[str, ...] = ("en",)
        waiting: list[Any] = [document]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                identifier = value.get("id")
                if isinstance(identifier, str) and len(value) > len(self._described.get(identifier, "")):
                    self._described[identifier] = value
                waiting.extend(value.values())
            elif isinstance(value, list):
                waiting.extend(value)
        display = self._object(document.get("displayParameter"))
        primary = [id_of(each) or "" for each in as_list(display.get("primaryLanguage"))]
        self._languages = (*(_LANGUAGES.get(each.rpartition("/")[2], "en") for each in primary), "en")

    def title(self) -> str:
        """What the credential is called."""
        display = self._object(self._document.get("displayParameter"))
        first = next(iter(self.claims()), None)
        return self.text(display.get("title")) or (first.title if first else "")

    def label(self, agent: Any) -> str:
        """The name of an organisation or person."""
        stated = self._object(agent)
        names = ("legalName", "prefLabel", "altLabel", "fullName", "name")
        return next((found for name in names if (found := self.text(stated.get(name)))), "")

    def text(self, value: Any) -> str:
        """A text: of a language map, that in the credential's own language, else the English, else the first one."""
        for each in as_list(value):
            if isinstance(each, str) and each.strip():
                return each
            found = self._text_of(each) if isinstance(each, dict) else ""
            if found:
                return found
        return ""

    def _text_of(self, stated: dict[str, Any]) -> str:
        """The text of a note, of a value object, or of a language map, which is an object without a type."""
        literal = stated.get("@value", stated.get("noteLiteral"))
        if literal is not None or "type" in stated:
            return self.text(literal)
        texts = [stated[language] for language in self._languages if language in stated]
        return self.text([each for each in (*texts, *stated.values()) if not isinstance(each, dict)])

    def claims(self) -> Iterator[Claim]:
        """See :func:`claims_of`."""
        waiting = [(each, 0, "") for subject in subjects(self._document) for each in as_list(subject.get("hasClaim"))]
        waiting.reverse()
        met = set[int]()
        while waiting and len(met) < _MAX_CLAIMS:
            item, depth, relation = waiting.pop()
            stated = self._object(item)
            if not stated or id(stated) in met:
                continue
            met.add(id(stated))
            yield self._claim(stated, depth, relation)
            if depth < _MAX_DEPTH:
                under = [(part, depth + 1, how) for name, how in _UNDER for part in as_list(stated.get(name))]
                waiting.extend(reversed(under))

    def _claim(self, stated: dict[str, Any], depth: int, relation: str) -> Claim:
        specification = self._object(stated.get("specifiedBy"))
        kinds = ["Qualification"] * ("Qualification" in types_of(specification)) + types_of(stated)
        named = id_of(specification)
        title = self.text(stated.get("title")) or self.text(specification.get("title"))
        return Claim(
            depth=depth,
            relation=relation,
            id=id_of(stated),
            kind=next(iter(kinds), "Claim"),
            title=title or next(iter(kinds), "Claim"),
            description=self.text(stated.get("description")) or self.text(specification.get("description")),
            specification=named if named and named.startswith(("http://", "https://")) else None,
            bodies=tuple(self._bodies(stated)),
            skills=tuple(self._skills(specification)),
            levels=tuple(self._levels(stated, specification)),
        )

    def _bodies(self, stated: dict[str, Any]) -> Iterator[str]:
        for process in as_list(stated.get("awardedBy")):
            for body in as_list(self._object(process).get("awardingBody")):
                name = self.label(body)
                if name:
                    yield name

    def _skills(self, specification: dict[str, Any]) -> Iterator[dict[str, Any]]:
        met = set[str]()
        for outcome in as_list(specification.get("learningOutcome")):
            stated = self._object(outcome)
            for item in (*as_list(stated.get("relatedESCOSkill")), *as_list(stated.get("relatedSkill"))):
                concept = self._object(item) or {"id": item}
                url = concept.get("id")
                if isinstance(url, str) and is_url(url) and url not in met and len(met) < _MAX_SKILLS:
                    met.add(url)
                    framework = "ESCO" if url.startswith(_ESCO) else self._scheme(concept)
                    name = self.text(concept.get("prefLabel")) or self.text(stated.get("title")) or url
                    yield {
                        "type": ["Alignment"],
                        "targetName": name,
                        "targetUrl": url,
                        **({"targetFramework": framework} if framework else {}),
                    }

    def _levels(self, stated: dict[str, Any], specification: dict[str, Any]) -> Iterator[Level]:
        for value in as_list(specification.get("EQFLevel")):
            number = (id_of(self._object(value)) or id_of(value) or "").removeprefix(_EQF)
            label = number if number in _EQF_LEVELS else self.text(self._object(value).get("prefLabel"))
            if label:
                yield Level("EQF level", label, _EQF_LEVELS if number in _EQF_LEVELS else ())
        for value in as_list(specification.get("NQFLevel")):
            concept = self._object(value)
            label = self.text(concept.get("prefLabel")) or (id_of(value) or "").rpartition("/")[2]
            if label:
                yield Level("NQF level", label)
        own = "Assessment" in next(iter(types_of(stated)), "")
        for proof in [stated] if own else [self._object(each) for each in as_list(stated.get("provenBy"))]:
            grade = self.text(self._object(proof.get("grade")) or proof.get("grade"))
            if grade:
                yield Level(self.text(proof.get("title")) or "Grade", grade)

    def _scheme(self, concept: dict[str, Any]) -> str:
        scheme = concept.get("inScheme")
        return self.text(self._object(scheme).get("prefLabel")) or id_of(scheme) or ""

    def _object(self, value: Any) -> dict[str, Any]:
        """The object that a value is, or names: the first one of several."""
        for each in as_list(value):
            if isinstance(each, dict) and not each.keys() <= _REFERENCE:
                return each
            identifier = each.get("id") if isinstance(each, dict) else each
            found = self._described.get(identifier) if isinstance(identifier, str) else None
            if found is not None or isinstance(each, dict):
                return found or each
        return {}
