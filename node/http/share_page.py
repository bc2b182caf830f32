"""The page behind a link of a learner: what is shown, and how each check of it ended just now, in plain words.

It loads nothing and runs nothing. Names and texts are shown as records have them, each with its own direction.
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

from node.records.own_statement import OWN_STATEMENT
from node.records.shown import shown, shown_text
from node.records.summary import RecordSummary, summary
from node.skills.page import PAGE_STYLE
from protocols.credentials import model
from protocols.credentials.verification import Check, CheckResult, Outcome, VerificationResult
from storage.shares import Content, Share, ShownEntry

__all__ = ["over_page", "share_page"]

_STYLE = (
    PAGE_STYLE
    + """
article{border:1px solid #c3c8cf;border-radius:.25rem;padding:0 1rem 1rem;margin:1rem 0}
h1,h2,h3{line-height:1.25}.own{border-inline-start:.5rem solid #0b5394}.mark{font-weight:600}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}
dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}
.good{color:#0a5c2b}.bad{color:#a61b1b}p,blockquote{white-space:pre-line;overflow-wrap:anywhere}
@media(max-width:40rem){dl{grid-template-columns:1fr}}
"""
)
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow"><meta name="referrer" content="no-referrer">
<title>{title}</title><style>{style}</style></head><body><main>
"""
_END = "</main></body></html>\n"
_WORDS = {
    Check.STRUCTURE: "Well formed",
    Check.CONTEXT: "Its terms are known",
    Check.PROOF: "Signature",
    Check.PROOF_PURPOSE: "Signed for this purpose",
    Check.CONTROLLER: "Signed by its issuer",
    Check.ISSUER_TRUSTED: "Issuer",
    Check.VALID_TIME: "Valid now",
    Check.STATUS: "Not taken back",
    Check.HOLDER_BINDING: "Shown by its owner",
    Check.SCHEMA: "As its schema asks",
    Check.RELATED_RESOURCES: "What belongs to it",
    Check.SKILLS: "Skills",
}
_SIGNS = {Outcome.PASS: ("✓", "good", "yes"), Outcome.FAIL: ("✗", "bad", "no")}
_YOURS = "Whether to believe this issuer is for you to decide: this page does not say."
_MAX_ABOUT = 2000


def share_page(share: Share, result: VerificationResult, at: datetime) -> str:
    """The page of what is shown.

    Args:
        result: how its checks ended, ``at`` that time.
    """
    content = share.content
    assert content is not None
    inner = result.credentials
    records = "".join(
        _record(number, entry, inner[number - 1] if number <= len(inner) else None)
        for number, entry in enumerate(content.entries, start=1)
    )
    good = sum(each.verified for each in inner)
    verdict = f"{good} of {len(content.entries)} records hold"
    return (
        _HEAD.format(title=_text(content.title), style=_STYLE)
        + f'<h1 dir="auto">{_text(content.title)}</h1>{_prose(content.text)}'
        + f'<p class="mark {"good" if result.verified else "bad"}" role="status">{verdict}: checked '
        f"{at:%Y-%m-%d %H:%M:%S} UTC by the node that shows this page.</p>{records}{_how(content, share, result)}{_END}"
    )


def over_page(message: str, hint: str) -> str:
    """The page of a link that leads nowhere."""
    return _HEAD.format(title="Nothing is here", style=_STYLE) + f"<h1>{_text(message)}</h1><p>{_text(hint)}</p>{_END}"


def _record(number: int, entry: ShownEntry, result: VerificationResult | None) -> str:
    document: dict[str, Any] = (result.document if result else None) or {}
    about = summary(document)
    own = '<p class="mark">' + escape(OWN_STATEMENT) + "</p>" if entry.own else ""
    checks = _checks(result, own=entry.own) if result else "<p>It cannot be read.</p>"
    return (
        f'<article class="{"own" if entry.own else "record"}" aria-labelledby="record-{number}">'
        f'<h2 id="record-{number}" dir="auto">{_text(about.name)}</h2>{own}{_prose(entry.text, "blockquote")}'
        f"{_facts(document, about)}<h3>Checked now</h3>{checks}</article>"
    )


def _facts(document: dict[str, Any], about: RecordSummary) -> str:
    achievements = [
        each
        for subject in model.subjects(document)
        for each in model.as_list(subject.get("achievement"))
        if isinstance(each, dict)
    ]
    names = {name for subject in model.subjects(document) if (name := shown_text(subject.get("name")))}
    facts = [
        ("Of", ", ".join(sorted(names))),
        ("Issued by", f"{about.issuer_name or ''} {about.issuer or ''}".strip()),
        ("About", "; ".join(text for each in achievements if (text := shown_text(each.get("description"))))),
        ("Results", "; ".join(f"{name}: {value}" for name, value in about.results)),
        ("Skills", "; ".join(f"{each.name}{f' ({each.code})' if each.code else ''}" for each in about.skills)),
        ("Valid from", f"{about.valid_from:%Y-%m-%d}" if about.valid_from else ""),
        ("Valid until", f"{about.valid_until:%Y-%m-%d}" if about.valid_until else ""),
    ]
    rows = "".join(f'<dt>{name}</dt><dd dir="auto">{escape(value[:_MAX_ABOUT])}</dd>' for name, value in facts if value)
    return f"<dl>{rows}</dl>"


def _checks(result: VerificationResult, *, own: bool) -> str:
    return "<ul>" + "".join(_check(each, own=own) for each in result.checks) + "</ul>"


def _check(check: CheckResult, *, own: bool) -> str:
    sign, kind, word = _SIGNS.get(check.outcome, ("–", "open", "not known"))
    reason = _YOURS if check.check is Check.ISSUER_TRUSTED and not own else check.reason
    return (
        f'<li><span class="{kind}" aria-hidden="true">{sign}</span> {_WORDS.get(check.check, check.check.value)} '
        f"({word}): {_text(reason)}</li>"
    )


def _how(content: Content, share: Share, result: VerificationResult) -> str:
    return (
        "<h2>The whole</h2>" + _checks(result, own=False) + "<h2>Check it yourself</h2><p>The checks above were made "
        "by the computer that shows this page, which is the one of whom it is about. To make them yourself, give the "
        "address of this page to <code>lernode verify</code>, or take "
        '<a href="?format=vp" download="presentation.json" rel="nofollow">the signed presentation</a> '
        "to any verifier of W3C Verifiable Credentials.</p>"
        f"<p>This page is shown until {share.expires:%Y-%m-%d %H:%M} UTC, or until its owner takes it back.</p>"
    )


def _prose(text: str, tag: str = "p") -> str:
    lines = "\n".join(shown(line) for line in text.split("\n"))
    return f'<{tag} dir="auto">{escape(lines)}</{tag}>' if lines.strip() else ""


def _text(text: str) -> str:
    return escape(shown(text))
