"""No secret and nothing of a person is in a log, a line of a proxy, an error or an output, whatever a node does."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import click
import pyrage
import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from click.testing import CliRunner

from node.app import Node
from node.cli.main import cli
from node.config import KeysConfig
from node.http.admin import admin_app
from node.roles.issuer import Award
from node.runtime import backups, logs
from node.runtime.age_files import Recipient
from node.runtime.hardware import Token
from node.runtime.logs import JsonLines
from node.runtime.world import World
from protocols.errors import LernodeError
from storage.resumes import Entry, Resume
from tests.node.nodes import (
    Nodes,
    achievement,
    asks_for,
    connect,
    exchange_in,
    free_port,
    held,
    issued,
    settled,
)
from tests.node.ob_client import Platform
from tests.node.receivers import Receiver
from tests.node.test_mail import Postbox, certificate, invited, plain, post_office, until
from tests.node.test_stolen_store import (
    ACHIEVEMENT,
    CODE,
    COLLEGE,
    GOAL,
    MAIL,
    NAME,
    PEER,
    REASON,
    RESULT,
    RESULTS,
    RESUME,
    SKILL,
    forms,
    sent_links,
)  # fmt: skip
from tests.opening import PASSPHRASE
from tests.softhsm import MODULE, PIN, new_token

FILE_PASSPHRASE, MAIL_PASSWORD = "a lake in the mountains", "sesame-of-the-post"
ADMIN_TOKEN, WRONG = "a-token-for-the-registrar-of-riverbend", "neither-this-nor-that-nor-those"
HOOK_KEY = "hook-key-Valkyrie"
AWARD = Award(achievement_id="urn:x:marked", name=NAME, email=MAIL, result=RESULT)
PERSONAL = (NAME, MAIL, RESULT, REASON, PEER, GOAL, RESUME, ACHIEVEMENT, SKILL)
GIVEN = (PASSPHRASE, FILE_PASSPHRASE, MAIL_PASSWORD, ADMIN_TOKEN, WRONG, HOOK_KEY)


def told_in(text: str, markers: Iterator[str | bytes] | list[str | bytes]) -> list[str | bytes]:
    data = text.encode("utf-8", "surrogatepass")
    return [marker for marker in markers if any(form in data for form in forms(marker))]


class Listener(logging.Handler):
    """All that any logger says at any level, as a node writes it, and what lernode's own say in full."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(JsonLines().format(record))
        if record.name.startswith("lernode"):
            self.lines.append(logging.Formatter().format(record))


@pytest.fixture
def listener() -> Iterator[Listener]:
    root, listening = logging.getLogger(), Listener()
    before = root.level
    root.addHandler(listening)
    root.setLevel(logging.DEBUG)
    yield listening
    root.removeHandler(listening)
    root.setLevel(before)


class Proxy:
    """Stands before a node and writes a line for each request, as a reverse proxy does."""

    def __init__(self) -> None:
        self.port = free_port()
        self.node: Node | None = None
        self.lines: list[str] = []

    async def pass_on(self, request: web.Request) -> web.Response:
        assert self.node is not None
        self.lines.append(f"{request.method} {request.raw_path} {request.headers.get('Referer')}")
        url = f"http://localhost:{self.node.config.node.listen_port}{request.raw_path}"
        asked = {k: v for k, v in request.headers.items() if k not in {"Content-Length", "Transfer-Encoding"}}
        async with (
            aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(
                request.method, url, data=await request.read(), headers=asked, allow_redirects=False
            ) as answer,
        ):
            headers = answer.headers.copy()
            for name in ("Content-Length", "Transfer-Encoding", "Date", "Server"):
                headers.popall(name, None)
            return web.Response(status=answer.status, body=await answer.read(), headers=headers)


@asynccontextmanager
async def behind_proxy(nodes: Nodes, label: str, **more: Any) -> AsyncIterator[tuple[Node, Proxy]]:
    proxy = Proxy()
    app = web.Application(client_max_size=4 << 20)
    app.router.add_route("*", "/{path:.*}", proxy.pass_on)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", proxy.port).start()
    try:
        proxy.node = await nodes.make(label, node={"endpoint": f"http://localhost:{proxy.port}"}, **more)
        yield proxy.node, proxy
    finally:
        await runner.cleanup()


async def seeds(node: Node) -> list[bytes]:
    """Every secret key of a node."""
    async with node.store.read() as tx:
        rows = await tx.all("SELECT verkey, sealed_seed FROM keys")
    return [node._unlocked.vault.unseal(f"keys/{row['verkey']}", row["sealed_seed"]) for row in rows]


async def give_and_take_back(college: Node, learner: Node, employer: Node) -> None:
    to_learner, _ = await connect(college, learner)
    hiring, _ = await connect(employer, learner)
    offered = await college.issuer.offer(to_learner.id, AWARD)
    assert (await exchange_in(college, offered.id)).state == "done"
    asked = await employer.verifier.request(hiring.id, asks_for(CODE) | {"name": GOAL, "purpose": GOAL})
    assert (await exchange_in(employer, asked.id)).state == "done"
    (record,) = await issued(college)
    await college.issuer.set_status(record.id, "revocation", True, REASON)


async def share(learner: Node, http: aiohttp.ClientSession) -> list[str]:
    (record, *_) = await held(learner)
    entries = (Entry(record_id=record.id, text=RESUME),)
    resume = Resume(id=learner.world.new_id(), title=RESUME, text=NAME, entries=entries, updated=learner.world.clock())
    _, token = await learner.portfolio.share(await learner.portfolio.save(resume), timedelta(days=1))
    for ending in (token, token[:-1] + "x"):
        async with http.get(f"{learner.config.node.endpoint}/r/{ending}", headers={"Accept": "text/html"}) as page:
            assert page.status == (200 if ending == token else 404)
            assert (ending in await page.text()) is False
    return [token]


async def let_in(learner: Node, http: aiohttp.ClientSession) -> list[str]:
    platform = Platform(http, learner.apps.issuer)
    assert (await platform.register()).status == 201
    page = await platform.open_page()
    _, typed = await learner.apps.approve(page.number)
    code = (await platform.type_in(page, typed)).location["code"]
    tokens = (await platform.exchange(code)).json
    secrets = [platform.secret, *page.cookies.values(), code, tokens["access_token"], tokens["refresh_token"]]
    assert (await platform.use("GET", "/credentials", tokens["access_token"])).status == 200
    refused = [
        await platform.exchange(code),
        await platform.use("GET", "/credentials", WRONG),
        await platform.use("GET", "/credentials", tokens["access_token"]),
        await platform.token((platform.client_id, WRONG), grant_type="refresh_token", refresh_token="x"),
    ]
    for answer in refused:
        assert answer.status >= 400
        assert told_in(answer.body.decode() + str(answer.headers), [*secrets, WRONG]) == []
    return secrets


async def administer(node: Node, http: aiohttp.ClientSession) -> None:
    port = free_port()
    await node.serve(admin_app(node, token=ADMIN_TOKEN), "127.0.0.1", port)
    for token, status in ((ADMIN_TOKEN, 200), (WRONG, 401)):
        headers = {"Authorization": f"Bearer {token}"}
        async with http.get(f"http://127.0.0.1:{port}/admin/connections", headers=headers) as answer:
            assert answer.status == status
            assert token not in await answer.text()
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    body = {"connection": NAME, "achievement": MAIL, "name": {"first": NAME}}
    async with http.post(f"http://127.0.0.1:{port}/admin/credentials/offers", json=body, headers=headers) as answer:
        assert answer.status == 400


async def post(college: Node, box: Postbox) -> None:
    file = f"name,email\n{NAME},{MAIL}\n".encode()
    await until(college, await invited(college, file), lambda each: each.row.state == "sent")
    assert box.letters


async def files_of(nodes: Nodes, learner: Node, tmp_path: Path) -> None:
    """Export and back up, and try what opens nothing."""
    identity = pyrage.x25519.Identity.generate()
    recipient = Recipient(str(identity.to_public()))
    await backups.write(
        learner.store, learner.home, tmp_path / "backup.age", recipient, learner.world.clock(), label=PEER
    )
    await nodes.stop(learner)
    environment = {"LERNODE_PASSPHRASE": PASSPHRASE, "LERNODE_EXPORT_PASSPHRASE": FILE_PASSPHRASE}
    wrong = {"LERNODE_PASSPHRASE": WRONG, "LERNODE_BACKUP_PASSPHRASE": WRONG}

    async def lernode(code: int, env: dict[str, str], *words: str) -> None:
        words = (words[0], "--home", str(learner.home), *words[1:])
        done = await asyncio.to_thread(CliRunner().invoke, cli, words, env=env)
        assert done.exit_code == code, done.output
        assert told_in(done.output, list(GIVEN)) == []

    await lernode(0, environment, "export", str(tmp_path / "own.zip.age"))
    await lernode(1, wrong, "status")
    await lernode(1, wrong, "restore", str(tmp_path / "backup.age"))


@pytest.mark.parametrize("nodes", [PASSPHRASE], ids=["passphrase"], indirect=True)
async def test_a_whole_journey_tells_no_secret_and_nothing_of_people(
    nodes: Nodes, tmp_path: Path, listener: Listener, capfd: pytest.CaptureFixture[str]
) -> None:
    asyncio.get_running_loop().set_exception_handler(logs.unforeseen)
    context, cert = certificate(tmp_path)
    tries: list[bytes] = []

    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        tries.append(data.password)
        return AuthResult(success=True)

    box, hook = Postbox(), Receiver()
    await hook.start()
    how: dict[str, Any] = {"authenticator": authenticate, "auth_required": True}
    async with (
        post_office(box, context, **how) as port,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        behind_proxy(
            nodes,
            COLLEGE,
            issuer=True,
            network={"inline_record_bytes": 100},
            mail=plain(port, host="localhost", security="starttls", username="desk", ca_file=str(cert)),
            world=replace(World(), environ={"LERNODE_MAIL_PASSWORD": MAIL_PASSWORD}),
        ) as (college, before_college),
        behind_proxy(
            nodes,
            PEER,
            policy={"accept_offers": True, "share_records": True},
            open_badges_api={"enabled": True},
        ) as (learner, before_learner),
    ):
        did = "did:web:" + college.config.node.endpoint.removeprefix("http://").replace(":", "%3A")
        employer = await nodes.make("employer", trust={"issuers": (did,)})
        marked = achievement("urn:x:marked", ACHIEVEMENT, CODE, SKILL) | {"resultDescription": RESULTS}
        await college.achievements.add([marked])
        webhook, first = await college.webhooks.add(f"{hook.url}?key={HOOK_KEY}")
        _, second = await college.webhooks.rotate(webhook.id)
        gone, _ = await college.webhooks.add(f"http://localhost:{free_port()}/{HOOK_KEY}")

        await give_and_take_back(college, learner, employer)
        await post(college, box)
        capabilities = [*await share(learner, http), *await sent_links(college)]
        secrets: list[str | bytes] = [first, second, *await let_in(learner, http)]
        await administer(college, http)
        await hook.until(lambda it: len(it.taken) > 3)
        await settled(college)
        own = [str(one["id"]) for one in await dids_of(learner)]
        for node in (college, learner, employer):
            secrets += await seeds(node)
        await college.erasing.erase_subject(MAIL)
        await college.webhooks.remove(gone.id)
        await files_of(nodes, learner, tmp_path)
    await hook.stop()

    assert tries
    assert set(tries) == {MAIL_PASSWORD.encode()}
    written = "\n".join(listener.lines)
    for expected in ("delivered", "a webhook did not take an event"):
        assert expected in written, "it was listened to"
    assert told_in(written, [*PERSONAL, *GIVEN, *secrets, *capabilities, *own]) == []
    out, err = capfd.readouterr()
    assert told_in(out + err, [*PERSONAL, *GIVEN, *secrets, *capabilities, *own]) == []
    requests = "\n".join(before_college.lines + before_learner.lines)
    assert "POST /didcomm" in requests
    assert told_in(requests, [*PERSONAL, *GIVEN, *secrets, *own]) == []
    # A link that shows something to who has it is a secret that has to be in a URL, and nowhere but at its end.
    for line in requests.splitlines():
        for one in capabilities:
            assert one not in line or line.split(" ")[1] in {f"/r/{one}", f"/attachments/{one}"}


async def dids_of(node: Node) -> list[Any]:
    async with node.store.read() as tx:
        return [{"id": row["did"]} for row in await tx.all("SELECT did FROM dids")]


async def test_a_pin_is_told_nowhere(tmp_path: Path, listener: Listener) -> None:
    label = new_token()
    for pin, code in (("815815", "token.pin_refused"), (PIN, "token.key_unknown")):
        token = Token(KeysConfig(pkcs11_module=str(MODULE), pkcs11_token=label), tmp_path, {"LERNODE_PKCS11_PIN": pin})
        with pytest.raises(LernodeError) as caught:
            await token.find("nobody")
        told = f"{caught.value} {caught.value!r} {caught.value.hint} {token!r} {World(environ={'PIN': pin})!r}"
        assert told_in(told, [pin]) == []
        assert caught.value.code == code
    assert told_in("\n".join(listener.lines), [PIN, "815815"]) == []


async def test_what_nobody_waited_for_is_logged_by_its_place_only() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger()
    logger.addHandler(handler)
    loop, failed = asyncio.get_running_loop(), asyncio.Event()

    def fails(name: str) -> None:
        failed.set()
        raise ValueError(f"{name} is not {MAIL}")

    try:
        loop.set_exception_handler(logs.unforeseen)
        loop.call_soon(fails, NAME)
        await failed.wait()
        loop.set_exception_handler(None)
        failed.clear()
        loop.call_soon(fails, NAME)
        await failed.wait()
    finally:
        logger.removeHandler(handler)
    ours, theirs = (json.loads(line) for line in written.getvalue().splitlines())
    assert (ours["error"], ours["message"]) == ("ValueError", "a piece of work failed")
    assert "in fails" in ours["place"]
    assert theirs["error"] == "ValueError"
    assert told_in(written.getvalue(), [MAIL, NAME]) == []


def every_option(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Parameter]]:
    for parameter in command.params:
        yield context.command_path, parameter
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from every_option(inner, click.Context(inner, info_name=name, parent=context))


def test_no_command_takes_a_secret_as_an_argument() -> None:
    suspicious = {"passphrase", "password", "secret", "token", "pin"}
    # The label of a token and of a key in it, which the token gives to nobody without its PIN.
    labels = {"pkcs11_token", "token_key"}
    found = list(every_option(cli, click.Context(cli, info_name="lernode")))
    named = [(path, each) for path, each in found if each.name and suspicious & set(each.name.split("_"))]
    assert len(named) > 100
    assert [
        (path, each.name)
        for path, each in named
        if not isinstance(each.type, click.Path) and each.name not in labels and not getattr(each, "is_flag", False)
    ] == []
