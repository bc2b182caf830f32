"""Admin operations about the issuing desk: the part of the table, and what it calls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from node.http import desk_schemas as d
from node.http.admin_lookup import find_order
from node.http.admin_operation import Call, Nothing, Operation
from node.http.schemas import Page
from node.roles.desk import Reported, Wanted, columns_from_json, columns_to_json
from protocols import strict_json
from protocols.errors import BadInput
from storage import audit, orders
from storage.orders import Order, RowState

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["DESK_OPERATIONS"]

_PREVIEW = 5
_MAX_FILE = 256 << 20


async def check(node: Node, call: Call[d.ListToCheck, Path]) -> d.CheckedView:
    """Look through a file of learners: every problem, and how the first rows are understood.

    Raises:
        BadInput: ``csv.*``, ``oneroster.*``, ``mapping.column``, ``mail.not_configured``.
        WrongState: ``catalogue.*``, ``mapping.unknown``.
    """
    found = await node.desk.check(_content(call.body), _wanted(call.query))
    learners = found.learners
    return d.CheckedView(
        achievement=found.achievement_id,
        good=len(learners.rows),
        problems=[
            d.ProblemOfRow(line=each.line, column=each.column, code=each.code, message=each.message)
            for each in learners.problems
        ],
        ignored_columns=learners.ignored_columns,
        preview=[
            d.PreviewView(line=row.line, name=row.name, email=row.email, did=row.did, date=row.date, result=row.result)
            for row in learners.rows[:_PREVIEW]
        ],
    )


async def add(node: Node, call: Call[d.ListToCheck, Path]) -> d.OrderDetail:
    """Keep a list, to be issued or to be approved first.

    Raises:
        BadInput: as :func:`check`; ``order.bad_rows``.
        WrongState: as :func:`check`.
    """
    order = await node.desk.add(_content(call.body), _wanted(call.query), call.person)
    return await _detail(node, order.id)


async def list_orders(node: Node, call: Call[d.OrdersQuery, Nothing]) -> Page[d.OrderView]:
    """The lists, the newest first."""
    async with node.store.read() as tx:
        found = await orders.page(tx, after=call.query.after, limit=call.query.limit)
    last = found[-1].id if len(found) == call.query.limit else None
    return Page(items=[d.OrderView(**_fields(order)) for order in found], next=last)


async def show(node: Node, call: Call[Nothing, Nothing]) -> d.OrderDetail:
    """One list."""
    return await _detail(node, await _id(node, call.id))


async def rows(node: Node, call: Call[d.RowsQuery, Nothing]) -> Page[d.RowView]:
    """What became of the rows of a list."""
    async with node.store.read() as tx:
        order = await find_order(tx, call.id)
        found = await node.desk.report(tx, order.id, after=call.query.after, limit=call.query.limit)
    last = str(found[-1].row.line) if len(found) == call.query.limit else None
    return Page(items=[_row(each) for each in found], next=last)


async def approve(node: Node, call: Call[Nothing, d.Decision]) -> d.OrderDetail:
    """Approve a list.

    Raises:
        WrongState: ``order.not_waiting``, ``order.same_person``.
    """
    found = await node.desk.decide(await _id(node, call.id), call.person, approve=True, reason=call.body.reason)
    return await _detail(node, found.id)


async def decline(node: Node, call: Call[Nothing, d.Decision]) -> d.OrderDetail:
    """Decline a list.

    Raises:
        WrongState: ``order.not_waiting``.
    """
    found = await node.desk.decide(await _id(node, call.id), call.person, approve=False, reason=call.body.reason)
    return await _detail(node, found.id)


async def run(node: Node, call: Call[Nothing, Nothing]) -> d.RanView:
    """Issue the next rows of a list.

    Raises:
        WrongState: ``order.not_approved``.
    """
    order_id = await _id(node, call.id)
    done = await node.desk.run(order_id)
    async with node.store.read() as tx:
        left = (await orders.counts(tx, order_id)).get(RowState.READY, 0)
        first, last = (done[0].line - 1, done[-1].line) if done else (0, 0)
        reported = await node.desk.report(tx, order_id, after=first, limit=last - first) if done else []
    lines = {row.line for row in done}
    return d.RanView(done=[_row(each) for each in reported if each.row.line in lines], left=left)


async def remove(node: Node, call: Call[Nothing, Nothing]) -> d.OrderView:
    """Forget a list with its rows."""
    return d.OrderView(**_fields(await node.desk.remove(await _id(node, call.id), call.person)))


async def list_mappings(node: Node, _call: Call[Nothing, Nothing]) -> Page[d.MappingView]:
    """The mappings that are kept."""
    async with node.store.read() as tx:
        found = await orders.mappings(tx)
    return Page(items=[_mapping(name, columns) for name, columns in found.items()])


async def keep_mapping(node: Node, call: Call[Nothing, d.MappingToKeep]) -> d.MappingView:
    """Keep a mapping.

    Raises:
        BadInput: ``mapping.column``.
    """
    body = call.body
    kept = {"names": body.names, "dateFormat": body.date_format, "encoding": body.encoding}
    columns = columns_to_json(columns_from_json(kept))
    async with node.store.write() as tx:
        await orders.keep_mapping(tx, body.name, columns)
        await audit.append(tx, at=node.world.clock(), event="mapping.kept", actor=call.person, subjects=(body.name,))
    return _mapping(body.name, columns)


async def remove_mapping(node: Node, call: Call[Nothing, Nothing]) -> d.MappingView:
    """Forget a mapping."""
    async with node.store.write() as tx:
        found = await orders.mapping(tx, call.id)
        await orders.remove_mapping(tx, call.id)
        await audit.append(tx, at=node.world.clock(), event="mapping.removed", actor=call.person, subjects=(call.id,))
    return _mapping(call.id, found)


def _content(file: Path) -> bytes:
    if file.stat().st_size > _MAX_FILE:
        raise BadInput("csv.too_large", f"The file is larger than {_MAX_FILE} bytes.", "Split it.")
    return file.read_bytes()


def _wanted(query: d.ListToCheck) -> Wanted:
    names = {} if query.columns is None else strict_json.loads_object(query.columns)
    columns = columns_from_json({"names": names, "dateFormat": query.date_format, "encoding": query.encoding})
    return Wanted(
        achievement=query.achievement,
        title=query.title,
        columns=columns,
        mapping=query.mapping,
        class_id=query.class_id,
        line_item_id=query.line_item,
        by_mail=query.by_mail,
        skip_bad=query.skip_bad,
        valid_from=query.valid_from,
        valid_until=query.valid_until,
    )


async def _id(node: Node, text: str) -> str:
    async with node.store.read() as tx:
        return (await find_order(tx, text)).id


async def _detail(node: Node, order_id: str) -> d.OrderDetail:
    async with node.store.read() as tx:
        order = await orders.get(tx, order_id)
        counted = await orders.counts(tx, order_id)
    return d.OrderDetail(**_fields(order), rows={state.value: count for state, count in counted.items()})


def _fields(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "title": order.title,
        "achievement": order.achievement_id,
        "state": order.state.value,
        "by_mail": order.by_mail,
        "brought_by": order.brought_by,
        "decided_by": order.decided_by,
        "reason": order.reason,
        "created": order.created,
    }


def _row(reported: Reported) -> d.RowView:
    row, record = reported.row, reported.record
    taken = row.exchange_id is not None and record is not None
    return d.RowView(
        line=row.line,
        state="taken" if taken else row.state.value,
        name=row.name,
        email=row.email,
        did=row.did,
        record=record.id if record else None,
        credential=record.credential_id if record else None,
        issued_at=record.issued_at if record else None,
        code=row.code,
        message=row.message,
    )


def _mapping(name: str, columns: dict[str, Any]) -> d.MappingView:
    return d.MappingView(
        name=name, names=columns["names"], date_format=columns["dateFormat"], encoding=columns["encoding"]
    )


_ORDERS, _MAPPINGS = "/admin/desk/orders", "/admin/desk/mappings"

DESK_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="checkList",
        method="POST",
        path="/admin/desk/check",
        summary="Look through a file of learners (CSV, JSON Lines, OneRoster): every problem; nothing is kept.",
        handler=check,
        query=d.ListToCheck,
        response=d.CheckedView,
        upload=True,
    ),
    Operation(
        name="addOrder",
        method="POST",
        path=_ORDERS,
        summary="Keep a file of learners as a list to be issued, or to be approved by somebody else first.",
        handler=add,
        query=d.ListToCheck,
        response=d.OrderDetail,
        upload=True,
        status=201,
    ),
    Operation(
        name="listOrders",
        method="GET",
        path=_ORDERS,
        summary="The lists of the issuing desk, the newest first.",
        handler=list_orders,
        query=d.OrdersQuery,
        response=Page[d.OrderView],
    ),
    Operation(
        name="getOrder",
        method="GET",
        path=_ORDERS + "/{id}",
        summary="One list, and how many of its rows are in each state.",
        handler=show,
        response=d.OrderDetail,
    ),
    Operation(
        name="listOrderRows",
        method="GET",
        path=_ORDERS + "/{id}/rows",
        summary="The report of a list: who got what, what waits, what failed and why.",
        handler=rows,
        query=d.RowsQuery,
        response=Page[d.RowView],
    ),
    Operation(
        name="approveOrder",
        method="POST",
        path=_ORDERS + "/{id}/approve",
        summary="Approve a list; whoever brought it cannot.",
        handler=approve,
        body=d.Decision,
        response=d.OrderDetail,
    ),
    Operation(
        name="declineOrder",
        method="POST",
        path=_ORDERS + "/{id}/decline",
        summary="Decline a list.",
        handler=decline,
        body=d.Decision,
        response=d.OrderDetail,
    ),
    Operation(
        name="runOrder",
        method="POST",
        path=_ORDERS + "/{id}/run",
        summary="Issue, or invite by mail, the next rows of an approved list; again until none is left.",
        about="Nothing is issued twice, also after a crash.",
        handler=run,
        response=d.RanView,
    ),
    Operation(
        name="removeOrder",
        method="DELETE",
        path=_ORDERS + "/{id}",
        summary="Forget a list with its rows; issued records stay.",
        handler=remove,
        response=d.OrderView,
    ),
    Operation(
        name="listMappings",
        method="GET",
        path=_MAPPINGS,
        summary="The kept mappings of a student system's columns.",
        handler=list_mappings,
        response=Page[d.MappingView],
    ),
    Operation(
        name="keepMapping",
        method="POST",
        path=_MAPPINGS,
        summary="Keep by name which column of a student system is what.",
        handler=keep_mapping,
        body=d.MappingToKeep,
        response=d.MappingView,
    ),
    Operation(
        name="removeMapping",
        method="DELETE",
        path=_MAPPINGS + "/{id}",
        summary="Forget a mapping.",
        handler=remove_mapping,
        response=d.MappingView,
    ),
)
