"""Finds what an operator means: a whole id, an unambiguous beginning of one, or a peer's label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from protocols.errors import BadInput, WrongState
from storage import (
    apps,
    connections,
    credentials,
    exchanges,
    orders,
    outbox,
    receipts,
    resumes,
    shares,
    trust,
    trust_lists,
    wallets,
    webhooks,
)
from storage.apps import Client
from storage.connections import Connection
from storage.credentials import HeldCredential, IssuedCredential
from storage.engine import Transaction
from storage.errors import unknown
from storage.exchanges import ExchangeRow
from storage.orders import Order
from storage.outbox import Outgoing
from storage.receipts import Receipt
from storage.resumes import Resume
from storage.shares import Share
from storage.trust import Rule
from storage.trust_lists import Followed, KeptAccreditation
from storage.wallets import Wallet
from storage.webhooks import Webhook

__all__ = [
    "find_accreditation", "find_app", "find_connection", "find_exchange", "find_held", "find_issued", "find_order",
    "find_outgoing", "find_partner", "find_receipt", "find_resume", "find_share", "find_trust_list", "find_trust_rule",
    "find_wallet", "find_webhook",
]  # fmt: skip

T = TypeVar("T")
_SHOWN = 4


async def find_connection(tx: Transaction, text: str) -> Connection:
    """The connection with this id, beginning of an id, or label of the peer.

    Raises:
        WrongState: ``connection.unknown``, ``connection.ambiguous``.
    """
    exact = await connections.find(tx, text)
    if exact is not None:
        return exact
    named = await connections.find_by_label(tx, text)
    found = named or await connections.find_by_prefix(tx, text)
    found = [c for c in found if c.state != connections.ENDED] or found
    return _only("connection", found, [c.id for c in found])


async def find_exchange(tx: Transaction, text: str) -> ExchangeRow:
    """The exchange with this id or beginning of an id.

    Raises:
        WrongState: ``exchange.unknown``, ``exchange.ambiguous``.
    """
    found = await exchanges.find_by_prefix(tx, text)
    return _only("exchange", _exact(found, text), [row.id for row in found])


async def find_receipt(tx: Transaction, text: str) -> Receipt:
    """The receipt with this id or beginning of an id.

    Raises:
        WrongState: ``receipt.unknown``, ``receipt.ambiguous``.
    """
    found = await receipts.find_by_prefix(tx, text)
    return _only("receipt", _exact(found, text), [receipt.id for receipt in found])


async def find_partner(
    tx: Transaction, connection: str | None, exchange: str | None
) -> tuple[Connection, ExchangeRow | None]:
    """Whom something is said to: a peer, or the peer of an exchange that it answers.

    Raises:
        BadInput: ``exchange.partner`` where not exactly one of the two is named.
        WrongState: as :func:`find_connection` and :func:`find_exchange`.
    """
    if (connection is None) == (exchange is None):
        raise BadInput("exchange.partner", "Name a connection, or an exchange to answer.", "Give exactly one of them.")
    if exchange is None:
        return await find_connection(tx, connection or ""), None
    row = await find_exchange(tx, exchange)
    return await connections.get(tx, row.connection_id), row


async def find_held(tx: Transaction, text: str) -> HeldCredential:
    """The held record with this id or beginning of an id.

    Raises:
        WrongState: ``record.unknown``, ``record.ambiguous``.
    """
    found = await credentials.find_held_by_prefix(tx, text)
    return _only("record", _exact(found, text), [record.id for record in found])


async def find_issued(tx: Transaction, text: str) -> IssuedCredential:
    """The issued record with this id, beginning of an id, or ``id`` of the credential itself.

    Raises:
        WrongState: ``issued_record.unknown``, ``issued_record.ambiguous``.
    """
    named = await credentials.find_issued(tx, text)
    if named is not None:
        return named
    found = await credentials.find_issued_by_prefix(tx, text)
    return _only("issued record", _exact(found, text), [record.id for record in found])


async def find_order(tx: Transaction, text: str) -> Order:
    """The list of the issuing desk with this id or beginning of an id.

    Raises:
        WrongState: ``order.unknown``, ``order.ambiguous``.
    """
    found = await orders.find_by_prefix(tx, text)
    return _only("order", _exact(found, text), [order.id for order in found])


async def find_outgoing(tx: Transaction, text: str) -> Outgoing:
    """The message in the outbox with this id or beginning of an id.

    Raises:
        WrongState: ``outgoing_message.unknown``, ``outgoing_message.ambiguous``.
    """
    found = await outbox.find_by_prefix(tx, text)
    return _only("outgoing message", _exact(found, text), [message.id for message in found])


async def find_app(tx: Transaction, text: str) -> Client:
    """The app with this id or beginning of an id.

    Raises:
        WrongState: ``app.unknown``, ``app.ambiguous``.
    """
    found = await apps.find_clients_by_prefix(tx, text)
    return _only("app", _exact(found, text), [client.id for client in found])


async def find_wallet(tx: Transaction, text: str) -> Wallet:
    """The wallet with this id or beginning of an id.

    Raises:
        WrongState: ``wallet.unknown``, ``wallet.ambiguous``.
    """
    found = await wallets.find_by_prefix(tx, text)
    return _only("wallet", _exact(found, text), [wallet.id for wallet in found])


async def find_webhook(tx: Transaction, text: str) -> Webhook:
    """The webhook with this id or beginning of an id.

    Raises:
        WrongState: ``webhook.unknown``, ``webhook.ambiguous``.
    """
    found = await webhooks.find_by_prefix(tx, text)
    return _only("webhook", _exact(found, text), [webhook.id for webhook in found])


async def find_resume(tx: Transaction, text: str) -> Resume:
    """The résumé with this id or beginning of an id, or of that title.

    Raises:
        WrongState: ``resume.unknown``, ``resume.ambiguous``.
    """
    titled = [one for one in await resumes.page(tx, limit=1000) if one.title == text]
    found = titled or await resumes.find_by_prefix(tx, text)
    return _only("resume", _exact(found, text), [resume.id for resume in found])


async def find_share(tx: Transaction, text: str) -> Share:
    """What is shown by a link, by its id or the beginning of that.

    Raises:
        WrongState: ``share.unknown``, ``share.ambiguous``.
    """
    found = await shares.find_by_prefix(tx, text)
    return _only("share", _exact(found, text), [share.id for share in found])


async def find_trust_rule(tx: Transaction, text: str) -> Rule:
    """The trust rule with this id or beginning of an id.

    Raises:
        WrongState: ``trust_rule.unknown``, ``trust_rule.ambiguous``.
    """
    found = await trust.find_rules_by_prefix(tx, text)
    return _only("trust rule", _exact(found, text), [rule.id for rule in found])


async def find_trust_list(tx: Transaction, text: str) -> Followed:
    """The list that is followed with this id or beginning of an id.

    Raises:
        WrongState: ``trust_list.unknown``, ``trust_list.ambiguous``.
    """
    found = await trust_lists.find_by_prefix(tx, text)
    return _only("trust list", _exact(found, text), [row.id for row in found])


async def find_accreditation(tx: Transaction, text: str) -> KeptAccreditation:
    """The accreditation that is kept with this id or beginning of an id.

    Raises:
        WrongState: ``accreditation.unknown``, ``accreditation.ambiguous``.
    """
    found = await trust_lists.accreditations(tx, prefix=text)
    return _only("accreditation", found, [kept.id for kept in found])


_Identified = TypeVar(
    "_Identified",
    Client,
    ExchangeRow,
    Followed,
    HeldCredential,
    IssuedCredential,
    Order,
    Outgoing,
    Wallet,
    Receipt,
    Resume,
    Rule,
    Share,
    Webhook,
)


def _exact(found: Sequence[_Identified], text: str) -> Sequence[_Identified]:
    return [item for item in found if item.id == text] or found


def _only(thing: str, found: Sequence[T], ids: Sequence[str]) -> T:
    if not found:
        raise unknown(thing)
    if len(found) > 1:
        some = ", ".join(ids[:_SHOWN])
        code = f"{thing.replace(' ', '_')}.ambiguous"
        raise WrongState(code, f"More than one {thing} fits.", f"Write more of the id, e.g. one of: {some}.")
    return found[0]
