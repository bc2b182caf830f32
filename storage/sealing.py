"""Personal data at rest: what a row says of people is sealed, and found again by keyed hash.

Every aggregate seals the columns that hold contents (documents, messages, names, results) before they reach the
database, on any engine, so that a stolen file, dump or replica gives none of it. A value is sealed with
XChaCha20-Poly1305 (libsodium ``aead_xchacha20poly1305_ietf``) with its table, column and row as associated data: a
value that was changed, or moved to another row or column, does not open. What must be found by equality has a column
beside it with a keyed BLAKE2b hash (:meth:`Sealing.blind`), which tells that two rows of one column have the same
value, and nothing else to who has no key.

What stays readable: ids, states, times, DIDs and keys of this node and its peers, types of messages, sizes and counts.

Form of a sealed value: one byte 0x01, the nonce of 24 bytes, the ciphertext with its tag of 16 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, NoReturn, overload

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from protocols.errors import BadInput, LernodeError
from storage.values import from_json, to_json

__all__ = ["Sealing"]

_VERSION = b"\x01"
_NONCE = 24
_BLIND = 16


class Sealing:
    """Seals and opens the contents of rows while a node runs; its keys come from the vault and are shown to nobody.

    Args:
        master: 32 secret bytes, from which a key for contents and a key for lookups are derived.
        entropy: gives so many unpredictable bytes; used for nonces.
    """

    __slots__ = ("_contents", "_entropy", "_lookups")

    def __init__(self, master: bytes, entropy: Callable[[int], bytes]) -> None:
        self._contents = _derived(master, b"lernode contents")
        self._lookups = _derived(master, b"lernode lookups")
        self._entropy = entropy

    @overload
    def seal(self, column: str, row_id: str, value: bytes | str) -> bytes: ...
    @overload
    def seal(self, column: str, row_id: str, value: bytes | str | None) -> bytes | None: ...
    def seal(self, column: str, row_id: str, value: bytes | str | None) -> bytes | None:
        """``value`` as it may stand in ``column`` (``"table.column"``) of this row; None stays None.

        Raises:
            BadInput: ``store.value_refused`` for a text that UTF-8 cannot say.
        """
        if value is None:
            return None
        nonce = self._entropy(_NONCE)
        try:
            plaintext = value.encode() if isinstance(value, str) else value
        except UnicodeEncodeError:
            raise BadInput("store.value_refused", "A text has half a character.", "Check the input.") from None
        sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, _place(column, row_id), nonce, self._contents)
        return _VERSION + nonce + sealed

    @overload
    def open(self, column: str, row_id: str, sealed: bytes) -> bytes: ...
    @overload
    def open(self, column: str, row_id: str, sealed: bytes | None) -> bytes | None: ...
    def open(self, column: str, row_id: str, sealed: bytes | None) -> bytes | None:
        """What :meth:`seal` was given for this place.

        Raises:
            LernodeError: ``store.content_altered`` where it was changed, moved, or sealed under another key.
        """
        if sealed is None:
            return None
        end = len(_VERSION) + _NONCE
        try:
            if sealed[: len(_VERSION)] != _VERSION:
                raise _altered()
            return crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed[end:], _place(column, row_id), sealed[len(_VERSION) : end], self._contents
            )
        except (CryptoError, ValueError, TypeError):
            raise _altered() from None

    def seal_json(self, column: str, row_id: str, value: Mapping[str, Any] | list[Any] | tuple[Any, ...]) -> bytes:
        """As :meth:`seal`, for JSON values.

        Raises:
            BadInput: ``store.value_refused`` for what JSON cannot say.
        """
        return self.seal(column, row_id, to_json(value))

    def open_json(self, column: str, row_id: str, sealed: bytes) -> Any:
        """What :meth:`seal_json` was given.

        Raises:
            LernodeError: ``store.content_altered``.
        """
        return from_json(self.open(column, row_id, sealed).decode())

    def open_text(self, column: str, row_id: str, sealed: bytes | None) -> str | None:
        """The text that :meth:`seal` was given; None stays None.

        Raises:
            LernodeError: ``store.content_altered``.
        """
        opened = self.open(column, row_id, sealed)
        return None if opened is None else opened.decode()

    @overload
    def blind(self, column: str, value: str) -> bytes: ...
    @overload
    def blind(self, column: str, value: str | None) -> bytes | None: ...
    def blind(self, column: str, value: str | None) -> bytes | None:
        """The keyed hash by which rows with this value in ``column`` are found; None stays None."""
        if value is None:
            return None
        return blake2b(_place(column, value), digest_size=_BLIND, key=self._lookups).digest()

    def __repr__(self) -> str:
        return "Sealing()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A sealing is not serialised.")


def _place(column: str, name: str) -> bytes:
    # A column has no NUL in its name, so that no two places read alike.
    return column.encode() + b"\0" + name.encode("utf-8", "surrogatepass")


def _derived(master: bytes, purpose: bytes) -> bytes:
    return blake2b(purpose, digest_size=32, key=master).digest()


def _altered() -> LernodeError:
    return LernodeError(
        "store.content_altered",
        "What a row of the store holds was altered, or moved from another row.",
        "Stop the node and put back the last backup.",
    )
