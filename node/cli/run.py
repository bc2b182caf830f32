"""``lernode run``: run the node until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

import click
from aiohttp import web

from node.app import Node
from node.cli.options import Setting, common, read_secret
from node.cli.output import fields, line
from node.cli.progress import waiting
from node.config import AdminConfig, load
from node.http.admin import admin_app, vc_api_app
from node.http.admin_socket import open_admin_socket
from node.runtime import logs
from node.runtime.collector import leave_to_the_collector_what_comes_and_goes
from node.runtime.private_process import close_up
from node.runtime.world import World
from protocols.errors import BadInput
from storage import dids
from storage.dids import DidPurpose
from storage.secrets import Secret

__all__ = ["run"]

_log = logging.getLogger("lernode.run")
_MIN_TOKEN = 16
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@click.command(short_help="Run the node, so that peers can reach it.")
@common
def run(setting: Setting) -> None:
    """Run the node: take messages from peers, deliver what waits, serve its DID document and status lists.

    \b
    Examples:
      lernode run
      LERNODE_PASSPHRASE=... lernode run --home /var/lib/lernode 2>> lernode.log

    On Ctrl-C or SIGTERM it finishes what is in hand and stops; on a second one it stops at once. Nothing is lost when
    it is killed. The log, one JSON object a line without personal data, goes to standard error.

    Next, in another terminal: lernode invite, or lernode status.
    """
    config = load(setting.home)
    token = _token(config.admin, setting.home) if config.admin.port else None
    secret = read_secret(setting)
    world = World(environ=close_up())
    logs.configure()
    asyncio.run(_run(setting, secret, token, world))


async def _run(setting: Setting, secret: Secret, token: str | None, world: World) -> None:
    asyncio.get_running_loop().set_exception_handler(logs.unforeseen)
    async with waiting("Opening the node"):
        node = await Node.open(setting.home, secret, world=world)
    try:
        await _serve(setting, node, token)
    finally:
        await node.stop()


async def _serve(setting: Setting, node: Node, token: str | None) -> None:
    told = _told_to_stop()
    runner = web.AppRunner(admin_app(node, token=None), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        socket = await open_admin_socket(runner, setting.home)
        try:
            await node.start()
            admin = node.config.admin
            if token is not None:
                people = {name: _token_in(setting.home / file) for name, file in admin.people.items()}
                await node.serve(admin_app(node, token=token, people=people), admin.host, admin.port)
            elif admin.port and node.config.vc_api.conformance:
                await node.serve(vc_api_app(node), admin.host, admin.port)
            await _announce(setting, node, socket.path, token is not None)
            leave_to_the_collector_what_comes_and_goes()
            if await told == signal.SIGTERM:
                await node.drain()
            await node.finish()
        finally:
            await socket.close()
    finally:
        await runner.cleanup()


def _told_to_stop() -> asyncio.Future[signal.Signals]:
    """The first signal to stop; the next one ends the process, whatever it is doing."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[signal.Signals] = loop.create_future()

    def first(number: signal.Signals) -> None:
        for each in _STOP_SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        _log.info("the node stops", extra={"facts": {"signal": number.name}})
        told.set_result(number)

    for each in _STOP_SIGNALS:
        loop.add_signal_handler(each, first, each)
    return told


async def _announce(setting: Setting, node: Node, socket: Path, has_port: bool) -> None:
    async with node.store.read() as tx:
        own = await dids.default(tx, DidPurpose.ISSUER) or await dids.default(tx, DidPurpose.HOLDER)
    config = node.config
    is_open = config.vc_api.conformance and config.admin.port
    facts = {
        "peers": config.node.endpoint if config.node.listen_port else None,
        "did": own.did if own else None,
        "adminSocket": str(socket),
        "adminApi": f"http://{config.admin.host}:{config.admin.port}/openapi.json" if has_port else None,
        "openVcApi": f"http://{config.admin.host}:{config.admin.port}" if is_open else None,
        "home": str(setting.home),
        "pid": os.getpid(),
    }
    if setting.shown_as_json(facts):
        return
    line(f"{node.label} runs.", style="green")
    fields(facts.items())
    line("Stop it with Ctrl-C. In another terminal: lernode status")


def _token(admin: AdminConfig, home: Path) -> str | None:
    """The bearer token, without which the admin port stays closed.

    Raises:
        BadInput: ``config.admin_token`` where the file cannot be read, or the token can be guessed.
    """
    token = os.environ.get("LERNODE_ADMIN_TOKEN", "")
    if not token and admin.token_file:
        return _token_in(home / admin.token_file) or None
    return _checked(token) or None


def _token_in(file: Path) -> str:
    try:
        return _checked(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        hint = "Check admin.token_file and admin.people."
        raise BadInput("config.admin_token", "An admin token cannot be read.", hint) from None


def _checked(token: str) -> str:
    token = token.strip()
    if token and len(token) < _MIN_TOKEN:
        raise BadInput("config.admin_token", "An admin token is too short.", f"Use {_MIN_TOKEN} characters or more.")
    return token
