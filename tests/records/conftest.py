"""The world of these tests: the catalogue that lernode carries, and one issuer."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from node.records.catalogue import Catalogue
from node.records.open_badges import IssuerProfile, build_credential

LEARNER = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"
ISSUER = IssuerProfile("did:web:riverside.example", "Riverside Community College", "https://riverside.example")


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.parse(files("node.records").joinpath("demo_catalogue.json").read_bytes())


@pytest.fixture
def base(catalogue: Catalogue) -> dict[str, Any]:
    """The arguments of a plain record; tests change what they are about."""
    return {
        "achievement": catalogue.get("weld-101"),
        "issuer": ISSUER,
        "credential_id": "urn:uuid:0e3f0c6e-9a55-4a44-9e3e-0c6d6b0fb9a1",
        "valid_from": datetime(2026, 5, 31, 12, tzinfo=UTC),
        "subject_did": LEARNER,
    }


@pytest.fixture
def record(base: dict[str, Any]) -> dict[str, Any]:
    return build_credential(**base)
