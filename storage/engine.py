"""Where rows are kept: one async interface with one unit of work, and what every engine behind it shares.

Promises, whichever the engine: a write transaction is committed whole or not at all, also under cancellation and
SIGKILL, and once its ``async with`` ended normally it survives loss of power; a read transaction sees one consistent
snapshot and cannot write. Aggregates use only :class:`Transaction`, with ``?`` as the placeholder and SQL that SQLite
and PostgreSQL read alike; where two units of work must not meet they say so with :meth:`Transaction.lock`.

It leaves to others: the engines (``sqlite.py``, ``postgresql.py``), which one a node uses (``engines.py``), what is
stored (one module an aggregate), keys (``secrets.py``), the schema (``migrate.py``).
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Protocol

from protocols.errors import BadInput, LernodeError, WrongState
from storage import errors
from storage.sealing import Sealing

__all__ = ["TROUBLE", "Around", "Flush", "Look", "Parameter", "Row", "Store", "Transaction", "Usage"]

Parameter = str | int | bytes | None

TROUBLE = "trouble"
"""The channel on which a store tells this process that it is in trouble."""

_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1


class Row(Protocol):
    """A row: a tuple whose fields can be named."""

    def __getitem__(self, key: int | str, /) -> Any: ...
    def __len__(self) -> int: ...
    def __hash__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def keys(self) -> Iterable[str]:
        """The names of the fields, in order."""


@dataclass(slots=True)
class Usage:
    """What a store was asked for since it was opened; for tests and benchmarks.

    Attributes:
        statements: those of aggregates; beginnings and ends of transactions are not among them.
        round_trips: how often the event loop waited for a thread or a server.
        commits: how often something was made durable.
        seconds: how long statements and commits took, those of units of work that ran side by side added up.
        failures: how often the store as a whole was at fault, by code.
    """

    statements: int = 0
    round_trips: int = 0
    commits: int = 0
    seconds: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add to ``seconds`` how long the block takes."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - started


class Look(Enum):
    """How closely to look whether a database is damaged; each sees what those before it do."""

    ENDS = "ends"
    """The file's length, its schema, and both ends of each table: so much work, however large it is."""
    PAGES = "pages"
    """Whether its pages fit together, which reads the whole file once."""
    ALL = "all"
    """Also whether each index says what its table does."""


class Transaction(ABC):
    """One unit of work; made by :meth:`Store.write` or :meth:`Store.read` and dead once their block ends.

    After a statement failed or was cancelled the transaction can only be rolled back: nobody may go on with half of
    what was meant.

    Attributes:
        row_lock: ends a SELECT whose rows nobody else may change before this unit of work ends.
        skip_locked: the same, leaving out the rows that another unit of work has locked.
        has_words: a condition on a table of words (``storage/migrations/README.md``); its parameter is
            :meth:`words_parameter`.
    """

    __slots__ = (
        "_before_last",
        "_callbacks",
        "_can_wait",
        "_channels",
        "_ended",
        "_failed",
        "_last",
        "_sealing",
        "_usage",
        "_writable",
    )

    row_lock: ClassVar[str] = ""
    skip_locked: ClassVar[str] = ""
    has_words: ClassVar[str] = ""
    _beginning: ClassVar[str] = "{}"
    _and: ClassVar[str] = " "

    def __init__(self, usage: Usage, sealing: Sealing | None, *, writable: bool) -> None:
        self._usage = usage
        self._sealing = sealing
        self._writable = writable
        self._callbacks: list[Callable[[], None]] = []
        self._channels: set[str] = set()
        self._before_last: dict[Flush, list[Any]] = {}
        self._last: dict[Flush, list[Any]] = {}
        self._can_wait = False
        self._failed = False
        self._ended = False

    @property
    def writable(self) -> bool:
        """Whether it is a unit of work, and not a snapshot."""
        return self._writable

    @property
    def sealing(self) -> Sealing:
        """What seals and opens the contents of rows.

        Raises:
            WrongState: ``store.locked`` before the vault was unlocked.
        """
        if self._sealing is None:
            raise WrongState("store.locked", "The store is locked.", "Unlock it with its passphrase first.")
        return self._sealing

    async def execute(self, sql: str, params: Sequence[Parameter] = (), *, bulk: bool = False) -> int:
        """Run a statement that gives no rows; the number of rows it changed.

        Args:
            bulk: it may change many rows, so that it takes long.

        Raises:
            LernodeError: see ``storage/errors.py``.
        """
        _check(params)
        changed: int = await self._run(self._execute_bulk if bulk else self._execute, sql, params)
        return changed

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Parameter]]) -> int:
        """Run one statement for each of many rows of parameters; the number of rows changed in all.

        Raises:
            LernodeError: see ``storage/errors.py``.
        """
        for row in rows:
            _check(row)
        return await self._run(self._execute_many, sql, rows) if rows else 0

    async def one(self, sql: str, params: Sequence[Parameter] = ()) -> Row | None:
        """The first row of a query, or None."""
        rows = await self.all(sql, params)
        return rows[0] if rows else None

    async def all(self, sql: str, params: Sequence[Parameter] = ()) -> list[Row]:
        """Every row of a query; the query bounds how many."""
        _check(params)
        found: list[Row] = await self._run(self._fetch, sql, params)
        return found

    async def lock(self, name: str) -> None:
        """From here to the end of this unit of work, nobody else is past this point with the same name.

        Who needs several takes them in the order of their names.
        """
        self._require_writing()
        await self._lock(name)

    def words_parameter(self, beginnings: Sequence[str]) -> str:
        """What :attr:`has_words` takes, so that a word begins with each of ``beginnings`` (letters and digits only)."""
        return self._and.join(self._beginning.format(beginning) for beginning in beginnings)

    @abstractmethod
    async def tables(self) -> list[str]:
        """The names of the store's tables, without those of words, which are made of others."""

    @abstractmethod
    async def key_of(self, table: str) -> tuple[str, ...]:
        """The columns of a table's primary key, in order."""

    async def renumber(self) -> None:  # noqa: B027 - SQLite needs nothing for it
        """Let the tables that number their rows by themselves go on after the highest number that is there."""

    async def take_time(self) -> None:  # noqa: B027 - without a server there is no limit
        """For maintenance: let this transaction, and each statement from here on, last as long as it needs."""

    async def damage(self, look: Look = Look.ALL) -> list[str]:
        """What the database itself finds wrong with how it is stored, one sentence each.

        A cancellation breaks the look off.
        """
        del look
        return []

    async def safeguards(self) -> dict[str, str]:
        """What the database itself does so that damage is noticed, by name."""
        return {}

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once this transaction is committed, and never if it is not."""
        self._require_writing()
        self._callbacks.append(callback)

    def can_wait(self) -> None:
        """Let the commit come a moment later, with that of another unit of work; nobody is kept waiting by it.

        For what follows upon work done, and would be noticed and done again if it were lost. The unit of work ends no
        sooner than it is durable, like every other.
        """
        self._require_writing()
        self._can_wait = True

    def notify(self, channel: str) -> None:
        """Tell those who :meth:`Store.listen` on ``channel`` once this transaction is committed; many times is once.

        Where processes share the store, those in all of them.
        """
        self._require_writing()
        self._channels.add(channel)

    def at_end(self, flush: Flush, item: object) -> None:
        """Keep ``item`` for ``flush``, which is called once with all that was kept for it, right before the commit.

        For rows that every unit of work wants to change, such as the end of a chain: they are locked for as short as
        can be, and never while one waits for another lock.
        """
        self._require_writing()
        self._last.setdefault(flush, []).append(item)

    def before_end(self, flush: Flush, item: object) -> None:
        """As :meth:`at_end`, for rows that others may have locked when they come to their own end.

        They are taken before one has the end to oneself: who waits for them then keeps nobody from ending.
        """
        self._require_writing()
        self._before_last.setdefault(flush, []).append(item)

    async def finish(self) -> None:
        """Do what stands at the end; engines call it before they commit."""
        for flush, items in self._before_last.items():
            await flush(self, items)
        self._before_last.clear()
        if self._last:
            await self._lock("end")
        while self._last:
            flush = next(iter(self._last))
            await flush(self, self._last.pop(flush))
        if self._failed:
            raise _aborted()
        self._ended = True

    def _require_writing(self) -> None:
        if not self._writable or self._ended:
            raise LernodeError("store.not_writing", "Only an open write transaction commits.", "Report this as a bug.")

    async def _run(self, call: Callable[..., Coroutine[Any, Any, Any]], sql: str, params: Sequence[Any]) -> Any:
        if self._ended:
            raise LernodeError("store.ended", "This transaction has ended.", "Report this as a bug.")
        if self._failed:
            raise _aborted()
        started = time.perf_counter()
        try:
            return await call(sql, params)
        except BaseException as error:
            self._failed = True
            meant = self._meant_by(error)
            if meant is None:
                raise
            raise meant from error
        finally:
            self._usage.seconds += time.perf_counter() - started

    @abstractmethod
    def _meant_by(self, error: BaseException) -> LernodeError | None:
        """What the database's driver means by an exception; None for what is not its own."""

    @abstractmethod
    async def _execute(self, sql: str, params: Sequence[Parameter]) -> int: ...

    async def _execute_bulk(self, sql: str, params: Sequence[Parameter]) -> int:
        return await self._execute(sql, params)

    @abstractmethod
    async def _execute_many(self, sql: str, rows: Sequence[Sequence[Parameter]]) -> int: ...

    @abstractmethod
    async def _fetch(self, sql: str, params: Sequence[Parameter]) -> list[Row]: ...

    @abstractmethod
    async def _lock(self, name: str) -> None: ...


Flush = Callable[[Transaction, list[Any]], Awaitable[None]]
"""Writes what was kept for the end of a unit of work."""


Around = Callable[[AbstractAsyncContextManager[Transaction]], AbstractAsyncContextManager[Transaction]]
"""Puts something around a unit of work, such as a clock."""


class Store(ABC):
    """An open store. :func:`storage.engines.open_store` opens one; :meth:`close` it.

    Attributes:
        shared: whether other processes may work on the same rows at the same time.
        usage: what it was asked for.
        around: what is put around each unit of work that writes; None: nothing.
        trouble: why it takes no writes at present, whatever they are, until :meth:`recover`; None where it does, as far
            as is known. What is damaged stays so until the store was opened anew.
    """

    shared: ClassVar[bool]

    def __init__(self) -> None:
        self.usage = Usage()
        self.around: Around | None = None
        self.trouble: LernodeError | None = None
        self._closed = False
        self._sealing: Sealing | None = None
        self._listeners: dict[str, set[Callable[[], None]]] = {}
        self._writing: set[asyncio.Task[Any] | None] = set()

    def unlock(self, sealing: Sealing) -> None:
        """Let the transactions that begin from now on seal and open the contents of rows; the vault calls it."""
        self._sealing = sealing

    def require_sound(self) -> None:
        """Do not begin what ends in a write that would fail.

        Raises:
            LernodeError: the store's trouble.
        """
        if self.trouble is not None:
            raise self._again(self.trouble)

    def size_bytes(self) -> int | None:
        """How large the store's own file is; None where it is not in a file of this machine."""
        return None

    def free_bytes(self) -> int | None:
        """How much room there is on the disk; None where this process cannot see that."""
        return None

    def shortage(self) -> LernodeError | None:
        """What the next write will fail of, as far as that can be seen without one."""
        return None

    def listen(self, channel: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` after each commit of a transaction that notified ``channel``; gives what ends that."""
        listeners = self._listeners.setdefault(channel, set())
        listeners.add(callback)
        return lambda: listeners.discard(callback)

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """A unit of work: committed when the block ends normally, rolled back on any exception or cancellation.

        A cancellation that arrives during the commit itself is raised after the commit, whose callbacks still run.

        Raises:
            NotNow: ``store.busy`` where another process holds the store for longer than the timeout.
        """
        return self._write() if self.around is None else self.around(self._write())

    @abstractmethod
    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """A consistent snapshot; it waits for no writer, and a write in it is refused."""

    @abstractmethod
    async def vacuum(self) -> None:
        """Give back the space of what was deleted, and leave no trace of it in the files; writers wait meanwhile.

        Raises:
            NotNow: ``store.busy``, ``store.full``.
        """

    @abstractmethod
    async def close(self) -> None:
        """Wait for the transactions that run, then close; closing twice is harmless."""

    @abstractmethod
    def _write(self) -> AbstractAsyncContextManager[Transaction]: ...

    def _to_call(self, tx: Transaction) -> list[Callable[[], None]]:
        """What waits for the commit of a transaction."""
        return [*tx._callbacks, *self._listeners_of(tx._channels)]

    def _listeners_of(self, channels: Iterable[str]) -> list[Callable[[], None]]:
        return [callback for channel in sorted(channels) for callback in self._listeners.get(channel, ())]

    def _note(self, error: BaseException) -> None:
        """See whether what ended a transaction is the store's own trouble."""
        if not isinstance(error, LernodeError) or error.code not in errors.OF_THE_STORE:
            return
        self.usage.failures[error.code] = self.usage.failures.get(error.code, 0) + 1
        if not self._is_damaged:
            self.trouble = self._again(error)
            call_all(self._listeners_of([TROUBLE]))

    def recover(self) -> None:
        """Believe that it takes writes again; for who has tried. What is damaged stays damaged."""
        if not self._is_damaged:
            self.trouble = None

    @property
    def _is_damaged(self) -> bool:
        return self.trouble is not None and self.trouble.code == errors.CORRUPT[1]

    def _require_undamaged(self) -> None:
        if self._is_damaged:
            self.require_sound()

    @staticmethod
    def _again(error: LernodeError) -> LernodeError:
        return type(error)(error.code, error.message, error.hint)

    def _require_open(self) -> None:
        if self._closed:
            raise WrongState("store.closed", "The store is closed.", "Open it again.")

    def _require_not_nested(self) -> None:
        if asyncio.current_task() in self._writing:
            raise LernodeError("store.nested_write", "A unit of work is open already.", "Report this as a bug.")


async def finished(work: Awaitable[Any]) -> Any:
    """What ``work`` gives, waited for even when cancelled meanwhile; then the cancellation goes on."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    result = task.result()
    if cancelled is not None:
        raise cancelled
    return result


def call_all(callbacks: Sequence[Callable[[], None]]) -> None:
    """Call what waited for a commit."""
    for callback in callbacks:
        try:
            callback()
        except Exception as error:  # the commit stands; its caller must not believe that it failed
            context = {"message": "An after_commit callback failed.", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)


def _check(params: Sequence[Parameter]) -> None:
    # The engines must accept the same values: PostgreSQL has no NUL in a text, and neither has larger numbers.
    for value in params:
        if isinstance(value, str):
            if "\0" in value:
                raise BadInput("store.value_refused", "A text with a NUL character cannot be stored.", "Remove it.")
            if not value.isascii():
                _check_characters(value)
        elif isinstance(value, int) and not _LOWEST <= value <= _HIGHEST:
            raise BadInput("store.value_refused", "A number is out of the range that can be stored.", "Send less.")


def _check_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadInput(
            "store.value_refused", "A text has half of a character and cannot be stored.", "Check the input."
        ) from None


def _aborted() -> LernodeError:
    return LernodeError(
        "store.aborted", "A statement of this unit of work failed, so none of it is stored.", "Try the whole again."
    )
