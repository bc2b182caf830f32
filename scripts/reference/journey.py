"""docs/images/journey.svg: the messages of a real run of the demo, in their order and with their sizes.

    .venv/bin/lernode demo --again --json > demo.json
    .venv/bin/python -m scripts.reference.journey < demo.json > docs/images/journey.svg

The sizes differ a little from run to run, so no test compares the picture.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

__all__ = ["draw"]

_LANES = {"college": (130, "College"), "learner": (430, "Learner"), "employer": (730, "Employer")}
_WIDTH, _TOP, _STEP, _MESSAGE = 860, 70, 30, 34
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1c2733}.who{font-weight:600;font-size:15px}.step{font-weight:600}"
    ".type{fill:#33475b;font-size:12px}.end{fill:#5a6b7b;font-style:italic}"
)


def draw(report: Mapping[str, Any]) -> str:
    """The picture of a report that ``lernode demo --json`` printed."""
    rows = list(_rows(report["steps"]))
    height = _TOP + sum(size for size, _ in rows) + 20
    body: list[str] = []
    y = _TOP
    for size, lines in rows:
        body += [line.replace("YY", str(y)).replace("ZZ", str(y + 6)) for line in lines]
        y += size
    lanes = [
        f'<text class="who" x="{x}" y="30" text-anchor="middle">{name}</text>'
        f'<line x1="{x}" y1="42" x2="{x}" y2="{height - 12}" stroke="#b8c4cf" stroke-dasharray="3 4"/>'
        for x, name in _LANES.values()
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="Messages between college, learner and employer"><style>{_STYLE}</style>'
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto"><path d="M0 0 8 4 0 8z" fill="#1f6f8b"/></marker></defs>'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
    )
    return "\n".join([head, *lanes, *body, "</svg>"]) + "\n"


def _rows(steps: list[dict[str, Any]]) -> Iterator[tuple[int, list[str]]]:
    """Each row as its height and its elements."""
    for number, step in enumerate(steps, 1):
        time = f"{step['seconds'] * 1000:.0f} ms"
        title = escape(f"{number}. {step['title']} ({time})")
        yield _STEP, [f'<rect x="8" y="YY" width="844" height="22" rx="3" fill="#eef3f6" transform="translate(0 -16)"/>'
                      f'<text class="step" x="18" y="YY">{title}</text>']  # fmt: skip
        peer = "employer" if "mployer" in step["title"] or "presents" in step["title"] else "college"
        for message in step["messages"]:
            yield _MESSAGE, [_arrow(message, peer)]
        if not step["messages"]:
            yield _STEP, [f'<text class="end" x="18" y="YY">{escape(step["outcome"].partition(". ")[0])}</text>']


def _arrow(message: Mapping[str, Any], peer: str) -> str:
    source, target = message["from"], peer if message["from"] == "learner" else "learner"
    start, end = _LANES[source][0], _LANES[target][0]
    label = escape(f"{message['type'].rpartition('/')[2]}, {message['bytes']:,} bytes")
    return (
        f'<text class="type" x="{(start + end) // 2}" y="YY" text-anchor="middle">{label}</text>'
        f'<line x1="{start}" y1="ZZ" x2="{end}" y2="ZZ" stroke="#1f6f8b" stroke-width="1.5" marker-end="url(#tip)"/>'
    )


if __name__ == "__main__":
    sys.stdout.write(draw(json.load(sys.stdin)))
