"""Texts of documents as people may see them: of bounded length, and without what moves or hides other text.

They end up on terminals and pages. Every reader here is total.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from protocols.credentials import model

__all__ = ["MAX_TEXT", "shown", "shown_text"]

MAX_TEXT = 500

_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories that move or hide what stands beside them, or are no characters at all."""


def shown_text(value: Any) -> str | None:
    """A text, also where it is given as a language value object or several of them (VCDM 2.0 §11.1)."""
    for item in model.as_list(value)[:20]:
        text = item.get("@value") if isinstance(item, dict) else item
        cleaned = shown(text) if isinstance(text, str) else ""
        if cleaned:
            return cleaned
    return None


def shown(text: str) -> str:
    shown = text[: 2 * MAX_TEXT]
    if not shown.isprintable():  # nothing that is printable is hidden
        shown = "".join(" " if unicodedata.category(char) in _HIDDEN else char for char in shown)
    return " ".join(shown.split())[:MAX_TEXT]
