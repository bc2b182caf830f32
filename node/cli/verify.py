"""``lernode verify``: check a file, a folder of files, or again what a peer presented."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from node.cli.client import segment, with_api
from node.cli.options import Setting, common, only_used
from node.cli.output import emit_json, line, table
from node.cli.verdict import show_documents, show_result
from node.http.schemas import CheckView, ResultView, VerificationView, VerifyExchange
from protocols.errors import BadInput

if TYPE_CHECKING:
    from node.cli.verify_file import FilePolicy

__all__ = ["verify"]

_MAX_BYTES = 2 << 20  # a badge is a picture as well; JSON may be half as long
_MAX_SCAN_BYTES = 32 << 20
_LINKS = ("https://", "http://")


@click.command(short_help="Check a record or presentation.")
@common
@click.argument("what", metavar="FILE|FOLDER|LINK|EXCHANGE")
@click.option("--trust", multiple=True, metavar="DID", help="An issuer to believe, this time; repeatable.")
@click.option("--any-issuer", is_flag=True, help="Do not ask whether the issuer is trusted.")
@click.option("--offline", is_flag=True, help="Ask nobody: use what the file and this node's store hold.")
@click.option("--challenge", help="What the holder of a presentation file was asked to answer.")
@click.option("--domain", help="For whom a presentation file was made.")
@click.option("--recipient", metavar="ADDRESS", help="For whom a record file has to be, such as an e-mail address.")
@click.option("--show", is_flag=True, help="Show what the signature covers, too; files only.")
@click.option("--qr", is_flag=True, help="It is a QR code of a printed résumé: its text, a picture or PDF of it, or -.")
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="Processes for a folder; one a core.")
def verify(
    setting: Setting,
    what: str,
    trust: tuple[str, ...],
    any_issuer: bool,
    offline: bool,
    challenge: str | None,
    domain: str | None,
    recipient: str | None,
    show: bool,
    qr: bool,
    jobs: int | None,
) -> None:
    """Check a credential or presentation, and show every check with its reason. A file needs no node at all.

    The format is found by itself: JSON with a proof, a seal or an envelope, a JWT, an SD-JWT, or a badge of Open Badges
    2.0. Of a résumé (LER-RS of HR Open) it says of each entry who vouches for it, or that it is self-asserted, and
    checks each credential in it.

    \b
    Examples:
      lernode verify welding.json --trust did:web:riverside.example
      lernode verify welding.json --any-issuer --offline
      lernode verify welding.jwt --any-issuer --show
      lernode verify badge.png --any-issuer --recipient ada@example.org
      lernode verify records/ --any-issuer   every file of a folder, on all cores; --json gives a line for each
      lernode verify https://ada.example/r/…  what somebody shows by a link
      lernode verify --qr welding.pdf      a printed résumé, or a picture of it
      lernode verify 9b1e                  what a peer presented, checked again now
      curl -s https://... | lernode verify - --any-issuer

    It ends with 0 only when it is verified, with 1 when not.
    """
    if qr or what.startswith(_LINKS):
        only_used("trust", "any_issuer", "offline", "show", "qr", use="with a code or a link")
        _verify_shown(setting, what, trust, any_issuer=any_issuer, offline=offline, show=show)
        return
    path = Path(what)
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError:  # too long for a name, for one
        raise BadInput("cli.no_file", "There is no such file.", "Check its name.") from None
    if is_folder:
        from node.cli.verify_folder import verify_folder  # noqa: PLC0415

        if challenge or domain or recipient or show:
            message = "A challenge, a domain, a recipient and --show belong to one file."
            raise BadInput("cli.usage", message, "Name that file.")
        verify_folder(setting, path, trust, any_issuer=any_issuer, offline=offline, jobs=jobs)
        return
    if what == "-" or is_file:
        # The verifier's parts are loaded only for files; an exchange is checked by its node.
        from node.cli.resume_check import resume_in  # noqa: PLC0415
        from node.cli.verify_file import FilePolicy, verify_file  # noqa: PLC0415

        how = FilePolicy(setting.home, trust, any_issuer=any_issuer, offline=offline, recipient=recipient)
        data = _read(path)
        resume = resume_in(data)
        if resume is not None:
            if challenge or domain or recipient or show:
                message = "A challenge, a domain, a recipient and --show are not for résumés."
                raise BadInput("cli.usage", message, "Leave them out.")
            _verify_resume(setting, how, resume)
            return
        result = verify_file(how, data, challenge=challenge, domain=domain, show=show)
        document = msgspec.json.encode(result)
    else:
        if path.suffix or len(path.parts) > 1:
            raise BadInput("cli.no_file", "There is no such file.", "Check its name.")
        if any_issuer or offline or challenge or domain or recipient or show or jobs:
            raise BadInput("cli.usage", "These options are for files.", "Add only --trust to an exchange.")
        kept = _again(setting, what, trust)
        result, document = kept.result, msgspec.json.encode(kept)
    _tell(setting, result, document, any_issuer=any_issuer)


def _verify_shown(
    setting: Setting, what: str, trust: tuple[str, ...], *, any_issuer: bool, offline: bool, show: bool
) -> None:
    from node.cli.verify_file import FilePolicy, verify_code  # noqa: PLC0415

    how = FilePolicy(setting.home, trust, any_issuer=any_issuer, offline=offline)
    is_text = what.startswith(("LERNODE", *_LINKS))
    result = verify_code(how, what.encode() if is_text else _read(Path(what), _MAX_SCAN_BYTES), show=show)
    _tell(setting, result, msgspec.json.encode(result), any_issuer=any_issuer)


def _verify_resume(setting: Setting, how: FilePolicy, document: dict[str, Any]) -> None:
    from node.cli.resume_check import check_resume  # noqa: PLC0415

    found = check_resume(how, document)
    if not setting.shown_as_json(found):
        table(("SECTION", "ENTRY", "WHO SAYS SO", ""), ((e.section, e.name, e.word, e.reason) for e in found.entries))
    if not found.verified:
        raise click.exceptions.Exit(1)


def _tell(setting: Setting, result: ResultView, document: bytes, *, any_issuer: bool) -> None:
    if setting.json:
        emit_json(document)
    else:
        show_result(result)
        show_documents(result)
        _advise(result, any_issuer=any_issuer)
    if not result.verified:
        raise click.exceptions.Exit(1)


def _again(setting: Setting, exchange: str, trust: tuple[str, ...]) -> VerificationView:
    path = f"/admin/exchanges/{segment(exchange)}/verify"
    return with_api(setting, lambda api: api.post(path, VerificationView, VerifyExchange(trust=list(trust))))


def _read(path: Path, most: int = _MAX_BYTES) -> bytes:
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(most + 1)
        else:
            with path.open("rb") as file:
                data = file.read(most + 1)
    except OSError:
        raise BadInput("cli.no_file", "The file cannot be read.", "Check its name and who owns it.") from None
    if len(data) > most:
        raise BadInput("json.too_large", f"The file is larger than {most} bytes.", "Check one document.")
    return data


def _may_be_trusted(check: CheckView) -> bool:
    """Whether an issuer is not trusted who could be; nobody is to be trusted for what they say of themselves."""
    return check.check == "issuer-trusted" and check.outcome != "pass" and check.code != "trust.own_statement"


def _advise(result: ResultView, *, any_issuer: bool) -> None:
    found = [check for each in (result, *result.credentials) for check in each.checks]
    issuers = (
        each.issuer
        for each in (result, *result.credentials)
        if not each.endorses and any(_may_be_trusted(check) for check in each.checks)
    )
    issuer = next((name for name in issuers if name), None)
    if not any_issuer and issuer:
        line(f"Next: if you believe this issuer, add --trust {issuer}, or for good: lernode trust add {issuer}")
    if any(check.code in {"net.address_forbidden", "net.scheme"} for check in found):
        line("Next: for an issuer on this machine or a private network, add --home of a node that may reach it.")
