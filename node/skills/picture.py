"""A skill profile as a picture (SVG 1.1, no scripts, nothing loaded): when each skill was attested, and by whom.

A row is a skill, a mark is what one issuer attests with one outcome, at the time of its latest record. Form says what
colour alone would not: a full circle for an issuer that is trusted, a hollow one for another, a diamond for the
holder's own statement, a cross for what is over or taken back. Each mark has its sentence as its title.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from node.records.shown import shown
from node.skills.held import Attestation, ProfiledSkill, told

__all__ = ["LEGEND", "picture"]

LEGEND = (
    ("trusted", "issuer trusted by this node"),
    ("untrusted", "issuer not trusted, or undecided"),
    ("self", "own statement"),
    ("over", "expired, suspended or revoked"),
)
_WIDTH, _LEFT, _RIGHT, _ROW, _TOP, _FOOT = 960, 340, 40, 28, 44, 40
_MAX_LABEL = 44
_MAX_TICKS = 12
_INK, _BLUE, _PALE = "#1b1b1b", "#0b5394", "#e3e7ec"


def picture(skills: Sequence[ProfiledSkill], title: str) -> str:
    """The picture, as text.

    Args:
        title: what it is called, for who cannot see it.
    """
    height = _TOP + _ROW * max(1, len(skills)) + _FOOT
    start, end = _span(skills)
    body = [_axis(start, end, height - _FOOT)]
    for number, skill in enumerate(skills):
        body.append(_row(skill, _TOP + _ROW * number + _ROW // 2, start, end))
    body.append(_legend(height - _FOOT // 2 + 4))
    about = f"{len(skills)} skills on a time line; the same is in the table."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-labelledby="skills-title skills-about" font-family="system-ui, sans-serif" font-size="14" fill="{_INK}">'
        f'<title id="skills-title">{_text(title)}</title><desc id="skills-about">{about}</desc>'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>{"".join(body)}</svg>'
    )


def _span(skills: Sequence[ProfiledSkill]) -> tuple[datetime, datetime]:
    """Whole years around all that was attested."""
    times = [time for skill in skills for each in skill.attestations for time in (each.first, each.last)]
    first, last = (min(times), max(times)) if times else (datetime(2000, 1, 1, tzinfo=UTC),) * 2
    return datetime(first.year, 1, 1, tzinfo=UTC), datetime(min(last.year, 9998) + 1, 1, 1, tzinfo=UTC)


def _x(moment: datetime, start: datetime, end: datetime) -> float:
    return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * ((moment - start) / (end - start)), 1)


def _axis(start: datetime, end: datetime, bottom: int) -> str:
    step = max(1, -(-(end.year - start.year) // _MAX_TICKS))
    drawn = []
    for year in range(start.year, end.year + 1, step):
        x = _x(datetime(year, 1, 1, tzinfo=UTC), start, end)
        drawn.append(f'<line x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{bottom}" stroke="{_PALE}"/>')
        drawn.append(f'<text x="{x}" y="{_TOP - 16}" text-anchor="middle">{year}</text>')
    return "".join(drawn)


def _row(skill: ProfiledSkill, y: int, start: datetime, end: datetime) -> str:
    label = shown(skill.name)
    short = label if len(label) <= _MAX_LABEL else label[: _MAX_LABEL - 1].rstrip() + "…"
    drawn = [
        f'<g><title>{_text(label)}</title><text x="{_LEFT - 16}" y="{y + 5}" text-anchor="end" '
        f'style="unicode-bidi:plaintext">{escape(short)}</text></g>'
    ]
    return "".join([*drawn, *(_attestation(each, y, start, end) for each in skill.attestations)])


def _attestation(each: Attestation, y: int, start: datetime, end: datetime) -> str:
    x, since = _x(each.last, start, end), _x(each.first, start, end)
    line = f'<line x1="{since}" y1="{y}" x2="{x}" y2="{y}" stroke="{_BLUE}" stroke-width="2"/>' if since < x else ""
    count = f'<text x="{x + 10}" y="{y + 5}" font-size="12">×{each.count}</text>' if each.count > 1 else ""
    mark = _mark(each.believed.by, x, y) + ("" if each.standing == "valid" else _cross(x, y))
    return f"<g><title>{_text(told(each))}</title>{line}{mark}{count}</g>"


def _mark(by: str, x: float, y: int) -> str:
    if by == "self":
        return f'<path d="M{x} {y - 7}l7 7l-7 7l-7 -7z" fill="#ffffff" stroke="{_BLUE}" stroke-width="2"/>'
    fill = _BLUE if by == "trusted" else "#ffffff"
    return f'<circle cx="{x}" cy="{y}" r="6" fill="{fill}" stroke="{_BLUE}" stroke-width="2"/>'


def _cross(x: float, y: int) -> str:
    return f'<path d="M{x - 9} {y - 9}l18 18m0 -18l-18 18" stroke="#a61b1b" stroke-width="2" fill="none"/>'


def _legend(y: int) -> str:
    drawn = []
    for number, (by, text) in enumerate(LEGEND):
        x = 24 + number * 235
        drawn.append(_cross(x, y - 4) if by == "over" else _mark(by, x, y - 4))
        drawn.append(f'<text x="{x + 14}" y="{y}" font-size="12">{text}</text>')
    return "".join(drawn)


def _text(text: str) -> str:
    return escape(shown(text))
