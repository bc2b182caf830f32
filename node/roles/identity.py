"""The DIDs that this node speaks as, and the signers that belong to them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any

from node.runtime.keyring import Keyring
from node.runtime.world import World
from protocols.did import jwk as did_jwk
from protocols.did import key as did_key
from protocols.did import web as did_web
from protocols.errors import BadInput, WrongState
from protocols.keys import PublicKey, Signer
from protocols.multiformats import Multicodec
from storage import audit, dids
from storage.dids import DidPurpose, KeyState, OwnDid, OwnKey
from storage.engine import Transaction
from storage.keys import StoredKey, TokenKey, verkey_of

__all__ = ["OWN_METHODS", "Identity", "web_document"]

_log = logging.getLogger("lernode.identity")
_WEB = "web"
_FROM_KEY: dict[str, Callable[[PublicKey], tuple[str, str]]] = {
    "key": lambda key: (did_key.did_from_key(key), key.multikey),
    "jwk": lambda key: (did_jwk.did_from_public(key), did_jwk.FRAGMENT),
}
"""Methods whose identifier is the key: gives the DID, and the fragment of its one verification method."""

OWN_METHODS = (*_FROM_KEY, _WEB)
"""The methods of the DIDs that a node can make for itself."""

_ED25519 = (Multicodec.ED25519_PUB,)


class Identity:
    """Makes and finds the node's own DIDs."""

    def __init__(self, keyring: Keyring, world: World, endpoint: str) -> None:
        self._keyring = keyring
        self._world = world
        self._endpoint = endpoint

    async def create(
        self, tx: Transaction, method: str, purpose: DidPurpose, wanted: Sequence[Multicodec | TokenKey] = _ED25519
    ) -> OwnDid:
        """A DID with fresh keys, or keys of the token.

        Args:
            method: one of :data:`OWN_METHODS`. ``web`` is the DID of the node's endpoint, under which it issues;
                there is one. The others need no server, and have one key.
            wanted: a key of each of these kinds is made, or taken; the first signs where no kind is asked for.

        Raises:
            BadInput: ``did.method_unfit`` for an unknown method, ``did.purpose_unfit`` for a did:web that does not
                issue, ``did.keys_unfit``; ``did.web_url`` where the endpoint cannot be a did:web.
            WrongState: ``did.exists``.
        """
        if method not in OWN_METHODS:
            raise BadInput(
                "did.method_unfit", "A node has no DIDs of this method.", f"Use one of {', '.join(OWN_METHODS)}."
            )
        if method == _WEB and purpose is not DidPurpose.ISSUER:
            raise BadInput(
                "did.purpose_unfit", "A did:web is for an issuer.", "Use the method key, or the purpose issuer."
            )
        if not wanted or (method != _WEB and len(wanted) > 1):
            raise BadInput("did.keys_unfit", f"A did:{method} has one key.", "Name one kind of key, or use did:web.")
        keys = [await self._keyring.create_signing(tx, each, purpose.value) for each in wanted]
        if method == _WEB:
            name = did_web.did_from_url(self._endpoint)
            own = tuple(_own_key(f"key-{number}", key) for number, key in enumerate(keys, start=1))
        else:
            name, fragment = _FROM_KEY[method](PublicKey(keys[0].codec, keys[0].public))
            own = (_own_key(fragment, keys[0]),)
        now = self._world.clock()
        did = OwnDid(did=name, method=method, purpose=purpose, keys=own, created=now)
        await dids.add(tx, did)
        await audit.append(tx, at=now, event="did.created", actor="operator", subjects=(name,))
        return did

    async def warn_of_another_address(self, tx: Transaction) -> None:
        """Say in the log where verifiers look for the issuer's did:web at another address than the node's endpoint.

        So it is after the endpoint was changed, and where the store is of another node.
        """
        own = await dids.default(tx, DidPurpose.ISSUER)
        if own is None or own.method != _WEB:
            return
        try:
            here = did_web.did_from_url(self._endpoint)
        except BadInput:  # no did:web is at such an endpoint
            here = None
        if here != own.did:
            facts = {"did": own.did, "endpoint": self._endpoint}
            _log.warning("the issuer's DID is looked for at another address than node.endpoint", extra={"facts": facts})

    async def add_key(self, tx: Transaction, did: str, wanted: Multicodec | TokenKey) -> OwnDid:
        """A fresh key, or one of the token, in the document of the node's did:web; what others signed stays as it is.

        Raises:
            WrongState: ``did.unknown``.
            BadInput: ``did.keys_unfit`` where the method has one key.
        """
        await tx.lock(_lock(did))
        own = await dids.get(tx, did)
        if own.method != _WEB:
            raise BadInput("did.keys_unfit", f"A did:{own.method} has one key for ever.", "Make another DID.")
        key = await self._keyring.create_signing(tx, wanted, own.purpose.value)
        await dids.add_key(tx, own.did, _own_key(_next_fragment(own), key))
        now = self._world.clock()
        await audit.append(tx, at=now, event="did.key_added", actor="operator", subjects=(own.did,))
        return await dids.get(tx, did)

    async def rotate_key(
        self, tx: Transaction, did: str, fragment: str | None, successor: TokenKey | None = None, *, compromised: bool
    ) -> OwnDid:
        """Let fresh keys sign from now on in the place of those that sign for the node's did:web.

        What the old keys signed still verifies: they stay in the document to assert, though not to authenticate.

        Args:
            fragment: of the one key to do this for; every key that signs, where it is left out.
            successor: a key of the token to sign instead of a fresh one, where one key is rotated.
            compromised: whether somebody else may have the old keys. Then nothing that they signed verifies any more;
                a key that signs no more already is withdrawn, and gets no other in its place.

        Raises:
            WrongState: ``did.unknown``, ``did.key_unknown``, ``did.key_retired``.
            BadInput: ``did.keys_unfit`` where the method has one key, or one successor is given for several keys.
        """
        await tx.lock(_lock(did))
        own = await dids.get(tx, did)
        if own.method != _WEB:
            raise BadInput("did.keys_unfit", f"A did:{own.method} has one key for ever.", "Make another DID.")
        now = self._world.clock()
        ending = own.keys if fragment is None else (_key_named(own, fragment, compromised=compromised),)
        if successor is not None and len(ending) > 1:
            raise BadInput("did.keys_unfit", "One key cannot take the place of several.", "Name the one to rotate.")
        for old in ending:
            if old.state is KeyState.ACTIVE:
                await self._replace(tx, await dids.get(tx, did), old, successor or old.codec)
            state = KeyState.WITHDRAWN if compromised else KeyState.RETIRED
            await dids.end_key(tx, own.did, old.fragment, state, now)
            event = "did.key_withdrawn" if compromised else "did.key_rotated"
            details = {"key": old.fragment}
            await audit.append(tx, at=now, event=event, actor="operator", subjects=(own.did,), details=details)
        return await dids.get(tx, did)

    async def _replace(self, tx: Transaction, own: OwnDid, old: OwnKey, wanted: Multicodec | TokenKey) -> None:
        key = await self._keyring.create_signing(tx, wanted, own.purpose.value)
        await dids.replace_key(tx, own.did, old, _own_key(_next_fragment(own), key))

    async def default(self, tx: Transaction, purpose: DidPurpose) -> OwnDid:
        """The DID to act as.

        Raises:
            WrongState: ``did.none``.
        """
        found = await dids.default(tx, purpose)
        if found is None:
            raise WrongState(
                "did.none", f"This node has no DID as {purpose.value}.", "Make one with: lernode did create"
            )
        return found

    async def choose(self, tx: Transaction, did: str) -> OwnDid:
        """Make a DID the default of its purpose.

        Raises:
            WrongState: ``did.unknown``, ``did.retired``.
        """
        own = await dids.get(tx, did)
        if own.state is not dids.DidState.ACTIVE:
            raise WrongState("did.retired", "This DID is retired.", "Choose an active one.")
        await dids.choose(tx, own)
        await audit.append(tx, at=self._world.clock(), event="did.chosen", actor="operator", subjects=(own.did,))
        return own

    async def able(self, tx: Transaction, purpose: DidPurpose, key_types: Collection[Multicodec]) -> OwnDid:
        """The DID to act as where a key of one of these kinds has to sign: the default, else the oldest that can.

        Raises:
            WrongState: ``did.none``, ``did.no_key``.
        """
        candidates = [await self.default(tx, purpose)]
        candidates += await dids.page(tx, purpose=purpose, state=dids.DidState.ACTIVE)
        for own in candidates:
            if any(key.codec in key_types for key in own.keys):
                return own
        raise _no_key()

    async def signer(self, tx: Transaction, did: OwnDid, key_types: Collection[Multicodec] | None = None) -> Signer:
        """Signs as ``did``, with its first key that is of one of the kinds.

        Raises:
            WrongState: ``did.no_key`` where it has no such key.
        """
        for key in did.keys:
            if key_types is None or key.codec in key_types:
                return await self._keyring.signer(tx, key.verkey, f"{did.did}#{key.fragment}")
        raise _no_key()

    async def signer_named(self, tx: Transaction, did: OwnDid, verification_method: str) -> Signer:
        """Signs as ``did`` with the key of this verification method (absolute DID URL).

        Raises:
            WrongState: ``did.no_key``.
        """
        for key in did.keys:
            if f"{did.did}#{key.fragment}" == verification_method:
                return await self._keyring.signer(tx, key.verkey, verification_method)
        raise _no_key()


def web_document(did: OwnDid) -> dict[str, Any]:
    """The document to serve for a did:web of this node."""
    former = [(key, key.changed or did.created) for key in did.former_keys]
    return did_web.build_document(
        did.did,
        [(key.fragment, key.public) for key in did.keys],
        retired=[(key.fragment, key.public) for key, _ in former if key.state is KeyState.RETIRED],
        withdrawn=[(key.fragment, key.public, at) for key, at in former if key.state is KeyState.WITHDRAWN],
    )


def _own_key(fragment: str, key: StoredKey) -> OwnKey:
    return OwnKey(fragment, verkey_of(key), key.codec)


def _lock(did: str) -> str:
    return f"keys of {did}"


def _next_fragment(did: OwnDid) -> str:
    return f"key-{len(did.keys) + len(did.former_keys) + 1}"


def _key_named(did: OwnDid, fragment: str, *, compromised: bool) -> OwnKey:
    """The key to rotate, or to withdraw where it is ``compromised``."""
    for key in (*did.keys, *did.former_keys):
        if key.fragment != fragment:
            continue
        if key.state is KeyState.WITHDRAWN or (key.state is KeyState.RETIRED and not compromised):
            raise WrongState("did.key_retired", "This key signs no more.", "To withdraw it: --compromised")
        return key
    raise WrongState("did.key_unknown", "The DID has no such key.", "List them with: lernode did --json")


def _no_key() -> WrongState:
    return WrongState(
        "did.no_key", "The DID has no key of the kind that is needed.", "Make one: lernode did add-key, or create --key"
    )
