"""``scripts/docs``: write the generated pages, or say with ``--check`` which are out of date."""

from __future__ import annotations

import sys

from scripts.reference.pages import PAGES, ROOT


def main(arguments: list[str]) -> int:
    """Write what differs; the exit code is 1 where ``--check`` finds a difference."""
    stale = 0
    for name, make in PAGES.items():
        path = ROOT / "docs" / name
        text = make()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if arguments == ["--check"]:
            print(f"docs/{name} is out of date; write it anew with: scripts/docs")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"docs/{name} is written.")
    return int(arguments == ["--check"] and stale > 0)


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit("usage: scripts/docs [--check]")
    sys.exit(main(sys.argv[1:]))
