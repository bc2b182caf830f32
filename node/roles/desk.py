"""The issuing desk: lists of learners, looked through before anything is issued, approved, issued, and reported on.

A list is kept, sealed, while there is something to do or to report of it; :meth:`Desk.remove` forgets it. It waits
until somebody other than who brought it approves it (``issuer.second_person``), or may be issued at once. Rows are then
signed to be handed over, or each is offered by mail with a link by which the learner's node takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from node.records.csv_input import Column, Columns, LearnerList, LearnerRow, RowProblem
from node.records.learner_files import read_learners
from node.roles.achievements import Achievements
from node.roles.issuer import Award, Issuer
from node.roles.lifetime import Terms
from node.roles.links import Links
from node.roles.mailer import Mailer
from node.roles.peering import Invited, Peering
from node.runtime.world import World
from protocols.errors import BadInput, WrongState
from storage import audit, credentials, orders
from storage.engine import Store, Transaction
from storage.orders import Order, OrderRow, OrderState, RowState

__all__ = ["Desk", "Listed", "Reported", "Wanted", "columns_from_json", "columns_to_json"]

_AT_ONCE_BY_MAIL = 50
_AT_ONCE = 250


_AS_NAMED = Columns()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a file of learners is to be read, and what is awarded to them.

    Attributes:
        mapping: the name of a mapping that is kept; what ``columns`` says goes before it.
        class_id, line_item_id: of a OneRoster package.
        by_mail: offer each record by mail.
        skip_bad: issue to the rest where rows are wrong.
    """

    achievement: str
    title: str = ""
    columns: Columns = _AS_NAMED
    mapping: str | None = None
    class_id: str | None = None
    line_item_id: str | None = None
    by_mail: bool = False
    skip_bad: bool = False
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A list that was looked through: what is awarded, to whom, and all that is wrong with the file."""

    achievement_id: str
    learners: LearnerList


@dataclass(frozen=True, slots=True)
class Reported:
    """A row, and the record that the learner has by now; None where there is none."""

    row: OrderRow
    record: credentials.IssuedCredential | None


class Desk:
    """What a registrar's office does with lists of learners.

    Args:
        link_of: the link to an invitation that a letter has.
        second_person: whether somebody else than who brought a list has to approve it.
    """

    def __init__(
        self,
        *,
        store: Store,
        achievements: Achievements,
        issuer: Issuer,
        links: Links,
        peering: Peering,
        mailer: Mailer,
        world: World,
        link_of: Callable[[Invited], str],
        second_person: bool,
    ) -> None:
        self.second_person = second_person
        self._store = store
        self._achievements = achievements
        self._issuer = issuer
        self._links = links
        self._peering = peering
        self._mailer = mailer
        self._world = world
        self._link_of = link_of

    async def check(self, data: bytes, wanted: Wanted) -> Listed:
        """Look through a file of learners; nothing is kept or issued.

        Raises:
            BadInput: ``csv.*``, ``oneroster.*`` where nothing of the file can be used; ``mail.not_configured``.
            WrongState: ``catalogue.*``, ``mapping.unknown``.
        """
        if wanted.by_mail:
            self._mailer.require_configured()
        async with self._store.read() as tx:
            achievement = await self._achievements.awardable(tx, wanted.achievement)
            columns = await self._columns(tx, wanted)
        learners = read_learners(
            data,
            result=achievement.result,
            columns=columns,
            class_id=wanted.class_id,
            line_item_id=wanted.line_item_id,
        )
        return Listed(achievement.id, _with_addresses(learners) if wanted.by_mail else learners)

    async def add(self, data: bytes, wanted: Wanted, person: str) -> Order:
        """Keep a list to be issued, or to be approved first.

        Args:
            person: who brings it, as the admin API knows them.

        Raises:
            BadInput: as :meth:`check`; ``order.bad_rows`` where rows are wrong and are not to be left out.
            WrongState: as :meth:`check`.
        """
        found = await self.check(data, wanted)
        learners = found.learners
        if not learners.rows or (learners.problems and not wanted.skip_bad):
            raise BadInput(
                "order.bad_rows",
                f"{len({problem.line for problem in learners.problems})} rows are wrong; nothing was kept.",
                "lernode desk check shows them all; mend them, or leave them out with --skip-bad.",
            )
        order = Order(
            id=self._world.new_id(),
            state=OrderState.WAITING if self.second_person else OrderState.APPROVED,
            created=self._world.clock(),
            achievement_id=found.achievement_id,
            title=wanted.title,
            by_mail=wanted.by_mail,
            brought_by=person,
            valid_from=_iso(wanted.valid_from),
            valid_until=_iso(wanted.valid_until),
        )
        rows = [_row_of(order.id, row) for row in learners.rows] + _failed(order.id, learners.problems)
        async with self._store.write() as tx:
            # From here on the version that was looked at is the one that is awarded.
            await self._achievements.awarded(tx, found.achievement_id)
            await orders.add(tx, order)
            await orders.add_rows(tx, rows)
            await self._note(tx, "order.brought", order, person)
        return order

    async def decide(self, order_id: str, person: str, *, approve: bool, reason: str | None = None) -> Order:
        """Approve a list, or decline it.

        Raises:
            WrongState: ``order.unknown``, ``order.not_waiting``, ``order.same_person``.
        """
        async with self._store.write() as tx:
            order = await orders.get(tx, order_id, lock=True)
            if order.state is not OrderState.WAITING:
                raise WrongState(
                    "order.not_waiting", "The list does not wait to be approved.", "lernode desk shows it."
                )
            if approve and person == order.brought_by:
                raise WrongState(
                    "order.same_person", "Who brought the list cannot approve it.", "Let somebody else approve it."
                )
            state = OrderState.APPROVED if approve else OrderState.DECLINED
            order = replace(order, state=state, decided_by=person, reason=reason)
            await orders.save(tx, order)
            await self._note(tx, f"order.{state}", order, person)
        return order

    async def run(self, order_id: str) -> list[OrderRow]:
        """Issue, or offer by mail, the next rows of an approved list; empty where none is left.

        Doing it again, also after a crash, issues nothing twice.

        Raises:
            WrongState: ``order.unknown``, ``order.not_approved``; as :meth:`Issuer.issue_rows` and :meth:`Links.offer`.
        """
        async with self._store.read() as tx:
            order = await orders.get(tx, order_id)
            at_once = _AT_ONCE_BY_MAIL if order.by_mail else _AT_ONCE
            ready = await orders.rows(tx, order_id, state=RowState.READY, limit=at_once)
        if order.state is not OrderState.APPROVED:
            raise WrongState("order.not_approved", "The list is not approved.", "lernode desk approve ORDER")
        if not ready:
            return []
        return await (self._invite(order) if order.by_mail else self._issue(order, ready))

    async def report(self, tx: Transaction, order_id: str, *, after: int = 0, limit: int = 500) -> list[Reported]:
        """What became of rows of a list, in the order of their lines."""
        found = await orders.rows(tx, order_id, after=after, limit=limit)
        issued = await credentials.get_issued_all(tx, [row.issued_id for row in found if row.issued_id])
        reported = []
        for row in found:
            record = issued.get(row.issued_id) if row.issued_id else None
            if row.exchange_id is not None:
                record = next(iter(await credentials.issued_of_exchange(tx, row.exchange_id)), None)
            reported.append(Reported(row, record))
        return reported

    async def remove(self, order_id: str, person: str) -> Order:
        """Forget a list with all its rows; records that were issued stay, and invitations that were sent stay open.

        Raises:
            WrongState: ``order.unknown``.
        """
        async with self._store.write() as tx:
            order = await orders.get(tx, order_id, lock=True)
            await orders.remove(tx, order_id)
            await self._note(tx, "order.removed", order, person)
        return order

    async def _issue(self, order: Order, ready: Sequence[OrderRow]) -> list[OrderRow]:
        awards = {str(row.line): _award(order, row) for row in ready}
        made = await self._issuer.issue_rows(f"order {order.id}", order.achievement_id, awards)
        done = []
        for row, each in zip(ready, made, strict=True):
            if each.record is not None:
                done.append(replace(row, state=RowState.ISSUED, issued_id=each.record.id))
            else:
                assert each.problem is not None
                code, message = each.problem.code, each.problem.message
                done.append(replace(row, state=RowState.FAILED, code=code, message=message))
        async with self._store.write() as tx:
            await orders.save_row(tx, *done)
        return done

    async def _invite(self, order: Order) -> list[OrderRow]:
        done: list[OrderRow] = []
        invited: list[Invited] = []
        async with self._store.write() as tx:
            await orders.get(tx, order.id, lock=True)
            for row in await orders.rows(tx, order.id, state=RowState.READY, limit=_AT_ONCE_BY_MAIL):
                try:
                    made, exchange_id = await self._links.offer_in(
                        tx, [_award(order, row)], Terms(), "A record for you"
                    )
                except BadInput as error:
                    done.append(replace(row, state=RowState.FAILED, code=error.code, message=error.message))
                    continue
                invited.append(made)
                queued = replace(row, state=RowState.QUEUED, link=self._link_of(made), exchange_id=exchange_id)
                done.append(replace(queued, due=self._world.clock()))
            await orders.save_row(tx, *done)
            tx.after_commit(self._mailer.wake)
        for each in invited:
            await self._peering.confirm(each)
        return done

    async def _columns(self, tx: Transaction, wanted: Wanted) -> Columns:
        if wanted.mapping is None:
            return wanted.columns
        kept = columns_from_json(await orders.mapping(tx, wanted.mapping))
        given = wanted.columns
        return Columns(
            names={**kept.names, **given.names},
            date_format=given.date_format or kept.date_format,
            encoding=given.encoding or kept.encoding,
        )

    async def _note(self, tx: Transaction, event: str, order: Order, person: str) -> None:
        await audit.append(tx, at=self._world.clock(), event=event, actor=person, subjects=(order.id,))


def columns_to_json(columns: Columns) -> dict[str, Any]:
    """A mapping as it is kept."""
    return {
        "names": {column.value: name for column, name in columns.names.items()},
        "dateFormat": columns.date_format,
        "encoding": columns.encoding,
    }


def columns_from_json(kept: dict[str, Any]) -> Columns:
    """What :func:`columns_to_json` gave.

    Raises:
        BadInput: ``mapping.column`` for a column that is not known.
    """
    try:
        names = {Column(column): str(name) for column, name in kept["names"].items()}
    except ValueError:
        hint = f"There are: {', '.join(Column)}."
        raise BadInput("mapping.column", "A mapping names a column that is not known.", hint) from None
    return Columns(names=names, date_format=kept["dateFormat"], encoding=kept["encoding"])


def _with_addresses(learners: LearnerList) -> LearnerList:
    """Without those to whom nothing can be sent, which are problems."""
    message = "The row has no e-mail address to send the invitation to."
    missing = [RowProblem(row.line, "email", "row.no_email", message) for row in learners.rows if row.email is None]
    problems = sorted((*learners.problems, *missing), key=lambda problem: problem.line)
    return replace(
        learners, rows=tuple(row for row in learners.rows if row.email is not None), problems=tuple(problems)
    )


def _row_of(order_id: str, row: LearnerRow) -> OrderRow:
    return OrderRow(
        order_id=order_id,
        line=row.line,
        name=row.name,
        email=row.email,
        did=row.did,
        date=_iso(row.date),
        result=row.result,
    )


def _failed(order_id: str, problems: Sequence[RowProblem]) -> list[OrderRow]:
    """One row for each line that is wrong, with its first problem."""
    first: dict[int, RowProblem] = {}
    for problem in problems:
        first.setdefault(problem.line, problem)
    return [
        OrderRow(order_id=order_id, line=line, state=RowState.FAILED, code=problem.code, message=problem.message)
        for line, problem in first.items()
    ]


def _award(order: Order, row: OrderRow) -> Award:
    return Award(
        achievement_id=order.achievement_id,
        subject_did=row.did,
        email=row.email,
        name=row.name,
        valid_from=_time(row.date or order.valid_from),
        valid_until=_time(order.valid_until),
        result=row.result,
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
