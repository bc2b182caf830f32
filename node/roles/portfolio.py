"""The learner's résumé: put together from records and own statements, shown to a peer or under a link.

A résumé is only what the learner has written down; what is shown is a presentation that is signed when it is shared, so
that a later change of the résumé changes nothing for who has a link. A link is a capability: 32 random bytes under the
node's own address, of which the store has a keyed hash.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from node.paper.code_text import pack
from node.paper.entry import PrintedEntry
from node.records.ler_rs import WrittenEntry, ler_rs
from node.records.own_statement import OWN_STATEMENT, own_statement
from node.records.summary import summary
from node.roles.checker import Checker
from node.roles.consents import Shown, link_receipt, withdrawal_receipt
from node.roles.identity import Identity
from node.roles.keeping import add_record, held_record
from node.roles.kept_forms import embeddable, is_compact, presented_part
from node.runtime.hardware import perform
from node.runtime.world import World
from node.skills.frameworks import SkillIndex
from protocols import strict_json
from protocols.credentials.accompanying import accompanies, names_of_records
from protocols.credentials.data_integrity import add_proof, base_proof
from protocols.credentials.data_integrity.registry import suite_named
from protocols.credentials.model import CONTEXT_V2
from protocols.credentials.policy import Policy
from protocols.credentials.reading import stated
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, VerificationResult
from protocols.errors import BadInput, WrongState
from storage import audit, credentials, dids, receipts, resumes, shares
from storage.credentials import HeldCredential
from storage.dids import DidPurpose, OwnDid
from storage.engine import Store, Transaction
from storage.receipts import Receipt
from storage.record_terms import Skill
from storage.resumes import Entry, Resume
from storage.shares import Content, Share, ShownEntry

__all__ = [
    "MAX_ENTRIES",
    "RESUME_FORMATS",
    "SHARE_PATH",
    "Composed",
    "NewStatement",
    "Paper",
    "Portfolio",
    "definition_of",
]

SHARE_PATH = "/r"
MAX_ENTRIES = 50
_SUITES = ("eddsa-rdfc-2022", "ecdsa-rdfc-2019")
_FRESH = timedelta(seconds=30)
_REMEMBERED = 64
_LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStatement:
    """What a learner says of themselves; ``skills`` are codes or URLs."""

    name: str
    text: str
    skills: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Composed:
    """A résumé as a signed presentation."""

    resume: Resume
    holder: str
    shown: tuple[Shown, ...]
    presentation: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Paper:
    """A printed résumé; ``share`` is the link that its code leads to, where the presentation does not fit in."""

    pdf: bytes
    share: Share | None


RESUME_FORMATS: Mapping[str, Callable[..., dict[str, Any]]] = {"ler-rs": ler_rs}
"""Name -> what writes a résumé so, as :func:`node.records.ler_rs.ler_rs` does."""

OFFLINE_CODE = (
    "This code holds the signed records themselves: scan it and give its text, or this page as a picture or PDF, to "
    "“lernode verify --qr”. No network is needed for the signatures."
)
LINK_CODE = "This code leads to a page that checks the records, until {until}; or give it to “lernode verify --qr”."


class Portfolio:
    """What a learner does with résumés."""

    def __init__(
        self, *, store: Store, identity: Identity, checker: Checker, skills: SkillIndex, world: World, label: str
    ) -> None:
        self._store = store
        self._identity = identity
        self._checker = checker
        self._skills = skills
        self._world = world
        self._label = label
        self._checked: OrderedDict[str, tuple[datetime, VerificationResult]] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def state(self, said: NewStatement) -> HeldCredential:
        """Sign an own statement, and hold it like any record.

        Raises:
            BadInput: ``statement.*``.
            WrongState: ``did.none``, ``skill.unknown``.
        """
        skills = [await self._skill(name) for name in said.skills]
        async with self._store.write() as tx:
            me = await self._identity.default(tx, DidPurpose.HOLDER)
            document = own_statement(
                holder=me.did,
                label=self._label,
                name=said.name,
                text=said.text,
                skills=skills,
                new_id=self._world.new_id(),
                now=self._world.clock(),
            )
            signed = await self._sign(tx, me, document, "assertionMethod")
            record = held_record(strict_json.dumps(signed), self._world)
            await add_record(tx, record)
            await audit.append(tx, at=record.stored_at, event="record.stored", actor="operator", subjects=(record.id,))
        return record

    async def save(self, resume: Resume) -> Resume:
        """Keep a résumé, which has to be one that can be shown.

        Raises:
            BadInput: ``resume.*``, ``proof.not_selective``, ``pointer.*``.
            WrongState: ``record.unknown``.
        """
        if len(resume.entries) > MAX_ENTRIES:
            raise BadInput("resume.too_long", f"A résumé has at most {MAX_ENTRIES} records.", "Leave some out.")
        resume = replace(resume, updated=self._world.clock())
        async with self._store.write() as tx:
            for entry in resume.entries:
                self._shown(await credentials.get_held(tx, entry.record_id), entry)
            await resumes.save(tx, resume)
            now = self._world.clock()
            await audit.append(tx, at=now, event="resume.saved", actor="operator", subjects=(resume.id,))
        return resume

    async def compose(self, resume: Resume) -> Composed:
        """The résumé as a presentation, signed now; nothing is kept of it.

        Raises:
            BadInput: ``resume.*``, ``proof.not_selective``, ``pointer.*``.
            WrongState: ``record.unknown``.
        """
        async with self._store.read() as tx:
            shown = await self._parts(tx, resume)
            me = await self._holder_of(tx, [each.record for each in shown])
            presentation = {
                "@context": [CONTEXT_V2],
                "type": ["VerifiablePresentation"],
                "holder": me.did,
                "verifiableCredential": [each.form for each in shown],
            }
            signed = await self._sign(tx, me, presentation, "authentication")
        return Composed(resume, me.did, tuple(shown), signed)

    async def as_file(self, resume: Resume, file_format: str, *, name: str | None = None) -> dict[str, Any]:
        """The résumé as a document of another format, with the records in it; nothing is signed around them.

        Args:
            file_format: a key of ``RESUME_FORMATS``.
            name: of whom it is about; else that of the node.

        Raises:
            BadInput: ``resume.format``, and as :meth:`compose`.
            WrongState: ``record.unknown``.
        """
        write = RESUME_FORMATS.get(file_format)
        if write is None:
            message = f"Résumés are not written as {file_format}."
            raise BadInput("resume.format", message, f"There is: {', '.join(RESUME_FORMATS)}.")
        async with self._store.read() as tx:
            shown = await self._parts(tx, resume)
        entries = [
            WrittenEntry(each.document, None if each.record.is_own_statement else each.form, entry.text)
            for each, entry in zip(shown, resume.entries, strict=True)
        ]
        return write(
            name=name or self._label,
            title=resume.title,
            text=resume.text,
            entries=entries,
            document_id=self._world.new_id(),
        )

    async def share(self, resume: Resume, lifetime: timedelta) -> tuple[Share, str]:
        """Show the résumé, as it is now, to who has a link; the share, and what its link ends with.

        Raises:
            BadInput: ``share.lifetime``, and as :meth:`compose`.
            WrongState: ``record.unknown``.
        """
        if not timedelta(0) < lifetime <= _LONGEST:
            raise BadInput("share.lifetime", "A link leads somewhere for up to a year.", "Give from 1 to 366 days.")
        composed = await self.compose(resume)
        token, now = self._world.secret(), self._world.clock()
        share = Share(
            id=self._world.new_id(),
            content=Content(
                resume_id=resume.id,
                title=resume.title,
                text=resume.text,
                entries=tuple(
                    ShownEntry(text=entry.text, own=shown.record.is_own_statement)
                    for entry, shown in zip(resume.entries, composed.shown, strict=True)
                ),
                presentation=msgspec.Raw(strict_json.dumps(composed.presentation)),
            ),
            record_ids=tuple(each.record.id for each in composed.shown),
            created=now,
            expires=now + lifetime,
        )
        receipt = link_receipt(
            receipt_id=self._world.new_id(),
            shown_by="link",
            shown_id=share.id,
            title=resume.title,
            shown=composed.shown,
            presentation=composed.presentation,
            holder=composed.holder,
            at=now,
            until=share.expires,
        )
        async with self._store.write() as tx:
            await shares.add(tx, share, token)
            await receipts.add(tx, Receipt(id=receipt["receipt_id"], exchange_id=None, document=receipt, at=now))
            subjects = (share.id, *share.record_ids)
            await audit.append(tx, at=now, event="records.shared", actor="operator", subjects=subjects)
        return share, token

    async def print_pdf(
        self, resume: Resume, *, link_url: Callable[[str], str], lifetime: timedelta, by_link: bool
    ) -> Paper:
        """A PDF of the résumé, with a code that has all of the presentation, or else leads to it.

        Args:
            link_url: the address that ends with a token.
            lifetime: of the link, where there is one.
            by_link: make it a link also where the presentation would fit into the code.

        Raises:
            BadInput: as :meth:`share`.
            WrongState: ``record.unknown``.
        """
        from node.paper.resume_pdf import resume_pdf  # noqa: PLC0415 - large, and seldom used

        composed = await self.compose(resume)
        code = None if by_link else pack(strict_json.dumps(composed.presentation))
        share = None
        about = OFFLINE_CODE
        if code is None:
            share, token = await self.share(resume, lifetime)
            code, about = link_url(token), LINK_CODE.format(until=f"{share.expires:%Y-%m-%d}")
        else:
            await self._note_paper(composed)
        entries = [_printed(shown, entry.text) for shown, entry in zip(composed.shown, resume.entries, strict=True)]
        now = self._world.clock()
        pdf = await asyncio.to_thread(resume_pdf, resume.title, resume.text, entries, code, about, now)
        return Paper(pdf, share)

    async def _note_paper(self, composed: Composed) -> None:
        now, paper_id = self._world.clock(), self._world.new_id()
        receipt = link_receipt(
            receipt_id=self._world.new_id(),
            shown_by="paper",
            shown_id=paper_id,
            title=composed.resume.title,
            shown=composed.shown,
            presentation=composed.presentation,
            holder=composed.holder,
            at=now,
            until=None,
        )
        async with self._store.write() as tx:
            await receipts.add(tx, Receipt(id=receipt["receipt_id"], exchange_id=None, document=receipt, at=now))
            subjects = (paper_id, *(each.record.id for each in composed.shown))
            await audit.append(tx, at=now, event="records.shared", actor="operator", subjects=subjects)

    async def withdraw(self, share_id: str) -> Share:
        """Let a link lead nowhere from now on, and forget what it showed; once, however often it is said.

        Raises:
            WrongState: ``share.unknown``.
        """
        now = self._world.clock()
        async with self._store.write() as tx:
            if await shares.withdraw(tx, share_id, now):
                await self._note_withdrawal(tx, share_id, now)
            share = await shares.get(tx, share_id)
        self._checked.pop(share_id, None)
        return share

    async def _note_withdrawal(self, tx: Transaction, share_id: str, now: datetime) -> None:
        await audit.append(tx, at=now, event="share.withdrawn", actor="operator", subjects=(share_id,))
        after: str | None = None
        while page := await receipts.page(tx, after=after, limit=500):
            given = next(
                (one.document for one in page if one.document["presentation"].get("share_id") == share_id), None
            )
            if given is not None:
                receipt = withdrawal_receipt(given, receipt_id=self._world.new_id(), at=now)
                await receipts.add(tx, Receipt(id=receipt["receipt_id"], exchange_id=None, document=receipt, at=now))
                return
            after = page[-1].id

    async def viewed(self, token: str) -> Share:
        """What is behind a link, counted as seen.

        Raises:
            WrongState: ``share.unknown``, ``share.over``.
        """
        now = self._world.clock()
        async with self._store.write() as tx:
            share = await shares.view(tx, token, now)
        if share is None:
            raise WrongState("share.unknown", "Nothing is behind this link.", "Ask who gave it to you.")
        if share.state(now) != "open":
            raise WrongState("share.over", "This link leads nowhere any more.", "Ask who gave it to you for a new one.")
        return share

    async def checked(self, share: Share) -> tuple[datetime, VerificationResult]:
        """How the checks of what is shown end, and when that was found: at most half a minute ago.

        Whom to believe is for the reader to say: that check is not made.
        """
        assert share.content is not None
        async with self._one_at_a_time:
            now = self._world.clock()
            known = self._checked.get(share.id)
            if known is None or not timedelta(0) <= now - known[0] < _FRESH:
                presentation = strict_json.loads_object(bytes(share.content.presentation))
                result = await self._checker.check(presentation, self._for_anybody(), expected="presentation")
                known = self._checked[share.id] = (now, result)
                if len(self._checked) > _REMEMBERED:
                    self._checked.popitem(last=False)
            return known

    def _for_anybody(self) -> Policy:
        policy = self._checker.policies.verifier(any_issuer=True)
        return replace(policy, trust=TrustedIssuers(), required=policy.required - {Check.HOLDER_BINDING})

    async def _parts(self, tx: Transaction, resume: Resume) -> list[Shown]:
        if not resume.entries:
            raise BadInput("resume.empty", "The résumé has no record yet.", "Add one: lernode resume add")
        return [self._shown(await credentials.get_held(tx, each.record_id), each) for each in resume.entries]

    def _shown(self, record: HeldCredential, entry: Entry) -> Shown:
        whole = stated(record.document)
        part = record.document
        if entry.reveal:
            part = presented_part(record.document, entry.reveal, self._checker.policies.processor)
        elif not is_compact(record.document) and base_proof(whole) is not None:
            part = presented_part(record.document, ("",), self._checker.policies.processor)
        return Shown(record, whole, stated(part), embeddable(part))

    async def _holder_of(self, tx: Transaction, records: Sequence[HeldCredential]) -> OwnDid:
        """The DID that the records are about, which signs.

        Raises:
            BadInput: ``resume.not_yours``.
        """
        names = names_of_records([stated(record.document) for record in records])
        own_records = [each for each in records if not accompanies(stated(each.document), names, None)]
        subjects = dict.fromkeys(record.subject for record in own_records if record.subject)
        own = [await dids.find(tx, subject) for subject in subjects]
        if None in own or len(own) > 1:
            message = "Not every record is about the same DID of yours, so nobody can sign for all of them."
            raise BadInput("resume.not_yours", message, "Leave out what is about somebody else, or make two résumés.")
        return own[0] if own and own[0] is not None else await self._identity.default(tx, DidPurpose.HOLDER)

    async def _sign(self, tx: Transaction, me: OwnDid, document: dict[str, Any], purpose: str) -> dict[str, Any]:
        kinds = {key.codec for key in me.keys}
        suite = next((name for name in _SUITES if kinds & suite_named(name).key_types), _SUITES[0])
        signer = await self._identity.signer(tx, me, suite_named(suite).key_types)
        sign = partial(add_proof, document, suite=suite, signer=signer, created=self._world.clock(), purpose=purpose)
        return await perform(signer, sign)

    async def _skill(self, name: str) -> Skill:
        found = await self._skills.get(name)
        if found is None:
            raise WrongState(
                "skill.unknown", f"No framework here has the skill {name}.", "See: lernode framework search"
            )
        return found


def _printed(shown: Shown, text: str) -> PrintedEntry:
    about = summary(shown.document)
    facts = (
        ("Issued by", " ".join(part for part in (about.issuer_name, about.issuer) if part)),
        ("Results", "; ".join(f"{name}: {value}" for name, value in about.results)),
        ("Skills", "; ".join(each.name for each in about.skills)),
        ("Valid from", f"{about.valid_from:%Y-%m-%d}" if about.valid_from else ""),
        ("Valid until", f"{about.valid_until:%Y-%m-%d}" if about.valid_until else ""),
    )
    return PrintedEntry(
        name=about.name,
        mark=OWN_STATEMENT if shown.record.is_own_statement else "",
        facts=[fact for fact in facts if fact[1]],
        text=text,
    )


def definition_of(composed: Sequence[Shown], resume: Resume, definition_id: str) -> dict[str, Any]:
    """What a peer is told that could be shown: these records, and of each what the résumé has of it.

    Raises:
        BadInput: ``resume.nameless`` where a record has no id to be asked for by.
    """
    descriptors = []
    for number, (shown, entry) in enumerate(zip(composed, resume.entries, strict=True), start=1):
        if shown.record.credential_id is None:
            message = f"The record “{shown.record.name}” has no id, so that a peer cannot ask for it."
            raise BadInput("resume.nameless", message, "Share the résumé by a link instead.")
        named = {"path": ["$.id", "$.vc.id"], "filter": {"type": "string", "const": shown.record.credential_id}}
        fields = [named, *({"path": [_json_path(pointer)]} for pointer in entry.reveal)]
        limit = {"limit_disclosure": "required"} if entry.reveal else {}
        descriptors.append(
            {"id": f"entry-{number}", "name": shown.record.name, "constraints": {"fields": fields, **limit}}
        )
    return {"id": definition_id, "name": resume.title, "input_descriptors": descriptors}


def _json_path(pointer: str) -> str:
    """A JSON Pointer as a JSONPath (RFC 9535 §2.7, normalised)."""
    path = "$"
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        escaped = name.replace("\\", "\\\\").replace("'", "\\'")
        path += f"[{name}]" if name.isdecimal() else f"['{escaped}']"
    return path
