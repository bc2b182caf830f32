"""``lernode framework``: import frameworks of skills, look into them, compare their versions."""

from __future__ import annotations

import asyncio
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import clean, fields, is_terminal, line, note, table, when
from node.http.framework_schemas import (
    ChangeView,
    DifferenceView,
    FrameworkDetail,
    FrameworkView,
    ImportView,
    PackageView,
    PublishedView,
    SkillDetail,
    SkillItemView,
)
from node.http.schemas import Page
from protocols.errors import BadInput

__all__ = ["framework"]

_SHOWN = 20
_LOOK_EVERY_SECONDS = 0.5
_PATH = "/admin/frameworks"
_NO_MATCH = frozenset({"childOf", "requires", "essential", "optional"})


@click.group(short_help="Import frameworks of skills, search and compare them.", invoke_without_command=True)
@common
@click.pass_context
def framework(ctx: click.Context, setting: Setting) -> None:
    """Import the frameworks of skills and occupations that your records are to be anchored in, and look into them.

    \b
    Examples:
      lernode framework import nursing.json          a CASE package; most formats are recognised
      lernode framework import ~/db_29_0_text        the O*NET database, unpacked or as it comes
      lernode framework                              which there are
      lernode framework search weld
      lernode framework tree onet 2.B
      lernode framework skill 51-4121.00             what it is, and what it needs
      lernode framework take https://state.example/frameworks/nursing
      lernode framework diff nursing                 what the last version changed

    docs/frameworks.md has the formats. Next: lernode framework import FILE
    """
    if ctx.invoked_subcommand is None:
        _list(setting)


@framework.command("import")
@common
@click.argument("place", metavar="FILE|URL")
@click.option("--name", help="Its short name here; else that of its title.")
@click.option("--format", "format_name", help="Where it is not recognised: case-package, csv, esco-csv, onet, skos …")
@click.option("--encoding", help="Where it is not UTF-8, e.g. windows-1252.")
@click.option("--map", "columns", multiple=True, metavar="FIELD=COLUMN", help="For CSV: which column is what.")
@click.option("--skip-bad", is_flag=True, help="Leave out rows that cannot be read, and import the rest.")
@click.option("--version", help="Its version, where the file does not say.")
@click.option("--source", help="Who publishes it, where the file does not say.")
@click.option("--licence", help="Its licence, where the file does not say.")
def import_(
    setting: Setting,
    place: str,
    name: str | None,
    format_name: str | None,
    encoding: str | None,
    columns: tuple[str, ...],
    skip_bad: bool,
    version: str | None,
    source: str | None,
    licence: str | None,
) -> None:
    """Import the framework in FILE (also a folder or zip of O*NET or ESCO), or at URL.

    A framework that is here already gets a new version, and what it changes is shown; old versions stay, so that no
    record loses what it points to. Nothing is imported while rows cannot be read, unless with --skip-bad.

    \b
    Examples:
      lernode framework import skills.csv --name welding --map name=Title --map code=ID
      lernode framework import old.csv --encoding windows-1252
    """
    is_url = place.startswith(("https://", "http://"))

    async def work(api: Api) -> ImportView:
        with ExitStack() as stack:
            content = None if is_url else stack.enter_context(_as_file(Path(place), stack).open("rb"))
            return await api.upload(
                _PATH,
                ImportView,
                content,
                name=name,
                url=place if is_url else None,
                file=None if is_url else Path(place).name or "framework",
                format=format_name,
                encoding=encoding,
                columns=",".join(columns) or None,
                skipBad="true" if skip_bad else None,
                version=version,
                source=source,
                licence=licence,
            )

    async def watched(api: Api) -> ImportView:
        watching = asyncio.create_task(_tell_progress(api))
        try:
            return await work(api)
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    _show_import(setting, with_api(setting, watched))


def _show_import(setting: Setting, done: ImportView) -> None:
    if setting.shown_as_json(done):
        return
    found = done.framework
    if done.unchanged:
        line(f"“{found.title}” is here already, as version {found.number} of {found.id}: the file is the same.")
        return
    content = f"{found.items:,} items" if found.items else "matches between other frameworks"
    line(f"Imported “{found.title}” as {found.id}, version {found.number}: {content}.", style="green")
    for fault in done.faults[:_SHOWN]:
        note(f"{fault.place}: {fault.message}")
    if found.skipped:
        note(f"{found.skipped} rows cannot be read; they were left out.")
    if done.difference is not None:
        _show_difference(done.difference)
    suggest(
        f"lernode framework search WORDS, or lernode framework tree {found.id}"
        if found.items
        else "lernode framework crosswalk CODE"
    )


@framework.command()
@common
@click.argument("name")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Also write it to a file.")
def publish(setting: Setting, name: str, output: Path | None) -> None:
    """Sign the framework NAME, in its last version, and give it to every node that asks.

    It is served as a package at the node's public address, under /frameworks/NAME. Publish again after an import. A
    framework without a licence is not published: nobody could say whether it may be given on.

    \b
    Examples:
      lernode framework publish nursing
      lernode framework publish nursing -o nursing.jsonl      to be handed over on a stick
    """

    async def work(api: Api) -> PublishedView:
        done = await api.post(f"{_of(name)}/publish", PublishedView)
        if output is not None:
            await _write_package(api, name, output)
        return done

    done = with_api(setting, work)
    if setting.shown_as_json(done):
        return
    line(f"Published “{done.title}”, version {done.number}.", style="green")
    fields((("url", done.url), ("file", None if output is None else str(output))))
    suggest(f"at another node, lernode framework take {done.url}")


@framework.command()
@common
@click.argument("place", metavar="FILE|URL")
@click.option("--publisher", metavar="DID", help="Who has to have signed it.")
@click.option("--name", help="Its short name here; else as its publisher calls it.")
def take(setting: Setting, place: str, publisher: str | None, name: str | None) -> None:
    """Take a framework that another node has signed: from its public address, or from a file.

    The signature, the digest and the size are checked. It has to be signed by the DID that --publisher names, by the
    did:web of the server that it is fetched from, or by somebody whom you trust (lernode trust add).

    \b
    Examples:
      lernode framework take https://state.example/frameworks/nursing
      lernode framework take nursing.jsonl --publisher did:web:state.example
    """
    is_url = place.startswith(("https://", "http://"))
    if not is_url and not Path(place).is_file():
        raise BadInput("cli.input", f"There is no file {place}.", "Check the path.")

    async def work(api: Api) -> ImportView:
        with ExitStack() as stack:
            content = None if is_url else stack.enter_context(_as_file(Path(place), stack).open("rb"))
            return await api.upload(
                f"{_PATH}/take", ImportView, content, url=place if is_url else None, publisher=publisher, name=name
            )

    _show_import(setting, with_api(setting, work))


@framework.command("list")
@common
def list_them(setting: Setting) -> None:
    """Show the frameworks, each in its latest version.

    \b
    Example:
      lernode framework list --json
    """
    _list(setting)


@framework.command()
@common
@click.argument("name")
def show(setting: Setting, name: str) -> None:
    """Show where the framework NAME is from, and its versions.

    \b
    Example:
      lernode framework show onet
    """
    found = with_api(setting, lambda api: api.get(_of(name), FrameworkDetail))
    if setting.shown_as_json(found):
        return
    latest = found.latest
    line(latest.title, bold=True)
    fields(
        (
            ("version", latest.version or None),
            ("source", latest.source or None),
            ("licence", latest.licence or None),
            ("format", latest.format),
            ("digest", latest.digest),
            ("signed by", latest.signed_by),
        )
    )
    rows = ((str(v.number), v.version, f"{v.items:,}", str(v.skipped), when(v.imported)) for v in found.versions)
    table(("number", "version", "items", "left out", "imported"), rows)


@framework.command()
@common
@click.argument("words", nargs=-1, required=True)
@click.option("--in", "name", metavar="NAME", help="Only in this framework.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
def search(setting: Setting, words: tuple[str, ...], name: str | None, limit: int) -> None:
    """Find skills and occupations by WORDS, or the beginnings of words, in their names; or by code.

    \b
    Examples:
      lernode framework search crit think
      lernode framework search 51-4121 --in onet
    """
    query = " ".join(words)
    found = with_api(
        setting, lambda api: api.get("/admin/skills", Page[SkillItemView], q=query, framework=name, limit=limit)
    )
    if setting.shown_as_json(found):
        return
    if found.items:
        _show_items(found.items, with_framework=True)
        suggest("lernode framework skill CODE")
    else:
        line("No skill fits. Fewer words, or their beginnings only, find more.")


@framework.command()
@common
@click.argument("code")
@click.option("--in", "name", metavar="NAME", help="The framework, where several have the code.")
def skill(setting: Setting, code: str, name: str | None) -> None:
    """Show the skill or occupation of that CODE or URL, its other names, and what it is related to.

    \b
    Example:
      lernode framework skill 51-4121.00
    """
    _show_skill(setting, code, name, only_matches=False)


@framework.command()
@common
@click.argument("code")
@click.option("--in", "name", metavar="NAME", help="The framework, where several have the code.")
def crosswalk(setting: Setting, code: str, name: str | None) -> None:
    """Show what the skill of that CODE or URL is matched with in other frameworks, in either direction.

    Matches come with frameworks (SKOS exactMatch and its kin, CASE associations, CTDL-ASN alignments), or from a CSV
    with the columns source, target and type, imported like a framework.

    \b
    Examples:
      lernode framework import ours-to-esco.csv
      lernode framework crosswalk WELD-1
    """
    _show_skill(setting, code, name, only_matches=True)


@framework.command()
@common
@click.argument("name")
@click.argument("code", required=False)
@click.option("--number", type=int, help="The version; else the last.")
def tree(setting: Setting, name: str, code: str | None, number: int | None) -> None:
    """Show the items at the top of the framework NAME, or those under the one of that CODE or URL.

    \b
    Examples:
      lernode framework tree nursing
      lernode framework tree nursing N.3
    """
    found = with_api(setting, lambda api: api.get(f"{_of(name)}/tree", Page[SkillItemView], at=code, number=number))
    if setting.shown_as_json(found):
        return
    if found.items:
        _show_items(found.items, with_framework=False)
    else:
        line("Nothing stands under it.")


@framework.command()
@common
@click.argument("name")
@click.option("--old", type=int, help="The number of the earlier version.")
@click.option("--new", type=int, help="The number of the later version; else the last.")
def diff(setting: Setting, name: str, old: int | None, new: int | None) -> None:
    """Show what was added, removed, changed and moved between two versions of the framework NAME.

    \b
    Example:
      lernode framework diff nursing --old 1 --new 3
    """
    found = with_api(setting, lambda api: api.get(f"{_of(name)}/diff", DifferenceView, old=old, new=new))
    if not setting.shown_as_json(found):
        _show_difference(found)


@framework.command()
@common
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(setting: Setting, name: str, yes: bool) -> None:
    """Forget the framework NAME with all its versions; records keep the URLs of their skills.

    \b
    Example:
      lernode framework remove nursing
    """
    if not yes:
        click.confirm(f"Forget {clean(name)} with all its versions?", abort=True, err=True)
    gone = with_api(setting, lambda api: api.delete(_of(name), FrameworkView))
    if not setting.shown_as_json(gone):
        line(f"“{gone.title}” is forgotten.")


def _list(setting: Setting) -> None:
    found = with_api(setting, lambda api: api.get(_PATH, Page[FrameworkView]))
    if setting.shown_as_json(found):
        return
    if found.items:
        rows = ((v.id, v.title, str(v.number), v.version, f"{v.items:,}", when(v.imported)) for v in found.items)
        table(("name", "title", "number", "version", "items", "imported"), rows)
    else:
        line("No framework was imported yet; a few entries of O*NET are always there.")
        suggest("lernode framework import FILE")


def _show_skill(setting: Setting, code: str, name: str | None, *, only_matches: bool) -> None:
    found = with_api(setting, lambda api: api.get("/admin/skills/one", SkillDetail, code=code, framework=name))
    related = [each for each in found.relations if not only_matches or each.kind not in _NO_MATCH]
    if setting.shown_as_json(msgspec.structs.replace(found, relations=related)):
        return
    item = found.item
    line(item.name, bold=True)
    fields(
        (
            ("code", item.code),
            ("url", item.url),
            ("kind", item.kind or None),
            ("framework", f"{item.framework_title} ({item.framework}, version {item.number})"),
            ("about", item.description or None),
            ("also", ", ".join(label.text for label in found.labels[:_SHOWN]) or None),
        )
    )
    if related:
        rows = (
            (
                each.kind if each.outgoing else f"← {each.kind}",
                each.other_name or each.other,
                "" if each.importance is None else f"{each.importance:.2f}",
                "" if each.level is None else f"{each.level:.2f}",
            )
            for each in related
        )
        table(("relation", "item", "importance", "level"), rows)
    elif only_matches:
        line("It is matched with nothing.")


def _show_items(items: Sequence[SkillItemView], *, with_framework: bool) -> None:
    if with_framework:
        table(("code", "name", "kind", "framework"), ((i.code or i.key, i.name, i.kind, i.framework) for i in items))
    else:
        table(("code", "name", "kind"), ((i.code or i.key, i.name, i.kind) for i in items))


def _show_difference(found: DifferenceView) -> None:
    line("Since the version before: " + ", ".join(f"{count:,} {name}" for name, count in found.counts.items()) + ".")
    for sign, changes in (("+", found.added), ("-", found.removed), ("~", found.changed), (">", found.moved)):
        for change in changes[:_SHOWN]:
            line(f"  {sign} {change.code or change.key}: {_told(sign, change)}")


def _told(sign: str, change: ChangeView) -> str:
    if sign == ">":
        return f"from under {change.old_parent or 'the top'} to {change.new_parent or 'the top'}"
    if sign == "~" and change.old_name != change.new_name:
        return f"“{change.old_name}” is now “{change.new_name}”"
    return change.new_name or change.old_name or ""


def _of(name: str) -> str:
    return f"{_PATH}/{segment(name)}"


async def _write_package(api: Api, name: str, output: Path) -> None:
    """The package, piece by piece."""
    items = relations = -1
    with output.open("wb") as file:
        while True:
            piece = await api.get(f"{_of(name)}/package", PackageView, items=items, relations=relations)
            if file.tell() == 0:
                file.write(piece.manifest.encode() + b"\n")
            file.write(piece.lines.encode())
            if not piece.more:
                return
            items, relations = piece.items, piece.relations


def _as_file(place: Path, stack: ExitStack) -> Path:
    """The file, or the files of a folder as an archive."""
    if place.is_file():
        return place
    if not place.is_dir():
        raise BadInput("cli.input", f"There is no file or folder {place}.", "Check the path.")
    archive = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lernode-")), "framework.zip")
    with zipfile.ZipFile(archive, "w", compresslevel=1) as packed:
        for file in sorted(place.iterdir()):
            if file.is_file() and not file.name.startswith("."):
                packed.write(file, file.name)
    return archive


async def _tell_progress(api: Api) -> None:
    """How many items are imported by now; on a terminal on one line, elsewhere a line now and then."""
    told = 0
    try:
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            drafts = (await api.get(_PATH, Page[FrameworkView], importing="true")).items
            count = drafts[0].items if drafts else 0
            if is_terminal():
                click.echo(f"\rImporting … {count:,} items", nl=False, err=True)
            elif count - told >= 10_000:
                told = count
                note(f"Importing … {count:,} items")
    finally:
        if is_terminal():
            click.echo("\r\033[K", nl=False, err=True)
