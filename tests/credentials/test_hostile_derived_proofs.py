"""Whatever is done to a derived proof or to what it shows, it does not verify, and nothing takes long or raises."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.credentials.data_integrity import derive_proof
from protocols.credentials.data_integrity.sd_proof_value import BaseProofValue, DerivedProofValue
from protocols.credentials.verification import Check, Outcome
from protocols.errors import BadInput
from protocols.multiformats import b64url_decode, b64url_encode
from tests.credentials.test_tampering import changed, leaves, objects, other
from tests.credentials.transcripts import MANDATORY, counting, issue_selective, transcript
from tests.credentials.worlds import check_credential, codes, found

BASE = issue_selective()
SHOWN = derive_proof(BASE, ["/name", "/credentialSubject/result/1", "/credentialSubject/result/2/value"])
VALUE = DerivedProofValue.decode(SHOWN["proof"]["proofValue"])
HEADER = b"\xd9\x5d\x01"


def with_value(text: Any, document: dict[str, Any] = SHOWN) -> dict[str, Any]:
    return {**document, "proof": {**document["proof"], "proofValue": text}}


def with_elements(*elements: Any) -> dict[str, Any]:
    return with_value("u" + b64url_encode(HEADER + cbor2.dumps(list(elements))))


def with_bytes(data: bytes) -> dict[str, Any]:
    return with_value("u" + b64url_encode(data))


def proof_code(document: dict[str, Any]) -> str:
    result = check_credential(document)
    assert not result.verified
    assert found(result, Check.PROOF).outcome is Outcome.FAIL
    return found(result, Check.PROOF).code


def test_it_is_good_before_it_is_touched() -> None:
    assert check_credential(SHOWN).verified
    assert with_value(VALUE.encode()) == SHOWN


def test_changing_any_value_that_is_shown_is_noticed() -> None:
    for path in leaves(SHOWN):

        def change(holder: Any, path: Any = path) -> None:
            holder[path[-1]] = other(holder[path[-1]])

        assert not check_credential(changed(SHOWN, path, change)).verified, path


def test_removing_or_adding_anything_is_noticed() -> None:
    for path in leaves(SHOWN):
        if path[0] == "@context":
            continue

        def remove(holder: Any, path: Any = path) -> None:
            del holder[path[-1]]

        assert not check_credential(changed(SHOWN, path, remove)).verified, path
    for path in objects(SHOWN):

        def add(holder: Any) -> None:
            holder["description"] = "Added."

        assert not check_credential(changed(SHOWN, (*path, "-"), add)).verified, path


def test_a_mandatory_part_cannot_be_left_out_with_its_index_and_nothing_else() -> None:
    without = {name: value for name, value in SHOWN.items() if name != "validUntil"}
    for left_out in range(len(VALUE.mandatory_indexes)):
        for shift in (0, 1):
            kept = [i - shift if i > VALUE.mandatory_indexes[left_out] else i for i in VALUE.mandatory_indexes]
            kept.remove(kept[left_out])
            changed_value = replace(VALUE, mandatory_indexes=sorted(set(kept)))
            assert proof_code(with_value(changed_value.encode(), without)) in {"proof.invalid", "proof.malformed"}


def test_an_optional_part_cannot_pass_as_mandatory_nor_the_other_way_round() -> None:
    statements = range(len(VALUE.mandatory_indexes) + len(VALUE.signatures))
    optional = [index for index in statements if index not in VALUE.mandatory_indexes]
    more = replace(VALUE, mandatory_indexes=[*VALUE.mandatory_indexes, optional[0]], signatures=VALUE.signatures[1:])
    assert proof_code(with_value(more.encode())) == "proof.invalid"
    fewer = replace(
        VALUE, mandatory_indexes=VALUE.mandatory_indexes[1:], signatures=[VALUE.signatures[0], *VALUE.signatures]
    )
    assert proof_code(with_value(fewer.encode())) == "proof.invalid"


def exchanged(items: list[Any], first: int, second: int) -> list[Any]:
    result = list(items)
    result[first], result[second] = result[second], result[first]
    return result


LIES: dict[str, Callable[[], DerivedProofValue]] = {
    "signatures in another order": lambda: replace(VALUE, signatures=exchanged(VALUE.signatures, 0, 1)),
    "one signature twice": lambda: replace(VALUE, signatures=[VALUE.signatures[0]] * len(VALUE.signatures)),
    "a signature too many": lambda: replace(VALUE, signatures=[*VALUE.signatures, VALUE.signatures[0]]),
    "a signature too few": lambda: replace(VALUE, signatures=VALUE.signatures[1:]),
    "no signatures": lambda: replace(VALUE, signatures=[]),
    "labels exchanged": lambda: replace(
        VALUE, label_map=dict(enumerate(exchanged([VALUE.label_map[n] for n in range(len(VALUE.label_map))], 0, 1)))
    ),
    "one label for two nodes": lambda: replace(VALUE, label_map=dict.fromkeys(VALUE.label_map, VALUE.label_map[0])),
    "a node without label": lambda: replace(VALUE, label_map={0: VALUE.label_map[0]}),
    "a label without node": lambda: replace(VALUE, label_map={**VALUE.label_map, 99: bytes(32)}),
    "no labels": lambda: replace(VALUE, label_map={}),
    "an index twice": lambda: replace(VALUE, mandatory_indexes=[*VALUE.mandatory_indexes, VALUE.mandatory_indexes[0]]),
    "an index beyond": lambda: replace(VALUE, mandatory_indexes=[*VALUE.mandatory_indexes[1:], 999]),
    "a huge index": lambda: replace(VALUE, mandatory_indexes=[*VALUE.mandatory_indexes[1:], 2**63]),
    "a negative index": lambda: replace(VALUE, mandatory_indexes=[*VALUE.mandatory_indexes[1:], -1]),
    "no index": lambda: replace(VALUE, mandatory_indexes=[]),
    "another key for the statements": lambda: replace(VALUE, public_key=VALUE.public_key[:-1] + b"\x00"),
    "no point for a key": lambda: replace(VALUE, public_key=b"\x80\x24" + b"\xff" * 33),
    "an Ed25519 key": lambda: replace(VALUE, public_key=b"\xed\x01" + bytes(33)),
    "a short base signature": lambda: replace(VALUE, base_signature=VALUE.base_signature[1:]),
    "a zero base signature": lambda: replace(VALUE, base_signature=bytes(64)),
    "a short signature": lambda: replace(VALUE, signatures=[b"", *VALUE.signatures[1:]]),
    "a short label": lambda: replace(VALUE, label_map={**VALUE.label_map, 0: b"short"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_in_the_proof_value_is_noticed(lie: str) -> None:
    assert proof_code(with_value(LIES[lie]().encode())) in {"proof.invalid", "proof.malformed"}


def test_what_was_told_of_two_things_cannot_be_told_of_one() -> None:
    """The grade of one course under the name of another: two results merged into one object."""
    shown = copy.deepcopy(SHOWN)
    first, second = shown["credentialSubject"]["result"]
    shown["credentialSubject"]["result"] = [{**first, "value": second["value"]}]
    labels = [VALUE.label_map[number] for number in range(len(VALUE.label_map))]
    for left_out in range(len(labels)):
        kept = dict(enumerate(labels[:left_out] + labels[left_out + 1 :]))
        for signatures in (VALUE.signatures, VALUE.signatures[:-1], VALUE.signatures[1:], VALUE.signatures[2:]):
            value = replace(VALUE, label_map=kept, signatures=signatures)
            assert proof_code(with_value(value.encode(), shown)) in {"proof.invalid", "proof.malformed"}


def test_what_was_told_of_one_thing_cannot_be_told_of_two() -> None:
    """Every statement is signed and each has its signature; only that two blank nodes have one label gives it away."""
    alone = derive_proof(BASE, ["/credentialSubject/result/1"])
    value = DerivedProofValue.decode(alone["proof"]["proofValue"])
    (result,) = alone["credentialSubject"]["result"]
    split = copy.deepcopy(alone)
    split["credentialSubject"]["result"] = [
        {name: item for name, item in result.items() if name != "value"},
        {name: item for name, item in result.items() if name != "resultDescription"},
    ]
    (digest,) = value.label_map.values()
    for label_map in ({0: digest}, {0: digest, 1: digest}, {0: digest, 1: bytes(32)}):
        forged = replace(value, label_map=label_map).encode()
        assert proof_code(with_value(forged, split)) == "proof.malformed"


def test_parts_of_two_records_of_one_issuer_cannot_be_shown_as_one() -> None:
    second = transcript()
    second["credentialSubject"]["result"][1]["value"] = "A+"
    base = issue_selective(second)
    better = derive_proof(base, ["/name", "/credentialSubject/result/1", "/credentialSubject/result/2/value"])
    stolen = DerivedProofValue.decode(better["proof"]["proofValue"])
    assert proof_code(with_value(SHOWN["proof"]["proofValue"], better)) == "proof.invalid"
    for index, signature in enumerate(stolen.signatures):
        signatures = [*VALUE.signatures[:index], signature, *VALUE.signatures[index + 1 :]]
        if signatures != VALUE.signatures:
            assert proof_code(with_value(replace(VALUE, signatures=signatures).encode(), better)) == "proof.invalid"


BOMBS = {
    "deep": HEADER + b"\x81" * 100_000 + b"\x00",
    "long list": HEADER + b"\x9b\x00\x00\xff\xff\xff\xff\xff\xff",
    "long list of signatures": HEADER + b"\x85\x40\x40\x9a\xff\xff\xff\xff",
    "long bytes": HEADER + b"\x5b\x00\x00\xff\xff\xff\xff\xff\xff",
    "long map": HEADER + b"\x85\x40\x40\x80\xbb\x00\x00\x00\xff\xff\xff\xff\xff",
    "endless list": HEADER + b"\x9f" * 1_000,
    "shared": HEADER + b"\xd8\x1c\x81\xd8\x1d\x00",
    "regular expression": HEADER + b"\xd8\x23\x78\x20" + b"(" * 32,
    "huge number": HEADER + b"\xc2\x59\xff\xff" + b"\xff" * 0xFFFF,
    "decimal": HEADER + b"\xc4\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
    "nothing": HEADER,
    "no header": b"",
    "another header": b"\xd9\x5d\x02" + cbor2.dumps([1, 2, 3, 4, 5]),
    "trailing": HEADER + cbor2.dumps([]) + b"\x00",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_cbor_bomb_is_refused(bomb: str) -> None:
    assert proof_code(with_bytes(BOMBS[bomb])) == "proof.malformed"


def test_a_proof_value_with_trailing_bytes_tags_or_another_form_is_refused() -> None:
    good = b64url_decode(SHOWN["proof"]["proofValue"][1:])
    assert proof_code(with_bytes(good + b"\x00")) == "proof.malformed"
    assert proof_code(with_bytes(HEADER + b"\xd9\xd9\xf7" + good[3:])) == "proof.malformed"
    assert proof_code(with_bytes(HEADER + b"\x98\x05" + good[4:])) == "proof.malformed"
    assert proof_code(with_bytes(HEADER + b"\x9f" + good[4:] + b"\xff")) == "proof.malformed"


@pytest.mark.parametrize(
    "value", [None, 7, [], {}, "", "u", "z2V0B", "u2V0B", "u!!!!", "u2V0BhVh=", "m2V0B", "u" + "A" * 1_001_000]
)
def test_a_proof_value_that_is_no_multibase_is_refused(value: Any) -> None:
    assert proof_code(with_value(value)) in {"proof.malformed", "proof.missing"}


ELEMENTS = (VALUE.base_signature, VALUE.public_key, VALUE.signatures, VALUE.label_map, VALUE.mandatory_indexes)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=70) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150)
@given(place=st.integers(0, 4), junk=JUNK)
def test_any_value_in_place_of_an_element_gives_an_unverified_result(place: int, junk: Any) -> None:
    elements = [*ELEMENTS[:place], junk, *ELEMENTS[place + 1 :]]
    assert proof_code(with_elements(*elements)) in {"proof.invalid", "proof.malformed"}


@settings(max_examples=100)
@given(data=st.binary(max_size=200), base=st.booleans())
def test_any_bytes_are_refused(data: bytes, base: bool) -> None:
    text = "u" + b64url_encode((b"\xd9\x5d\x00" if base else HEADER) + data)
    assert not check_credential(with_value(text)).verified
    with pytest.raises(BadInput):
        derive_proof(with_value(text), [*MANDATORY])


BASE_VALUE = BaseProofValue.decode(BASE["proof"]["proofValue"])
BASE_LIES: dict[str, tuple[BaseProofValue, str]] = {
    "a pointer to nowhere": (replace(BASE_VALUE, mandatory_pointers=["/nothing"]), "pointer.nothing_there"),
    "a signature too few": (replace(BASE_VALUE, signatures=BASE_VALUE.signatures[1:]), "proof.malformed"),
    "too many pointers": (replace(BASE_VALUE, mandatory_pointers=["/name"] * 1_001), "pointer.too_many"),
    "a short key": (replace(BASE_VALUE, hmac_key=b""), "proof.malformed"),
}


@pytest.mark.parametrize("lie", BASE_LIES)
def test_a_holder_does_not_derive_from_a_base_proof_that_cannot_be_right(lie: str) -> None:
    value, code = BASE_LIES[lie]
    with pytest.raises(BadInput) as caught:
        derive_proof(with_value(value.encode(), BASE), ["/name"])
    assert caught.value.code == code


def test_a_proof_by_a_stranger_over_the_same_statements_is_not_the_issuers() -> None:
    """Someone else's statement key does not get the issuer's signature with it."""
    other_proof = issue_selective(transcript(id="urn:uuid:9"), entropy=counting(50))
    theirs = BaseProofValue.decode(other_proof["proof"]["proofValue"])
    mixed = replace(BASE_VALUE, public_key=theirs.public_key, signatures=theirs.signatures)
    shown = derive_proof(with_value(mixed.encode(), BASE), ["/name"])
    assert codes(check_credential(shown)) == {Check.PROOF: "proof.invalid"}
