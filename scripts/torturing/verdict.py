"""What must hold of two nodes once everything is healed, delivered and stopped: nothing lost, nothing doubled.

``lernode db check`` looks at each store by itself. Here the two are laid side by side, and beside what their people
were told and what their logs say was delivered.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.config import load
from node.runtime.opening import open_node_store
from protocols import strict_json
from protocols.status.bitstring import Bitstring
from scripts.torturing.driver import Told
from scripts.torturing.nodes import PASSPHRASE
from scripts.torturing.plan import Act
from storage import audit, credentials, exchanges, jobs, outbox, receipts, status_lists, verifications
from storage.credentials import HeldCredential, IssuedCredential, IssuedState
from storage.engine import Transaction
from storage.exchanges import ExchangeRow
from storage.jobs import JobState
from storage.secrets import Vault

__all__ = ["Check", "Verdict", "judge"]

_PAGE = 500
_ISSUE = "issue-credential"
_PRESENT = "present-proof"
_ENDS = {"done", "abandoned"}
_ONCE = ("record.issued", "record.stored", "record.revoked", f"{_ISSUE}.done", f"{_PRESENT}.done")


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold.

    Attributes:
        number: of how many things it was looked whether it does.
        findings: one sentence for each thing of which it does not.
    """

    name: str
    number: int
    findings: list[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was looked at.

    Attributes:
        counts: how many exchanges ended how, and how many records there are.
    """

    checks: list[Check]
    counts: Counter[str]


@dataclass(slots=True)
class _Contents:
    """What a node has."""

    exchanges: dict[str, ExchangeRow] = field(default_factory=dict)
    issued: list[IssuedCredential] = field(default_factory=list)
    held: list[HeldCredential] = field(default_factory=list)
    verified: Counter[str] = field(default_factory=Counter)
    receipts: Counter[str] = field(default_factory=Counter)
    seen: set[bytes] = field(default_factory=set)
    waiting: list[str] = field(default_factory=list)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    lists: dict[str, bytes] = field(default_factory=dict)

    def of(self, protocol: str) -> dict[str, ExchangeRow]:
        """The exchanges of a protocol, by their threads."""
        return {row.thid: row for row in self.exchanges.values() if f"/{protocol}/" in row.protocol}


async def judge(college: Path, learner: Path, told: Told, logs: Mapping[str, Path]) -> Verdict:
    """Everything that is looked at, with what was found.

    Args:
        college: the folder of the node that issues and verifies.
        learner: the folder of the node that holds and presents.
        logs: what each of the two logged, by the names ``college`` and ``learner``.
    """
    ours, theirs = await _read(college), await _read(learner)
    counts = Counter(f"{row.protocol.rsplit('/', 2)[1]} {row.state}" for row in ours.exchanges.values())
    counts |= {"records issued": len(ours.issued), "records held": len(theirs.held)}
    counts["records revoked"] = sum(record.state is IssuedState.REVOKED for record in ours.issued)
    checks = [
        _kept(ours, told),
        _pairs(ours, theirs, _ISSUE),
        _pairs(ours, theirs, _PRESENT),
        _records(ours, theirs),
        _indices(ours),
        _revocations(ours, theirs, told),
        _presentations(ours, theirs),
        _messages("college", logs["college"], ours, theirs),
        _messages("learner", logs["learner"], theirs, ours),
        _effects(ours, theirs),
    ]
    return Verdict(checks, counts)


async def _read(home: Path) -> _Contents:
    found = _Contents()
    store = await open_node_store(home, load(home))
    try:
        await Vault.unlock(store, PASSPHRASE)
        async with store.read() as tx:
            async for row in _all(lambda after: exchanges.page(tx, after=after, limit=_PAGE)):
                found.exchanges[row.id] = row
            found.issued = [r async for r in _all(lambda after: credentials.list_issued(tx, after=after, limit=_PAGE))]
            found.held = [r async for r in _all(lambda after: credentials.list_held(tx, after=after, limit=_PAGE))]
            async for result in _all(lambda after: verifications.page(tx, after=after, limit=_PAGE)):
                found.verified[result.exchange_id or ""] += 1
            async for receipt in _all(lambda after: receipts.page(tx, after=after, limit=_PAGE)):
                found.receipts[receipt.exchange_id] += 1
            await _read_work(tx, found)
            await _read_trail(tx, found)
            async for each in _all(lambda after: status_lists.page(tx, after=after, limit=_PAGE)):
                published = await status_lists.get_published(tx, each.id)
                found.lists[each.id] = b"" if published is None else published.document
    finally:
        await store.close()
    return found


async def _read_work(tx: Transaction, found: _Contents) -> None:
    found.seen = {bytes(row["message_digest"]) for row in await tx.all("SELECT message_digest FROM inbox")}
    for message in await outbox.page(tx, limit=_PAGE):
        kind = message.message_type.rsplit("/", 1)[1]
        found.waiting.append(f"{kind} {message.id} is {message.state.value}, not delivered: {message.error_code}")
    for state in (JobState.QUEUED, JobState.BURIED):
        for job in await jobs.page(tx, state=state, limit=_PAGE):
            found.waiting.append(f"The job {job.kind} of exchange {job.exchange_id} is {state.value}: {job.error_code}")


async def _read_trail(tx: Transaction, found: _Contents) -> None:
    after = 0
    while page := await audit.page(tx, after=after, limit=_PAGE):
        for entry in page:
            if entry.event in _ONCE:
                found.told[entry.event, entry.subjects[0]] += 1
        after = page[-1].seq


async def _all(page: Callable[[str | None], Awaitable[list[Any]]]) -> AsyncIterator[Any]:
    rows = await page(None)
    while rows:
        for row in rows:
            yield row
        rows = await page(rows[-1].id)


def _kept(ours: _Contents, told: Told) -> Check:
    findings, number = [], 0
    for act, protocol in ((Act.OFFER, _ISSUE), (Act.REQUEST, _PRESENT)):
        begun, there = told.exchanges[act], {row.id for row in ours.of(protocol).values()}
        number += len(begun)
        findings += [f"The {act.value} {name} was answered and is not there." for name in begun if name not in there]
        if not len(begun) <= len(there) <= len(begun) + told.unsure[act.value]:
            findings.append(
                f"There are {len(there)} exchanges of {protocol}; {len(begun)} were answered and "
                f"{told.unsure[act.value]} calls had no sure answer."
            )
    state = {record.id: record.state for record in ours.issued}
    for name in told.revoked:
        if state.get(name) is not IssuedState.REVOKED:
            findings.append(f"The revocation of {name} was answered, and the record is not revoked.")
    return Check("what was answered is kept, and no more was begun than was asked for", number, findings)


def _pairs(ours: _Contents, theirs: _Contents, protocol: str) -> Check:
    mine, other, findings = ours.of(protocol), theirs.of(protocol), []
    for thid in mine.keys() | other.keys():
        states = [side[thid].state if thid in side else "missing" for side in (mine, other)]
        if states[0] != states[1] or not set(states) <= _ENDS:
            codes = [side[thid].error_code for side in (mine, other) if thid in side]
            findings.append(f"Thread {thid} is {states[0]} at the college and {states[1]} at the learner: {codes}")
    return Check(f"every exchange of {protocol} ended alike on both sides", len(mine), findings)


def _records(ours: _Contents, theirs: _Contents) -> Check:
    findings: list[str] = []
    held: dict[str | None, list[HeldCredential]] = {}
    for record in theirs.held:
        held.setdefault(record.credential_id, []).append(record)
    for issued in ours.issued:
        exchange = ours.exchanges.get(issued.exchange_id or "")
        there = held.pop(issued.credential_id, [])
        failed = exchange is None or exchange.state == "abandoned"
        if len(there) > 1 or (not there and not failed):
            findings.append(f"The record {issued.id} was issued and is held {len(there)} times.")
        for copy in there:
            if strict_json.loads_object(copy.document) != strict_json.loads_object(issued.document):
                findings.append(f"The record {issued.id} is held otherwise than it was issued.")
    findings += [f"A record is held that was not issued: {name}." for name in held]
    findings += _twice((f"{r.exchange_id}/{r.position}" for r in ours.issued), "The place {} was issued twice.")
    return Check("every record issued is held once, or its exchange failed", len(ours.issued), findings)


def _indices(ours: _Contents) -> Check:
    places: list[str] = []
    findings: list[str] = []
    for issued in ours.issued:
        said = {f"{e['statusListCredential'].rsplit('/', 1)[1]}/{e['statusListIndex']}" for e in _entries(issued)}
        if said != {f"{ref.list_id}/{ref.index}" for ref in issued.statuses}:
            findings.append(f"The record {issued.id} says other places in status lists than it was given.")
        places += said
    findings += _twice(places, "The place {} was given to two records.")
    return Check("one status index a record and purpose, never reused", len(places), findings)


def _revocations(ours: _Contents, theirs: _Contents, told: Told) -> Check:
    findings = [f"The revocation of {name} was answered and was not in the list." for name in told.unpublished]
    held = {record.credential_id: record for record in theirs.held}
    revoked = [record for record in ours.issued if record.state is IssuedState.REVOKED]
    for record in revoked:
        entry = next(e for e in _entries(record) if e["statusPurpose"] == "revocation")
        document = ours.lists[entry["statusListCredential"].rsplit("/", 1)[1]]
        bits = Bitstring.decode(json.loads(document)["credentialSubject"]["encodedList"])
        if not bits.get(int(entry["statusListIndex"])):
            findings.append(f"The record {record.id} is revoked, and the published list does not say so.")
        there = held.get(record.credential_id)
        if there is not None and there.state is not IssuedState.REVOKED:
            findings.append(f"The record {record.id} is revoked, and its holder was not told.")
    return Check("every revocation is published, and its holder knows", len(revoked), findings)


def _presentations(ours: _Contents, theirs: _Contents) -> Check:
    findings: list[str] = []
    done = [row for row in ours.of(_PRESENT).values() if row.state == "done"]
    shown = theirs.of(_PRESENT)
    for row in done:
        if ours.verified[row.id] != 1:
            findings.append(f"The presentation of {row.id} was verified {ours.verified[row.id]} times.")
        there = shown.get(row.thid)
        if there is not None and theirs.receipts[there.id] != 1:
            findings.append(f"The presentation of {there.id} has {theirs.receipts[there.id]} receipts.")
    return Check("every presentation is verified once and has one receipt", len(done), findings)


def _messages(name: str, log: Path, sender: _Contents, receiver: _Contents) -> Check:
    delivered = _delivered(log)
    findings = [
        f"The message {one} was delivered, and was never processed."
        for one in sorted(delivered)
        if hashlib.sha256(one.encode()).digest() not in receiver.seen
    ]
    return Check(f"every message of the {name} is delivered and processed", len(delivered), findings + sender.waiting)


def _delivered(log: Path) -> set[str]:
    found = set()
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if '"delivered"' in line:
                try:
                    found.add(str(json.loads(line)["id"]))
                except (ValueError, KeyError):
                    continue  # cut off by a kill
    return found


def _effects(ours: _Contents, theirs: _Contents) -> Check:
    findings, number = [], 0
    for side in (ours, theirs):
        number += len(side.told)
        findings += [f"{event} of {name} is told {n} times." for (event, name), n in side.told.items() if n != 1]
        for record in side.issued:
            if record.state is IssuedState.REVOKED and not side.told["record.revoked", record.id]:
                findings.append(f"The trail does not tell of the revocation of {record.id}.")
    return Check("the audit trail tells of every effect once", number, findings)


def _entries(record: IssuedCredential) -> list[dict[str, Any]]:
    entries = json.loads(record.document)["credentialStatus"]
    return entries if isinstance(entries, list) else [entries]


def _twice(names: Iterable[str], sentence: str) -> list[str]:
    return [sentence.format(name) for name, number in Counter(names).items() if number > 1]
