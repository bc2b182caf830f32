"""``lernode invite``: an invitation for a peer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from node.cli.by_link import check_qr_file, qr_options, show_invitation
from node.cli.client import with_api
from node.cli.options import Setting, common
from node.http.schemas import InvitationView, NewInvitation

__all__ = ["invite"]


@click.command(short_help="Make an invitation for a peer.")
@common
@click.option("--multi-use", is_flag=True, help="Many peers may use it, not only one.")
@click.option("--goal", help="What it is for, in a few words; the peer sees it.")
@click.option("--expires", type=click.IntRange(1, 3650), metavar="DAYS", help="Close it after so many days.")
@click.option("--lasting", is_flag=True, help="Peers that are connected with you keep their connection.")
@click.option(
    "--didcomm", type=click.Choice(["v1", "v2"]), default="v1", show_default=True,
    help="v2: for agents that know DIDComm v2 alone.",
)  # fmt: skip
@qr_options
def invite(
    setting: Setting,
    multi_use: bool,
    goal: str | None,
    expires: int | None,
    lasting: bool,
    didcomm: Literal["v1", "v2"],
    qr: bool,
    qr_file: Path | None,
) -> None:
    """Make an invitation: a link, and a QR code, that a peer answers to connect.

    It is of Out-of-Band 1.1, which any agent of DIDComm v1 answers; two lernodes, and others that know both, speak v2
    once they are connected. With --didcomm v2 it is of Out-of-Band 2.0, for agents that know nothing else.

    Each invitation has a key of its own, so that two cannot be told to be of one node. With --lasting they share a
    DID: a peer that is connected by such an invitation, and answers another one, keeps the connection it has.

    \b
    Examples:
      lernode invite
      lernode invite --multi-use --goal "Records of the class of 2026" --qr-file poster.svg

    Next: the peer runs lernode accept LINK; then lernode status shows the connection. Your node has to run.
    """
    check_qr_file(qr_file)
    seconds = expires * 86400 if expires else None
    wanted = NewInvitation(multi_use=multi_use, goal=goal, expires_in_seconds=seconds, lasting=lasting, didcomm=didcomm)
    made = with_api(setting, lambda api: api.post("/admin/invitations", InvitationView, wanted))
    show_invitation(setting, made, qr=qr, qr_file=qr_file)
