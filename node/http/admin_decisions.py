"""A person's yes or no, handed to the role that owns the decision which an exchange waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.errors import WrongState
from protocols.machine import Decision
from storage.exchanges import ExchangeRow

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["accept_decision", "decline_decision", "owed"]


async def accept_decision(node: Node, row: ExchangeRow) -> None:
    """Say yes to what the exchange waits for.

    Raises:
        WrongState: ``exchange.not_waiting``; ``exchange.needs_choice`` and ``issue_credential.records_first`` where
            records must be chosen.
    """
    match owed(row):
        case Decision.ACCEPT_CONNECTION:
            await node.peering.accept_connection(row.id)
        case Decision.ACCEPT_OFFER:
            await node.holder.accept_offer(row.id)
        case Decision.ISSUE | Decision.ANSWER_CREDENTIAL_PROPOSAL:
            await node.issuer.approve(row.id)
        case Decision.ANSWER_PRESENTATION_PROPOSAL:
            await node.verifier.approve(row.id)
        case Decision.GRANT_MEDIATION:
            await node.mediator.grant(row.id)
        case Decision.ANSWER_QUESTION:
            await node.cohort_answers.approve(row.id)
        case Decision.SHARE_RECORDS:
            raise WrongState(
                "exchange.needs_choice",
                "A request for records is answered by presenting some.",
                "See what would be sent, and send it, with: lernode present",
            )


async def decline_decision(node: Node, row: ExchangeRow, reason: str) -> None:
    """Say no to what the exchange waits for, or take back what the peer has not answered.

    Raises:
        WrongState: ``exchange.not_waiting``, or ``*.wrong_state`` where it is over.
    """
    if row.waiting_for == Decision.ACCEPT_CONNECTION:
        await node.peering.decline_connection(row.id, reason)
    elif row.waiting_for == Decision.GRANT_MEDIATION:
        await node.mediator.deny(row.id)
    elif row.waiting_for == Decision.ANSWER_QUESTION:
        await node.cohort_answers.decline(row.id, reason)
    else:
        await node.threads.decline(row.id, reason)


def owed(row: ExchangeRow) -> Decision:
    """The decision that a person owes.

    Raises:
        WrongState: ``exchange.not_waiting``.
    """
    if row.waiting_for is None:
        raise WrongState(
            "exchange.not_waiting",
            f"This exchange does not wait for anybody here; its state is {row.state}.",
            "See what waits with: lernode accept",
        )
    return Decision(row.waiting_for)
