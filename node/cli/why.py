"""Shows why an issuer is believed, or is not: one line for each word that it hangs on, and for each that did not do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from node.cli.output import line

__all__ = ["because_lines", "scope_text", "show_why"]

_WORDS = {
    "once": "you named it for this once (--trust)",
    "configuration": "the configuration names it (trust.issuers)",
    "rule": "rule {id} of this node says so",
    "list": "the trust list “{name}” of {publisher} says so",
    "registry": "the registry “{name}” names it; nobody signed that, it was fetched from {url}",
    "accreditation": "{publisher} has accredited it",
}
_REFUSED = {
    "list-expired": "the list is no longer valid",
    "time-unknown": "the record does not say when it was issued",
    "before": "the record was issued before that began",
    "after": "the record was issued after that ended",
    "no-achievement": "the record has no achievement",
    "achievement-type": "the achievement is of another type",
    "achievement": "the achievement is another one",
    "framework": "the achievement is not aligned to these frameworks and no others",
    "circle": "its accreditor has accredited others in this chain already",
    "too-long": "the chain of accreditations is too long",
    "accreditor-untrusted": "the accreditor is not trusted to recognise others",
}


def show_why(details: Mapping[str, Any], indent: str = "") -> None:
    """The links of a reason, as the details of ``issuer-trusted`` have them."""
    for text in because_lines(details):
        line(f"{indent}{text}")


def because_lines(details: Mapping[str, Any]) -> list[str]:
    """The same as text."""
    links = [f"because {_link(link)}" for link in details.get("because", ())]
    return links + [
        f"not counted: {_link(link)}: {_REFUSED.get(link['refused'], link['refused'])}"
        for link in details.get("refused", ())
    ]


def scope_text(link: Mapping[str, Any]) -> str:
    """For what a grant is, in words."""
    limits = [
        f"{label} {', '.join(link[name])}"
        for name, label in (("achievementType", "type"), ("achievement", "achievement"), ("targetFramework", "in"))
        if link.get(name)
    ]
    return "; ".join(limits) or "anything"


def _link(link: Mapping[str, Any]) -> str:
    may = "may award" if link.get("may") == "issue" else "may accredit for"
    known = {
        "id": link.get("id", "")[:8],
        "name": link.get("name", ""),
        "publisher": link.get("publisher", "somebody"),
        "url": link.get("url", "somewhere"),
    }
    said = _WORDS[link["by"]].format(**known)
    facts = [f"{name} {link[name]}" for name in ("signed", "from", "until", "validUntil", "sequence") if name in link]
    if link["by"] == "rule" and link.get("name"):
        facts.insert(0, link["name"])
    return f"{link['did']} {may} {scope_text(link)}: {said}" + (f" ({', '.join(facts)})" if facts else "")
