"""Issuing Comprehensive Learner Records: the records that this node issued to one learner, in one (CLR 2.0 §B).

What goes in stands now: it is not revoked or suspended, its time is not over, and it is what this node signed. The rest
is left out, and whoever asks is told why. Records of two people never come into one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from node.records.learner_record import Association, build_learner_record, learner
from node.records.open_badges import check_email
from node.records.schema import clr_problems
from node.roles.attester import Attester
from node.roles.checker import Checker
from node.roles.checking import reason_code
from node.roles.kept_forms import embeddable, kept_form, presented_part
from node.roles.lifetime import Terms
from node.roles.own_checker import OwnChecker
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.checks.recipient import check_recipient
from protocols.credentials.data_integrity import base_proof
from protocols.credentials.model import Version, as_list, id_of, subjects, types_of, version_of
from protocols.credentials.reading import read_document, read_secured
from protocols.credentials.verification import Outcome
from protocols.credentials.verify import MAX_EMBEDDED
from protocols.errors import BadInput, WrongState
from protocols.jsonld.processor import DEFAULT
from protocols.multiformats import b64url_encode
from storage import achievements, credentials
from storage.achievements import Entry
from storage.credentials import IssuedCredential, IssuedState
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow
from storage.query import MAX_PAGE

__all__ = ["Gathered", "Gathering", "LearnerRecords", "LeftOut"]

_MAX_BYTES = 700_000  # in base64 in a message, it is within what agents read
_AWARDS = frozenset({"AchievementCredential", "OpenBadgeCredential"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """What is wanted.

    Attributes:
        learner: the DID or e-mail address of whom it is about; where missing, the one of the records, or of those that
            were issued over the connection.
        records: ids here of the records that are to go in; all of the learner where none is named.
        associations: of achievements by their ids, or by their short names in the catalogue.
    """

    learner: str | None = None
    records: Sequence[str] = ()
    name: str | None = None
    associations: Sequence[Association] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that is not in it, and the code of the check that it does not pass."""

    record: IssuedCredential
    code: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """The unsigned record, and what became of the records."""

    credential: dict[str, Any]
    included: Sequence[IssuedCredential]
    left_out: Sequence[LeftOut]

    @property
    def is_partial(self) -> bool:
        """Whether this node has issued more to the learner that is not revoked."""
        return bool(self.credential["partial"])


class LearnerRecords:
    """What a person does who gives a learner all records in one."""

    def __init__(self, *, store: Store, attester: Attester, checker: Checker, world: World) -> None:
        self._store = store
        self._attester = attester
        self._checker = checker
        self._world = world

    async def give(self, wanted: Gathering) -> tuple[IssuedCredential, Gathered]:
        """Sign one at once, to be handed over.

        Raises:
            BadInput: ``clr.several_learners``, ``clr.no_learner``, ``clr.not_awarded``, ``clr.no_award``,
                ``clr.too_many``, ``clr.too_large``, ``clr.invalid``, ``record.email``.
            WrongState: ``clr.nothing``, ``issued_record.unknown``, ``did.none``.
        """
        gathered = await self._gather(wanted, None)
        return await self._attester.give(gathered.credential), gathered

    async def offer(self, connection_id: str, wanted: Gathering, terms: Terms) -> tuple[ExchangeRow, Gathered]:
        """Offer one to a peer; it is signed when the peer takes it.

        Raises:
            BadInput, WrongState: as :meth:`give`; ``connection.unknown``.
        """
        gathered = await self._gather(wanted, connection_id)
        return await self._attester.offer(connection_id, gathered.credential, terms), gathered

    async def _gather(self, wanted: Gathering, connection_id: str | None) -> Gathered:
        issuer = await self._attester.profile()
        async with self._store.read() as tx:
            named = [await credentials.get_issued(tx, record_id) for record_id in dict.fromkeys(wanted.records)]
            who = wanted.learner or await _only_learner(tx, named, connection_id)
            every = await _records_of(tx, who)
            checker = await OwnChecker.of(tx, self._checker)
        for record in named:
            _require_award_of(record, every)
        included, left_out = await _sort(named or list(every.values()), checker)
        inside = [_whole(record.document) for record in included]
        _require_bounded(inside)
        async with self._store.read() as tx:
            associations = await _associations(tx, inside, wanted.associations)
        standing = {record.id for record in every.values() if record.state is not IssuedState.REVOKED}
        credential = build_learner_record(
            issuer=issuer,
            credential_id=f"urn:uuid:{self._world.new_id()}",
            name=wanted.name or f"Learner record of {issuer.name}",
            valid_from=self._world.clock(),
            subject=self._subject(who),
            credentials=inside,
            associations=associations,
            partial=bool(standing - {record.id for record in included}),
        )
        _require_sound(credential)
        return Gathered(credential, included, left_out)

    def _subject(self, who: str) -> dict[str, Any]:
        if _is_did(who):
            return learner(did=who)
        return learner(email=who, salt=b64url_encode(self._world.entropy(16)))


async def _sort(
    records: Sequence[IssuedCredential], checker: OwnChecker
) -> tuple[list[IssuedCredential], list[LeftOut]]:
    """Those that hold now, the oldest first, and the others."""
    included, left_out = list[IssuedCredential](), list[LeftOut]()
    for record in sorted(records, key=lambda each: each.issued_at):
        code = await _problem(record, checker)
        if code is None:
            included.append(record)
        else:
            left_out.append(LeftOut(record, code))
    return included, left_out


async def _problem(record: IssuedCredential, checker: OwnChecker) -> str | None:
    if record.state is not IssuedState.ACTIVE:
        return f"status.{record.state.value}"
    if version_of(embeddable(record.document)) is not Version.V2_0:
        return "clr.data_model"  # the contexts of version 1.1 cannot stand within those of 2.0
    return reason_code(await checker.check(record.document))


async def _only_learner(tx: Transaction, named: Sequence[IssuedCredential], connection_id: str | None) -> str:
    """The DID of the one learner of the records that are named, else of those that went over the connection."""
    found = list(named)
    if not named and connection_id is not None:
        found = [each async for each in _all_issued(tx, connection_id=connection_id)]
        found = [each for each in found if _is_award(each)]
    dids = {record.subject for record in found}
    if len(dids) > 1:
        raise _several()
    did = next(iter(dids), None)
    if did is None:
        raise BadInput(
            "clr.no_learner", "Whose records are meant cannot be told.", "Name the learner, by DID or e-mail address."
        )
    return did


async def _records_of(tx: Transaction, who: str) -> dict[str, IssuedCredential]:
    """What this node has awarded to a learner, by id here."""
    if _is_did(who):
        return {record.id: record async for record in _all_issued(tx, subject=who) if _is_award(record)}
    check_email(who)
    # The salt of each hash is another one, so that each record has to be looked at.
    return {record.id: record async for record in _all_issued(tx) if _is_for(record, who) and _is_award(record)}


async def _all_issued(
    tx: Transaction, *, subject: str | None = None, connection_id: str | None = None
) -> AsyncIterator[IssuedCredential]:
    after = None
    while page := await credentials.list_issued(
        tx, subject=subject, connection_id=connection_id, after=after, limit=MAX_PAGE
    ):
        for record in page:
            yield record
        after = page[-1].id


def _is_did(who: str) -> bool:
    return who.startswith("did:")


def _is_for(record: IssuedCredential, address: str) -> bool:
    return check_recipient(read_secured(record.document, DEFAULT).document, address).outcome is Outcome.PASS


def _is_award(record: IssuedCredential) -> bool:
    return not _AWARDS.isdisjoint(types_of(read_secured(record.document, DEFAULT).document))


def _require_award_of(record: IssuedCredential, every: dict[str, IssuedCredential]) -> None:
    if record.id in every:
        return
    if not _is_award(record):
        raise BadInput("clr.no_award", "A record that is named awards no achievement.", "Leave it out.")
    raise _several()


def _several() -> BadInput:
    return BadInput(
        "clr.several_learners", "The records are not all about one learner.", "Name the learner, or the records of one."
    )


def _require_bounded(inside: Sequence[dict[str, Any]]) -> None:
    if not inside:
        raise WrongState(
            "clr.nothing", "The learner has no record that holds now.", "See what there is: lernode records --issued"
        )
    if len(inside) > MAX_EMBEDDED:
        raise BadInput("clr.too_many", f"It would be of more than {MAX_EMBEDDED} records.", "Name some of them.")


def _require_sound(credential: dict[str, Any]) -> None:
    if len(strict_json.dumps(credential)) > _MAX_BYTES:
        raise BadInput("clr.too_large", f"It would have more than {_MAX_BYTES} bytes.", "Name some of the records.")
    read_document(credential)  # what is too much for verifiers is refused here
    problems = clr_problems(credential)
    if problems:
        raise BadInput("clr.invalid", f"It would be no learner record: {problems[0]}", "Leave a record out.")


def _whole(document: bytes) -> dict[str, Any]:
    """A record as it can stand in another one.

    A base proof is for its holder alone: with it anybody could show parts, and no verifier takes it. In its place comes
    a proof that shows everything.
    """
    form = embeddable(document)
    if base_proof(form) is None:
        return form
    shown = [f"/{name}" for name in form if name not in {"@context", "proof"}]
    whole = kept_form(presented_part(document, shown, DEFAULT))
    return whole if isinstance(whole, dict) else form


async def _associations(
    tx: Transaction, inside: Iterable[dict[str, Any]], wanted: Sequence[Association]
) -> list[Association]:
    """Those that are asked for, and those that the achievements and the catalogue tell of the awarded ones."""
    awarded = {each["id"]: each for document in inside for each in _achievements(document)}
    known = {entry.document["id"]: entry for entry in await achievements.find_all_named(tx, list(awarded))}
    found = [
        Association(_named(each.source, awarded, known), each.kind, _named(each.target, awarded, known))
        for each in wanted
    ]
    pairs = {frozenset((each.source, each.target)) for each in found}
    versions: dict[str, list[Entry]] = {}
    for entry in sorted(known.values(), key=lambda each: each.number):
        versions.setdefault(entry.achievement_id, []).append(entry)
    told = [
        Association(former.document["id"], "replacedBy", later.document["id"])
        for line in versions.values()
        for former, later in pairwise(line)
    ]
    told += [
        Association(name, "isRelatedTo", other)
        for name, achievement in awarded.items()
        for other in map(id_of, as_list(achievement.get("related")))
        if other is not None and other in awarded
    ]
    for each in told:
        ends = frozenset((each.source, each.target))
        if len(ends) == 2 and ends not in pairs:
            pairs.add(ends)
            found.append(each)
    return found


def _achievements(document: dict[str, Any]) -> Iterable[dict[str, Any]]:
    said = read_secured(document, DEFAULT).document
    for subject in subjects(said):
        achievement = subject.get("achievement")
        if isinstance(achievement, dict) and id_of(achievement):
            yield achievement


def _named(name: str, awarded: dict[str, Any], known: dict[str, Entry]) -> str:
    if name in awarded:
        return name
    versions = [entry for entry in known.values() if entry.slug == name]
    if not versions:
        raise BadInput(
            "clr.not_awarded",
            "An association names an achievement that no record in it awards.",
            "Name those that are awarded, by id or by their short name in the catalogue.",
        )
    latest: str = max(versions, key=lambda each: each.number).document["id"]
    return latest
