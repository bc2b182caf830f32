"""Catalogues between nodes, and which of their achievements close what somebody lacks for a job.

Promises: a catalogue is taken only where its signature verifies and its signer is named, owns the server, or is
trusted, and never an earlier edition than one that was seen; it counts until its end. A path has only achievements
whose issuer this node would believe for just that award, and says why another is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from node.net.guarded_http import GuardedHttp
from node.records.results import number_of
from node.roles.checker import Checker
from node.roles.identity import Identity
from node.roles.matching import Matched, Matching
from node.roles.proof_suite import proof_suite
from node.roles.publications import check_publisher, genuine
from node.runtime.world import World
from node.skills.matching import Evidence, Line, Outcome, Standing, Through, match
from node.skills.offers import Cost, Offer, catalogue_credential, read_catalogue
from node.skills.parts import Fault
from node.skills.pathways import Choice, Step, cheapest
from node.skills.profile import JobProfile
from node.skills.readers.tables import Row, rows
from node.skills.source import Source
from node.skills.ways import Crosswalk
from protocols import strict_json
from protocols.credentials.data_integrity import CRYPTOSUITES, add_proof
from protocols.credentials.verification import Outcome as CheckOutcome
from protocols.errors import BadInput
from storage import achievements, audit, catalogues
from storage.catalogues import SignedCatalogue
from storage.dids import DidPurpose
from storage.engine import Store

__all__ = ["CATALOGUE_PATH", "Closing", "Gap", "Pathways", "read_costs"]

CATALOGUE_PATH = "/catalogue"
_EACH_ONE = "achievements"
"""The unit where no other is stated: each costs one."""
_MAX_BYTES = 4 << 20
_ACCEPT = "application/vc, application/json;q=0.9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """An achievement, and what of a gap it closes.

    Attributes:
        closes: positions of requirements, each with the way by which the achievement's skill counts.
        levels_open: positions of those that ask for a level, which is still to be reached.
        trusted: why its issuer would be believed for it, or why not.
    """

    offer: Offer
    closes: Mapping[int, str]
    levels_open: frozenset[int]
    is_trusted: bool
    trusted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What is missing, and what closes it.

    Attributes:
        missing: the lines that are not met, by their positions in the profile.
        unit: what the cost is counted in.
        path: what to do, the cheapest set.
        uncosted: what would close something and does not state a cost in that unit.
        untrusted: what would close something, if its issuer were trusted.
    """

    matched: Matched
    missing: Mapping[int, Line]
    unit: str
    choice: Choice
    path: tuple[Closing, ...]
    uncosted: tuple[Closing, ...]
    untrusted: tuple[Closing, ...]
    catalogues: int


class Pathways:
    """Publishes and takes catalogues, and finds paths."""

    def __init__(
        self,
        *,
        store: Store,
        identity: Identity,
        checker: Checker,
        http: GuardedHttp,
        matching: Matching,
        world: World,
        endpoint: str,
        label: str,
        securing: str,
    ) -> None:
        self._store = store
        self._identity = identity
        self._checker = checker
        self._http = http
        self._matching = matching
        self._world = world
        self._endpoint = endpoint
        self._label = label
        self._securing = securing

    @property
    def url(self) -> str:
        """Where this node publishes its catalogue."""
        return f"{self._endpoint}{CATALOGUE_PATH}"

    async def publish(self, costs: Mapping[str, Cost], *, days: int) -> SignedCatalogue:
        """Sign what this node awards, with what it costs, and give it to anybody who asks.

        Args:
            costs: by the achievement's short name or id.

        Raises:
            BadInput: ``catalogue.size``, ``catalogue.cost_of_nothing``.
            WrongState: ``did.none``.
        """
        now = self._world.clock().replace(microsecond=0)
        async with self._store.write() as tx:
            await tx.lock("catalogue publication")
            own = await self._identity.default(tx, DidPurpose.ISSUER)
            entries = await achievements.entries(tx)
            named = {name for entry in entries for name in (entry.slug, entry.document["id"])}
            stray = next((name for name in costs if name not in named), None)
            if stray is not None:
                message = f"The catalogue has no achievement {stray[:100]}, of which a cost is stated."
                raise BadInput("catalogue.cost_of_nothing", message, "See what it has: lernode catalogue")
            before = await catalogues.find(tx, own.did)
            sequence = 1 if before is None else before.sequence + 1
            credential = catalogue_credential(
                [(e.document, costs.get(e.slug) or costs.get(e.document["id"]) or Cost()) for e in entries],
                issuer=own.did,
                name=self._label,
                sequence=sequence,
                valid_from=now,
                valid_until=now + timedelta(days=days),
            )
            suite = proof_suite(own, self._securing)
            signer = await self._identity.signer(tx, own, CRYPTOSUITES[suite].key_types)
            document = strict_json.dumps(add_proof(credential, suite=suite, signer=signer, created=now))
            published = SignedCatalogue(
                issuer=own.did,
                own=True,
                name=self._label,
                source=self.url,
                sequence=sequence,
                document=document,
                valid_until=now + timedelta(days=days),
                taken=now,
            )
            await catalogues.put(tx, published)
            await audit.append(tx, at=now, event="catalogue.published", actor="operator", subjects=(own.did,))
        return published

    async def take_url(self, url: str, *, publisher: str | None) -> SignedCatalogue:
        """Fetch a catalogue, and take it.

        Raises:
            BadInput, NotNow: ``net.*``, and as :meth:`take`.
        """
        response = await self._http.get(url, max_bytes=_MAX_BYTES, accept=_ACCEPT)
        if response.status != 200:
            raise BadInput("net.unexpected_status", f"The server answers {response.status}.", "Check the address.")
        return await self.take(response.body, publisher=publisher, url=url)

    async def take(self, document: bytes, *, publisher: str | None, url: str | None = None) -> SignedCatalogue:
        """Keep the catalogue of another node.

        Raises:
            BadInput: ``catalogue.not_signed_one``, ``catalogue.rolled_back``, ``publication.*``.
            NotNow: ``publication.unchecked``.
        """
        if len(document) > _MAX_BYTES:
            raise BadInput("catalogue.not_signed_one", "It is too large for a catalogue.", "Check the file.")
        read = read_catalogue(await genuine(strict_json.loads_object(document), self._checker))
        await check_publisher(self._store, read.issuer, publisher=publisher, url=url)
        taken = SignedCatalogue(
            issuer=read.issuer,
            own=False,
            name=read.name,
            source=url,
            sequence=read.sequence,
            document=document,
            valid_until=read.valid_until,
            taken=self._world.clock(),
        )
        async with self._store.write() as tx:
            await tx.lock("catalogue publication")
            before = await catalogues.find(tx, read.issuer)
            if before is not None and before.sequence > read.sequence:
                raise BadInput(
                    "catalogue.rolled_back",
                    f"It is edition {read.sequence}, and edition {before.sequence} was seen already.",
                    "Get the newest edition.",
                )
            if before is None or not before.own:
                await catalogues.put(tx, taken)
                await audit.append(
                    tx, at=taken.taken, event="catalogue.taken", actor="operator", subjects=(read.issuer,)
                )
        return taken

    async def every(self) -> Sequence[SignedCatalogue]:
        """The catalogues that this node has."""
        async with self._store.read() as tx:
            return await catalogues.every(tx)

    async def forget(self, issuer: str) -> SignedCatalogue:
        """Forget the catalogue of an issuer; what it was.

        Raises:
            WrongState: ``catalogue.unknown``.
        """
        async with self._store.write() as tx:
            await audit.append(
                tx, at=self._world.clock(), event="catalogue.forgotten", actor="operator", subjects=(issuer,)
            )
            return await catalogues.remove(tx, issuer)

    async def gap(self, matched: Matched, *, wished: bool = False, unit: str | None = None) -> Gap:
        """What is missing for a job, and the cheapest achievements that close it.

        Args:
            matched: how somebody's records stand to the job.
            wished: count the wished skills too.
            unit: ``hours``, ``credits``, ``price in CUR`` or ``achievements``; else the one that most state.
        """
        missing = {
            position: line
            for position, line in enumerate(matched.report.lines)
            if line.outcome is not Outcome.MET and (wished or line.requirement.need == "required")
        }
        crosswalk = await self._matching.crosswalk(matched.profile)
        offers, count = await self._offers()
        closing = [
            await self._closing(offer, matched.profile, crosswalk, missing, is_own=is_own) for offer, is_own in offers
        ]
        useful = [each for each in closing if each.closes]
        trusted = [each for each in useful if each.is_trusted]
        unit = unit or _usual_unit(trusted)
        costed = {_name(each): each for each in trusted if _cost(each, unit) is not None}
        steps = [Step(name, frozenset(each.closes), _cost(each, unit) or Decimal()) for name, each in costed.items()]
        choice = cheapest(frozenset(missing), steps)
        return Gap(
            matched=matched,
            missing=missing,
            unit=unit,
            choice=choice,
            path=tuple(costed[step.name] for step in choice.steps),
            uncosted=tuple(each for each in trusted if _cost(each, unit) is None and set(each.closes) & choice.open),
            untrusted=tuple(each for each in useful if not each.is_trusted),
            catalogues=count,
        )

    async def _offers(self) -> tuple[list[tuple[Offer, bool]], int]:
        """What is offered, each with whether this node does so itself; and in how many catalogues."""
        now = self._world.clock()
        current = [each for each in await self.every() if each.valid_until >= now]
        offers = [
            (offer, each.own)
            for each in current
            for offer in read_catalogue(strict_json.loads_object(each.document)).offers
        ]
        return offers, len(current)

    async def _closing(
        self, offer: Offer, profile: JobProfile, crosswalk: Crosswalk, missing: Mapping[int, Line], *, is_own: bool
    ) -> Closing:
        closes = _closed(offer, profile, crosswalk, missing)
        is_trusted, reason = is_own, "This node awards it."
        if closes and not is_own:
            trusted = await self._checker.explain(offer.award, self._checker.policies.verifier())
            is_trusted, reason = trusted.outcome is CheckOutcome.PASS, trusted.reason
        levels = frozenset(each for each in closes if profile.requirements[each].level is not None)
        return Closing(offer=offer, closes=closes, levels_open=levels, is_trusted=is_trusted, trusted=reason)


def read_costs(path: Path) -> dict[str, Cost]:
    """The costs in a CSV: ``achievement``, and ``hours``, ``price``, ``currency``.

    Raises:
        BadInput: ``catalogue.bad_costs``, which tells the lines; ``framework.malformed``.
    """
    costs: dict[str, Cost] = {}
    faults: list[str] = []
    for row in rows(Source(path, name="costs"), needed={"achievement"}):
        if isinstance(row, Fault):
            faults.append(f"{row.place}: {row.message}")
        elif (cost := _cost_of(row)) is None or not row["achievement"]:
            faults.append(f"{row.place}: It needs an achievement, plain numbers, and with a price a currency like EUR.")
        else:
            costs[row["achievement"]] = cost
    if faults:
        told = "\n".join(faults[:20])
        raise BadInput("catalogue.bad_costs", f"{len(faults)} rows cannot be read.\n{told}", "Mend them.")
    return costs


def _cost_of(row: Row) -> Cost | None:
    numbers = {name: number_of(row[name]) if row[name] else None for name in ("hours", "price")}
    currency = row["currency"].upper() or None
    for name, number in numbers.items():
        if row[name] and (number is None or number < 0):
            return None
    if numbers["price"] is not None and (currency is None or len(currency) != 3 or not currency.isalpha()):
        return None
    return Cost(hours=numbers["hours"], price=numbers["price"], currency=currency)


def _closed(offer: Offer, profile: JobProfile, crosswalk: Crosswalk, missing: Mapping[int, Line]) -> dict[int, str]:
    """Which requirements a record of the achievement would meet, levels aside, and by which way."""
    evidence = [
        Evidence(
            record=offer.achievement_id,
            record_name=offer.name,
            issuer=offer.issuer,
            skill=skill,
            standing=Standing.HOLDS,
            reason="it is offered.",
        )
        for skill in offer.skills
    ]
    found: dict[int, str] = {}
    lines = match(profile, evidence, ways=crosswalk.ways, known=crosswalk.known).lines
    for position, line in enumerate(lines):
        used = line.used
        counts = line.outcome is Outcome.MET or line.code == "level.not_stated"
        if position in missing and used is not None and counts and used.way.through is not Through.NEAR:
            found[position] = used.way.through.value
    return found


def _name(closing: Closing) -> str:
    return f"{closing.offer.issuer} {closing.offer.achievement_id}"


def _cost(closing: Closing, unit: str) -> Decimal | None:
    return Decimal(1) if unit == _EACH_ONE else closing.offer.costs.get(unit)


def _usual_unit(closing: Sequence[Closing]) -> str:
    """The unit that most state; where one is stated by none, each achievement counts as one."""
    stated = Counter(unit for each in closing for unit in each.offer.costs)
    return max(stated, key=lambda unit: (stated[unit], unit == "hours", unit == "credits", unit), default=_EACH_ONE)
