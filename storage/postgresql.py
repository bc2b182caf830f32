"""The engine for many processes: a PostgreSQL database, with as many units of work at once as there are connections.

A unit of work sees what others committed before each of its statements (READ COMMITTED), and aggregates lock what they
must have to themselves: a row as they read it, or a name (a transaction's advisory lock). A read transaction is one
snapshot (REPEATABLE READ, READ ONLY). Durable as the server is: ``synchronous_commit`` is left as it is set there, and
a server that has it off is refused.

Nothing waits for ever: the server ends what exceeds its limits, both sides notice by TCP that the other is gone, and
where what lies between swallows everything and keeps up appearances, the connection is cut when an answer is overdue.

Any server will do that speaks the protocol and these two kinds of lock. Between node and server, a pooler has to keep a
session for one client, for advisory locks, prepared statements and notifications belong to sessions.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from protocols.errors import BadInput, LernodeError, NotNow, WrongState
from storage import errors
from storage.engine import Look, Parameter, Row, Store, Transaction, call_all, finished
from storage.limits import Limits
from storage.migrate import Migration, migrate
from storage.postgresql_dialect import PRELUDE, migration_statement, numbered

__all__ = ["PostgresqlStore", "open_url"]

_MAX_CONNECTIONS = 12
_CACHED_STATEMENTS = 400
_RECONNECT_SECONDS = 1.0
_PROBES = 4
"""How many of TCP's own probes go unanswered before a connection counts as lost."""

_UNREACHABLE: errors.Meaning = (
    NotNow,
    "store.unreachable",
    "The database server cannot be reached.",
    "See that it runs; the work is tried again.",
)
_REFUSED: errors.Meaning = (
    WrongState,
    "store.refused",
    "The database server does not let this node in.",
    "Check user, password and grants.",
)
_FAILED: errors.Meaning = (
    NotNow,
    "store.server_failed",
    "The database server had an error of its own.",
    "See its log; the work is tried again.",
)
_CANCELLED: errors.Meaning = (
    NotNow,
    "store.cancelled",
    "The database server gave a statement up: it took too long, or somebody cancelled it there.",
    "Try again; if it happens often, see what the server is busy with, or raise database.statement_seconds.",
)
_IDLE: errors.Meaning = (
    NotNow,
    "store.idle",
    "The database server rolled back a unit of work in which it was asked nothing for too long.",
    "Try again; if it happens often, see what this process is busy with, or raise database.idle_seconds.",
)
_NO_DATABASE: errors.Meaning = (
    WrongState,
    "store.missing",
    "There is no such database on the server.",
    "Create it with CREATE DATABASE first.",
)
# By SQLSTATE, the whole code before its class (PostgreSQL, Appendix A).
_MEANING = {
    "22": errors.CONFLICT,  # a value of another type than the column's
    "23": errors.CONFLICT,
    "25006": errors.READ_ONLY,
    "25P03": _IDLE,
    "28": _REFUSED,
    "3D000": _NO_DATABASE,
    "40001": errors.BUSY,
    "40P01": errors.BUSY,
    "42501": _REFUSED,
    "53100": errors.FULL,
    "53": errors.BUSY,
    "54": errors.TOO_LARGE,
    "55P03": errors.BUSY,
    "57014": _CANCELLED,
    "57": _UNREACHABLE,
    "08": _UNREACHABLE,
    "58": _FAILED,
    "XX000": _FAILED,  # such as a connection that it cannot set up because its disk is full
    "XX001": errors.CORRUPT,
    "XX002": errors.CORRUPT,
}


_LOST = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""What asyncpg raises of a connection that is gone; the second where it notices that while it is being used."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        meant = _meant_by(error)
        if meant is None:
            raise
        raise meant from error


def _meant_by(error: BaseException) -> LernodeError | None:
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        meaning = _MEANING.get(state) or _MEANING.get(state[:2])
        return errors.refused() if meaning is None else errors.meant(meaning)
    if isinstance(error, _LOST):
        return errors.meant(_UNREACHABLE)
    return None


@contextmanager
def _cut_when_silent(connection: Any, seconds: float | None) -> Iterator[None]:
    """Cut the connection when the block takes longer; what waits for an answer then fails as of a lost connection.

    To cancel the statement would be no way out, for that waits for an answer too.
    """
    if seconds is None:
        yield
        return
    cut = asyncio.get_running_loop().call_later(seconds, _cut, connection)
    try:
        yield
    finally:
        cut.cancel()


def _cut(connection: Any) -> None:
    with suppress(asyncpg.InterfaceError):  # it is out of the pool already
        connection.terminate()


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # the library has no types
    """A connection of the pool, for which it is no fault that what is to be closed is lost already.

    The pool closes connections that it no longer wants in tasks that nobody waits for.
    """

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  # the library's own
        with suppress(asyncpg.PostgresError, *_LOST):
            await super().close(timeout=timeout)


class PostgresqlTransaction(Transaction):
    """A unit of work, or a snapshot, on one connection of the pool."""

    __slots__ = ("_answer", "_connection", "_space")

    row_lock = " FOR NO KEY UPDATE"  # others may go on to refer to the row
    skip_locked = " FOR UPDATE SKIP LOCKED"
    has_words = "to_tsvector('simple', words) @@ to_tsquery('simple', ?)"
    _beginning = "'{}':*"
    _and = " & "

    def __init__(self, connection: Any, store: PostgresqlStore, *, writable: bool) -> None:
        super().__init__(store.usage, store._sealing, writable=writable)
        self._connection = connection
        self._space = store._space
        self._answer = store._limits.answer

    def _meant_by(self, error: BaseException) -> LernodeError | None:
        return _meant_by(error)

    async def _execute(self, sql: str, params: Sequence[Parameter]) -> int:
        with self._asked():
            status: str = await self._connection.execute(numbered(sql), *params)
        changed = status.rpartition(" ")[2]
        return int(changed) if changed.isdigit() else -1

    async def _execute_many(self, sql: str, rows: Sequence[Sequence[Parameter]]) -> int:
        with self._asked():
            return len(await self._connection.fetchmany(numbered(f"{sql} RETURNING 1"), rows))

    async def _fetch(self, sql: str, params: Sequence[Parameter]) -> list[Row]:
        with self._asked():
            found: list[Row] = await self._connection.fetch(numbered(sql), *params)
        return found

    async def take_time(self) -> None:
        self._answer = None
        await self._run(self._execute, "SET LOCAL statement_timeout = 0", ())
        await self._run(self._execute, "SET LOCAL idle_in_transaction_session_timeout = 0", ())

    async def tables(self) -> list[str]:
        return sorted(name for name in await _MigrationTarget(self._connection).tables() if not name.endswith("_words"))

    async def key_of(self, table: str) -> tuple[str, ...]:
        rows = await self.all(
            "SELECT a.attname AS name FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (number, place) "
            "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number "
            "WHERE i.indrelid = to_regclass(?) AND i.indisprimary ORDER BY k.place",
            (table,),
        )
        return tuple(row["name"] for row in rows)

    async def damage(self, look: Look = Look.ALL) -> list[str]:
        where = await self._amcheck() if look is Look.ALL else None
        if where is None:
            return []
        relations = await self.all(
            "SELECT c.oid::bigint AS oid, c.relname, c.relkind::text AS relkind FROM pg_class c "
            "LEFT JOIN pg_am a ON a.oid = c.relam WHERE c.relnamespace = current_schema()::regnamespace "
            "AND (c.relkind = 'r' OR c.relkind = 'i' AND a.amname = 'btree') ORDER BY c.relname"
        )
        found = []
        for relation in relations:
            if relation["relkind"] == "i":
                await self.all(f"SELECT {where}.bt_index_check(CAST(? AS bigint)::oid::regclass)", (relation["oid"],))
                continue
            sql = f"SELECT blkno, msg FROM {where}.verify_heapam(CAST(? AS bigint)::oid::regclass) LIMIT 20"  # noqa: S608
            found += [
                f"{relation['relname']}, block {row['blkno']}: {row['msg']}"
                for row in await self.all(sql, (relation["oid"],))
            ]
        return found

    async def safeguards(self) -> dict[str, str]:
        row = await self.one("SELECT COALESCE(current_setting('data_checksums', true), 'not known') AS checksums")
        amcheck = "used" if await self._amcheck() else "not installed (CREATE EXTENSION amcheck)"
        return {"data checksums": "off" if row is None else row["checksums"], "amcheck": amcheck}

    async def _amcheck(self) -> str | None:
        """The schema of the extension that looks into tables and indices, if this user may use it."""
        row = await self.one(
            "SELECT quote_ident(n.nspname) AS name FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
            "JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = 'verify_heapam' "
            "WHERE e.extname = 'amcheck' AND has_function_privilege(p.oid, 'EXECUTE')"
        )
        return None if row is None else row["name"]

    async def renumber(self) -> None:
        rows = await self.all(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND is_identity = 'YES'"
        )
        for table, column in ((row["table_name"], row["column_name"]) for row in rows):
            highest = f"SELECT COALESCE(MAX({column}), 0) + 1 FROM {table}"  # noqa: S608
            await self.all(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), ({highest}), false)")

    async def _lock(self, name: str) -> None:
        await self._run(self._fetch, "SELECT pg_advisory_xact_lock(hashtextextended(?, ?))", (name, self._space))

    def _asked(self) -> AbstractContextManager[None]:
        self._usage.statements += 1
        self._usage.round_trips += 1
        return _cut_when_silent(self._connection, self._answer)


class _Ear:
    """Hears what other processes notify, on a connection of its own that is made again when it is lost."""

    def __init__(
        self, name: str, connect: Callable[[], Awaitable[Any]], heard: Callable[[str | None], None], silence: float
    ) -> None:
        self.name = name
        self.own = f"{uuid4().hex} "  # by which this process knows what it said itself
        self._connect = connect
        self._heard = heard
        self._silence = silence
        self._task = asyncio.create_task(self._listen(), name="store ear")

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})  # which, other than awaiting the task itself, can be cancelled

    async def _listen(self) -> None:
        is_first = True
        while True:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                connection = await self._connect()
                try:
                    lost = asyncio.Event()
                    connection.add_termination_listener(lambda _connection, lost=lost: lost.set())
                    with _cut_when_silent(connection, self._silence):
                        await connection.add_listener(self.name, self._one)
                    if not is_first:
                        self._heard(None)  # whatever was said meanwhile
                    is_first = False
                    await self._until(lost, connection)
                finally:
                    connection.terminate()
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _until(self, lost: asyncio.Event, connection: Any) -> None:
        """Wait until the connection is lost, which may only show when it is used."""
        while not lost.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._silence):
                    await lost.wait()
            if not lost.is_set():
                with _cut_when_silent(connection, self._silence):
                    await connection.execute("SELECT 1")

    def _one(self, _connection: Any, _pid: int, _name: str, payload: str) -> None:
        if not payload.startswith(self.own):
            self._heard(payload.partition(" ")[2])


class PostgresqlStore(Store):
    """A database on a server."""

    shared = True

    def __init__(self, pool: Any, space: int, connect: Callable[[], Awaitable[Any]], limits: Limits) -> None:
        super().__init__()
        self._pool = pool
        self._limits = limits
        self._ear = _Ear(f"lernode_{space}", connect, self._heard, limits.silence)
        self._space = space  # sets this store's locks apart from those of others in the same database
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def close(self) -> None:
        while self._running:
            await self._idle.wait()
        if not self._closed:
            self._closed = True
            await finished(self._disconnect())

    async def _disconnect(self) -> None:
        await self._ear.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.clean_up):
                await self._pool.close()

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[Transaction]:
        self._require_not_nested()
        self._require_undamaged()
        async with self._noting(), self._unit() as tx:
            yield tx

    @asynccontextmanager
    async def _unit(self) -> AsyncIterator[Transaction]:
        task = asyncio.current_task()
        async with self._connection() as connection:
            tx = PostgresqlTransaction(connection, self, writable=True)
            committed: list[bool] = []
            self._writing.add(task)
            try:
                await self._begin(connection, "BEGIN")
                yield tx
                await tx.finish()
                await finished(self._commit(connection, tx, committed))
            finally:
                tx._ended = True
                self._writing.discard(task)
                if committed:
                    call_all(self._to_call(tx))
                else:
                    await finished(self._roll_back(connection))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        async with self._noting(), self._connection() as connection:
            tx = PostgresqlTransaction(connection, self, writable=False)
            try:
                await self._begin(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield tx
            finally:
                tx._ended = True
                await finished(self._roll_back(connection))

    async def vacuum(self) -> None:
        async with self._connection() as connection:
            with _translated():
                await connection.execute("SET statement_timeout = 0")  # until the connection is given back
                for table in sorted(await _MigrationTarget(connection).tables()):
                    await connection.execute(f'VACUUM FULL "{table}"')

    def _heard(self, channel: str | None) -> None:
        call_all(self._listeners_of(self._listeners if channel is None else [channel]))

    @asynccontextmanager
    async def _noting(self) -> AsyncIterator[None]:
        try:
            yield
        except LernodeError as error:
            self._note(error)
            if error.code in (errors.READ_ONLY[1], _UNREACHABLE[1]):
                # These lead to a server that was the primary once, or nowhere; new ones ask anew which is.
                await self._pool.expire_connections()
            raise

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        self._require_open()
        self._running += 1
        self._idle.clear()
        try:
            with _translated():
                connection = await self._pool.acquire()
            try:
                yield connection
            finally:
                with suppress(asyncpg.PostgresError, *_LOST):
                    await finished(self._pool.release(connection, timeout=self._limits.clean_up))
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _begin(self, connection: Any, sql: str) -> None:
        self.usage.round_trips += 1
        with _translated(), _cut_when_silent(connection, self._limits.silence):
            await connection.execute(sql)

    async def _commit(self, connection: Any, tx: Transaction, committed: list[bool]) -> None:
        self.usage.round_trips += 1
        with self.usage.timed(), _translated(), _cut_when_silent(connection, self._limits.answer):
            for channel in sorted(tx._channels):
                self.usage.round_trips += 1
                await connection.execute("SELECT pg_notify($1, $2)", self._ear.name, f"{self._ear.own}{channel}")
            status = await connection.execute("COMMIT")
        if status != "COMMIT":
            raise errors.meant(errors.CONFLICT)
        self.usage.commits += 1
        committed.append(True)

    async def _roll_back(self, connection: Any) -> None:
        self.usage.round_trips += 1
        try:
            with _cut_when_silent(connection, self._limits.clean_up):
                await connection.execute("ROLLBACK")
        except (asyncpg.PostgresError, *_LOST):
            _cut(connection)  # the server rolls back what it no longer hears of


class _MigrationTarget:
    """The tables of the first schema of the search path, for ``migrate.py``."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def tables(self) -> set[str]:
        rows = await self.fetch(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
        )
        return {row[0] for row in rows}

    async def begin_history(self) -> None:
        for statement in PRELUDE:
            await self._connection.execute(statement)

    async def apply(self, statements: Iterable[str]) -> None:
        for statement in statements:
            await self._connection.execute(migration_statement(statement))

    async def check(self) -> bool:
        await self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")  # raises where one is broken
        return True

    async def fetch(self, sql: str) -> Sequence[Any]:
        found: Sequence[Any] = await self._connection.fetch(sql)
        return found

    async def note(self, migration: Migration) -> None:
        await self._connection.execute(
            "INSERT INTO schema_version (version, name, checksum) VALUES ($1, $2, $3)",
            migration.version,
            migration.name,
            migration.checksum,
        )

    def is_fault_of_migration(self, error: Exception) -> bool:
        return isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "")[:2] in {"22", "23", "42"}


async def open_url(
    url: str,
    *,
    password: str | None,
    create: bool,
    upgrade: bool,
    limits: Limits,
    migrations: Sequence[Migration],
) -> PostgresqlStore:
    """Open ``postgresql://user@host:port/database``; see :func:`storage.engines.open_store`.

    What else the URL says (``?sslmode=verify-full``, ``?host=/run/postgresql``) is as libpq has it; a parameter that it
    does not have is a setting of the session.
    """
    if urlsplit(url).password is not None:
        raise BadInput(
            "store.url_unusable",
            "The URL of the store has a password, and URLs are shown in places where passwords must not be.",
            "Leave it out, and set database.password_file or LERNODE_DATABASE_PASSWORD.",
        )
    settings = _settings(limits)

    async def connect(*where: Any, **options: Any) -> Any:
        connection = await asyncpg.connect(*where, **options)
        _keep_alive(connection, limits.silence)
        return connection

    with _translated():
        try:
            pool = await asyncpg.create_pool(
                url,
                connect=connect,
                connection_class=_Connection,
                password=password,
                min_size=1,
                max_size=_MAX_CONNECTIONS,
                timeout=limits.connect,
                statement_cache_size=_CACHED_STATEMENTS,
                max_cached_statement_lifetime=0,
                server_settings=settings,
            )
        except ValueError as error:
            raise BadInput(
                "store.url_unusable", "The URL of the store cannot be read.", "Write postgresql://user@host/database."
            ) from error
        try:
            async with pool.acquire() as connection:
                with _cut_when_silent(connection, limits.silence):
                    await _require_durable(connection)
                await _migrate(connection, migrations, create=create, upgrade=upgrade)
                space = await connection.fetchval("SELECT current_schema()::regnamespace::oid::bigint")
        except BaseException:
            pool.terminate()
            raise
    hear = partial(connect, url, password=password, timeout=limits.connect, server_settings=settings)
    return PostgresqlStore(pool, space, hear, limits)


def _settings(limits: Limits) -> dict[str, str]:
    """What the server is told about a session: how long it may wait, and when this end of it counts as gone."""
    idle, interval = _pace(limits.silence)
    milliseconds = {
        "lock_timeout": limits.lock,
        "statement_timeout": limits.statement,
        "idle_in_transaction_session_timeout": limits.idle,
        "tcp_user_timeout": limits.silence,
    }
    return {
        "application_name": "lernode",
        **{name: f"{round(seconds * 1000)}ms" for name, seconds in milliseconds.items()},
        "tcp_keepalives_idle": str(idle),
        "tcp_keepalives_interval": str(interval),
        "tcp_keepalives_count": str(_PROBES),
    }


def _pace(silence: float) -> tuple[int, int]:
    """After how many seconds TCP probes a silent connection, and how often then; both together last ``silence``."""
    interval = max(1, round(silence / (2 * _PROBES)))
    return max(1, round(silence) - interval * _PROBES), interval


def _keep_alive(connection: Any, silence: float) -> None:
    """Let the system notice that the server's machine, or the way to it, is gone."""
    line = connection._transport.get_extra_info("socket")
    if line is None or line.family not in (socket.AF_INET, socket.AF_INET6):
        return
    idle, interval = _pace(silence)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {
        "TCP_KEEPIDLE": idle,
        "TCP_KEEPINTVL": interval,
        "TCP_KEEPCNT": _PROBES,
        "TCP_USER_TIMEOUT": round(silence * 1000),
    }
    for name, value in options.items():
        if hasattr(socket, name):  # which of them there are depends on the system
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _require_durable(connection: Any) -> None:
    setting = await connection.fetchval("SELECT current_setting('synchronous_commit')")
    if setting == "off":
        raise WrongState(
            "store.not_durable",
            "The server confirms before it has written (synchronous_commit is off), and messages could be lost.",
            "Set synchronous_commit to on for this database.",
        )


async def _migrate(connection: Any, migrations: Sequence[Migration], *, create: bool, upgrade: bool) -> None:
    async with connection.transaction():
        # As long as it takes, also that of another replica: those that start at once take turns.
        for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            await connection.execute(f"SET LOCAL {limit} = 0")
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('migrate', current_schema()::regnamespace::oid::bigint))"
        )
        await migrate(_MigrationTarget(connection), migrations, create=create, upgrade=upgrade)
