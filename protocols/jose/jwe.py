"""JWE in general JSON serialisation for several recipients (RFC 7516 §7.2.1), with keys agreed on and wrapped.

ECDH-ES+A256KW (RFC 7518 §4.6) hides the sender, ECDH-1PU+A256KW (draft-madden-jose-ecdh-1pu-04) authenticates it.

Why not a library: joserfc has both, but makes an ephemeral key for each recipient where DIDComm has one that is
protected, draws its own randomness, wants keys of its own types in memory where ours may be in a hardware module, needs
a second library of primitives for XC20P, and reads headers with a lenient JSON parser; Authlib's, on which SICPA's
didcomm is built, is deprecated for it. What is left of a JWE is this file: curves, key
derivation, key wrapping and ciphers are OpenSSL's and libsodium's.

Promises: everything that is agreed on stands in the protected header, which is read as I-JSON; a header that is not
understood to be critical, compressed content and a second set of authenticated data are refused. ECDH-1PU goes with
A256CBC-HS512 only, the one that commits to its key (draft §2.1). Leaves to the caller who recipients and sender are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from protocols import strict_json
from protocols.errors import BadInput, LernodeError
from protocols.jose.content_encryption import CONTENT_ENCRYPTIONS, Undecryptable
from protocols.keys import AGREEMENT_CODECS, AgreementKey, AgreementKeyPair, PublicKey, public_jwk, read_public_jwk
from protocols.multiformats import b64url_decode_exact, b64url_encode

__all__ = ["ECDH_1PU", "ECDH_ES", "MAX_RECIPIENTS", "Jwe", "open_jwe", "read_jwe", "seal_jwe"]

ECDH_ES = "ECDH-ES+A256KW"
ECDH_1PU = "ECDH-1PU+A256KW"
MAX_RECIPIENTS = 64

_COMMITTING = "A256CBC-HS512"
_KEY_BITS = 256
_MAX_HEADER = 65_536  # with skid, and so apu, a did:peer:4 in long form
_MAX_KID = 12_000
_COORDINATE_BYTES = {"P-256": 32, "P-384": 48, "P-521": 66}
_MEMBERS = frozenset({"protected", "recipients", "iv", "ciphertext", "tag"})
_NOT_UNDERSTOOD = frozenset({"crit", "zip", "jwk", "jku", "x5c", "x5u"})


class Jwe(msgspec.Struct, frozen=True):
    """A JWE that was read, not decrypted.

    Attributes:
        header: the protected header.
        recipients: the encrypted content key by ``kid``.
        alg: how the content key is encrypted.
        epk: the ephemeral public key.
        parties: what ``apu`` and ``apv`` say, decoded.
    """

    header: Mapping[str, Any]
    alg: str
    recipients: Mapping[str, bytes]
    epk: PublicKey
    parties: tuple[bytes, bytes]
    protected: str
    iv: bytes
    sealed: bytes
    tag: bytes


def read_jwe(raw: Mapping[str, Any]) -> Jwe:
    """Read a JWE that is a JSON object already.

    Raises:
        BadInput: ``jwe.malformed``, ``jwe.alg_unsupported``, ``key.malformed``, ``encoding.base64url``, ``json.*``.
    """
    if "aad" in raw or "unprotected" in raw or not raw.keys() >= _MEMBERS:
        raise _malformed("its members are not those of an encrypted message")
    protected = _text(raw["protected"], _MAX_HEADER)
    header = strict_json.loads_object(b64url_decode_exact(protected), max_depth=4)
    if header.keys() & _NOT_UNDERSTOOD:
        raise _malformed("its header has an extension that is not understood")
    alg, enc = header.get("alg"), header.get("enc")
    if not isinstance(enc, str) or enc not in CONTENT_ENCRYPTIONS or alg not in (ECDH_ES, ECDH_1PU):
        raise _unsupported()
    if alg == ECDH_1PU and enc != _COMMITTING:
        raise _unsupported()
    content = CONTENT_ENCRYPTIONS[enc]
    iv, tag = _bytes(raw["iv"]), _bytes(raw["tag"])
    if len(iv) != content.iv_bytes or len(tag) != content.tag_bytes:
        raise _malformed("its iv or tag is not as long as its algorithm has them")
    return Jwe(
        header=header,
        alg=alg,
        recipients=_recipients(raw["recipients"], header, content.key_bytes + 8),
        epk=_ephemeral(header.get("epk")),
        parties=_parties(header),
        protected=protected,
        iv=iv,
        sealed=_bytes(raw["ciphertext"], None) + tag,
        tag=tag,
    )


def open_jwe(jwe: Jwe, kid: str, key: AgreementKey, sender: PublicKey | None) -> bytes:
    """Decrypt with the key of one recipient.

    Args:
        sender: the sender's key, where ``alg`` is ECDH-1PU+A256KW; None where it is ECDH-ES+A256KW.

    Raises:
        BadInput: ``jwe.unreadable``, whatever the reason, which is nobody's business.
    """
    try:
        if (sender is None) is not (jwe.alg == ECDH_ES):
            raise _unreadable()
        shared = key.agree(jwe.epk)
        if sender is not None:
            shared += key.agree(sender)
        content_key = aes_key_unwrap(_wrapping_key(shared, jwe.alg, jwe.parties, jwe.tag), jwe.recipients[kid])
        content = CONTENT_ENCRYPTIONS[jwe.header["enc"]]
        return content.open(jwe.sealed, jwe.protected.encode(), jwe.iv, content_key)
    except (Undecryptable, InvalidUnwrap, LernodeError, ValueError, KeyError):
        raise _unreadable() from None


def seal_jwe(
    plaintext: bytes,
    *,
    header: Mapping[str, Any],
    recipients: Sequence[tuple[str, PublicKey]],
    sender: AgreementKey | None,
    entropy: Callable[[int], bytes],
) -> dict[str, Any]:
    """Encrypt for every recipient: by ECDH-1PU+A256KW from a ``sender``, by ECDH-ES+A256KW without.

    Args:
        header: what the protected header says beside ``alg`` and ``epk``; ``enc`` is required.
        recipients: ``kid`` and key of each; the keys, the sender's too, are of one curve.

    Raises:
        BadInput: ``jwe.recipients`` where there are none or too many or their keys do not go together,
            ``jwe.alg_unsupported`` where ``enc`` does not go with the sender.
    """
    codecs = {key.codec for _, key in recipients} | ({sender.public.codec} if sender is not None else set())
    if not 0 < len(recipients) <= MAX_RECIPIENTS or len(codecs) != 1 or not codecs <= AGREEMENT_CODECS:
        raise BadInput("jwe.recipients", "The keys of the recipients do not go together.", "Use keys of one curve.")
    if sender is not None and header["enc"] != _COMMITTING:
        raise _unsupported()
    content = CONTENT_ENCRYPTIONS[header["enc"]]
    ephemeral = AgreementKeyPair.fresh(codecs.pop(), entropy)
    alg, parties = ECDH_ES if sender is None else ECDH_1PU, _parties(header)
    full = {**header, "alg": alg, "epk": public_jwk(ephemeral.public)}
    protected = b64url_encode(strict_json.dumps(full))
    content_key, iv = entropy(content.key_bytes), entropy(content.iv_bytes)
    sealed = content.seal(plaintext, protected.encode(), iv, content_key)
    ciphertext, tag = sealed[: -content.tag_bytes], sealed[-content.tag_bytes :]
    entries = []
    for kid, key in recipients:
        shared = ephemeral.agree(key) + (sender.agree(key) if sender is not None else b"")
        wrapped = aes_key_wrap(_wrapping_key(shared, alg, parties, tag), content_key)
        entries.append({"header": {"kid": kid}, "encrypted_key": b64url_encode(wrapped)})
    return {
        "protected": protected,
        "recipients": entries,
        "iv": b64url_encode(iv),
        "ciphertext": b64url_encode(ciphertext),
        "tag": b64url_encode(tag),
    }


def _wrapping_key(shared: bytes, alg: str, parties: tuple[bytes, bytes], tag: bytes) -> bytes:
    """RFC 7518 §4.6.2; with ECDH-1PU the tag of the content is part of what is agreed on (draft §2.3)."""
    public_info = _KEY_BITS.to_bytes(4, "big") + (_sized(tag) if alg == ECDH_1PU else b"")
    other_info = b"".join(map(_sized, (alg.encode(), *parties))) + public_info
    return ConcatKDFHash(SHA256(), _KEY_BITS // 8, other_info).derive(shared)


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _parties(header: Mapping[str, Any]) -> tuple[bytes, bytes]:
    return _bytes(header.get("apu", ""), _MAX_HEADER), _bytes(header.get("apv", ""), _MAX_HEADER)


def _ephemeral(raw: Any) -> PublicKey:
    """The key; whether a secret can be shared with it shows when it is (points off the curve are refused here)."""
    key = read_public_jwk(_padded(raw))
    if key.codec not in AGREEMENT_CODECS:
        raise _malformed("its ephemeral key is of no curve for key agreement")
    return key


def _padded(raw: Any) -> Any:
    """A JWK whose coordinates have their leading zeros again: Authlib leaves them out, against RFC 7518 §6.2.1.2."""
    curve = raw.get("crv") if isinstance(raw, dict) else None
    size = _COORDINATE_BYTES.get(curve) if isinstance(curve, str) else None
    if size is None:
        return raw
    numbers = {name: _bytes(raw.get(name)) for name in ("x", "y")}
    return raw | {name: b64url_encode(number.rjust(size, b"\0")) for name, number in numbers.items()}


def _recipients(raw: Any, header: Mapping[str, Any], size: int) -> dict[str, bytes]:
    """The encrypted keys; all else of a recipient has to be protected, and be the same for all."""
    if not isinstance(raw, list) or not 0 < len(raw) <= MAX_RECIPIENTS:
        raise _malformed(f"it has not 1 to {MAX_RECIPIENTS} recipients")
    found: dict[str, bytes] = {}
    for entry in raw:
        own = entry.get("header") if isinstance(entry, dict) else None
        if not isinstance(own, dict) or "kid" in header or not own.keys() <= {"kid"}:
            raise _malformed("a recipient has a header other than its kid")
        kid = _text(own.get("kid"), _MAX_KID)
        found[kid] = _bytes(entry.get("encrypted_key"), 256)
        if len(found[kid]) != size:
            raise _malformed("an encrypted key is not as long as its algorithm has it")
    if len(found) != len(raw):
        raise _malformed("two recipients have one kid")
    return found


def _bytes(value: Any, max_chars: int | None = 128) -> bytes:
    return b64url_decode_exact(_text(value, max_chars))


def _text(value: Any, max_chars: int | None) -> str:
    if not isinstance(value, str) or (max_chars is not None and len(value) > max_chars):
        raise _malformed("a member is not a text of the length that it may have")
    return value


def _malformed(why: str) -> BadInput:
    return BadInput("jwe.malformed", f"The JWE cannot be read: {why}.", "Its maker has to correct it.")


def _unsupported() -> BadInput:
    return BadInput(
        "jwe.alg_unsupported",
        "The algorithms of the JWE are not allowed.",
        "Use ECDH-1PU+A256KW with A256CBC-HS512, or ECDH-ES+A256KW with that, A256GCM or XC20P.",
    )


def _unreadable() -> BadInput:
    return BadInput("jwe.unreadable", "The JWE does not decrypt.", "Encrypt it again, for the keys in use.")
