"""What one document and one verification may cost: bounded by counting, so that no document keeps a verifier busy."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from protocols.credentials.asking import MAX_DIDS, MAX_LISTS
from protocols.credentials.verification import Check, Outcome, VerificationResult
from protocols.did.document import DidDocument
from protocols.errors import BadInput, NotNow
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.processor import DEFAULT, Processor
from protocols.jsonld.work import Work
from protocols.status.entry import status_entry
from protocols.status.source import StatusListCopy
from protocols.strict_json import MAX_BYTES
from tests.credentials.worlds import (
    HOLDER,
    ISSUER,
    LIST_URL,
    V2,
    Dids,
    Lists,
    check_credential,
    check_presentation,
    did,
    found,
    issue,
    present,
    record,
    status_list,
)

TERMS = "https://college.example/terms#"


def with_claims(**claims: Any) -> dict[str, Any]:
    """A record in terms of the issuer's own."""
    return {
        "@context": [V2, {"@vocab": TERMS}],
        "type": ["VerifiableCredential"],
        "issuer": did(ISSUER),
        "credentialSubject": {"id": did(HOLDER), **claims},
    }


def too_complex(result: VerificationResult, check: Check = Check.CONTEXT) -> bool:
    item = found(result, check)
    return item.outcome is Outcome.FAIL and item.code in ("jsonld.too_complex", "json.too_complex")


class Counting(Processor):
    """A processor that counts the documents that it makes quads of, and those that it does not, by the reason."""

    def __init__(self) -> None:
        super().__init__(ContextStore())
        self.asked: Counter[str] = Counter()

    def bounded_by(self, work: Work) -> Processor:
        counting = Counting()
        counting._work, counting.asked = work, self.asked
        return counting

    def quads(self, document: dict[str, Any]) -> Any:
        try:
            quads = super().quads(document)
        except BadInput as error:
            self.asked[error.code] += 1
            raise
        self.asked["proof options" if "proofPurpose" in document else "document"] += 1
        return quads


def test_a_document_of_the_greatest_size_is_verified_and_a_larger_one_is_not() -> None:
    signed = issue(record(description="x" * (MAX_BYTES - 3000)))
    assert check_credential(json.dumps(signed)).verified
    larger = check_credential(json.dumps(signed) + " " * 3000)
    assert found(larger, Check.STRUCTURE).code == "json.too_large"


def test_a_document_of_ten_thousand_statements_is_verified_and_one_of_more_is_not() -> None:
    assert check_credential(issue(with_claims(grade=[f"grade {n}" for n in range(9_990)]))).verified
    more = with_claims(grade=[f"grade {n}" for n in range(10_001)]) | {"proof": issue(record())["proof"]}
    assert too_complex(check_credential(more))


def test_a_document_of_more_values_than_statements_can_need_is_refused_when_it_is_read() -> None:
    many = with_claims(grade=list(range(40_000))) | {"proof": issue(record())["proof"]}
    assert too_complex(check_credential(many), Check.STRUCTURE)


def test_text_with_many_commas_and_brackets_is_only_text() -> None:
    assert check_credential(issue(record(description='a, [b], {c}\\" ' * 20_000))).verified


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "Ed25519Signature2020", "Ed25519Signature2018"])
def test_a_document_is_made_canonical_once_for_all_its_proofs(suite: str) -> None:
    signed = issue(record(), suite=suite)
    processor = Counting()
    result = check_credential({**signed, "proof": [signed["proof"]] * 16}, processor=processor)
    assert result.verified
    assert processor.asked == {"document": 1, "proof options": 1}
    others = [{**signed["proof"], "id": f"urn:proof:{n}"} for n in range(16)]
    assert (
        found(check_credential({**signed, "proof": others}, processor=processor), Check.PROOF).code == "proof.invalid"
    )
    assert processor.asked == {"document": 2, "proof options": 17}


def test_a_document_that_has_no_canonical_form_is_tried_once_for_all_its_proofs() -> None:
    signed = issue(record())
    processor = Counting()
    result = check_credential(
        {**signed, "nobody": "defines this", "proof": [signed["proof"]] * 16}, processor=processor
    )
    assert found(result, Check.PROOF).code == "jsonld.undefined_term"
    assert processor.asked == {"jsonld.undefined_term": 1}


def chained(document: dict[str, Any], times: int) -> dict[str, Any]:
    """With a chain of proofs, each of which builds on all before."""
    proof = issue(record())["proof"]
    links = [{**proof, "id": f"urn:proof:{n}"} for n in range(times)]
    for n in range(1, times):
        links[n]["previousProof"] = [link["id"] for link in links[:n]]
    return {**document, "proof": links}


def test_a_long_chain_of_proofs_over_a_large_document_is_not_followed_to_its_end() -> None:
    large = with_claims(grade=[{"of": f"course {n}"} for n in range(1_500)])
    asked = []
    for times in (2, 4, 16):
        processor = Counting()
        assert not check_credential(chained(large, times), processor=processor).verified
        asked.append(processor.asked["document"])
    assert asked[:2] == [2, 4]
    assert asked[2] < 12


def ring(size: int) -> dict[str, Any]:
    """Blank nodes in a ring, alike but for where they stand."""
    return with_claims(ring=[{"id": f"_:n{n}", "next": {"id": f"_:n{(n + 1) % size}"}} for n in range(size)])


def test_many_records_share_the_work_that_a_presentation_may_cost() -> None:
    proof = issue(record())["proof"]
    alone = check_credential({**ring(40), "proof": proof})
    assert found(alone, Check.PROOF).code == "proof.invalid"
    together = check_presentation(present() | {"verifiableCredential": [{**ring(40), "proof": proof}] * 20})
    assert {found(result, Check.PROOF).code for result in together.credentials} == {"jsonld.too_complex"}


def test_a_whole_folder_of_ordinary_records_can_be_shown_at_once() -> None:
    shown = check_presentation(present(*[issue(record(id=f"urn:uuid:{n}")) for n in range(128)]))
    assert shown.verified
    assert len(shown.credentials) == 128


LONG = "https://college.example/" + "x" * 60_000


@pytest.mark.parametrize(
    "document",
    [
        {"@context": [V2, {"@vocab": LONG + "#"}], "credentialSubject": {"grade": list(range(5000))}},
        {
            "@context": [V2, {"grade": {"@id": TERMS + "grade", "@type": LONG}}],
            "credentialSubject": {"grade": [str(number) for number in range(5000)]},
        },
        {
            "@context": [V2, {"long": LONG + "#"}, {"@vocab": TERMS}],
            "credentialSubject": {"knows": [{"id": f"long:{number}"} for number in range(5000)]},
        },
        {"credentialSubject": {"id": LONG * 10, "grade": list(range(5000))}},
        {"credentialSubject": {"@graph": [{"@id": LONG, "grade": number} for number in range(9)], "id": LONG}},
        {
            "credentialSubject": {
                "grade": [{"@value": str(number), "@language": "a" + "-b" * 9000} for number in range(50)]
            }
        },
    ],
    ids=["vocabulary", "datatype", "prefix", "subject", "graph", "language"],
)
def test_a_long_name_is_not_written_out_thousands_of_times(document: dict[str, Any]) -> None:
    signed = {**with_claims(), **document, "proof": issue(record())["proof"]}
    tracemalloc.start()
    try:
        assert not check_credential(signed).verified
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


@dataclass
class Web:
    """A resolver that knows nothing, and counts what it is asked."""

    asked: list[str] = field(default_factory=list)

    async def resolve(self, did: str) -> DidDocument:
        self.asked.append(did)
        raise NotNow("did.unreachable", "The DID document cannot be had.", "Try later.")


def test_a_presentation_asks_for_no_more_dids_than_it_may() -> None:
    proof = issue(record())["proof"]
    web = Web()
    inside = [
        record(
            issuer=f"did:web:host-{n}.example",
            proof=[{**proof, "verificationMethod": f"did:web:host-{n}.example:{m}#key"} for m in range(4)],
        )
        for n in range(128)
    ]
    result = check_presentation(present() | {"verifiableCredential": inside}, dids=web)
    assert len(web.asked) == len(set(web.asked)) == MAX_DIDS
    assert not result.verified
    assert found(result.credentials[-1], Check.PROOF).code == "did.too_many"


@dataclass
class Counted(Lists):
    """Status lists that are counted; every URL has the same."""

    urls: list[str] = field(default_factory=list)

    async def get(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        self.urls.append(url)
        return self.copies[LIST_URL]


def test_each_status_list_is_asked_for_and_checked_once() -> None:
    entries = [{**status_entry(LIST_URL, "revocation", n), "id": f"urn:entry:{n}"} for n in range(16)]
    lists = Counted({LIST_URL: status_list()})
    processor = Counting()
    assert check_credential(issue(record(credentialStatus=entries)), lists=lists, processor=processor).verified
    assert lists.urls == [LIST_URL]
    assert processor.asked["document"] == 2


def test_a_presentation_asks_for_no_more_status_lists_than_it_may() -> None:
    lists = Counted({LIST_URL: status_list()})

    def pointing(number: int) -> dict[str, Any]:
        urls = [f"https://list-{number}-{n}.example/" for n in range(3)]
        return issue(record(credentialStatus=[status_entry(url, "revocation", 1) for url in urls]))

    result = check_presentation(present(*[pointing(n) for n in range(100)]), lists=lists)
    assert len(lists.urls) == MAX_LISTS
    assert not result.verified
    assert found(result.credentials[-1], Check.STATUS).code == "status.too_many_lists"


def test_work_is_counted_over_documents_on_either_path_and_for_those_that_are_refused() -> None:
    plain = {"@context": {"@vocab": TERMS}, "grade": [f"grade {n}" for n in range(100)]}
    complete = {**plain, "@included": [{"@id": "urn:x", "grade": "1"}]}
    wrong = {"@context": {"name": TERMS + "name"}, "names": ["x"] * 100}

    def times(document: dict[str, Any]) -> int:
        bounded = DEFAULT.bounded_by(Work(2_000))
        for count in range(100):
            try:
                bounded.quads(document)
            except BadInput as error:
                if error.code == "jsonld.too_complex":
                    return count
        return 100

    assert times(plain) > times(complete) > 1
    assert 1 < times(wrong) < 30
    assert len(DEFAULT.quads(plain)) == 100


def test_one_verification_leaves_the_work_of_the_next_as_it_was() -> None:
    large = issue(with_claims(grade=[{"of": f"course {n}"} for n in range(4_500)]))
    for _ in range(4):
        assert check_credential(large).verified


def test_the_fallbacks_of_a_bounded_processor_count_for_the_processor() -> None:
    processor = Processor(ContextStore())
    document = {"@id": "urn:a", "urn:p": {"@set": ["x"]}}
    processor.bounded_by(Work()).canonical_nquads(document)
    assert processor.fallbacks == 1


def test_dids_are_resolved_once_in_a_verification() -> None:
    dids = Dids()
    signed = issue(record())
    assert check_credential({**signed, "proof": [signed["proof"]] * 3}, dids=dids).verified
    assert dids.asked == [did(ISSUER)]
