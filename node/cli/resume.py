"""``lernode resume``: put records and own statements together, and show them to a peer or by a link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import clean, fields, line, short, table, when
from node.cli.write import check_new, write_record
from node.http.documents import document_bytes
from node.http.portfolio_schemas import (
    EntryView,
    GivenEntry,
    GivenResume,
    LinkView,
    NewOwnStatement,
    NewShare,
    PaperView,
    PrintResume,
    ResumeAsFile,
    ResumeFileView,
    ResumeView,
    SendResume,
    ShareView,
)
from node.http.schemas import ExchangeView, HeldDetail, HeldView, Page
from protocols.credentials.reading import stated
from protocols.errors import BadInput

__all__ = ["resume"]

_PATH = "/admin/resumes"


@click.group(
    short_help="Put records together to be shown: to a peer, by a link, on paper.", invoke_without_command=True
)
@common
@click.pass_context
def resume(ctx: click.Context, setting: Setting) -> None:
    """Make résumés that prove themselves: chosen records or single results, own statements, your order, your words.

    \b
    Examples:
      lernode resume new "Welding" --text "Ten years of steel."
      lernode resume add Welding 2de7                     a record you hold, by its id
      lernode resume add Welding 7c01 --result Grade      one result of a transcript that can be shown in part
      lernode resume state Welding "Harbour crane" "I rebuilt it in 2019." --skill 51-4121.00
      lernode resume share Welding --days 30              a link; lernode resume shares says how often it was seen
      lernode resume send Welding Steelworks              to a peer
      lernode resume print Welding -o welding.pdf         on paper, with a code that verifies
      lernode resume export Welding -o welding.json       for applicant systems (HR Open LER-RS)

    docs/portfolio.md has the details. Next: lernode resume new TITLE
    """
    if ctx.invoked_subcommand is None:
        found = with_api(setting, lambda api: api.get(_PATH, Page[ResumeView], limit=1000))
        if setting.shown_as_json(found):
            return
        rows = ((short(r.id), r.title, str(len(r.entries)), when(r.updated)) for r in found.items)
        table(("RESUME", "TITLE", "RECORDS", "CHANGED"), rows)
        suggest("lernode resume show TITLE" if found.items else "lernode resume new TITLE")


@resume.command()
@common
@click.argument("title")
@click.option("--text", default="", help="What stands at its head.")
def new(setting: Setting, title: str, text: str) -> None:
    """Make an empty résumé of that TITLE.

    \b
    Example:
      lernode resume new "Welding" --text "Ten years of steel."
    """
    _show(setting, with_api(setting, lambda api: api.post(_PATH, ResumeView, GivenResume(title=title, text=text))))


@resume.command()
@common
@click.argument("name", metavar="RESUME")
def show(setting: Setting, name: str) -> None:
    """Show a résumé, by its title or id.

    \b
    Example:
      lernode resume show Welding
    """
    _show(setting, with_api(setting, lambda api: api.get(_of(name), ResumeView)))


@resume.command()
@common
@click.argument("name", metavar="RESUME")
@click.argument("record")
@click.option("--reveal", multiple=True, metavar="POINTER", help="Show only this of it (JSON Pointer); repeatable.")
@click.option("--result", "results", multiple=True, metavar="NAME", help="Show only this result of it; repeatable.")
@click.option("--text", default="", help="Your own words about it.")
@click.option("--at", type=click.IntRange(1, 50), help="Its place; else the last.")
def add(
    setting: Setting,
    name: str,
    record: str,
    reveal: tuple[str, ...],
    results: tuple[str, ...],
    text: str,
    at: int | None,
) -> None:
    """Add a RECORD that you hold, or a part of one whose securing lets it be shown in part.

    \b
    Examples:
      lernode resume add Welding 2de7 --text "My first certificate"
      lernode resume add Welding 7c01 --result "Practical grade"
      lernode resume add Welding 7c01 --reveal /credentialSubject/achievement/name
    """

    async def work(api: Api) -> ResumeView:
        held = await api.get(f"/admin/records/{segment(record)}", HeldDetail)
        pointers = [*reveal, *_pointers_to(held, results)]
        entry = GivenEntry(record=held.id, reveal=pointers, text=text)
        return await _change(api, name, lambda entries: _put(entries, entry, at))

    _show(setting, with_api(setting, work))


@resume.command()
@common
@click.argument("name", metavar="RESUME")
@click.argument("title")
@click.argument("text")
@click.option("--skill", "skills", multiple=True, metavar="CODE", help="A skill that it shows; repeatable.")
@click.option("--at", type=click.IntRange(1, 50), help="Its place; else the last.")
def state(setting: Setting, name: str, title: str, text: str, skills: tuple[str, ...], at: int | None) -> None:
    """Say something of yourself: a record that you sign, and that is marked as your own statement everywhere.

    \b
    Example:
      lernode resume state Welding "Harbour crane" "I rebuilt the crane of the harbour in 2019." --skill 51-4121.00
    """

    async def work(api: Api) -> ResumeView:
        await api.get(_of(name), ResumeView)  # before anything is signed for it
        said = NewOwnStatement(name=title, text=text, skills=list(skills))
        held = await api.post("/admin/statements", HeldView, said)
        return await _change(api, name, lambda entries: _put(entries, GivenEntry(record=held.id), at))

    _show(setting, with_api(setting, work))


@resume.command()
@common
@click.argument("name", metavar="RESUME")
@click.argument("place", type=int)
@click.argument("to", type=int)
def move(setting: Setting, name: str, place: int, to: int) -> None:
    """Move the record at PLACE to another place.

    \b
    Example:
      lernode resume move Welding 3 1
    """

    def moved(entries: list[GivenEntry]) -> list[GivenEntry]:
        entry = entries.pop(_index(entries, place))
        return _put(entries, entry, to)

    _show(setting, with_api(setting, lambda api: _change(api, name, moved)))


@resume.command()
@common
@click.argument("name", metavar="RESUME")
@click.argument("place", type=int)
def remove(setting: Setting, name: str, place: int) -> None:
    """Take the record at PLACE out; you still hold it.

    \b
    Example:
      lernode resume remove Welding 2
    """

    def without(entries: list[GivenEntry]) -> list[GivenEntry]:
        del entries[_index(entries, place)]
        return entries

    _show(setting, with_api(setting, lambda api: _change(api, name, without)))


@resume.command()
@common
@click.argument("name", metavar="RESUME")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(setting: Setting, name: str, yes: bool) -> None:
    """Forget a résumé; links to it stay until they are withdrawn or expire.

    \b
    Example:
      lernode resume delete Welding
    """
    if not yes:
        click.confirm(f"Forget {clean(name)}?", abort=True, err=True)
    gone = with_api(setting, lambda api: api.delete(_of(name), ResumeView))
    if not setting.shown_as_json(gone):
        line(f"“{gone.title}” is forgotten.")


@resume.command()
@common
@click.argument("name", metavar="RESUME")
@click.argument("connection")
def send(setting: Setting, name: str, connection: str) -> None:
    """Propose a résumé to a peer, by its label or id. When it asks for that, you present it: lernode present.

    \b
    Example:
      lernode resume send Welding Steelworks
    """
    wanted = SendResume(connection=connection)
    made = with_api(setting, lambda api: api.post(f"{_of(name)}/proposal", ExchangeView, wanted, to_peer=True))
    if setting.shown_as_json(made):
        return
    line(f"Proposed to {made.peer or 'the peer'}.", style="green")
    fields([("exchange", short(made.id)), ("state", made.state)])
    suggest("lernode present, when the peer has asked for it.")


@resume.command()
@common
@click.argument("name", metavar="RESUME")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How long it is shown.")
def share(setting: Setting, name: str, days: int) -> None:
    """Show a résumé, as it is now, to whoever has a link; a receipt is kept.

    The link is shown once: the node keeps only a hash of what it ends with. It leads to a page that checks itself, and
    to the signed presentation for programs and lernode verify.

    \b
    Example:
      lernode resume share Welding --days 14
    """
    made = with_api(setting, lambda api: api.post(f"{_of(name)}/shares", LinkView, NewShare(days=days)))
    if setting.shown_as_json(made):
        return
    line(made.url, bold=True)
    fields([("share", short(made.share.id)), ("until", when(made.share.expires))])
    suggest(f"lernode resume withdraw {short(made.share.id)} takes it back.")


@resume.command("print")
@common
@click.argument("name", metavar="RESUME")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A new PDF file.")
@click.option("--link", is_flag=True, help="Let the code be a link also where the records would fit into it.")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How long a link is good.")
def print_(setting: Setting, name: str, output: Path, link: bool, days: int) -> None:
    """Make a PDF of a résumé, with a QR code that verifies from paper.

    Where the signed records fit into the code (a few do), it holds them: whoever has the paper can check them without
    asking anybody, now and later. Else the code is a link, as of lernode resume share.

    \b
    Example:
      lernode resume print Welding -o welding.pdf

    Next: lernode verify --qr welding.pdf
    """
    check_new(output)
    wanted = PrintResume(link=link, days=days)
    made = with_api(setting, lambda api: api.post(f"{_of(name)}/print", PaperView, wanted))
    write_record(output, made.pdf)
    if setting.shown_as_json(msgspec.structs.replace(made, pdf=b"")):
        return
    line(f"Written to {output}.", style="green")
    if made.share is None:
        line("Its code holds the signed records.")
    else:
        line(f"Its code is a link, good until {when(made.share.expires)}.")
    suggest(f"lernode verify --qr {output}")


@resume.command("export")
@common
@click.argument("name", metavar="RESUME")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A new JSON file.")
@click.option("--format", "file_format", type=click.Choice(["ler-rs"]), default="ler-rs", show_default=True)
@click.option("--name", "person", help="Your name in it; else that of the node.")
def export_(setting: Setting, name: str, output: Path, file_format: str, person: str | None) -> None:
    """Write a résumé as an LER-RS document (HR Open), for a job board or an applicant system.

    Each record stands in it as its issuer signed it, in the section of its kind. Own statements are narratives without
    a verification: self-asserted, as that standard calls it.

    \b
    Example:
      lernode resume export Welding -o welding.json --name "Ada Lovelace"

    Next: lernode verify welding.json
    """
    check_new(output)
    wanted = ResumeAsFile(format=file_format, name=person)
    made = with_api(setting, lambda api: api.post(f"{_of(name)}/file", ResumeFileView, wanted))
    write_record(output, bytes(made.document))
    if setting.shown_as_json({"file": str(output), "format": file_format}):
        return
    line(f"Written to {output}.", style="green")
    suggest(f"lernode verify {output}")


@resume.command()
@common
def shares(setting: Setting) -> None:
    """Show which links there are, until when, and how often each was seen.

    \b
    Example:
      lernode resume shares
    """
    found = with_api(setting, lambda api: api.get("/admin/shares", Page[ShareView], limit=1000))
    if setting.shown_as_json(found):
        return
    rows = ((short(s.id), s.state, s.title, str(s.views), when(s.last_view), when(s.expires)) for s in found.items)
    table(("SHARE", "STATE", "TITLE", "VIEWS", "LAST SEEN", "UNTIL"), rows)


@resume.command()
@common
@click.argument("name", metavar="SHARE")
def withdraw(setting: Setting, name: str) -> None:
    """Let a link lead nowhere from now on, and forget what it showed. Who saw it may have kept it.

    \b
    Example:
      lernode resume withdraw 5b0f
    """
    gone = with_api(setting, lambda api: api.post(f"/admin/shares/{segment(name)}/withdraw", ShareView))
    if not setting.shown_as_json(gone):
        line(f"The link leads nowhere any more; it was seen {gone.views} times.", style="green")


def _show(setting: Setting, found: ResumeView) -> None:
    if setting.shown_as_json(found):
        return
    line(found.title, bold=True)
    if found.text:
        line(found.text)
    rows = (
        (
            str(number),
            short(each.record_id),
            each.name or "(not held any more)",
            "own statement" if each.own_statement else each.issuer,
            ", ".join(each.reveal) or "all of it",
            each.text,
        )
        for number, each in enumerate(found.entries, start=1)
    )
    table(("", "RECORD", "NAME", "ISSUER", "SHOWN", "YOUR WORDS"), rows)
    suggest(
        f"lernode resume share {short(found.id)}" if found.entries else f"lernode resume add {short(found.id)} RECORD"
    )


async def _change(api: Api, name: str, change: Callable[[list[GivenEntry]], list[GivenEntry]]) -> ResumeView:
    known = await api.get(_of(name), ResumeView)
    entries = change([_given(each) for each in known.entries if each.name is not None])
    return await api.post(_of(known.id), ResumeView, GivenResume(title=known.title, text=known.text, entries=entries))


def _given(each: EntryView) -> GivenEntry:
    return GivenEntry(record=each.record_id, reveal=each.reveal, text=each.text)


def _put(entries: Sequence[GivenEntry], entry: GivenEntry, at: int | None) -> list[GivenEntry]:
    place = len(entries) if at is None else min(max(at - 1, 0), len(entries))
    return [*entries[:place], entry, *entries[place:]]


def _index(entries: Sequence[GivenEntry], place: int) -> int:
    if not 1 <= place <= len(entries):
        raise BadInput("cli.usage", f"There is no place {place}.", f"There are {len(entries)}: lernode resume show")
    return place - 1


def _pointers_to(held: HeldDetail, names: Sequence[str]) -> list[str]:
    """To the results of these names, what they are results of, and whom it is about."""
    if not names:
        return []
    said = stated(document_bytes(held.document))
    found = [pointer for name in names for pointer in _pointers_to_one(said, name)]
    return ["/credentialSubject/id", "/credentialSubject/achievement/name", *dict.fromkeys(found)]


def _pointers_to_one(document: dict[str, Any], name: str) -> list[str]:
    subject = document.get("credentialSubject")
    achievement = subject.get("achievement") if isinstance(subject, dict) else None
    described = achievement.get("resultDescription", []) if isinstance(achievement, dict) else []
    results = subject.get("result", []) if isinstance(subject, dict) else []
    for place, description in enumerate(described if isinstance(described, list) else []):
        if description.get("name") != name:
            continue
        for at, result in enumerate(results if isinstance(results, list) else []):
            if result.get("resultDescription") == description.get("id"):
                return [f"/credentialSubject/result/{at}", f"/credentialSubject/achievement/resultDescription/{place}"]
    raise BadInput("cli.usage", f"The record has no result “{name}”.", "See: lernode records RECORD")


def _of(name: str) -> str:
    return f"{_PATH}/{segment(name)}"
