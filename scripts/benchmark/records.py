"""Issue and verify the Open Badges 3.0 record, with both cryptosuites, and beside plain pyld.

The record is what the demo's college would issue for the first achievement of its catalogue, about a did:key, without
status entries. It is verified as a verifier node does: from JSON text, with every check and the schema of Open Badges,
and also by its proof alone. Its issuer is a did:key, so nothing is asked of any network.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import statistics
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from nacl import bindings
from pyld import jsonld

from node.config import Config
from node.records.catalogue import Catalogue
from node.records.open_badges import IssuerProfile, build_credential
from node.roles.policy import VerificationPolicies
from protocols import strict_json
from protocols.credentials.data_integrity.proofs import add_proof, verify_proof
from protocols.credentials.data_integrity.suite import UnsecuredDocument
from protocols.credentials.resources import NoResources
from protocols.credentials.verify import verify
from protocols.did import key as did_key
from protocols.did.document import DidDocument
from protocols.did.resolver import resolve_offline
from protocols.errors import BadInput, NotNow
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.processor import DEFAULT
from protocols.keys import KeyPair, PublicKey, SoftwareSigner
from protocols.multiformats import multibase_decode
from protocols.status.source import StatusListCopy
from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.raw import SIGN, VERIFY, raw_batches
from scripts.benchmark.timing import Batch, Compared, Plan, compare, each, each_awaited, figure_of, progress, spread

__all__ = ["measure"]

_RDFC = "eddsa-rdfc-2022"
_SUITES = (_RDFC, "eddsa-jcs-2022")
_PYLD = "verify.plain-pyld"
_GOAL = Target(4.0, is_floor=True)


class _Offline:
    """Resolves what needs no network, and has no status lists."""

    async def resolve(self, did: str) -> DidDocument:
        document = resolve_offline(did)
        if document is None:
            raise BadInput("did.method_unknown", "The DID needs the network.", "Use a did:key.")
        return document

    async def get(self, _url: str, *, refresh: bool = False) -> StatusListCopy:
        del refresh
        raise NotNow("status.unreachable", "There is no network here.", "Measure a record without status.")

    get_token = get


class _Bench:
    """One issuer and its record."""

    def __init__(self) -> None:
        self.key = KeyPair.from_seed(os.urandom(32))
        self.did = did_key.did_from_public(self.key.public)
        self.signer = SoftwareSigner(self.key, did_key.verification_method(self.did))
        self.subject = did_key.did_from_public(KeyPair.from_seed(os.urandom(32)).public)
        data = files("node.records").joinpath("demo_catalogue.json").read_bytes()
        self.achievement = Catalogue.parse(data).list()[0]
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.policy = VerificationPolicies(Config(), Path(), NoResources()).verifier(trust=[self.did])
        self.offline = _Offline()

    def issue(self, suite: str) -> dict[str, Any]:
        """Build the record and sign it."""
        record = build_credential(
            achievement=self.achievement,
            issuer=IssuerProfile(self.did, "Riverside Community College", "https://riverside.example"),
            credential_id="urn:uuid:0b2f6a3c-7a53-4a0e-9a0f-3f6a4a1c2d5e",
            valid_from=self.now,
            subject_did=self.subject,
        )
        return add_proof(record, suite=suite, signer=self.signer, created=self.now)

    async def verify(self, text: bytes) -> None:
        """Every check of the record, as a verifier makes them."""
        result = await verify(text, resolver=self.offline, statuses=self.offline, policy=self.policy, now=self.now)
        if not result.verified:
            raise AssertionError(f"the record does not verify: {result}")

    def verify_proof(self, record: Mapping[str, Any]) -> None:
        """The proof alone, from the parsed record and the known key."""
        unsecured = UnsecuredDocument({name: value for name, value in record.items() if name != "proof"}, DEFAULT)
        if not verify_proof(unsecured, record["proof"], PublicKey(self.key.codec, self.key.public)):
            raise AssertionError("the proof does not verify")

    def verify_with_pyld(self, record: Mapping[str, Any]) -> None:
        """The proof alone, as one writes it with plain pyld: contexts are at hand, and pyld's own caches are on."""
        proof = dict(record["proof"])
        signature = multibase_decode(proof.pop("proofValue"))
        unsecured = {name: value for name, value in record.items() if name != "proof"}
        hashed = b"".join(
            hashlib.sha256(_pyld_nquads(part).encode()).digest()
            for part in ({**proof, "@context": record["@context"]}, unsecured)
        )
        bindings.crypto_sign_open(signature + hashed, self.key.public)


def measure(plan: Plan) -> list[Figure]:
    """The figures of records."""
    bench = _Bench()
    records = {suite: bench.issue(suite) for suite in _SUITES}
    size = len(strict_json.dumps(records[_RDFC]))
    progress(f"records: issue and verify a record of {size:,} bytes with both suites and with plain pyld ...")
    with asyncio.Runner() as runner:
        batches = {**raw_batches(), **_batches(bench, records, runner)}
        compared = compare(batches, plan)
    figures = [_raw(compared, name) for name in (SIGN, VERIFY)]
    for suite in _SUITES:
        figures.append(figure_of(compared, f"issue.{suite}", f"issue, {suite}", SIGN))
        figures.append(figure_of(compared, f"verify.{suite}", f"verify, {suite}, every check", VERIFY))
        figures.append(figure_of(compared, f"verify-proof.{suite}", f"verify, {suite}, proof alone", VERIFY))
    figures.append(figure_of(compared, _PYLD, f"verify, {_RDFC}, proof alone, plain pyld", VERIFY))
    figures.append(_against_pyld(compared, f"verify.{_RDFC}", "every check over plain pyld's proof alone"))
    figures.append(_against_pyld(compared, f"verify-proof.{_RDFC}", "proof alone over plain pyld's"))
    return figures


def _batches(bench: _Bench, records: Mapping[str, dict[str, Any]], runner: asyncio.Runner) -> dict[str, Batch]:
    def issue(suite: str) -> Batch:
        return each(lambda: bench.issue(suite))

    def verify(text: bytes) -> Batch:
        return each_awaited(runner.run, lambda: bench.verify(text))

    def prove(record: dict[str, Any]) -> Batch:
        return each(lambda: bench.verify_proof(record))

    batches: dict[str, Batch] = {}
    for suite, record in records.items():
        batches[f"issue.{suite}"] = issue(suite)
        batches[f"verify.{suite}"] = verify(strict_json.dumps(record))
        batches[f"verify-proof.{suite}"] = prove(record)
    batches[_PYLD] = each(lambda: bench.verify_with_pyld(records[_RDFC]))
    return batches


def _against_pyld(compared: Compared, name: str, about: str) -> Figure:
    ratios = compared.ratios(name, _PYLD)
    return Figure(f"{name}.over-pyld", about, compared.ratio(name, _PYLD), "times", spread(ratios), target=_GOAL)


def _raw(compared: Compared, name: str) -> Figure:
    rates = compared.rates[name]
    return Figure(name.lower().replace(" ", "."), name, statistics.median(rates), "/s", spread(rates))


_CONTEXTS = ContextStore()


def _load(url: str, _options: Any) -> dict[str, Any]:
    return {"contextUrl": None, "documentUrl": url, "document": _CONTEXTS.get(url)}


def _pyld_nquads(document: dict[str, Any]) -> str:
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": _load}
    return str(jsonld.normalize(document, options))
