"""A skill profile as one HTML page for everybody: the picture, and the same as a table.

One file that loads nothing and runs no script. For WCAG 2.2 AA: headings in order, a table with a caption and headers
that stays a table where it is stacked for a narrow screen, a link past the picture, visible focus, text that grows,
names with their own writing direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from node.records.shown import shown
from node.skills.held import Match, ProfiledSkill, age, told, told_results
from node.skills.picture import picture

__all__ = ["PAGE_STYLE", "skill_page"]

PAGE_STYLE = """
:root{color-scheme:light}
body{font:1rem/1.5 system-ui,sans-serif;color:#1b1b1b;background:#fff;margin:0 auto;padding:1rem;max-width:72rem}
a{color:#0b5394}a:focus-visible,[tabindex]:focus-visible{outline:3px solid #0b5394;outline-offset:2px}
.skip{position:absolute;left:-100rem}.skip:focus{position:static}
figure{margin:1rem 0;overflow-x:auto}figure svg{min-width:40rem;width:100%;height:auto}
table{border-collapse:collapse;width:100%}caption{text-align:start;font-weight:600;padding:.5rem 0}
th,td{border:1px solid #c3c8cf;padding:.5rem;text-align:start;vertical-align:top}
li{overflow-wrap:anywhere}
thead th{background:#f0f2f5}ul{margin:0;padding-inline-start:1.2rem}small{color:#444}
@media(max-width:48rem){thead{position:absolute;left:-100rem}table,caption,tbody,tr,th,td{display:block;box-sizing:border-box}
tr{margin-bottom:1rem;border:1px solid #c3c8cf}th,td{border:0;border-bottom:1px solid #e3e7ec}
td::before{content:attr(data-label);display:block;font-weight:600;font-size:.875rem}}
"""
_COLUMNS = ("Skill", "Framework", "Attested", "Results in force", "By which records", "Elsewhere called")


def skill_page(skills: Sequence[ProfiledSkill], holder: str, now: datetime) -> str:
    """The page, as text.

    Args:
        holder: whose skills these are.
    """
    title = f"Skills of {shown(holder)}"
    head = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in _COLUMNS)
    rows = "".join(_row(skill, now) for skill in skills)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="robots" content="noindex"><title>{escape(title)}</title><style>{PAGE_STYLE}</style></head>
<body><a class="skip" href="#table">Skip the picture, to the table</a>
<main><h1 dir="auto">{escape(title)}</h1>
<p>As of {now:%Y-%m-%d %H:%M} UTC: {len(skills)} skills that records attest. How strong each is, is told by its parts:
how many records, who awards them, whether this node trusts that issuer, the results, and when. There is no score.</p>
<figure tabindex="0" role="group" aria-label="Picture: skills on a time line">{picture(skills, title)}</figure>
<table id="table" role="table"><caption>The same as a table</caption>
<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{rows}</tbody></table>
</main></body></html>
"""


def _row(skill: ProfiledSkill, now: datetime) -> str:
    over = skill.count - skill.valid
    attested = f"{skill.valid} in force" + (f", {over} over or taken back" if over else "")
    code = f"<br><small>{_text(skill.code)}</small>" if skill.code else ""
    known = "" if skill.known else "<br><small>in no framework of this node</small>"
    through = f"<br><small>{_text(_told_match(skill.through))}</small>" if skill.through else ""
    cells = (
        f"{_text(skill.framework or 'not said')}{known}",
        f"{attested}; last {skill.last:%Y-%m-%d}, {age(skill.last, now)}",
        _text(told_results(skill.results)) or "none",
        _list([*(told(each) for each in skill.attestations), f"Latest: {_latest(skill)}"]),
        _list([_told_match(match) for match in skill.matches]) or "no match known",
    )
    row = f'<th scope="row" role="rowheader" dir="auto">{_text(skill.name)}{code}{through}</th>'
    labelled = zip(_COLUMNS[1:], cells, strict=True)
    return f'<tr role="row">{row}' + "".join(
        f'<td role="cell" data-label="{label}">{cell}</td>' for label, cell in labelled
    ) + "</tr>"  # fmt: skip


def _latest(skill: ProfiledSkill) -> str:
    return ", ".join(f"{each.name} ({each.record_id[:8]})" for each in skill.records)


def _told_match(match: Match) -> str:
    return f"{match.kind}: {match.name or match.code}" + (f" ({match.framework})" if match.framework else "")


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f'<li dir="auto">{_text(line)}</li>' for line in lines) + "</ul>" if lines else ""


def _text(text: str) -> str:
    return escape(" ".join(shown(part) for part in text.split("\n")))
