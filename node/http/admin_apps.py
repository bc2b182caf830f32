"""Admin operations about apps that the owner lets at records: the part of the table, and what it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.http import apps_schemas as a
from node.http.admin_lookup import find_app
from node.http.admin_operation import Call, Nothing, Operation
from node.http.apps_schemas import SHORT_SCOPES, short_scopes
from node.http.schemas import Page, PageQuery
from node.roles.apps import App, Asked

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["APP_OPERATIONS"]


async def list_apps(node: Node, call: Call[PageQuery, Nothing]) -> Page[a.AppView]:
    """The apps that were let in."""
    found = await node.apps.list(after=call.query.after, limit=call.query.limit)
    more = found[-1].client.id if len(found) == call.query.limit else None
    return Page(items=[_app(each) for each in found], next=more)


async def revoke_app(node: Node, call: Call[Nothing, Nothing]) -> a.AppView:
    """End what an app was granted; the answer says what that was.

    Raises:
        WrongState: ``app.unknown``, ``app.ambiguous``.
    """
    async with node.store.read() as tx:
        client = await find_app(tx, call.id)
    return _app(await node.apps.revoke(client.id))


async def list_requests(node: Node, _call: Call[Nothing, Nothing]) -> Page[a.AppRequestView]:
    """What apps ask for now."""
    return Page(items=[_request(each) for each in await node.apps.waiting()])


async def request(node: Node, call: Call[Nothing, Nothing]) -> a.AppRequestView:
    """What one app asks for.

    Raises:
        WrongState: ``app_request.unknown``.
    """
    return _request(await node.apps.asked(call.id))


async def approve(node: Node, call: Call[Nothing, a.ApproveApp]) -> a.ApprovalView:
    """Say yes, and get the code for the page.

    Raises:
        BadInput: ``oauth.invalid_scope``.
        WrongState: ``app_request.unknown``.
    """
    scopes = None if call.body.scopes is None else [SHORT_SCOPES[each] for each in call.body.scopes]
    asked, code = await node.apps.approve(call.id, scopes)
    return a.ApprovalView(request=_request(asked), code=_hyphened(code))


async def decline(node: Node, call: Call[Nothing, Nothing]) -> a.AppRequestView:
    """Say no.

    Raises:
        WrongState: ``app_request.unknown``.
    """
    return _request(await node.apps.decline(call.id))


def _app(app: App) -> a.AppView:
    details = app.client.details
    return a.AppView(
        id=app.client.id,
        name=details["client_name"],
        url=details["client_uri"],
        terms_url=details["tos_uri"],
        privacy_url=details["policy_uri"],
        answered_at=details["redirect_uris"],
        grants=[
            a.AppGrantView(
                id=each.id, scopes=short_scopes(each.details["scopes"]), created=each.created, used=each.used
            )
            for each in app.grants
        ],
    )


def _request(asked: Asked) -> a.AppRequestView:
    details = asked.client.details
    return a.AppRequestView(
        number=_hyphened(asked.request.id),
        state=asked.request.state.value,
        app_id=asked.client.id,
        name=details["client_name"],
        url=details["client_uri"],
        terms_url=details["tos_uri"],
        privacy_url=details["policy_uri"],
        answered_at=asked.request.details["redirect_uri"],
        scopes=short_scopes(asked.scopes),
        expires=asked.request.expires,
    )


def _hyphened(word: str) -> str:
    return f"{word[:4]}-{word[4:]}"


APP_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="listApps",
        method="GET",
        path="/admin/apps",
        summary="The apps that the owner let at records over the Open Badges API, with what each is granted.",
        handler=list_apps,
        query=PageQuery,
        response=Page[a.AppView],
    ),
    Operation(
        name="revokeApp",
        method="DELETE",
        path="/admin/apps/{id}",
        summary="End at once all that an app was granted, and forget it.",
        handler=revoke_app,
        response=a.AppView,
    ),
    Operation(
        name="listAppRequests",
        method="GET",
        path="/admin/apps/requests",
        summary="The apps that ask to be let in, the newest first.",
        handler=list_requests,
        response=Page[a.AppRequestView],
    ),
    Operation(
        name="getAppRequest",
        method="GET",
        path="/admin/apps/requests/{id}",
        summary="What one app asks for, by the number that its page shows.",
        handler=request,
        response=a.AppRequestView,
    ),
    Operation(
        name="approveApp",
        method="POST",
        path="/admin/apps/requests/{id}/approve",
        summary="Let an app in; the answer has the code that its owner types into the page.",
        about="The code is good once, for this request and in the browser that shows it. See docs/open-badges-api.md.",
        handler=approve,
        body=a.ApproveApp,
        response=a.ApprovalView,
    ),
    Operation(
        name="declineApp",
        method="POST",
        path="/admin/apps/requests/{id}/decline",
        summary="Do not let an app in.",
        handler=decline,
        response=a.AppRequestView,
    ),
)
