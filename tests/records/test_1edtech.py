"""Every file of 1EdTech's samples, Open Badges 3.0 and CLR 2.0: accepted or refused as its name says.

The samples are by ``https://example.edu`` and alike, which is nobody: whose their keys are cannot be said, so that
``proof``, ``controller`` and ``issuer-trusted`` stay open. A good sample passes everything else, and its proof holds
under the key that it names.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from node.records.intake import records_in
from node.records.schema import SCHEMA_CHECKERS
from protocols.credentials.policy import Policy
from protocols.credentials.verification import Check, Outcome, VerificationResult
from protocols.credentials.verify import verify
from tests.credentials.test_real_samples import is_genuine
from tests.credentials.worlds import Dids, Lists
from tests.shared_data import shared_path

FOLDER = "credentials/1edtech"
NOBODY = {
    Check.PROOF: "controller.unresolvable",
    Check.CONTROLLER: "controller.unresolvable",
    Check.ISSUER_TRUSTED: "trust.undecided",
}
ANOTHER = {Check.CONTROLLER: "controller.not_issuer", Check.ISSUER_TRUSTED: "trust.undecided"}
GOOD = {
    "ob30/complete.json": NOBODY | {Check.STATUS: "status.unreachable"},
    "ob30/endorsement-valid.json": NOBODY,
    "ob30/simple.json": NOBODY,
    "ob30/simple-json.png": NOBODY,
    "ob30/simple-json.svg": NOBODY,
    "ob30/simple-multiple-proofs.json": NOBODY,
    "ob30/simple-did-key-method.json": ANOTHER | {Check.ISSUER_TRUSTED: "trust.own_statement"},
    "ob30/simple-did-web-method.json": NOBODY,
    "clr20/simple.json": NOBODY,
    "clr20/complex.json": ANOTHER,
}
"""What of a good sample does not pass, and why."""
ERRORS = {
    "ob30/simple-err-expired.json": (Check.VALID_TIME, "time.expired"),
    "ob30/simple-err-issuer.json": (Check.STRUCTURE, "structure.issuer.missing"),
    "ob30/simple-err-proof-value.json": (Check.PROOF, "controller.unresolvable"),
    "ob30/simple-noproof.json": (Check.PROOF, "proof.missing"),
    "clr20/simple-noproof.json": (Check.PROOF, "proof.missing"),
}


def test_every_file_of_the_folder_is_one_of_these() -> None:
    folder = shared_path(FOLDER)
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == GOOD.keys() | ERRORS.keys()


def verified(name: str) -> VerificationResult:
    (document,) = records_in(shared_path(f"{FOLDER}/{name}").read_bytes())
    policy = Policy(schemas=SCHEMA_CHECKERS)
    now = datetime(2026, 11, 28, tzinfo=UTC)
    return asyncio.run(verify(document, resolver=Dids(), statuses=Lists(), policy=policy, now=now))


def open_checks(result: VerificationResult) -> dict[Check, str]:
    return {check.check: check.code for check in result.checks if check.outcome is not Outcome.PASS}


@pytest.mark.parametrize(("name", "left"), GOOD.items())
def test_a_good_sample_passes_all_but_who_its_issuer_is(name: str, left: dict[Check, str]) -> None:
    result = verified(name)
    optional = {Check.SCHEMA, Check.SKILLS, Check.RELATED_RESOURCES} - result.required
    assert {check: code for check, code in open_checks(result).items() if check not in optional} == left


@pytest.mark.parametrize(("name", "why"), ERRORS.items())
def test_a_sample_with_an_error_is_refused_for_it(name: str, why: tuple[Check, str]) -> None:
    result = verified(name)
    assert not result.verified
    check, code = why
    assert open_checks(result)[check] == code


@pytest.mark.parametrize(("name", "count"), [("clr20/simple.json", 1), ("clr20/complex.json", 6)])
def test_each_credential_in_a_learner_record_is_verified(name: str, count: int) -> None:
    result = verified(name)
    assert len(result.credentials) == count
    for inner in result.credentials:
        assert inner.document is not None
        assert Check.PROOF not in open_checks(inner) or is_genuine(inner.document)


@pytest.mark.parametrize(
    ("name", "genuine"), [*((name, True) for name in GOOD), ("ob30/simple-err-proof-value.json", False)]
)
def test_the_proof_of_a_good_sample_alone_holds_under_the_key_that_it_names(name: str, genuine: bool) -> None:
    result = verified(name)
    assert result.document is not None
    assert (Check.PROOF not in open_checks(result) or is_genuine(result.document)) is genuine
