"""A college with Open Badges 2.0 on its web server, as a table of URLs."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocols import strict_json
from protocols.credentials.open_badges_2.source import PublishedPart
from protocols.errors import BadInput, NotNow
from protocols.multiformats import b64url_encode

__all__ = ["ADA", "Badges"]

ADA = "ada@example.org"
_KEY = generate_private_key(65537, 2048)
_SALT = "deadsea"
_CONTEXT = "https://w3id.org/openbadges/v2"


class Badges:
    """A :class:`~protocols.credentials.open_badges_2.source.BadgeSource`; what it has can be changed.

    Args:
        base: where everything is, without a slash at its end.
    """

    def __init__(self, base: str, now: datetime) -> None:
        self.base, self.fetched_at, self.asked = base, now, list[str]()
        self.away = False
        self.there: dict[str, dict[str, Any] | str] = {}
        self.issuer = self.part(
            "/issuer",
            type="Issuer",
            name="Riverside College",
            url=f"{base}/",
            email="badges@college.example",
            publicKey=[f"{base}/key"],
            revocationList=f"{base}/revoked",
        )
        pem = _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.key = self.part("/key", type="CryptographicKey", owner=f"{base}/issuer", publicKeyPem=pem)
        self.revoked = self.part("/revoked", type="RevocationList", issuer=f"{base}/issuer", revokedAssertions=[])
        self.badge_class = self.part(
            "/welding",
            type="BadgeClass",
            name="Structural Welding",
            description="Welds plates.",
            image=f"{base}/welding.png",
            criteria={"narrative": "Weld three plates."},
            issuer=f"{base}/issuer",
            alignment=[
                {
                    "targetName": "Welders",
                    "targetUrl": "https://www.onetonline.org/link/summary/51-4121.00",
                    "targetCode": "51-4121.00",
                    "targetFramework": "O*NET",
                }
            ],
        )
        self.hosted = self.part("/assertions/1", **self.assertion(verification={"type": "HostedBadge"}))

    def part(self, path: str, **members: Any) -> dict[str, Any]:
        document = {"@context": _CONTEXT, "id": self.base + path, **members}
        self.there[self.base + path] = document
        return document

    def assertion(self, **changes: Any) -> dict[str, Any]:
        hashed = hashlib.sha256((ADA + _SALT).encode()).hexdigest()
        return {
            "type": "Assertion",
            "recipient": {"type": "email", "hashed": True, "salt": _SALT, "identity": f"sha256${hashed}"},
            "badge": f"{self.base}/welding",
            "issuedOn": "2026-05-01T12:00:00Z",
            "evidence": [f"{self.base}/evidence/1"],
            **changes,
        }

    def signed(self, *, alg: str = "RS256", **changes: Any) -> str:
        verification = {"type": "SignedBadge", "creator": f"{self.base}/key"}
        said = {"@context": _CONTEXT, "id": "urn:uuid:3527", **self.assertion(verification=verification), **changes}
        return self.sign(said, alg=alg)

    @staticmethod
    def sign(said: dict[str, Any], *, alg: str = "RS256") -> str:
        text = f"{b64url_encode(strict_json.dumps({'alg': alg}))}.{b64url_encode(strict_json.dumps(said))}"
        return f"{text}.{b64url_encode(_KEY.sign(text.encode(), PKCS1v15(), SHA256()))}"

    async def get(self, url: str, *, refresh: bool = False) -> PublishedPart:
        del refresh
        self.asked.append(url)
        if self.away:
            raise NotNow("badge.unreachable", "It is away.", "Wait.")
        if url not in self.there:
            raise BadInput("badge.not_there", "It is gone.", "Ask.")
        return PublishedPart(deepcopy(self.there[url]), self.fetched_at)
