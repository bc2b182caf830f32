"""The embedded store: SQLite behind an async interface with one unit of work at a time.

Promises: a write transaction is committed whole or not at all, also under cancellation and SIGKILL, and once its
``async with`` ended normally it survives loss of power (WAL with ``synchronous=FULL``); a read transaction sees one
consistent snapshot and cannot write. Aggregates use only :class:`Transaction`, with ``?`` as the placeholder and SQL
that PostgreSQL reads too, so that another engine can stand behind the same three calls.

It leaves to others: what is stored (one module an aggregate), keys (``secrets.py``), the schema (``migrate.py``).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import aiosqlite

from protocols.errors import BadInput, LernodeError, NotNow, WrongState
from storage.errors import translated
from storage.migrate import Migration, bundled, migrate
from storage.sealing import Sealing

__all__ = ["Parameter", "Row", "Store", "Transaction"]

Parameter = str | int | bytes | None

_MIN_SQLITE = (3, 37, 0)  # STRICT tables
_MAX_READERS = 3
_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",  # macOS: fsync alone does not reach the platter
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA secure_delete = ON",  # what is erased is overwritten, not only unlinked
    "PRAGMA temp_store = MEMORY",  # sorted rows must not spill into a world-readable folder
    "PRAGMA cache_size = -1024",
    "PRAGMA journal_size_limit = 8388608",
)


class Row(Protocol):
    """A row: a tuple whose fields can be named."""

    def __getitem__(self, key: int | str, /) -> Any: ...
    def __len__(self) -> int: ...
    def keys(self) -> Sequence[str]:
        """The names of the fields, in order."""


class Transaction:
    """One unit of work; made by :meth:`Store.write` or :meth:`Store.read` and dead once their block ends.

    After a statement failed or was cancelled the transaction can only be rolled back, as in PostgreSQL: nobody
    may go on with half of what was meant.
    """

    __slots__ = ("_callbacks", "_channels", "_connection", "_ended", "_failed", "_sealing", "_writable")

    def __init__(self, connection: aiosqlite.Connection, *, writable: bool, sealing: Sealing | None) -> None:
        self._connection = connection
        self._sealing = sealing
        self._writable = writable
        self._callbacks: list[Callable[[], None]] = []
        self._channels: set[str] = set()
        self._failed = False
        self._ended = False

    @property
    def sealing(self) -> Sealing:
        """What seals and opens the contents of rows.

        Raises:
            WrongState: ``store.locked`` before the vault was unlocked.
        """
        if self._sealing is None:
            raise WrongState("store.locked", "The store is locked.", "Unlock it with its passphrase first.")
        return self._sealing

    async def execute(self, sql: str, params: Sequence[Parameter] = ()) -> int:
        """Run a statement that gives no rows; the number of rows it changed.

        Raises:
            LernodeError: see ``storage/errors.py``.
        """
        cursor = await self._run(self._connection.execute, sql, params)
        return int(cursor.rowcount)

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Parameter]]) -> int:
        """Run one statement for each of many rows of parameters; the number of rows changed in all.

        Raises:
            LernodeError: see ``storage/errors.py``.
        """
        if not rows:
            return 0
        cursor = await self._run(self._connection.executemany, sql, rows, of_each=True)
        return int(cursor.rowcount)

    async def one(self, sql: str, params: Sequence[Parameter] = ()) -> Row | None:
        """The first row of a query, or None."""
        rows = await self.all(sql, params)
        return rows[0] if rows else None

    async def all(self, sql: str, params: Sequence[Parameter] = ()) -> list[Row]:
        """Every row of a query; the query bounds how many."""
        return list(await self._run(self._connection.execute_fetchall, sql, params))

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once this transaction is committed, and never if it is not."""
        self._require_open_write()
        self._callbacks.append(callback)

    def notify(self, channel: str) -> None:
        """Tell those who :meth:`Store.listen` on ``channel`` once this transaction is committed; many times is once."""
        self._require_open_write()
        self._channels.add(channel)

    def _require_open_write(self) -> None:
        if not self._writable or self._ended:
            raise LernodeError("store.not_writing", "Only an open write transaction commits.", "Report this as a bug.")

    async def _run(self, call: Callable[..., Any], sql: str, params: Sequence[Any], *, of_each: bool = False) -> Any:
        if self._ended:
            raise LernodeError("store.ended", "This transaction has ended.", "Report this as a bug.")
        if self._failed:
            raise _aborted()
        for row in params if of_each else (params,):
            _check(row)
        try:
            with translated():
                return await call(sql, params)
        except BaseException:
            self._failed = True
            raise


class Store:
    """An open store. Make one with :meth:`open`, and :meth:`close` it."""

    def __init__(self, path: Path, writer: aiosqlite.Connection, busy_timeout: float) -> None:
        self.path = path
        self._writer = writer
        self._busy_timeout = busy_timeout
        self._write_lock = asyncio.Lock()
        self._writing: asyncio.Task[Any] | None = None
        self._reader_slots = asyncio.Semaphore(_MAX_READERS)
        self._idle_readers: list[aiosqlite.Connection] = []
        self._listeners: dict[str, set[Callable[[], None]]] = {}
        self._closed = False
        self._sealing: Sealing | None = None

    def unlock(self, sealing: Sealing) -> None:
        """Let the transactions that begin from now on seal and open the contents of rows; the vault calls it."""
        self._sealing = sealing

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        create: bool = False,
        busy_timeout: float = 5.0,
        migrations: Sequence[Migration] | None = None,
    ) -> Store:
        """Open the store at ``path`` and bring its schema up to date.

        Args:
            create: make the file (mode 0600) and its folder (0700) where they are not there.
            busy_timeout: seconds to wait while another process writes.
            migrations: the schema's steps; the bundled ones unless given.

        Raises:
            WrongState: ``store.missing``, ``store.newer``, ``store.foreign``.
            NotNow: ``store.busy``, ``store.full``, ``store.unreadable``.
            LernodeError: ``store.corrupt``, ``store.migration_*``, ``store.sqlite_too_old``.
        """
        _require_sqlite()
        path = _prepare_file(path, create=create)
        steps = bundled() if migrations is None else migrations
        with translated():
            writer = await _connect(path, busy_timeout)
            try:
                await _use_wal(writer, busy_timeout)
                await migrate(writer, steps, create=create)
            except BaseException:
                await writer.close()
                raise
        return cls(path, writer, busy_timeout)

    async def close(self) -> None:
        """Wait for the transactions that run, then close; closing twice is harmless."""
        async with self._write_lock, AsyncExitStack() as readers:
            for _ in range(_MAX_READERS):
                await readers.enter_async_context(self._reader_slots)
            if not self._closed:
                self._closed = True
                await _finish(self._disconnect())

    async def vacuum(self) -> None:
        """Give back the space of what was deleted, and leave no trace of it in the files; writers wait meanwhile.

        Raises:
            NotNow: ``store.busy``, ``store.full``.
        """
        async with self._write_lock:
            self._require_open()
            with translated():
                await self._writer.execute("VACUUM")
                await self._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """A unit of work: committed when the block ends normally, rolled back on any exception or cancellation.

        A cancellation that arrives during the commit itself is raised after the commit, whose callbacks still run.

        Raises:
            NotNow: ``store.busy`` where another process holds the store for longer than the timeout.
        """
        if self._writing is asyncio.current_task():
            raise LernodeError("store.nested_write", "A unit of work is open already.", "Report this as a bug.")
        async with self._write_lock:
            self._require_open()
            self._writing = asyncio.current_task()
            tx = Transaction(self._writer, writable=True, sealing=self._sealing)
            committed: list[bool] = []
            try:
                with translated():
                    await self._writer.execute("BEGIN IMMEDIATE")
                yield tx
                if tx._failed:
                    raise _aborted()
                tx._ended = True
                await _finish(self._commit(committed))
            finally:
                tx._ended = True
                self._writing = None
                if committed:
                    _call_all([*tx._callbacks, *self._listeners_of(tx._channels)])
                else:
                    with translated():
                        await _finish(self._writer.rollback())

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """A consistent snapshot, taken at the first query; it waits for nobody, and a write in it is refused."""
        async with self._reader_slots:
            self._require_open()
            with translated():
                reader = await self._take_reader()
            tx = Transaction(reader, writable=False, sealing=self._sealing)
            try:
                with translated():
                    await reader.execute("BEGIN")
                yield tx
            finally:
                tx._ended = True
                try:
                    await _finish(reader.rollback())
                finally:
                    self._idle_readers.append(reader)

    def listen(self, channel: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` after each commit of a transaction that notified ``channel``; gives what ends that."""
        listeners = self._listeners.setdefault(channel, set())
        listeners.add(callback)
        return lambda: listeners.discard(callback)

    def _listeners_of(self, channels: set[str]) -> list[Callable[[], None]]:
        return [callback for channel in sorted(channels) for callback in self._listeners.get(channel, ())]

    async def _commit(self, committed: list[bool]) -> None:
        with translated():
            await self._writer.commit()
        committed.append(True)

    async def _disconnect(self) -> None:
        # The writer last: the last connection to close folds the log back into the file.
        for connection in (*self._idle_readers, self._writer):
            await connection.close()

    async def _take_reader(self) -> aiosqlite.Connection:
        if self._idle_readers:
            return self._idle_readers.pop()
        opened: list[aiosqlite.Connection] = []
        try:
            # Not to be cut short: a connection dropped half open keeps its thread alive, and with it the process.
            await _finish(self._open_reader(opened))
        except BaseException:
            self._idle_readers.extend(opened)
            raise
        return opened[0]

    async def _open_reader(self, opened: list[aiosqlite.Connection]) -> None:
        reader = await _connect(self.path, self._busy_timeout)
        try:
            await reader.execute("PRAGMA query_only = ON")
        except BaseException:
            await reader.close()
            raise
        opened.append(reader)

    def _require_open(self) -> None:
        if self._closed:
            raise WrongState("store.closed", "The store is closed.", "Open it again.")


async def _connect(path: Path, busy_timeout: float) -> aiosqlite.Connection:
    # mode=rw: opening must never make a new file with the permissions of the umask.
    uri = f"{path.as_uri()}?mode=rw"
    connection = await aiosqlite.connect(uri, uri=True, isolation_level=None, timeout=busy_timeout)
    try:
        connection.row_factory = sqlite3.Row
        for pragma in _PRAGMAS:
            await connection.execute(pragma)
    except BaseException:
        await connection.close()
        raise
    return connection


async def _use_wal(connection: aiosqlite.Connection, busy_timeout: float) -> None:
    """Switch to write-ahead logging; the file remembers it.

    SQLite does not use its busy timeout for this switch, so two processes that make one store at once must retry.
    """
    deadline = asyncio.get_running_loop().time() + busy_timeout
    while True:
        try:
            rows = list(await connection.execute_fetchall("PRAGMA journal_mode = WAL"))
            break
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.02)
    if rows[0][0] != "wal":
        raise NotNow("store.unreadable", "The disk under the store cannot do write-ahead logging.", "Use a local disk.")


async def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Wait until ``work`` is done even when cancelled meanwhile, then let the cancellation go on."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled


def _call_all(callbacks: Sequence[Callable[[], None]]) -> None:
    for callback in callbacks:
        try:
            callback()
        except Exception as error:  # the commit stands; its caller must not believe that it failed
            context = {"message": "An after_commit callback failed.", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)


def _check(params: Sequence[Parameter]) -> None:
    # PostgreSQL has no NUL in a text; the two engines must accept the same values.
    if any(isinstance(value, str) and "\0" in value for value in params):
        raise BadInput("store.value_refused", "A text with a NUL character cannot be stored.", "Remove it.")


def _aborted() -> LernodeError:
    return LernodeError(
        "store.aborted", "A statement of this unit of work failed, so none of it is stored.", "Try the whole again."
    )


def _require_sqlite() -> None:
    if sqlite3.sqlite_version_info < _MIN_SQLITE:
        wanted = ".".join(map(str, _MIN_SQLITE))
        raise LernodeError(
            "store.sqlite_too_old", f"Python was built with an SQLite older than {wanted}.", "Use a newer Python build."
        )


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
