"""What is shown of an invitation that was made: its link, and its QR code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import segno

from node.cli.options import Setting
from node.cli.output import is_terminal, line
from node.http.schemas import InvitationView
from protocols.errors import BadInput

__all__ = ["check_qr_file", "didcomm_option", "qr_options", "show_invitation"]

_FORMATS = (".svg", ".png")
_MAX_QR_CHARS = 1200
"""Longer links make codes that cameras do not read from paper."""


def qr_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--qr`` and ``--qr-file``."""
    shown = click.option("--qr", is_flag=True, help="Show a QR code, also where the output is not a terminal.")
    file = click.Path(path_type=Path, dir_okay=False)
    written = click.option("--qr-file", type=file, help="Write the QR code: .svg or .png.")
    return shown(written(command))


def didcomm_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--didcomm``."""
    kinds = click.Choice(["v1", "v2"])
    text = "With --link: v2 for wallets of WACI-DIDComm, which know DIDComm v2 alone; v1 where not given."
    return click.option("--didcomm", type=kinds, help=text)(command)


def check_qr_file(path: Path | None) -> None:
    """Refuse a name that no QR code can be written to, before anything is done.

    Raises:
        BadInput: ``cli.qr_file``.
    """
    if path is not None and path.suffix.lower() not in _FORMATS:
        raise BadInput("cli.qr_file", "A QR code is written as .svg or .png.", "Choose another file name.")


def show_invitation(setting: Setting, made: InvitationView, *, qr: bool, qr_file: Path | None) -> None:
    """Print an invitation's link and code; the short link where the whole one is too long for a code.

    Raises:
        BadInput: ``cli.qr_file``.
    """
    address = made.url if len(made.url) <= _MAX_QR_CHARS else made.short_url
    code = segno.make(address, error="l", micro=False)
    if qr_file is not None:
        _write(code, qr_file)
    if setting.shown_as_json(made):
        return
    line(address)
    if qr or is_terminal():
        code.terminal(out=sys.stdout, compact=True)
    line("Next: give the link to the peer, who runs: lernode accept LINK")


def _write(code: segno.QRCode, path: Path) -> None:
    try:
        code.save(str(path), scale=8)
    except OSError:
        raise BadInput("cli.qr_file", "The QR code cannot be written there.", "Choose another file.") from None
