"""``lernode init``: make a node."""

from __future__ import annotations

import asyncio
from importlib import resources
from pathlib import Path
from typing import Any

import click

from node.app import create
from node.cli.options import Setting, common, read_secret, suggest
from node.cli.output import fields, line
from node.cli.progress import waiting
from node.config import CONFIG_FILE, KeysConfig, to_toml
from node.runtime.hardware import Token
from protocols.errors import BadInput, WrongState
from protocols.multiformats import Multicodec
from storage.keys import TokenKey
from storage.secrets import Secret

__all__ = ["init", "settings_of", "write_catalogue"]

_CATALOGUE = "catalogue.json"
_FOR_ECDSA = "ecdsa-rdfc-2019"
_LOOPBACK = ["127.0.0.0/8", "::1/128"]


@click.command(short_help="Make a node.")
@common
@click.option("--label", default="lernode", show_default=True, help="Name shown to peers.")
@click.option("--endpoint", help="Public base URL under which peers reach the node.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to listen on.")
@click.option("--local", is_flag=True, help="For this machine only: plain http on loopback.")
@click.option("--no-port", is_flag=True, help="Do not listen, as behind a home router; peers then need a mediator.")
@click.option("--issuer", is_flag=True, help="Issue records: a did:web and a catalogue of achievements to edit.")
@click.option("--trust", multiple=True, metavar="DID", help="An issuer whose records to believe; repeatable.")
@click.option("--store", metavar="URL", help="Keep everything in PostgreSQL: postgresql://user@host/database.")
@click.option("--pkcs11-module", metavar="PATH", help="PKCS#11 library of the token that holds the issuer's key.")
@click.option("--pkcs11-token", metavar="LABEL", help="Label of that token.")
@click.option("--pkcs11-key", metavar="LABEL", help="Label of the key; give all three, with --issuer.")
@click.option("--auto-accept", is_flag=True, help="Accept offers, and answer requests, without asking.")
def init(
    setting: Setting,
    label: str,
    endpoint: str | None,
    port: int,
    local: bool,
    no_port: bool,
    issuer: bool,
    trust: tuple[str, ...],
    store: str | None,
    pkcs11_module: str | None,
    pkcs11_token: str | None,
    pkcs11_key: str | None,
    auto_accept: bool,
) -> None:
    """Make a node: its folder, its configuration, its store sealed by a passphrase, and its first DID.

    \b
    A learner on this machine:
      lernode init --label Ada --local
    A learner at home, whose messages a mediator holds (see lernode mediate):
      lernode init --label Ada --no-port
    A college that issues:
      lernode init --label "Riverside College" --endpoint https://records.riverside.example --issuer
    A second node beside the first:
      lernode init --home ~/employer --label Employer --local --port 8002 --trust did:web:localhost%3A8000
    A registrar's office, on a database server (the password is in LERNODE_DATABASE_PASSWORD):
      lernode init --endpoint https://records.riverside.example --issuer --store postgresql://lernode@db/lernode
    One whose signing key is in a hardware module (the PIN is in LERNODE_PKCS11_PIN):
      lernode init --endpoint https://records.riverside.example --issuer --pkcs11-token college \
        --pkcs11-key registrar --pkcs11-module /usr/lib/softhsm/libsofthsm2.so

    Next: lernode run, and then lernode invite or lernode accept.
    """
    values = settings_of(label, endpoint, port, local, issuer, trust, auto_accept, store, no_port=no_port)
    issuer_key = _token_key(setting.home, values, issuer, pkcs11_module, pkcs11_token, pkcs11_key)
    if (setting.home / CONFIG_FILE).exists():
        raise WrongState("config.exists", f"There is a node in {setting.home} already.", "Choose another --home.")
    secret = read_secret(setting, new=True)
    asyncio.run(_create(setting.home, secret, to_toml(values), issuer, issuer_key))
    if issuer:
        write_catalogue(setting.home)
    made = {
        "home": str(setting.home),
        "config": str(setting.home / CONFIG_FILE),
        "endpoint": values["node"].get("endpoint"),
        "catalogue": str(setting.home / _CATALOGUE) if issuer else None,
    }
    if setting.shown_as_json(made):
        return
    line(f"{label} is ready.", style="green")
    fields(made.items())
    suggest("lernode run" + (", and then lernode mediate with a mediator's invitation" if no_port else ""))


def settings_of(
    label: str,
    endpoint: str | None,
    port: int,
    local: bool,
    issuer: bool,
    trust: tuple[str, ...],
    auto_accept: bool,
    store: str | None = None,
    *,
    no_port: bool = False,
) -> dict[str, dict[str, Any]]:
    """The configuration that these options stand for; what is not there keeps its default.

    Raises:
        BadInput: ``cli.endpoint`` where peers could not reach the node.
    """
    if no_port and (endpoint is not None or issuer):
        raise BadInput(
            "cli.no_port",
            "A node that does not listen has no endpoint, and serves no status lists for what it would issue.",
            "Leave out --no-port, or --endpoint and --issuer.",
        )
    if not no_port and local == (endpoint is not None):
        raise BadInput(
            "cli.endpoint",
            "Say how peers reach the node: --endpoint URL, --local on this machine only, --no-port by a mediator.",
            "To try it out: lernode init --local",
        )
    values: dict[str, dict[str, Any]] = {
        "node": {"label": label, "listen_port": port, "endpoint": endpoint or f"http://localhost:{port}"}
    }
    if no_port:
        values["node"] = {"label": label, "listen_port": 0}
    if local:
        values["network"] = {"allow_http": True, "allowed_networks": _LOOPBACK}
    if auto_accept:
        values["policy"] = {"accept_offers": True, "share_records": True}
    if trust:
        values["trust"] = {"issuers": list(trust)}
    if store:
        values["database"] = {"url": store}
    if issuer:
        values["issuer"] = {"catalogue": _CATALOGUE}
    return values


def _token_key(
    home: Path,
    values: dict[str, dict[str, Any]],
    issuer: bool,
    module: str | None,
    token: str | None,
    label: str | None,
) -> TokenKey | None:
    """The issuer's key, where a token holds it; what the configuration has to say for that is added to ``values``."""
    if not (module or token or label):
        return None
    if not (issuer and module and token and label):
        raise BadInput(
            "cli.pkcs11",
            "An issuer's key in a token needs the token's library, its label, and the key's.",
            "Give --issuer, --pkcs11-module, --pkcs11-token and --pkcs11-key together.",
        )
    values["keys"] = {"pkcs11_module": module, "pkcs11_token": token}
    opened = Token(KeysConfig(**values["keys"]), home)
    key = asyncio.run(opened.find(label))
    opened.close()
    if key.codec is not Multicodec.ED25519_PUB:
        values["issuer"]["securing"] = _FOR_ECDSA
    return key


async def _create(home: Path, secret: Secret, config_toml: str, issuer: bool, issuer_key: TokenKey | None) -> None:
    async with waiting("Making the node"):
        await create(home, secret, config_toml, issuer=issuer, issuer_key=issuer_key)


def write_catalogue(home: Path) -> None:
    """Put an example to edit where the configuration looks for the catalogue."""
    path = home / _CATALOGUE
    if not path.exists():
        path.write_bytes(resources.files("node.records").joinpath("demo_catalogue.json").read_bytes())
