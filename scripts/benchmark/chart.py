"""A picture of how quickly records are issued and verified, for the docs: bars on a logarithmic scale, as SVG.

It has no colours of its own for text and lines (``currentColor``, and media queries where it is an image), so that it
can be read on light and dark pages, and says in words what it shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from scripts.benchmark.figures import Figure

__all__ = ["draw"]

_WIDTH = 760
_LEFT = 330
_ROW = 24
_TOP = 58
_FLOOR = 10.0
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:600}.ours{fill:#0969da}"
    ".peer{fill:#8c959f}.line{stroke:#d0d7de}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ours{fill:#4493f8}"
    ".peer{fill:#6e7681}.line{stroke:#3d444d}}"
)


def draw(figures: Sequence[Figure], *, when: str) -> str:
    """The chart of the figures of records; other figures are left out.

    Args:
        when: the day of the measurement, as it is to be shown.
    """
    rows = [each for each in figures if each.unit == "/s" and each.name.startswith(("issue", "verify"))]
    rows.sort(key=lambda each: (each.name.partition(".")[0].partition("-")[0], -each.value))
    top = 10 ** math.ceil(math.log10(max((each.value for each in rows), default=_FLOOR * 10)))
    height = _TOP + _ROW * len(rows) + 14
    said = "; ".join(f"{each.about}: {each.value:,.0f} a second" for each in rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
        ' aria-labelledby="title desc">',
        '<title id="title">Records issued and verified, a second of one core</title>',
        f'<desc id="desc">{escape(said)}.</desc>',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="8" y="20">Records a second, on one core (logarithmic scale), {escape(when)}</text>',
        *_scale(top, height),
        *(part for place, each in enumerate(rows) for part in _bar(each, _TOP + place * _ROW, top)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _scale(top: float, height: int) -> list[str]:
    parts = []
    value = _FLOOR
    while value <= top:
        x = _place(value, top)
        parts.append(f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{height - 8}"/>')
        parts.append(f'<text x="{x:.1f}" y="{_TOP - 12}" text-anchor="middle">{value:,.0f}</text>')
        value *= 10
    return parts


def _bar(figure: Figure, y: int, top: float) -> list[str]:
    kind = "peer" if figure.name.count(".") > 1 or "pyld" in figure.name else "ours"
    end = _place(max(figure.value, _FLOOR), top)
    inside = end > _WIDTH - 90
    value = f'<text x="{end + (-6 if inside else 6):.1f}" y="{y + 15}"'
    if inside:
        value += ' text-anchor="end" style="fill:#fff"'
    return [
        f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(_short(figure.about))}</text>',
        f'<rect class="{kind}" x="{_LEFT}" y="{y + 3}" width="{end - _LEFT:.1f}" height="16"/>',
        f"{value}>{figure.value:,.0f}</text>",
    ]


def _short(about: str) -> str:
    return about.replace(", proof alone, plain pyld", ", plain pyld")


def _place(value: float, top: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - 30) * math.log(value / _FLOOR) / math.log(top / _FLOOR)
