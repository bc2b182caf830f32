"""The embedded engine: an SQLite file, with one unit of work at a time and many readers.

Durable by WAL with ``synchronous=FULL``. How work is shared between the event loop and connections' threads decides the
speed: a statement that finds its rows by an index takes some microseconds, a hop to a thread and back takes ten
times that and more when the loop is busy. So such statements run on the loop, under a budget of SQLite's own
instructions; a query that exceeds it is interrupted and run again in the thread. Beginnings that have to wait, commits
(which wait for the disk), bulk and anything unusual always run in the thread.

Units of work that wait for each other share a commit: each is a savepoint of one transaction, and none of them ends
before that transaction is on disk. What one of them saw of another is therefore durable before anybody hears of it. One
that can wait leaves the transaction open for a moment, for the next one to share it.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from protocols.errors import BadInput, LernodeError, NotNow, WrongState
from storage import errors
from storage.engine import Look, Parameter, Row, Store, Transaction, Usage, call_all, finished
from storage.limits import Limits
from storage.migrate import Migration, migrate
from storage.sealing import Sealing
from storage.sqlite_link import BUSY, Link, is_fault_of_statement, meant_by, translated

__all__ = ["SqliteStore", "open_url"]

_MAX_READERS = 3
_LEAST_FREE_BYTES = 1 << 20
"""With less room than this the disk counts as full, though a small row may still find a place."""

_FEW_ROWS = 16
_ROWS_AT_AN_END = 16
_MAX_SHARED_COMMIT = 64
_MAX_COMMIT_DELAY_SECONDS = 0.02
_LONGEST_WAIT_SECONDS = 0.05


class SqliteTransaction(Transaction):
    """A unit of work, or a snapshot, on one connection."""

    __slots__ = ("_link",)

    has_words = "words MATCH ?"
    _beginning = '"{}"*'

    def __init__(self, link: Link, sealing: Sealing | None, *, writable: bool) -> None:
        super().__init__(link.usage, sealing, writable=writable)
        self._link = link

    def _meant_by(self, error: BaseException) -> LernodeError | None:
        return meant_by(error)

    async def _execute(self, sql: str, params: Sequence[Parameter]) -> int:
        self._usage.statements += 1
        return self._link.here(sql, params)

    async def _execute_bulk(self, sql: str, params: Sequence[Parameter]) -> int:
        self._usage.statements += 1
        return await self._link.execute(sql, params)

    async def _execute_many(self, sql: str, rows: Sequence[Sequence[Parameter]]) -> int:
        self._usage.statements += 1
        if len(rows) > _FEW_ROWS:
            return await self._link.execute_many(sql, rows)
        return self._link.here_for_each(sql, rows)

    async def _fetch(self, sql: str, params: Sequence[Parameter]) -> list[Row]:
        self._usage.statements += 1
        if not sql.startswith("SELECT"):
            return await self._link.fetch(sql, params)
        rows = self._link.here_if_quick(sql, params)
        return await self._link.fetch_patiently(sql, params) if rows is None else rows

    async def tables(self) -> list[str]:
        rows = await self.all(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' "
            "AND name NOT LIKE '%!_words%' ESCAPE '!'"
        )
        return [row["name"] for row in rows]

    async def key_of(self, table: str) -> tuple[str, ...]:
        rows = await self.all("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (table,))
        return tuple(row["name"] for row in rows)

    async def damage(self, look: Look = Look.ALL) -> list[str]:
        if look is Look.ENDS:
            await self._read_ends()  # which raises where SQLite cannot make sense of a page
            return []
        pragma = "PRAGMA quick_check(1)" if look is Look.PAGES else "PRAGMA integrity_check"
        rows: list[Row] = await self._run(self._fetch_at_length, pragma, ())
        found = [str(row[0]) for row in rows]
        return [] if found == ["ok"] else found

    async def safeguards(self) -> dict[str, str]:
        return {"data checksums": "on"}  # without which no file is opened

    async def _read_ends(self) -> None:
        for table in await self.tables():
            key = await self.key_of(table)
            for direction in ("ASC", "DESC"):
                order = ", ".join(f"{column} {direction}" for column in key)
                await self.all(f"SELECT * FROM {table} ORDER BY {order} LIMIT {_ROWS_AT_AN_END}")  # noqa: S608

    async def _fetch_at_length(self, sql: str, params: Sequence[Parameter]) -> list[Row]:
        self._usage.statements += 1
        return await self._link.fetch_at_length(sql, params)

    async def _lock(self, name: str) -> None:
        """There is one unit of work at a time."""


class _SharedCommit:
    """The transaction that units of work have in common."""

    def __init__(self, began: float) -> None:
        self.callbacks: list[Callable[[], None]] = []
        self.size = 0
        self.is_urgent = False
        self.error: BaseException | None = None
        self._began = began
        self._is_over = False
        self._waiting: list[asyncio.Future[None]] = []

    def add(self, callbacks: Sequence[Callable[[], None]], *, can_wait: bool) -> None:
        self.callbacks += callbacks
        self.size += 1
        self.is_urgent = self.is_urgent or not can_wait

    def is_full(self, now: float) -> bool:
        return self.size >= _MAX_SHARED_COMMIT or now - self._began > _MAX_COMMIT_DELAY_SECONDS

    def end(self, error: BaseException | None = None) -> None:
        self.error = error
        self._is_over = True
        # Those who wait go on after the callbacks, but before anything that these begin: a peer has its receipt first.
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        if error is None:
            call_all(self.callbacks)

    async def ended(self) -> None:
        """Wait for the end, even when cancelled meanwhile; then the cancellation goes on."""
        cancelled: asyncio.CancelledError | None = None
        while not self._is_over:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            try:
                await waiting
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled


class _Turns:
    """Lets one in at a time, in the order of coming; who is inside may hand the turn on without letting go."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def is_awaited(self) -> bool:
        return any(not waiting.done() for waiting in self._waiting)

    def take_now(self) -> bool:
        """Take the turn if it is free; whether it was."""
        was_free, self._taken = not self._taken, True
        return was_free

    async def take(self, pass_on: Callable[[], None]) -> None:
        """Wait for the turn; ``pass_on`` is called where it came too late for one who was cancelled."""
        if self.take_now():
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                pass_on()
            raise

    def pass_on(self) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                return
        self._taken = False


class SqliteStore(Store):
    """An SQLite file."""

    shared = False

    def __init__(self, path: Path, writer: Link, busy_timeout: float) -> None:
        super().__init__()
        self.path = path
        self._writer = writer
        self._busy_timeout = busy_timeout
        self._turns = _Turns()
        self._commit: _SharedCommit | None = None
        self._ending: asyncio.Task[None] | None = None
        self._reader_slots = asyncio.Semaphore(_MAX_READERS)
        self._idle_readers: list[Link] = []
        writer.usage = self.usage

    async def close(self) -> None:
        async with self._alone() as stack:
            for _ in range(_MAX_READERS):
                await stack.enter_async_context(self._reader_slots)
            if not self._closed:
                self._closed = True
                await finished(self._disconnect())

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[Transaction]:
        self._require_not_nested()
        await self._turns.take(self._leave)
        commit: _SharedCommit | None = None
        failure: BaseException | None = None
        task = asyncio.current_task()
        try:
            self._require_open()
            self._require_undamaged()
            commit = self._commit or await self._begin()
            tx = SqliteTransaction(self._writer, self._sealing, writable=True)
            self._writing.add(task)
            try:
                self._writer.here("SAVEPOINT unit")
                yield tx
                await tx.finish()
                with translated():
                    self._writer.here("RELEASE unit")
                commit.add(self._to_call(tx), can_wait=tx._can_wait)
            finally:
                tx._ended = True
                self._writing.discard(task)
        except BaseException as error:
            failure = error
            if commit is not None:
                self._undo(commit, error)
        finally:
            self._leave()
        if commit is not None and commit.size:
            await commit.ended()
        failure = failure or (commit.error if commit is not None else None)
        if failure is not None:
            self._note(failure)
            raise failure

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        async with self._reader_slots:
            self._require_open()
            try:
                with translated():
                    reader = await self._take_reader()
            except LernodeError as error:
                self._note(error)
                raise
            tx = SqliteTransaction(reader, self._sealing, writable=False)
            try:
                reader.here("BEGIN")
                yield tx
            except LernodeError as error:
                self._note(error)
                raise
            finally:
                tx._ended = True
                try:
                    if reader.in_transaction:
                        reader.here("ROLLBACK")
                finally:
                    self._idle_readers.append(reader)

    def size_bytes(self) -> int | None:
        return self.path.stat().st_size

    def free_bytes(self) -> int | None:
        try:
            found = os.statvfs(self.path.parent)
        except OSError:
            return None
        return found.f_bavail * found.f_frsize

    def shortage(self) -> LernodeError | None:
        free = self.free_bytes()
        return errors.meant(errors.FULL) if free is not None and free < _LEAST_FREE_BYTES else None

    async def vacuum(self) -> None:
        async with self._alone():
            self._require_open()
            with translated():
                await self._writer.execute("VACUUM")
                await self._writer.fetch("PRAGMA wal_checkpoint(TRUNCATE)")

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[AsyncExitStack]:
        """Nobody writes, and nothing waits to be committed."""
        async with AsyncExitStack() as stack:
            await self._turns.take(self._leave)
            stack.callback(self._turns.pass_on)
            if self._commit is not None:
                await finished(self._make_durable(self._commit))
            yield stack

    async def _begin(self) -> _SharedCommit:
        with translated():
            await self._writer.begin_immediate()
        self._commit = _SharedCommit(asyncio.get_running_loop().time())
        return self._commit

    def _undo(self, commit: _SharedCommit, error: BaseException) -> None:
        """Take back the one unit of work that failed."""
        with suppress(LernodeError), translated():
            if self._writer.in_transaction:
                self._writer.here("ROLLBACK TO unit")
                self._writer.here("RELEASE unit")
                return
        # SQLite gave the whole transaction up, as it does when the disk is full.
        self._commit = None
        with suppress(LernodeError), translated():
            if self._writer.in_transaction:
                self._writer.here("ROLLBACK")
        commit.end(error if isinstance(error, LernodeError) else errors.refused())

    def _leave(self) -> None:
        """Let the next one in, who goes on in the same transaction; commit first if none waits, or many did."""
        commit, loop = self._commit, asyncio.get_running_loop()
        if commit is None or (self._turns.is_awaited and not commit.is_full(loop.time())):
            self._turns.pass_on()
        elif commit.size and not commit.is_urgent and commit.size < _MAX_SHARED_COMMIT:
            loop.call_later(_LONGEST_WAIT_SECONDS, self._wait_no_longer, commit)
            self._turns.pass_on()
        else:
            self._commit_and_pass_on(commit)

    def _wait_no_longer(self, commit: _SharedCommit) -> None:
        """End what nobody else came to share; who has the turn ends it otherwise."""
        if commit is self._commit and self._turns.take_now():
            self._commit_and_pass_on(commit)

    def _commit_and_pass_on(self, commit: _SharedCommit) -> None:
        self._ending = asyncio.ensure_future(self._make_durable(commit))
        self._ending.add_done_callback(lambda _: self._turns.pass_on())

    async def _make_durable(self, commit: _SharedCommit) -> None:
        self._commit = None
        try:
            with self.usage.timed(), translated():
                if commit.size:
                    await self._writer.commit()
                    self.usage.commits += 1
                else:
                    self._writer.here("ROLLBACK")
        except BaseException as error:
            with suppress(LernodeError), translated():
                await self._writer.rollback()
            commit.end(error)
        else:
            commit.end()

    async def _disconnect(self) -> None:
        # The writer last: the last connection to close folds the log back into the file.
        for link in (*self._idle_readers, self._writer):
            await link.close()

    async def _take_reader(self) -> Link:
        if self._idle_readers:
            return self._idle_readers.pop()
        opened: list[Link] = []
        try:
            # Not to be cut short: a connection dropped half open keeps its thread alive, and with it the process.
            await finished(self._open_reader(opened))
        except BaseException:
            self._idle_readers.extend(opened)
            raise
        return opened[0]

    async def _open_reader(self, opened: list[Link]) -> None:
        reader = await Link.open(self.path, self._busy_timeout, self.usage)
        try:
            await reader.fetch("PRAGMA query_only = ON")
            reader.be_hasty()
        except BaseException:
            await reader.close()
            raise
        opened.append(reader)


class _MigrationTarget:
    """The tables of a file, for ``migrate.py``."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def tables(self) -> set[str]:
        rows = await self.fetch(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        )
        return {row["name"] for row in rows}

    async def begin_history(self) -> None:
        await self._link.execute(
            "CREATE TABLE schema_version "
            "(version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT"
        )

    async def apply(self, statements: Iterable[str]) -> None:
        await self._link.execute_all(statements)

    async def check(self) -> bool:
        return not await self._link.fetch("PRAGMA foreign_key_check")

    async def fetch(self, sql: str) -> list[Row]:
        return await self._link.fetch(sql)

    async def note(self, migration: Migration) -> None:
        await self._link.execute(
            "INSERT INTO schema_version (version, name, checksum) VALUES (?, ?, ?)",
            (migration.version, migration.name, migration.checksum),
        )

    def is_fault_of_migration(self, error: Exception) -> bool:
        return is_fault_of_statement(error)


async def open_url(
    url: str,
    *,
    password: str | None,
    create: bool,
    upgrade: bool,
    limits: Limits,
    migrations: Sequence[Migration],
) -> SqliteStore:
    """Open ``sqlite:///path``; see :func:`storage.engines.open_store`."""
    parts = urlsplit(url)
    if parts.netloc or not parts.path or password is not None:
        raise BadInput(
            "store.url_unusable", "An SQLite store is a file and has no host or password.", "Write sqlite:///path."
        )
    path = _prepare_file(Path(unquote(parts.path)), create=create)
    with translated():
        writer = await Link.open(path, limits.lock, Usage())
        try:
            await _use_wal(writer, limits.lock)
            await _migrate(writer, migrations, create=create, upgrade=upgrade)
            writer.be_hasty()
        except BaseException:
            await writer.close()
            raise
    return SqliteStore(path, writer, limits.lock)


async def _migrate(link: Link, migrations: Sequence[Migration], *, create: bool, upgrade: bool) -> None:
    # A migration may rebuild a table that others refer to; references are checked as a whole before the commit.
    await link.fetch("PRAGMA foreign_keys = OFF")
    await link.execute("BEGIN IMMEDIATE")
    try:
        await migrate(_MigrationTarget(link), migrations, create=create, upgrade=upgrade)
        if not await link.has_checksums():
            raise WrongState(
                "store.no_checksums",
                "The pages of the store's file have no checksums, so another program has written it anew.",
                "Put back the last backup.",
            )
        await link.commit()
    finally:
        await link.rollback()
    await link.fetch("PRAGMA foreign_keys = ON")


async def _use_wal(link: Link, busy_timeout: float) -> None:
    """Switch to write-ahead logging; the file remembers it.

    SQLite does not use its busy timeout for this switch, so two processes that make one store at once must retry.
    """
    deadline = asyncio.get_running_loop().time() + busy_timeout
    while True:
        try:
            rows = await link.fetch("PRAGMA journal_mode = WAL")
            break
        except BUSY:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.02)
    if rows[0][0] != "wal":
        raise NotNow("store.unreadable", "The disk under the store cannot do write-ahead logging.", "Use a local disk.")


def _prepare_file(path: Path, *, create: bool) -> Path:
    """The absolute path of the file, which is there from now on."""
    path = path.absolute()
    if path.is_file():
        return path
    if not create:
        raise WrongState("store.missing", "There is no store at this place.", "Create it with `lernode init`.")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise NotNow(
            "store.unreadable", "The store's file cannot be made.", "Check the folder and its permissions."
        ) from error
    return path
