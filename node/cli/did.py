"""``lernode did``: the DIDs of the node."""

from __future__ import annotations

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common
from node.cli.output import is_terminal, line, when
from node.http.schemas import DidView, KeyRotation, NewDid, NewKey, OwnMethod, Page, ResolutionView
from protocols.errors import BadInput
from protocols.keys import KEY_KINDS, KeyKind

__all__ = ["did"]

_KIND = click.Choice(list(KEY_KINDS))


@click.group(short_help="Show the node's DIDs, or make one.", invoke_without_command=True)
@common
@click.pass_context
def did(ctx: click.Context, setting: Setting) -> None:
    """Show the DIDs under which the node issues and holds records, or make another.

    \b
    Examples:
      lernode did
      lernode did create --method web --issuer    an institution's own, served at its web address
      lernode did create --key p256               a learner's, which needs no server
      lernode did add-key did:web:college.example --key p384
      lernode did rotate-key did:web:college.example
      lernode did resolve did:web:college.example

    Next: tell verifiers the issuer's DID; they believe its records after lernode init --trust DID.
    """
    if ctx.invoked_subcommand is not None:
        return
    found = with_api(setting, _list)
    if setting.shown_as_json(found):
        return
    for own in found.items:
        _show(own)


@did.command()
@common
@click.option("--method", type=click.Choice(["key", "web", "jwk"]), default="key", show_default=True)
@click.option(
    "--key", "keys", type=_KIND, multiple=True, default=["ed25519"], show_default=True,
    help="Kind of its key; several times for a did:web with several.",
)  # fmt: skip
@click.option("--token-key", metavar="LABEL", help="Sign with this key of the node's PKCS#11 token instead.")
@click.option("--issuer", is_flag=True, help="It is for issuing, not for holding.")
def create(setting: Setting, method: OwnMethod, keys: tuple[KeyKind, ...], token_key: str | None, issuer: bool) -> None:
    """Make a DID.

    \b
    Examples:
      lernode did create
      lernode did create --method jwk --key p256
      lernode did create --method web --issuer --key ed25519 --key p256
      lernode did create --method web --issuer --token-key registrar
    """
    wanted = NewDid(method=method, purpose="issuer" if issuer else "holder", keys=keys, token_key=token_key)
    _answer(setting, with_api(setting, lambda api: api.post("/admin/dids", DidView, wanted)))


@did.command("add-key")
@common
@click.argument("name", metavar="DID")
@click.option("--key", "kind", type=_KIND, help="Kind of the key.")
@click.option("--token-key", metavar="LABEL", help="Take this key of the node's PKCS#11 token.")
def add_key(setting: Setting, name: str, kind: KeyKind | None, token_key: str | None) -> None:
    """Make another key for the node's did:web; its document names it at once.

    \b
    Example:
      lernode did add-key did:web:college.example --key p256
    """
    path = f"/admin/dids/{segment(name)}/keys"
    _answer(setting, with_api(setting, lambda api: api.post(path, DidView, NewKey(kind=kind, token_key=token_key))))


@did.command("rotate-key")
@common
@click.argument("name", metavar="DID")
@click.option("--key", metavar="KEY", help="This one only: what stands behind # in its name, e.g. key-1.")
@click.option(
    "--compromised", is_flag=True, help="Somebody else may have it: nothing that it signed verifies any more."
)
@click.option("--token-key", metavar="LABEL", help="Sign with this key of the node's PKCS#11 token from now on.")
@click.option("--yes", is_flag=True, help="Do not ask, with --compromised.")
def rotate_key(
    setting: Setting, name: str, key: str | None, token_key: str | None, compromised: bool, yes: bool
) -> None:
    """Sign with fresh keys from now on. What the old ones signed still verifies: they stay in the DID's document.

    With --compromised they are withdrawn instead, and every record that they signed fails at every verifier that can
    reach this node. It takes keys too that were rotated before; issue the records anew afterwards.

    \b
    Examples:
      lernode did rotate-key did:web:college.example
      lernode did rotate-key did:web:college.example --key key-1 --compromised

    The keys under which peers write to this node are others: lernode rotate PEER
    """
    if compromised and not yes:
        if not is_terminal():
            raise BadInput(
                "cli.not_confirmed", "Withdrawing is for good, and nobody is there to be asked.", "Add --yes."
            )
        click.confirm("No record that the key signed will verify any more. Withdraw it?", abort=True, err=True)
    path = f"/admin/dids/{segment(name)}/rotate-key"
    wanted = KeyRotation(key=key, token_key=token_key, compromised=compromised)
    _answer(setting, with_api(setting, lambda api: api.post(path, DidView, wanted)))


@did.command("default")
@common
@click.argument("name", metavar="DID")
def choose(setting: Setting, name: str) -> None:
    """Use a DID for issuing, or for holding, where none is named.

    \b
    Example:
      lernode did default did:web:college.example
    """
    path = f"/admin/dids/{segment(name)}/default"
    _answer(setting, with_api(setting, lambda api: api.post(path, DidView)))


@did.command()
@common
@click.argument("name", metavar="DID")
@click.option("--version-id", help="Of an earlier version, where the method has versions.")
@click.option("--version-time", help="The version valid at this time, as 2026-01-31T12:00:00Z.")
def resolve(setting: Setting, name: str, version_id: str | None, version_time: str | None) -> None:
    """Resolve anyone's DID, or the part of a document that a DID URL names, and show what is known about it.

    \b
    Examples:
      lernode did resolve did:web:college.example
      lernode did resolve did:key:z6Mk... --json

    It ends with 0 where there is a document, and with 1 where there is none.
    """
    query = {"did": name, "versionId": version_id, "versionTime": version_time}
    found = with_api(setting, lambda api: api.get("/admin/dids/resolve", ResolutionView, **query))
    if not setting.shown_as_json(found):
        for title, part in (
            ("document", found.content),
            ("resolution", found.resolution_metadata),
            ("about the document", found.document_metadata),
        ):
            if part:
                line(title, bold=True)
                line(msgspec.json.format(msgspec.json.encode(part), indent=2).decode())
        if found.document_metadata.get("deactivated"):
            line("The DID is deactivated: it has no document any more.")
    if found.content is None:
        raise click.exceptions.Exit(1)


def _answer(setting: Setting, own: DidView) -> None:
    if not setting.shown_as_json(own):
        _show(own)


def _show(own: DidView) -> None:
    # A DID is copied whole, so it stands on a line of its own.
    line(own.did, bold=True)
    kinds = ", ".join(key.kind for key in own.keys)
    default = ", default" if own.is_default else ""
    line(f"  {own.purpose}{default}, did:{own.method}, {kinds}, {own.state}, since {when(own.created)}")
    for key in own.former_keys:
        line(f"  #{key.verification_method.partition('#')[2]} ({key.kind}) {key.state} {when(key.since)}")


async def _list(api: Api) -> Page[DidView]:
    return await api.get("/admin/dids", Page[DidView])
