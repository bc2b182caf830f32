"""A connection to an SQLite file whose pages have checksums: what runs on the event loop, and what in a thread.

Every page ends with a checksum of eight bytes, which SQLite's own extension ``cksumvfs`` writes, and looks at whenever
a page is read. So a page of which a bit was flipped is an error (``store.corrupt``) to whoever wants anything of it,
also where what stands in it still makes sense. https://sqlite.org/cksumvfs.html

aiosqlite runs it, over APSW in place of Python's own driver: APSW brings a present SQLite, the extension, and leave to
load it, which Python's build may lack.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import aiosqlite
import apsw
from apsw import sqlite_extra

from protocols.errors import LernodeError, NotNow
from storage import errors
from storage.engine import Parameter, Row, Usage, finished

if TYPE_CHECKING:
    import sqlite3

__all__ = ["BUSY", "Link", "connected", "is_fault_of_statement", "meant_by", "translated"]

BUSY = apsw.BusyError
"""Another connection has the lock."""

_QUERY_BUDGET = 20_000
"""Instructions of SQLite's machine that a query may take on the event loop: about a millisecond."""

_INTERRUPT_AGAIN_SECONDS = 0.05
_CHECKSUMMED = "cksmvfs"
_CHECKSUM_BYTES = 8
_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",  # macOS: fsync alone does not reach the platter
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA secure_delete = ON",  # what is erased is overwritten, not only unlinked
    "PRAGMA temp_store = MEMORY",  # sorted rows must not spill into a world-readable folder
    "PRAGMA cache_size = -4096",
    "PRAGMA journal_size_limit = 8388608",
)
_UNREADABLE: errors.Meaning = (
    NotNow,
    "store.unreadable",
    "The store's file cannot be read or written.",
    "Check the disk, and that this user owns the file and its folder.",
)
_NO_ROOM_FOR_SHARED_MEMORY = 4874  # SQLITE_IOERR_SHMSIZE, by which SQLite names a full disk as it opens a file
# By result code, the extended one before its primary.
_MEANING: dict[int | None, errors.Meaning] = {
    apsw.SQLITE_BUSY: errors.BUSY,
    apsw.SQLITE_FULL: errors.FULL,
    _NO_ROOM_FOR_SHARED_MEMORY: errors.FULL,
    apsw.SQLITE_CORRUPT: errors.CORRUPT,
    apsw.SQLITE_NOTADB: errors.CORRUPT,
    apsw.SQLITE_IOERR_DATA: errors.CORRUPT,  # a page whose checksum is of another content
    apsw.SQLITE_IOERR: _UNREADABLE,
    apsw.SQLITE_CANTOPEN: _UNREADABLE,
    apsw.SQLITE_PERM: _UNREADABLE,
    apsw.SQLITE_READONLY: errors.READ_ONLY,
    apsw.SQLITE_CONSTRAINT: errors.CONFLICT,
    apsw.SQLITE_TOOBIG: errors.TOO_LARGE,
}
_loading = threading.Lock()
_T = TypeVar("_T")


@contextmanager
def translated() -> Iterator[None]:
    """Raise what SQLite raises as one of lernode's errors."""
    try:
        yield
    except Exception as error:
        meant = meant_by(error)
        if meant is None:
            raise
        raise meant from error


def meant_by(error: BaseException) -> LernodeError | None:
    """What SQLite means by an exception; None for what is not its own."""
    if isinstance(error, UnicodeDecodeError):  # a text that SQLite never stored as it is now
        return errors.meant(errors.CORRUPT)
    if not isinstance(error, apsw.Error):
        return None
    # Which only what SQLite itself raises has.
    meaning = _MEANING.get(getattr(error, "extendedresult", None)) or _MEANING.get(getattr(error, "result", None))
    return errors.refused() if meaning is None else errors.meant(meaning)


def is_fault_of_statement(error: BaseException) -> bool:
    """Whether what a statement says is at fault."""
    return isinstance(error, apsw.SQLError | apsw.ConstraintError)


def connected(path: Path, *, patience: float = 0) -> apsw.Connection:
    """Open a file that is there; one that is empty will have pages with checksums.

    Args:
        patience: how many seconds to wait for others.

    Raises:
        apsw.Error: where SQLite cannot.
        LernodeError: ``store.driver_incomplete`` where the driver came without the extension.
    """
    _load_checksums()
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=_CHECKSUMMED)
    connection.set_busy_timeout(round(patience * 1000))
    if path.stat().st_size == 0:
        connection.reserve_bytes(reserve=_CHECKSUM_BYTES)
    return connection


class _Answer:
    """What a statement gave, as aiosqlite asks for it."""

    def __init__(self, rows: list[Row], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def fetchall(self) -> list[Row]:
        """Its rows."""
        return self._rows


class _Driver:
    """A connection of APSW that can do what aiosqlite, and what runs on the event loop, ask of one."""

    def __init__(self, raw: apsw.Connection) -> None:
        self._raw = raw
        self.close = raw.close
        self.interrupt = raw.interrupt
        self.set_busy_timeout = raw.set_busy_timeout
        self._bounded = False
        raw.set_progress_handler(lambda: self._bounded, _QUERY_BUDGET)
        raw.create_scalar_function("lernode_now", _microseconds, 0)

    @classmethod
    def open(cls, path: Path, patience: float) -> _Driver:
        """Open a file that is there."""
        raw = connected(path, patience=patience)
        try:
            for pragma in _PRAGMAS:
                raw.execute(pragma).fetchall()
        except BaseException:
            raw.close()
            raise
        return cls(raw)

    @property
    def in_transaction(self) -> bool:
        """Whether one is open."""
        return self._raw.in_transaction

    def execute(self, sql: str, params: Sequence[Parameter] = ()) -> _Answer:
        """Run a statement to its end."""
        rows = self.rows(sql, params)
        return _Answer(rows, self._raw.changes())

    def executemany(self, sql: str, rows: Iterable[Sequence[Parameter]]) -> _Answer:
        """Run a statement for each row of parameters."""
        before = self._raw.total_changes()  # in which a trigger's would count, but none of ours changes anything
        self._raw.executemany(sql, rows)
        return _Answer([], self._raw.total_changes() - before)

    def commit(self) -> None:
        """Commit what is open."""
        self._raw.execute("COMMIT")

    def rollback(self) -> None:
        """Take back what is open, if anything is."""
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")

    def rows(self, sql: str, params: Sequence[Parameter]) -> list[Row]:
        """The rows of a statement."""
        cursor = self._raw.execute(sql, params)
        first = next(cursor, None)
        if first is None:
            return []
        places = {column[0]: place for place, column in enumerate(cursor.get_description())}
        return [_Row(places, first), *(_Row(places, values) for values in cursor)]

    def rows_if_quick(self, sql: str, params: Sequence[Parameter]) -> list[Row] | None:
        """The rows of a query, or None where it would take long or has to wait."""
        self._bounded = True
        try:
            return self.rows(sql, params)
        except (apsw.InterruptError, apsw.BusyError):
            return None
        finally:
            self._bounded = False


class _Nothing:
    """What aiosqlite closes where there is no connection."""

    def close(self) -> None:
        """There is nothing to close."""


class Link:
    """A connection: ``here`` runs on the event loop, the rest in aiosqlite's thread; never both at once."""

    def __init__(self, connection: aiosqlite.Connection, raw: _Driver, patience: float, usage: Usage) -> None:
        self._connection = connection
        self._raw = raw
        self._patience = round(patience * 1000)
        self.usage = usage

    @classmethod
    async def open(cls, path: Path, patience: float, usage: Usage) -> Link:
        """Open a file that is there; in a task that nobody cancels, or together with its store."""
        opened: list[_Driver] = []
        failed: list[BaseException] = []

        def connector() -> sqlite3.Connection:
            try:
                opened.append(_Driver.open(path, patience))
            except BaseException as error:  # else aiosqlite would leave its thread to end when it likes
                failed.append(error)
                return cast("sqlite3.Connection", _Nothing())
            return cast("sqlite3.Connection", opened[0])

        connection = aiosqlite.Connection(connector, iter_chunk_size=64)
        await finished(connection)
        if failed:
            await finished(connection.close())
            raise failed[0]
        return cls(connection, opened[0], patience, usage)

    @property
    def in_transaction(self) -> bool:
        """Whether one is open."""
        return self._raw.in_transaction

    def here(self, sql: str, params: Sequence[Parameter] = ()) -> int:
        """Run a statement that gives no rows; how many it changed."""
        return self._raw.execute(sql, params).rowcount

    def here_if_quick(self, sql: str, params: Sequence[Parameter]) -> list[Row] | None:
        """The rows of a query, or None where it would take long or has to wait."""
        return self._raw.rows_if_quick(sql, params)

    def here_for_each(self, sql: str, rows: Iterable[Sequence[Parameter]]) -> int:
        """Run a statement for each row of parameters; how many rows it changed in all."""
        return self._raw.executemany(sql, rows).rowcount

    async def fetch(self, sql: str, params: Sequence[Parameter] = ()) -> list[Row]:
        """The rows of a statement."""
        return list(await self._away(self._connection.execute_fetchall(sql, params)))

    async def execute(self, sql: str, params: Sequence[Parameter] = ()) -> int:
        """As :meth:`here`."""
        return int((await self._away(self._connection.execute(sql, params))).rowcount)

    async def execute_all(self, statements: Iterable[str]) -> None:
        """Run statements one after the other."""
        for statement in statements:
            await self.execute(statement)

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Parameter]]) -> int:
        """As :meth:`here_for_each`."""
        return int((await self._away(self._connection.executemany(sql, rows))).rowcount)

    async def commit(self) -> None:
        """Only for a task that nobody cancels."""
        self.usage.round_trips += 1
        await self._connection.commit()

    async def rollback(self) -> None:
        """Take back what is open, if anything is."""
        await self._away(self._connection.rollback())

    async def begin_immediate(self) -> None:
        """Take the write lock; where another process has it, wait in the thread."""
        try:
            self.here("BEGIN IMMEDIATE")
        except apsw.BusyError:
            self.be_patient()
            try:
                await self.execute("BEGIN IMMEDIATE")
            finally:
                self.be_hasty()

    async def fetch_patiently(self, sql: str, params: Sequence[Parameter]) -> list[Row]:
        """As :meth:`fetch`, and other processes are waited for."""
        self.be_patient()
        try:
            return await self.fetch(sql, params)
        finally:
            self.be_hasty()

    async def fetch_at_length(self, sql: str, params: Sequence[Parameter]) -> list[Row]:
        """The rows of a statement that may take minutes; a cancellation interrupts it."""
        work = asyncio.ensure_future(self.fetch(sql, params))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            while not work.done():  # again and again, for what has not begun cannot be interrupted
                self._raw.interrupt()
                await asyncio.wait({work}, timeout=_INTERRUPT_AGAIN_SECONDS)
            work.exception()  # which nobody else looks at
            raise

    def be_patient(self) -> None:
        """Wait for other processes, which only the thread may do."""
        self._raw.set_busy_timeout(self._patience)

    def be_hasty(self) -> None:
        """Never wait, as is right on the event loop."""
        self._raw.set_busy_timeout(0)

    async def has_checksums(self) -> bool:
        """Whether the pages of the file have checksums, and each is looked at."""
        rows = await self.fetch("PRAGMA checksum_verification")
        return [row[0] for row in rows] == ["1"]

    async def close(self) -> None:
        """Close it, and end its thread."""
        await self._connection.close()

    async def _away(self, work: Awaitable[_T]) -> _T:
        self.usage.round_trips += 1
        # To the end, even if cancelled: the next statement may run here, and a connection has one user at a time.
        result: _T = await finished(work)
        return result


class _Row:
    """A row whose fields can be named."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: dict[str, int], values: tuple[Any, ...]) -> None:
        self._places = places
        self._values = values

    def __getitem__(self, key: int | str, /) -> Any:
        return self._values[self._places[key] if isinstance(key, str) else key]

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __hash__(self) -> int:
        return hash(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Row) and (self._values, [*self._places]) == (other._values, [*other._places])

    def keys(self) -> Iterable[str]:
        """The names of the fields, in order."""
        return self._places.keys()


def _microseconds(*_: object) -> int:
    return time.time_ns() // 1000


def _load_checksums() -> None:
    with _loading:  # which must not happen twice: the second would stand upon itself
        if _CHECKSUMMED in apsw.vfs_names():
            return
        try:
            with closing(apsw.Connection("")) as connection:
                sqlite_extra.load(connection, "cksumvfs")
        except (apsw.Error, LookupError, sqlite_extra.NotAvailable):
            raise LernodeError(
                "store.driver_incomplete",
                "This installation of APSW lacks the extension that puts checksums into a store's pages.",
                "Install the wheel of apsw from PyPI.",
            ) from None
