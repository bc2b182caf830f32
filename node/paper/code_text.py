"""A presentation as the text of a QR code, and back: small enough for paper, whole enough to be verified offline.

``LERNODE1:`` and then base45 (RFC 9285) of a raw deflate stream (RFC 1951) of the presentation's JSON, packed with a
preset dictionary of what such presentations have in common. All of it is in the alphanumeric alphabet of QR codes. The
number is the version of the form and of the dictionary: a changed dictionary gets another one.
"""

from __future__ import annotations

import zlib
from typing import Final

import base45

from protocols.errors import BadInput

__all__ = ["MAX_CHARS", "PREFIX", "pack", "unpack"]

PREFIX: Final = "LERNODE1:"
MAX_CHARS: Final = 4296
"""What the largest QR code holds (ISO/IEC 18004, version 40-L, alphanumeric)."""
_MAX_BYTES = 1 << 18
_RAW = -zlib.MAX_WBITS
# The most common last, as deflate likes it. This is a part of the form: it never changes under one number.
_DICTIONARY: Final = (
    b'"criteria":{"narrative":"Passed the practical test."},"achievementType":"Certificate","resultDescription":['
    b'"type":["ResultDescription"],"allowedValue":["rubricCriterionLevel":"requiredValue":"statusListIndex":"'
    b'"statusListCredential":"https://www.w3.org/ns/credentials/status/v1","type":"BitstringStatusListEntry",'
    b'"statusPurpose":"revocation","credentialStatus":{"id":"https://","relatedResource":[{"digestMultibase":"u'
    b'"digestSRI":"sha384-","mediaType":"application/ld+json","https://purl.imsglobal.org/spec/ob/v3p0/schema/json/'
    b'ob_v3p0_achievementcredential_schema.json","type":"1EdTechJsonSchemaValidator2019","credentialSchema":[{"id":"'
    b'"targetFramework":"O*NET-SOC","targetCode":"","targetName":"","targetUrl":"https://www.onetonline.org/link/summary/'
    b'"type":["Alignment"],"alignment":[{"Own statement of the holder; nobody else has checked it."'
    b'"credentialSubject":{"id":"did:key:z6Mk","type":["AchievementSubject"],"result":[{"type":["Result"],"value":"'
    b'"achievement":{"id":"urn:uuid:","type":["Achievement"],"name":"","description":"","validFrom":"2026-01-01T00:00:00Z"'
    b'"validUntil":"T00:00:00Z","issuer":{"id":"did:web:","type":["Profile"],"name":""},"id":"urn:uuid:'
    b'"type":["VerifiableCredential","OpenBadgeCredential"],"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"'
    b'"proof":{"type":"DataIntegrityProof","created":"2026-01-01T00:00:00Z","verificationMethod":"did:key:z6Mk#z6Mk'
    b'"cryptosuite":"ecdsa-sd-2023","cryptosuite":"eddsa-jcs-2022","cryptosuite":"eddsa-rdfc-2022",'
    b'"proofPurpose":"assertionMethod","proofPurpose":"authentication","proofValue":"z","verifiableCredential":['
    b'{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiablePresentation"],"holder":"did:key:z6Mk'
)


def pack(presentation: bytes) -> str | None:
    """The text of a code; None where it would be too long for one."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _RAW, 9, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    text = PREFIX + base45.b45encode(packer.compress(presentation) + packer.flush()).decode("ascii")
    return text if len(text) <= MAX_CHARS else None


def unpack(text: str) -> bytes:
    """The presentation in a text that :func:`pack` made; never more than 256 KiB are unpacked.

    Raises:
        BadInput: ``code.unknown``, ``code.malformed``.
    """
    if not text.startswith(PREFIX):
        raise BadInput("code.unknown", "The code is none that lernode prints.", "Scan the code of a printed résumé.")
    unpacker = zlib.decompressobj(_RAW, zdict=_DICTIONARY)
    try:
        data = unpacker.decompress(base45.b45decode(text[len(PREFIX) :]), _MAX_BYTES)
    except (ValueError, zlib.error):
        raise _malformed() from None
    if not unpacker.eof or unpacker.unused_data:
        raise _malformed()
    return data


def _malformed() -> BadInput:
    return BadInput("code.malformed", "The code is damaged.", "Scan it again, flat and in good light.")
