"""DIDs over HTTP: the GET form of the HTTP(S) binding of DID Resolution 1.0 (§10.1).

By its ``Accept`` header a client asks for a whole result, or for a document alone. Whoever asks with the media type
that results had in earlier drafts is answered in their form, which tests of did:key still read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from node.http.admin_operation import Answer, Call, Nothing
from node.http.vc_api_schemas import ResolutionOptions
from protocols.did.resolution import DEREFERENCING_TYPE, DOCUMENT_TYPE, OLD_RESULT_TYPE, RESULT_TYPE, ResolutionResult

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["resolve"]

_ANYTHING = frozenset({"", "*/*", "application/*", "application/json"})
_RESULTS = frozenset({RESULT_TYPE, DEREFERENCING_TYPE})


async def resolve(node: Node, call: Call[ResolutionOptions, Nothing]) -> Answer:
    """What a DID or DID URL resolves to; that it does not is an answer too."""
    wanted = [part.partition(";q=")[0].strip() for part in call.accept.split(",")]
    options: dict[str, Any] = {name: value for name, value in msgspec.to_builtins(call.query).items() if value}
    whole = not wanted or any(kind in _RESULTS or kind in _ANYTHING for kind in wanted)
    old = any(kind.replace(" ", "") == OLD_RESULT_TYPE for kind in wanted)
    if not whole and not old:
        options["accept"] = wanted[0]
    result = await node.resolver.result(call.id, options)
    return _old(result) if old else _whole(result) if whole or result.content is None else _alone(result, wanted[0])


def _whole(result: ResolutionResult) -> Answer:
    kind = DEREFERENCING_TYPE if result.is_part else RESULT_TYPE
    return Answer(value=result.to_json(), status=result.http_status, media_type=kind)


def _old(result: ResolutionResult) -> Answer:
    return Answer(value=result.to_old_json(), status=result.http_status, media_type=OLD_RESULT_TYPE)


def _alone(result: ResolutionResult, kind: str) -> Answer:
    return Answer(value=result.content, status=result.http_status, media_type=kind or DOCUMENT_TYPE)
