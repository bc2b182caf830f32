"""``lernode endorse``: stand by a record that somebody else has issued."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from node.cli.client import with_api
from node.cli.options import Setting, common
from node.cli.output import fields, line, short
from node.cli.write import check_new, write_record
from node.http.documents import document_bytes
from node.http.schemas import EndorsementOffer, IssuedDetail, OfferView, RecordToEndorse
from protocols import strict_json
from protocols.errors import BadInput

__all__ = ["endorse"]

_MAX_BYTES = 1 << 20


@click.command(short_help="Endorse a record that somebody else has issued.")
@common
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--comment", required=True, help="Why you stand by it; everybody who is shown the endorsement reads it.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A new file for it, to be handed over.")
@click.option("--peer", help="Offer it to this peer instead, as a rule to the learner who holds the record.")
def endorse(setting: Setting, file: Path, comment: str, out: Path | None, peer: str | None) -> None:
    """Sign an endorsement (Open Badges 3.0) of the record in FILE, which somebody else has issued.

    The record has to be what its issuer signed. The endorsement names it, and is a credential of its own: you can
    revoke it like every record of yours.

    \b
    Examples:
      lernode endorse ada.json --comment "We hire on this certificate." --peer Ada
      lernode endorse ada.json --comment "We hire on this certificate." --out endorsement.json

    Next: the learner takes it with lernode accept, or the file with lernode import endorsement.json
    """
    if (out is None) == (peer is None):
        raise BadInput("cli.usage", "Say where the endorsement goes.", "Give either --peer or --out.")
    if out is not None:
        check_new(out)
    content = file.read_bytes()
    if len(content) > _MAX_BYTES:
        raise BadInput("cli.file", "The file is too large for a record.", "Name a file with one record.")
    document = _document(content.strip())
    if peer is not None:
        _offer(setting, EndorsementOffer(document=document, comment=comment, connection=peer))
    elif out is not None:
        _write(setting, RecordToEndorse(document=document, comment=comment), out)


def _offer(setting: Setting, body: EndorsementOffer) -> None:
    path = "/admin/credentials/endorse/offers"
    offered = with_api(setting, lambda api: api.post(path, OfferView, body, to_peer=True))
    if not setting.shown_as_json(offered):
        line(f"The endorsement is offered to {offered.peer}.", style="green")
        fields([("exchange", short(offered.id)), ("credential", offered.credential_ids[0])])


def _write(setting: Setting, body: RecordToEndorse, out: Path) -> None:
    made = with_api(setting, lambda api: api.post("/admin/credentials/endorse", IssuedDetail, body))
    write_record(out, document_bytes(made.document))
    if setting.shown_as_json(made):
        return
    line(f"Endorsed; the endorsement is written to {out}.", style="green")
    fields([("record", short(made.id)), ("credential", made.credential_id), ("about", made.subject)])
    line(f"Next: give the file to the learner, who runs: lernode import {out}")


def _document(content: bytes) -> dict[str, Any] | str:
    """An object as one, and compact text as it is."""
    if content.startswith(b"{"):
        return strict_json.loads_object(content)
    try:
        return content.decode("ascii")
    except UnicodeDecodeError:
        raise BadInput("cli.file", "The file holds no record.", "Name a file with one record.") from None
