"""Records of an issuer with a did:webvh: they verify under the keys of its document now, and of no version before."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.credentials.policy import Policy
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, VerificationResult
from protocols.did.document import DidDocument
from protocols.did.resolution import Resolved
from protocols.did.webvh import method as webvh
from protocols.errors import BadInput
from protocols.keys import SoftwareSigner
from tests.credentials.worlds import NOW, Dids, check_credential, codes, issue, record
from tests.did.webvh_logs import ISSUER as KEY
from tests.did.webvh_logs import Log


def verified(log: Log, *, key_id: str) -> VerificationResult:
    found = webvh.read(log.did, [log.body], now=NOW)
    assert isinstance(found, Resolved)
    answer: DidDocument | BadInput
    try:
        answer = found.current()
    except BadInput as error:
        answer = error
    signed = issue(record(issuer=log.did), by=SoftwareSigner(KEY, log.did + key_id))
    return check_credential(signed, policy=Policy(trust=TrustedIssuers({log.did})), dids=Dids({log.did: answer}))


def without_key(log: Log) -> dict[str, Any]:
    return {**log.state.document, "verificationMethod": [], "assertionMethod": []}


def test_a_record_verifies_under_a_key_of_the_present_document() -> None:
    assert verified(Log().add(ttl=60), key_id="#key-1").verified


@pytest.mark.parametrize("key_id", ["#key-1", "?versionTime=2025-12-01T00:30:00Z#key-1", "?versionNumber=1#key-1"])
def test_a_key_of_an_earlier_version_proves_nothing_whatever_time_the_proof_or_its_url_names(key_id: str) -> None:
    log = Log()
    result = verified(log.add(document=without_key(log)), key_id=key_id)
    assert not result.verified
    assert codes(result)[Check.CONTROLLER] in {"did.method_unknown", "controller.not_issuer"}


def test_a_deactivated_issuer_is_no_issuer() -> None:
    result = verified(Log().add(deactivated=True), key_id="#key-1")
    assert not result.verified
    assert codes(result)[Check.CONTROLLER] == "did.deactivated"
