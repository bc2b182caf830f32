"""did:webvh 1.0: logs made by the DIF's library resolve; logs that break a rule of the specification do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from did_webvh.askar import AskarSigningKey
from did_webvh.core.proof import di_jcs_sign
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.did.document import Relationship
from protocols.did.files import AlsoNeeded
from protocols.did.resolution import Resolved
from protocols.did.webvh import method as webvh
from protocols.errors import BadInput, LernodeError
from tests.did.webvh_logs import (
    FIRST,
    ISSUER,
    SECOND,
    START,
    THIRD,
    Log,
    key_hash,
    signing_key,
    witness_file,
    witness_id,
)

NOW = START + timedelta(days=30)
Entries = list[dict[str, Any]]


def read(log: Log, *files: bytes, did: str | None = None, now: datetime = NOW) -> Resolved:
    found = webvh.read(did or log.did, [log.body, *files], now=now)
    assert isinstance(found, Resolved)
    return found


def refusal(log: Log, *files: bytes, did: str | None = None, now: datetime = NOW) -> str:
    with pytest.raises(BadInput) as caught:
        webvh.read(did or log.did, [log.body, *files], now=now)
    return caught.value.code


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("college.example", "https://college.example/.well-known/did.jsonl"),
        ("college.example%3A3000:dids:issuer", "https://college.example:3000/dids/issuer/did.jsonl"),
    ],
)
def test_the_log_lies_beside_a_did_webs_document(place: str, url: str) -> None:
    assert webvh.document_url(Log(place).did) == url


@pytest.mark.parametrize(
    "did",
    ["did:webvh:college.example", "did:webvh:Qm1:college.example", "did:webvh:" + "Qm" + "1" * 44, "did:web:a.example"],
)
def test_what_names_no_hash_or_no_place_is_refused(did: str) -> None:
    with pytest.raises(BadInput) as caught:
        webvh.document_url(did)
    assert caught.value.code == "did.malformed"


def test_a_log_gives_the_latest_document_and_what_is_known_about_it() -> None:
    log = Log()
    log.add(document={**log.state.document, "alsoKnownAs": ["https://college.example"]})
    found = read(log)
    document = found.current()
    assert document.also_known_as == ("https://college.example",)
    assert document.method_for("#key-1", Relationship.ASSERTION_METHOD).key.raw == ISSUER.public
    assert found.metadata == {
        "versionId": log.version_ids[1], "versionTime": "2025-12-01T01:00:00Z", "created": "2025-12-01T00:00:00Z",
        "updated": "2025-12-01T01:00:00Z", "scid": log.did.split(":")[2], "portable": False, "deactivated": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({"versionId": 0}, 0), ({"versionId": 1}, 1), ({"versionNumber": "2"}, 1),
        ({"versionTime": "2025-12-01T00:30:00Z"}, 0), ({"versionTime": "2025-12-01T01:00:00Z"}, 1),
        ({"versionTime": "2030-01-01T00:00:00Z"}, 2),
    ],
)  # fmt: skip
def test_a_version_is_found_by_id_number_and_time(options: dict[str, Any], number: int) -> None:
    log = Log().add(ttl=60).add()
    wanted = {name: log.version_ids[value] if name == "versionId" else value for name, value in options.items()}
    document, metadata = read(log).version(wanted)
    assert document is not None and document.id == log.did
    assert metadata["versionId"] == log.version_ids[number]
    assert metadata.get("nextVersionId") == (log.version_ids[number + 1] if number < 2 else None)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"versionId": "1-Qm"}, "did.version_unknown"), ({"versionNumber": "0"}, "did.version_unknown"),
        ({"versionTime": "2025-11-30T23:59:59Z"}, "did.version_unknown"), ({"versionNumber": "x"}, "did.options"),
        ({"versionTime": "yesterday"}, "did.options"), ({"other": "1"}, "did.feature_unsupported"),
    ],
)  # fmt: skip
def test_a_version_that_is_not_there_is_not_replaced_by_another(options: dict[str, str], code: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(Log().add()).version(options)
    assert caught.value.code == code


def test_a_deactivated_did_has_no_document_but_its_versions() -> None:
    log = Log().add(deactivated=True, updateKeys=[])
    found = read(log)
    assert found.document is None and found.metadata["deactivated"]
    with pytest.raises(BadInput) as caught:
        found.current()
    assert caught.value.code == "did.deactivated"
    document, metadata = found.version({"versionId": log.version_ids[0]})
    assert document is not None and metadata["deactivated"]


def test_keys_are_rotated_by_those_in_force_before() -> None:
    assert read(Log().add(updateKeys=[str(SECOND.multikey)]).add(SECOND)).document is not None
    assert refusal(Log().add(SECOND, updateKeys=[str(SECOND.multikey)])) == "did.log_broken"
    assert refusal(Log().add(updateKeys=[str(SECOND.multikey)]).add(FIRST)) == "did.log_broken"
    assert refusal(Log(signer=SECOND)) == "did.log_broken"


def test_pre_rotation_admits_only_keys_that_were_announced() -> None:
    log = Log(nextKeyHashes=[key_hash(SECOND)])
    log.add(SECOND, updateKeys=[str(SECOND.multikey)], nextKeyHashes=[key_hash(THIRD)])
    assert read(log.add(THIRD, updateKeys=[str(THIRD.multikey)], nextKeyHashes=[])).document is not None
    announced = Log(nextKeyHashes=[key_hash(SECOND)])
    for signer, changes in (
        (THIRD, {"updateKeys": [str(THIRD.multikey)], "nextKeyHashes": []}),
        (FIRST, {"updateKeys": [str(FIRST.multikey)], "nextKeyHashes": []}),
        (FIRST, {}),
        (SECOND, {"updateKeys": [str(SECOND.multikey)]}),
    ):
        broken = Log(nextKeyHashes=[key_hash(SECOND)]).add(signer, **changes)
        assert refusal(broken) == "did.log_broken", changes
    assert read(announced).document is not None


def moved(log: Log, **changes: Any) -> dict[str, Any]:
    text = json.dumps(log.state.document).replace(log.did, log.did.replace("college", "university"))
    return {**json.loads(text), "alsoKnownAs": [log.did], **changes}


def test_a_portable_did_moves_and_says_where_it_was() -> None:
    log = Log(portable=True)
    old = log.did
    assert read(log.add(document=moved(log))).current().id == old.replace("college", "university")
    assert refusal(log, did=old) == "did.log_broken"
    unnamed, rooted = Log(portable=True), Log()
    assert refusal(unnamed.add(document=moved(unnamed, alsoKnownAs=[]))) == "did.log_broken"
    assert refusal(rooted.add(document=moved(rooted))) == "did.log_broken"


def change(**changes: Any) -> Callable[[Entries], None]:
    return lambda entries: entries[1].update(changes)


def parameter(**changes: Any) -> Callable[[Entries], None]:
    return lambda entries: entries[1]["parameters"].update(changes)


def proof(**changes: Any) -> Callable[[Entries], None]:
    return lambda entries: entries[1]["proof"][0].update(changes)


@pytest.mark.parametrize(
    "breaks",
    [
        lambda entries: entries.pop(0),
        lambda entries: entries.pop(1),
        lambda entries: entries.reverse(),
        lambda entries: entries[0]["state"].update(alsoKnownAs=["https://evil.example"]),
        lambda entries: entries[1]["state"].update(alsoKnownAs=["https://evil.example"]),
        lambda entries: entries[1]["proof"].clear(),
        lambda entries: entries[1].pop("proof"),
        lambda entries: entries[1]["proof"].append({}),
        change(extra=1), change(versionTime="2025-12-01T01:00:00"), change(versionTime="2025-12-01T01:00:00+00:00"),
        change(versionId="2-Qm" + "1" * 44), change(state=[]), change(parameters=None), change(versionId=2),
        parameter(unknown=1), parameter(updateKeys="z6Mk"), parameter(method="did:webvh:0.5"), parameter(ttl=-1),
        parameter(portable=True), parameter(deactivated=1), parameter(scid="Qm" + "1" * 44),
        parameter(witness={"threshold": 1, "witnesses": []}), parameter(nextKeyHashes=["1" * 200_000]),
        proof(proofValue="z" + "1" * 100_000), proof(proofValue="z1"), proof(verificationMethod="did:key:z6Mk#z6Mk"),
        proof(created="2027-01-01T00:00:00Z"),
    ],
)  # fmt: skip
def test_a_log_with_any_broken_entry_does_not_resolve(breaks: Callable[[Entries], None]) -> None:
    log = Log().add().add()
    log.entries = json.loads(json.dumps(log.entries))
    breaks(log.entries)
    assert refusal(log) == "did.log_broken"


@pytest.mark.parametrize("suffix", [b"\n", b"{}", b"null", b"\xff", b'{"versionId":1,"versionId":2}'])
def test_a_log_with_a_line_that_is_no_entry_does_not_resolve(suffix: bytes) -> None:
    log = Log()
    with pytest.raises(BadInput) as caught:
        webvh.read(log.did, [log.body + suffix], now=NOW)
    assert caught.value.code == "did.log_broken"


def test_the_log_of_another_did_is_refused() -> None:
    assert refusal(Log(), did=Log(ttl=60).did) == "did.log_broken"
    assert refusal(Log(), did=Log().did + ":other") == "did.log_broken"


def test_entries_after_the_deactivation_from_the_future_or_too_many_are_refused() -> None:
    assert refusal(Log().add(deactivated=True).add(deactivated=False)) == "did.log_broken"
    assert refusal(Log().add(), now=START) == "did.log_broken"
    assert read(Log().add(), now=START + timedelta(minutes=56)).document is not None
    log = Log()
    log.entries *= 501
    assert refusal(log) == "did.log_broken"


def witnessed(threshold: int = 2, witnesses: int = 3) -> dict[str, Any]:
    return {"threshold": threshold, "witnesses": [witness_id(signing_key(40 + n)) for n in range(witnesses)]}


A, B, C = (signing_key(40 + n) for n in range(3))


def test_a_witnessed_log_needs_the_proofs_of_enough_witnesses_for_every_version() -> None:
    log = Log(witness=witnessed()).add()
    first, last = log.version_ids
    assert webvh.read(log.did, [log.body], now=NOW) == AlsoNeeded("did-witness.json")
    found = read(log, witness_file((last, A), (last, C)))
    assert found.metadata["witness"]["threshold"] == "2"
    for proofs in (
        [(last, A)], [(last, A), (first, B)], [(last, A), (last, A)], [(last, A), (last, FIRST)],
        [(last, A), ("3-Qm" + "1" * 44, B)], [],
    ):  # fmt: skip
        assert refusal(log, witness_file(*proofs)) == "did.witnesses_missing", proofs


@pytest.mark.parametrize(
    "changes",
    [
        {"proofPurpose": "authentication"}, {"cryptosuite": "ecdsa-jcs-2019"}, {"proofValue": "z" + "1" * 64},
        {"created": "2027-01-01T00:00:00Z"}, {"verificationMethod": f"did:key:{A.multikey}#{B.multikey}"},
        {"verificationMethod": f"did:key:{B.multikey}#{B.multikey}"}, {"verificationMethod": None},
    ],
)  # fmt: skip
def test_a_proof_of_a_witness_that_does_not_hold_counts_for_nothing(changes: dict[str, Any]) -> None:
    log = Log(witness=witnessed(1, 2))
    assert read(log, witness_file((log.version_ids[0], A))).document is not None
    assert refusal(log, witness_file((log.version_ids[0], A), **changes)) == "did.witnesses_missing"


@pytest.mark.parametrize("file", [b"", b"{}", b"[1]", b'[{"versionId":1}]', b"[" * 100])
def test_a_file_of_proofs_that_is_none_is_refused(file: bytes) -> None:
    assert refusal(Log(witness=witnessed()), file) == "did.witnesses_missing"


def test_witnesses_count_at_once_and_until_after_they_are_dismissed() -> None:
    log = Log().add(witness=witnessed(1, 1)).add(witness={}).add()
    assert read(log, witness_file((log.version_ids[2], A))).document is not None
    assert refusal(log, witness_file((log.version_ids[1], A))) == "did.witnesses_missing"
    assert refusal(Log().add(witness=witnessed(1, 1)), b"[]") == "did.witnesses_missing"


NO_ED25519 = {"id": "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"}


@pytest.mark.parametrize(
    "rule",
    [
        {"threshold": 1, "witnesses": [witness_id(A), witness_id(A)]},
        {"threshold": True, "witnesses": [witness_id(A)]},
        {"threshold": 1, "witnesses": [witness_id(A)], "more": 1},
        {"threshold": 1, "witnesses": [{"id": "did:web:a.example"}]},
        {"threshold": 1, "witnesses": [NO_ED25519]},
        {"threshold": 0, "witnesses": []},
        [],
        None,
    ],
)
def test_a_signed_rule_for_witnesses_that_is_malformed_is_refused(rule: Any) -> None:
    assert refusal(Log(witness=rule), b"[]") == "did.log_broken"


P256 = AskarSigningKey.from_secret_bytes("p256", bytes([7]) * 32)


@pytest.mark.parametrize(
    ("signer", "purpose", "first", "then"),
    [
        (FIRST, "authentication", {}, {}),
        (P256, "assertionMethod", {"updateKeys": [str(P256.multikey)]}, {}),
        (FIRST, "assertionMethod", {}, {"deactivated": 1}),
        (FIRST, "assertionMethod", {"portable": True}, {"portable": True}),
        (FIRST, "assertionMethod", {"updateKeys": [str(FIRST.multikey)] * 65}, {}),
        (FIRST, "assertionMethod", {}, {"watchers": ["w" * 300]}),
    ],
)
def test_what_is_properly_signed_and_yet_against_the_specification_is_refused(
    signer: AskarSigningKey, purpose: str, first: dict[str, Any], then: dict[str, Any]
) -> None:
    log = Log(signer=signer, **first).add(signer, **then)
    log.entries[1]["proof"] = [di_jcs_sign(log.entries[1], signer, purpose=purpose)]
    assert refusal(log) == "did.log_broken"


def test_a_log_may_grow_and_do_nothing_else() -> None:
    log = Log()
    short = log.body
    long = log.add().body
    other = Log(ttl=60).body
    webvh.check_change(short, long)
    webvh.check_change(long, long)
    for kept, new in ((long, short), (short, other), (long, other)):
        with pytest.raises(BadInput) as caught:
            webvh.check_change(kept, new)
        assert caught.value.code == "did.log_rolled_back"


@settings(max_examples=60)
@given(st.data())
def test_a_log_changed_anywhere_resolves_to_nothing_else(data: st.DataObject) -> None:
    log = Log().add()
    body = bytearray(log.body)
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] = data.draw(st.integers(0, 255))
    try:
        found = webvh.read(log.did, [bytes(body)], now=NOW)
    except LernodeError as error:
        assert error.code in {"did.log_broken", "did.malformed"}
    else:
        assert isinstance(found, Resolved) and found.current().raw == log.state.document
