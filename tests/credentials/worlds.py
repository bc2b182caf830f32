"""The small world of these tests: an issuer, a holder, a stranger, a resolver for their DIDs, and status lists."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from protocols.credentials.data_integrity import CRYPTOSUITES, add_proof
from protocols.credentials.policy import Policy
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, CheckResult, Outcome, VerificationResult
from protocols.credentials.verify import verify
from protocols.did.document import DidDocument
from protocols.did.resolver import Resolver, resolve_offline
from protocols.errors import LernodeError, NotNow
from protocols.jsonld.processor import DEFAULT, Processor
from protocols.keys import EcdsaKeyPair, KeyPair, SigningKey, SoftwareSigner
from protocols.multiformats import Multicodec
from protocols.status.bitstring import Bitstring
from protocols.status.entry import status_entry
from protocols.status.list_credential import status_list_credential
from protocols.status.source import StatusListCopy

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CREATED = NOW - timedelta(days=1)
SUITES = ("eddsa-rdfc-2022", "eddsa-jcs-2022", "Ed25519Signature2020", "Ed25519Signature2018")
ECDSA_SUITES = ("ecdsa-rdfc-2019", "ecdsa-jcs-2019")
V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
LIST_URL = "https://college.example/status/1"


def signer(name: str, codec: Multicodec = Multicodec.ED25519_PUB) -> SoftwareSigner:
    """A did:key signer that is the same in every run."""
    seed = hashlib.sha384(name.encode()).digest()
    if codec is Multicodec.P384_PUB:
        return _did_key(EcdsaKeyPair.from_seed(codec, seed))
    pair = KeyPair.from_seed(seed[:32]) if codec is Multicodec.ED25519_PUB else EcdsaKeyPair.from_seed(codec, seed[:32])
    return _did_key(pair)


def _did_key(pair: SigningKey) -> SoftwareSigner:
    return SoftwareSigner(pair, f"did:key:{pair.multikey}#{pair.multikey}")


def did(of: SoftwareSigner) -> str:
    return of.verification_method.partition("#")[0]


ISSUER, HOLDER, STRANGER = signer("issuer"), signer("holder"), signer("stranger")
ISSUER_P256, ISSUER_P384 = signer("issuer", Multicodec.P256_PUB), signer("issuer", Multicodec.P384_PUB)
TRUSTING = Policy(trust=TrustedIssuers({did(ISSUER), did(ISSUER_P256), did(ISSUER_P384)}))


@dataclass
class Dids:
    """Resolves self-describing DIDs, and others as told."""

    known: dict[str, DidDocument | LernodeError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def resolve(self, did: str) -> DidDocument:
        self.asked.append(did)
        answer = self.known.get(did) or resolve_offline(did)
        if answer is None:
            raise NotNow("did.unreachable", "The DID document cannot be had.", "Try later.")
        if isinstance(answer, LernodeError):
            raise answer
        return answer


@dataclass
class Lists:
    """Status lists as if fetched; empty means that no issuer answers."""

    copies: dict[str, StatusListCopy] = field(default_factory=dict)
    refreshed: list[bool] = field(default_factory=list)

    async def get(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        self.refreshed.append(refresh)
        if url not in self.copies:
            raise NotNow("status.unreachable", "The status list cannot be had.", "Try later.")
        return self.copies[url]

    get_token = get


def record(**changes: Any) -> dict[str, Any]:
    """An unsigned Open Badges 3.0 record of the issuer about the holder."""
    return {
        "@context": [V2, OB],
        "id": "urn:uuid:0f1f3b3e-8a3b-4f7c-9a55-1b1f6f3b7d11",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Welding, level 2",
        "issuer": {"id": did(ISSUER), "type": ["Profile"], "name": "College of the Coast"},
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2036-01-01T00:00:00Z",
        "credentialSubject": {
            "id": did(HOLDER),
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://college.example/achievements/welding-2",
                "type": ["Achievement"],
                "name": "Welding, level 2",
                "description": "Welds steel plate in two positions.",
                "criteria": {"narrative": "Passed the practical test."},
                "alignment": [
                    {
                        "type": ["Alignment"],
                        "targetName": "Welders, Cutters, Solderers, and Brazers",
                        "targetUrl": "https://www.onetonline.org/link/summary/51-4121.00",
                    }
                ],
            },
        },
        **changes,
    }


def endorsement(of: str = record()["id"], **changes: Any) -> dict[str, Any]:
    """What a stranger says in favour of ``of``; not signed yet."""
    return {
        "@context": [V2, OB],
        "id": "urn:uuid:5d0a5a0e-5a3f-4c0b-8f5e-1f1f6f3b7d11",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Endorsement",
        "issuer": {"id": did(STRANGER), "type": ["Profile"], "name": "An employer"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": of, "type": ["EndorsementSubject"], "endorsementComment": "Well made."},
        **changes,
    }


def issuer_for(suite: str) -> SoftwareSigner:
    """The issuer with a key that goes with the suite."""
    return ISSUER if ISSUER.codec in CRYPTOSUITES[suite].key_types else ISSUER_P256


def issue_with(suite: str, document: dict[str, Any], *, by: SoftwareSigner | None = None, **more: Any) -> Any:
    """``document`` signed by, and in the name of, the issuer whose key goes with the suite."""
    by = by or issuer_for(suite)
    return issue({**document, "issuer": {**document["issuer"], "id": did(by)}}, by=by, suite=suite, **more)


def issue(
    document: dict[str, Any], *, by: SoftwareSigner = ISSUER, suite: str = "eddsa-rdfc-2022", **more: Any
) -> dict[str, Any]:
    """``document`` signed; ``more`` goes to ``add_proof``."""
    return add_proof(document, suite=suite, signer=by, created=more.pop("created", CREATED), **more)


def present(
    *credentials: dict[str, Any],
    by: SoftwareSigner = HOLDER,
    challenge: str | None = "c-1",
    domain: str | None = "employer.example",
    suite: str = "eddsa-rdfc-2022",
    purpose: str = "authentication",
    **changes: Any,
) -> dict[str, Any]:
    """A signed presentation of the credentials."""
    document = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": did(by),
        "verifiableCredential": list(credentials),
        **changes,
    }
    return issue(document, by=by, suite=suite, purpose=purpose, challenge=challenge, domain=domain)


def status_list(
    *indices: int,
    values: dict[int, int] | None = None,
    size: int = 1,
    by: SoftwareSigner = ISSUER,
    url: str = LIST_URL,
    purpose: str = "revocation",
    fetched: timedelta = timedelta(0),
    from_cache: bool = False,
    suite: str = "eddsa-rdfc-2022",
    until: timedelta = timedelta(days=30),
) -> StatusListCopy:
    """A signed list with ``indices`` set, or set to ``values``, fetched ``fetched`` before now."""
    bits = Bitstring(size=size)
    for index, value in {**dict.fromkeys(indices, 1), **(values or {})}.items():
        bits.set(index, value)
    unsigned = status_list_credential(
        url=url,
        issuer=did(by),
        purposes=(purpose,),
        bits=bits,
        valid_from=NOW - timedelta(days=60),
        valid_until=NOW + until,
        ttl_ms=300_000,
    )
    return StatusListCopy(issue(unsigned, by=by, suite=suite), NOW - fetched, from_cache)


def with_status(
    *purposes: str,
    index: int = 7,
    url: str = LIST_URL,
    messages: Sequence[str] = (),
    references: Sequence[str] = (),
    **changes: Any,
) -> dict[str, Any]:
    """An unsigned record that points into status lists."""
    entries = [
        status_entry(url if not n else f"{url}-{n}", purpose, index, messages=messages, references=references)
        for n, purpose in enumerate(purposes)
    ]
    return record(credentialStatus=entries[0] if len(entries) == 1 else entries, **changes)


def check_credential(
    document: Any,
    *,
    policy: Policy = TRUSTING,
    dids: Resolver | None = None,
    lists: Lists | None = None,
    now: datetime = NOW,
    processor: Processor = DEFAULT,
) -> VerificationResult:
    """Verify a credential now."""
    return asyncio.run(
        verify(
            document,
            expected="credential",
            resolver=dids or Dids(),
            statuses=lists or Lists(),
            policy=policy,
            now=now,
            processor=processor,
        )
    )


def check_presentation(
    document: Any,
    *,
    challenge: str | None = "c-1",
    domain: str | None = "employer.example",
    policy: Policy = TRUSTING,
    dids: Resolver | None = None,
    lists: Lists | None = None,
) -> VerificationResult:
    """Verify a presentation now."""
    return asyncio.run(
        verify(
            document,
            expected="presentation",
            challenge=challenge,
            domain=domain,
            resolver=dids or Dids(),
            statuses=lists or Lists(),
            policy=policy,
            now=NOW,
        )
    )


def found(result: VerificationResult, check: Check) -> CheckResult:
    """The result of one check."""
    (item,) = [item for item in result.checks if item.check is check]
    return item


def codes(result: VerificationResult, *, outcome: Outcome = Outcome.FAIL) -> dict[Check, str]:
    """The checks that ended so, with their codes."""
    return {item.check: item.code for item in result.checks if item.outcome is outcome}
