"""Files of the format age (age-encryption.org/v1), which standard tools open: under a passphrase, or to a recipient."""

from __future__ import annotations

from dataclasses import dataclass

import pyrage

from protocols.errors import BadInput, NotNow

__all__ = ["AgeLock", "AgeSecret", "Recipient", "decrypt", "encrypt"]

_TIMINGS = 8


@dataclass(frozen=True, slots=True)
class Recipient:
    """A public key of age, ``age1...``: what is encrypted to it opens with its identity file only."""

    text: str


AgeLock = str | Recipient
"""What a file is encrypted to: a passphrase, or a recipient."""

AgeSecret = str | bytes
"""What opens a file: a passphrase, or the text of an identity file (bytes)."""


def encrypt(plain: bytes, lock: AgeLock) -> bytes:
    """The age file of ``plain``.

    Raises:
        BadInput: ``age.recipient``.
    """
    if isinstance(lock, str):
        return bytes(pyrage.passphrase.encrypt(plain, lock))
    try:
        return bytes(pyrage.encrypt(plain, [pyrage.x25519.Recipient.from_str(lock.text)]))
    except (pyrage.RecipientError, ValueError):
        raise BadInput("age.recipient", "That is no age recipient.", "Give the age1... of age-keygen.") from None


def decrypt(sealed: bytes, secret: AgeSecret) -> bytes:
    """What an age file holds.

    Raises:
        BadInput: ``age.wrong_secret``.
        NotNow: ``age.too_much_work``.
    """
    try:
        if isinstance(secret, str):
            return _decrypt_patiently(sealed, secret)
        keys = [line for line in secret.decode("ascii").split() if line.startswith("AGE-SECRET-KEY-")]
        return bytes(pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(key) for key in keys]))
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError):
        raise BadInput(
            "age.wrong_secret", "The file does not open with that, or is damaged.", "Check passphrase or identity."
        ) from None


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
