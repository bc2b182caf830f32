"""A PKCS#11 token (hardware module, smart card, SoftHSM) that holds signing keys: they sign in it and never leave it.

Spec: PKCS #11 v3.0, mechanisms CKM_EDDSA (Ed25519) and CKM_ECDSA (P-256, P-384) over a hash made here.

A token may be slow and may be away. It is opened when it is first needed, so a node starts without it; what needs no
signature goes on, and what does fails with ``token.unreachable`` until it is back. All calls block, and are made in
threads, one at a time. A PIN that the token refuses is not tried again while the process lives: a few wrong ones lock a
token for good.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from node.config import KeysConfig
from protocols.errors import BadInput, LernodeError, NotNow, WrongState
from protocols.keys import PublicKey, Signer, SoftwareSigner
from protocols.multiformats import Multicodec
from storage.keys import TokenKey

__all__ = ["Token", "TokenSigner", "perform"]

T = TypeVar("T")

_PIN_VARIABLE = "LERNODE_PKCS11_PIN"
_PIN_CREDENTIAL = "lernode.pkcs11-pin"
_HASHES = {Multicodec.P256_PUB: hashlib.sha256, Multicodec.P384_PUB: hashlib.sha384}
_CURVES = {
    bytes.fromhex("06082a8648ce3d030107"): Multicodec.P256_PUB,
    bytes.fromhex("06052b81040022"): Multicodec.P384_PUB,
    bytes.fromhex("06032b6570"): Multicodec.ED25519_PUB,  # the OID, as PKCS #11 v3.0 has it
    bytes.fromhex("130c656477617264733235353139"): Multicodec.ED25519_PUB,  # the curve's name, as its drafts had it
}
"""CKA_EC_PARAMS, DER -> kind of key."""


class Token:
    """The token that the configuration names, or none."""

    def __init__(self, config: KeysConfig, home: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._config = config
        self._home = home
        self._environ = environ
        self._lock = Lock()
        self._session: Any = None
        self._private: dict[str, Any] = {}
        self._refused = False

    async def find(self, label: str) -> TokenKey:
        """The key pair with this label.

        Raises:
            WrongState: ``token.not_configured``, ``token.key_unknown``, ``token.pin_refused``.
            BadInput: ``token.key_unfit``, ``config.pkcs11_pin``.
            NotNow: ``token.unreachable``.
        """
        public = await asyncio.to_thread(self._used, lambda session: _public(session, label))
        return TokenKey(public.codec, public.raw, label)

    def sign(self, key: TokenKey, data: bytes) -> bytes:
        """The signature over ``data``, as :class:`Signer` has it; blocks while the token works.

        Raises:
            WrongState, BadInput, NotNow: as :meth:`find`.
        """
        return self._used(lambda session: self._signature(session, key, data))

    def close(self) -> None:
        """Log out."""
        with self._lock:
            self._forget()

    def _signature(self, session: Any, key: TokenKey, data: bytes) -> bytes:
        pkcs11 = _library()
        private = self._private.get(key.label)
        if private is None:
            private = self._private[key.label] = _object(session, key.label, pkcs11.ObjectClass.PRIVATE_KEY)
        if key.codec in _HASHES:
            signature: bytes = private.sign(_HASHES[key.codec](data).digest(), mechanism=pkcs11.Mechanism.ECDSA)
        else:
            signature = private.sign(data, mechanism=pkcs11.Mechanism.EDDSA)
        # A token whose key was replaced under the same label would sign what nobody can verify.
        if not PublicKey(key.codec, key.public).verify(data, signature):
            raise _key_unknown()
        return signature

    def _used(self, work: Callable[[Any], T]) -> T:
        """What ``work`` gives; once more with a new session where the token was pulled out and put back meanwhile."""
        library = _library()
        with self._lock:
            for is_last in (False, True):
                try:
                    if self._session is None:
                        self._session = self._opened(library)
                    return work(self._session)
                except LernodeError:
                    raise
                except library.exceptions.PinIncorrect:
                    self._refused = True
                    raise _pin_refused() from None
                except library.exceptions.PKCS11Error:
                    self._forget()
                    if is_last:
                        raise _unreachable() from None
        raise AssertionError("not reached")

    def _opened(self, library: Any) -> Any:
        config = self._config
        if not config.pkcs11_module or not config.pkcs11_token:
            raise WrongState(
                "token.not_configured", "This node has no token.", "Set pkcs11_module and pkcs11_token under [keys]."
            )
        if self._refused:
            raise _pin_refused()
        loaded = library.lib(config.pkcs11_module)
        try:
            token = loaded.get_token(token_label=config.pkcs11_token)
        except library.exceptions.NoSuchToken:
            # A module may note tokens that come only when it starts.
            loaded.reinitialize()
            token = loaded.get_token(token_label=config.pkcs11_token)
        try:
            return token.open(user_pin=_pin(config, self._home, self._environ))
        except library.exceptions.UserAlreadyLoggedIn:
            return token.open()  # a login is that of the whole process

    def _forget(self) -> None:
        session, self._session = self._session, None
        self._private.clear()
        if session is not None:
            try:
                session.close()
            except _library().exceptions.PKCS11Error:
                return  # it went with the token

    def __repr__(self) -> str:
        return "Token()"


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """A :class:`Signer` whose key is in a token; see :func:`perform`."""

    token: Token
    key: TokenKey
    verification_method: str

    @property
    def codec(self) -> Multicodec:
        """What kind of key signs."""
        return self.key.codec

    def sign(self, data: bytes) -> bytes:
        """The signature of ``data`` under the key; blocks.

        Raises:
            LernodeError: ``token.*``.
        """
        return self.token.sign(self.key, data)


async def perform(signer: Signer, work: Callable[[], T]) -> T:
    """Do what signs with ``signer``, without holding up the event loop where that takes long."""
    return work() if isinstance(signer, SoftwareSigner) else await asyncio.to_thread(work)


def _library() -> Any:
    try:
        return import_module("pkcs11")
    except ImportError:
        raise WrongState(
            "token.library_missing",
            "What speaks with PKCS#11 tokens is not installed.",
            "Install it with: pip install 'lernode[pkcs11]'",
        ) from None


def _public(session: Any, label: str) -> PublicKey:
    attribute = _library().Attribute
    found = _object(session, label, _library().ObjectClass.PUBLIC_KEY)
    codec = _CURVES.get(bytes(found[attribute.EC_PARAMS]))
    point = _unwrapped(bytes(found[attribute.EC_POINT]))
    if codec in _HASHES and len(point) % 2 and point[:1] == b"\x04":
        size = len(point) // 2
        point = bytes([2 + point[-1] % 2]) + point[1 : size + 1]
    if codec is None or not PublicKey(codec, point).is_usable:
        raise BadInput(
            "token.key_unfit", "The token's key is of a kind that lernode does not use.", "Use Ed25519, P-256 or P-384."
        )
    return PublicKey(codec, point)


def _unwrapped(point: bytes) -> bytes:
    """CKA_EC_POINT is a DER OCTET STRING; some modules leave the wrapping away."""
    is_wrapped = len(point) > 2 and point[0] == 0x04 and point[1] == len(point) - 2
    return point[2:] if is_wrapped else point


def _object(session: Any, label: str, object_class: Any) -> Any:
    library = _library()
    try:
        return session.get_key(label=label, object_class=object_class)
    except (library.exceptions.NoSuchKey, library.exceptions.MultipleObjectsReturned):
        raise _key_unknown() from None


def _pin(config: KeysConfig, home: Path, environ: Mapping[str, str]) -> str | None:
    """The PIN: of the file that is configured, the environment, or a credential of systemd."""
    name, folder = config.pkcs11_pin_file, environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(folder) / _PIN_CREDENTIAL if folder else None
    if not name and (_PIN_VARIABLE in environ or credential is None or not credential.is_file()):
        return environ.get(_PIN_VARIABLE)
    try:
        return (home / name if name or credential is None else credential).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            "config.pkcs11_pin", "The PIN of the token cannot be read.", "Check keys.pkcs11_pin_file."
        ) from None


def _unreachable() -> NotNow:
    return NotNow(
        "token.unreachable",
        "The token with the signing key cannot be used now.",
        "Check that it is there, and [keys] in lernode.toml; then do it again.",
    )


def _pin_refused() -> WrongState:
    return WrongState(
        "token.pin_refused",
        "The token refused the PIN, which is not tried again so that it does not lock.",
        "Correct the PIN, and start the node again.",
    )


def _key_unknown() -> WrongState:
    return WrongState(
        "token.key_unknown", "The token does not have one such key.", "Check its label, which has to be there once."
    )
