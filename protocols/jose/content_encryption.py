"""Content encryption of JWE (RFC 7518 §5, and XC20P of draft-amringer-jose-chacha-02), by OpenSSL and libsodium.

Each algorithm is one line of the table. AES-GCM and XChaCha20-Poly1305 are the libraries' own; A256CBC-HS512 is what
RFC 7518 §5.2 composes of their AES-CBC and HMAC, whose tag is compared in constant time before anything is decrypted.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7
from nacl import bindings
from nacl.exceptions import CryptoError

__all__ = ["CONTENT_ENCRYPTIONS", "ContentEncryption", "Undecryptable"]

_BLOCK_BITS = 128
_TAG_BYTES = 16


class Undecryptable(Exception):
    """The tag does not hold; says nothing about why."""


@dataclass(frozen=True, slots=True)
class ContentEncryption:
    """One ``enc``.

    Attributes:
        seal: ``(plaintext, aad, iv, key) -> ciphertext and tag, one after the other``.
        open: ``(ciphertext and tag, aad, iv, key) -> plaintext``; raises :class:`Undecryptable`.
    """

    key_bytes: int
    iv_bytes: int
    tag_bytes: int
    seal: Callable[[bytes, bytes, bytes, bytes], bytes]
    open: Callable[[bytes, bytes, bytes, bytes], bytes]


def _seal_gcm(plaintext: bytes, aad: bytes, iv: bytes, key: bytes) -> bytes:
    return AESGCM(key).encrypt(iv, plaintext, aad)


def _open_gcm(sealed: bytes, aad: bytes, iv: bytes, key: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(iv, sealed, aad)
    except InvalidTag:
        raise Undecryptable from None


def _seal_xc20p(plaintext: bytes, aad: bytes, iv: bytes, key: bytes) -> bytes:
    return bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, aad, iv, key)


def _open_xc20p(sealed: bytes, aad: bytes, iv: bytes, key: bytes) -> bytes:
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, aad, iv, key)
    except CryptoError:
        raise Undecryptable from None


def _seal_cbc_hs512(plaintext: bytes, aad: bytes, iv: bytes, key: bytes) -> bytes:
    """RFC 7518 §5.2.2.1: the first half of the key is for the tag, the second for the cipher."""
    padder = PKCS7(_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(key[32:]), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()
    return ciphertext + _cbc_tag(ciphertext, aad, iv, key)


def _open_cbc_hs512(sealed: bytes, aad: bytes, iv: bytes, key: bytes) -> bytes:
    ciphertext, tag = sealed[:-32], sealed[-32:]
    if not hmac.compare_digest(tag, _cbc_tag(ciphertext, aad, iv, key)):
        raise Undecryptable
    decryptor = Cipher(algorithms.AES(key[32:]), modes.CBC(iv)).decryptor()
    unpadder = PKCS7(_BLOCK_BITS).unpadder()
    try:
        return unpadder.update(decryptor.update(ciphertext) + decryptor.finalize()) + unpadder.finalize()
    except ValueError:  # whoever has the key made a ciphertext that is no padded text
        raise Undecryptable from None


def _cbc_tag(ciphertext: bytes, aad: bytes, iv: bytes, key: bytes) -> bytes:
    aad_bits = (8 * len(aad)).to_bytes(8, "big")
    return hmac.digest(key[:32], aad + iv + ciphertext + aad_bits, hashlib.sha512)[:32]


CONTENT_ENCRYPTIONS: dict[str, ContentEncryption] = {
    "A256CBC-HS512": ContentEncryption(64, 16, 32, _seal_cbc_hs512, _open_cbc_hs512),
    "A256GCM": ContentEncryption(32, 12, _TAG_BYTES, _seal_gcm, _open_gcm),
    "XC20P": ContentEncryption(32, 24, _TAG_BYTES, _seal_xc20p, _open_xc20p),
}
"""``enc`` -> how content is encrypted."""
