"""The documents that fuzzing starts from: made by the code itself, the same in every run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from protocols.credentials.context_binding import with_contexts_bound
from protocols.credentials.data_integrity import CRYPTOSUITES, add_proof
from protocols.credentials.data_integrity.proofs import derive_proof
from protocols.credentials.data_integrity.suite import Selective
from protocols.credentials.issue import issue
from protocols.credentials.policy import Policy
from protocols.credentials.sd_jwt.presenting import bind_sd_jwt, present_sd_jwt
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.did import jwk as did_jwk
from protocols.did import key as did_key
from protocols.did import peer2, peer4
from protocols.did.document import DidDocument, parse_document
from protocols.did.resolver import resolve_offline
from protocols.errors import LernodeError, NotNow
from protocols.jsonld.processor import DEFAULT
from protocols.keys import EcdsaKeyPair, KeyPair, PublicKey, SigningKey, SoftwareSigner
from protocols.multiformats import Multicodec
from protocols.status.bitstring import Bitstring
from protocols.status.entry import status_entry
from protocols.status.list_credential import status_list_credential
from protocols.status.source import StatusListCopy

__all__ = [
    "CHALLENGE", "CREATED", "DIDS_OF_THE_WEB", "DOMAIN", "HOLDER", "LIST_URL", "NOW", "POLICY", "SIGNERS", "WEB_DID",
    "World", "did_documents", "did_of", "dids", "finished", "jwts", "presentation", "record", "secured",
    "status_lists",
]  # fmt: skip

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CREATED = NOW - timedelta(days=1)
DIDS_OF_THE_WEB = [
    "did:web:college.example",
    "did:webvh:QmfGEUAcMpzo25kF2Rhn8L5FAXysfGnkzjwdKoNPi615XQ:college.example",
]
LIST_URL = "https://college.example/status/1"
WEB_DID = "did:web:college.example"
CHALLENGE = "c-1"
DOMAIN = "employer.example"
V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"

Result = TypeVar("Result")


def _secret(name: str, size: int) -> bytes:
    return hashlib.shake_256(name.encode()).digest(size)


def _signer(pair: SigningKey) -> SoftwareSigner:
    return SoftwareSigner(pair, f"{did_key.PREFIX}{pair.multikey}#{pair.multikey}")


SIGNERS = {
    Multicodec.ED25519_PUB: _signer(KeyPair.from_seed(_secret("issuer", 32))),
    Multicodec.P256_PUB: _signer(EcdsaKeyPair.from_seed(Multicodec.P256_PUB, _secret("issuer", 32))),
    Multicodec.P384_PUB: _signer(EcdsaKeyPair.from_seed(Multicodec.P384_PUB, _secret("issuer", 48))),
}
"""An issuer for each kind of key."""
HOLDER = _signer(KeyPair.from_seed(_secret("holder", 32)))


def did_of(signer: SoftwareSigner) -> str:
    """The DID whose key signs."""
    return signer.verification_method.partition("#")[0]


POLICY = Policy(trust=TrustedIssuers(did_of(signer) for signer in SIGNERS.values()))


def record(issuer: str, **changes: Any) -> dict[str, Any]:
    """An unsigned Open Badges 3.0 record about the holder."""
    return {
        "@context": [V2, OB],
        "id": "urn:uuid:0f1f3b3e-8a3b-4f7c-9a55-1b1f6f3b7d11",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Welding, level 2",
        "issuer": {"id": issuer, "type": ["Profile"], "name": "College of the Coast"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": did_of(HOLDER),
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://college.example/achievements/welding-2",
                "type": ["Achievement"],
                "name": "Welding, level 2",
                "description": "Welds steel plate.",
                "criteria": {"narrative": "Passed the practical test."},
                "alignment": [
                    {"type": ["Alignment"], "targetName": "Welders", "targetUrl": "https://onet.example/51-4121.00"}
                ],
            },
        },
        **changes,
    }


def secured() -> list[dict[str, Any]]:
    """Records secured in each way that there is, and with statuses, several proofs and proof chains."""
    issuer = SIGNERS[Multicodec.ED25519_PUB]
    own = did_of(issuer)
    each = [
        _signed(record(did_of(signer)), by=signer, suite=name)
        for name, suite in CRYPTOSUITES.items()
        for codec, signer in SIGNERS.items()
        if codec in suite.key_types
    ]
    status = record(own, credentialStatus=status_entry(LIST_URL, "revocation", 7))
    older = {
        "@context": [V1, {"@vocab": "https://college.example/terms#"}],
        "type": ["VerifiableCredential"],
        "issuer": own,
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": did_of(HOLDER), "grade": [1, 2.5, True, {"@value": "x", "@language": "en"}]},
    }
    link = _signed(record(own), proof_id="urn:uuid:1")
    chain = _signed(link, previous_proof="urn:uuid:1")
    bound = with_contexts_bound(record(own), DEFAULT.store)
    return [
        *each,
        _signed(bound),
        _signed(status),
        _signed(older, suite="Ed25519Signature2018"),
        _signed(older),
        link,
        chain,
    ]


def _signed(document: dict[str, Any], *, by: SoftwareSigner | None = None, **options: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {"suite": "eddsa-rdfc-2022", "created": CREATED, **options}
    signer = by or SIGNERS[Multicodec.ED25519_PUB]
    if not isinstance(CRYPTOSUITES[settings["suite"]], Selective):
        return add_proof(document, signer=signer, **settings)
    # What its holder shows of it: all but its name.
    base = add_proof(document, signer=signer, mandatory_pointers=["/issuer"], entropy=_entropy(), **settings)
    return derive_proof(base, ["/id", "/validFrom", "/credentialSubject"])


def presentation() -> dict[str, Any]:
    """A presentation of some of the records."""
    document = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": did_of(HOLDER),
        "verifiableCredential": secured()[:2],
    }
    return _signed(document, by=HOLDER, purpose="authentication", challenge=CHALLENGE, domain=DOMAIN)


def jwts() -> list[str]:
    """Records, a transcript and a presentation as JWTs and SD-JWTs, under each kind of key."""
    texts = [
        _issued(record(did_of(signer)), securing, signer)
        for securing in ("vc+jwt", "vc+sd-jwt")
        for signer in SIGNERS.values()
    ]
    issuer = SIGNERS[Multicodec.ED25519_PUB]
    bound = _issued(TRANSCRIPT, "dc+sd-jwt", issuer, holder=PublicKey(HOLDER.codec, HOLDER.key.public), decoys=2)
    shown = present_sd_jwt(bound, ["/results/1/grade"])
    answer = bind_sd_jwt(shown, HOLDER, challenge=CHALLENGE, domain=DOMAIN, now=NOW)
    unsigned = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": did_of(HOLDER)}
    inside = [{"@context": [V2], "type": "EnvelopedVerifiableCredential", "id": f"data:application/vc+jwt,{texts[0]}"}]
    presented = _issued(
        {**unsigned, "verifiableCredential": inside}, "vp+jwt", HOLDER, challenge=CHALLENGE, domain=DOMAIN
    )
    return [*texts, _issued(TRANSCRIPT, "dc+sd-jwt", issuer), answer, presented]


TRANSCRIPT = {
    "vct": "https://college.example/transcript",
    "name": "Ada",
    "results": [{"course": "Welding", "grade": "B"}, {"course": "Mathematics", "grade": "A"}],
}
_SELECTIVE = {"vc+sd-jwt": ["/name", "/credentialSubject"], "dc+sd-jwt": ["/name", "/results/1", "/results/1/grade"]}


def _issued(document: dict[str, Any], securing: str, signer: SoftwareSigner, **options: Any) -> str:
    pointers = _SELECTIVE.get(securing, ())
    made = issue(
        document, securing, signer, created=CREATED, selective_pointers=pointers, entropy=_entropy(), **options
    )
    return str(made.document)


def _entropy() -> Callable[[int], bytes]:
    """Bytes that are the same in every run, and others at every call."""
    calls = count()
    return lambda size: _secret(f"entropy {next(calls)}", size)


def status_lists() -> list[dict[str, Any]]:
    """Signed lists on which no status, and one, is set."""
    lists = []
    for index in (None, 3):
        bits = Bitstring()
        if index is not None:
            bits.set(index, True)
        issuer = SIGNERS[Multicodec.ED25519_PUB]
        unsigned = status_list_credential(
            url=LIST_URL, issuer=did_of(issuer), purposes=["revocation"], bits=bits,
            valid_from=NOW - timedelta(days=60), ttl_ms=300_000,
        )  # fmt: skip
        lists.append(_signed(unsigned))
    return lists


def dids() -> list[str]:
    """A DID of each method."""
    public = HOLDER.key.public
    return [
        *(did_of(signer) for signer in (*SIGNERS.values(), HOLDER)),
        peer2.create(public, endpoint="https://college.example/didcomm"),
        peer4.create(public, endpoint="https://college.example/didcomm"),
        did_jwk.did_from_public(PublicKey(HOLDER.codec, public)),
        *DIDS_OF_THE_WEB,
        WEB_DID + "%3A8443:issuers:1",
        HOLDER.verification_method,
        WEB_DID + "/path;a=b?versionTime=2026-01-01T00:00:00Z&service=a#key-0",
    ]


def did_documents() -> list[dict[str, Any]]:
    """The documents of those DIDs that carry one."""
    found = []
    for did in dids():
        with suppress(LernodeError):
            document = resolve_offline(did)
            found += [document.raw] if document is not None else []
    return found


@dataclass
class World:
    """Resolver and status source of a verification that needs no network.

    Attributes:
        lists: the status list credentials that are served, by URL; whatever is asked for, the only one is given.
    """

    list_credential: dict[str, Any]

    async def resolve(self, did: str) -> DidDocument:
        """The document of a DID; that of :data:`WEB_DID` has the issuers' keys."""
        if did == WEB_DID:
            methods = [
                {"id": f"#{n}", "type": "Multikey", "controller": did, "publicKeyMultibase": signer.key.multikey}
                for n, signer in enumerate(SIGNERS.values())
            ]
            return parse_document(
                {"id": did, "verificationMethod": methods, "assertionMethod": ["#0", "#1", "#2"]}, did
            )
        document = resolve_offline(did)
        if document is None:
            raise NotNow("did.unreachable", "The DID document cannot be had.", "Try later.")
        return document

    async def get(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """The list, whatever its URL."""
        del url, refresh
        return StatusListCopy(self.list_credential, NOW, False)

    async def get_token(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """No list is a token here."""
        del url, refresh
        raise NotNow("status.unreachable", "The status list cannot be had.", "Try later.")


def finished(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that never has to wait; an event loop for each would take most of the time."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    raise RuntimeError("the coroutine waits for something")
