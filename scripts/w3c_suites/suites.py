"""What each suite is told of the node: endpoints, the DIDs to issue under, and which tests it claims to pass.

The form is that of w3c/vc-test-suite-implementations: one implementation with lists of endpoints, each with an id (for
an issuer its DID), tags that say which tests apply, and options that are sent along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["SUITES", "local_config"]

Dids = Mapping[str, str]
_BOTH_VERSIONS = {"vc": ["1.1", "2.0"]}
_SUITES_HOLDER = "Digital Bazaar"
"""``holderName`` in config/runner.json of vc-di-ecdsa-test-suite."""


def _issuer(base: str, did: str, tags: list[str], options: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    endpoint = {"id": did, "endpoint": f"{base}/credentials/issue", "tags": tags, "supports": _BOTH_VERSIONS, **more}
    return {**endpoint, "options": options} if options else endpoint


def _verifier(base: str, tags: list[str], **more: Any) -> dict[str, Any]:
    return {
        "id": f"{base}/credentials/verify",
        "endpoint": f"{base}/credentials/verify",
        "tags": tags,
        "supports": _BOTH_VERSIONS,
        **more,
    }


def _presentations(base: str, tags: list[str]) -> dict[str, Any]:
    return {"id": f"{base}/presentations/verify", "endpoint": f"{base}/presentations/verify", "tags": tags}


def _data_model(base: str, dids: Dids) -> dict[str, Any]:
    return {
        "issuers": [
            _issuer(base, dids["ed25519"], ["vc2.0"]),
            _issuer(base, dids["p256"], ["EnvelopingProof"], {"mediaType": "application/vc+jwt"}),
        ],
        "verifiers": [_verifier(base, ["vc2.0"]), _verifier(base, ["EnvelopingProof"])],
        "vpVerifiers": [_presentations(base, ["vc2.0"])],
    }


def _eddsa(base: str, dids: Dids) -> dict[str, Any]:
    suites = ("eddsa-rdfc-2022", "eddsa-jcs-2022")
    return {
        "issuers": [_issuer(base, dids["ed25519"], [suite], {"cryptosuite": suite}) for suite in suites],
        "verifiers": [_verifier(base, [*suites])],
    }


def _ecdsa(base: str, dids: Dids) -> dict[str, Any]:
    keys = (("P-256", dids["p256"]), ("P-384", dids["p384"]))
    issuers = [
        _issuer(base, did, [suite], {"cryptosuite": suite}, supportedEcdsaKeyTypes=[key])
        for suite in ("ecdsa-rdfc-2019", "ecdsa-jcs-2019")
        for key, did in keys
    ]
    sd = "ecdsa-sd-2023"
    issuers.append(_issuer(base, dids["p256"], [sd], {"cryptosuite": sd}, supportedEcdsaKeyTypes=["P-256"]))
    every = ["P-256", "P-384"]
    return {
        "issuers": issuers,
        "verifiers": [
            _verifier(base, ["ecdsa-rdfc-2019"], supportedEcdsaKeyTypes=every),
            _verifier(base, ["ecdsa-jcs-2019"], supportedEcdsaKeyTypes=every),
            _verifier(base, [sd], supportedEcdsaKeyTypes=["P-256"]),
        ],
    }


def _holder(base: str) -> dict[str, Any]:
    """Where the suite of ECDSA lets parts of a credential be selected: at the implementation that its files name."""
    derive = f"{base}/credentials/derive"
    return {
        "name": _SUITES_HOLDER,
        "implementation": "lernode",
        "vcHolders": [{"id": derive, "endpoint": derive, "tags": ["vcHolder"]}],
    }


def _ed25519_2020(base: str, dids: Dids) -> dict[str, Any]:
    tags = ["Ed25519Signature2020"]
    return {
        "issuers": [_issuer(base, dids["ed25519"], tags, {"type": "Ed25519Signature2020"})],
        "verifiers": [_verifier(base, tags)],
    }


def _bitstring(base: str, dids: Dids) -> dict[str, Any]:
    tags = ["BitstringStatusList"]
    status = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
    return {
        "issuers": [_issuer(base, dids["ed25519"], tags, {"credentialStatus": status})],
        "verifiers": [_verifier(base, tags)],
        "vpVerifiers": [_presentations(base, tags)],
    }


def _did_key(base: str, _dids: Dids) -> dict[str, Any]:
    return {
        "didResolvers": [{"id": f"{base}/1.0/identifiers", "endpoint": f"{base}/1.0/identifiers", "tags": ["did-key"]}]
    }


SUITES: dict[str, Callable[[str, Dids], dict[str, Any]]] = {
    "vc-data-model-2.0-test-suite": _data_model,
    "vc-di-eddsa-test-suite": _eddsa,
    "vc-di-ecdsa-test-suite": _ecdsa,
    "vc-di-ed25519signature2020-test-suite": _ed25519_2020,
    "vc-bitstring-status-list-test-suite": _bitstring,
    "did-key-test-suite": _did_key,
}
"""Name of a suite's package -> what it is told."""


def local_config(suite: str, base: str, dids: Dids) -> dict[str, Any]:
    """The configuration of a suite.

    Args:
        base: URL of the VC API.
        dids: the node's issuer DIDs by kind of key: ed25519, p256, p384.
    """
    implementation = {"name": "lernode", "implementation": "lernode", **SUITES[suite](base, dids)}
    return {
        # Interoperability with itself only: no implementation on the network is asked.
        "settings": {"enableInteropTests": True, "testAllImplementations": False},
        "implementations": [implementation, _holder(base)],
    }
