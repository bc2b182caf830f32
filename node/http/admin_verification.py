"""Admin operations of a verifier: ask for records, and see and repeat what was verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from node.http.admin_lookup import find_exchange, find_partner
from node.http.admin_matching import definition_of_profile
from node.http.admin_operation import Call, Nothing
from node.http.admin_views import view_exchange
from node.http.result_views import view_result, view_verification
from node.http.schemas import (
    DocumentToVerify,
    ExchangeView,
    NewRequest,
    ResultView,
    VerificationView,
    VerifyExchange,
    Wanted,
)
from node.roles.lifetime import Terms
from protocols.errors import BadInput, WrongState
from protocols.exchange.presentation_exchange import for_skill, for_type
from storage import verifications

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["definition_of", "request_records", "verification", "verify_document", "verify_exchange"]


async def request_records(node: Node, call: Call[Nothing, NewRequest]) -> ExchangeView:
    """Ask a peer for records, also instead of those that it proposes to show.

    Raises:
        BadInput: ``exchange.partner``, ``request.ambiguous``, or ``pex.*`` for a definition that cannot be used.
        WrongState: ``exchange.not_waiting``.
    """
    body = call.body
    definition = await definition_of(node, body)
    async with node.store.read() as tx:
        peer, answered = await find_partner(tx, body.connection, body.exchange)
    terms = Terms(body.comment, body.expires_in_seconds)
    if answered is not None:
        return view_exchange(await node.verifier.request_instead(answered.id, definition, terms), peer.their_label)
    return view_exchange(await node.verifier.request(peer.id, definition, terms), peer.their_label)


async def verification(node: Node, call: Call[Nothing, Nothing]) -> VerificationView:
    """The last result for what an exchange brought.

    Raises:
        WrongState: ``verification.unknown`` where nothing was verified yet.
    """
    async with node.store.read() as tx:
        row = await find_exchange(tx, call.id)
        kept = await verifications.latest(tx, row.id)
    if kept is None:
        raise WrongState(
            "verification.unknown", "Nothing was verified in this exchange yet.", "Wait until the peer presents."
        )
    return view_verification(kept)


async def verify_exchange(node: Node, call: Call[Nothing, VerifyExchange]) -> VerificationView:
    """Verify again what was presented."""
    async with node.store.read() as tx:
        row = await find_exchange(tx, call.id)
    return view_verification(await node.verifier.verify_again(row.id, trust=call.body.trust))


async def verify_document(node: Node, call: Call[Nothing, DocumentToVerify]) -> ResultView:
    """Verify a document that was sent along; nothing is kept of it."""
    body = call.body
    result = await node.verifier.verify_document(
        body.document,
        trust=body.trust,
        any_issuer=body.any_issuer,
        challenge=body.challenge,
        domain=body.domain,
    )
    return view_result(result, show=body.show)


async def definition_of(node: Node, wanted: Wanted) -> dict[str, Any]:
    """What is asked for, as a presentation definition.

    Raises:
        BadInput: ``request.ambiguous``, ``request.profile_only``, ``pex.query_empty``, ``profile.too_many_skills``,
            ``profile.too_few_skills``.
        WrongState: ``job_profile.unknown``.
    """
    given = [bool(wanted.skills), *(each is not None for each in (wanted.type, wanted.definition, wanted.profile))]
    if sum(given) != 1:
        raise BadInput(
            "request.ambiguous",
            "A request names skills, a type, a job profile, or a definition.",
            "Give exactly one of the four.",
        )
    if wanted.profile is not None:
        profile = await node.profiles.get(wanted.profile)
        return await definition_of_profile(
            node, profile, most=wanted.most, at_least=wanted.at_least, name=wanted.name, purpose=wanted.purpose
        )
    if wanted.most is not None or wanted.at_least is not None:
        raise BadInput("request.profile_only", "How many skills is said of a job profile only.", "Name a profile too.")
    definition_id = node.world.new_id()
    if wanted.definition is not None:
        said = {"name": wanted.name, "purpose": wanted.purpose}
        return wanted.definition | {part: text for part, text in said.items() if text is not None}
    if wanted.type is not None:
        name = wanted.name or f"A record of the type {wanted.type}"
        return for_type([wanted.type], name=name, purpose=wanted.purpose or name, definition_id=definition_id)
    return _for_every_skill(wanted, definition_id)


def _for_every_skill(wanted: Wanted, definition_id: str) -> dict[str, Any]:
    """Each skill is asked for by itself; one record may answer several."""
    name = wanted.name or "Proof of " + ", ".join(wanted.skills)
    purpose = wanted.purpose or name
    definitions = [
        for_skill(
            [skill],
            name=f"Proof of {skill}",
            purpose=purpose,
            definition_id=definition_id,
            descriptor_id=f"skill-{number}",
        )
        for number, skill in enumerate(dict.fromkeys(wanted.skills), start=1)
    ]
    parts = {
        part: [one for definition in definitions for one in definition[part]]
        for part in ("submission_requirements", "input_descriptors")
    }
    return {"id": definition_id, "name": name, "purpose": purpose, **parts}
