"""Terms of use, evidence and refresh services: shown as they stand in a record, plainly, and total for anything."""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from node.cli.attached import attached_fields
from node.http.admin_views import view_about
from node.http.result_views import view_attached
from node.records.attached import MAX_ATTACHED, Attached, attached
from node.records.shown import MAX_TEXT
from protocols import strict_json
from tests.shared_data import shared_json

RECORD: dict[str, Any] = {
    "termsOfUse": {"type": "TrustFrameworkPolicy", "trustFramework": "x", "policyId": "https://college.example/policy"},
    "evidence": [
        {"id": "https://college.example/video", "type": ["Evidence"], "name": "Video", "narrative": "A weld\x1b[2J."},
        {"type": ["Evidence"], "description": [{"@value": "Prüfung", "@language": "de"}], "id": "javascript:alert(1)"},
    ],
    "refreshService": {"id": "https://college.example/refresh", "type": "1EdTechCredentialRefresh"},
}


def test_everything_attached_is_shown_with_its_kind_and_words() -> None:
    assert attached(RECORD) == (
        Attached("refreshService", ("1EdTechCredentialRefresh",), "https://college.example/refresh", ()),
        Attached("termsOfUse", ("TrustFrameworkPolicy",), None, (("policyId", "https://college.example/policy"),)),
        Attached(
            "evidence",
            ("Evidence",),
            "https://college.example/video",
            (("name", "Video"), ("narrative", "A weld [2J.")),
        ),
        Attached("evidence", ("Evidence",), None, (("description", "Prüfung"),)),
    )
    assert attached_fields(view_about(RECORD).attached) == [
        ("refresh service", "1EdTechCredentialRefresh · https://college.example/refresh"),
        ("terms of use", "TrustFrameworkPolicy · policyId: https://college.example/policy"),
        ("evidence", "Evidence · https://college.example/video · name: Video; narrative: A weld [2J."),
        ("evidence", "Evidence · description: Prüfung"),
    ]


def test_a_complete_record_of_1edtech_shows_its_evidence() -> None:
    kinds = [item.property for item in attached(shared_json("credentials/1edtech/ob30/complete.json"))]
    assert {"evidence", "refreshService", "termsOfUse"} & set(kinds)


def test_much_is_cut() -> None:
    found = attached({"evidence": [{"type": ["T" * 5000] * 50, "name": "n" * 5000}] * 500})
    assert len(found) == MAX_ATTACHED
    assert len(found[0].types) == 10
    assert max(map(len, found[0].types)) == len(found[0].texts[0][1]) == MAX_TEXT


def test_a_kept_document_that_is_no_object_shows_nothing() -> None:
    assert view_attached(b'"eyJhbGciOiJFUzI1NiJ9..AA"') == []
    assert len(view_attached(strict_json.dumps(RECORD))) == 4


VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "name", "narrative", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["termsOfUse", "evidence", "refreshService"]), VALUES))
def test_any_document_can_be_asked(document: dict[str, Any]) -> None:
    for item in attached(document):
        shown = "".join(text for _, text in item.texts)
        assert {unicodedata.category(char) for char in shown}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
