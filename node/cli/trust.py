"""``lernode trust``: whom this node believes, for what, and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import check_name, emit_json, fields, line, mark, short, table, when
from node.cli.why import scope_text, show_why
from node.cli.write import check_new, write_record
from node.http.schemas import CheckView, Page, ResultView, VerificationView
from node.http.trust_schemas import (
    AccreditationView,
    ExplainTrust,
    FollowList,
    GivenAccreditationView,
    KeepAccreditation,
    NewAccreditation,
    NewPublication,
    NewTrustRule,
    PublicationView,
    TrustListView,
    TrustRulesView,
    TrustRuleView,
    WhyView,
)
from protocols.errors import BadInput

__all__ = ["trust"]

_RULES = "/admin/trust/rules"
_LISTS = "/admin/trust/lists"
_ACCREDITATIONS = "/admin/trust/accreditations"
_MAX_BYTES = 1 << 20
_TO_ITS_END = timedelta(days=1, seconds=-1)
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(short_help="Say whose records you believe, and see why.", invoke_without_command=True)
@common
@click.pass_context
def trust(ctx: click.Context, setting: Setting) -> None:
    """Say whose records this node believes, for which awards, and see what a verification rests on.

    \b
    Examples:
      lernode trust add did:web:college.example --for Certificate --note "Trade school, visited 2026"
      lernode trust add did:web:quality.example --accreditor --for BachelorDegree
      lernode trust                                          whom this node believes
      lernode trust explain did:web:college.example --type Certificate
      lernode trust explain 9b1e                             why was what a peer presented believed?
      lernode trust remove 4f2a
      lernode trust follow https://consortium.example/trust/colleges
      lernode trust publish colleges --title "Colleges of the Coast Consortium"

    docs/trust.md has the whole story. Next: lernode trust add DID
    """
    if ctx.invoked_subcommand is None:
        _list(setting)


def _scope_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What is awarded: the limits of a rule."""
    for option in (
        click.option("--until", type=_DAY, metavar="DATE", help="Issued (validFrom) until the end of that day, UTC."),
        click.option("--from", "since", type=_DAY, metavar="DATE", help="Issued (validFrom) since then."),
        click.option(
            "--framework",
            "frameworks",
            multiple=True,
            help="Only what is aligned to it: its name, or better the URL that its skills begin with.",
        ),
        click.option("--achievement", "achievements", multiple=True, metavar="URL", help="Only this one; repeatable."),
        click.option("--for", "types", multiple=True, metavar="TYPE", help="Only this achievementType; repeatable."),
    ):
        command = option(command)
    return command


@trust.command()
@common
@click.argument("did")
@_scope_options
@click.option("--accreditor", is_flag=True, help="Believe whom it accredits, instead of records of its own.")
@click.option("--note", default="", help="Why; shown wherever this rule is the reason.")
def add(
    setting: Setting,
    did: str,
    types: tuple[str, ...],
    achievements: tuple[str, ...],
    frameworks: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    accreditor: bool,
    note: str,
) -> None:
    """Believe DID from now on: for all that it awards, or within the limits that are given, which all have to hold.

    A record that awards several things is believed only where every one of them is within the limits.

    \b
    Examples:
      lernode trust add did:web:college.example
      lernode trust add did:web:college.example --for Certificate --for Diploma --until 2027-08-31
      lernode trust add did:web:college.example --framework https://www.onetonline.org/
      lernode trust add did:web:quality.example --accreditor --for BachelorDegree
      lernode trust add https://badges.example/issuer    of Open Badges 2.0, which names issuers by URL
    """
    wanted = NewTrustRule(
        did=did,
        may="recognize" if accreditor else "issue",
        achievement_type=list(types),
        achievement=list(achievements),
        target_framework=list(frameworks),
        valid_from=_utc(since),
        valid_until=None if until is None else _utc(until + _TO_ITS_END),
        note=note,
    )
    added = with_api(setting, lambda api: api.post(_RULES, TrustRuleView, wanted))
    _show(setting, added, "Added.")


@trust.command("list")
@common
def list_them(setting: Setting) -> None:
    """Show whom this node believes by its own word, the lists that it follows, and those that it publishes.

    \b
    Example:
      lernode trust list --json
    """
    _list(setting)


@trust.command()
@common
@click.argument("rule")
def remove(setting: Setting, rule: str) -> None:
    """Forget RULE (its id, or the beginning of it). What was verified by it stays in the log as it was.

    \b
    Example:
      lernode trust remove 4f2a
    """
    removed = with_api(setting, lambda api: api.delete(f"{_RULES}/{segment(rule)}", TrustRuleView))
    _show(setting, removed, "Removed.")


@trust.command()
@common
@click.argument("name")
@click.option("--title", default="", help="What people call the list.")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How long it is valid.")
def publish(setting: Setting, name: str, title: str, days: int) -> None:
    """Publish this node's rules as a list that anyone can follow, mirror and check offline, signed as its issuer.

    The list is served at /trust/NAME of the node, and named in its DID document. Publish it again when the rules have
    changed: it gets a new sequence number, and followers refuse the old one from then on. When half of its time is
    over, a running node signs the same entries anew.

    \b
    Examples:
      lernode trust publish colleges --title "Colleges of the Coast Consortium"
      lernode trust publish colleges --days 90
    """
    wanted = NewPublication(name=name, title=title, days=days)
    made = with_api(setting, lambda api: api.post("/admin/trust/publications", PublicationView, wanted))
    if setting.shown_as_json(made):
        return
    line("Published.", style="green")
    fields([("at", made.url), ("sequence", made.sequence), ("valid until", when(made.valid_until))])
    line(f"Others follow it with: lernode trust follow {made.url}")


@trust.command()
@common
@click.argument("place", metavar="URL|FILE|DID")
@click.option("--publisher", metavar="DID", help="Who has to have signed it; not needed for the signer's own server.")
@click.option("--name", help="What to call it here; else as it calls itself.")
@click.option("--accreditors", is_flag=True, help="Believe also whom the list lets accredit others.")
def follow(setting: Setting, place: str, publisher: str | None, name: str | None, accreditors: bool) -> None:
    """Believe from now on whom a trust list names, for what and for how long it says so.

    URL is where it is published; FILE a copy from a mirror or a stick, which then is not asked for again; DID follows
    the lists that its DID document names. The list is verified first, and every new edition of it: an older one than
    was seen already is refused, and one whose time is over counts as nothing. A registry of known issuers of the
    Digital Credentials Consortium can be followed by its URL too; nobody signs those, and explanations say so.

    \b
    Examples:
      lernode trust follow https://consortium.example/trust/colleges
      lernode trust follow colleges.json --publisher did:web:consortium.example
      lernode trust follow did:web:consortium.example
      lernode trust follow https://digitalcredentials.github.io/dcc-registry/registry.json
    """
    wanted = _to_follow(place, publisher, name, accreditors=accreditors)
    found = with_api(setting, lambda api: api.post(_LISTS, Page[TrustListView], wanted))
    if setting.shown_as_json(found):
        return
    for each in found.items:
        line("Followed.", style="green")
        fields(
            [
                ("list", f"{short(each.id)}  {each.name}"),
                ("signed by", each.publisher or "nobody: whoever runs its server can change it"),
                ("sequence", each.sequence),
                ("valid until", when(each.valid_until)),
                ("asked for again", when(each.refresh) or "no: it came from a file"),
            ]
        )


@trust.command()
@common
@click.argument("which", metavar="LIST")
def unfollow(setting: Setting, which: str) -> None:
    """Follow LIST (its id here, or the beginning of it) no longer.

    \b
    Example:
      lernode trust unfollow 7c11
    """
    gone = with_api(setting, lambda api: api.delete(f"{_LISTS}/{segment(which)}", TrustListView))
    if not setting.shown_as_json(gone):
        line(f"{gone.name} is followed no longer.")


@trust.command()
@common
@click.argument("which", metavar="LIST")
def refresh(setting: Setting, which: str) -> None:
    """Ask for LIST again now; a running node does so by itself once a day, or sooner where it ends sooner.

    \b
    Example:
      lernode trust refresh 7c11
    """
    path = f"{_LISTS}/{segment(which)}/refresh"
    now = with_api(setting, lambda api: api.post(path, TrustListView))
    if not setting.shown_as_json(now):
        line(f"{now.name}: sequence {now.sequence or '–'}, valid until {when(now.valid_until)}")


@trust.command()
@common
@click.argument("did")
@_scope_options
@click.option("--accreditor", is_flag=True, help="Let it accredit others, instead of issuing records itself.")
@click.option("--name", default="", help="What the accredited is called.")
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the credential here.")
def accredit(
    setting: Setting,
    did: str,
    types: tuple[str, ...],
    achievements: tuple[str, ...],
    frameworks: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    accreditor: bool,
    name: str,
    out: Path | None,
) -> None:
    """Sign, as this node's issuer, that DID may award something: an accreditation, to be handed to it as a file.

    Records that DID issues within the period are believed by whoever lets this node's issuer accredit (lernode trust
    add DID --accreditor) and has the accreditation. It can be revoked like any record: lernode revoke RECORD.

    \b
    Example:
      lernode trust accredit did:web:college.example --for BachelorDegree --until 2031-12-31 -o college.json
    """
    wanted = NewAccreditation(
        did=did,
        name=name,
        may="recognize" if accreditor else "issue",
        achievement_type=list(types),
        achievement=list(achievements),
        target_framework=list(frameworks),
        valid_from=_utc(since),
        valid_until=None if until is None else _utc(until + _TO_ITS_END),
    )
    if out is not None:
        check_new(out)
    given = with_api(setting, lambda api: api.post("/admin/trust/accredit", GivenAccreditationView, wanted))
    if out is not None:
        write_record(out, bytes(given.document))
    if setting.json or out is None:
        emit_json(msgspec.json.encode(given) if setting.json else bytes(given.document))
        return
    line(f"Written to {out}. It is the record {short(given.record_id)}.", style="green")
    line(f"Hand it over; who verifies records of the accredited keeps it with: lernode trust keep {out}")


@trust.command()
@common
@click.argument("place", metavar="FILE|URL")
def keep(setting: Setting, place: str) -> None:
    """Keep an accreditation, so that records of the accredited can rest on it, also offline; whoever brought it.

    It is verified first. It counts for records issued within its period, also after that is over, and only if its
    accreditor is one whom you let accredit, or is accredited by one.

    \b
    Examples:
      lernode trust add did:web:quality.example --accreditor
      lernode trust keep college.json
    """
    if place.startswith(("https://", "http://")):
        wanted = KeepAccreditation(url=place)
    else:
        wanted = KeepAccreditation(document=read_text(Path(place)))
    kept = with_api(setting, lambda api: api.post(_ACCREDITATIONS, AccreditationView, wanted))
    if setting.shown_as_json(kept):
        return
    line("Kept.", style="green")
    fields([("accreditation", short(kept.id)), ("by", kept.accreditor), ("of", ", ".join(kept.dids))])


@trust.command()
@common
@click.argument("which", metavar="ACCREDITATION")
def forget(setting: Setting, which: str) -> None:
    """Forget an ACCREDITATION that was kept (its id, or the beginning of it).

    \b
    Example:
      lernode trust forget 51ab
    """
    gone = with_api(setting, lambda api: api.delete(f"{_ACCREDITATIONS}/{segment(which)}", AccreditationView))
    if not setting.shown_as_json(gone):
        line(f"The accreditation by {gone.accreditor} is forgotten.")


@trust.command()
@common
@click.argument("what", metavar="EXCHANGE|DID")
@click.option("--type", "achievement_type", metavar="TYPE", help="For a DID: what it would award, e.g. Certificate.")
@click.option("--achievement", metavar="URL", help="For a DID: which achievement.")
@click.option("--framework", help="For a DID: the targetFramework of the achievement.")
@click.option("--skill", metavar="URL", help="For a DID: the targetUrl of the achievement.")
@click.option("--at", type=_DAY, metavar="DATE", help="For a DID: when it was issued; now.")
def explain(
    setting: Setting,
    what: str,
    achievement_type: str | None,
    achievement: str | None,
    framework: str | None,
    skill: str | None,
    at: datetime | None,
) -> None:
    """Say why this node believes what was presented in EXCHANGE, or would believe an award of DID, or why not.

    Every word that the answer hangs on is shown, with whose it is, and what was looked at and did not count. It ends
    with 0 where it is believed, and 1 where not.

    \b
    Examples:
      lernode trust explain 9b1e
      lernode trust explain did:web:college.example --type Certificate
    """
    if not what.startswith(("did:", "https://")):
        _explain_exchange(setting, what)
        return
    asked = ExplainTrust(
        did=what,
        achievement_type=achievement_type,
        achievement=achievement,
        target_framework=framework,
        target_url=skill,
        at=_utc(at),
    )
    why = with_api(setting, lambda api: api.post("/admin/trust/explain", WhyView, asked))
    if not setting.shown_as_json(why):
        sign, colour = mark(why.outcome)
        line(f"{sign} {why.reason}", style=colour)
        show_why(why.details, "  ")
    if why.outcome != "pass":
        raise click.exceptions.Exit(1)


def _explain_exchange(setting: Setting, exchange: str) -> None:
    path = f"/admin/exchanges/{segment(exchange)}/verification"
    kept = with_api(setting, lambda api: api.get(path, VerificationView))
    if not setting.shown_as_json(kept):
        line(f"Verified on {when(kept.at)}; check it again now with: lernode verify {exchange}")
        for result in kept.result.credentials or [kept.result]:
            _explain_result(result)
    if not kept.verified:
        raise click.exceptions.Exit(1)


def _explain_result(result: ResultView) -> None:
    line()
    line(f"{result.kind} by {result.issuer}", bold=True)
    for check in result.checks:
        if check.check == "issuer-trusted":
            _explain_check(check)
            show_why(check.details, "    ")
        elif check.outcome != "pass" or check.required:
            _explain_check(check)


def _explain_check(check: CheckView) -> None:
    sign, colour = mark(check.outcome)
    unknown = " Not checked, so nothing rests on it." if check.outcome == "not-checked" and not check.required else ""
    line(f"  {sign} {check_name(check.check)} {check.reason}{unknown}", style=colour)


class _Overview(msgspec.Struct, rename="camel"):
    rules: TrustRulesView
    lists: list[TrustListView]
    accreditations: list[AccreditationView]
    publications: list[PublicationView]


def _list(setting: Setting) -> None:
    found = with_api(setting, _overview)
    if setting.shown_as_json(found):
        return
    rules = found.rules
    rows = [(short(r.id), r.did, _may(r), scope_text(_links(r)), _period(r), r.note) for r in rules.items]
    rows += [("–", did, "issue", "anything", "", "configuration: trust.issuers") for did in rules.configured]
    if not (rows or found.lists or found.accreditations or found.publications):
        line("This node believes nobody yet.")
        suggest("lernode trust add DID, or: lernode trust follow URL")
    if rows:
        table(("RULE", "DID", "MAY", "FOR", "ISSUED", "NOTE"), rows)
    if found.lists:
        line()
        followed = [
            (short(each.id), each.name, each.publisher or "nobody", str(each.sequence or ""), when(each.valid_until),
             each.error)
            for each in found.lists
        ]  # fmt: skip
        table(("FOLLOWED", "NAME", "SIGNED BY", "SEQUENCE", "VALID UNTIL", "NOT RENEWED"), followed)
    if found.accreditations:
        line()
        kept = [
            (short(each.id), ", ".join(each.dids), each.accreditor, when(each.kept)) for each in found.accreditations
        ]
        table(("ACCREDITATION", "OF", "BY", "KEPT"), kept)
    if found.publications:
        line()
        own = [(each.name, each.url, str(each.sequence), when(each.valid_until)) for each in found.publications]
        table(("PUBLISHED", "AT", "SEQUENCE", "VALID UNTIL"), own)


async def _overview(api: Api) -> _Overview:
    return _Overview(
        rules=await _all_rules(api),
        lists=(await api.get(_LISTS, Page[TrustListView])).items,
        accreditations=(await api.get(_ACCREDITATIONS, Page[AccreditationView])).items,
        publications=(await api.get("/admin/trust/publications", Page[PublicationView])).items,
    )


def _to_follow(place: str, publisher: str | None, name: str | None, *, accreditors: bool) -> FollowList:
    if place.startswith("did:"):
        if publisher not in (None, place):
            raise BadInput("cli.usage", "The DID is the publisher.", "Leave --publisher out.")
        return FollowList(publisher=place, name=name, accreditors=accreditors)
    if place.startswith(("https://", "http://")):
        return FollowList(url=place, publisher=publisher, name=name, accreditors=accreditors)
    document = read_text(Path(place))
    return FollowList(document=document, publisher=publisher, name=name, accreditors=accreditors)


def read_text(path: Path) -> str:
    """A document of a file, to be sent to the node as text."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        text = data.decode()
    except (OSError, ValueError):
        raise BadInput("cli.no_file", "The file cannot be read.", "Check its name.") from None
    if len(data) > _MAX_BYTES:
        raise BadInput("json.too_large", f"The file is larger than {_MAX_BYTES} bytes.", "Name one document.")
    return text


async def _all_rules(api: Api) -> TrustRulesView:
    found = await api.get(_RULES, TrustRulesView, limit=1000)
    items, after = list(found.items), found.next
    while after is not None:
        more = await api.get(_RULES, TrustRulesView, limit=1000, after=after)
        items, after = [*items, *more.items], more.next
    return TrustRulesView(items=items, configured=found.configured)


def _show(setting: Setting, rule: TrustRuleView, done: str) -> None:
    if setting.shown_as_json(rule):
        return
    line(done, style="green")
    fields(
        [
            ("rule", short(rule.id)),
            ("did", rule.did),
            ("may", _may(rule)),
            ("for", scope_text(_links(rule))),
            ("issued", _period(rule) or None),
            ("note", rule.note or None),
        ]
    )


def _may(rule: TrustRuleView) -> str:
    return "issue" if rule.may == "issue" else "accredit"


def _links(rule: TrustRuleView) -> dict[str, list[str]]:
    return {
        "achievementType": rule.achievement_type,
        "achievement": rule.achievement,
        "targetFramework": rule.target_framework,
    }


def _period(rule: TrustRuleView) -> str:
    parts = [("since", rule.valid_from), ("until", rule.valid_until)]
    return " ".join(f"{word} {moment:%Y-%m-%d}" for word, moment in parts if moment is not None)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
