"""Every place of a secured document replaced by something else: a result with a check that says so, no exception."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from protocols.credentials.data_integrity.registry import suite_of
from protocols.credentials.model import proofs_of
from protocols.credentials.verification import Outcome, VerificationResult
from scripts.fuzzing import world
from scripts.fuzzing.targets import verified_as
from tests.admin.helpers import Client, make_node, served
from tests.hostile.places import each_replaced

RECORDS = {f"record {number}": document for number, document in enumerate(world.secured())}
PRESENTATION = world.presentation()
DOCUMENTS = {**RECORDS, "status list": world.status_lists()[0], "presentation": PRESENTATION}
EACH = pytest.mark.parametrize("name", DOCUMENTS)
ONE_IN = 7
"""Of the first record every change is looked at; of others, which have most places in common, so many less."""


def check(document: Any) -> VerificationResult:
    return verified_as(json.dumps(document).encode())


def ignored(document: dict[str, Any]) -> bool:
    """Whether the change makes a second proof one of an unknown kind, which is as if it were not there."""
    proofs = proofs_of(document)
    return len(proofs) > 1 and suite_of(proofs[0]) is not None and suite_of(proofs[1]) is None


@EACH
def test_a_document_with_another_value_anywhere_is_not_verified_and_a_check_says_so(name: str) -> None:
    document = DOCUMENTS[name]
    assert check(document).verified
    first = int(name.removeprefix("record ")) % ONE_IN if name in RECORDS else 0
    for what, changed in islice(each_replaced(document), first, None, 1 if name == "record 0" else ONE_IN):
        result = check(changed)
        results = (result, *result.credentials)
        if not ignored(changed):
            assert not result.verified, what
            assert any(item.outcome is not Outcome.PASS for each in results for item in each.checks), what
        assert all(item.code and item.reason for each in results for item in each.checks), what


@EACH
def test_a_document_without_any_one_member_is_not_verified(name: str) -> None:
    for what, changed in _each_without(DOCUMENTS[name]):
        assert not check(changed).verified or ignored(changed), what


def _each_without(value: Any, path: tuple[Any, ...] = ()) -> Any:
    if isinstance(value, dict):
        for name, member in value.items():
            yield (*path, name), {other: kept for other, kept in value.items() if other != name}
            for what, changed in _each_without(member, (*path, name)):
                yield what, {**value, name: changed}
    elif isinstance(value, list):
        for number, member in enumerate(value):
            for what, changed in _each_without(member, (*path, number)):
                yield what, [*value[:number], changed, *value[number + 1 :]]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Client]:
    await make_node(tmp_path / "n", "Verifier")
    async with served(tmp_path / "n") as (_, client):
        yield client


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/credentials/verify", "verifiableCredential"),
        ("/presentations/verify", "verifiablePresentation"),
        ("/admin/verify", "document"),
    ],
)
async def test_over_http_another_value_anywhere_is_answered_by_a_refusal(api: Client, path: str, member: str) -> None:
    document = PRESENTATION if "presentations" in path else RECORDS["record 0"]
    for what, changed in islice(each_replaced(document), 0, None, 2 * ONE_IN):
        status, answer = await api.ask("POST", path, json={member: changed})
        assert status in {200, 400}, (what, status, answer)
        assert answer.get("verified", False) is False, what
        assert answer.get("problemDetails") or answer.get("checks") or answer.get("code") or answer.get("type"), what


NO_JSON = (
    b"", b"\x00" * 100, b"\x1f\x8b\x08" + bytes(50), b'{"a":' * 5000, "{}".encode("utf-16"), b"\xef\xbb\xbf{}",
    b'{"document":NaN}', b" " * (3 << 20), b"[" + b"0," * 400_000 + b"0]", b'{"document":{},"document":{}}',
    b'"\\ud800"',
)  # fmt: skip


async def test_over_http_a_body_that_is_no_json_is_refused(api: Client) -> None:
    for path in ("/credentials/verify", "/presentations/verify", "/admin/verify"):
        for body in NO_JSON:
            sent = io.BytesIO(body)
            status, answer = await api.ask("POST", path, data=sent, headers={"Content-Type": "application/json"})
            assert status in {400, 413}, (path, body[:40], answer)
            assert answer["type"] and answer["title"], (path, body[:40])
