"""Attachments of a message (Aries RFC 0017): embedded as base64url or JSON, or linked; hashed and signed.

It promises that embedded content agrees with its ``sha256``, and that a verified signature was made by a key the
caller expected. Signing is the flattened JWS of RFC 7515 with detached content. Fetching links is left to the node.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from protocols import strict_json
from protocols.didcomm.fields import Fields
from protocols.errors import BadInput, LernodeError, PeerFault
from protocols.keys import KeyPair, ed25519_verify
from protocols.multiformats import (
    Multicodec,
    b58_decode,
    b64url_decode,
    b64url_encode,
    multikey_decode,
)

__all__ = ["Attachment"]

_MAX_SIGNATURES = 8
_DID_KEY = "did:key:"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment descriptor; exactly one of ``json_data``, ``base64`` and ``links`` is set.

    Attributes:
        id: unique within its message, or None.
        media_type: ``mime-type`` on the wire.
        base64: as written by the sender.
        links: HTTP(S) URLs of the same content.
        sha256: hex digest of the content.
        jws: the signature object as received, see :meth:`verify`.
        format: what the content is, beyond its media type; DIDComm v2 only, as v1 names it beside the attachments.
    """

    id: str | None = None
    media_type: str | None = None
    json_data: Any = None
    base64: str | None = None
    links: tuple[str, ...] = ()
    sha256: str | None = None
    jws: Mapping[str, Any] | None = None
    filename: str | None = None
    description: str | None = None
    byte_count: int | None = None
    lastmod_time: str | None = None
    format: str | None = None

    @classmethod
    def of_json(cls, value: Any, *, id: str) -> Attachment:  # noqa: A002 - the wire's own name
        """Attach a JSON value as it is."""
        return cls(id=id, media_type="application/json", json_data=value)

    @classmethod
    def of_bytes(cls, content: bytes, *, id: str | None, media_type: str) -> Attachment:  # noqa: A002
        """Attach bytes as unpadded base64url."""
        return cls(id=id, media_type=media_type, base64=b64url_encode(content))

    @classmethod
    def from_wire(cls, raw: Mapping[str, Any], *, format: str | None = None) -> Attachment:  # noqa: A002
        """Read an attachment descriptor of DIDComm v1.

        Raises:
            PeerFault: ``attachment.malformed``.
        """
        return _read(raw, format)

    def to_wire(self) -> dict[str, Any]:
        """The descriptor as DIDComm v1 writes it, absent fields left out."""
        data: dict[str, Any] = {}
        if self.base64 is not None:
            data["base64"] = self.base64
        elif self.links:
            data["links"] = list(self.links)
        else:
            data["json"] = self.json_data
        if self.sha256 is not None:
            data["sha256"] = self.sha256
        if self.jws is not None:
            data["jws"] = dict(self.jws)
        head = {
            "@id": self.id,
            "description": self.description,
            "filename": self.filename,
            "mime-type": self.media_type,
            "lastmod_time": self.lastmod_time,
            "byte_count": self.byte_count,
        }
        return {name: value for name, value in head.items() if value is not None} | {"data": data}

    def content(self) -> bytes:
        """The embedded bytes, which agree with ``sha256`` where the sender gave one.

        Raises:
            PeerFault: ``attachment.malformed``, ``attachment.hash`` or ``attachment.not_embedded``.
        """
        if self.base64 is None:
            raise PeerFault("attachment.not_embedded", "The attachment has no embedded bytes.", "Embed it as base64.")
        content = _decode_base64(self.base64)
        if self.sha256 is not None:
            digest = hashlib.sha256(content).hexdigest()
            if not hmac.compare_digest(digest.encode(), self.sha256.lower().encode()):
                raise PeerFault("attachment.hash", "The attachment is not what its hash says.", "Send it again.")
        return content

    def json(self) -> Any:
        """The attached JSON, embedded either way.

        Raises:
            PeerFault: ``attachment.malformed``, ``attachment.hash`` or ``attachment.not_embedded``.
        """
        if self.base64 is None and not self.links:
            return self.json_data
        try:
            return strict_json.loads(self.content())
        except BadInput:
            raise _malformed("The attached bytes are not JSON.") from None

    def signed(self, key: KeyPair) -> Attachment:
        """The attachment with a signature by ``key`` over its bytes; ``header.kid`` and ``jwk`` name it as did:key.

        Raises:
            PeerFault: ``attachment.not_embedded``: RFC 0017 signs bytes, never inlined JSON.
        """
        kid = _DID_KEY + key.multikey
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64url_encode(key.public), "kid": kid}
        protected = b64url_encode(strict_json.dumps({"alg": "EdDSA", "jwk": jwk}))
        signature = key.sign(_signing_input(protected, self.content()))
        return replace(
            self,
            jws={"header": {"kid": kid}, "protected": protected, "signature": b64url_encode(signature)},
        )

    def verify(self, verkeys: Collection[str]) -> str:
        """Check that one of ``verkeys`` (raw base58 Ed25519) signed the content.

        Returns:
            The verkey that signed.

        Raises:
            PeerFault: ``attachment.unsigned`` where there is no signature, ``attachment.signature`` where none of them
                is valid, by an expected key and consistent with the key that it names itself.
        """
        if self.jws is None:
            raise PeerFault("attachment.unsigned", "The attachment is not signed.", "Sign it by RFC 0017.")
        content = self.content()
        for entry in _signatures(self.jws):
            for verkey in verkeys:
                if _is_valid(entry, content, verkey):
                    return verkey
        raise PeerFault("attachment.signature", "No expected key signed the attachment.", "Sign with the named key.")


def _read(raw: Mapping[str, Any], content_format: str | None) -> Attachment:
    fields = _fields(raw)
    data = fields.mapping("data")
    inner = _fields(data)
    ways = [name for name in ("base64", "json", "links") if data.get(name) is not None]
    if len(ways) != 1:
        raise inner.fault("data", "holds not exactly one of base64, json and links")
    links = inner.texts("links")
    if not all(link.startswith(("https://", "http://")) for link in links):
        raise inner.fault("links", "has an address that is not HTTP")
    if "links" in ways and not links:
        raise inner.fault("links", "is empty")
    return Attachment(
        id=fields.optional_text("@id", max_chars=256),
        media_type=fields.optional_text("mime-type", max_chars=256),
        json_data=data.get("json"),
        base64=inner.optional_text("base64", max_chars=strict_json.MAX_BYTES),
        links=links,
        sha256=inner.optional_text("sha256", max_chars=128),
        jws=inner.optional_mapping("jws"),
        filename=fields.optional_text("filename", max_chars=256),
        description=fields.optional_text("description"),
        byte_count=fields.optional_integer("byte_count"),
        lastmod_time=fields.optional_text("lastmod_time", max_chars=64),
        format=content_format,
    )


def _decode_base64(text: str) -> bytes:
    """RFC 0017: whoever reads tolerates padding and the plain alphabet."""
    try:
        return b64url_decode(text.replace("+", "-").replace("/", "_"))
    except BadInput:
        raise _malformed("The attached base64 is not base64url.") from None


def _signing_input(protected: str, content: bytes) -> bytes:
    return f"{protected}.{b64url_encode(content)}".encode()


def _signatures(jws: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The signatures of a JWS in flattened or general serialisation (RFC 7515 §7.2)."""
    if "signatures" not in jws:
        return (jws,)
    return _fields(jws).mappings("signatures", max_items=_MAX_SIGNATURES)


def _is_valid(entry: Mapping[str, Any], content: bytes, verkey: str) -> bool:
    try:
        fields = _fields(entry)
        protected_text = fields.text("protected")
        protected = strict_json.loads_object(b64url_decode(protected_text))
        header = fields.optional_mapping("header") or {}
        public = b58_decode(verkey, max_chars=64)
        signature = b64url_decode(fields.text("signature", max_chars=128))
        # crit names extensions that must be understood (RFC 7515 §4.1.11); none is.
        if protected.get("alg") != "EdDSA" or "crit" in protected or "crit" in header:
            return False
        if not _names_only(public, protected, header):
            return False
        return ed25519_verify(public, _signing_input(protected_text, content), signature)
    except LernodeError:
        return False


def _names_only(public: bytes, *headers: Mapping[str, Any]) -> bool:
    """Whether every ``jwk`` and did:key ``kid`` in the headers names this key and no other.

    A ``kid`` of another DID method cannot be read here; the expected key already decides.
    """
    for header in headers:
        jwk = header.get("jwk")
        if jwk is not None:
            if not isinstance(jwk, dict) or (jwk.get("kty"), jwk.get("crv")) != ("OKP", "Ed25519"):
                return False
            if b64url_decode(_fields(jwk).text("x", max_chars=64)) != public:
                return False
        kid = header.get("kid")
        if isinstance(kid, str) and kid.startswith(_DID_KEY):
            codec, named = multikey_decode(kid.removeprefix(_DID_KEY).partition("#")[0])
            if (codec, named) != (Multicodec.ED25519_PUB, public):
                return False
    return True


def _fields(raw: Mapping[str, Any]) -> Fields:
    return Fields(raw, where="attachment", code="attachment.malformed")


def _malformed(what: str) -> PeerFault:
    return PeerFault("attachment.malformed", what, "See Aries RFC 0017.")
