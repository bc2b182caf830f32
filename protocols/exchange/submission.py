"""The answer to a definition: building a presentation at the holder, checking it at the verifier.

Embeds ``presentation_submission`` at the top of a JSON-LD verifiable presentation (Presentation Exchange 2.1.1
§Embed Targets). :func:`check_submission` trusts nothing that the holder says about the answer: every path is
followed and every constraint is evaluated again. Proofs, time and status are for ``protocols.credentials``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from protocols.credentials.accompanying import accompanies, names_of_records
from protocols.errors import BadInput, LernodeError
from protocols.exchange.claims import Claim, read_claim
from protocols.exchange.definition import Definition, Directive
from protocols.exchange.disclosure import WHOLE, pointers_asked_for
from protocols.exchange.evaluation import Candidate, why_not
from protocols.exchange.formats import LDP_VC, LDP_VP
from protocols.exchange.jsonpath import compile_path
from protocols.exchange.matching import Selection, budget_for
from protocols.exchange.reasons import Reason
from protocols.exchange.subjects import presenter
from protocols.exchange.type_names import TypeNames, expanded_types
from protocols.jsonld.processor import DEFAULT, Processor

__all__ = [
    "SUBMISSION_CONTEXT", "SubmissionCheck", "Vcdm", "build_presentation", "build_submission", "check_submission",
]  # fmt: skip

SUBMISSION_CONTEXT = "https://identity.foundation/presentation-exchange/submission/v1"

_CREDENTIALS = "verifiableCredential"
_MAX_ENTRIES = 64
_MAX_CREDENTIALS = 64


class Vcdm(StrEnum):
    """The version of the W3C Verifiable Credentials Data Model of a presentation, by its first context."""

    V1 = "https://www.w3.org/2018/credentials/v1"
    V2 = "https://www.w3.org/ns/credentials/v2"


@dataclass(frozen=True, slots=True)
class SubmissionCheck:
    """What the verifier found.

    Attributes:
        problems: everything that is wrong, with the descriptor's id as ``where`` it is about one; empty where
            the presentation answers the definition.
        credentials: for each descriptor that is answered, the index of its credential in the presentation.
    """

    problems: tuple[Reason, ...]
    credentials: Mapping[str, int]

    @property
    def ok(self) -> bool:
        """Whether the presentation answers the definition, with nothing too much."""
        return not self.problems


def build_submission(
    definition: Definition, selection: Selection, documents: Mapping[str, dict[str, Any]], *, submission_id: str
) -> dict[str, Any]:
    """The ``presentation_submission`` for a presentation that holds the selection's records in their order.

    Args:
        documents: the records by id, as they stand in the presentation.
    """
    formats = {record_id: read_claim(documents[record_id]).format for record_id in selection.record_ids}
    index = {record_id: position for position, record_id in enumerate(selection.record_ids)}
    return {
        "id": submission_id,
        "definition_id": definition.id,
        "descriptor_map": [
            {"id": descriptor_id, "format": formats[record_id], "path": f"$.{_CREDENTIALS}[{index[record_id]}]"}
            for descriptor_id, record_id in selection.pairs
        ],
    }


def build_presentation(
    definition: Definition,
    selection: Selection,
    documents: Mapping[str, dict[str, Any]],
    *,
    holder: str | None,
    submission_id: str,
    vcdm: Vcdm = Vcdm.V2,
    along: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The unsigned verifiable presentation, with each record once.

    It has no ``id``: nobody refers to it, and ACA-Py refuses one that is a URL.

    Args:
        documents: the selected records by id, tokens in envelopes.
        holder: the DID that will sign.
        vcdm: :attr:`Vcdm.V1` for a verifier that reads nothing newer.
        along: what goes along with the records, and answers nothing: their endorsements, accreditations of issuers.

    Raises:
        BadInput: ``pex.record_missing`` where a selected record is not among ``documents``.
    """
    if not documents.keys() >= set(selection.record_ids):
        raise BadInput(
            "pex.record_missing", "A record that was chosen is not there any more.", "Match and choose again."
        )
    presentation: dict[str, Any] = {"@context": [vcdm.value, SUBMISSION_CONTEXT]}
    presentation["type"] = ["VerifiablePresentation", "PresentationSubmission"]
    if holder is not None:
        presentation["holder"] = holder
    presentation[_CREDENTIALS] = [*(documents[record_id] for record_id in selection.record_ids), *along]
    submission = build_submission(definition, selection, documents, submission_id=submission_id)
    presentation["presentation_submission"] = submission
    return presentation


def check_submission(
    definition: Definition,
    presentation: object,
    *,
    type_names: TypeNames = expanded_types,
    processor: Processor = DEFAULT,
) -> SubmissionCheck:
    """Evaluate the whole definition again on what was presented; what is wrong is returned, not raised.

    Args:
        presentation: as received; its proof says who presents, and is verified elsewhere.
        processor: knows the contexts of the records, for those that are shown in part.
    """
    if not isinstance(presentation, dict):
        return SubmissionCheck((Reason("pex.submission_malformed", "The presentation is not an object."),), {})
    try:
        return _check(definition, presentation, type_names, processor)
    except LernodeError as error:
        return SubmissionCheck((Reason(error.code, error.message),), {})


def _check(
    definition: Definition, presentation: dict[str, Any], type_names: TypeNames, processor: Processor
) -> SubmissionCheck:
    problems: list[Reason] = []
    claims = _credentials(presentation)
    answered = _read_map(definition, presentation, claims, problems)
    if not definition.formats.allow_presentation(presentation):
        problems.append(Reason("pex.presentation_format", "The presentation's proof is not of a type asked for."))
    budget = budget_for(len(claims))
    holder = presenter(presentation)
    good: dict[str, int] = {}
    for descriptor in definition.descriptors:
        index = answered.get(descriptor.id)
        if index is None:
            continue
        reason = why_not(definition, descriptor, Candidate(claims[index], holder, type_names, budget))
        if reason is None:
            good[descriptor.id] = index
        else:
            problems.append(Reason(reason.code, reason.message, descriptor.id))
    records = names_of_records([claim.document for claim in claims])
    extra = set(range(len(claims))) - set(answered.values())
    if any(not accompanies(claims[index].document, records, holder) for index in extra):
        problems.append(Reason("pex.extra_credential", "The presentation holds a credential that answers nothing."))
    problems.extend(_too_much(definition, good, claims, processor))
    problems.extend(_missing(definition, good))
    return SubmissionCheck(tuple(problems), good)


def _read_map(
    definition: Definition, presentation: dict[str, Any], claims: Sequence[Claim], problems: list[Reason]
) -> dict[str, int]:
    """The index of the credential submitted for each descriptor."""
    submission = presentation.get("presentation_submission")
    entries = submission.get("descriptor_map") if isinstance(submission, dict) else None
    if not isinstance(submission, dict) or not isinstance(entries, list) or len(entries) > _MAX_ENTRIES:
        raise BadInput("pex.submission_malformed", "The presentation has no readable presentation_submission.")
    if not isinstance(submission.get("id"), str):
        problems.append(Reason("pex.submission_malformed", "The presentation_submission has no id."))
    if submission.get("definition_id") != definition.id:
        problems.append(Reason("pex.definition_mismatch", "The submission answers another definition."))
    answered: dict[str, int] = {}
    for entry in entries:
        name = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(name, str) or definition.descriptor(name) is None:
            problems.append(Reason("pex.descriptor_unknown", "The submission answers what was not asked."))
        elif name in answered:
            problems.append(Reason("pex.descriptor_repeated", "The submission answers one thing twice.", name))
        else:
            try:
                answered[name] = _locate(entry, presentation, claims)
            except LernodeError as error:
                problems.append(Reason(error.code, error.message, name))
    return answered


def _locate(entry: Mapping[str, Any], presentation: dict[str, Any], claims: Sequence[Claim]) -> int:
    """Follow an entry to the index of its credential; also where it first names the presentation itself.

    Raises:
        BadInput: ``pex.submission_format`` or ``pex.submission_path``.
    """
    nested = entry.get("path_nested")
    if entry.get("format") == LDP_VP and entry.get("path") == "$" and isinstance(nested, dict):
        if nested.get("id", entry.get("id")) != entry.get("id"):
            raise BadInput("pex.submission_malformed", "A nested submission entry has another id than its parent.")
        entry, nested = nested, nested.get("path_nested")
    if nested is not None:
        raise BadInput("pex.submission_format", "A submission entry leads into a credential.")
    budget = budget_for(0)
    path = compile_path(entry.get("path"), "descriptor_map", budget)
    found = path.first(presentation, budget) if path.singular else None
    match found.location if found and isinstance(found.value, dict | str) else ():
        case ("verifiableCredential",):
            index = 0
        case ("verifiableCredential", int(position)):
            index = position
        case _:
            message = "A submission entry does not lead to a credential of the presentation."
            raise BadInput("pex.submission_path", message)
    named = entry.get("format")
    # Wallets in the field (Extrimian's, Sphereon's) name the presentation's format for the JSON-LD credential in it.
    if not claims[index].is_of_format(LDP_VC if named == LDP_VP else named):
        raise BadInput("pex.submission_format", "A submission entry names another format than its credential has.")
    return index


def _credentials(presentation: dict[str, Any]) -> list[Claim]:
    value = presentation.get(_CREDENTIALS)
    documents = value if isinstance(value, list) else [] if value is None else [value]
    if len(documents) > _MAX_CREDENTIALS or not all(isinstance(item, dict | str) for item in documents):
        raise BadInput("pex.submission_malformed", "The presentation holds what is no credential.")
    try:
        return [read_claim(item) for item in documents]
    except BadInput as error:
        message = f"The presentation holds a credential that cannot be read: {error.code}."
        raise BadInput("pex.submission_malformed", message) from None


def _too_much(
    definition: Definition, good: Mapping[str, int], claims: Sequence[Claim], processor: Processor
) -> list[Reason]:
    """Records shown in part that have more than was asked for, where it was required to ask for no more."""
    selection = Selection(tuple((name, str(index)) for name, index in good.items()))
    problems = []
    for index, claim in enumerate(claims):
        strict = next((name for name, found in good.items() if found == index and _is_strict(definition, name)), None)
        if strict is None:
            continue
        asked = pointers_asked_for(definition, selection, str(index), claim)
        if asked != WHOLE and claim.shows_more(asked, processor=processor):
            message = "The record shows more than was asked for, though it can be shown in part."
            problems.append(Reason("pex.more_than_asked", message, strict))
    return problems


def _is_strict(definition: Definition, name: str) -> bool:
    descriptor = definition.descriptor(name)
    return descriptor is not None and descriptor.constraints.limit_disclosure is Directive.REQUIRED


def _missing(definition: Definition, good: Mapping[str, int]) -> list[Reason]:
    if definition.is_answered_by(good.keys()):
        return []
    if definition.requirements:
        return [Reason("pex.requirements_unsatisfied", "The submission requirements are not satisfied.")]
    return [
        Reason("pex.descriptor_unanswered", "Something that was asked for is not answered.", descriptor.id)
        for descriptor in definition.descriptors
        if descriptor.id not in good
    ]
