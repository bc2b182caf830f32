"""What envelopes are made of, bare: the calls of libsodium and OpenSSL that one recipient needs, with the same sizes.

Keys are there already, but for the ephemeral one, which every envelope has anew. No encoding, no JSON, no header: what
lernode costs beside these is its own.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from nacl import bindings

__all__ = ["Pair", "anoncrypt_v2", "authcrypt_v1", "authcrypt_v2"]

Pair = tuple[Callable[[], object], Callable[[], object]]
"""What packing needs, and what unpacking needs."""


def authcrypt_v1(plaintext: bytes, aad: bytes, verkey: str) -> Pair:
    """RFC 0019: a sealed box of the sender's verkey, a box of the content key, and the content."""
    public, secret = bindings.crypto_box_keypair()
    their_public, their_secret = bindings.crypto_box_keypair()
    content_key, named = os.urandom(32), verkey.encode()
    box_nonce, nonce = os.urandom(bindings.crypto_box_NONCEBYTES), os.urandom(12)

    def pack() -> tuple[bytes, bytes, bytes]:
        return (
            bindings.crypto_box_seal(named, their_public),
            bindings.crypto_box(content_key, box_nonce, their_public, secret),
            bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, aad, nonce, content_key),
        )

    sender, key, content = pack()

    def unpack() -> bytes:
        bindings.crypto_box_seal_open(sender, their_public, their_secret)
        opened = bindings.crypto_box_open(key, box_nonce, public, their_secret)
        return bindings.crypto_aead_chacha20poly1305_ietf_decrypt(content, aad, nonce, opened)

    return pack, unpack


def authcrypt_v2(plaintext: bytes, aad: bytes, other_info: bytes) -> Pair:
    """ECDH-1PU+A256KW with A256CBC-HS512 over X25519: two secrets shared by either side.

    Args:
        other_info: what goes into the key derivation beside the secrets.
    """
    our_public, ours = bindings.crypto_box_keypair()
    their_public, theirs = bindings.crypto_box_keypair()
    content_key, iv = os.urandom(64), os.urandom(16)

    def pack() -> tuple[bytes, bytes, bytes]:
        ephemeral = os.urandom(32)
        epk = bindings.crypto_scalarmult_base(ephemeral)
        shared = bindings.crypto_scalarmult(ephemeral, their_public) + bindings.crypto_scalarmult(ours, their_public)
        return epk, _wrap(shared, other_info, content_key), _seal_cbc(plaintext, aad, iv, content_key)

    epk, wrapped, sealed = pack()

    def unpack() -> bytes:
        shared = bindings.crypto_scalarmult(theirs, epk) + bindings.crypto_scalarmult(theirs, our_public)
        return _open_cbc(sealed, aad, iv, _unwrap(shared, other_info, wrapped))

    return pack, unpack


def anoncrypt_v2(plaintext: bytes, aad: bytes, other_info: bytes) -> Pair:
    """ECDH-ES+A256KW with XC20P over X25519: one secret shared by either side.

    Args:
        other_info: as of :func:`authcrypt_v2`.
    """
    their_public, theirs = bindings.crypto_box_keypair()
    content_key, iv = os.urandom(32), os.urandom(24)

    def pack() -> tuple[bytes, bytes, bytes]:
        ephemeral = os.urandom(32)
        epk = bindings.crypto_scalarmult_base(ephemeral)
        sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, aad, iv, content_key)
        return epk, _wrap(bindings.crypto_scalarmult(ephemeral, their_public), other_info, content_key), sealed

    epk, wrapped, sealed = pack()

    def unpack() -> bytes:
        opened = _unwrap(bindings.crypto_scalarmult(theirs, epk), other_info, wrapped)
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, aad, iv, opened)

    return pack, unpack


def _wrap(shared: bytes, other_info: bytes, content_key: bytes) -> bytes:
    return aes_key_wrap(ConcatKDFHash(SHA256(), 32, other_info).derive(shared), content_key)


def _unwrap(shared: bytes, other_info: bytes, wrapped: bytes) -> bytes:
    return aes_key_unwrap(ConcatKDFHash(SHA256(), 32, other_info).derive(shared), wrapped)


def _seal_cbc(plaintext: bytes, aad: bytes, iv: bytes, key: bytes) -> bytes:
    padding = 16 - len(plaintext) % 16
    encryptor = Cipher(algorithms.AES(key[32:]), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(plaintext + bytes([padding]) * padding) + encryptor.finalize()
    return ciphertext + _tag(ciphertext, aad, iv, key)


def _open_cbc(sealed: bytes, aad: bytes, iv: bytes, key: bytes) -> bytes:
    ciphertext = sealed[:-32]
    if not hmac.compare_digest(_tag(ciphertext, aad, iv, key), sealed[-32:]):
        raise AssertionError("the tag does not hold")
    decryptor = Cipher(algorithms.AES(key[32:]), modes.CBC(iv)).decryptor()
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    return padded[: -padded[-1]]


def _tag(ciphertext: bytes, aad: bytes, iv: bytes, key: bytes) -> bytes:
    return hmac.digest(key[:32], aad + iv + ciphertext + (8 * len(aad)).to_bytes(8, "big"), hashlib.sha512)[:32]
