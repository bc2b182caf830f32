"""What one verification asks of others: each DID, status list and schema once, so that all of it sees the same.

It asks for no more of them than it takes to show a learner's whole folder, as each may be on a host that is slow on
purpose.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from protocols.credentials.checks.status_lists import CheckedList
from protocols.credentials.open_badges_2.source import BadgeSource, PublishedPart
from protocols.credentials.resources import ResourceSource
from protocols.did.document import DidDocument
from protocols.did.resolver import RenewingResolver, Resolver
from protocols.errors import BadInput, LernodeError
from protocols.jsonld.work import Work
from protocols.status.source import PublishedDocument, StatusListCopy, StatusSource

__all__ = [
    "MAX_BADGE_PARTS",
    "MAX_DIDS",
    "MAX_LISTS",
    "MAX_RESOURCES",
    "AskedBadges",
    "AskedDids",
    "AskedLists",
    "AskedResources",
    "SeenLists",
]

MAX_DIDS = 256
MAX_LISTS = 256
MAX_RESOURCES = 64
MAX_BADGE_PARTS = 128

_CHARS_A_QUAD = 1000
"""Reading and unpacking so many characters of a list or schema takes as long as a quad."""
_BYTES_A_QUAD = 15_000
"""Unpacking to so many bytes does, where few characters stand for many."""


class AskedDids:
    """Resolves each DID once, and once more where a key is missing."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._answers: dict[str, DidDocument | LernodeError] = {}
        self._anew: dict[str, DidDocument | LernodeError] = {}

    async def resolve(self, did: str) -> DidDocument:
        """The document of a DID, as :class:`Resolver` gives it; raises ``did.too_many`` besides."""
        if did not in self._answers:
            if len(self._answers) >= MAX_DIDS:
                raise BadInput("did.too_many", f"There are more than {MAX_DIDS} DIDs.", "Show fewer records at a time.")
            try:
                self._answers[did] = await self._resolver.resolve(did)
            except LernodeError as error:
                self._answers[did] = error
        return _given(self._answers[did])

    async def resolve_anew(self, did: str) -> DidDocument:
        """As :class:`RenewingResolver` gives it; what else asks for the DID goes on with what it has seen."""
        if did not in self._anew:
            try:
                if isinstance(self._resolver, RenewingResolver):
                    self._anew[did] = await self._resolver.resolve_anew(did)
                else:
                    self._anew[did] = await self.resolve(did)
            except LernodeError as error:
                self._anew[did] = error
        return _given(self._anew[did])


def _given(answer: DidDocument | LernodeError) -> DidDocument:
    if isinstance(answer, LernodeError):
        raise answer
    return answer


class SeenLists:
    """What many verifications as of one moment, such as those of a folder, know of status lists together.

    Attributes:
        copies: what was got, by kind and URL.
        checked: the checks of the copies, by their ``id``, which is theirs as long as the copies are kept.
        known: published lists whose checks were known before, kept so that no other comes to have their ``id``.
    """

    def __init__(self) -> None:
        self.copies: dict[tuple[str, str], StatusListCopy | LernodeError] = {}
        self.checked: dict[int, CheckedList | LernodeError] = {}
        self.known: list[PublishedDocument] = []

    def make_room(self) -> None:
        """Forget all, where it is much; not during a verification."""
        if len(self.copies) >= MAX_LISTS:
            self.copies.clear()
            self.checked.clear()
            self.known.clear()


class AskedLists:
    """Gets and checks each status list once."""

    def __init__(
        self,
        source: StatusSource,
        check: Callable[[PublishedDocument], Awaitable[CheckedList]],
        work: Work,
        seen: SeenLists,
    ) -> None:
        """Lists of a source.

        Args:
            check: makes the checks of a published list; raises LernodeError where it cannot be read.
            work: what reading the lists counts as.
            seen: what is known already, and is added to.
        """
        self._source = source
        self._check = check
        self._work = work
        self._copies = seen.copies
        self._checked = seen.checked
        self._asked: set[tuple[str, str]] = set()

    async def get(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """The list at ``url``, as :class:`StatusSource` gives it; raises ``status.too_many_lists`` besides."""
        return await self._once(("credential", url), lambda: self._source.get(url, refresh=refresh))

    async def get_token(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """The token at ``url``, likewise."""
        return await self._once(("token", url), lambda: self._source.get_token(url, refresh=refresh))

    async def _once(self, name: tuple[str, str], ask: Callable[[], Awaitable[StatusListCopy]]) -> StatusListCopy:
        self._asked.add(name)
        if len(self._asked) > MAX_LISTS:
            message = f"There are more than {MAX_LISTS} status lists."
            raise BadInput("status.too_many_lists", message, "Show fewer records at a time.")
        if name not in self._copies:
            try:
                self._copies[name] = await ask()
            except LernodeError as error:
                self._copies[name] = error
        copy = self._copies[name]
        if isinstance(copy, LernodeError):
            raise copy
        return copy

    async def check(self, published: PublishedDocument) -> CheckedList:
        """The checks of a list that :meth:`get` gave.

        Raises:
            LernodeError: it cannot be read.
        """
        name = id(published)  # a lasting name, as the copies are kept
        if name not in self._checked:
            try:
                self._checked[name] = await self._check(published)
            except LernodeError as error:
                self._checked[name] = error
        checked = self._checked[name]
        if isinstance(checked, LernodeError):
            raise checked
        self._work.quads(_chars(checked.credential) // _CHARS_A_QUAD + checked.unpacking // _BYTES_A_QUAD)
        return checked


class AskedResources:
    """Gets each resource once."""

    def __init__(self, source: ResourceSource, work: Work) -> None:
        """Resources of a source.

        Args:
            work: what reading them counts as.
        """
        self._source = source
        self._work = work
        self._answers: dict[str, bytes | LernodeError] = {}

    async def get(self, url: str) -> bytes:
        """The resource at ``url``, as :class:`ResourceSource` gives it; raises ``resource.too_many`` besides."""
        if url not in self._answers:
            if len(self._answers) >= MAX_RESOURCES:
                message = f"There are more than {MAX_RESOURCES} schemas."
                raise BadInput("resource.too_many", message, "Show fewer records at a time.")
            try:
                self._answers[url] = await self._source.get(url)
            except LernodeError as error:
                self._answers[url] = error
        answer = self._answers[url]
        if isinstance(answer, LernodeError):
            raise answer
        self._work.quads(len(answer) // _CHARS_A_QUAD)
        return answer

    async def kept(self, url: str) -> bytes | None:
        """What :meth:`get` gave, else what the source has at hand."""
        answer = self._answers.get(url)
        return answer if isinstance(answer, bytes) else await self._source.kept(url)


class AskedBadges:
    """Gets each part of badges once."""

    def __init__(self, source: BadgeSource) -> None:
        self._source = source
        self._answers: dict[str, PublishedPart | LernodeError] = {}

    async def get(self, url: str, *, refresh: bool = False) -> PublishedPart:
        """The object at ``url``, as :class:`BadgeSource` gives it; raises ``badge.too_many`` besides."""
        if url not in self._answers:
            if len(self._answers) >= MAX_BADGE_PARTS:
                message = f"There are more than {MAX_BADGE_PARTS} parts of badges."
                raise BadInput("badge.too_many", message, "Show fewer records at a time.")
            try:
                self._answers[url] = await self._source.get(url, refresh=refresh)
            except LernodeError as error:
                self._answers[url] = error
        answer = self._answers[url]
        if isinstance(answer, LernodeError):
            raise answer
        return answer


def _chars(list_credential: object) -> int:
    subject = list_credential.get("credentialSubject") if isinstance(list_credential, dict) else None
    encoded = subject.get("encodedList") if isinstance(subject, dict) else None
    return len(encoded) if isinstance(encoded, str) else 0
