"""docs/errors.md: every stable code, what it says, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from scripts.reference.error_sites import Site, error_sites, reason_sites
from scripts.reference.markdown import NOTICE, code, table

__all__ = ["page"]

_INTRODUCTION = f"""# Errors

{NOTICE}

Every error has a stable code, one sentence that says what is wrong, and one that says what to do. A code keeps its
meaning; the sentences may become better. Neither holds secrets or personal data. An ellipsis stands for what depends
on the case. The command line shows the sentences, with `--json` the code too; the admin API answers with a problem
document (RFC 9457) whose `type` is `urn:lernode:error:CODE`; the log and the exchanges of `lernode status` name the
code alone.

The class says what the caller can do about it:

| class | what it means | HTTP status | exit code |
|---|---|---|---|
| BadInput | what was given is wrong, and will be wrong again | 400 (413 too large, 415 media type) | 2 |
| WrongState | the thing is not there, or in no state for this | 404 for `*.unknown`, else 409 | 1, or 2 (see below) |
| PeerFault | a peer's message breaks its protocol; nothing is changed | 400 | 1 |
| NotNow | it may work later | 503 (507 no space) | 3 |
| LernodeError | damage or a bug | 500 | 1 |

A WrongState ends a command with 2 where a name fits nothing or too much: `*.unknown`, `*.ambiguous`, `*.missing`.

The public port answers a DIDComm message that it refuses with the same problem documents. Statuses of HTTP itself, such
as 404 for an unknown path, have codes of the form `http.404`.

## Codes
"""

_REASONS = """
## Reasons of checks

What a check of a [verification](verification.md) says when it does not plainly pass. A check may also give the code of
an error above, for example `did.unreachable` where the issuer's DID document cannot be had. Angle brackets stand for
what depends on the record.
"""


def page(root: Path) -> str:
    """The page, of the code in ``root``."""
    lines = [_INTRODUCTION]
    sites = error_sites(root)
    for area in sorted({_area(site) for site in sites}):
        rows = _rows((code(s.code), s.kind, _prose(s.message), _prose(s.hint)) for s in sites if _area(s) == area)
        lines += [f"### {area}", "", *table(("code", "class", "what it says", "what to do"), rows), ""]
    reasons = _rows((code(s.code), s.hint, s.kind, _prose(s.message)) for s in reason_sites(root))
    return "\n".join([*lines[:-1], _REASONS, *table(("code", "check", "outcome", "what it says"), reasons)]) + "\n"


def _area(site: Site) -> str:
    return site.code.partition(".")[0]


def _rows(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return sorted(set(rows))


def _prose(text: str) -> str:
    """Text that Markdown shows as it is."""
    return " ".join(text.replace("<", "&lt;").replace("*", "\\*").split())
