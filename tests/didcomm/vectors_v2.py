"""The test vectors of DIDComm 2.1's appendix, parsed out of its text: keys, documents, messages."""

from __future__ import annotations

import json
import re
from typing import Any

from protocols.did.document import DidDocument, parse_document
from protocols.errors import BadInput
from protocols.keys import (
    AGREEMENT_CODECS,
    AgreementKey,
    AgreementKeyPair,
    EcdsaKeyPair,
    KeyPair,
    SoftwareSigner,
    read_public_jwk,
)
from protocols.multiformats import Multicodec, b64url_decode_exact
from tests.shared_data import shared_path

_TEXT = shared_path("vectors/didcomm-v2/appendix.md").read_text()
_BLOCKS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", _TEXT, re.DOTALL)]

SECRETS = [{name.strip(): value for name, value in jwk.items()} for block in _BLOCKS[:2] for jwk in block]
DOCUMENTS: dict[str, DidDocument] = {raw["id"]: parse_document(raw, raw["id"]) for raw in _BLOCKS[2:4]}
PLAINTEXT: dict[str, Any] = _BLOCKS[4]
SIGNED: list[dict[str, Any]] = [block for block in _BLOCKS[5:] if "payload" in block]
ENCRYPTED: list[dict[str, Any]] = [block for block in _BLOCKS[5:] if "ciphertext" in block]

ALICE, BOB = "did:example:alice", "did:example:bob"


def _seed(jwk: dict[str, Any]) -> bytes:
    return b64url_decode_exact(jwk["d"])


def _codec(jwk: dict[str, Any]) -> Multicodec:
    return read_public_jwk({name: value for name, value in jwk.items() if name != "d"}).codec


class Keys:
    """The secrets of the appendix, or of one DID in it; and others by their kid."""

    def __init__(self, *dids: str, others: dict[str, AgreementKey] | None = None) -> None:
        self._dids = dids or (ALICE, BOB)
        self._others = others or {}

    def find_agreement(self, kid: str) -> AgreementKey | None:
        if kid in self._others:
            return self._others[kid]
        for jwk in SECRETS:
            if jwk["kid"] == kid and kid.split("#", maxsplit=1)[0] in self._dids and _codec(jwk) in AGREEMENT_CODECS:
                return AgreementKeyPair.from_seed(_codec(jwk), _seed(jwk))
        return None


class Documents:
    """A resolver of the appendix's documents, and of others; notes what it was asked."""

    def __init__(self, *documents: DidDocument) -> None:
        self._documents = DOCUMENTS | {document.id: document for document in documents}
        self.asked: list[str] = []

    async def resolve(self, did: str) -> DidDocument:
        self.asked.append(did)
        if did not in self._documents:
            raise BadInput("did.method_unsupported", "The DID is unknown.", "Use another.")
        return self._documents[did]


def signer(kid: str, name: str | None = None) -> SoftwareSigner:
    """The signing key ``kid`` of the appendix, which may go by another name."""
    name = name or kid
    jwk = next(jwk for jwk in SECRETS if jwk["kid"] == kid)
    if jwk["crv"] == "Ed25519":
        return SoftwareSigner(KeyPair.from_seed(_seed(jwk)), name)
    return SoftwareSigner(EcdsaKeyPair.from_seed(_codec(jwk), _seed(jwk)), name)
