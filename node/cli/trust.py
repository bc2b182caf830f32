"""``lernode trust``: whom this node believes, for what, and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import emit_json, fields, line, mark, short, table, when
from node.cli.why import scope_text, show_why
from node.http.schemas import CheckView, ResultView, VerificationView
from node.http.trust_schemas import ExplainTrust, NewTrustRule, TrustRulesView, TrustRuleView, WhyView

__all__ = ["trust"]

_RULES = "/admin/trust/rules"
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
    """Show whom this node believes by its own rules and by its configuration.

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
    if not what.startswith("did:"):
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
    if setting.json:
        emit_json(msgspec.json.encode(why))
    else:
        sign, colour = mark(why.outcome)
        line(f"{sign} {why.reason}", style=colour)
        show_why(why.details, "  ")
    if why.outcome != "pass":
        raise click.exceptions.Exit(1)


def _explain_exchange(setting: Setting, exchange: str) -> None:
    path = f"/admin/exchanges/{segment(exchange)}/verification"
    kept = with_api(setting, lambda api: api.get(path, VerificationView))
    if setting.json:
        emit_json(msgspec.json.encode(kept))
    else:
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
    line(f"  {sign} {check.check.ljust(15)} {check.reason}{unknown}", style=colour)


def _list(setting: Setting) -> None:
    found = with_api(setting, _all_rules)
    if setting.json:
        emit_json(msgspec.json.encode(found))
        return
    if not found.items and not found.configured:
        line("This node believes nobody yet.")
        suggest("lernode trust add DID")
        return
    rows = [(short(r.id), r.did, _may(r), scope_text(_links(r)), _period(r), r.note) for r in found.items]
    rows += [("–", did, "issue", "anything", "", "configuration: trust.issuers") for did in found.configured]
    table(("RULE", "DID", "MAY", "FOR", "ISSUED", "NOTE"), rows)


async def _all_rules(api: Api) -> TrustRulesView:
    found = await api.get(_RULES, TrustRulesView, limit=1000)
    items, after = list(found.items), found.next
    while after is not None:
        more = await api.get(_RULES, TrustRulesView, limit=1000, after=after)
        items, after = [*items, *more.items], more.next
    return TrustRulesView(items=items, configured=found.configured)


def _show(setting: Setting, rule: TrustRuleView, done: str) -> None:
    if setting.json:
        emit_json(msgspec.json.encode(rule))
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
