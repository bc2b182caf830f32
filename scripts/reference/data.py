"""docs/contexts.md: the contexts, schemas and skills that travel with lernode, whose they are, and their digests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from protocols.jsonld.contexts import BUNDLED
from scripts.reference.markdown import NOTICE, code, table

__all__ = ["page"]

_SCHEMA = Path("node/records/schemas/open_badges_3.0.json")
_SKILLS = Path("node/skills/data/onet.json")
_CATALOGUE = Path("node/records/demo_catalogue.json")

_CONTEXTS = f"""# Contexts, schemas and skills that lernode carries

{NOTICE}

## JSON-LD contexts

A context decides what a signed document means, so no context is ever fetched. A record may name the contexts of this
table and those that the node's owner adds with `verify.contexts` (see [configuration](configuration.md)); one that
names another is refused with `jsonld.context_unknown`. The files are in `protocols/jsonld/data`, exactly as published,
and a file that does not have its digest is refused with `jsonld.context_damaged`.
"""

_SCHEMAS = """
## Schemas

Open Badges 3.0 records are held against a JSON Schema of lernode's own, written from the data model of the standard
(1EdTech Open Badges 3.0, section B). It applies to records of the types `OpenBadgeCredential`, `AchievementCredential`
and `EndorsementCredential`, and to records that name the schemas which 1EdTech publishes.
"""


def page(root: Path) -> str:
    """The page, with the files of the checkout in ``root``."""
    lines = [_CONTEXTS]
    rows = [(entry.url, entry.source, entry.version, entry.licence, code(entry.sha256)) for entry in BUNDLED.values()]
    lines += table(("context", "taken from", "version", "licence", "SHA-256"), rows)
    lines += [_SCHEMAS, *_schemas(root), "", *_skills(root)]
    return "\n".join(lines).rstrip() + "\n"


def _schemas(root: Path) -> list[str]:
    schema = json.loads((root / _SCHEMA).read_bytes())
    row = (code(_SCHEMA.as_posix()), schema["title"], "lernode, Apache-2.0", code(_digest(root / _SCHEMA)))
    return [*table(("file", "what it describes", "source and licence", "SHA-256"), [row]), "", schema["$comment"]]


def _skills(root: Path) -> list[str]:
    carried = json.loads((root / _SKILLS).read_bytes())
    facts = (
        ("framework", carried["name"]),
        ("version", carried["version"]),
        ("source", carried["source"]),
        ("licence", carried["licence"]),
        ("file", code(_SKILLS.as_posix())),
        ("SHA-256", code(_digest(root / _SKILLS))),
    )
    entries = [(code(entry["code"]), entry["name"], entry["url"]) for entry in carried["entries"]]
    return [
        "## Skills and occupations",
        "",
        "The few entries that the example catalogue and the demo need. Import [whole frameworks](frameworks.md).",
        "",
        *table(("", ""), facts),
        "",
        carried["attribution"],
        "",
        *table(("code", "name", "URL"), entries),
        "",
        "## Example catalogue",
        "",
        f"`{_CATALOGUE.as_posix()}` is what `lernode init --issuer` writes as `catalogue.json`: examples made for"
        " lernode (Apache-2.0), aligned to the entries above. The college in it does not exist.",
    ]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
