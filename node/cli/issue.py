"""``lernode issue``: award an achievement to a peer, to a DID or e-mail address, or to a list of learners."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click
import msgspec

from node.cli.by_link import check_qr_file, didcomm_option, qr_options, show_invitation
from node.cli.client import Api, with_api
from node.cli.exchanges import await_state
from node.cli.issue_list import Order, issue_list
from node.cli.options import Setting, common, only_used, suggest
from node.cli.output import fields, line, note, short
from node.cli.write import check_new, write_record
from node.http.documents import document_bytes
from node.http.schemas import (
    Award,
    AwardOverConnection,
    ExchangeDetail,
    ExchangeView,
    InvitationView,
    IssuedDetail,
    OfferByLink,
)
from protocols.errors import BadInput

__all__ = ["issue"]

_SETTLED = ("done", "abandoned")
_AWARD = ("name", "result", "valid_from", "valid_until")
_OFFER = (*_AWARD, "did", "email", "data_model", "comment", "expires")
DataModel = Literal["2.0", "1.1"]
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(short_help="Award an achievement: to a peer, or as files.")
@common
@click.argument("achievements", nargs=-1, metavar="[ACHIEVEMENT]...")
@click.option("--to", metavar="CONNECTION|DID|EMAIL", help="Whom; a connection is offered it.")
@click.option("--link", is_flag=True, help="Offer it by a link or QR code to whoever answers first, connected or not.")
@didcomm_option
@qr_options
@click.option("--answer", metavar="EXCHANGE", help="Offer it in answer to the proposal that waits under this id.")
@click.option("--comment", help="For the person who is offered it.")
@click.option("--expires", type=click.IntRange(1, 3650), metavar="DAYS", help="The offer ends after so many days.")
@click.option("--name", help="The learner's name, as it stands in the record.")
@click.option("--did", metavar="DID", help="The learner's DID, where its wallet names none; for an offer.")
@click.option("--email", help="The learner's e-mail address, as a hash in the record; with a connection.")
@click.option("--result", help="What was reached, if the achievement has results.")
@click.option("--valid-from", type=_DAY, metavar="YYYY-MM-DD", help="When it was earned; today where not given.")
@click.option("--valid-until", type=_DAY, metavar="YYYY-MM-DD", help="When it ends.")
@click.option(
    "--data-model",
    type=click.Choice(["2.0", "1.1"]),
    default="2.0",
    help="Of the W3C; 1.1 for a connection whose wallet cannot show records of 2.0, such as ACA-Py's.",
)
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Learners.")
@click.option("--out", type=click.Path(path_type=Path), help="File, or folder with --csv, for what is signed.")
@click.option("--strict", is_flag=True, help="With --csv: issue nothing while any row is wrong.")
@click.option("--wait", type=click.IntRange(0, 60), default=0, metavar="SECONDS", help="Wait for the peer to accept.")
def issue(
    setting: Setting,
    achievements: tuple[str, ...],
    to: str | None,
    link: bool,
    didcomm: Literal["v1", "v2"] | None,
    qr: bool,
    qr_file: Path | None,
    answer: str | None,
    comment: str | None,
    expires: int | None,
    name: str | None,
    did: str | None,
    email: str | None,
    result: str | None,
    data_model: DataModel,
    valid_from: datetime | None,
    valid_until: datetime | None,
    csv_file: Path | None,
    out: Path | None,
    strict: bool,
    wait: int,
) -> None:
    """Award an achievement of your catalogue: offer it to a peer, or sign files to hand over.

    \b
    Examples:
      lernode issue weld-101 --to Ada --name "Ada Byron"
      lernode issue weld-101 code-110 --to Ada
      lernode issue weld-101 --link --name "Ada Byron" --qr-file ada.svg
      lernode issue weld-101 --link --didcomm v2 --data-model 1.1
      lernode issue weld-101 --answer 3f2a --comment "Level 1, not 2: the test is in June"
      lernode issue weld-101 --to ada@example.org --out ada.json
      lernode issue weld-101 --csv class-of-2026.csv --out records/ --strict

    \b
    Several achievements are one offer, also by a link: the peer takes all of them or none.

    \b
    The CSV file names its columns in the first line: name, email or did, and if wanted date and result.
    Every bad row is reported with its line; a bad row is never issued by half. A list that was interrupted goes on
    with the same command; nobody gets a record twice.

    What can be awarded: lernode catalogue. Next: the peer runs lernode accept; lernode records --issued lists them.
    """
    if not achievements or [to, answer, csv_file, link or None].count(None) != 3:
        hint = "lernode issue ACHIEVEMENT --to WHOM, --link or --csv FILE; see: lernode catalogue"
        raise BadInput("cli.usage", "Say what is awarded, and to whom.", hint)
    achievement, *others = achievements
    if others and (csv_file is not None or _is_file(to) or result is not None):
        hint = "Name one achievement, or leave --result out and offer them with --to CONNECTION, --link or --answer."
        raise BadInput("cli.usage", "Only an offer may be of several achievements, and without a result.", hint)
    if csv_file is not None:
        only_used("csv_file", "out", "strict", "valid_from", "valid_until", use="with --csv")
        order = Order(
            achievement=achievement,
            csv_file=csv_file,
            out=out,
            strict=strict,
            valid_from=_utc(valid_from),
            valid_until=_utc(valid_until),
        )
        issue_list(setting, order)
        return
    given = Award(
        achievement=achievement,
        did=did,
        email=email,
        name=name,
        result=result,
        valid_from=_utc(valid_from),
        valid_until=_utc(valid_until),
    )
    if to is not None and _is_file(to):
        only_used("to", "out", *_AWARD, use="for a file, which is not offered to a connection")
        _issue_file(setting, given, to, out)
        return
    seconds = None if expires is None else expires * 86400
    also = tuple(msgspec.structs.replace(given, achievement=other) for other in others)
    if link:
        only_used("link", "didcomm", "qr", "qr_file", *_OFFER, use="with --link")
        check_qr_file(qr_file)
        wanted = OfferByLink(
            also=also,
            comment=comment,
            expires_in_seconds=seconds,
            data_model=data_model,
            didcomm=didcomm or "v1",
            **msgspec.structs.asdict(given),
        )
        made = with_api(setting, lambda api: api.post("/admin/invitations/offers", InvitationView, wanted))
        show_invitation(setting, made, qr=qr, qr_file=qr_file)
        return
    only_used("to", "answer", "wait", *_OFFER, use="for a connection")
    offer = AwardOverConnection(
        connection=to,
        exchange=answer,
        also=also,
        comment=comment,
        expires_in_seconds=seconds,
        data_model=data_model,
        **msgspec.structs.asdict(given),
    )
    _issue_to_peer(setting, offer, wait)


def _is_file(to: str | None) -> bool:
    """Whether what is made for them is a file to hand over, and not an offer."""
    return to is not None and (to.startswith("did:") or "@" in to)


def _issue_file(setting: Setting, given: Award, to: str, out: Path | None) -> None:
    award = msgspec.structs.replace(given, **({"did": to} if to.startswith("did:") else {"email": to}))
    if out is not None:
        check_new(out)
    made = with_api(setting, lambda api: api.post("/admin/credentials/issue", IssuedDetail, award))
    _show_issued(setting, made, out)


def _issue_to_peer(setting: Setting, offer: AwardOverConnection, wait: int) -> None:
    exchange = with_api(setting, lambda api: _offer(api, offer, wait))
    if setting.shown_as_json(exchange):
        return
    if exchange.issued_ids:
        line(f"Issued to {exchange.peer}.", style="green")
        one = f" {short(exchange.issued_ids[0])}" if len(exchange.issued_ids) == 1 else ""
        suggest(f"lernode records{one} --issued")
    else:
        line(f"Offered to {exchange.peer}.", style="green")
        fields(
            [
                ("exchange", short(exchange.id)),
                ("state", exchange.state),
                ("error", exchange.error),
                ("reason", exchange.reason),
            ]
        )
        suggest("when the peer has accepted, lernode records --issued lists what was issued.")


async def _offer(api: Api, offer: AwardOverConnection, wait: int) -> ExchangeDetail:
    made = await api.post("/admin/credentials/offers", ExchangeView, offer, to_peer=True)
    seconds = 0 if api.is_own_node else wait
    return await await_state(api, made.id, _SETTLED, seconds, "Waiting for the peer")


def _show_issued(setting: Setting, made: IssuedDetail, out: Path | None) -> None:
    if out is not None:
        write_record(out, document_bytes(made.document))
    if setting.shown_as_json(made):
        return
    if out is not None:
        line(f"Signed, and written to {out}.", style="green")
        fields([("record", short(made.id)), ("credential", made.credential_id)])
        line(f"Next: hand the file over. Whoever gets it runs: lernode verify {out}")
    else:
        # The record itself is the output, so that it can be piped.
        click.echo(document_bytes(made.document))
        note(f"Issued as {short(made.id)}; with --out FILE it is written to a file.")


def _utc(day: datetime | None) -> datetime | None:
    return None if day is None else day.replace(tzinfo=UTC)
