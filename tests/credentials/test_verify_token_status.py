"""Status of a token by its status claim: a Status List Token is believed only as the issuer's own, signed and valid."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest

from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.credentials.verify import verify
from protocols.errors import LernodeError, NotNow
from protocols.jose import sign_jws, sign_jwt
from protocols.keys import Signer, SoftwareSigner
from protocols.status.source import StatusListCopy
from protocols.status.status_array import StatusArray
from protocols.status.token import MEDIA_TYPE, status_list_claims
from tests.credentials.worlds import ISSUER, ISSUER_P256, NOW, STRANGER, TRUSTING, Dids, did, record

URI = "https://college.example/statuslists/1"
POINTING = {"status": {"status_list": {"idx": 7, "uri": URI}}}


@dataclasses.dataclass
class Tokens:
    """Status List Tokens as if fetched."""

    copy: StatusListCopy | LernodeError
    asked: list[str] = dataclasses.field(default_factory=list)

    async def get(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        raise AssertionError("nothing here has a list credential")

    async def get_token(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        self.asked.append(url)
        if isinstance(self.copy, LernodeError):
            raise self.copy
        return self.copy


def copy(text: Any, *, fetched: timedelta = timedelta(0), from_cache: bool = False) -> StatusListCopy:
    return StatusListCopy(text, NOW - fetched, from_cache)


def claims(value: int = 0, *, bits: int = 4, **changes: Any) -> dict[str, Any]:
    statuses = StatusArray.of_zeros(1000, bits=bits)
    statuses.set(7, value)
    made = status_list_claims(uri=URI, issuer=did(ISSUER), statuses=statuses, issued_at=NOW, ttl=timedelta(hours=1))
    return {name: item for name, item in {**made, **changes}.items() if item is not None}


def token(value: int = 0, *, by: Signer = ISSUER, typ: str = MEDIA_TYPE, **changes: Any) -> str:
    return sign_jwt(claims(value, **changes), by, typ=typ)


def credential(by: Signer = ISSUER, **changes: Any) -> str:
    """A credential that points to index 7 of the list."""
    return sign_jws(json.dumps({**record(issuer=by.verification_method.partition("#")[0]), **changes}).encode(), by, {})


def look(
    answer: StatusListCopy | LernodeError, document: str = "", tokens: Tokens | None = None, **policy: Any
) -> CheckResult:
    """The status check of a record that points to index 7."""
    result = asyncio.run(
        verify(
            document or credential(**POINTING),
            resolver=Dids(),
            statuses=tokens or Tokens(answer),
            policy=dataclasses.replace(TRUSTING, **policy),
            now=NOW,
        )
    )
    found = next(item for item in result.checks if item.check is Check.STATUS)
    assert not (result.verified and found.outcome is not Outcome.PASS)
    return found


def ends(answer: StatusListCopy | LernodeError, document: str = "", **policy: Any) -> tuple[str, str]:
    found = look(answer, document, **policy)
    return found.outcome.value, found.code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, ("pass", "ok")),
        (1, ("fail", "status.revoked")),
        (2, ("fail", "status.suspended")),
        (3, ("not-checked", "status.value_unknown")),
        (12, ("not-checked", "status.value_unknown")),
    ],
)
def test_a_record_is_what_its_value_says(value: int, expected: tuple[str, str]) -> None:
    found = look(copy(token(value)))
    assert (found.outcome.value, found.code) == expected
    assert found.details == {"statusListAge": 0, "fromCache": False, "status": value, "valid": value == 0}


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_lists_of_every_size_are_read(bits: int) -> None:
    assert ends(copy(token(0, bits=bits))) == ("pass", "ok")
    assert ends(copy(token(1, bits=bits))) == ("fail", "status.revoked")


def test_lists_signed_with_other_algorithms_or_by_a_fragment_are_read() -> None:
    by = ISSUER_P256
    listed = token(1, by=by, iss=did(by))
    assert ends(copy(listed), credential(by, **POINTING)) == ("fail", "status.revoked")
    fragment = sign_jws(
        json.dumps(claims(1)).encode(),
        ISSUER,
        {"typ": MEDIA_TYPE, "kid": "#" + ISSUER.verification_method.split("#")[1]},
    )
    assert ends(copy(fragment)) == ("fail", "status.revoked")


def test_a_list_without_iss_is_believed_by_its_key() -> None:
    assert ends(copy(token(0, iss=None))) == ("pass", "ok")
    assert ends(copy(token(0, iss=None, by=STRANGER))) == ("fail", "status.foreign_list")


CHANGED = token(1).split(".")
CHANGED[1] = token(0).split(".")[1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (token(by=STRANGER), "status.foreign_list"),
        (token(iss=did(STRANGER)), "status.foreign_list"),
        (token(sub="https://college.example/statuslists/2"), "status.foreign_list"),
        (".".join(CHANGED), "status.list_invalid"),
        (token(by=SoftwareSigner(STRANGER.key, ISSUER.verification_method)), "status.list_invalid"),
        (token(exp=int(NOW.timestamp()) - 3600), "status.list_invalid"),
        (token(iat=int(NOW.timestamp()) + 3600), "status.list_invalid"),
        (token(typ="jwt"), "status.list_malformed"),
        (token(typ="vc+jwt"), "status.list_malformed"),
        (token(iat=None), "status.list_malformed"),
        (token(sub=None), "status.list_malformed"),
        (token(ttl=-1), "status.list_malformed"),
        (token(status_list={"bits": 4, "lst": "AAAA"}), "status.list_encoding"),
        (token(status_list={"bits": 1, "lst": "eNoDAAAAAAE"}), "status.index_out_of_range"),
        ("eyJ", "status.list_malformed"),
        ("", "status.list_malformed"),
        (record(), "status.list_malformed"),
    ],
)
def test_a_list_that_is_not_to_be_believed_fails(text: Any, code: str) -> None:
    assert ends(copy(text)) == ("fail", code)


def test_a_list_that_cannot_be_had_leaves_the_record_unchecked() -> None:
    assert ends(NotNow("status.unreachable", "It cannot be had.", "")) == ("not-checked", "status.unreachable")


def test_a_kept_list_stands_in_for_a_while_and_one_that_says_revoked_for_ever() -> None:
    old: dict[str, Any] = {"fetched": timedelta(hours=3), "from_cache": True}
    assert ends(copy(token(0), **old), status_max_age=timedelta(hours=4)) == ("pass", "ok")
    for value, code in ((0, "status.stale"), (2, "status.stale"), (3, "status.stale"), (1, "status.revoked")):
        assert ends(copy(token(value), **old), status_max_age=timedelta(hours=2))[1] == code


def test_nothing_is_fetched_for_a_record_that_does_not_hold_by_itself() -> None:
    tokens = Tokens(copy(token(0)))
    expired = credential(validUntil="2026-02-01T00:00:00Z", **POINTING)
    forged = credential(SoftwareSigner(STRANGER.key, ISSUER.verification_method), **POINTING)
    for document in (expired, forged):
        assert look(tokens.copy, document, tokens).code == "status.not_made"
    assert tokens.asked == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, ("fail", "status.reference_malformed")),
        ({"status_list": {"idx": -1, "uri": URI}}, ("fail", "status.reference_malformed")),
        ({"status_list": {"idx": 1000, "uri": URI}}, ("fail", "status.index_out_of_range")),
        ({"identifier_list": {"id": "1", "uri": URI}}, ("not-checked", "status.mechanism_unsupported")),
    ],
)
def test_a_reference_that_leads_nowhere_is_no_clear_status(status: Any, expected: tuple[str, str]) -> None:
    assert ends(copy(token(0)), credential(status=status)) == expected
