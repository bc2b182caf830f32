"""The admin API: one table of operations, from which both the routes and ``GET /openapi.json`` are made.

The VC API, which has a table of its own in ``vc_api.py``, is served with it.

It is served on a Unix socket that only the node's own user can open, and, closed unless a bearer token is set, on a
port. Nothing here decides anything: each operation finds what is meant and calls one function of a role.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from node.config import is_loopback
from node.http import (
    admin_erasure,
    admin_events,
    admin_exchanges,
    admin_mediation,
    admin_node,
    admin_peers,
    admin_present,
    admin_records,
    admin_verification,
)
from node.http import schemas as s
from node.http.admin_apps import APP_OPERATIONS
from node.http.admin_catalogue import CATALOGUE_OPERATIONS
from node.http.admin_cohort import COHORT_OPERATIONS
from node.http.admin_desk import DESK_OPERATIONS
from node.http.admin_frameworks import FRAMEWORK_OPERATIONS
from node.http.admin_learner_records import LEARNER_RECORD_OPERATIONS
from node.http.admin_matching import MATCHING_OPERATIONS
from node.http.admin_operation import Operation, operation_handler
from node.http.admin_outbox import OUTBOX_OPERATIONS
from node.http.admin_pathways import PATHWAY_OPERATIONS
from node.http.admin_portfolio import PORTFOLIO_OPERATIONS
from node.http.admin_profile import PROFILE_OPERATIONS
from node.http.admin_trust import TRUST_OPERATIONS
from node.http.admin_wallets import WALLET_OPERATIONS
from node.http.event_stream import stream_events
from node.http.gate import Gate
from node.http.openapi import openapi_document
from node.http.person import PERSON
from node.http.problem import problem_middleware, problem_response
from node.http.vc_api import VC_OPERATIONS, VC_PATHS, add_vc_api
from protocols import strict_json

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["ALL_OPERATIONS", "OPERATIONS", "admin_app", "vc_api_app"]

_MAX_BODY_BYTES = 4 << 20
_NOBODY: Mapping[str, str] = {}
Page = s.Page

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="nodeStatus",
        method="GET",
        path="/admin/status",
        summary="How the node is: who it is, what waits, how full its outbox is.",
        handler=admin_node.status,
        response=s.StatusView,
    ),
    Operation(
        name="listDids",
        method="GET",
        path="/admin/dids",
        summary="The DIDs that the node issues and holds under.",
        handler=admin_node.list_dids,
        response=Page[s.DidView],
    ),
    Operation(
        name="createDid",
        method="POST",
        path="/admin/dids",
        summary="Make a DID.",
        handler=admin_node.create_did,
        response=s.DidView,
        body=s.NewDid,
        status=201,
    ),
    Operation(
        name="resolveDid",
        method="GET",
        path="/admin/dids/resolve",
        summary="What a DID or DID URL resolves to, with all metadata.",
        handler=admin_node.resolve_did,
        response=s.ResolutionView,
        query=s.DidQuery,
    ),
    Operation(
        name="addDidKey",
        method="POST",
        path="/admin/dids/{id}/keys",
        summary="Make another key for the node's did:web.",
        handler=admin_node.add_did_key,
        response=s.DidView,
        body=s.NewKey,
        status=201,
    ),
    Operation(
        name="rotateDidKeys",
        method="POST",
        path="/admin/dids/{id}/rotate-key",
        summary="Let fresh keys sign for the node's did:web; what the old ones signed still verifies.",
        handler=admin_node.rotate_did_keys,
        response=s.DidView,
        body=s.KeyRotation,
    ),
    Operation(
        name="chooseDid",
        method="POST",
        path="/admin/dids/{id}/default",
        summary="Use a DID for its purpose where none is named.",
        handler=admin_node.choose_did,
        response=s.DidView,
    ),
    Operation(
        name="createInvitation",
        method="POST",
        path="/admin/invitations",
        summary="Make an out-of-band invitation.",
        handler=admin_peers.create_invitation,
        response=s.InvitationView,
        body=s.NewInvitation,
        status=201,
    ),
    Operation(
        name="inviteWithOffer",
        method="POST",
        path="/admin/invitations/offers",
        summary="Make an invitation that offers a record to whoever answers it first, as a link or QR code.",
        handler=admin_peers.invite_with_offer,
        response=s.InvitationView,
        body=s.OfferByLink,
        status=201,
    ),
    Operation(
        name="inviteWithRequest",
        method="POST",
        path="/admin/invitations/requests",
        summary="Make an invitation that asks for records, of one peer or, as on a poster, of each who answers it.",
        handler=admin_peers.invite_with_request,
        response=s.InvitationView,
        body=s.RequestByLink,
        status=201,
    ),
    Operation(
        name="listInvitations",
        method="GET",
        path="/admin/invitations",
        summary="The invitations that the node gave out, the newest first.",
        handler=admin_peers.list_invitations,
        response=Page[s.InvitationView],
        query=s.PageQuery,
    ),
    Operation(
        name="acceptInvitation",
        method="POST",
        path="/admin/connections",
        summary="Answer a peer's invitation; doing it twice makes one connection.",
        handler=admin_peers.accept_invitation,
        response=s.AcceptedView,
        body=s.AcceptInvitation,
        status=201,
    ),
    Operation(
        name="listConnections",
        method="GET",
        path="/admin/connections",
        summary="The peers, the newest first.",
        handler=admin_peers.list_connections,
        response=Page[s.ConnectionView],
        query=s.PageQuery,
    ),
    Operation(
        name="getConnection",
        method="GET",
        path="/admin/connections/{id}",
        summary="One peer, by id, beginning of an id, or label.",
        handler=admin_peers.connection,
        response=s.ConnectionView,
    ),
    Operation(
        name="endConnection",
        method="POST",
        path="/admin/connections/{id}/end",
        summary="End a connection for good; the peer is told, and nothing of it is taken any more.",
        handler=admin_peers.end_connection,
        response=s.ConnectionView,
    ),
    Operation(
        name="rotateDid",
        method="POST",
        path="/admin/connections/{id}/rotate",
        summary="Go on with a peer under a fresh DID.",
        handler=admin_peers.rotate_did,
        response=s.ConnectionView,
    ),
    Operation(
        name="requestMediation",
        method="POST",
        path="/admin/mediators",
        summary="Ask a peer to hold messages for this node; a peer that was asked is not asked twice.",
        about="Once it has granted that, new DIDs and invitations lead to it.",
        handler=admin_mediation.request_mediation,
        response=s.MediatorView,
        body=s.NewMediator,
        status=201,
    ),
    Operation(
        name="listMediators",
        method="GET",
        path="/admin/mediators",
        summary="The mediators of this node, the newest first.",
        handler=admin_mediation.list_mediators,
        response=Page[s.MediatorView],
    ),
    Operation(
        name="getMediator",
        method="GET",
        path="/admin/mediators/{id}",
        summary="One mediator, by its connection's id, beginning of an id, or label.",
        handler=admin_mediation.mediator,
        response=s.MediatorView,
    ),
    Operation(
        name="leaveMediator",
        method="POST",
        path="/admin/mediators/{id}/leave",
        summary="Use a mediator for nothing new; what peers already send by it still comes, unless it is forgotten.",
        handler=admin_mediation.leave_mediator,
        response=s.MediatorView,
        body=s.LeaveMediator,
    ),
    Operation(
        name="collectMessages",
        method="POST",
        path="/admin/collect",
        summary="Ask the mediators for messages now, without waiting for the next time.",
        handler=admin_mediation.collect,
        response=Page[s.MediatorView],
    ),
    Operation(
        name="listClients",
        method="GET",
        path="/admin/clients",
        summary="The peers that this node mediates for, the newest first, and how much is held for each.",
        handler=admin_mediation.list_clients,
        response=Page[s.ClientView],
        query=s.PageQuery,
    ),
    Operation(
        name="endClient",
        method="POST",
        path="/admin/clients/{id}/end",
        summary="Mediate for a peer no longer; what is held for it is forgotten, and it is told. Answers what it had.",
        handler=admin_mediation.end_client,
        response=s.ClientView,
    ),
    Operation(
        name="askFeatures",
        method="POST",
        path="/admin/connections/{id}/features",
        summary="Ask a peer which protocols it speaks; its answer comes into the exchange, as `features` of its data.",
        handler=admin_peers.ask_features,
        response=s.ExchangeView,
        body=s.FeaturesQuery,
        status=201,
    ),
    Operation(
        name="offerRecord",
        method="POST",
        path="/admin/credentials/offers",
        summary="Offer a record to a peer, also in answer to its proposal.",
        handler=admin_records.offer,
        response=s.OfferView,
        body=s.AwardOverConnection,
        status=201,
    ),
    Operation(
        name="proposeRecord",
        method="POST",
        path="/admin/credentials/proposals",
        summary="Ask a peer to award an achievement, also instead of what it offers; it answers with an offer.",
        handler=admin_records.propose,
        response=s.ExchangeView,
        body=s.RecordProposal,
        status=201,
    ),
    Operation(
        name="issueRecord",
        method="POST",
        path="/admin/credentials/issue",
        summary="Sign a record at once, to be handed over as a file.",
        handler=admin_records.issue,
        response=s.IssuedDetail,
        body=s.Award,
        status=201,
    ),
    Operation(
        name="issueBatch",
        method="POST",
        path="/admin/credentials/issue-batch",
        summary="Sign records for rows of a list; a row that has its record is not issued again.",
        about="Send a list in parts, in any order, and after an interruption send it again.",
        handler=admin_records.issue_batch,
        response=s.BatchView,
        body=s.BatchToIssue,
    ),
    Operation(
        name="listRecords",
        method="GET",
        path="/admin/records",
        summary="The records that the node holds, the newest first.",
        handler=admin_records.list_held,
        response=Page[s.HeldView],
        query=s.RecordsQuery,
    ),
    Operation(
        name="getRecord",
        method="GET",
        path="/admin/records/{id}",
        summary="One held record with its document.",
        handler=admin_records.record,
        response=s.HeldDetail,
    ),
    Operation(
        name="keepRecords",
        method="POST",
        path="/admin/records",
        summary="Hold records that did not come over a connection: from a file, a link, or the holder's own export.",
        about="Read are JSON with proofs inside, JWT, SD-JWT, envelopes, presentations, arrays of these, PNG and SVG.",
        handler=admin_records.keep_records,
        response=s.IntakeView,
        body=s.RecordsToKeep,
    ),
    Operation(
        name="bakeRecord",
        method="POST",
        path="/admin/records/{id}/bake",
        summary="A PNG or SVG picture with a held record in it (Open Badges 3.0 §5.3).",
        handler=admin_records.bake_held,
        response=s.BakedView,
        body=s.Bake,
    ),
    Operation(
        name="bakeIssued",
        method="POST",
        path="/admin/issued/{id}/bake",
        summary="A PNG or SVG picture with an issued record in it (Open Badges 3.0 §5.3).",
        handler=admin_records.bake_issued,
        response=s.BakedView,
        body=s.Bake,
    ),
    Operation(
        name="deriveRecord",
        method="POST",
        path="/admin/records/{id}/derive",
        summary="A part of a held record, for records that are secured so that they can be shown in part.",
        handler=admin_records.derive,
        response=s.DerivedRecord,
        body=s.Derive,
    ),
    Operation(
        name="listIssued",
        method="GET",
        path="/admin/issued",
        summary="The records that the node issued, the newest first.",
        handler=admin_records.list_issued,
        response=Page[s.IssuedView],
        query=s.IssuedQuery,
    ),
    Operation(
        name="getIssued",
        method="GET",
        path="/admin/issued/{id}",
        summary="One issued record with its document.",
        handler=admin_records.issued_record,
        response=s.IssuedDetail,
    ),
    Operation(
        name="endorseRecord",
        method="POST",
        path="/admin/credentials/endorse",
        summary="Sign an endorsement (Open Badges 3.0) of a record that somebody else has issued.",
        handler=admin_records.endorse,
        response=s.IssuedDetail,
        body=s.RecordToEndorse,
        status=201,
    ),
    Operation(
        name="offerEndorsement",
        method="POST",
        path="/admin/credentials/endorse/offers",
        summary="Offer a peer an endorsement of a record that somebody else has issued; it is signed when it is taken.",
        handler=admin_records.offer_endorsement,
        response=s.OfferView,
        body=s.EndorsementOffer,
        status=201,
    ),
    Operation(
        name="correctRecord",
        method="POST",
        path="/admin/issued/{id}/correct",
        summary="Replace a record by one that says something else; the former is revoked, and each names the other.",
        handler=admin_records.correct,
        response=s.CorrectedView,
        body=s.RecordCorrection,
    ),
    Operation(
        name="changeStatus",
        method="POST",
        path="/admin/issued/{id}/status",
        summary="Revoke for good, suspend, reinstate, say that there is a newer version, or set a message.",
        handler=admin_records.change_status,
        response=s.IssuedView,
        body=s.StatusChange,
    ),
    Operation(
        name="listExchanges",
        method="GET",
        path="/admin/exchanges",
        summary="Conversations with peers, the newest first.",
        handler=admin_exchanges.list_exchanges,
        response=Page[s.ExchangeView],
        query=s.ExchangesQuery,
    ),
    Operation(
        name="getExchange",
        method="GET",
        path="/admin/exchanges/{id}",
        summary="One exchange; with `wait`, once it has gone on.",
        handler=admin_exchanges.exchange,
        response=s.ExchangeDetail,
        query=s.ExchangeQuery,
    ),
    Operation(
        name="acceptExchange",
        method="POST",
        path="/admin/exchanges/{id}/accept",
        summary="Say yes to what the exchange waits for.",
        handler=admin_exchanges.accept,
        response=s.ExchangeDetail,
    ),
    Operation(
        name="declineExchange",
        method="POST",
        path="/admin/exchanges/{id}/decline",
        summary="Say no, or give up waiting for the peer; it is told the reason.",
        handler=admin_exchanges.decline,
        response=s.ExchangeDetail,
        body=s.Decline,
    ),
    Operation(
        name="resendExchange",
        method="POST",
        path="/admin/exchanges/{id}/resend",
        summary="Send the last message again, where the peer owes an answer; a peer that has it does nothing.",
        handler=admin_exchanges.resend,
        response=s.ExchangeDetail,
    ),
    Operation(
        name="matchRecords",
        method="GET",
        path="/admin/exchanges/{id}/matches",
        summary="What a verifier asks for, or an issuer before it issues, and which held records fit.",
        handler=admin_present.matches,
        query=s.MatchesQuery,
        response=s.MatchesView,
    ),
    Operation(
        name="previewRecords",
        method="POST",
        path="/admin/exchanges/{id}/preview",
        summary="What would be sent for a choice of records, and what of them would not; nothing is sent.",
        handler=admin_present.preview,
        response=s.PreviewView,
        body=s.Present,
    ),
    Operation(
        name="presentRecords",
        method="POST",
        path="/admin/exchanges/{id}/present",
        summary="Answer a verifier with records, or accept an offer that asks for some.",
        handler=admin_present.present,
        response=s.ExchangeDetail,
        body=s.Present,
    ),
    Operation(
        name="listReceipts",
        method="GET",
        path="/admin/receipts",
        summary="What was shown to whom, when and why: receipts of consent, the newest first.",
        handler=admin_present.list_receipts,
        response=Page[s.ReceiptView],
        query=s.ReceiptsQuery,
    ),
    Operation(
        name="getReceipt",
        method="GET",
        path="/admin/receipts/{id}",
        summary="One receipt of consent.",
        handler=admin_present.receipt,
        response=s.ReceiptView,
    ),
    Operation(
        name="requestRecords",
        method="POST",
        path="/admin/presentations/requests",
        summary="Ask a peer for records, also instead of what it proposes to show.",
        handler=admin_verification.request_records,
        response=s.ExchangeView,
        body=s.NewRequest,
        status=201,
    ),
    Operation(
        name="proposePresentation",
        method="POST",
        path="/admin/presentations/proposals",
        summary="Tell a peer what this node could show, also instead of what it asks for; it answers with a request.",
        handler=admin_present.propose,
        response=s.ExchangeView,
        body=s.PresentationProposal,
        status=201,
    ),
    Operation(
        name="verifyExchange",
        method="POST",
        path="/admin/exchanges/{id}/verify",
        summary="Verify again what was presented, with status lists fetched now.",
        handler=admin_verification.verify_exchange,
        response=s.VerificationView,
        body=s.VerifyExchange,
    ),
    Operation(
        name="getVerification",
        method="GET",
        path="/admin/exchanges/{id}/verification",
        summary="The last result for what an exchange brought, every check by name.",
        handler=admin_verification.verification,
        response=s.VerificationView,
    ),
    Operation(
        name="verifyDocument",
        method="POST",
        path="/admin/verify",
        summary="Verify a credential or presentation; nothing of it is kept.",
        handler=admin_verification.verify_document,
        response=s.ResultView,
        body=s.DocumentToVerify,
    ),
    Operation(
        name="listEvents",
        method="GET",
        path="/admin/events",
        summary="What happened, as CloudEvents in order; as a stream for clients that accept text/event-stream.",
        about="See docs/webhooks.md for the types of events.",
        handler=admin_events.list_events,
        response=Page[s.EventView],
        query=s.EventsQuery,
        stream=stream_events,
    ),
    Operation(
        name="addWebhook",
        method="POST",
        path="/admin/webhooks",
        summary="Tell a URL of events from now on; the answer has its secret, which is shown this once.",
        handler=admin_events.add_webhook,
        response=s.WebhookSecretView,
        body=s.NewWebhook,
        status=201,
    ),
    Operation(
        name="listWebhooks",
        method="GET",
        path="/admin/webhooks",
        summary="The webhooks, and how far behind each is.",
        handler=admin_events.list_webhooks,
        response=Page[s.WebhookView],
    ),
    Operation(
        name="getWebhook",
        method="GET",
        path="/admin/webhooks/{id}",
        summary="One webhook.",
        handler=admin_events.webhook,
        response=s.WebhookView,
    ),
    Operation(
        name="removeWebhook",
        method="DELETE",
        path="/admin/webhooks/{id}",
        summary="Forget a webhook, and what it was still to be told.",
        handler=admin_events.remove_webhook,
        response=s.WebhookView,
    ),
    Operation(
        name="testWebhook",
        method="POST",
        path="/admin/webhooks/{id}/test",
        summary="Send a signed event that tells of nothing, now and once; says how the receiver answered.",
        handler=admin_events.test_webhook,
        response=s.WebhookTestView,
    ),
    Operation(
        name="rotateWebhook",
        method="POST",
        path="/admin/webhooks/{id}/rotate",
        summary="Give a webhook a new secret; for 24 hours messages are signed with the old one too.",
        handler=admin_events.rotate_webhook,
        response=s.WebhookSecretView,
    ),
    Operation(
        name="replayWebhook",
        method="POST",
        path="/admin/webhooks/{id}/replay",
        summary="Deliver again what was given up, or all that follows an event, under the same ids.",
        handler=admin_events.replay_webhook,
        response=s.ReplayView,
        body=s.Replay,
    ),
    Operation(
        name="resumeWebhook",
        method="POST",
        path="/admin/webhooks/{id}/resume",
        summary="Go on with a webhook that was stopped, or try again now what waits for its next attempt.",
        handler=admin_events.resume_webhook,
        response=s.WebhookView,
    ),
    *OUTBOX_OPERATIONS,
    *APP_OPERATIONS,
    *WALLET_OPERATIONS,
    *CATALOGUE_OPERATIONS,
    *DESK_OPERATIONS,
    *FRAMEWORK_OPERATIONS,
    *LEARNER_RECORD_OPERATIONS,
    *MATCHING_OPERATIONS,
    *PATHWAY_OPERATIONS,
    *TRUST_OPERATIONS,
    *PROFILE_OPERATIONS,
    *COHORT_OPERATIONS,
    *PORTFOLIO_OPERATIONS,
    Operation(
        name="prune",
        method="POST",
        path="/admin/prune",
        summary="Forget now what the configuration keeps no longer, as happens once a day; or only count it.",
        handler=admin_erasure.prune,
        response=s.PruneView,
        body=s.Prune,
    ),
    Operation(
        name="erasePerson",
        method="POST",
        path="/admin/erasures",
        summary="Erase all that is kept of a peer, or of a subject of records; the answer has a signed report.",
        about="Places in status lists stay as they are, and the audit trail, which has ids and digests only.",
        handler=admin_erasure.erase,
        response=s.ErasureView,
        body=s.Erase,
    ),
    Operation(
        name="listErasures",
        method="GET",
        path="/admin/erasures",
        summary="The reports of what was erased, the newest first.",
        handler=admin_erasure.list_reports,
        response=Page[s.ErasureReportView],
        query=s.PageQuery,
    ),
    Operation(
        name="getErasure",
        method="GET",
        path="/admin/erasures/{id}",
        summary="One report of what was erased.",
        handler=admin_erasure.report,
        response=s.ErasureReportView,
    ),
    Operation(
        name="readLog",
        method="GET",
        path="/admin/log",
        summary="The audit trail, the oldest first.",
        handler=admin_node.log,
        response=Page[s.LogEntry],
        query=s.LogQuery,
    ),
    Operation(
        name="verifyLog",
        method="POST",
        path="/admin/log/verify",
        summary="Whether the audit trail is whole, and bears out the heads that were signed.",
        handler=admin_node.verify_log,
        response=s.ChainView,
        body=s.HeadsToCheck,
    ),
    Operation(
        name="signLogHead",
        method="POST",
        path="/admin/log/heads",
        summary="Sign the head of the audit trail as it is now; to be kept elsewhere.",
        handler=admin_node.sign_log_head,
        response=s.HeadView,
        status=201,
    ),
)


ALL_OPERATIONS = (*OPERATIONS, *VC_OPERATIONS)
"""What the admin port and the node's socket serve."""


def admin_app(node: Node, *, token: str | None, people: Mapping[str, str] = _NOBODY) -> web.Application:
    """The admin API and the VC API of ``node``.

    Args:
        people: further tokens, by the person who has each.
        token: what requests must bear, those to the VC API only where ``vc_api.conformance`` is off; None only for a
            socket that is private to the node's user.
    """
    open_paths = VC_PATHS if node.config.vc_api.conformance else frozenset[str]()
    app, stopping = _empty_app(
        node.gate, ALL_OPERATIONS, [] if token is None else [_bearer({"admin": token, **people}, open_paths)]
    )
    for operation in OPERATIONS:
        app.router.add_route(operation.method, operation.path, operation_handler(node, operation, stopping))
    add_vc_api(app, node, stopping)
    return app


def vc_api_app(node: Node) -> web.Application:
    """The VC API of ``node`` by itself, open to whoever reaches it: for ``vc_api.conformance`` only."""
    app, stopping = _empty_app(node.gate, VC_OPERATIONS, [_only_by_loopback_names])
    add_vc_api(app, node, stopping)
    return app


def _empty_app(
    gate: Gate, described: tuple[Operation, ...], guards: list[Middleware]
) -> tuple[web.Application, asyncio.Event]:
    """An application that describes its operations, and what is set when it or the whole node stops."""
    stopping = asyncio.Event()
    gate.when_closing(stopping.set)

    async def describe(_request: web.Request) -> web.Response:
        return web.Response(body=_document(described), content_type="application/json")

    async def stop(_app: web.Application) -> None:
        stopping.set()

    app = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[problem_middleware, *guards, gate.middleware])
    app.on_shutdown.append(stop)
    app.router.add_get("/openapi.json", describe)
    return app, stopping


@cache
def _document(described: tuple[Operation, ...]) -> bytes:
    return strict_json.dumps(openapi_document(described, version=admin_node.node_version()))


@web.middleware
async def _only_by_loopback_names(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns away pages of a browser whose host name was made to lead here."""
    if not is_loopback(request.url.host or ""):
        return problem_response(403, "http.403", "This is only for this machine.", "Use http://localhost.")
    return await handler(request)


def _bearer(tokens: Mapping[str, str], open_paths: frozenset[str]) -> Middleware:
    """Lets only those in who have one of the tokens (RFC 6750), but for ``open_paths``; and notes whose it is."""
    expected = {f"token:{person}": token.encode() for person, token in tokens.items()}

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        if resource is not None and resource.canonical in open_paths and is_loopback(request.url.host or ""):
            return await handler(request)
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        # Bytes, because compare_digest refuses text that is not ASCII; constant time, so that nobody feels his way.
        presented = given.strip().encode("utf-8", "surrogateescape")
        same = [person for person, token in expected.items() if hmac.compare_digest(presented, token)]
        if scheme.lower() != "bearer" or not same:
            refused = problem_response(
                401, "http.unauthorised", "A bearer token is needed.", "Send Authorization: Bearer TOKEN."
            )
            refused.headers["WWW-Authenticate"] = 'Bearer realm="lernode"'
            return refused
        before = PERSON.set(same[0])
        try:
            return await handler(request)
        finally:
            PERSON.reset(before)  # a connection is one task for all its requests

    return guard
