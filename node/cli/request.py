"""``lernode request``: ask a peer for proof."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from node.cli.by_link import check_qr_file, didcomm_option, qr_options, show_invitation
from node.cli.client import Api, segment, with_api
from node.cli.exchanges import await_state
from node.cli.options import Setting, common, only_used, suggest
from node.cli.output import fields, line, short
from node.cli.verdict import show_result
from node.http.schemas import ExchangeDetail, ExchangeView, InvitationView, NewRequest, RequestByLink, VerificationView
from protocols import strict_json
from protocols.errors import BadInput, WrongState

__all__ = ["read_definition", "request"]

_SETTLED = ("done", "abandoned")
_WHAT = ("skills", "kind", "definition", "profile", "most", "at_least", "name", "purpose", "comment", "expires")


@click.command(short_help="Ask a peer for proof of skills.")
@common
@click.argument("connection", required=False)
@click.option("--link", is_flag=True, help="Ask by a link or QR code whoever answers it, connected or not.")
@click.option("--multi-use", is_flag=True, help="With --link: for many, as on a poster; each is asked by itself.")
@didcomm_option
@qr_options
@click.option("--answer", metavar="EXCHANGE", help="Ask in answer to the proposal that waits under this id.")
@click.option("--skill", "skills", multiple=True, metavar="CODE", help="A skill, by code or URL; repeatable.")
@click.option("--type", "kind", help="Any record of this type, e.g. OpenBadgeCredential.")
@click.option(
    "--definition",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A DIF Presentation Exchange v2 definition (JSON).",
)
@click.option("--profile", metavar="NAME", help="The required skills of a job profile; see lernode profile.")
@click.option("--most", type=click.IntRange(1, 32), help="With --profile: only so many, the most important ones.")
@click.option(
    "--at-least", type=click.IntRange(1, 32), help="With --profile: who has not all may answer for so many, or more."
)
@click.option("--name", help="What is asked for, in the words of a person.")
@click.option("--purpose", help="Why; the peer sees it before it answers.")
@click.option("--comment", help="For the person who is asked.")
@click.option("--expires", type=click.IntRange(1, 3650), metavar="DAYS", help="The request ends after so many days.")
@click.option("--wait", type=click.IntRange(0, 60), default=0, metavar="SECONDS", help="Wait for the answer.")
def request(
    setting: Setting,
    connection: str | None,
    link: bool,
    multi_use: bool,
    didcomm: Literal["v1", "v2"] | None,
    qr: bool,
    qr_file: Path | None,
    answer: str | None,
    skills: tuple[str, ...],
    kind: str | None,
    definition: Path | None,
    profile: str | None,
    most: int | None,
    at_least: int | None,
    name: str | None,
    purpose: str | None,
    comment: str | None,
    expires: int | None,
    wait: int,
) -> None:
    """Ask a peer to present records, bound to this request so that nobody can play them again.

    \b
    Examples:
      lernode request Ada --skill 51-4121.00 --purpose "Your application as a welder"
      lernode request Ada --type OpenBadgeCredential --wait 30
      lernode request Ada --profile welder --most 10
      lernode request Ada --profile welder --at-least 1      what Ada has of it; see lernode match
      lernode request Ada --definition definition.json --expires 14
      lernode request --link --multi-use --skill 51-4121.00 --purpose "Our job fair" --qr-file poster.svg
      lernode request --link --didcomm v2 --type OpenBadgeCredential
      lernode request --answer 9b1e --type OpenBadgeCredential --comment "A newer one, please"

    Next: lernode verify EXCHANGE shows every check once the peer has answered.
    """
    what: dict[str, Any] = {
        "comment": comment,
        "expires_in_seconds": None if expires is None else expires * 86400,
        "skills": list(skills),
        "type": kind,
        "definition": read_definition(definition),
        "profile": profile,
        "most": most,
        "at_least": at_least,
        "name": name,
        "purpose": purpose,
    }
    if link:
        if connection is not None or answer is not None:
            raise BadInput("cli.usage", "A link is for whoever answers it.", "Leave the connection and --answer out.")
        only_used("link", "multi_use", "didcomm", "qr", "qr_file", *_WHAT, use="with --link")
        check_qr_file(qr_file)
        asked = RequestByLink(multi_use=multi_use, didcomm=didcomm or "v1", **what)
        made = with_api(setting, lambda api: api.post("/admin/invitations/requests", InvitationView, asked))
        show_invitation(setting, made, qr=qr, qr_file=qr_file)
        return
    only_used("answer", "wait", *_WHAT, use="without --link")
    wanted = NewRequest(connection=connection, exchange=answer, **what)
    exchange, result = with_api(setting, lambda api: _request(api, wanted, wait))
    if not setting.shown_as_json(result or exchange):
        _tell(exchange, result)
    if exchange.state == "abandoned" or (result is not None and not result.verified):
        raise click.exceptions.Exit(1)


def _tell(exchange: ExchangeDetail, result: VerificationView | None) -> None:
    if result is not None:
        show_result(result.result)
        return
    line(f"Asked {exchange.peer or 'the peer'}.", style="green")
    fields(
        [
            ("exchange", short(exchange.id)),
            ("state", exchange.state),
            ("error", exchange.error),
            ("reason", exchange.reason),
        ]
    )
    suggest(f"when the peer has answered, lernode verify {short(exchange.id)}")


async def _request(api: Api, wanted: NewRequest, wait: int) -> tuple[ExchangeDetail, VerificationView | None]:
    made = await api.post("/admin/presentations/requests", ExchangeView, wanted, to_peer=True)
    seconds = 0 if api.is_own_node else wait
    exchange = await await_state(api, made.id, _SETTLED, seconds, "Waiting for the peer")
    if not seconds or exchange.state not in _SETTLED:
        return exchange, None
    try:
        path = f"/admin/exchanges/{segment(made.id)}/verification"
        return exchange, await api.get(path, VerificationView)
    except WrongState:  # the peer declined, so there is nothing that could have been verified
        return exchange, None


def read_definition(path: Path | None) -> dict[str, object] | None:
    """The presentation definition in a file.

    Raises:
        BadInput: ``cli.definition``, ``json.*``.
    """
    if path is None:
        return None
    try:
        return strict_json.loads_object(path.read_bytes())
    except OSError:
        raise BadInput("cli.definition", "The definition cannot be read.", "Name another file.") from None
