"""What SICPA's ``didcomm`` packs and unpacks; runs in a virtual environment of its own, see scripts/didcomm-peer.

Reads one JSON object from standard input: ``documents`` (DID documents), ``secrets`` (private JWKs with ``kid``) and
``jobs``; writes the list of their results, each ``{"ok": …}`` or ``{"error": name of the exception}``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")

from didcomm.common.algorithms import AnonCryptAlg  # noqa: E402
from didcomm.common.resolvers import ResolversConfig  # noqa: E402
from didcomm.common.types import (  # noqa: E402
    VerificationMaterial,
    VerificationMaterialFormat,
    VerificationMethodType,
)
from didcomm.did_doc.did_doc import DIDDoc  # noqa: E402
from didcomm.did_doc.did_resolver_in_memory import DIDResolverInMemory  # noqa: E402
from didcomm.message import FromPrior, Message  # noqa: E402
from didcomm.pack_encrypted import PackEncryptedConfig, pack_encrypted  # noqa: E402
from didcomm.pack_signed import pack_signed  # noqa: E402
from didcomm.secrets.secrets_resolver import Secret  # noqa: E402
from didcomm.secrets.secrets_resolver_in_memory import SecretsResolverInMemory  # noqa: E402
from didcomm.unpack import unpack  # noqa: E402

ANON = {alg.value.enc: alg for alg in AnonCryptAlg}


def document(raw: dict[str, Any]) -> DIDDoc:
    """The library finds methods only where they are listed once and referred to."""
    methods = {}
    for name in ("authentication", "keyAgreement"):
        for method in raw.get(name, []):
            methods[method["id"]] = method
        raw[name] = [method["id"] for method in raw.get(name, [])]
    raw["verificationMethod"] = list(methods.values())
    raw.setdefault("service", [])
    return DIDDoc.deserialize(raw)


def secret(jwk: dict[str, Any]) -> Secret:
    material = VerificationMaterial(VerificationMaterialFormat.JWK, json.dumps(jwk))
    return Secret(jwk["kid"], VerificationMethodType.JSON_WEB_KEY_2020, material)


def message(raw: dict[str, Any]) -> Message:
    prior = raw.get("from_prior")
    return Message(
        id=raw["id"],
        type=raw["type"],
        body=raw["body"],
        frm=raw.get("from"),
        to=raw.get("to"),
        from_prior=FromPrior(**prior) if prior else None,
    )


async def run(job: dict[str, Any], config: ResolversConfig) -> Any:
    if job["op"] == "unpack":
        result = await unpack(config, job["packed"])
        meta = result.metadata
        return {
            "body": result.message.body,
            "sender": meta.encrypted_from,
            "signer": meta.sign_from,
            "prior": result.message.from_prior.iss if result.message.from_prior else None,
        }
    if job["op"] == "sign":
        return (await pack_signed(config, message(job["message"]), job["signer"])).packed_msg
    settings = PackEncryptedConfig(forward=False, protect_sender_id=job.get("hidden", False))
    if "encryption" in job:
        settings.enc_alg_anon = ANON[job["encryption"]]
    packed = await pack_encrypted(
        config, message(job["message"]), job["to"], job.get("sender"), job.get("signer"), settings
    )
    return packed.packed_msg


async def main() -> None:
    given = json.load(sys.stdin)
    config = ResolversConfig(
        SecretsResolverInMemory([secret(jwk) for jwk in given["secrets"]]),
        DIDResolverInMemory([document(raw) for raw in given["documents"]]),
    )
    results: list[dict[str, Any]] = []
    for job in given["jobs"]:
        try:
            results.append({"ok": await run(job, config)})
        except Exception as error:
            results.append({"error": f"{type(error).__name__}: {error}"})
    json.dump(results, sys.stdout)


asyncio.run(main())
