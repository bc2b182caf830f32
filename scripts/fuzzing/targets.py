"""What is fuzzed: for each target, the inputs to start from, and what to do with an input.

A target ends in a result or a :class:`LernodeError` for every input; anything else is a finding, and so is a document
that verifies though nobody signed it.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from protocols import strict_json
from protocols.credentials.data_integrity import add_proof, proofs
from protocols.credentials.data_integrity.registry import suite_of
from protocols.credentials.data_integrity.sd_proof_value import BaseProofValue, DerivedProofValue
from protocols.credentials.data_integrity.suite import UnsecuredDocument
from protocols.credentials.model import as_list
from protocols.credentials.verification import Check, VerificationResult
from protocols.credentials.verify import verify
from protocols.did import web
from protocols.did.dereference import parse_did_url
from protocols.did.document import parse_document
from protocols.did.resolver import HttpMethod, method_of, resolve_offline
from protocols.did.syntax import absolute_url
from protocols.did.webvh import method as webvh
from protocols.errors import LernodeError
from protocols.jose.jwt import method_url, read_jwt, time_problem
from protocols.jsonld.processor import DEFAULT
from protocols.keys import PublicKey, SigningKey
from protocols.multiformats import Multicodec, b64url_decode, b64url_encode
from protocols.status.bitstring import Bitstring
from protocols.status.entry import parse_status_entries, status_entry
from protocols.status.list_credential import list_ttl, read_status
from protocols.status.status_array import STATUS_SIZES, StatusArray
from protocols.status.token import (
    StatusReference,
    parse_claims,
    parse_reference,
    read_token_status,
    status_claim,
    status_list_claims,
)
from scripts.fuzzing import world
from scripts.fuzzing.mutation import Mutator, mutate_compact, mutate_json, mutate_secured

__all__ = ["TARGETS", "Target", "verified_as"]


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to fuzz.

    Attributes:
        seeds: inputs to start from.
        run: takes one input; raises nothing unless that input is a finding.
        mutate: changes the structure of an input; ``None`` where inputs have none.
    """

    seeds: Callable[[], Iterable[bytes]]
    run: Callable[[bytes], None]
    mutate: Mutator | None = mutate_json


def _json(*documents: Any) -> list[bytes]:
    return [json.dumps(document).encode() for document in documents]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


@cache
def _world() -> world.World:
    return world.World(world.status_lists()[0])


def _verify(data: bytes) -> None:
    result = verified_as(data)
    if result.verified:
        shown = _meaning(result.document)
        compare = _is_part if result.securing in _SELECTIVE else operator.eq
        assert any(compare(shown, signed) for signed in _signed()), "a document that nobody signed is verified"


def verified_as(data: bytes) -> VerificationResult:
    """The result of verifying a document in the world of the seeds, as an answer where it can be one."""
    result = _verified(data, None, None)
    if any(item.check is Check.HOLDER_BINDING for item in result.checks):
        result = _verified(data, world.CHALLENGE, world.DOMAIN)
    json.dumps(result.to_json())
    return result


def _verified(data: bytes, challenge: str | None, domain: str | None) -> VerificationResult:
    here = _world()
    options: dict[str, Any] = {"resolver": here, "statuses": here, "policy": world.POLICY, "now": world.NOW}
    return world.finished(verify(data, challenge=challenge, domain=domain, **options))


@cache
def _signed() -> list[Any]:
    results = [verified_as(data) for data in _secured()]
    assert all(result.verified for result in results)
    return [_meaning(result.document) for result in results]


def _secured() -> list[bytes]:
    texts = (text.encode() for text in world.jwts())
    return [*_json(*world.secured(), *world.status_lists(), world.presentation()), *texts]


_SELECTIVE = ("vc+sd-jwt", "dc+sd-jwt", "ecdsa-sd-2023")


def _is_part(shown: Any, whole: Any) -> bool:
    """Whether a holder may show this of the whole."""
    if isinstance(shown, dict) and isinstance(whole, dict):
        return all(name in whole and _is_part(member, whole[name]) for name, member in shown.items())
    if isinstance(whole, list):
        return all(
            any(_is_part(member, other) for other in whole)
            for member in (shown if isinstance(shown, list) else [shown])
        )
    return bool(shown == whole)


def _meaning(value: Any) -> Any:
    """A document but for what may change under a proof without changing what is said.

    That is the order of members and of values of a set, a set of one in place of its value, values said twice, members
    that are null, and proofs of kinds that nobody knows.
    """
    if isinstance(value, dict):
        known = {**value, "proof": _of_known_kinds(value["proof"])} if "proof" in value else value
        return {name: _meaning(member) for name, member in known.items() if member is not None and member != []}
    if not isinstance(value, list):
        return value
    members = {json.dumps(_meaning(member), sort_keys=True) for member in value if member is not None}
    ordered = [json.loads(member) for member in sorted(members)]
    return ordered[0] if len(ordered) == 1 else ordered


def _of_known_kinds(proofs_given: Any) -> list[Any]:
    return [proof for proof in as_list(proofs_given) if not isinstance(proof, dict) or suite_of(proof) is not None]


def _sign(data: bytes) -> None:
    """What a hostile issuer signs: its proof holds, and whatever else is wrong ends in a result."""
    signer = world.SIGNERS[Multicodec.ED25519_PUB]
    for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022"):
        try:
            document = strict_json.loads_object(data)
            document.pop("proof", None)
            secured = add_proof(document, suite=suite, signer=signer, created=world.CREATED)
        except LernodeError:
            continue
        text = strict_json.dumps(secured)
        verified_as(text)
        read = strict_json.loads_object(text)
        unsecured = UnsecuredDocument({name: value for name, value in read.items() if name != "proof"}, DEFAULT)
        key = signer.key
        assert proofs.verify_proof(unsecured, read["proof"], _public(key)), "what was signed is not verified"


def _public(key: SigningKey) -> PublicKey:
    return PublicKey(key.codec, key.public)


def _jwt(data: bytes) -> None:
    with suppress(LernodeError):
        jwt = read_jwt(data)
        time_problem(jwt.claims, now=world.NOW, skew=world.POLICY.clock_skew)
        with suppress(LernodeError):
            method_url(jwt.jws, world.WEB_DID)
        for signer in world.SIGNERS.values():
            with suppress(LernodeError):
                holds = jwt.jws.holds_under(_public(signer.key))
                assert not holds or data.partition(b"~")[0] in _jwts(), "a text that nobody signed is verified"


@cache
def _jwts() -> frozenset[bytes]:
    return frozenset(text.encode().partition(b"~")[0] for text in world.jwts())


def _status(data: bytes) -> None:
    with suppress(LernodeError):
        Bitstring.decode(_text(data))
    try:
        document = strict_json.loads_object(data)
    except LernodeError:
        return
    for read in (list_ttl, parse_status_entries):
        with suppress(LernodeError):
            read(document)
    for entry in parse_status_entries({"credentialStatus": _ENTRIES}):
        with suppress(LernodeError):
            read_status(document, entry)


_ENTRIES = [status_entry(world.LIST_URL, "revocation", 3), status_entry(world.LIST_URL, "message", 3, messages="abcd")]


def _token_status_list(data: bytes) -> None:
    with suppress(LernodeError):
        StatusArray.decode(_text(data), bits=2)
    with suppress(LernodeError):
        claims = strict_json.loads_object(data)
        with suppress(LernodeError):
            parse_reference(claims)
        read_token_status(parse_claims(claims), StatusReference(7, world.LIST_URL))


def _token_status_claims() -> list[dict[str, Any]]:
    return [
        status_list_claims(
            uri=world.LIST_URL,
            issuer=world.WEB_DID,
            statuses=StatusArray.of_zeros(1000, bits=bits),
            issued_at=world.NOW,
            ttl=timedelta(hours=1),
        )
        for bits in sorted(STATUS_SIZES)
    ]


def _did(data: bytes) -> None:
    did = _text(data)
    readers: tuple[Callable[[str], object], ...] = (
        resolve_offline,
        web.document_url,
        webvh.document_url,
        parse_did_url,
        lambda text: absolute_url(text, world.WEB_DID),
    )
    for read in readers:
        with suppress(LernodeError):
            read(did)


def _did_document(data: bytes) -> None:
    with suppress(LernodeError):
        raw = strict_json.loads(data)
        named = raw.get("id") if isinstance(raw, dict) else None
        parse_document(raw, named if isinstance(named, str) else world.WEB_DID)
    for did in world.DIDS_OF_THE_WEB:
        method = method_of(did)
        assert isinstance(method, HttpMethod)
        with suppress(LernodeError):
            method.read(did, [data], now=world.NOW)
        with suppress(LernodeError):
            method.check_change(data, data)


def _sd_proof_value(data: bytes) -> None:
    # As the value stands in a proof, and as the CBOR that is in it.
    for text in (_text(data), "u2V0B" + b64url_encode(data), "u2V0A" + b64url_encode(data)):
        for kind in (BaseProofValue, DerivedProofValue):
            with suppress(LernodeError):
                value = kind.decode(text)
                assert value.encode() == text, "a proof value has two texts"


def _sd_proof_values() -> list[bytes]:
    number = bytes(64)
    key = b"\x80\x24\x02" + bytes(range(32))
    values = (
        BaseProofValue(number, key, bytes(32), [number, number], ["/issuer", "/a/0"]),
        DerivedProofValue(number, key, [number], {0: bytes(32), 1: bytes(32)}, [0, 3]),
    )
    texts = [value.encode() for value in values]
    return [*(text.encode() for text in texts), *(b64url_decode(text[1:])[3:] for text in texts)]


def _strict_json(data: bytes) -> None:
    try:
        value = strict_json.loads(data)
    except LernodeError:
        return
    assert strict_json.loads(json.dumps(value)) == value == json.loads(data)


TARGETS: dict[str, Target] = {
    "verify": Target(_secured, _verify, mutate_secured),
    "sign": Target(lambda: _json(*world.secured(), *world.did_documents()), _sign),
    "jwt": Target(lambda: [text.encode() for text in world.jwts()], _jwt, mutate_compact),
    "status-list": Target(
        lambda: [
            *_json(*world.status_lists(), {"credentialStatus": _ENTRIES}),
            *(one["credentialSubject"]["encodedList"].encode() for one in world.status_lists()),
        ],
        _status,
    ),
    "token-status-list": Target(
        lambda: [
            *_json(*_token_status_claims(), status_claim(StatusReference(7, world.LIST_URL))),
            *(claims["status_list"]["lst"].encode() for claims in _token_status_claims()),
        ],
        _token_status_list,
    ),
    "did": Target(lambda: [did.encode() for did in world.dids()], _did, None),
    "did-document": Target(lambda: _json(*world.did_documents()), _did_document),
    "sd-proof-value": Target(_sd_proof_values, _sd_proof_value, None),
    "json": Target(lambda: _json(*world.secured()[:2], [1, 1.5, "\ud800\U0001f600", None, {"": [{}]}]), _strict_json),
}
"""Name of the target, as ``scripts/fuzz`` takes it -> the target."""
