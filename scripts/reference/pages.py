"""Which pages there are and what makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.reference import configuration, data, errors, event_types, state_machines

__all__ = ["PAGES", "ROOT"]

ROOT = Path(__file__).resolve().parents[2]

PAGES: Mapping[str, Callable[[], str]] = {
    "configuration.md": configuration.page,
    "protocols.md": state_machines.page,
    "events.md": event_types.page,
    "errors.md": lambda: errors.page(ROOT),
    "contexts.md": lambda: data.page(ROOT),
}
"""File name in docs/ -> what makes its text."""
