"""Changing DIDs within a relationship: believed only where the prior DID itself says so, of this sender."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from protocols.did import key as did_key
from protocols.did.document import DidDocument
from protocols.didcomm.from_prior import Rotation, make_from_prior, read_from_prior
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import LernodeError, PeerFault
from protocols.jose import sign_jwt
from protocols.keys import SoftwareSigner
from tests.didcomm.helpers import key

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TYPE = "https://didcomm.org/trust-ping/2.0/ping"


def did(name: str) -> str:
    return did_key.did_from_public(key(name).public)


def signer(name: str, url: str | None = None) -> SoftwareSigner:
    return SoftwareSigner(key(name), url or did_key.verification_method(did(name)))


class Resolver:
    async def resolve(self, did: str) -> DidDocument:
        return did_key.resolve(did)


def read(jwt: Any, *, sender: str | None = "new") -> Rotation | None:
    from_ = None if sender is None else did(sender)
    message = PlainMessage(TYPE, "1", "1", wire=Wire.V2, from_=from_, from_prior=jwt)
    return asyncio.run(read_from_prior(message, Resolver(), now=NOW))


def test_the_prior_did_names_the_new_one() -> None:
    jwt = make_from_prior(did("new"), signer("old"), now=NOW)
    assert read(jwt) == Rotation(did("old"), did("new"), int(NOW.timestamp()))


def test_a_relationship_ends_with_no_did() -> None:
    rotation = read(make_from_prior(None, signer("old"), now=NOW), sender=None)
    assert rotation == Rotation(did("old"), None, int(NOW.timestamp()))


def test_a_message_without_it_says_nothing() -> None:
    assert read(None) is None


def claims(**changes: Any) -> dict[str, Any]:
    all_claims = {"sub": did("new"), "iss": did("old"), "iat": int(NOW.timestamp())} | changes
    return {name: value for name, value in all_claims.items() if value is not ...}


FORGED = {
    "not a JWT": "x",
    "empty": "",
    "by another": sign_jwt(claims(), signer("mallory"), typ="JWT"),
    "by another in the name of the prior DID": sign_jwt(
        claims(), signer("mallory", did_key.verification_method(did("old"))), typ="JWT"
    ),
    "by a key for agreement": sign_jwt(
        claims(), signer("old", did_key.resolve(did("old")).raw["keyAgreement"][0]), typ="JWT"
    ),
    "about another": sign_jwt(claims(sub=did("mallory")), signer("old"), typ="JWT"),
    "about nobody": sign_jwt(claims(sub=...), signer("old"), typ="JWT"),
    "about itself": sign_jwt(claims(iss=did("new")), signer("new"), typ="JWT"),
    "of another kind": sign_jwt(claims(), signer("old"), typ="vc+jwt"),
    "without iss": sign_jwt(claims(iss=...), signer("old"), typ="JWT"),
    "without iat": sign_jwt(claims(iat=...), signer("old"), typ="JWT"),
    "mistyped sub": sign_jwt(claims(sub=7), signer("old"), typ="JWT"),
    "mistyped iss": sign_jwt(claims(iss=["x"]), signer("old"), typ="JWT"),
    "mistyped iat": sign_jwt(claims(iat=True), signer("old"), typ="JWT"),
    "iss that is no DID": sign_jwt(claims(iss="old"), signer("old"), typ="JWT"),
    "from the future": make_from_prior(did("new"), signer("old"), now=NOW + timedelta(hours=1)),
    "expired": sign_jwt(claims(exp=int(NOW.timestamp()) - 3600), signer("old"), typ="JWT"),
}


@pytest.mark.parametrize("jwt", list(FORGED.values()), ids=list(FORGED))
def test_what_the_prior_did_did_not_say_of_this_sender_is_refused(jwt: str) -> None:
    with pytest.raises(PeerFault) as caught:
        read(jwt)
    assert caught.value.code in {"message.from_prior", "envelope.signature"}


def test_an_altered_one_is_refused() -> None:
    jwt = make_from_prior(did("new"), signer("old"), now=NOW)
    for position in range(0, len(jwt), 7):
        altered = jwt[:position] + ("A" if jwt[position] != "A" else "B") + jwt[position + 1 :]
        with pytest.raises(LernodeError) as caught:
            read(altered)
        assert caught.value.code in {"message.from_prior", "envelope.signature"}
