"""Where the tests find the project's shared data (vectors, recorded messages): beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


def shared_path(relative: str) -> Path:
    """The path of a shared file or folder; the test is skipped where this checkout has none."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"shared data {relative} is not beside this checkout", allow_module_level=True)
    return path


def shared_json(relative: str) -> Any:
    """A shared JSON file, parsed."""
    return json.loads(shared_path(relative).read_bytes())
