"""Badges as pictures, and JSON as Windows writes it: verified as any file."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.cli.verify_file import FilePolicy, verify_file
from node.http.schemas import ResultView
from node.records.baking import bake
from protocols import strict_json
from protocols.errors import BadInput
from tests.credentials.worlds import issue, record
from tests.records.test_baking import PNG, SVG

GOOD = issue(record())
CHANGED = {**GOOD, "name": "Welding, level 9"}


def verified(tmp_path: Path, data: bytes) -> ResultView:
    how = FilePolicy(tmp_path, (), any_issuer=True, offline=True)
    return verify_file(how, data, challenge=None, domain=None)


@pytest.mark.parametrize("picture", [PNG, SVG])
@pytest.mark.parametrize(("document", "holds"), [(GOOD, True), (CHANGED, False)])
def test_the_badge_in_a_picture_is_what_is_verified(
    tmp_path: Path, picture: bytes, document: dict[str, object], holds: bool
) -> None:
    result = verified(tmp_path, bake(picture, strict_json.dumps(document)))
    assert result.verified is holds


def test_json_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert verified(tmp_path, b"\xef\xbb\xbf" + strict_json.dumps(GOOD)).verified


@pytest.mark.parametrize("picture", [PNG, SVG])
def test_a_picture_without_a_badge_is_told_in_one_sentence(tmp_path: Path, picture: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        verified(tmp_path, picture)
    assert caught.value.code.startswith("badge.")
