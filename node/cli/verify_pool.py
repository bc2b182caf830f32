"""Verifies every file of a folder, on all cores, in the order of their names.

Each process has a verifier of its own and asks for each DID and each status list once, whatever the number of records:
that is quicker, and tells issuers no more than that somebody checks records of theirs.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing.util import Finalize
from pathlib import Path

import msgspec

from node.cli.verdict import reason_check
from node.cli.verify_file import FilePolicy, FileVerifier, opened
from node.http.result_views import view_result
from node.http.schemas import ResultView
from node.records.intake import MAX_FILE_BYTES
from node.runtime.collector import leave_to_the_collector_what_comes_and_goes
from node.trust.source import KnownOnce
from protocols.credentials.asking import SeenLists
from protocols.did.document import DidDocument
from protocols.did.resolver import RenewingResolver
from protocols.errors import LernodeError, NotNow

__all__ = ["Verdict", "all_cores", "files_of", "verify_files"]

_FILES_AT_ONCE = 64
_PARTS_AHEAD = 4
_MAX_KNOWN = 256


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one file.

    Attributes:
        code: ``ok``, or of the check that stands in the way.
        as_json: all of this and every check, as one JSON object; empty where that was not asked for.
    """

    verified: bool
    code: str
    reason: str
    file: str
    as_json: bytes


def all_cores() -> int:
    """How many processes can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def files_of(folder: Path) -> list[Path]:
    """The files of a folder and of those in it, in the order of their names; hidden ones are left out."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    return sorted(path for path in found if path.is_file())


def verify_files(files: Sequence[Path], how: FilePolicy, *, jobs: int, as_json: bool) -> Iterator[Verdict]:
    """Verify files in ``jobs`` processes; the verdicts come in the order of the files.

    Args:
        as_json: whether every check is to be told.

    Raises:
        LernodeError: ``config.*`` or ``store.*`` where there is a node that cannot be read.
        NotNow: ``cli.worker_lost`` where a process was ended from outside.
    """
    parts = [files[start : start + _FILES_AT_ONCE] for start in range(0, len(files), _FILES_AT_ONCE)]
    jobs = min(jobs, len(parts))
    leave_to_the_collector_what_comes_and_goes()  # before the forks, which share what nobody walks
    if jobs <= 1:
        with _Worker(how, as_json) as worker:
            for part in parts:
                yield from worker.verify(part)
        return
    # A fork has everything loaded; it is safe here, where no thread runs yet. Elsewhere it is not to be trusted.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(how, as_json))
    try:
        yield from _in_order(pool, parts, ahead=jobs * _PARTS_AHEAD)
    except BrokenProcessPool:
        raise NotNow("cli.worker_lost", "A process that verifies was ended.", "Try again, with fewer --jobs.") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(pool: ProcessPoolExecutor, parts: Sequence[Sequence[Path]], *, ahead: int) -> Iterator[Verdict]:
    """Only so many parts are under way that nothing piles up where one of them waits for the network."""
    waiting = iter(parts)
    under_way: deque[Future[list[Verdict]]] = deque(pool.submit(_verify, part) for part in islice(waiting, ahead))
    while under_way:
        verdicts = under_way.popleft().result()
        under_way.extend(pool.submit(_verify, part) for part in islice(waiting, 1))
        yield from verdicts


class _Worker:
    """A verifier with an event loop, opened when the first files come."""

    def __init__(self, how: FilePolicy, as_json: bool) -> None:
        self._how = how
        self._as_json = as_json
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._verifier: FileVerifier | None = None

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened."""
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def verify(self, files: Sequence[Path]) -> list[Verdict]:
        """The verdicts on these files, in their order."""
        return self._runner.run(self._verify_all(files))

    async def _verify_all(self, files: Sequence[Path]) -> list[Verdict]:
        if self._verifier is None:
            verifier = await self._stack.enter_async_context(opened(self._how))
            checker = verifier.checker
            began = checker.world.clock()
            self._verifier = replace(
                verifier,
                policy=replace(verifier.policy, trust=KnownOnce(verifier.policy.trust)),
                checker=replace(
                    checker,
                    resolver=_ResolvedOnce(checker.resolver),
                    world=replace(checker.world, clock=lambda: began),
                ),
                seen=SeenLists(),
            )
        return [await _verdict(self._verifier, file, self._as_json) for file in files]


async def _verdict(verifier: FileVerifier, file: Path, as_json: bool) -> Verdict:
    try:
        with file.open("rb") as opened_file:
            # One byte more than is allowed, so that the verification itself refuses what is too large.
            data = opened_file.read(MAX_FILE_BYTES + 1)
    except OSError:
        return _said(file, "cli.no_file", "The file cannot be read.", None, as_json)
    try:
        result = await verifier.verify(data)
    except LernodeError as error:  # a picture without a badge, or a link that leads nowhere
        return _said(file, error.code, error.message, None, as_json)
    if result.verified and not as_json:
        return Verdict(True, "ok", "", _name(file), b"")
    view = view_result(result)
    check = None if view.verified else reason_check(view)
    if check is not None:
        return _said(file, check.code, check.reason, view, as_json)
    if view.verified:
        return _said(file, "ok", "", view, as_json)
    return _said(file, "verification.incomplete", "A check that is required is missing.", view, as_json)


def _said(file: Path, code: str, reason: str, view: ResultView | None, as_json: bool) -> Verdict:
    verified = view is not None and view.verified
    told = {"file": _name(file), "verified": verified, "code": code, "reason": reason, "result": view}
    return Verdict(verified, code, reason, _name(file), msgspec.json.encode(told) if as_json else b"")


def _name(file: Path) -> str:
    return os.fsencode(file).decode(errors="replace")


class _ResolvedOnce:
    """Resolves each DID once in a run, so that all its verdicts rest on the same answers; once more where a key is
    missing in a kept copy."""

    def __init__(self, resolver: RenewingResolver) -> None:
        self._resolver = resolver
        self._known: dict[str, DidDocument | LernodeError] = {}
        self._anew: dict[str, DidDocument | LernodeError] = {}

    async def resolve(self, did: str) -> DidDocument:
        """The DID's document."""
        return await self._once(did, self._known, self._resolver.resolve)

    async def resolve_anew(self, did: str) -> DidDocument:
        """The DID's document as its server has it."""
        return await self._once(did, self._anew, self._resolver.resolve_anew)

    @staticmethod
    async def _once(
        did: str, known: dict[str, DidDocument | LernodeError], resolve: Callable[[str], Awaitable[DidDocument]]
    ) -> DidDocument:
        if did not in known:
            if len(known) >= _MAX_KNOWN:
                known.clear()
            try:
                known[did] = await resolve(did)
            except LernodeError as error:
                known[did] = error
        answer = known[did]
        if isinstance(answer, LernodeError):
            raise answer
        return answer


_worker: _Worker | None = None
"""Of this process, where it is one of several."""


def _begin(how: FilePolicy, as_json: bool) -> None:
    global _worker  # noqa: PLW0603 - a process of the pool keeps its verifier from one part to the next
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process is told, and ends the others
    _worker = _Worker(how, as_json)
    Finalize(None, _worker.close, exitpriority=1)


def _verify(files: Sequence[Path]) -> list[Verdict]:
    assert _worker is not None
    return _worker.verify(files)
