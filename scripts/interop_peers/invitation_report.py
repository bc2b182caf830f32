"""What came of a walk with any peer: JSON for programs, and one page of HTML that needs nothing else, for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, Literal

from scripts.interop_peers.report import Run, Step

__all__ = ["Message", "PeerReport"]

_JSON, _HTML = "report.json", "report.html"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it may be shown.

    Attributes:
        thread: the ``thid``.
        content: the message without secrets and personal data.
    """

    way: Literal["sent", "received"]
    type: str
    thread: str
    at: datetime
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PeerReport:
    """A walk: how each step ended, and the messages of both sides in their order."""

    run: Run
    messages: Sequence[Message]
    at: datetime

    def write(self, folder: Path) -> Path:
        """Write both files; the page."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _JSON).write_text(self.to_json_text() + "\n", encoding="utf-8")
        (folder / _HTML).write_text(self.to_html(), encoding="utf-8")
        return folder / _HTML

    def to_json_text(self) -> str:
        """For programs."""
        messages = [
            {"at": m.at.isoformat(), "way": m.way, "type": m.type, "thread": m.thread, "message": m.content}
            for m in self.messages
        ]
        whole = {"at": self.at.isoformat(), **self.run.to_json(), "messages": messages}
        return json.dumps(whole, indent=2, ensure_ascii=False)

    def to_html(self) -> str:
        """For people."""
        steps = self.run.steps
        well = sum(step.outcome == "ok" for step in steps)
        return _PAGE.format(
            at=escape(self.at.strftime("%d %B %Y, %H:%M UTC")),
            summary=f"{well} of {len(steps)} steps went well, and {len(self.messages)} messages were exchanged.",
            steps="\n".join(_row(step) for step in steps),
            messages="\n".join(_message(number, message) for number, message in enumerate(self.messages, 1)),
        )


def _row(step: Step) -> str:
    took = "" if step.outcome == "not walked" else f"{step.seconds:.1f} s"
    cells = (step.direction, step.name, step.outcome, took, step.reason)
    titles = ("Direction", "Step", "Result", "Time", "Why")
    tds = "".join(
        f'<td role="cell" data-title="{title}">{escape(cell)}</td>' for title, cell in zip(titles, cells, strict=True)
    )
    return f'<tr role="row" class="{step.outcome.replace(" ", "-")}">{tds}</tr>'


def _message(number: int, message: Message) -> str:
    short = message.type.removeprefix("https://didcomm.org/")
    content = json.dumps(message.content, indent=2, ensure_ascii=False)
    return (
        f'<details id="message-{number}"><summary><b>{number}. {escape(short)}</b> '
        f"{message.way}, {escape(message.at.strftime('%H:%M:%S'))}</summary>"
        f'<pre tabindex="0" aria-label="Message {number}, {escape(short)}">{escape(content)}</pre></details>'
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Interoperability with lernode</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 64rem; }}
h1, h2 {{ line-height: 1.2; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #8886; }}
tr.failed td[data-title=Result] {{ font-weight: bold; color: light-dark(#a40000, #ff9a9a); }}
tr.ok td[data-title=Result] {{ color: light-dark(#0a5c0a, #8fdc8f); }}
td {{ overflow-wrap: anywhere; }}
details {{ border-bottom: 1px solid #8886; }}
summary {{ padding: .5rem 0; cursor: pointer; overflow-wrap: anywhere; }}
:focus-visible {{ outline: 3px solid light-dark(#0b57d0, #a8c7fa); outline-offset: 2px; }}
pre {{ overflow-x: auto; padding: .6rem; border: 1px solid #8886; font-size: .85rem; }}
@media (max-width: 40rem) {{
  thead {{ position: absolute; display: block; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }}
  table, tbody, tr, td {{ display: block; }}
  td:empty {{ display: none; }}
  tr {{ padding: .5rem 0; border-bottom: 1px solid #8886; }}
  td {{ border: 0; padding: .1rem 0; }}
  td::before {{ content: attr(data-title) ": "; }}
}}
</style>
</head>
<body>
<main>
<h1>Interoperability with lernode</h1>
<p>{at}. {summary}</p>
<h2>Steps</h2>
<table role="table">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Direction</th>
<th role="columnheader" scope="col">Step</th><th role="columnheader" scope="col">Result</th>
<th role="columnheader" scope="col">Time</th><th role="columnheader" scope="col">Why</th></tr></thead>
<tbody role="rowgroup">
{steps}
</tbody>
</table>
<h2>Messages</h2>
<p>In plaintext, in their order. Signatures, keys, challenges, tokens and what is said of persons are removed, and DIDs
that hold keys are cut short.</p>
{messages}
</main>
</body>
</html>
"""
