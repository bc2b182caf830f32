"""``lernode desk``: lists of learners: looked through, approved, issued or offered by mail, reported on."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import fields, line, note, short, table, when
from node.cli.progress import counted
from node.cli.write import check_new, make_folder, write_record
from node.http import desk_schemas as d
from node.http.documents import document_bytes
from node.http.schemas import IssuedDetail, Page
from node.records.csv_input import Column
from node.records.csv_text import Record, decode, read_records, write_records
from protocols import strict_json
from protocols.errors import BadInput

__all__ = ["desk"]

_ORDERS, _MAPPINGS, _CHECK = "/admin/desk/orders", "/admin/desk/mappings", "/admin/desk/check"
_SHOWN = 200
T = TypeVar("T")
_DAY = click.DateTime(["%Y-%m-%d"])
_REPORT = ("line", "state", "name", "email", "did", "record", "credential", "issuedAt", "code", "message")
_FILE = click.Path(path_type=Path, exists=True)
_OPTIONS = (
    click.option("--mapping", metavar="NAME", help="Read the columns as a mapping says that was saved."),
    click.option("--map", "columns", multiple=True, metavar="FIELD=COLUMN", help="name, email, did, date or result."),
    click.option("--date-format", metavar="FORMAT", default="", help="How dates are written, e.g. %d.%m.%Y."),
    click.option("--encoding", help="Where it is not UTF-8 or UTF-16, e.g. windows-1252."),
    click.option("--class", "class_id", metavar="ID", help="Of a OneRoster package: the students of this class."),
    click.option("--line-item", metavar="ID", help="Of a OneRoster package: those with a result in this line item."),
    click.option("--mail", "by_mail", is_flag=True, help="Invite each learner by mail to take the record."),
    click.option("--valid-from", type=_DAY, metavar="YYYY-MM-DD", help="When it was earned, where a row has no date."),
    click.option("--valid-until", type=_DAY, metavar="YYYY-MM-DD", help="When it ends."),
)


def _reading(command: Any) -> Any:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group(short_help="Issue to lists of learners: check, approve, issue or invite by mail, report.",
             invoke_without_command=True)  # fmt: skip
@common
@click.pass_context
def desk(ctx: click.Context, setting: Setting) -> None:
    """Issue to lists of learners from a student system: CSV, JSON Lines, or a OneRoster 1.2 package.

    \b
    Examples:
      lernode desk check weld-101 class.csv            every problem, by its line; nothing is kept
      lernode desk add weld-101 class.csv --mail       keep the list; a second person approves it if configured
      lernode desk                                     the lists, and what they wait for
      lernode desk approve 3f2a
      lernode desk run 3f2a                            issue it; after an interruption it goes on
      lernode desk report 3f2a --out report.csv        who got what, what waits, what failed and why

    docs/issuing.md has more. Next: lernode desk check ACHIEVEMENT FILE
    """
    if ctx.invoked_subcommand is None:
        _list(setting)


@desk.command("list")
@common
def list_them(setting: Setting) -> None:
    """Show the lists, the newest first.

    \b
    Example:
      lernode desk list --json
    """
    _list(setting)


@desk.command()
@common
@click.argument("achievement")
@click.argument("file", type=_FILE)
@_reading
@click.option("--save-mapping", metavar="NAME", help="Save how the columns are read, for the next time.")
def check(setting: Setting, achievement: str, file: Path, save_mapping: str | None, **how: Any) -> None:
    """Look through FILE without issuing: every problem by its line, and how the first rows are understood.

    Where the columns' names say nothing, and this is a terminal, you are asked which is which.

    \b
    Examples:
      lernode desk check weld-101 class.csv
      lernode desk check weld-101 export.csv --map name=Vorname+Nachname --map email=Mail --save-mapping sis
      lernode desk check weld-101 oneroster.zip --line-item final-exam
    """

    async def work(api: Api) -> d.CheckedView:
        return await _send(api, _CHECK, d.CheckedView, achievement, file, how, save_mapping)

    found = with_api(setting, work)
    if not setting.shown_as_json(found):
        _show_check(found)
    if found.problems:
        raise click.exceptions.Exit(1)


@desk.command()
@common
@click.argument("achievement")
@click.argument("file", type=_FILE)
@_reading
@click.option("--save-mapping", metavar="NAME", help="Save how the columns are read, for the next time.")
@click.option("--skip-bad", is_flag=True, help="Leave out rows that are wrong; the report names them.")
def add(setting: Setting, achievement: str, file: Path, save_mapping: str | None, skip_bad: bool, **how: Any) -> None:
    """Keep the learners of FILE as a list. Nothing is kept while rows are wrong, unless with --skip-bad.

    \b
    Examples:
      lernode desk add weld-101 class.csv
      lernode desk add weld-101 export.csv --mapping sis --mail --skip-bad

    Next: lernode desk run ORDER, after somebody else has approved it where issuer.second_person is set
    """

    async def work(api: Api) -> d.OrderDetail:
        return await _send(api, _ORDERS, d.OrderDetail, achievement, file, how, save_mapping, skip_bad=skip_bad)

    _show_order(setting, with_api(setting, work))


@desk.command()
@common
@click.argument("order")
def show(setting: Setting, order: str) -> None:
    """Show a list, and how many of its rows are done.

    \b
    Example:
      lernode desk show 3f2a
    """
    _show_order(setting, with_api(setting, lambda api: api.get(_of(order), d.OrderDetail)))


@desk.command()
@common
@click.argument("order")
@click.option("--reason", help="A note for the list.")
def approve(setting: Setting, order: str, reason: str | None) -> None:
    """Approve a list that somebody else has brought.

    You are known by your bearer token at the admin API, or here as this machine's user.

    \b
    Example:
      lernode desk approve 3f2a
    """
    body = d.Decision(reason=reason)
    _show_order(setting, with_api(setting, lambda api: api.post(f"{_of(order)}/approve", d.OrderDetail, body)))


@desk.command()
@common
@click.argument("order")
@click.option("--reason", help="Why.")
def decline(setting: Setting, order: str, reason: str | None) -> None:
    """Decline a list; nothing of it is issued.

    \b
    Example:
      lernode desk decline 3f2a --reason "the grades are of last year"
    """
    body = d.Decision(reason=reason)
    _show_order(setting, with_api(setting, lambda api: api.post(f"{_of(order)}/decline", d.OrderDetail, body)))


@desk.command()
@common
@click.argument("order")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the signed files.")
def run(setting: Setting, order: str, out: Path | None) -> None:
    """Issue a list, or invite its learners by mail. Interrupted, the same command goes on; nobody gets two.

    \b
    Examples:
      lernode desk run 3f2a
      lernode desk run 3f2a --out records/
    """
    if out is not None:
        make_folder(out)
    found = with_api(setting, lambda api: _run(api, order, out))
    _show_order(setting, found)
    if found.rows.get("failed"):
        raise click.exceptions.Exit(1)


@desk.command()
@common
@click.argument("order")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a new .csv or .json file.")
def report(setting: Setting, order: str, out: Path | None) -> None:
    """Say who got what, what waits, what failed and why; as a table, or as CSV or JSON in a file.

    Cells of the CSV that a spreadsheet would take for a formula begin with an apostrophe.

    \b
    Examples:
      lernode desk report 3f2a
      lernode desk report 3f2a --out report.csv
    """
    if out is not None:
        if out.suffix.lower() not in (".csv", ".json"):
            raise BadInput("cli.report", "A report is written as .csv or .json.", "Choose another file name.")
        check_new(out)

    async def work(api: Api) -> list[d.RowView]:
        return [row async for row in _rows(api, order)]

    found = with_api(setting, work)
    if out is not None:
        write_record(out, _as_csv(found) if out.suffix.lower() == ".csv" else msgspec.json.encode(found))
        line(f"{len(found):,} rows are written to {out}.", style="green")
    elif not setting.shown_as_json(found):
        cells = ((str(row.line), row.state, row.name, row.email or row.did, row.message) for row in found)
        table(("LINE", "STATE", "NAME", "WHO", "WHY"), cells)


@desk.command()
@common
@click.argument("order")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(setting: Setting, order: str, yes: bool) -> None:
    """Forget a list with all that it says of learners; issued records stay, and so do invitations that were sent.

    \b
    Example:
      lernode desk remove 3f2a --yes
    """
    if not yes:
        click.confirm("Forget the list and its report?", abort=True)
    done = with_api(setting, lambda api: api.delete(_of(order), d.OrderView))
    if setting.shown_as_json(done):
        return
    line("The list is forgotten.", style="green")


@desk.command()
@common
@click.option("--remove", "removed", metavar="NAME", help="Forget one.")
def mappings(setting: Setting, removed: str | None) -> None:
    """Show the mappings that were saved with --save-mapping, or forget one.

    \b
    Examples:
      lernode desk mappings
      lernode desk mappings --remove sis
    """
    if removed is not None:
        with_api(setting, lambda api: api.delete(f"{_MAPPINGS}/{segment(removed)}", d.MappingView))
    found = with_api(setting, lambda api: api.get(_MAPPINGS, Page[d.MappingView]))
    if setting.shown_as_json(found):
        return
    rows = (
        (each.name, ", ".join(f"{field}={name}" for field, name in each.names.items()), each.date_format, each.encoding)
        for each in found.items
    )
    table(("MAPPING", "COLUMNS", "DATES", "ENCODING"), rows)


async def _send(
    api: Api,
    path: str,
    kind: type[T],
    achievement: str,
    file: Path,
    how: dict[str, Any],
    save_mapping: str | None,
    *,
    skip_bad: bool = False,
) -> T:
    content = _content(file)
    names = _pairs(how["columns"])
    if not names and how["mapping"] is None and sys.stdin.isatty() and sys.stderr.isatty():
        names = _asked(content, how["encoding"])
    if save_mapping is not None:
        kept = d.MappingToKeep(name=save_mapping, names=names, date_format=how["date_format"], encoding=how["encoding"])
        await api.post(_MAPPINGS, d.MappingView, kept)
    return await api.upload(
        path,
        kind,
        io.BytesIO(content),
        achievement=achievement,
        title=file.name,
        mapping=how["mapping"],
        columns=strict_json.dumps(names).decode() if names else None,
        dateFormat=how["date_format"] or None,
        encoding=how["encoding"],
        classId=how["class_id"],
        lineItem=how["line_item"],
        byMail="true" if how["by_mail"] else None,
        skipBad="true" if skip_bad else None,
        validFrom=_utc(how["valid_from"]),
        validUntil=_utc(how["valid_until"]),
    )


def _content(file: Path) -> bytes:
    """The file; a folder with the files of a OneRoster package as the archive that it is else."""
    try:
        if not file.is_dir():
            return file.read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in sorted(file.glob("*.csv")):
                archive.write(each, each.name)
        return packed.getvalue()
    except OSError:
        raise BadInput("cli.file", "The file cannot be read.", "Name another file.") from None


def _pairs(columns: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in columns]
    if not all(sign and name.strip() for _field, sign, name in pairs):
        raise BadInput("cli.usage", "A mapping is FIELD=COLUMN.", "--map name=Student --map email=Mail")
    return {field.strip(): name.strip() for field, _sign, name in pairs}


def _asked(content: bytes, encoding: str | None) -> dict[str, str]:
    """Which column is what, where the first line of a CSV does not say so itself; asked of the person there."""
    if content.startswith((b"PK", b"{")):
        return {}
    text = decode(content, encoding=encoding)
    header = max((next(read_records(text, each), Record(1, ())).cells for each in ",;\t"), key=len)
    known = {cell.strip().casefold() for cell in header}
    if Column.NAME in known and known & {Column.EMAIL, Column.DID, Column.CONTACT}:
        return {}
    note("The columns of the file are:")
    for number, cell in enumerate(header, 1):
        note(f"  {number}  {cell}")
    names: dict[str, str] = {}
    for field in (Column.NAME, Column.EMAIL, Column.DID, Column.DATE, Column.RESULT):
        text = click.prompt(f"Which is the {field}? Numbers joined by +, or nothing", default="", err=True)
        numbers = [int(each) for each in text.split("+") if each.strip().isdigit()]
        if numbers and all(0 < number <= len(header) for number in numbers):
            names[field.value] = "+".join(header[number - 1] for number in numbers)
    return names


async def _run(api: Api, order: str, out: Path | None) -> d.OrderDetail:
    before = await api.get(_of(order), d.OrderDetail)
    with counted("Issuing", before.rows.get("ready", 0)) as advance:
        while True:
            ran = await api.post(f"{_of(order)}/run", d.RanView)
            advance(len(ran.done))
            if not ran.left:
                break
    if out is not None:
        async for row in _rows(api, order):
            if row.record is not None:
                made = await api.get(f"/admin/issued/{segment(row.record)}", IssuedDetail)
                _keep(out / f"{before.id[:8]}-{row.line:05d}.json", document_bytes(made.document))
    return await api.get(_of(order), d.OrderDetail)


def _keep(file: Path, document: bytes) -> None:
    """Write a record, unless it is there from the time before."""
    try:
        write_record(file, document)
    except BadInput:
        if file.read_bytes() != document:
            raise


async def _rows(api: Api, order: str) -> AsyncIterator[d.RowView]:
    after: str | None = None
    while True:
        page = await api.get(f"{_of(order)}/rows", Page[d.RowView], after=after)
        for row in page.items:
            yield row
        after = page.next
        if after is None:
            return


def _as_csv(found: list[d.RowView]) -> bytes:
    built = [msgspec.to_builtins(row) for row in found]
    cells = ([None if row[name] is None else str(row[name]) for name in _REPORT] for row in built)
    return write_records([_REPORT, *cells])


def _list(setting: Setting) -> None:
    found = with_api(setting, lambda api: api.get(_ORDERS, Page[d.OrderView]))
    if setting.shown_as_json(found):
        return
    rows = (
        (short(each.id), each.state, each.title, "by mail" if each.by_mail else "signed", each.brought_by,
         each.decided_by, when(each.created))
        for each in found.items
    )  # fmt: skip
    table(("ORDER", "STATE", "LIST", "HOW", "BROUGHT BY", "DECIDED BY", "WHEN"), rows)


def _show_check(found: d.CheckedView) -> None:
    for problem in found.problems[:_SHOWN]:
        column = f", {problem.column}" if problem.column else ""
        note(f"line {problem.line}{column}: {problem.message}")
    if len(found.problems) > _SHOWN:
        note(f"and {len(found.problems) - _SHOWN:,} more; --json has them all.")
    rows = (
        (str(row.line), row.name, row.email, row.did, row.date.date().isoformat() if row.date else None, row.result)
        for row in found.preview
    )
    table(("LINE", "NAME", "EMAIL", "DID", "DATE", "RESULT"), rows)
    bad = len({problem.line for problem in found.problems})
    line(f"{found.good:,} rows are right, {bad:,} are wrong; {found.ignored_columns} columns are not read.")
    suggest("lernode desk add, with the same arguments, keeps the list.")


def _show_order(setting: Setting, order: d.OrderDetail) -> None:
    if setting.shown_as_json(order):
        return
    counted_rows = ", ".join(f"{count:,} {state}" for state, count in sorted(order.rows.items()))
    fields(
        [
            ("order", short(order.id)),
            ("list", order.title),
            ("state", order.state),
            ("brought by", order.brought_by),
            ("decided by", order.decided_by),
            ("reason", order.reason),
            ("rows", counted_rows),
        ]
    )
    if order.state == "waiting":
        suggest(f"somebody else: lernode desk approve {short(order.id)}")
    elif order.state == "approved" and order.rows.get("ready"):
        suggest(f"lernode desk run {short(order.id)}")
    elif order.state == "approved":
        suggest(f"lernode desk report {short(order.id)} --out report.csv")


def _of(order: str) -> str:
    return f"{_ORDERS}/{segment(order)}"


def _utc(day: datetime | None) -> str | None:
    return None if day is None else day.replace(tzinfo=UTC).isoformat()
