"""The letter that invites a learner to take a record: plain text, and HTML that reads well aloud, with a QR code.

The text says all that the HTML says. The HTML has a language, a title, one heading, and no layout that a screen reader
would have to tell; the code is an image within the letter, whose description says that the link does the same, so that
nothing is fetched from anywhere when the letter is opened.
"""

from __future__ import annotations

import html
import io
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

import segno

__all__ = ["Letter", "build_letter"]

_MAX_SUBJECT = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Who writes to whom about what.

    Attributes:
        sender: an address, also as ``Name <address>``.
        issuer: the institution, as people know it.
        link: by which the learner's node takes the record.
        message_id: without what follows the ``@``; the same each time that the letter is sent.
    """

    sender: str
    issuer: str
    name: str
    address: str
    achievement: str
    link: str
    message_id: str
    written: datetime


def build_letter(letter: Letter) -> EmailMessage:
    """The letter (RFC 5322, RFC 2045 and following).

    Raises:
        ValueError: where an address or a name cannot stand in a header.
    """
    sender_name, sender = parseaddr(letter.sender)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(display_name=sender_name or letter.issuer, addr_spec=sender)
    message["To"] = Address(display_name=letter.name, addr_spec=letter.address)
    message["Subject"] = f"{letter.issuer}: your record “{letter.achievement}”"[:_MAX_SUBJECT]
    message["Date"] = format_datetime(letter.written)
    message["Message-ID"] = f"<{letter.message_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "en"
    message.set_content(_text(letter))
    cid = f"qr.{letter.message_id}"
    message.add_alternative(_html(letter, cid), subtype="html")
    html_part = message.get_payload(1)
    assert isinstance(html_part, EmailMessage)
    html_part.add_related(
        _code(letter.link), maintype="image", subtype="png", cid=f"<{cid}>", filename="link.png", disposition="inline"
    )
    return message


def _code(link: str) -> bytes:
    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(out, kind="png", scale=6, border=4)
    return out.getvalue()


def _text(letter: Letter) -> str:
    return f"""Dear {letter.name},

{letter.issuer} has a record for you: {letter.achievement}.

It is a digital document that you can keep and show to whom you like. To take it, open this link with your wallet, or
give it to your own lernode node:

{letter.link}

    lernode accept '{letter.link}'

The link is for you alone, and works once. Do not pass this letter on. If you did not expect it, ask {letter.issuer}.
"""


def _html(letter: Letter, cid: str) -> str:
    issuer, name, achievement, link = map(html.escape, (letter.issuer, letter.name, letter.achievement, letter.link))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Your record from {issuer}</title></head><body>
<h1>A record for you: <span dir="auto">{achievement}</span></h1>
<p>Dear <span dir="auto">{name}</span>,</p>
<p>{issuer} has a record for you. It is a digital document that you can keep and show to whom you like.</p>
<p><a href="{link}">Take the record “<span dir="auto">{achievement}</span>”</a> with your wallet.</p>
<p>If your wallet is on another device, scan this code with it. It leads to the same link.</p>
<p><img src="cid:{cid}" alt="QR code of the link “Take the record” above" width="240" height="240"></p>
<p>If you have a lernode node of your own: <code>lernode accept '{link}'</code></p>
<p>The link is for you alone, and works once. Do not pass this letter on. If you did not expect it, ask {issuer}.</p>
</body></html>
"""
