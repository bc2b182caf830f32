"""Invitations by mail, over a real SMTP server: who gets what, and what happens when the server is difficult."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from node.app import Node
from node.roles.desk import Reported, Wanted
from tests.node.nodes import DEADLINE_SECONDS, WELDING, Nodes, held

FILE = "name,email\nMúirne Ní Bhriain,ada@example.org\n".encode()
PASSWORD = "sesame-of-the-mail-server"
SENDER = "College <records@college.example>"


@dataclass
class Postbox:
    """What a server got, and how it answers."""

    letters: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: int = 0

    async def handle_RCPT(  # noqa: N802 - its name in aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.attempts += 1
        self.arrived.set()
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        letter = message_from_bytes(envelope.content or b"", policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.arrived.set()
        return "250 OK"


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert = folder / "cert.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = folder / "key.pem"
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, secret)
    return context, cert


@asynccontextmanager
async def post_office(
    box: Postbox, context: ssl.SSLContext | None = None, *, implicit: bool = False, **more: Any
) -> AsyncIterator[int]:
    def make() -> SMTP:
        return SMTP(
            box, tls_context=None if implicit else context, hostname="post.example", enable_SMTPUTF8=True, **more
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", 0, ssl=context if implicit else None)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def plain(port: int, **more: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "security": "none", "sender": SENDER, "per_minute": 6000, **more}


async def report(node: Node, order_id: str) -> list[Reported]:
    async with node.store.read() as tx:
        return await node.desk.report(tx, order_id)


async def until(node: Node, order_id: str, wanted: Callable[[Reported], bool]) -> Reported:
    """The first row of a list, once it is so."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not wanted(row := (await report(node, order_id))[0]):
            await asyncio.sleep(0.02)
    return row


async def invited(college: Node, file: bytes = FILE) -> str:
    order = await college.desk.add(file, Wanted(achievement=WELDING, by_mail=True), "token:clerk")
    while await college.desk.run(order.id):
        pass
    return order.id


async def test_a_learner_takes_the_record_by_the_link_in_the_letter(nodes: Nodes) -> None:
    box = Postbox()
    async with post_office(box) as port:
        college = await nodes.make("college", issuer=True, mail=plain(port))
        learner = await nodes.make("learner", policy={"accept_offers": True})
        order_id = await invited(college)
        await until(college, order_id, lambda each: each.row.state == "sent")
        (letter,) = box.letters
        text = letter.get_body(("plain",))
        assert text is not None
        link = re.search(r"^(http\S+)\s", text.get_content(), re.MULTILINE)
        assert link is not None
        await learner.peering.accept(link[1])
        row = await until(college, order_id, lambda each: each.record is not None)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not (found := await held(learner)):
            await asyncio.sleep(0.02)
    (kept,) = found
    assert row.record is not None
    assert row.record.document == kept.document
    assert row.row.link is None


async def test_the_letter_reads_well_as_text_and_aloud_and_fetches_nothing(nodes: Nodes) -> None:
    box = Postbox()
    async with post_office(box) as port:
        college = await nodes.make("college", issuer=True, mail=plain(port))
        await until(college, await invited(college), lambda each: each.row.state == "sent")
    (letter,) = box.letters
    assert str(letter["To"]) == "Múirne Ní Bhriain <ada@example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"
    body, text = letter.get_body(("html",)), letter.get_body(("plain",))
    assert body is not None
    assert text is not None
    page, words = body.get_content(), text.get_content()
    assert '<html lang="en">' in page
    assert "<title>" in page
    assert page.count("<h1>") == 1
    assert all('alt="' in image for image in re.findall(r"<img [^>]*>", page))
    assert not re.search(r"<(table|script|link|style)", page)
    assert not re.search(r'src="(?!cid:)', page)
    assert "Structural Welding" in words
    (image,) = [part for part in letter.walk() if part.get_content_type() == "image/png"]
    assert image.get_content().startswith(b"\x89PNG")
    assert f'src="cid:{image["Content-ID"].strip("<>")}"' in page


# Where TLS begins with the connection, aiosmtpd does not know of it.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_over_tls_the_password_goes_to_a_trusted_server_only(
    nodes: Nodes, tmp_path: Path, security: str, caplog: pytest.LogCaptureFixture
) -> None:
    context, cert = certificate(tmp_path)
    seen: list[bytes] = []

    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        seen.append(data.password)
        return AuthResult(success=data.password == PASSWORD.encode())

    box = Postbox()
    how: dict[str, Any] = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": security != "tls"}
    async with post_office(box, context, implicit=security == "tls", **how) as port:
        mail = plain(port, host="localhost", security=security, username="desk", password_file="mail-password")
        (tmp_path / "trusting").mkdir()
        (tmp_path / "trusting" / "mail-password").write_text(f"{PASSWORD}\n")
        (tmp_path / "careful").mkdir()
        (tmp_path / "careful" / "mail-password").write_text(f"{PASSWORD}\n")
        careful = await nodes.make("careful", issuer=True, mail=mail)
        row = await until(careful, await invited(careful), lambda each: each.row.code is not None)
        assert (row.row.state, row.row.code) == ("queued", "mail.tls")
        assert seen == []
        trusting = await nodes.make("trusting", issuer=True, mail=mail | {"ca_file": str(cert)})
        await until(trusting, await invited(trusting), lambda each: each.row.state == "sent")
        assert seen == [PASSWORD.encode()]
    for word in ("ada@example.org", "Bhriain", PASSWORD):
        assert word not in caplog.text


async def test_a_server_without_tls_gets_nothing_where_tls_is_asked_for(nodes: Nodes) -> None:
    box = Postbox()
    async with post_office(box) as port:
        college = await nodes.make("college", issuer=True, mail=plain(port, security="starttls"))
        row = await until(college, await invited(college), lambda each: each.row.code is not None)
    assert row.row.state == "queued"
    assert (box.attempts, box.letters) == (0, [])


async def test_an_address_that_is_refused_for_good_fails_and_the_rest_goes_on(nodes: Nodes) -> None:
    box = Postbox(answers=["550 5.1.1 no such user ada@example.org"])
    async with post_office(box) as port:
        college = await nodes.make("college", issuer=True, mail=plain(port))
        order_id = await invited(college, FILE + b"Grace Hopper,grace@example.org\n")
        row = await until(college, order_id, lambda each: each.row.state == "failed")
        assert (row.row.code, row.row.message) == ("mail.refused", "The mail server refuses the letter (550).")
        async with asyncio.timeout(DEADLINE_SECONDS):
            while [each.row.state for each in await report(college, order_id)] != ["failed", "sent"]:
                await asyncio.sleep(0.02)


async def test_what_is_refused_for_now_is_sent_later_under_the_same_id(nodes: Nodes) -> None:
    box = Postbox(answers=["451 4.3.0 come back later"])
    from node.runtime.world import World
    from tests.node.nodes import Clock

    clock = Clock()
    async with post_office(box) as port:
        college = await nodes.make("college", issuer=True, mail=plain(port), world=World(clock=clock))
        order_id = await invited(college)
        row = await until(college, order_id, lambda each: each.row.code == "mail.deferred")
        assert (row.row.state, row.row.attempts) == ("queued", 1)
        clock.advance(minutes=2)
        college.mailer.wake()
        row = await until(college, order_id, lambda each: each.row.state == "sent")
    assert row.row.code is None
    assert box.letters[0]["Message-ID"] == f"<{order_id}.000002@college.example>"


async def test_letters_wait_for_a_server_that_is_away_and_none_is_lost(nodes: Nodes) -> None:
    from node.runtime.world import World
    from tests.node.nodes import Clock, free_port

    clock, port = Clock(), free_port()
    college = await nodes.make("college", issuer=True, mail=plain(port), world=World(clock=clock))
    order_id = await invited(college)
    row = await until(college, order_id, lambda each: each.row.code == "mail.unreachable")
    assert row.row.attempts == 0
    box = Postbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, hostname="post.example"), "127.0.0.1", port)
    try:
        clock.advance(minutes=30)
        college.mailer.wake()
        await until(college, order_id, lambda each: each.row.state == "sent")
    finally:
        server.close()
        await server.wait_closed()


async def test_no_more_letters_go_out_in_a_minute_than_are_allowed(nodes: Nodes) -> None:
    from node.runtime.world import World
    from tests.node.nodes import Clock

    clock, box = Clock(), Postbox()
    rows = "".join(f"Learner {n},l{n}@example.org\n" for n in range(3))
    async with post_office(box) as port:
        mail = plain(port, per_minute=1)
        college = await nodes.make("college", issuer=True, mail=mail, world=World(clock=clock))
        order_id = await invited(college, f"name,email\n{rows}".encode())
        for number in range(1, 4):
            async with asyncio.timeout(DEADLINE_SECONDS):
                while [each.row.state for each in await report(college, order_id)].count("sent") < number:
                    await asyncio.sleep(0.02)
            assert len(box.letters) == number
            clock.advance(seconds=61)
            college.mailer.wake()
