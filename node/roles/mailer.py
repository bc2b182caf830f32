"""Sends the invitations of the issuing desk by mail (SMTP, RFC 5321): slowly enough, again and again, and never twice
that we know of.

A row is claimed for a while, sent, and noted as sent; a process that dies between sends it again later under the same
Message-ID. A server that cannot be reached, or does not let us in, holds up all rows and fails none; an address that is
refused for good (5yz) fails its row; one that is refused for now (4yz) is tried again, each time later. Nothing that is
logged or kept as a reason names a person: of what a server answers only the code is.
"""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiosmtplib

from node.config import MailConfig
from node.records.mail import Letter, build_letter
from node.runtime.wakeup import Worker
from node.runtime.world import World
from protocols.errors import BadInput
from storage import achievements, orders
from storage.engine import Store
from storage.orders import OrderRow, RowState

__all__ = ["Mailer", "mail_password"]

_FROM_ENVIRONMENT = "LERNODE_MAIL_PASSWORD"
_log = logging.getLogger("lernode.mail")
_LEASE = timedelta(minutes=5)
_MAX_ATTEMPTS = 12
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)


class Mailer:
    """The node's letters.

    Args:
        password: reads the password when it is needed; None where there is none.
    """

    def __init__(
        self, store: Store, world: World, settings: MailConfig, label: str, password: Callable[[], str | None]
    ) -> None:
        self._store = store
        self._world = world
        self._settings = settings
        self._label = label
        self._password = password
        self._free_at: datetime | None = None
        self._pause = _FIRST_PAUSE
        self._worker = Worker("mail", world.clock, self._round)

    def require_configured(self) -> None:
        """Refuse to plan mail that nobody would send.

        Raises:
            BadInput: ``mail.not_configured``.
        """
        if not self._settings.host or not self._settings.sender:
            raise BadInput(
                "mail.not_configured",
                "This node has no mail server.",
                "Set mail.host and mail.sender in lernode.toml; see docs/issuing.md.",
            )

    def wake(self) -> None:
        """There is something to send."""
        self._worker.wake()

    def start(self) -> None:
        """Begin to send in the background."""
        if self._settings.host:
            self._worker.start()

    async def stop(self) -> None:
        """Stop; what is in hand is sent again later."""
        await self._worker.stop()

    async def _round(self) -> datetime | None:
        now = self._world.clock()
        if self._free_at is not None and now < self._free_at:
            return self._free_at
        async with self._store.read() as tx:
            following = await orders.next_due(tx)
        if following is None or following > now:
            return following
        async with self._store.write() as tx:
            row = await orders.claim(tx, now, _LEASE)
            if row is None:
                return await orders.next_due(tx)
            order = await orders.get(tx, row.order_id)
            entry = await achievements.find(tx, order.achievement_id)
        self._free_at = now + timedelta(seconds=60 / self._settings.per_minute)
        name = str(entry.document["name"]) if entry else ""
        outcome = await self._outcome(row, name)
        async with self._store.write() as tx:
            await orders.save_row(tx, outcome)
        return self._free_at

    async def _outcome(self, row: OrderRow, achievement: str) -> OrderRow:
        """The row after an attempt to send it."""
        assert row.email is not None
        assert row.link is not None
        settings = self._settings
        try:
            letter = build_letter(
                Letter(
                    sender=settings.sender,
                    issuer=self._label,
                    name=row.name,
                    address=row.email,
                    achievement=achievement,
                    link=row.link,
                    message_id=row.id.replace("/", "."),
                    written=self._world.clock(),
                )
            )
        except ValueError:
            return _failed(row, "mail.address", "The name or address cannot stand in a mail.")
        try:
            how = self._how()
        except (BadInput, OSError) as error:
            return self._held_up(row, error)
        try:
            await aiosmtplib.send(letter, **how)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as error:
            return self._refused(row, _code_of(error))
        except aiosmtplib.SMTPNotSupported:
            return _failed(row, "mail.address", "The mail server takes no address in such letters (no SMTPUTF8).")
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError, TimeoutError) as error:
            return self._held_up(row, error)
        self._pause = _FIRST_PAUSE
        return replace(row, state=RowState.SENT, due=None, link=None, code=None, message=None)

    def _how(self) -> dict[str, Any]:
        settings = self._settings
        plain = settings.security == "none"
        return {
            "hostname": settings.host,
            "port": settings.port,
            "use_tls": settings.security == "tls",
            # True, and not None, which would go on in plain text where the server does not offer it.
            "start_tls": settings.security == "starttls",
            "tls_context": None if plain else ssl.create_default_context(cafile=settings.ca_file or None),
            "username": settings.username or None,
            "password": self._password() if settings.username else None,
            "timeout": 30,
        }

    def _refused(self, row: OrderRow, code: int) -> OrderRow:
        attempts = row.attempts + 1
        if code >= 500 or attempts >= _MAX_ATTEMPTS:
            return _failed(row, "mail.refused", f"The mail server refuses the letter ({code}).")
        wait = min(_FIRST_WAIT * 2**row.attempts, _LONGEST_WAIT)
        message = f"The mail server does not take the letter now ({code}); it is sent again."
        due = self._world.clock() + wait
        return replace(row, attempts=attempts, due=due, code="mail.deferred", message=message)

    def _held_up(self, row: OrderRow, error: Exception) -> OrderRow:
        code, message = _why(error)
        _log.warning("mail cannot be sent: %s; it is tried again in %s", code, self._pause)
        now = self._world.clock()
        self._free_at, self._pause = now + self._pause, min(self._pause * 2, _LONGEST_PAUSE)
        return replace(row, due=now, code=code, message=message)


def mail_password(home: Path, settings: MailConfig, environ: Mapping[str, str] = os.environ) -> str | None:
    """The password of the mail server's user; None where there is none.

    Raises:
        BadInput: ``config.mail_password``.
    """
    if not settings.password_file:
        return environ.get(_FROM_ENVIRONMENT)
    try:
        return (home / settings.password_file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            "config.mail_password", "The password of the mail server cannot be read.", "Check mail.password_file."
        ) from None


def _why(error: Exception) -> tuple[str, str]:
    if isinstance(error, BadInput):
        return error.code, error.message
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return "mail.credentials", "The mail server refuses the user or password; the letter waits."
    if any(isinstance(each, ssl.SSLError) for each in _chain(error)):
        return "mail.tls", "The mail server's certificate is not trusted, or it speaks no TLS; the letter waits."
    if isinstance(error, aiosmtplib.SMTPConnectError | aiosmtplib.SMTPServerDisconnected | OSError | TimeoutError):
        return "mail.unreachable", "The mail server cannot be reached; the letter waits."
    return "mail.server", "The mail server does not take letters from here; the letter waits."


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and what it was made of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _code_of(error: Exception) -> int:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return max(each.code for each in error.recipients)
    return int(getattr(error, "code", 400))


def _failed(row: OrderRow, code: str, message: str) -> OrderRow:
    return replace(row, state=RowState.FAILED, due=None, link=None, code=code, message=message)
