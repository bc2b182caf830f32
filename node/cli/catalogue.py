"""``lernode catalogue``: what this node awards: looked at, added to, edited, retired."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import fields, line, table, when
from node.cli.write import write_record
from node.http import catalogue_schemas as c
from node.http.documents import document_bytes
from node.http.pathway_schemas import PublishedCatalogueView
from node.http.schemas import Page
from protocols import strict_json
from protocols.errors import BadInput

__all__ = ["catalogue"]

_PATH = "/admin/catalogue"
_MAX_BYTES = 4 << 20
_MAX_IMAGE_BYTES = 64 << 10
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_JSON_TYPES = (list, dict, int, float, bool)


@click.group(short_help="Say what you award: achievements, their versions, their skills.", invoke_without_command=True)
@common
@click.pass_context
def catalogue(ctx: click.Context, setting: Setting) -> None:
    """Say what you award: achievements (Open Badges 3.0) with their skills, criteria and image, in versions.

    \b
    Examples:
      lernode catalogue                                        what can be awarded
      lernode catalogue add --from-skill o-net:51-4121.00      one made of an item of a framework
      lernode catalogue add achievements.json                  one or several, as files say them
      lernode catalogue edit weld-101 --set criteria.narrative="Pass three tests."
      lernode catalogue retire weld-101

    A version from which a record was offered or issued never changes: edit makes a new one beside it, which is awarded
    from then on, and records keep what they say. weld-101@1 is still its first version.

    docs/issuing.md has more. Next: lernode issue ACHIEVEMENT --to WHOM
    """
    if ctx.invoked_subcommand is None:
        _list(setting, retired=False)


@catalogue.command("list")
@common
@click.option("--retired", is_flag=True, help="Those too that are awarded no more.")
def list_them(setting: Setting, retired: bool) -> None:
    """Show the achievements, each in the version that is awarded.

    \b
    Example:
      lernode catalogue list --json
    """
    _list(setting, retired=retired)


@catalogue.command()
@common
@click.argument("achievement")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the document to a file, to edit.")
def show(setting: Setting, achievement: str, out: Path | None) -> None:
    """Show an achievement and its versions.

    \b
    Examples:
      lernode catalogue show weld-101
      lernode catalogue show weld-101@1 --json
      lernode catalogue show weld-101 --out weld.json
    """
    found = with_api(setting, lambda api: api.get(_of(achievement), c.AchievementDetail))
    if out is not None:
        write_record(out, document_bytes(found.document))
    if setting.shown_as_json(found):
        return
    _show(found)
    rows = (
        (
            str(version.number),
            when(version.made),
            "retired" if version.current and found.retired else "awarded" if version.current else "",
            "yes" if version.used else "no",
            version.id,
        )
        for version in found.versions
    )
    table(("VERSION", "MADE", "", "RECORDS", "ID"), rows)


@catalogue.command()
@common
@click.argument("file", type=_FILE, required=False)
@click.option("--from-skill", metavar="FRAMEWORK:CODE", help="Make one of an item of a framework that is imported.")
@click.option("--name", help="With --from-skill: another name than the item's.")
@click.option("--description", help="With --from-skill: another description than the item's.")
@click.option("--criteria", help="With --from-skill: what is asked of a learner.")
@click.option("--type", "achievement_type", help="With --from-skill: its achievementType; Competency where not given.")
def add(
    setting: Setting,
    file: Path | None,
    from_skill: str | None,
    name: str | None,
    description: str | None,
    criteria: str | None,
    achievement_type: str | None,
) -> None:
    """Add achievements: those of FILE (JSON: an Achievement of Open Badges 3.0, or a list), all or none; or a skill's.

    \b
    Examples:
      lernode catalogue add achievements.json
      lernode catalogue add --from-skill o-net:51-4121.00
      lernode catalogue add --from-skill o-net:2.B.3.m --name "Quality control" --criteria "Inspect ten parts."

    Next: lernode issue ACHIEVEMENT --to WHOM
    """
    if (file is None) == (from_skill is None):
        raise BadInput("cli.usage", "Say what is added.", "lernode catalogue add FILE, or --from-skill FRAMEWORK:CODE")
    if from_skill is None:
        if any((name, description, criteria, achievement_type)):
            raise BadInput("cli.usage", "Words of your own go with --from-skill.", "Write them into the file.")
        assert file is not None
        wanted = c.AchievementsToAdd(documents=tuple(_documents(file)))
    else:
        framework, code = _skill(from_skill)
        wanted = c.AchievementsToAdd(
            from_skill=c.SkillToAward(
                framework=framework,
                code=code,
                name=name,
                description=description,
                criteria=criteria,
                achievement_type=achievement_type or "Competency",
            )
        )
    added = with_api(setting, lambda api: api.post(_PATH, c.CatalogueView, wanted))
    if setting.shown_as_json(added):
        return
    for item in added.items:
        line(f"{item.slug}: “{item.name}” can be awarded.", style="green")
    suggest(f"lernode catalogue show {added.items[0].slug}")


@catalogue.command()
@common
@click.argument("achievement")
@click.argument("file", type=_FILE, required=False)
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE", help="A property, also criteria.narrative; or -."
)
@click.option("--align", multiple=True, metavar="FRAMEWORK:CODE", help="Align it to this skill too.")
@click.option("--unalign", multiple=True, metavar="CODE|URL", help="Align it to this skill no more.")
@click.option("--image", type=_FILE, help="A PNG or SVG for it, which each record then has in it.")
def edit(
    setting: Setting,
    achievement: str,
    file: Path | None,
    changes: tuple[str, ...],
    align: tuple[str, ...],
    unalign: tuple[str, ...],
    image: Path | None,
) -> None:
    """Change an achievement: to what FILE says, or some of its properties; NAME=- takes one away.

    Where records were made from the current version, that stays, and a new one is awarded from now on.

    \b
    Examples:
      lernode catalogue edit weld-101 --set name="Welding I" --set criteria.narrative="Pass three tests."
      lernode catalogue edit weld-101 --set 'tag=["steel", "workshop"]'
      lernode catalogue edit weld-101 --align o-net:2.B.3.m --unalign 2.C.3.e
      lernode catalogue edit weld-101 --image weld.png
      lernode catalogue edit weld-101 weld.json
    """
    if not (file or changes or align or unalign or image):
        raise BadInput("cli.usage", "Say what is changed.", "See: lernode catalogue edit --help")
    pairs = [_skill(each) for each in align]

    async def work(api: Api) -> c.CatalogueEntry:
        found = await api.get(_of(achievement), c.AchievementDetail)
        latest = next(version.number for version in found.versions if version.current)
        document = strict_json.loads_object(bytes(found.document)) if file is None else _documents(file)[0]
        for each in changes:
            _set(document, each)
        _unalign(document, unalign)
        if image is not None:
            document["image"] = {"id": _data_url(image), "type": "Image"}
        body = c.AchievementChange(
            document=document,
            align=tuple(c.SkillOfFramework(framework=framework, code=code) for framework, code in pairs),
            based_on=latest,
        )
        return await api.post(_of(achievement), c.CatalogueEntry, body)

    changed = with_api(setting, work)
    if setting.shown_as_json(changed):
        return
    line(f"{changed.slug} is awarded in its version {changed.number} from now on.", style="green")
    suggest(f"lernode catalogue show {changed.slug}")


@catalogue.command()
@common
@click.argument("achievement")
@click.option("--undo", is_flag=True, help="Award it again.")
def retire(setting: Setting, achievement: str, undo: bool) -> None:
    """Award an achievement no more; records of it stay as they are.

    \b
    Examples:
      lernode catalogue retire weld-101
      lernode catalogue retire weld-101 --undo
    """
    body = c.Retirement(undo=undo)
    changed = with_api(setting, lambda api: api.post(f"{_of(achievement)}/retire", c.CatalogueEntry, body))
    if setting.shown_as_json(changed):
        return
    line(f"{changed.slug} is awarded {'again' if undo else 'no more'}.", style="green")


@catalogue.command()
@common
@click.option("--costs", type=_FILE, help="CSV: achievement, hours, price, currency.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it is valid.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Also write it to a file.")
def publish(setting: Setting, costs: Path | None, days: int, output: Path | None) -> None:
    """Sign what you award, with what it costs, so that learners and advisers elsewhere find paths (lernode pathways).

    It is served at the node's public address, under /catalogue. Publish again after a change. Credits are those that
    an achievement itself states (creditsAvailable).

    \b
    Example:
      lernode catalogue publish --costs costs.csv
    """

    async def work(api: Api) -> PublishedCatalogueView:
        content = None if costs is None else costs.open("rb")
        return await api.upload("/admin/catalogues/publish", PublishedCatalogueView, content, days=days)

    done = with_api(setting, work)
    if output is not None:
        output.write_text(done.document, encoding="utf-8")
    if setting.shown_as_json(done):
        return
    line(f"Published as edition {done.sequence}, valid until {when(done.valid_until)}.", style="green")
    fields((("url", done.source), ("file", None if output is None else str(output))))
    suggest(f"at another node, lernode catalogue take {done.source}")


@catalogue.command()
@common
@click.argument("place", metavar="FILE|URL")
@click.option("--publisher", metavar="DID", help="Who has to have signed it.")
def take(setting: Setting, place: str, publisher: str | None) -> None:
    """Keep the catalogue that another node has published, from its public address or a file.

    It has to be signed by the DID that --publisher names, by the did:web of the server that it comes from, or by
    somebody whom you trust (lernode trust add). Take it again for a newer edition.

    \b
    Examples:
      lernode catalogue take https://college.example/catalogue
      lernode catalogue take college.json --publisher did:web:college.example
    """
    is_url = place.startswith(("https://", "http://"))
    if not is_url and not Path(place).is_file():
        raise BadInput("cli.input", f"There is no file {place}.", "Check the path.")

    async def work(api: Api) -> PublishedCatalogueView:
        content = None if is_url else Path(place).open("rb")  # noqa: ASYNC230, SIM115 - a small file of this machine
        return await api.upload(
            "/admin/catalogues",
            PublishedCatalogueView,
            content,
            url=place if is_url else None,
            publisher=publisher,
        )

    done = with_api(setting, work)
    if setting.shown_as_json(done):
        return
    line(f"Kept the catalogue of {done.name}, edition {done.sequence}.", style="green")
    fields((("issuer", done.issuer), ("valid until", when(done.valid_until))))
    suggest("lernode pathways PROFILE")


@catalogue.command()
@common
def others(setting: Setting) -> None:
    """Show the published catalogues that you have: your own, and those that you took.

    \b
    Example:
      lernode catalogue others
    """
    found = with_api(setting, lambda api: api.get("/admin/catalogues", Page[PublishedCatalogueView]))
    if not setting.shown_as_json(found):
        rows = ((each.name, each.issuer, str(each.sequence), when(each.valid_until)) for each in found.items)
        table(("name", "issuer", "edition", "valid until"), rows)


@catalogue.command()
@common
@click.argument("issuer", metavar="DID")
def forget(setting: Setting, issuer: str) -> None:
    """Forget the catalogue that you took of an issuer.

    \b
    Example:
      lernode catalogue forget did:web:college.example
    """
    gone = with_api(setting, lambda api: api.delete(f"/admin/catalogues/{segment(issuer)}", PublishedCatalogueView))
    if not setting.shown_as_json(gone):
        line(f"The catalogue of {gone.name} is forgotten.")


def _list(setting: Setting, *, retired: bool) -> None:
    query = {"retired": "true"} if retired else {}
    found = with_api(setting, lambda api: api.get(_PATH, c.CatalogueView, **query))
    if setting.shown_as_json(found):
        return
    rows = (
        (item.slug, str(item.number), item.name, ", ".join(skill.name for skill in item.skills)) for item in found.items
    )
    table(("ACHIEVEMENT", "VERSION", "NAME", "SKILLS"), rows)
    if not found.items:
        line("The catalogue is empty. Next: lernode catalogue add FILE, or --from-skill FRAMEWORK:CODE")


def _show(found: c.AchievementDetail) -> None:
    document = strict_json.loads_object(bytes(found.document))
    line(found.name, bold=True)
    fields(
        [
            ("short name", found.slug),
            ("id", found.id),
            ("type", document.get("achievementType")),
            ("about", found.description),
            ("criteria", document["criteria"].get("narrative") or document["criteria"].get("id")),
            (
                "skills",
                ", ".join(f"{skill.name} ({skill.code})" if skill.code else skill.name for skill in found.skills),
            ),
            ("results", ", ".join(each["name"] for each in document.get("resultDescription", ()))),
            ("image", _image_of(document)),
        ]
    )


def _image_of(document: dict[str, Any]) -> str | None:
    where = document.get("image", {}).get("id")
    if where is None:
        return None
    return f"in it, {len(where) * 3 // 4:,} bytes" if where.startswith("data:") else str(where)


def _of(name: str) -> str:
    return f"{_PATH}/{segment(name)}"


def _skill(text: str) -> tuple[str, str]:
    framework, sign, code = text.partition(":")
    if not sign or not framework or not code:
        raise BadInput("cli.usage", "A skill is named FRAMEWORK:CODE.", "lernode framework search WORDS finds it.")
    return framework, code


def _documents(file: Path) -> list[dict[str, Any]]:
    read = _read(file, strict_json.loads)
    documents = read if isinstance(read, list) else [read]
    if not documents or not all(isinstance(each, dict) for each in documents):
        raise BadInput("cli.catalogue", "The file has no achievements.", "Write an Achievement, or a list of them.")
    return documents


def _read(file: Path, reader: Callable[..., Any]) -> Any:
    try:
        return reader(file.read_bytes(), max_bytes=_MAX_BYTES)
    except OSError:
        raise BadInput("cli.catalogue", "The file cannot be read.", "Name another file.") from None


def _set(document: dict[str, Any], text: str) -> None:
    path, sign, value = text.partition("=")
    *above, last = path.split(".")
    if not sign or not all((*above, last)):
        raise BadInput("cli.usage", "A change is NAME=VALUE.", '--set name="Welding I"')
    place: Any = document
    for name in above:
        place = place.setdefault(name, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise BadInput("cli.usage", "A change is within something that has no properties.", "Edit the file instead.")
    if value == "-":
        place.pop(last, None)
    else:
        place[last] = _value(value)


def _value(text: str) -> Any:
    """Lists, objects, numbers and truth values as JSON; everything else is text."""
    try:
        read = strict_json.loads(text)
    except BadInput:
        return text
    return read if isinstance(read, _JSON_TYPES) else text


def _unalign(document: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        there = document.get("alignment", [])
        kept = [each for each in there if name not in (each.get("targetCode"), each.get("targetUrl"))]
        if len(kept) == len(there):
            raise BadInput("cli.unalign", "It is not aligned to such a skill.", "lernode catalogue show ACHIEVEMENT")
        document["alignment"] = kept
        if not kept:
            del document["alignment"]


def _data_url(image: Path) -> str:
    kind = mimetypes.guess_type(image.name)[0]
    if kind not in ("image/png", "image/svg+xml"):
        raise BadInput("cli.image", "An image is a PNG or an SVG.", "Name a .png or .svg file.")
    content = image.read_bytes()
    if len(content) > _MAX_IMAGE_BYTES:
        raise BadInput(
            "cli.image",
            f"The image has more than {_MAX_IMAGE_BYTES >> 10} KiB, which each record would carry.",
            'Make it smaller, or name its address: --set \'image={"id": "https://…", "type": "Image"}\'',
        )
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
