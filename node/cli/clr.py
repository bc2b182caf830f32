"""``lernode clr``: give a learner the records that were issued to it in one, a Comprehensive Learner Record."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from node.cli.client import with_api
from node.cli.options import Setting, common
from node.cli.output import fields, line, note, short
from node.cli.write import check_new, write_record
from node.http.documents import document_bytes
from node.http.learner_record_schemas import (
    AssociationGiven,
    LearnerRecordOffer,
    LearnerRecordOfferView,
    LearnerRecordToMake,
    LearnerRecordView,
)
from protocols.errors import BadInput

__all__ = ["clr"]


@click.command(short_help="Give a learner all their records in one (CLR 2.0).")
@common
@click.argument("learner", required=False, metavar="[DID|EMAIL]")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A new file for it, to be handed over.")
@click.option("--peer", help="Offer it to this peer instead; without DID or EMAIL, of what it got over the connection.")
@click.option("--record", "records", multiple=True, help="An issued record that goes in; may be given again.")
@click.option("--name", help="What it is called, such as Transcript.")
@click.option(
    "--association",
    "associations",
    nargs=3,
    multiple=True,
    metavar="ACHIEVEMENT KIND ACHIEVEMENT",
    help="How one stands to another: isPartOf, isChildOf, isParentOf, precedes, ...; may be given again.",
)
def clr(
    setting: Setting,
    learner: str | None,
    out: Path | None,
    peer: str | None,
    records: tuple[str, ...],
    name: str | None,
    associations: tuple[tuple[str, str, str], ...],
) -> None:
    """Sign a Comprehensive Learner Record (CLR 2.0) of records that you issued to one learner, each with its own proof.

    Without --record it is of all that hold now. Revoked, suspended and expired ones are left out, which you are told.
    It is a record of its own: you can revoke it, and that leaves those in it as they are.

    \b
    Examples:
      lernode clr ada@example.org --name Transcript --out ada-clr.json
      lernode clr --peer Ada
      lernode clr --record 7c01 --record 82cb --association weld-101 isPartOf welder --out ada-clr.json

    Next: the learner takes it with lernode accept, or the file with lernode import ada-clr.json
    """
    if (out is None) == (peer is None):
        raise BadInput("cli.usage", "Say where the learner record goes.", "Give either --peer or --out.")
    if out is not None:
        check_new(out)
    wanted = LearnerRecordToMake(
        learner=learner,
        records=records,
        name=name,
        associations=tuple(_association(*each) for each in associations),
    )
    if peer is not None:
        _offer(setting, wanted, peer)
    elif out is not None:
        _write(setting, wanted, out)


def _association(source: str, kind: str, target: str) -> AssociationGiven:
    try:
        return msgspec.convert({"source": source, "kind": kind, "target": target}, AssociationGiven)
    except msgspec.ValidationError:
        raise BadInput(
            "cli.usage",
            "That is no association of achievements.",
            "--association A KIND B, where KIND is isPartOf, isChildOf, isParentOf, precedes, replacedBy, isPeerOf, "
            "isRelatedTo or exactMatchOf.",
        ) from None


def _offer(setting: Setting, wanted: LearnerRecordToMake, peer: str) -> None:
    body = LearnerRecordOffer(**{field: getattr(wanted, field) for field in wanted.__struct_fields__}, connection=peer)
    path = "/admin/learner-records/offers"
    offered = with_api(setting, lambda api: api.post(path, LearnerRecordOfferView, body, to_peer=True))
    if setting.shown_as_json(offered):
        return
    line(f"The learner record is offered to {offered.offer.peer}.", style="green")
    fields([("exchange", short(offered.offer.id)), ("credential", offered.offer.credential_ids[0])])
    _tell(offered)


def _write(setting: Setting, wanted: LearnerRecordToMake, out: Path) -> None:
    made = with_api(setting, lambda api: api.post("/admin/learner-records", LearnerRecordView, wanted))
    write_record(out, document_bytes(made.record.document))
    if setting.shown_as_json(made):
        return
    line(f"Signed; the learner record is written to {out}.", style="green")
    fields([("record", short(made.record.id)), ("credential", made.record.credential_id)])
    _tell(made)
    line(f"Next: give the file to the learner, who runs: lernode import {out}")


def _tell(view: LearnerRecordView | LearnerRecordOfferView) -> None:
    more = "; it says that it is partial" if view.partial else ""
    line(f"{len(view.included)} records are in it{more}.")
    for each in view.left_out:
        note(f"Left out: {short(each.record.id)}, {each.record.achievement or each.record.credential_id}: {each.code}")
