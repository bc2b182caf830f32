"""Whatever is done to a signed record, it is not verified any more, and the check that says so is the right one.

Also the changes that leave the RDF, and with it a signature over RDF, as they are, but not what a reader of the JSON
sees: renaming a property to something that means the same, moving it elsewhere, adding what JSON-LD drops.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from protocols.credentials.verification import Check, Outcome
from protocols.multiformats import b64url_encode
from tests.credentials.worlds import (
    ECDSA_SUITES,
    EXTENSIONS,
    LIST_URL,
    NOW,
    OB,
    SUITES,
    V2,
    Lists,
    check_credential,
    codes,
    found,
    issue,
    issue_with,
    issuer_for,
    status_list,
    with_status,
)

Path = tuple[str | int, ...]
ALL_SUITES = (*SUITES, *ECDSA_SUITES)
URLS = {suite: LIST_URL if suite in SUITES else LIST_URL + "/p256" for suite in ALL_SUITES}


def lists(*indices: int) -> Lists:
    """The list of each issuer."""
    made = {url: status_list(*indices, by=issuer_for(suite), url=url, suite=suite) for suite, url in URLS.items()}
    return Lists(made)


LISTS, CLEAR = lists(7), lists()
SIGNED = {suite: issue_with(suite, with_status("revocation", url=URLS[suite])) for suite in ALL_SUITES}
EACH_SUITE = pytest.mark.parametrize("suite", ALL_SUITES)
CRED = "https://www.w3.org/2018/credentials#"


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every value in a document that is neither object nor list."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def objects(value: Any, path: Path = (), kind: type = dict) -> Iterator[Path]:
    """The path of every object, or list, in a document."""
    if isinstance(value, kind):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from objects(item, (*path, name), kind)


def changed(document: dict[str, Any], path: Path, change: Callable[[Any], Any]) -> dict[str, Any]:
    """A copy in which ``change`` was applied to what holds the last step of ``path``."""
    result = copy.deepcopy(document)
    holder: Any = result
    for step in path[:-1]:
        holder = holder[step]
    change(holder)
    return result


def other(value: Any) -> Any:
    """A plausible other value of the same kind."""
    assert isinstance(value, str)
    return value[:-1] + ("1" if value[-1] != "1" else "2")


def assert_refused(document: dict[str, Any], where: object) -> None:
    result = check_credential(document, lists=CLEAR)
    assert not result.verified, where
    assert any(item.outcome is Outcome.FAIL for item in result.checks) or codes(result, outcome=Outcome.NOT_CHECKED)


@EACH_SUITE
def test_the_record_is_good_before_it_is_touched(suite: str) -> None:
    assert check_credential(SIGNED[suite], lists=CLEAR).verified


@EACH_SUITE
def test_changing_any_value_is_noticed(suite: str) -> None:
    for path in leaves(SIGNED[suite]):

        def change(holder: Any, path: Path = path) -> None:
            holder[path[-1]] = other(holder[path[-1]])

        assert_refused(changed(SIGNED[suite], path, change), path)


@EACH_SUITE
def test_removing_any_value_is_noticed(suite: str) -> None:
    for path in leaves(SIGNED[suite]):
        if path[0] == "@context" and "jcs" not in suite:
            continue  # see below: what matters is that no term loses its meaning

        def change(holder: Any, path: Path = path) -> None:
            del holder[path[-1]]

        assert_refused(changed(SIGNED[suite], path, change), path)


@EACH_SUITE
def test_putting_a_set_into_a_set_is_noticed(suite: str) -> None:
    for path in objects(SIGNED[suite], kind=list):

        def wrap(holder: Any, key: Any = path[-1]) -> None:
            holder[key] = [*holder[key][:-1], holder[key][-1:]]

        assert_refused(changed(SIGNED[suite], path, wrap), path)


@EACH_SUITE
@pytest.mark.parametrize("value", ["x", True, 3, {"name": "x"}, None, []])
def test_adding_a_property_anywhere_is_noticed(suite: str, value: Any) -> None:
    for path in objects(SIGNED[suite]):
        for name in ("description", "added"):

            def change(holder: Any, name: str = name) -> None:
                holder[name] = value

            assert_refused(changed(SIGNED[suite], (*path, "-"), change), (*path, name))


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019", "ecdsa-jcs-2019"])
def test_each_kind_of_change_fails_its_own_check(suite: str) -> None:
    def with_subject(**items: Any) -> dict[str, Any]:
        subject = {**SIGNED[suite]["credentialSubject"], **items}
        return {**SIGNED[suite], "credentialSubject": subject}

    renamed = {**SIGNED[suite], "name": "Welding, level 9"}
    assert codes(check_credential(renamed, lists=CLEAR)) == {Check.PROOF: "proof.invalid"}
    undefined = codes(check_credential(with_subject(invented="x"), lists=CLEAR))
    assert Check.CONTEXT in undefined and Check.PROOF in undefined
    no_issuer = {name: value for name, value in SIGNED[suite].items() if name != "issuer"}
    assert codes(check_credential(no_issuer, lists=CLEAR)) == {Check.STRUCTURE: "structure.issuer.missing"}
    unknown = {**SIGNED[suite], "@context": [V2, OB, "https://evil.example/context"]}
    assert Check.CONTEXT in codes(check_credential(unknown, lists=CLEAR))


@EACH_SUITE
@pytest.mark.parametrize(
    "contexts",
    [
        [V2],
        [V2, "https://www.w3.org/ns/credentials/examples/v2"],
        [V2, OB, {"name": "https://evil.example/name"}],
        [V2, OB, {"hidden": CRED + "credentialStatus"}],
        [V2, OB, {"narrative": "https://evil.example/narrative"}],
        [V2, OB, {"@vocab": "https://www.w3.org/2018/"}],
        [V2, OB, {"@vocab": "https://evil.example"}],
        [V2, OB, {"@import": "https://evil.example/context"}],
        [V2, OB, None],
        [OB, V2],
    ],
)
def test_swapping_or_extending_the_contexts_is_refused(suite: str, contexts: list[Any]) -> None:
    result = check_credential({**SIGNED[suite], "@context": contexts}, lists=CLEAR)
    assert not result.verified
    assert codes(result).keys() & {Check.CONTEXT, Check.STRUCTURE, Check.PROOF}


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "ecdsa-jcs-2019"])
def test_contexts_added_after_signing_json_are_refused_even_where_the_suite_allows_them(suite: str) -> None:
    more = {**SIGNED[suite], "@context": [V2, OB, "https://w3id.org/security/suites/ed25519-2020/v1"]}
    result = check_credential(more, lists=CLEAR)
    assert found(result, Check.PROOF).outcome is Outcome.PASS
    assert codes(result) == {Check.CONTEXT: "context.unsigned"}


def test_contexts_that_do_not_begin_with_those_signed_break_a_json_signature() -> None:
    swapped = {**SIGNED["eddsa-jcs-2022"], "@context": [V2, "https://w3id.org/security/data-integrity/v2", OB]}
    assert codes(check_credential(swapped, lists=CLEAR))[Check.PROOF] == "proof.malformed"


def hide_status(document: dict[str, Any], how: Callable[[dict[str, Any], Any], None]) -> dict[str, Any]:
    result = copy.deepcopy(document)
    how(result, result.pop("credentialStatus"))
    return result


def under_full_iri(document: dict[str, Any], status: Any) -> None:
    document[CRED + "credentialStatus"] = status


def under_prefixed_name(document: dict[str, Any], status: Any) -> None:
    document["@context"] = [*document["@context"], {"c": {"@id": CRED, "@prefix": True}}]
    document["c:credentialStatus"] = status


def under_alias(document: dict[str, Any], status: Any) -> None:
    document["@context"] = [*document["@context"], {"x": {"@id": CRED + "credentialStatus", "@type": "@id"}}]
    document["x"] = status


def under_vocab(document: dict[str, Any], status: Any) -> None:
    document["@context"] = [*document["@context"], {"@vocab": CRED + "credential"}]
    document["Status"] = status


def under_alias_beside_a_vocabulary(document: dict[str, Any], status: Any) -> None:
    alias = {"@id": CRED + "credentialStatus", "@type": "@id"}
    document["@context"] = [*document["@context"], {"@vocab": "https://college.example/ler#", "x": alias}]
    document["x"] = status


def under_reserved_vocab(document: dict[str, Any], status: Any) -> None:
    document["@context"] = [*document["@context"], {"@vocab": CRED}]
    document["credentialStatus "] = status


def under_graph(document: dict[str, Any], status: Any) -> None:
    document["@included"] = [{"id": document["id"], "type": document["type"], "credentialStatus": status}]


def under_nest(document: dict[str, Any], status: Any) -> None:
    document["@nest"] = {"credentialStatus": status}


def in_another_object_of_the_same_id(document: dict[str, Any], status: Any) -> None:
    document["refreshService"] = {"id": document["id"], "type": document["type"], "credentialStatus": status}


HIDINGS = [
    under_full_iri,
    under_prefixed_name,
    under_alias,
    under_alias_beside_a_vocabulary,
    under_vocab,
    under_reserved_vocab,
    under_graph,
    under_nest,
    in_another_object_of_the_same_id,
]


@EACH_SUITE
@pytest.mark.parametrize("how", HIDINGS)
def test_a_revoked_record_cannot_hide_its_status_from_readers_of_the_json(suite: str, how: Any) -> None:
    assert codes(check_credential(SIGNED[suite], lists=LISTS)) == {Check.STATUS: "status.revoked"}
    result = check_credential(hide_status(SIGNED[suite], how), lists=LISTS)
    assert not result.verified
    assert Check.CONTEXT in codes(result)


def test_hiding_the_end_of_validity_in_a_service_that_bears_the_records_id_is_refused() -> None:
    service = {"id": "urn:uuid:5", "type": "1EdTechCredentialRefresh"}
    unsigned = with_status("revocation", id="urn:uuid:5", refreshService=service)
    signed = issue({**unsigned, "@context": [V2, OB, EXTENSIONS]})
    assert check_credential(signed, lists=CLEAR).verified
    moved = copy.deepcopy(signed)
    until = moved.pop("validUntil")
    moved["refreshService"] |= {"type": ["1EdTechCredentialRefresh", "VerifiableCredential"], "validUntil": until}
    assert codes(check_credential(moved, lists=CLEAR))[Check.CONTEXT] == "context.not_compacted"


def test_hiding_the_end_of_a_proof_under_a_second_name_is_refused() -> None:
    security = "https://w3id.org/security/v1"
    ended = issue(with_status("revocation"), expires=NOW - timedelta(hours=1))
    assert codes(check_credential(ended, lists=CLEAR)) == {Check.VALID_TIME: "time.proof_expired"}
    proof = {**ended["proof"]}
    proof["expiration"] = proof.pop("expires")
    hidden = {**ended, "@context": [*ended["@context"], security], "proof": proof}
    assert codes(check_credential(hidden, lists=CLEAR))[Check.CONTEXT] == "context.not_compacted"


@EACH_SUITE
def test_a_proof_does_not_carry_over_to_another_record(suite: str) -> None:
    moved = {**SIGNED[suite], "id": "urn:uuid:9"}
    assert codes(check_credential(moved, lists=CLEAR)) == {Check.PROOF: "proof.invalid"}


@pytest.mark.parametrize(
    "value", ["", "z", "zzzz0", "u" + "A" * 86, "z" + "1" * 64, "z" + "1" * 200, None, 5, ["z1"], {"@value": "z1"}]
)
def test_a_proof_value_that_is_no_signature_fails(value: Any) -> None:
    signed = SIGNED["eddsa-rdfc-2022"]
    result = check_credential({**signed, "proof": {**signed["proof"], "proofValue": value}}, lists=CLEAR)
    assert found(result, Check.PROOF).code in {"proof.malformed", "proof.invalid"}


NUMBER_FOR_FALSE = b64url_encode(b'{"alg":"EdDSA","b64":0,"crit":["b64"]}') + ".." + "A" * 86


@pytest.mark.parametrize(
    "jws",
    ["", "a.b.c", "..", "e30..AA", "eyJhbGciOiJub25lIn0..AA", 7, NUMBER_FOR_FALSE],
)
def test_a_jws_that_is_not_detached_eddsa_fails(jws: Any) -> None:
    signed = SIGNED["Ed25519Signature2018"]
    result = check_credential({**signed, "proof": {**signed["proof"], "jws": jws}}, lists=CLEAR)
    assert found(result, Check.PROOF).code == "proof.malformed"
