"""What agents of others can and cannot do, as far as a node meets them: seen with ACA-Py, written here by ourselves."""

from __future__ import annotations

from typing import Any

import pytest

from node.config import Config, NodeConfig, VerifyConfig
from node.roles.issuer import Award
from node.roles.policy import VerificationPolicies
from node.skills.frameworks import SkillIndex
from protocols import strict_json
from protocols.credentials.model import Version
from protocols.credentials.trust.grants import TrustedIssuers
from tests.node.nodes import WELDING, Nodes, asks_for, connect, exchange_in, held, issued

_OLD_SUITE = {"securing": "Ed25519Signature2020", "catalogue": "catalogue.json"}
_AUTOMATIC = {"accept_offers": True, "share_records": True}


async def presented(nodes: Nodes, data_model: Version, issuer: dict[str, Any]) -> dict[str, Any]:
    """What a learner shows of one record, to a verifier that names no proof type."""
    college = await nodes.make("college", issuer=issuer)
    learner = await nodes.make("learner", policy=_AUTOMATIC)
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING, data_model=data_model))
    assert (await exchange_in(college, offered.id)).state == "done"
    asked = await college.verifier.request(to_learner.id, asks_for())
    row = await exchange_in(college, asked.id)
    document: dict[str, Any] = strict_json.loads_object(row.data)["presentation"]
    result = await college.verifier.verify_again(asked.id, trust=[(await issued_by(college))])
    assert result.verified, result.result
    return document


async def issued_by(college: Any) -> str:
    (record,) = await issued(college)
    return str(strict_json.loads_object(record.document)["issuer"]["id"])


async def test_a_presentation_is_signed_with_what_its_records_are_signed_with(nodes: Nodes) -> None:
    shown = await presented(nodes, Version.V2_0, _OLD_SUITE)
    assert shown["proof"]["type"] == "Ed25519Signature2020"
    assert shown["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    assert "id" not in shown


async def test_records_of_version_1_1_are_shown_in_a_presentation_of_that_version(nodes: Nodes) -> None:
    shown = await presented(nodes, Version.V1_1, _OLD_SUITE)
    assert shown["@context"][0] == "https://www.w3.org/2018/credentials/v1"


@pytest.mark.parametrize(("data_model", "statuses"), [(Version.V1_1, 1), (Version.V2_0, 2)])
async def test_a_record_of_version_1_1_has_one_status_and_verifies(
    nodes: Nodes, data_model: Version, statuses: int
) -> None:
    await presented(nodes, data_model, {"catalogue": "catalogue.json"})
    (learner,) = [node for node in nodes.running if node.config.node.label == "learner"]
    (kept,) = await held(learner)
    status = strict_json.loads_object(kept.document)["credentialStatus"]
    assert isinstance(status, dict if statuses == 1 else list)


@pytest.mark.parametrize(
    ("required", "proof", "domain"),
    [
        (True, {}, "https://verifier.example"),
        (True, {"domain": "https://other.example"}, "https://verifier.example"),
        (False, {}, None),
        (False, {"domain": "https://other.example"}, "https://verifier.example"),
    ],
)
def test_a_presentation_without_domain_passes_only_where_the_owner_says_so(
    required: bool, proof: dict[str, Any], domain: str | None, tmp_path: Any
) -> None:
    config = Config(node=NodeConfig(), verify=VerifyConfig(require_domain=required))
    policies = VerificationPolicies(config, tmp_path, None, SkillIndex(), TrustedIssuers())  # type: ignore[arg-type] # nothing is fetched here
    assert policies.domain_of({"proof": {"type": "x", **proof}}, "https://verifier.example") == domain
