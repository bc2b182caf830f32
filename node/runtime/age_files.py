"""Files of the format age (age-encryption.org/v1), which standard tools open: under a passphrase, or to a recipient.

To and from a recipient they are written and read piece by piece, however large they are; under a passphrase the library
wants the whole in memory.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

import pyrage

from protocols.errors import BadInput, NotNow

__all__ = ["AgeLock", "AgeSecret", "Encryption", "Recipient", "decrypt", "decrypted", "encrypt"]

_TIMINGS = 8


@dataclass(frozen=True, slots=True)
class Recipient:
    """A public key of age, ``age1...``: what is encrypted to it opens with its identity file only."""

    text: str


AgeLock = str | Recipient
"""What a file is encrypted to: a passphrase, or a recipient."""

AgeSecret = str | bytes
"""What opens a file: a passphrase, or the text of an identity file (bytes)."""


class _Sink(Protocol):
    def write(self, data: bytes, /) -> int: ...
    def flush(self) -> None: ...


def encrypt(plain: bytes, lock: AgeLock) -> bytes:
    """The age file of ``plain``.

    Raises:
        BadInput: ``age.recipient``.
    """
    if isinstance(lock, str):
        return bytes(pyrage.passphrase.encrypt(plain, lock))
    return bytes(pyrage.encrypt(plain, [_recipient(lock)]))


def decrypt(sealed: bytes, secret: AgeSecret) -> bytes:
    """What an age file holds.

    Raises:
        BadInput: ``age.wrong_secret``.
        NotNow: ``age.too_much_work``.
    """
    try:
        if isinstance(secret, str):
            return _decrypt_patiently(sealed, secret)
        return bytes(pyrage.decrypt(sealed, _identities(secret)))
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError):
        raise _wrong_secret() from None


class Encryption:
    """Encrypts what is written into it into another file; not for two threads at once.

    Raises:
        BadInput: ``age.recipient``.
    """

    def __init__(self, target: _Sink, lock: AgeLock) -> None:
        self._error: BaseException | None = None
        self._worker: threading.Thread | None = None
        self._sealed: Callable[[], None] = lambda: None
        if isinstance(lock, str):
            whole = BytesIO()
            self._plain: BinaryIO = whole
            self._sealed = lambda: _write_all(target, encrypt(whole.getvalue(), lock))
            return
        recipient = _recipient(lock)
        reader, self._plain = _pipe()
        self._worker = threading.Thread(target=self._encrypt, args=(reader, target, recipient), name="age")
        self._worker.start()

    def write(self, data: bytes) -> int:
        """Encrypt more.

        Raises:
            OSError: the target took no more.
        """
        return self._plain.write(data)

    def flush(self) -> None:
        """Nothing: what is encrypted is written in whole pieces."""

    def finish(self) -> None:
        """Encrypt what is left.

        Raises:
            OSError: the target did not take it.
        """
        if self._worker is None:
            self._sealed()
            return
        self._end()
        if self._error is not None:
            raise OSError("The encrypted file was not written.") from self._error

    def abandon(self) -> None:
        """Let go of what is half done; after :meth:`finish` it does nothing."""
        if self._worker is not None:
            with suppress(OSError):
                self._end()

    def _end(self) -> None:
        try:
            self._plain.close()
        finally:
            if self._worker is not None:
                self._worker.join()

    def _encrypt(self, reader: BinaryIO, target: _Sink, recipient: object) -> None:
        try:
            with reader:
                pyrage.encrypt_io(reader, target, [recipient])
        except BaseException as error:  # whatever it is, who writes has to hear of it
            self._error = error


@contextmanager
def decrypted(source: Path, identities: bytes) -> Iterator[BinaryIO]:
    """What a file holds that was encrypted to a recipient, to be read piece by piece; it may be left unread.

    A file that was cut off is known as such only at its end.

    Args:
        identities: the text of an identity file.

    Raises:
        BadInput: ``age.wrong_secret``.
        OSError: the file cannot be read.
    """
    try:
        keys = _identities(identities)
    except (pyrage.IdentityError, ValueError):
        raise _wrong_secret() from None
    errors: list[BaseException] = []
    with source.open("rb") as sealed:
        reader, writer = _pipe()

        def decrypt_all() -> None:
            try:
                pyrage.decrypt_io(sealed, writer, keys)
                writer.flush()
            except BaseException as error:  # whatever it is, who reads has to hear of it
                errors.append(error)
            finally:
                with suppress(OSError):
                    writer.close()

        worker = threading.Thread(target=decrypt_all, name="age")
        worker.start()
        try:
            yield reader
        finally:
            # What goes wrong from here on is that nobody reads any more.
            failed = bool(errors)
            reader.close()
            worker.join()
            if failed:
                raise _wrong_secret()


def _decrypt_patiently(sealed: bytes, passphrase: str) -> bytes:
    """Open what a passphrase seals, also while the machine is busy.

    age times the machine for an instant, and refuses a file whose passphrase would take it much too long to try. An
    instant in which something else ran says nothing, so it is asked again.
    """
    for _ in range(_TIMINGS):
        try:
            return bytes(pyrage.passphrase.decrypt(sealed, passphrase))
        except pyrage.DecryptError as error:
            if "Excessive work" not in str(error):
                raise
    raise NotNow(
        "age.too_much_work", "Opening the file would take this machine too long.", "Try again when it is less busy."
    )


def _recipient(lock: Recipient) -> object:
    try:
        return pyrage.x25519.Recipient.from_str(lock.text)
    except (pyrage.RecipientError, ValueError):
        raise BadInput("age.recipient", "That is no age recipient.", "Give the age1... of age-keygen.") from None


def _identities(text: bytes) -> list[object]:
    keys = [line for line in text.decode("ascii").split() if line.startswith("AGE-SECRET-KEY-")]
    return [pyrage.x25519.Identity.from_str(key) for key in keys]


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    reader, writer = os.pipe()
    return os.fdopen(reader, "rb"), os.fdopen(writer, "wb")


def _write_all(target: _Sink, data: bytes) -> None:
    target.write(data)
    target.flush()


def _wrong_secret() -> BadInput:
    return BadInput(
        "age.wrong_secret", "The file does not open with that, or is damaged.", "Check passphrase or identity."
    )
