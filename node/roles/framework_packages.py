"""Frameworks between nodes: published as signed packages, and taken from others.

Promises: what is published is a version that never changes, so that the digest that was signed stays true; nothing is
kept of the package but its signature. A package is taken only where its manifest verifies, is signed by who is named,
by the server that it is fetched from, or by somebody whom a rule of this node trusts to issue, and where its lines have
the size and digest that were signed. It is read and written piece by piece.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.net.guarded_http import GuardedHttp
from node.roles.checker import Checker
from node.roles.frameworks import Frameworks, HowToImport, Imported
from node.roles.identity import Identity
from node.roles.proof_suite import proof_suite
from node.roles.publications import check_publisher, genuine
from node.runtime.world import World
from node.skills.package import (
    MANIFEST_LINE,
    MAX_PACKAGE_BYTES,
    Manifest,
    lines_of,
    manifest_credential,
    read_manifest,
)
from protocols import strict_json
from protocols.credentials.data_integrity import CRYPTOSUITES, add_proof
from protocols.errors import BadInput, WrongState
from storage import audit, framework_publications, frameworks
from storage.dids import DidPurpose
from storage.engine import Store, Transaction
from storage.framework_publications import FrameworkPublication
from storage.frameworks import Version

__all__ = ["FRAMEWORKS_PATH", "FrameworkPackages", "Place"]

FRAMEWORKS_PATH = "/frameworks"
_ACCEPT = "application/jsonl, application/octet-stream;q=0.9"
_SECONDS = 600.0
_PIECE = 1 << 18
_NAME = "package"


@dataclass(frozen=True, slots=True)
class Place:
    """How far a package was read: the position of the last item, or the place of the last relation after all items."""

    items: int = -1
    relations: int | None = None


class FrameworkPackages:
    """Publishes and takes packages."""

    def __init__(
        self,
        *,
        store: Store,
        identity: Identity,
        checker: Checker,
        http: GuardedHttp,
        importer: Frameworks,
        world: World,
        endpoint: str,
        securing: str,
    ) -> None:
        self._store = store
        self._identity = identity
        self._checker = checker
        self._http = http
        self._importer = importer
        self._world = world
        self._endpoint = endpoint
        self._securing = securing

    def url(self, name: str) -> str:
        """Where this node publishes a framework."""
        return f"{self._endpoint}{FRAMEWORKS_PATH}/{name}"

    async def publish(self, name: str) -> tuple[Version, FrameworkPublication]:
        """Sign the last version of a framework, and give it to anybody who asks.

        Raises:
            WrongState: ``framework.unknown``, ``did.none``.
            BadInput: ``framework.no_licence``.
        """
        async with self._store.read() as tx:
            version = await frameworks.latest(tx, name)
        if not version.licence:
            raise BadInput(
                "framework.no_licence",
                "Nobody has said under which licence the framework may be given on.",
                "Import it again with --licence.",
            )
        hashed, size = hashlib.sha256(), 0
        async for piece in self.lines(version.id):
            hashed.update(piece)
            size += len(piece)
        now = self._world.clock().replace(microsecond=0)
        async with self._store.write() as tx:
            own = await self._identity.default(tx, DidPurpose.ISSUER)
            credential = manifest_credential(
                version, issuer=own.did, digest=f"sha-256:{hashed.hexdigest()}", size=size, signed_at=now
            )
            suite = proof_suite(own, self._securing)
            signer = await self._identity.signer(tx, own, CRYPTOSUITES[suite].key_types)
            manifest = strict_json.dumps(add_proof(credential, suite=suite, signer=signer, created=now))
            publication = FrameworkPublication(name, version.id, manifest, now)
            await framework_publications.put(tx, publication)
            await self._note(tx, "framework.published", name, version.digest)
        return version, publication

    async def lines(self, version_id: str, place: Place | None = None) -> AsyncIterator[bytes]:
        """The lines of a version, in pieces of a thousand, each read in a transaction of its own."""
        here: Place | None = place or Place()
        while here is not None:
            piece, here = await self.piece(version_id, here)
            if piece:
                yield piece

    async def piece(self, version_id: str, place: Place) -> tuple[bytes, Place | None]:
        """The lines that follow a place, and the place after them; None where that is the end."""
        async with self._store.read() as tx:
            if place.relations is None:
                items = await frameworks.page(tx, version_id, after=place.items)
                if items:
                    body = b"".join(lines_of(item for _, item in items))
                    return body, Place(items[-1][0])
                place = Place(place.items, 0)
            relations = await frameworks.relations(tx, version_id, after=place.relations or 0)
        if not relations:
            return b"", None
        return b"".join(lines_of(each for _, each in relations)), Place(place.items, relations[-1][0])

    async def take_url(self, url: str, *, publisher: str | None, name: str | None) -> Imported:
        """Fetch a package, and take it.

        Raises:
            BadInput, NotNow: ``net.*``, and as :meth:`take_file`.
        """
        with tempfile.TemporaryDirectory(prefix="lernode-") as folder:
            path = Path(folder, _NAME)
            with await asyncio.to_thread(path.open, "wb") as file:
                limit = MAX_PACKAGE_BYTES + MANIFEST_LINE
                response = await self._http.download(url, file, max_bytes=limit, seconds=_SECONDS, accept=_ACCEPT)
            if response.status != 200:
                raise BadInput("net.unexpected_status", f"The server answers {response.status}.", "Check the address.")
            return await self.take_file(path, publisher=publisher, name=name, url=url)

    async def take_file(
        self, path: Path, *, publisher: str | None, name: str | None, url: str | None = None
    ) -> Imported:
        """Take a package: verify it, and import the framework as a new version.

        Args:
            publisher: the DID that has to have signed it.
            name: what to call the framework here; else as its publisher does.

        Raises:
            BadInput: ``framework.manifest_malformed``, ``framework.package_altered``, ``publication.*``, and as import.
            NotNow: ``publication.unchecked`` where it cannot be verified now.
        """
        manifest = await self._manifest(path)
        await check_publisher(self._store, manifest.issuer, publisher=publisher, url=url)
        size, digest = await asyncio.to_thread(_measure, path)
        if (size, digest) != (manifest.size, manifest.digest):
            raise BadInput(
                "framework.package_altered",
                "The package is not what was signed: its size or digest is another.",
                "Take it again; if that does not help, ask who published it.",
            )
        how = HowToImport(name=name or manifest.slug, format=_NAME, signed_by=manifest.issuer, digest=manifest.digest)
        done = await self._importer.import_file(path, how, stem=manifest.slug)
        if not done.unchanged:
            async with self._store.write() as tx:
                await self._note(tx, "framework.taken", done.version.framework_id, manifest.issuer)
        return done

    async def _manifest(self, path: Path) -> Manifest:
        with path.open("rb") as file:
            line = file.readline(MANIFEST_LINE)
        if not line.endswith(b"\n"):
            raise BadInput(
                "framework.manifest_malformed",
                "The file does not begin with a signed manifest.",
                "Import other formats with: lernode framework import FILE",
            )
        document: dict[str, Any] = strict_json.loads_object(line)
        return read_manifest(await genuine(document, self._checker))

    async def _note(self, tx: Transaction, event: str, *subjects: str) -> None:
        await audit.append(tx, at=self._world.clock(), event=event, actor="operator", subjects=subjects)

    async def published(self, name: str) -> FrameworkPublication:
        """What is published of a framework.

        Raises:
            WrongState: ``framework.not_published``.
        """
        async with self._store.read() as tx:
            found = await framework_publications.find(tx, name)
        if found is None:
            raise WrongState(
                "framework.not_published", "That framework is not published here.", "lernode framework publish NAME"
            )
        return found


def _measure(path: Path) -> tuple[int, str]:
    """The size and digest of the lines after the manifest."""
    hashed, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        file.readline(MANIFEST_LINE)
        while piece := file.read(_PIECE):
            hashed.update(piece)
            size += len(piece)
    return size, f"sha-256:{hashed.hexdigest()}"
