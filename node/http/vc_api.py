"""The VC API: one table of operations, from which its routes and its part of ``GET /openapi.json`` are made.

Spec: W3C VCALM 1.0 (Verifiable Credential API for Lifecycle Management), issuer, verifier and holder services; DID
Resolution 1.0, HTTP(S) binding. It is served beside the admin API and guarded as that is. Nothing here decides
anything: each operation calls one function of a role.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web

from node.http import vc_api_handlers as handlers
from node.http import vc_api_resolution
from node.http import vc_api_schemas as s
from node.http.admin_operation import Operation, operation_handler
from node.http.vc_api_problems import with_vc_problems

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["VC_OPERATIONS", "VC_PATHS", "add_vc_api"]

_NOT_VERIFIED = "Status 200 says that it is verified, 400 with the same body that it is not, and why."

VC_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="issueCredential",
        method="POST",
        path="/credentials/issue",
        summary="Sign a credential that the client has written, and keep it.",
        about="The same request again is answered by the same credential.",
        handler=handlers.issue_credential,
        response=s.SignedCredential,
        body=s.IssueCredential,
        status=201,
    ),
    Operation(
        name="updateCredentialStatus",
        method="POST",
        path="/credentials/status",
        summary="Set or clear a status of an issued credential; the list is published at once.",
        handler=handlers.update_status,
        response=s.StatusUpdate,
        body=s.UpdateStatus,
    ),
    Operation(
        name="verifyCredential",
        method="POST",
        path="/credentials/verify",
        summary="Check a credential; nothing of it is kept.",
        about=_NOT_VERIFIED,
        handler=handlers.verify_credential,
        response=s.CredentialVerification,
        body=s.VerifyCredential,
        also=(400,),
    ),
    Operation(
        name="deriveCredential",
        method="POST",
        path="/credentials/derive",
        summary="Show the selected part of a credential, and nothing else.",
        handler=handlers.derive_credential,
        response=dict[str, Any],
        body=s.DeriveCredential,
        status=201,
    ),
    Operation(
        name="getCredentials",
        method="GET",
        path="/credentials",
        summary="The credentials that the node holds, the newest first.",
        handler=handlers.get_credentials,
        response=list[dict[str, Any]],
        query=s.CredentialsQuery,
    ),
    Operation(
        name="getCredential",
        method="GET",
        path="/credentials/{id}",
        summary="One credential that the node issued or holds, by its id (percent-encoded).",
        handler=handlers.get_credential,
        response=s.SignedCredential,
    ),
    Operation(
        name="deleteCredential",
        method="DELETE",
        path="/credentials/{id}",
        summary="Forget a credential; its status stays published as it is.",
        handler=handlers.delete_credential,
        response=dict[str, Any],
        status=202,
    ),
    Operation(
        name="resolve",
        method="GET",
        path="/1.0/identifiers/{id}",
        summary="What a DID or DID URL (percent-encoded) resolves to.",
        about="`Accept` says whether a whole result or a document alone comes back (DID Resolution 1.0, HTTP binding).",
        handler=vc_api_resolution.resolve,
        response=dict[str, Any],
        query=s.ResolutionOptions,
        also=(400, 404, 406, 410, 500, 501),
    ),
    Operation(
        name="createPresentation",
        method="POST",
        path="/presentations",
        summary="Sign a presentation as its holder; it is not kept.",
        handler=handlers.create_presentation,
        response=s.SignedPresentation,
        body=s.SignPresentation,
        status=201,
    ),
    Operation(
        name="verifyPresentation",
        method="POST",
        path="/presentations/verify",
        summary="Check a presentation and every credential in it; nothing of it is kept.",
        about=_NOT_VERIFIED,
        handler=handlers.verify_presentation,
        response=s.PresentationVerification,
        body=s.VerifyPresentation,
        also=(400,),
    ),
)

VC_PATHS = frozenset(operation.path for operation in VC_OPERATIONS)
"""What ``vc_api.conformance`` opens."""


def add_vc_api(app: web.Application, node: Node, stopping: asyncio.Event) -> None:
    """Serve the VC API of ``node`` with ``app``."""
    for operation in VC_OPERATIONS:
        handler = with_vc_problems(operation_handler(node, operation, stopping))
        app.router.add_route(operation.method, operation.path, handler)
