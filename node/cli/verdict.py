"""Shows what a verification found: every check, with its mark and reason."""

from __future__ import annotations

import json

from node.cli.attached import attached_fields
from node.cli.output import check_name, line, mark
from node.cli.why import show_why
from node.http.schemas import CheckView, ResultView

__all__ = ["reason_check", "show_documents", "show_result"]


def show_result(result: ResultView, *, indent: str = "") -> None:
    """Every check of a document and of those in it, then the verdict."""
    who = f" of {result.holder}" if result.holder else f" by {result.issuer}" if result.issuer else ""
    how = f", secured by {result.securing}" if result.securing else ""
    line(f"{indent}{result.kind}{who}{how}", bold=True)
    for name in result.endorses:
        line(f"{indent}  endorses {name}")
    for check in result.checks:
        _show_check(check, indent)
    for name, value in attached_fields(result.attached):
        line(f"{indent}  {name}: {value}")
    for inner in result.credentials:
        line()
        show_result(inner, indent=f"{indent}  ")
    if indent:
        return
    line()
    if result.verified:
        line("VERIFIED", style="green", bold=True)
        doubtful = _doubtful(result)
        if doubtful:
            line(f"Endorsements that are not verified, and count for nothing: {doubtful}", style="yellow")
    else:
        line("NOT VERIFIED", style="red", bold=True)
        worst = reason_check(result)
        line(f"Because: {worst.reason if worst else 'a check that is required is missing.'}")


def _doubtful(result: ResultView) -> int:
    return sum((bool(each.endorses) and not each.verified) + _doubtful(each) for each in result.credentials)


def show_documents(result: ResultView) -> None:
    """What the signatures cover, of the document and of those in it, where the result has it."""
    if result.document is not None:
        line()
        line(
            f"What the {result.kind} says:" if result.verified else f"What the {result.kind} says, unproved:", bold=True
        )
        for text in json.dumps(result.document, indent=2, ensure_ascii=False).splitlines():
            line(f"  {text}")
    for inner in result.credentials:
        show_documents(inner)


def _show_check(check: CheckView, indent: str) -> None:
    sign, colour = mark(check.outcome)
    code = "" if check.code == "ok" else f" [{check.code}]"
    optional = "" if check.required else " (not required)"
    line(f"{indent}  {sign} {check_name(check.check)} {check.reason}{code}{optional}", style=colour)
    if check.check == "issuer-trusted":
        show_why(check.details, f"{indent}      ")
        return
    several = check.details.get("statuses", [])
    for details in several if len(several) > 1 else [check.details]:
        for name, value in details.items():
            if name != "statuses":
                line(f"{indent}      {name}: {value}")


def reason_check(result: ResultView) -> CheckView | None:
    """The check that stands in the way; failures come before what could not be checked."""
    found = _in_the_way(result)
    return next((check for check in found if check.outcome == "fail"), None) or next(iter(found), None)


def _in_the_way(result: ResultView) -> list[CheckView]:
    own = [c for c in result.checks if c.outcome == "fail" or (c.required and c.outcome != "pass")]
    return own + [check for inner in result.credentials if not inner.endorses for check in _in_the_way(inner)]
