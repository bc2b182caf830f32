"""``lernode import``: take in what a learner already has, from files and links."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import click

from node.cli.arranged import take_profiles, take_resumes
from node.cli.client import Api, with_api
from node.cli.export import FILE_PASSPHRASE, file_passphrase_of
from node.cli.files import begins_with, read_file
from node.cli.options import Setting, common, suggest
from node.cli.output import line, short
from node.http.schemas import IntakeView, RecordsToKeep
from node.records import bundle
from node.runtime import age_files
from node.runtime.age_files import AgeSecret
from protocols.errors import BadInput, NotNow

__all__ = ["import_"]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_LINKS = ("https://", "http://")
_AGE = b"age-encryption.org/"
_MAX_EXPORT_BYTES = 1 << 30

Accepted = Literal["verified", "any"]


@dataclass
class _Outcome:
    """What became of everything that was given."""

    new: int = 0
    known: int = 0
    unverified: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    resumes: int = 0
    profiles: int = 0

    def take(self, view: IntakeView, source: str) -> None:
        for kept in view.kept:
            self.new, self.known = self.new + kept.is_new, self.known + (not kept.is_new)
            if kept.record.unverified is not None:
                name, code = kept.record.name, kept.record.unverified
                self.unverified.append({"source": source, "id": kept.record.id, "name": name, "code": code})
        for each in view.refused:
            self.refuse(source, each.code, each.reason, each.hint, each.position)

    def refuse(self, source: str, code: str, reason: str, hint: str, position: int) -> None:
        told = {"source": source, "position": position, "code": code, "reason": reason, "hint": hint}
        self.refused.append(told)


@click.command("import", short_help="Take records from files, links or an export into this node.")
@common
@click.argument("places", metavar="FILE|URL...", nargs=-1, required=True)
@click.option("--unverified", is_flag=True, help="Keep genuine records that do not verify here, too, and mark them.")
@click.option("--recipient", metavar="ADDRESS", help="Take only what is for this address, such as for e-mail.")
@click.option("--identity-file", type=_FILE, help="Identity of age, for an export that was encrypted to its recipient.")
@FILE_PASSPHRASE
def import_(
    setting: Setting,
    places: tuple[str, ...],
    unverified: bool,
    recipient: str | None,
    identity_file: Path | None,
    file_passphrase: Path | None,
) -> None:
    """Hold records that you already have. One that the node holds already is told and not held twice.

    Read are records as JSON, JWT or SD-JWT, presentations and arrays of these, badges of Open Badges 3.0 and 2.0 as
    JSON, PNG or SVG, behind links too, and the files of lernode export. Each record is verified as a verifier here
    would verify it, trust in its issuer included. One that is not what its issuer signed is refused. One that does not
    verify for another reason, as nobody said whom to trust or it has expired, is kept with --unverified: it stays
    marked, and is sent to nobody unless you choose it. Import it again to have it verified again.

    \b
    Examples:
      lernode import diploma.json badge.png
      lernode import https://badges.example/records/3527
      lernode import old-badge.json --unverified
      lernode import https://badges.example/assertions/12 --recipient ada@example.org
      lernode import ada.zip.age

    Of an export, résumés and job profiles are taken too; receipts and peers stay in the file, for they belong to the
    node that made it.

    Next: lernode records
    """
    accept: Accepted = "any" if unverified else "verified"

    async def go(api: Api) -> _Outcome:
        outcome = _Outcome()
        for place in places:
            await _take(api, place, accept, recipient, identity_file, file_passphrase, outcome)
        return outcome

    outcome = with_api(setting, go)
    if not setting.shown_as_json(outcome):
        _tell(outcome)
    if outcome.refused:
        raise click.exceptions.Exit(1)


def _tell(outcome: _Outcome) -> None:
    for refused in outcome.refused:
        which = f", record {refused['position']}" if refused["position"] else ""
        line(f"{refused['source']}{which}: {refused['reason']}", style="red")
        if refused["hint"]:
            line(f"  {refused['hint']}")
    for kept in outcome.unverified:
        line(f"{short(kept['id'])} ({kept['name']}) is held, and does not verify now: {kept['code']}", style="yellow")
    line(f"{outcome.new} records are new, {outcome.known} were here already.", style="green")
    if outcome.resumes or outcome.profiles:
        line(f"{outcome.resumes} résumés and {outcome.profiles} job profiles are new.", style="green")
    suggest("lernode records")


async def _take(
    api: Api,
    place: str,
    accept: Accepted,
    recipient: str | None,
    identity_file: Path | None,
    file_passphrase: Path | None,
    outcome: _Outcome,
) -> None:
    if place.startswith(_LINKS):
        await _post(api, RecordsToKeep(url=place, accept=accept, recipient=recipient), place, outcome)
        return
    if not begins_with(place, _AGE):
        file = base64.b64encode(read_file(place)).decode()
        wanted = RecordsToKeep(file=file, accept=accept, recipient=recipient)
        await _post(api, wanted, place, outcome)
        return
    data = read_file(place, _MAX_EXPORT_BYTES)
    secret: AgeSecret = identity_file.read_bytes() if identity_file else file_passphrase_of(file_passphrase, new=False)
    await _take_export(api, age_files.decrypt(data, secret), place, outcome)


async def _take_export(api: Api, packed: bytes, place: str, outcome: _Outcome) -> None:
    ids = dict[str, str]()
    for position, (name, document, marked) in enumerate(bundle.read(packed), start=1):
        file = base64.b64encode(document).decode()
        wanted = RecordsToKeep(file=file, accept="any" if marked else "genuine")
        taken = await _post(api, wanted, place, outcome, position)
        if taken is not None and taken.kept:
            ids[name] = taken.kept[0].record.id
        await asyncio.sleep(0)
    try:
        arranged = bundle.read_arranged(packed)
        outcome.profiles += await take_profiles(api, arranged)
        outcome.resumes += await take_resumes(api, arranged, ids)
    except BadInput as error:  # the records are here all the same
        outcome.refuse(place, error.code, error.message, error.hint, 0)


async def _post(api: Api, wanted: RecordsToKeep, place: str, outcome: _Outcome, position: int = 1) -> IntakeView | None:
    try:
        taken = await api.post("/admin/records", IntakeView, wanted)
    except (BadInput, NotNow) as error:
        if error.code == "node.unreachable":
            raise
        outcome.refuse(place, error.code, error.message, error.hint, position)
        return None
    outcome.take(taken, place)
    return taken
