"""did:key: the identifier is the key, and the document follows from it (did:key method 0.9).

A key that can sign has all relationships, but that for key agreement stands the X25519 key derived from an Ed25519
key; an X25519 key has that one only. Keys over secp256k1 and P-521 are shown too, although lernode does not use them.
The form of the keys, and whether one is derived, can be asked for (did:key §3.1.1); everything inside asks for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from protocols.did.document import DidDocument, Relationship, parse_document
from protocols.did.syntax import check_did
from protocols.errors import BadInput
from protocols.keys import PublicKey, ed25519_public_to_x25519, public_jwk
from protocols.multiformats import Multicodec, b58_encode, multikey_decode

__all__ = ["PREFIX", "did_from_key", "did_from_public", "express", "resolve", "verification_method"]

PREFIX = "did:key:"
_MAX_CHARS = 128

_DID_CONTEXT = "https://www.w3.org/ns/did/v1"
_JWS_2020 = "https://w3id.org/security/suites/jws-2020/v1"
_AGREEMENT_2020 = "https://w3id.org/security/suites/x25519-2020/v1"
_ED25519_2020 = "https://w3id.org/security/suites/ed25519-2020/v1"
_AGREEMENT_2019 = "https://w3id.org/security/suites/x25519-2019/v1"
_ED25519_2018 = "https://w3id.org/security/suites/ed25519-2018/v1"


class _Format(NamedTuple):
    """How a key is written: the type of its verification method, its one property, and the context of both."""

    type: str
    member: str
    write: Callable[[PublicKey], Any]
    context: str


def _multikey(key: PublicKey) -> str:
    return key.multikey


def _base58(key: PublicKey) -> str:
    return b58_encode(key.raw)


_MULTIKEY = _Format("Multikey", "publicKeyMultibase", _multikey, "https://w3id.org/security/multikey/v1")
_JWK = _Format("JsonWebKey", "publicKeyJwk", public_jwk, "https://w3id.org/security/jwk/v1")
_JWK_2020 = _Format("JsonWebKey2020", "publicKeyJwk", public_jwk, _JWS_2020)
_OKP_2020 = {
    Multicodec.ED25519_PUB: _Format("Ed25519VerificationKey2020", "publicKeyMultibase", _multikey, _ED25519_2020),
    Multicodec.X25519_PUB: _Format("X25519KeyAgreementKey2020", "publicKeyMultibase", _multikey, _AGREEMENT_2020),
}
_OKP_2018 = {
    Multicodec.ED25519_PUB: _Format("Ed25519VerificationKey2018", "publicKeyBase58", _base58, _ED25519_2018),
    Multicodec.X25519_PUB: _Format("X25519KeyAgreementKey2019", "publicKeyBase58", _base58, _AGREEMENT_2019),
}
_FORMATS: dict[str, Mapping[Multicodec, _Format]] = {
    "Multikey": dict.fromkeys(Multicodec, _MULTIKEY),
    "JsonWebKey": dict.fromkeys(Multicodec, _JWK),
    "JsonWebKey2020": dict.fromkeys(Multicodec, _JWK_2020),
    "Ed25519VerificationKey2020": _OKP_2020,
    "X25519KeyAgreementKey2020": _OKP_2020,
    "Ed25519VerificationKey2018": _OKP_2018,
    "X25519KeyAgreementKey2019": _OKP_2018,
}
"""``publicKeyFormat`` -> how a key of each kind is written. Those of 2018 are experimental in the sense of did:key."""

_OPTIONS = frozenset({"publicKeyFormat", "enableExperimentalPublicKeyTypes", "enableEncryptionKeyDerivation"})


def did_from_public(ed25519_public: bytes) -> str:
    """The did:key of a raw Ed25519 public key.

    Raises:
        BadInput: ``key.malformed`` where it is not 32 bytes.
    """
    if len(ed25519_public) != 32:
        raise BadInput("key.malformed", "An Ed25519 public key is 32 bytes.", "Give the raw key.")
    return did_from_key(PublicKey(Multicodec.ED25519_PUB, ed25519_public))


def did_from_key(key: PublicKey) -> str:
    """The did:key of a public key of any kind."""
    return PREFIX + key.multikey


def verification_method(did: str) -> str:
    """The DID URL of the one key that a did:key names.

    Raises:
        BadInput: ``did.malformed``, ``did.key_length``.
    """
    return f"{did}#{_read(did).multikey}"


def resolve(did: str) -> DidDocument:
    """The document of a did:key, made from the identifier alone.

    Raises:
        BadInput: ``did.malformed``; ``did.key_length`` or ``did.key_invalid`` for a key that is none of its kind.
    """
    if len(did) > _MAX_CHARS + len(PREFIX):
        raise _malformed("it is too long")
    return _resolve(did)


@lru_cache(maxsize=256)
def _resolve(did: str) -> DidDocument:
    return express(did, {})


def express(did: str, options: Mapping[str, str]) -> DidDocument:
    """The document of a did:key, its keys written as ``publicKeyFormat`` says (did:key §3.1.1).

    Args:
        options: ``publicKeyFormat`` (``Multikey`` unless given), ``enableEncryptionKeyDerivation`` (true) and
            ``enableExperimentalPublicKeyTypes`` (false).

    Raises:
        BadInput: as :func:`resolve`, and ``did.key_format_unknown``, ``did.key_format_unfit``, ``did.options``,
            ``did.feature_unsupported`` for another option.
    """
    if not options.keys() <= _OPTIONS:
        raise BadInput("did.feature_unsupported", "The did:key method does not have this option.", "Leave it out.")
    key = _read(did)
    formats = _formats(options)
    agreeing = _agreement_key(key)
    used = {relationship: key for relationship in Relationship if key.codec is not Multicodec.X25519_PUB}
    if agreeing == key or _flag(options, "enableEncryptionKeyDerivation", default=True):
        used[Relationship.KEY_AGREEMENT] = agreeing
    else:
        del used[Relationship.KEY_AGREEMENT]
    contexts = [_DID_CONTEXT]
    methods = [_write(did, member, formats, contexts) for member in dict.fromkeys(used.values())]
    raw: dict[str, Any] = {"@context": contexts, "id": did, "verificationMethod": methods}
    raw |= {relationship.value: [f"{did}#{member.multikey}"] for relationship, member in used.items()}
    return parse_document(raw, did)


def _read(did: str) -> PublicKey:
    check_did(did)
    multikey = did.removeprefix(PREFIX)
    if not did.startswith(PREFIX) or len(multikey) > _MAX_CHARS or not multikey.startswith("z"):
        raise _malformed("it is not did:key: and a base58 multikey")
    try:
        key = PublicKey(*multikey_decode(multikey))
    except BadInput as error:
        if error.code == "key.length":
            raise BadInput("did.key_length", "The key of the did:key has the wrong length.", _HINT) from None
        raise _malformed("its key is of an unknown kind or malformed") from None
    if not key.is_usable:
        raise BadInput("did.key_invalid", "The key of the did:key is not a point that a key can be.", _HINT)
    return key


def _agreement_key(key: PublicKey) -> PublicKey:
    """The key for key agreement: X25519 derived from Ed25519, the key itself for all others."""
    if key.codec is not Multicodec.ED25519_PUB:
        return key
    return PublicKey(Multicodec.X25519_PUB, ed25519_public_to_x25519(key.raw))


def _formats(options: Mapping[str, str]) -> Mapping[Multicodec, _Format]:
    name = options.get("publicKeyFormat", "Multikey")
    if name not in _FORMATS:
        raise BadInput("did.key_format_unknown", "The publicKeyFormat is not known.", _USE_MULTIKEY)
    formats = _FORMATS[name]
    if formats is _OKP_2018 and not _flag(options, "enableExperimentalPublicKeyTypes", default=False):
        raise BadInput("did.key_format_unfit", "The publicKeyFormat is experimental.", _USE_MULTIKEY)
    return formats


def _flag(options: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = options.get(name, "true" if default else "false")
    if value not in ("true", "false"):
        raise BadInput("did.options", f"The option {name} is true or false.", "Write one of them.")
    return value == "true"


def _write(did: str, key: PublicKey, formats: Mapping[Multicodec, _Format], contexts: list[str]) -> dict[str, Any]:
    form = formats.get(key.codec)
    if form is None:
        raise BadInput("did.key_format_unfit", "The publicKeyFormat is for other keys.", _USE_MULTIKEY)
    if form.context not in contexts:
        contexts.append(form.context)
    return {"id": f"{did}#{key.multikey}", "type": form.type, "controller": did, form.member: form.write(key)}


_USE_MULTIKEY = "Use Multikey or JsonWebKey."
_HINT = "Use did:key:z6Mk… of an Ed25519 key."


def _malformed(why: str) -> BadInput:
    return BadInput("did.malformed", f"The did:key cannot be used: {why}.", _HINT)
