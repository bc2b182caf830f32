"""``lernode invite``: an invitation for a peer."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec
import segno

from node.cli.client import with_api
from node.cli.options import Setting, common
from node.cli.output import emit_json, is_terminal, line
from node.http.schemas import InvitationView, NewInvitation
from protocols.errors import BadInput

__all__ = ["invite"]

_FORMATS = (".svg", ".png")


@click.command(short_help="Make an invitation for a peer.")
@common
@click.option("--multi-use", is_flag=True, help="Many peers may use it, not only one.")
@click.option("--goal", help="What it is for, in a few words; the peer sees it.")
@click.option("--expires", type=click.IntRange(1, 3650), metavar="DAYS", help="Close it after so many days.")
@click.option("--lasting", is_flag=True, help="Peers that are connected with you keep their connection.")
@click.option("--qr", is_flag=True, help="Show a QR code, also where the output is not a terminal.")
@click.option("--qr-file", type=click.Path(path_type=Path, dir_okay=False), help="Write the QR code: .svg or .png.")
def invite(
    setting: Setting,
    multi_use: bool,
    goal: str | None,
    expires: int | None,
    lasting: bool,
    qr: bool,
    qr_file: Path | None,
) -> None:
    """Make an invitation (out-of-band 1.1): a link, and a QR code, that a peer answers to connect.

    Each invitation has a key of its own, so that two cannot be told to be of one node. With --lasting they share a
    DID: a peer that is connected by such an invitation, and answers another one, keeps the connection it has.

    \b
    Examples:
      lernode invite
      lernode invite --multi-use --goal "Records of the class of 2026" --qr-file poster.svg

    Next: the peer runs lernode accept LINK; then lernode status shows the connection. Your node has to run.
    """
    if qr_file is not None and qr_file.suffix.lower() not in _FORMATS:
        raise BadInput("cli.qr_file", "A QR code is written as .svg or .png.", "Choose another file name.")
    seconds = expires * 86400 if expires else None
    wanted = NewInvitation(multi_use=multi_use, goal=goal, expires_in_seconds=seconds, lasting=lasting)
    made = with_api(setting, lambda api: api.post("/admin/invitations", InvitationView, wanted))
    code = segno.make(made.url, error="l", micro=False)
    if qr_file is not None:
        _write(code, qr_file)
    if setting.json:
        emit_json(msgspec.json.encode(made))
        return
    line(made.url)
    if qr or is_terminal():
        code.terminal(out=sys.stdout, compact=True)
    line("Next: give the link to the peer, who runs: lernode accept LINK")


def _write(code: segno.QRCode, path: Path) -> None:
    try:
        code.save(str(path), scale=8)
    except OSError:
        raise BadInput("cli.qr_file", "The QR code cannot be written there.", "Choose another file.") from None
