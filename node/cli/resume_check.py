"""Checks somebody's LER-RS résumé in this process: what is self-asserted, and how each credential verifies."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from node.cli.progress import waiting
from node.cli.verdict import reason_check
from node.cli.verify_file import FilePolicy, FileVerifier, opened
from node.http.result_views import view_result
from node.http.schemas import ResultView
from node.records.ler_rs import ResumeEntry, entries_of, is_ler_rs
from protocols import strict_json
from protocols.errors import BadInput

__all__ = ["CheckedEntry", "CheckedResume", "check_resume", "resume_in"]

SELF_ASSERTED = "self-asserted"


class CheckedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry; ``results`` has one for each credential that it brings."""

    section: str
    name: str
    word: str
    reason: str = ""
    results: list[ResultView] = []


class CheckedResume(msgspec.Struct, frozen=True, kw_only=True):
    """A résumé; ``verified`` where every credential in it is, of which there is at least one."""

    verified: bool
    entries: list[CheckedEntry]


def resume_in(data: bytes) -> dict[str, Any] | None:
    """The LER-RS résumé that a file is; None where it is something else."""
    try:
        document = strict_json.loads_object(data)
    except BadInput:
        return None
    return document if is_ler_rs(document) else None


def check_resume(how: FilePolicy, document: dict[str, Any]) -> CheckedResume:
    """What stands in the résumé, and who says so.

    Raises:
        LernodeError: as :func:`node.cli.verify_file.opened`.
    """

    async def go() -> list[CheckedEntry]:
        async with opened(how) as verifier, waiting("Verifying"):
            return [await _checked(verifier, each) for each in entries_of(document)]

    entries = asyncio.run(go())
    results = [result for each in entries for result in each.results]
    return CheckedResume(verified=bool(results) and all(result.verified for result in results), entries=entries)


async def _checked(verifier: FileVerifier, entry: ResumeEntry) -> CheckedEntry:
    results = [view_result(await verifier.verify(_bytes(each))) for each in entry.credentials]
    bad = next((result for result in results if not result.verified), None)
    if not results:
        return CheckedEntry(section=entry.section, name=entry.name, word=SELF_ASSERTED)
    who = ", ".join(dict.fromkeys(result.issuer or "?" for result in results))
    word = f"verified: {who}" if bad is None else f"NOT VERIFIED: {who}"
    check = reason_check(bad) if bad else None
    reason = check.reason if check else ""
    return CheckedEntry(section=entry.section, name=entry.name, word=word, reason=reason, results=results)


def _bytes(credential: dict[str, object] | str) -> bytes:
    return credential.encode() if isinstance(credential, str) else strict_json.dumps(credential)
