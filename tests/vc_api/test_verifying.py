"""``POST /credentials/verify`` and ``POST /presentations/verify``: what does not hold is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.app import create
from node.config import to_toml
from protocols.credentials.data_integrity import add_proof
from storage.dids import DidPurpose
from tests.admin.helpers import Client, served
from tests.opening import KEY
from tests.vc_api.documents import credential, presentation

_EVERYTHING = {"returnResults": True, "returnCredential": True}


async def _signed(api: Client, **more: Any) -> dict[str, Any]:
    answer = await api.post("/credentials/issue", credential=credential(**more))
    return dict(answer["verifiableCredential"])


@pytest.mark.parametrize(
    ("change", "check", "kind"),
    [
        ({"name": "Structural Welding, Level 9"}, "proof", "https://w3id.org/security#PROOF_VERIFICATION_ERROR"),
        ({"@context": ["https://x.example"]}, "structure", "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR"),
        ({"proof": None}, "proof", "https://w3id.org/security#PROOF_VERIFICATION_ERROR"),
        ({"issuer": "did:example:x"}, "controller", "https://www.w3.org/TR/vc-data-model#CRYPTOGRAPHIC_SECURITY_ERROR"),
        ({"madeUp": "x"}, "context", "https://w3id.org/security#DATA_LOSS_DETECTION_ERROR"),
    ],
)
async def test_a_credential_that_was_changed_is_not_verified_and_the_check_is_named(
    api: Client, change: dict[str, Any], check: str, kind: str
) -> None:
    altered = {**await _signed(api), **change}
    altered = {name: value for name, value in altered.items() if value is not None}
    status, result = await api.ask("POST", "/credentials/verify", json={"verifiableCredential": altered})
    assert (status, result["verified"]) == (400, False)
    assert (check, kind) in [(problem["check"], problem["type"]) for problem in result["problemDetails"]]


async def test_only_what_is_asked_for_comes_back(api: Client) -> None:
    signed = await _signed(api, validFrom="2020-01-01T00:00:00Z")
    assert await api.post("/credentials/verify", verifiableCredential=signed) == {
        "verified": True,
        "problemDetails": [],
    }
    bare = await api.post("/credentials/verify", verifiableCredential=signed, options={"returnProblemDetails": False})
    assert bare == {"verified": True}
    full = await api.post("/credentials/verify", verifiableCredential=signed, options=_EVERYTHING)
    assert full["credential"] == signed
    assert full["results"] == {
        "validFrom": {"verified": True, "input": "2020-01-01T00:00:00Z"},
        "proof": [{"verified": True, "input": signed["proof"]}],
    }


async def test_the_results_say_which_end_of_the_period_does_not_hold(api: Client) -> None:
    signed = await _signed(api, validFrom="2020-01-01T00:00:00Z", validUntil="2021-01-01T00:00:00Z")
    body = {"verifiableCredential": signed, "options": {"returnResults": True}}
    status, result = await api.ask("POST", "/credentials/verify", json=body)
    assert status == 400
    assert result["results"]["validFrom"]["verified"] is True
    assert result["results"]["validUntil"]["verified"] is False
    assert result["problemDetails"][0]["code"] == "time.expired"


async def test_a_status_that_cannot_be_looked_up_stands_in_the_way_unless_the_client_waives_it(api: Client) -> None:
    answer = await api.post(
        "/credentials/issue",
        credential=credential(),
        options={"credentialStatus": {"statusPurpose": "revocation"}},
    )
    body: dict[str, Any] = {"verifiableCredential": answer["verifiableCredential"]}
    # This node does not listen for peers, so its lists cannot be had.
    status, result = await api.ask("POST", "/credentials/verify", json=body)
    assert (status, result["problemDetails"][0]["check"]) == (400, "status")
    waived = await api.post("/credentials/verify", **body, options={"checks": ["proof"]})
    assert waived["verified"] is True


async def _presented(api: Client, **options: Any) -> dict[str, Any]:
    body = presentation(await _signed(api))
    answer = await api.post("/presentations", presentation=body, options=options)
    return dict(answer["verifiablePresentation"])


async def test_a_presentation_is_signed_by_the_holder_and_verifies_for_what_it_answers(api: Client) -> None:
    asked = {"challenge": "n0nce", "domain": "employer.example"}
    shown = await _presented(api, **asked)
    assert shown["holder"].startswith("did:key:")
    assert shown["proof"]["proofPurpose"] == "authentication"
    result = await api.post(
        "/presentations/verify",
        verifiablePresentation=shown,
        options={**asked, "returnResults": True, "returnPresentation": True},
    )
    assert result["verified"] is True
    assert result["verifiablePresentation"] == shown
    assert result["results"]["presentation"]["challenge"] == {"verified": True, "input": "n0nce"}
    assert [inside["verified"] for inside in result["results"]["credentials"]] == [True]


async def test_a_presentation_in_an_envelope_holds_credentials_of_every_kind(api: Client) -> None:
    enveloped = await api.post(
        "/credentials/issue", credential=credential(), options={"mediaType": "application/vc+jwt"}
    )
    inside = presentation(await _signed(api), enveloped["verifiableCredential"])
    asked = {"challenge": "n0nce", "domain": "employer.example"}
    answer = await api.post("/presentations", presentation=inside, options={**asked, "mediaType": "application/vp+jwt"})
    shown = answer["verifiablePresentation"]
    assert shown["type"] == ["EnvelopedVerifiablePresentation"]
    options = {**asked, "returnResults": True}
    result = await api.post("/presentations/verify", verifiablePresentation=shown, options=options)
    assert [credential["verified"] for credential in result["results"]["credentials"]] == [True, True]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"challenge": "other", "domain": "employer.example"}, "holder.challenge"),
        ({"challenge": "n0nce", "domain": "other.example"}, "holder.domain"),
    ],
)
async def test_an_answer_to_somebody_else_is_not_verified(api: Client, options: dict[str, str], code: str) -> None:
    shown = await _presented(api, challenge="n0nce", domain="employer.example")
    body = {"verifiablePresentation": shown, "options": options}
    status, result = await api.ask("POST", "/presentations/verify", json=body)
    assert (status, result["verified"]) == (400, False)
    (problem,) = result["problemDetails"]
    assert problem["code"] == code
    assert problem["type"].startswith("https://w3id.org/security#INVALID_")


async def test_without_a_challenge_a_presentation_is_checked_for_itself(api: Client) -> None:
    shown = await _presented(api)
    assert (await api.post("/presentations/verify", verifiablePresentation=shown))["verified"] is True


@pytest.mark.parametrize(
    "spoil",
    [
        lambda shown: shown["verifiableCredential"][0].update(name="Other"),
        lambda shown: shown["verifiableCredential"][0].pop("proof"),
        lambda shown: shown.update(holder="did:example:other"),
        lambda shown: shown["proof"].update(proofPurpose="assertionMethod"),
    ],
)
async def test_a_presentation_that_was_changed_is_not_verified(
    api: Client, spoil: Callable[[dict[str, Any]], Any]
) -> None:
    shown = await _presented(api)
    spoil(shown)
    status, result = await api.ask("POST", "/presentations/verify", json={"verifiablePresentation": shown})
    assert (status, result["verified"]) == (400, False)
    assert result["problemDetails"]


async def test_only_where_the_configuration_says_so_a_proof_counts_that_is_not_of_the_issuer(tmp_path: Path) -> None:
    values: dict[str, Any] = {"vc_api": {"issuer_signs": False}}
    await create(tmp_path / "n", KEY, to_toml(values))
    async with served(tmp_path / "n") as (node, api):
        await api.post("/admin/dids", purpose="issuer")
        async with node.store.read() as tx:
            signer = await node.identity.signer(tx, await node.identity.default(tx, DidPurpose.ISSUER))
        other = credential(issuer="https://college.example")
        signed = add_proof(other, suite="eddsa-rdfc-2022", signer=signer, created=node.world.clock())
        result = await api.post("/credentials/verify", verifiableCredential=signed)
        assert result["verified"] is True
        assert [problem["code"] for problem in result["problemDetails"]] == ["controller.unbound"]
        signed["name"] = "Other"
        status, result = await api.ask("POST", "/credentials/verify", json={"verifiableCredential": signed})
        assert (status, result["verified"]) == (400, False)
