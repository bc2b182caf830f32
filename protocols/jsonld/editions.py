"""Published forms of the bundled contexts, for documents that state the digest of a context (``relatedResource``).

A bundled file has the bytes of the package that it was taken from, and packages reformat; the publisher's file at the
URL says the same in other bytes. Each line here is a file that the W3C has published under the URL, and which was
compared with the bundled one as JSON: equal, or different in nothing but the terms that are named. Its digest may
stand for ours in a document that uses none of these. What is neither listed nor bundled has another digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["EDITIONS", "Edition"]


@dataclass(frozen=True, slots=True)
class Edition:
    """One published file.

    Attributes:
        name: when and as what it was published.
        digests: its digests by the name of the algorithm.
        other_terms: the terms that it defines otherwise than the bundled context.
    """

    name: str
    digests: Mapping[str, bytes]
    other_terms: frozenset[str] = frozenset()


def _edition(name: str, sha256: str, sha384: str, sha512: str, *other_terms: str) -> Edition:
    digests = {"sha256": sha256, "sha384": sha384, "sha512": sha512}
    return Edition(name, {kind: bytes.fromhex(text) for kind, text in digests.items()}, frozenset(other_terms))


EDITIONS: Mapping[str, tuple[Edition, ...]] = {
    "https://www.w3.org/2018/credentials/v1": (
        _edition(
            "Recommendation of 2022",
            "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc",
            "82c3b3eab863754bbfd2b9f17d8d6db9f61169f301cbf0b05e1fc4beb5f5c51dd4d2e888c274f49c3fbb2408f61faed1",
            "536a40b390dda94a9e39196c00090f62668e8184fe3c8c02c4a22c85666e68bf"
            "6e85d3dc7f2dba85b2b62ef95d97de24132568d8504db43f2c9c82d2e88418d2",
        ),
    ),
    "https://www.w3.org/ns/credentials/v2": (
        _edition(
            "Recommendation of 2025",
            "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
            "97f1eb8e5042356c805fdd61afa2c557663785e0794dcafa21e138fd38def18cb360133c221aa31d6896a6bf3e65b614",
            "5d55452bd2dcf8a29f5a290473eb242b1c5fb77d4e68f1a0aa87baa4dba26948"
            "52d65ec63d48ac04a99d956f9f7153b9406f84d2d04c74869b02c239a1d81305",
        ),
        _edition(
            "Candidate Recommendation, July 2024",
            "24a18c90e9856d526111f29376e302d970b2bd10182e33959995b0207d7043b9",
            "35239c36999d2155312091af194a1edb61634d6ad789a5e5b19f2aebdd762dd9d1dcaada40eda7ef921c6b8c0ae107a0",
            "cb1336dfa8670d80d03344b3b0cc25faf4d45201823c35f39bb1afe5a9f911f6"
            "15ff4ec80ec5f2f89e33d14e96bec8be78e38df35b918c9cd5f3b3449bd6c88f",
            "statusMessage",
            "statusReference",
            "statusSize",
        ),
    ),
    "https://www.w3.org/ns/credentials/status/v1": (
        _edition(
            "Recommendation of 2025",
            "fda5add353231e6a6884a46b12e6c75464281900cb348284d9c360f62381d9f7",
            "ac0ef813833ebd666b6170a61c5adacc6d7d2f5a040d16c2928e8414d4fa07f64d70313021e02bf4f97bdd123ed9a84e",
            "ff2ca7667b990373b46b12535e6b8de8eae270143278715ad935b159216521e5"
            "14cb1ccd8517410a2429527e24d8fc96f88f8b734887a2602e6ee07b83b66fed",
        ),
    ),
    "https://w3id.org/security/data-integrity/v2": (
        _edition(
            "Recommendation of 2025",
            "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
            "0ee2d7626717f8b07cd449b525d5e2b71fe27209fc99e53089e0169dd2944d793feea4526fc60bb9cca1cd96512391f6",
            "39cd7a9a4047b74b8524640fe35633e81e8286d14bdbb7e77d0e08d850b00d6a"
            "35b0185d5de35c479baedb23a17989d9f628ac95531fdd79c0c5a0f632d9fa95",
        ),
    ),
    "https://w3id.org/security/multikey/v1": (
        _edition(
            "Recommendation of 2025",
            "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
            "0fa51641d12fb8c701b2e6a9492556f25d32bb4af84a96f11808f0a623b972434dd18a8f1f1865bc68d8ee046c4e5a3e",
            "127d1338ea7f702d745ed5bf6900eda8aac4419da5463181fca02c27e0508510"
            "6e7d3eece9ea0e156bcff5c3f99eead397785c453bc579f7dd5496a991e10b5f",
        ),
    ),
}
"""The URL of a bundled context -> what has been published there."""
