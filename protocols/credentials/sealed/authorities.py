"""Whose seal it is: the path from a seal's certificate to an authority that this verifier has named.

Specs: RFC 5280 §6, as ``cryptography`` verifies it; ETSI EN 319 412-1 §5.1.4 (``organizationIdentifier``); the name of
who seals is a did:x509 of the authority and the organisation, so that rules of trust, lists and accreditations can be
about it as about any issuer.

Promises: an authority says only who somebody is, and never that somebody is believed. A certificate counts while it is
valid now: what a time-stamp would prove of the past is not looked at, nor whether the authority has revoked it.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from protocols.errors import BadInput, NotNow
from protocols.multiformats import b64url_encode

__all__ = ["SealAuthorities", "WhoseSeal", "holds_under", "organisation_names", "unknown_seal"]

WhoseSeal = Callable[[Sequence[x509.Certificate]], str]
"""Gives the did:x509 of whose seal it is, by its certificates; raises as :meth:`SealAuthorities.name_of`."""

_MAX_DEPTH = 4
_MAX_RSA_BITS = 8192
_MIN_RSA_BITS = 2048
_HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES = {"ES256": (ec.SECP256R1, 32), "ES384": (ec.SECP384R1, 48), "ES512": (ec.SECP521R1, 66)}
_PREFIXED = re.compile(r"[A-Z]{3}[A-Z]{2}-(.+)|[A-Z]{2}:[A-Z]{2}-(.+)")
"""``VATES-A00000000``: kind of identity, country, identifier (ETSI EN 319 412-1 §5.1.4)."""


class SealAuthorities:
    """The authorities whose certificates for seals this verifier takes."""

    def __init__(self, certificates: Iterable[x509.Certificate] = ()) -> None:
        self._certificates = tuple(certificates)

    @classmethod
    def from_pem(cls, files: Iterable[bytes]) -> SealAuthorities:
        """The authorities whose certificates are in these PEM files.

        Raises:
            BadInput: ``seal.authority_malformed``.
        """
        try:
            return cls(each for data in files for each in x509.load_pem_x509_certificates(data))
        except ValueError:
            message = "A file of seal authorities has no certificate in PEM."
            raise BadInput("seal.authority_malformed", message, "See verify.seal_authorities.") from None

    def name_of(self, certificates: Sequence[x509.Certificate], at: datetime) -> str:
        """The did:x509 of whose seal it is.

        Args:
            certificates: that of the signer first.
            at: timezone-aware.

        Raises:
            BadInput: ``seal.certificate_use`` where it is none to seal with.
            NotNow: ``seal.authority_unknown``, ``seal.certificate_expired``: nothing is known of whose it is.
        """
        leaf = certificates[0]
        if not leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc:
            message = "The certificate of the seal is not valid now, and its time-stamps are not looked at."
            raise NotNow("seal.certificate_expired", message, "Ask the issuer for a document that is sealed anew.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            _check_use(leaf)
            anchor = self._anchor_of(leaf, certificates[1:], at)
        digest = b64url_encode(hashlib.sha256(anchor.public_bytes(Encoding.DER)).digest())
        return f"did:x509:0:sha256:{digest}::subject:{_subject_of(leaf)}"

    def at(self, now: datetime) -> WhoseSeal:
        """What these authorities say at that time."""
        return partial(self.name_of, at=now)

    def _anchor_of(self, leaf: x509.Certificate, others: Sequence[x509.Certificate], at: datetime) -> x509.Certificate:
        if not self._certificates:
            raise _unknown()
        verifier = (
            PolicyBuilder()
            .store(Store(list(self._certificates)))
            .time(at)
            .max_chain_depth(_MAX_DEPTH)
            .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all())
            .build_client_verifier()
        )
        try:
            return verifier.verify(leaf, list(others)).chain[-1]
        except (VerificationError, ValueError, x509.DuplicateExtension, UnsupportedAlgorithm):
            raise _unknown() from None


def unknown_seal(certificates: Sequence[x509.Certificate]) -> str:
    """For who only reads: no authority is known.

    Raises:
        NotNow: ``seal.authority_unknown``.
    """
    del certificates
    raise _unknown()


def holds_under(certificate: x509.Certificate, algorithm: str, signing_input: bytes, signature: bytes) -> bool:
    """Whether the signature is one under the certificate's key (RFC 7518 §3.3 to §3.5).

    Raises:
        BadInput: ``seal.algorithm`` where the algorithm is not allowed, or the key is none for it.
    """
    refused = BadInput("seal.algorithm", "The seal's algorithm and key are not allowed.", "RSA or ECDSA is.")
    digest = _HASHES.get(algorithm[2:])
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise refused from None
    if digest is None:
        raise refused
    try:
        match algorithm[:2], key:
            case "RS", rsa.RSAPublicKey() if _MIN_RSA_BITS <= key.key_size <= _MAX_RSA_BITS:
                key.verify(signature, signing_input, padding.PKCS1v15(), digest)
            case "PS", rsa.RSAPublicKey() if _MIN_RSA_BITS <= key.key_size <= _MAX_RSA_BITS:
                salted = padding.PSS(padding.MGF1(digest), digest.digest_size)
                key.verify(signature, signing_input, salted, digest)
            case "ES", ec.EllipticCurvePublicKey() if isinstance(key.curve, _CURVES[algorithm][0]):
                size = _CURVES[algorithm][1]
                if len(signature) != 2 * size:
                    return False
                r, s = (int.from_bytes(part) for part in (signature[:size], signature[size:]))
                key.verify(encode_dss_signature(r, s), signing_input, ec.ECDSA(digest))
            case _:
                raise refused
    except InvalidSignature:
        return False
    return True


def organisation_names(certificate: x509.Certificate) -> frozenset[str]:
    """By what the certificate names whose it is: the identifier of the organisation, with and without its prefix.

    The name of the organisation, where it has no identifier.
    """
    identifier = _first(certificate, NameOID.ORGANIZATION_IDENTIFIER)
    if identifier is None:
        name = _first(certificate, NameOID.ORGANIZATION_NAME)
        return frozenset() if name is None else frozenset({name})
    match = _PREFIXED.fullmatch(identifier)
    return frozenset({identifier, *(part for part in (match.groups() if match else ()) if part)})


def _unknown() -> NotNow:
    return NotNow(
        "seal.authority_unknown",
        "The seal is under no authority that this verifier has named.",
        "Name the authority of its certificate in verify.seal_authorities, if you believe it.",
    )


def _check_use(leaf: x509.Certificate) -> None:
    refused = BadInput("seal.certificate_use", "The certificate is none to seal with.", "Ask who sealed it.")
    try:
        extensions = leaf.extensions
    except (ValueError, x509.DuplicateExtension):
        raise refused from None
    for extension in extensions:
        match extension.value:
            case x509.BasicConstraints(ca=True):
                raise refused
            case x509.KeyUsage(digital_signature=False, content_commitment=False):
                raise refused


def _subject_of(leaf: x509.Certificate) -> str:
    """The part of a did:x509 that says whose certificate it is."""
    wanted = [("2.5.4.97", NameOID.ORGANIZATION_IDENTIFIER)]
    if _first(leaf, NameOID.ORGANIZATION_IDENTIFIER) is None:
        wanted = [("C", NameOID.COUNTRY_NAME), ("O", NameOID.ORGANIZATION_NAME), ("CN", NameOID.COMMON_NAME)]
    named = [(label, _first(leaf, oid)) for label, oid in wanted]
    parts = [f"{label}:{quote(value, safe='').replace('~', '%7E')}" for label, value in named if value]
    if not parts:
        raise BadInput("seal.certificate_use", "The certificate names nobody.", "Ask who sealed it.")
    return ":".join(parts)


def _first(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str | None:
    try:
        found = certificate.subject.get_attributes_for_oid(oid)
    except ValueError:
        return None
    value = found[0].value if found else None
    return value if isinstance(value, str) and value.strip() else None
