"""The whole way of a record between three nodes that keep everything in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.node.nodes import Nodes
from tests.node.test_journey import (  # noqa: F401 - the same tests, over the fixture below
    test_a_person_accepts_an_offer_and_nothing_is_signed_before,
    test_a_record_goes_all_the_way_by_policy,
    test_a_reinstated_record_verifies_again,
    test_what_the_issuer_takes_back_does_not_verify_again,
)
from tests.postgresql import new_store_url


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Nodes]:
    made = Nodes(tmp_path, new_store_url)
    yield made
    await made.stop_all()
